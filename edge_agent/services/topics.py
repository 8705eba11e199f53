"""The MQTT topics and messages of a box; docs/mqtt.md describes them for whoever connects a panel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from edge_agent.domain.alert import Alert
from edge_agent.domain.incident import Incident
from edge_agent.settings import Box

SCHEMA = 1
"""Version of the messages' shape; a panel ignores what it does not know."""


def base(box: Box) -> str:
    """Return the prefix of all topics of a box."""
    return f"mamori/v1/{box.site}/{box.floor}/{box.box}"


def status(box: Box) -> str:
    """Return the topic of the retained online/offline status (birth and last will)."""
    return f"{base(box)}/status"


def health(box: Box) -> str:
    """Return the topic of the retained heartbeat."""
    return f"{base(box)}/health"


def line_state(box: Box, seat: str) -> str:
    """Return the topic of a line's retained state."""
    return f"{base(box)}/line/{seat}/state"


def alert(box: Box, alert_id: str) -> str:
    """Return the topic of an alert's messages; never retained."""
    return f"{base(box)}/alert/{alert_id}"


def receipt(box: Box, alert_id: str, panel: str) -> str:
    """Return the topic on which a panel says what became of an alert."""
    return f"{base(box)}/ack/{alert_id}/{panel}"


def escalation(box: Box, alert_id: str) -> str:
    """Return the topic that says who is asked about an alert nobody has acknowledged; never retained."""
    return f"{base(box)}/escalation/{alert_id}"


def lamp_state(box: Box, name: str) -> str:
    """Return the topic of what a lamp is to show; retained, in the lamp's own language."""
    return f"{base(box)}/lamp/{name}/state"


def lamp_status(box: Box, name: str) -> str:
    """Return the topic on which a lamp says whether it is there (birth and last will, retained)."""
    return f"{base(box)}/lamp/{name}/status"


def alert_message(alert: Alert, incident: Incident, *, now: datetime) -> dict[str, Any]:
    """Return the message about an alert's newest revision."""
    return {
        "schema": SCHEMA,
        "alert_id": alert.alert_id,
        "revision": alert.revision,
        "change": alert.change.value,
        "kind": alert.kind.value,
        "seat": alert.seat,
        "call_id": alert.call_id,
        "at_s": round(alert.at_s, 2),
        "types": [label.value for label in alert.types],
        "severity": alert.severity.name,
        "criterion": alert.criterion,
        "reason": {"ja": alert.reason.ja, "en": alert.reason.en},
        "guide": {"ja": alert.guide.ja, "en": alert.guide.en},
        "quotes": list(alert.quotes),
        "telling": [[list(stretch) for stretch in stretches] for stretches in alert.telling],
        "warnings": alert.warnings,
        "warning_level": alert.warning_level,
        "tentative": alert.tentative,
        "withdrawn": alert.withdrawn,
        "policy_version": alert.policy_version,
        "model_version": alert.model_version,
        "incident_state": incident.state.value,
        "at": now.isoformat(),
    }
