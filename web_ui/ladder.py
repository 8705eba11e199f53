"""Who is asked about an incident nobody has acknowledged, as the pages show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from edge_agent.domain.escalation import Timer, asked_now
from edge_agent.domain.incident import Incident, IncidentState
from edge_agent.errors import Text
from edge_agent.store import duty, people
from edge_agent.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """One step of an incident's ladder.

    Attributes:
        who: the people asked, or the role.
        asked_at: when it was asked (the last time), None if it was not.
        due_at: when it is due, None if it was asked or will not be.
        skipped: nobody of its level was there.
    """

    who: Text
    asked_at: datetime | None
    due_at: datetime | None
    skipped: bool
    times: int


def names(db: Database) -> dict[str, str]:
    """Return how everybody is called who may log in or be asked, by log-in name."""
    on_duty = {person.name: person.display_name for person in duty.everyone(db)}
    return on_duty | {person.name: person.display_name for person in people.everyone(db)}


def asked_text(incident: Incident, steps: Sequence[Timer], known: Mapping[str, str]) -> Text | None:
    """Return who is asked now; None once somebody has answered, or before anybody was asked."""
    step = asked_now(steps) if incident.state is IncidentState.OPEN else None
    return _who(step, known) if step else None


def step_views(incident: Incident, steps: Sequence[Timer], known: Mapping[str, str]) -> list[StepView]:
    """Return an incident's ladder; steps that will not be asked any more are left out."""
    still_open = incident.state is IncidentState.OPEN
    return [
        StepView(
            who=_who(step, known),
            asked_at=step.asked.at if step.asked else None,
            due_at=None if step.asked else step.due_at(incident),
            skipped=bool(step.asked and step.asked.skipped),
            times=step.asked.times if step.asked else 0,
        )
        for step in steps
        if step.asked or still_open
    ]


def _who(step: Timer, known: Mapping[str, str]) -> Text:
    if step.asked is None or not step.asked.people:
        return step.role
    called = [known.get(name, name) for name in step.asked.people]
    return Text("、".join(called), ", ".join(called))
