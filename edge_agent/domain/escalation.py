"""Who is asked next when nobody has acknowledged an alert: the policy's ladder as timers of one incident.

Rules:
1. Only an open incident is escalated: whoever acknowledges, takes, hands over or closes it stops the ladder.
2. A step is due so many seconds after the incident was opened, sooner for a red alert than for an amber one; an alert
   that turns red is due by its red seconds from the opening on.
3. A step asks the next person on duty of its level who has not been asked yet. A level the roster does not know is
   asked by its role.
4. If nobody of a level is there, or whoever was asked last has left since, the next step is due at once.
5. The last step is asked whoever is there, by its role if need be, and again and again, each time one reminder later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.incident import IncidentState
from edge_agent.domain.policy import Severity
from edge_agent.errors import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.domain.alert import Alert
    from edge_agent.domain.duty import Roster
    from edge_agent.domain.incident import Incident


class Cause(StrEnum):
    """Why a step was due: its time had come, those before it were not there, or nobody answered the last one."""

    TIME = "time"
    ABSENT = "absent"
    REMINDER = "reminder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What became of a step.

    Attributes:
        at: when it was last asked.
        people: log-in names of who was asked; empty if it was asked by its role, or skipped.
        skipped: nobody of its level was there.
        times: how often it was asked.
    """

    at: datetime
    cause: Cause
    people: tuple[str, ...] = ()
    skipped: bool = False
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One step of the ladder as it stood in the policy when the incident was opened.

    Attributes:
        position: 1 for the first step.
        level: ``"L2"`` … ``"L5"``.
        role: who, in words.
        after_red_s: seconds from the opening of a red alert's incident.
        after_amber_s: the same for an amber alert.
        asked: what became of it, None while it has not been due.
    """

    position: int
    level: str
    role: Text
    after_red_s: int
    after_amber_s: int
    asked: Asked | None = None

    def with_asked(self, asked: Asked) -> Timer:
        """Return the step after it was asked."""
        return replace(self, asked=asked)

    def due_at(self, incident: Incident) -> datetime:
        """Return when the step is due by its time."""
        after_s = self.after_red_s if is_red(incident.alert) else self.after_amber_s
        return incident.opened_at + timedelta(seconds=after_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A step that is to be asked, or skipped, now."""

    step: Timer
    cause: Cause
    people: tuple[str, ...] = ()
    skipped: bool = False

    def asked(self, *, at: datetime) -> Asked:
        """Return what has become of the step."""
        times = self.step.asked.times + 1 if self.step.asked else 1
        return Asked(at=at, cause=self.cause, people=self.people, skipped=self.skipped, times=times)


def is_red(alert: Alert) -> bool:
    """Whether an alert cannot wait: possibly criminal, a life in danger, or an operator's button."""
    return alert.kind in {AlertKind.LIFE_SAFETY, AlertKind.HELP} or alert.severity is Severity.B3


def due_steps(
    incident: Incident, steps: Sequence[Timer], roster: Roster, *, reminder_s: int, now: datetime
) -> list[Due]:
    """Return the steps to be asked now, in order; `steps` are all of the incident's, the first first."""
    if incident.state is not IncidentState.OPEN:
        return []
    due: list[Due] = []
    known = {name for step in steps if step.asked for name in step.asked.people}
    nobody_there = False
    for step in steps:
        if step.asked is not None:
            people = step.asked.people
            nobody_there = step.asked.skipped or (bool(people) and not any(map(roster.is_there, people)))
            continue
        in_time = now >= step.due_at(incident)
        if not (in_time or nobody_there):
            return due
        found = roster.next_of(step.level, known)
        # The last step is never skipped: somebody must be told, if only by the role.
        skipped = found is None and roster.knows(step.level) and step is not steps[-1]
        people = (found,) if found else ()
        cause = Cause.TIME if in_time else Cause.ABSENT
        due.append(Due(step=step, cause=cause, people=people, skipped=skipped))
        known.update(people)
        nobody_there = skipped
    last = steps[-1].asked if steps and not due else None
    if last and now >= last.at + timedelta(seconds=reminder_s * last.times):
        there = tuple(name for name in roster.there() if name in known)
        due.append(Due(step=steps[-1], cause=Cause.REMINDER, people=there))
    return due


def asked_now(steps: Sequence[Timer]) -> Timer | None:
    """Return the step that was asked last, None if none was."""
    asked = [step for step in steps if step.asked and not step.asked.skipped]
    return asked[-1] if asked else None


def next_at(incident: Incident, steps: Sequence[Timer]) -> datetime | None:
    """Return when the next step is due by its time; None if all were asked or nothing is to be waited for."""
    if incident.state is not IncidentState.OPEN:
        return None
    return next((step.due_at(incident) for step in steps if step.asked is None), None)
