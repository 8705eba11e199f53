"""What IT's own programs tell the box to do over the broker: refused or obeyed once, answered, and on record."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from edge_agent.domain.command import BoxCommand, Refusal
from edge_agent.domain.device import SHOWING, Presence
from edge_agent.services import topics
from edge_agent.services.buttons import begin_test
from edge_agent.services.devices import give_test
from edge_agent.settings import Settings
from edge_agent.store import audit, devices, outbox
from edge_agent.store.database import Database, writing

BOX = "box"
"""How the box is called where devices are called by their names; no device may have this name."""


def obey(db: Database, command: BoxCommand, *, settings: Settings, by: str, now: datetime) -> int:
    """Do what the box is told in the name of `by`; return how many panels or buttons it was done with."""
    match command:
        case BoxCommand.TEST_PANELS:
            there = [d.name for d in devices.everything(db) if d.kind in SHOWING and d.presence is Presence.CONNECTED]
            for name in there:
                give_test(db, name, box=settings.box, by=by, now=now)
            return len(there)
        case BoxCommand.TEST_BUTTONS:
            return len(begin_test(db, (), settings=settings, by=by, now=now))


def answer(
    db: Database,
    *,
    command_id: str,
    command: str,
    refusal: Refusal | None,
    settings: Settings,
    by: str,
    now: datetime,
    count: int = 0,
) -> None:
    """Say what became of a command and keep it. One transaction."""
    outcome = "refused" if refusal else "done"
    told = {"outcome": outcome, "reason": refusal.value if refusal else "", "at": now.isoformat()}
    detail = {"command": command, "id": command_id, "count": str(count)}
    detail |= {"reason": refusal.value} if refusal else {}
    with writing(db):
        topic = topics.result(settings.box, command_id, BOX)
        outbox.put(db, topic=topic, payload=json.dumps(told), now=now)
        audit.append(db, at=now, actor=by, action=f"command.{outcome}", subject=BOX, detail=detail)


def known_commands() -> Iterable[str]:
    """Return the names of what the box can be told to do."""
    return frozenset(BoxCommand)
