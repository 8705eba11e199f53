"""Who is on duty: changes to the roster, each with its audit entry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from edge_agent.domain.duty import OnCall, Shift, parse_shift
from edge_agent.errors import DutyError, Text
from edge_agent.store import audit, duty, people
from edge_agent.store.database import Database, writing

LEVELS = ("L2", "L3", "L4", "L5")


def read_shifts(texts: Iterable[str]) -> tuple[Shift, ...]:
    """Return the shifts that words like ``"mon-fri 09:00-18:00"`` mean; raise `DutyError` naming what is wrong."""
    shifts = []
    for text in texts:
        shift = parse_shift(text)
        if shift is None:
            raise DutyError(
                Text(f"勤務時間「{text}」を読めません。", f"The shift {text!r} cannot be read."),
                Text(
                    "「mon-fri 09:00-18:00」や「sat,sun 22:00-06:00」のように書いてください。",
                    "Write it like “mon-fri 09:00-18:00” or “sat,sun 22:00-06:00”.",
                ),
            )
        shifts.append(shift)
    return tuple(shifts)


def put(
    db: Database,
    *,
    name: str,
    display_name: str | None,
    level: str,
    rank: int,
    shifts: tuple[Shift, ...],
    by: str,
    now: datetime,
) -> OnCall:
    """Name someone the ladder may ask, or change them; the display name is that of the log-in if none is given."""
    with writing(db):
        before = {person.name: person for person in duty.everyone(db)}.get(name)
        someone = people.find(db, name)
        person = OnCall(
            name=name,
            display_name=display_name or (someone.display_name if someone else name),
            level=level,
            rank=rank,
            shifts=shifts,
            absent=before.absent if before else False,
        )
        duty.put(db, person)
        detail = {"level": level, "rank": str(rank), "shifts": "; ".join(map(str, shifts))}
        audit.append(db, at=now, actor=by, action="duty.changed", subject=name, detail=detail)
    return person


def remove(db: Database, *, name: str, by: str, now: datetime) -> None:
    """Take someone out of the roster; raise `DutyError` if they are not in it."""
    with writing(db):
        _find(db, name)
        duty.forget(db, name)
        audit.append(db, at=now, actor=by, action="duty.removed", subject=name)


def mark(db: Database, *, name: str, absent: bool, by: str, now: datetime) -> OnCall:
    """Mark someone as away or as back; raise `DutyError` if they are not in the roster.

    The ladder passes over whoever is away; whoever was asked and leaves makes the next step due at once.
    """
    with writing(db):
        person = _find(db, name)
        if person.absent is absent:
            return person
        person = replace(person, absent=absent)
        duty.put(db, person)
        audit.append(db, at=now, actor=by, action="duty.absent" if absent else "duty.back", subject=name)
    return person


def _find(db: Database, name: str) -> OnCall:
    for person in duty.everyone(db):
        if person.name == name:
            return person
    raise DutyError(
        Text(f"「{name}」は当番表にありません。", f"{name!r} is not in the roster."),
        Text("「mamori duty list」で確認してください。", "See “mamori duty list”."),
    )
