"""Handing an incident over: one person asks another to take it, and keeps it until they have.

Nothing is told to panels: they know incidents by their state, which does not change before the other takes it.
"""

from __future__ import annotations

from datetime import datetime

from edge_agent.domain.incident import Incident
from edge_agent.domain.roles import Right, may, sees_seat
from edge_agent.errors import Text, TransitionError
from edge_agent.services.incidents import find_or_refuse
from edge_agent.store import audit, incidents, people
from edge_agent.store.database import Database, reading, writing
from edge_agent.store.people import Person


def who_can_take(db: Database, *, group: str) -> list[Person]:
    """Return who may deal with incidents of a seat of that group, by name."""
    with reading(db):
        return [person for person in people.everyone(db) if _can_take(person, group)]


def hand_over(db: Database, incident_id: str, *, to: str, group: str, by: str, now: datetime) -> Incident:
    """`by` asks `to` to take an incident at a seat of `group`; one transaction.

    Raises:
        TransitionError: nobody has answered it yet, it is over, it is theirs already, or they cannot deal with it.
    """
    with writing(db):
        known = find_or_refuse(db, incident_id)
        person = people.find(db, to)
        if person is None or not _can_take(person, group):
            raise TransitionError(
                Text(
                    "引き継ぎ先が選ばれていないか、この席を担当できない人です。", "Nobody who can take it was chosen."
                ),
                Text("一覧から選び直してください。", "Choose somebody from the list."),
            )
        incident = known.hand_over(to=to, by=by, at=now)
        incidents.save(db, incident)
        detail = {"to": to, "state": incident.state.value}
        audit.append(db, at=now, actor=by, action="incident.handed_over", subject=incident_id, detail=detail)
    return incident


def _can_take(person: Person, group: str) -> bool:
    return not person.retired and may(person.role, Right.ACT_ON_INCIDENTS) and sees_seat(person.groups, group)
