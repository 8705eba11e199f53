"""What a panel is told that has just come, or come back: everything the floor has before it now.

Alerts are not retained, and a panel that was never connected has no session in which they could have waited. So each
panel gets what is under way on topics of its own: nobody else hears anything twice, and a panel that has some of it
already knows it by revision and state. The words of a call go to panels alone. Each process tells what it sends itself:
calls for help reach a panel that has come although the agent is dead, and nothing is told by both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from edge_agent.domain.alert import AlertChange
from edge_agent.domain.device import SHOWING, DeviceKind
from edge_agent.domain.incident import Incident
from edge_agent.services import topics
from edge_agent.services.escalation import step_message
from edge_agent.services.incidents import MACHINE, owner_of
from edge_agent.settings import Box
from edge_agent.store import audit, devices, duty, incidents, outbox
from edge_agent.store.database import Database, reading, writing

MOST = 100
"""The most incidents a panel is told of when it comes, the newest: no panel shows more."""


def tell_under_way(db: Database, name: str, *, box: Box, now: datetime, owner: str = outbox.AGENT) -> int:
    """Tell one panel or wallboard what is under way, the oldest first; return how many incidents that were.

    Only what the process `owner` sends. A device that shows no alerts is told nothing. One transaction.
    """
    with reading(db):
        # Mostly there is nothing: two hundred panels that come back together must not hold the lock against a press.
        if not _under_way(db, owner):
            return 0
    with writing(db):
        device = devices.find(db, name)
        if device is None or device.kind not in SHOWING:
            return 0
        under_way = _under_way(db, owner)
        for incident in reversed(under_way):
            for topic, message in _told(db, incident, words=device.kind is DeviceKind.PANEL, box=box, now=now):
                payload = json.dumps(message, ensure_ascii=False)
                outbox.put(db, topic=topics.to_one(topic, name), payload=payload, now=now, owner=owner)
        if under_way:
            detail = {"count": str(len(under_way)), "told_by": owner}
            audit.append(db, at=now, actor=MACHINE, action="device.caught_up", subject=name, detail=detail)
    return len(under_way)


def _under_way(db: Database, owner: str) -> list[Incident]:
    found = incidents.unfinished(db)
    return [incident for incident in found if incident.under_way and owner_of(incident.alert.kind) == owner][:MOST]


def _told(
    db: Database, incident: Incident, *, words: bool, box: Box, now: datetime
) -> Iterator[tuple[str, dict[str, Any]]]:
    alert = incident.alert
    message = topics.alert_message(alert, incident, now=now)
    if alert.change is AlertChange.NEW:
        message["change"] = AlertChange.UPDATE.value
    yield topics.alert(box, alert.alert_id), message
    if words and alert.quotes:
        yield topics.words(box, alert.alert_id), topics.words_message(alert, now=now)
    steps = duty.steps(db, incident.incident_id)
    asked = [step for step in steps if step.asked is not None and not step.asked.skipped]
    if asked and incident.acknowledged is None:
        names = {person.name: person.display_name for person in duty.everyone(db)}
        told = step_message(incident, asked[-1], names=names, steps=len(steps), now=now)
        yield topics.escalation(box, alert.alert_id), told
