"""Write alerts as the agent does, one transaction each, until so many are in the database; made to be killed.

python -m tests.journeys.alert_writer SETTINGS_FILE COUNT SEED
"""

from __future__ import annotations

import random
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from edge_agent import settings as settings_module
from edge_agent.domain.finding import Label
from edge_agent.domain.policy import Severity
from edge_agent.services import incidents
from edge_agent.settings import Settings
from edge_agent.store.database import open_main
from tests.builders import an_alert

MOST_WAIT_S = 0.4


def write(settings: Settings, count: int, seed: int) -> None:
    """Open incidents at random moments; what an earlier writer committed counts."""
    luck = random.Random(seed)  # noqa: S311 - a random moment is no secret
    db = open_main(settings.data)
    while db.table("incidents").count < count:
        number = str(uuid.UUID(int=luck.getrandbits(128), version=4))
        severity, label = luck.choice(((Severity.B3, Label.THREAT), (Severity.B2, Label.ABUSE)))
        alert = an_alert(alert_id=number, call_id=f"call-{number}", types=(label,), severity=severity)
        incidents.open_incident(db, alert, box=settings.box, now=datetime.now(UTC))
        time.sleep(luck.random() * MOST_WAIT_S)


if __name__ == "__main__":
    write(settings_module.load(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]))
