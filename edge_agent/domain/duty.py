"""Who is on duty: people of the ladder's levels, their shifts, and who is away just now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """Hours that come back every week, in the box's own time.

    Attributes:
        days: days of the week on which it begins, 0 for Monday.
        begins: minutes after midnight.
        ends: minutes after midnight, not included; at or before `begins` it is on the day after.
    """

    days: tuple[int, ...]
    begins: int
    ends: int

    def covers(self, at: datetime) -> bool:
        """Whether it is under way; `at` is in the box's own time."""
        minute = at.hour * 60 + at.minute
        if self.begins < self.ends:
            return at.weekday() in self.days and self.begins <= minute < self.ends
        yesterday = (at - timedelta(days=1)).weekday()
        return (at.weekday() in self.days and minute >= self.begins) or (yesterday in self.days and minute < self.ends)

    def __str__(self) -> str:
        """Return it as `parse_shift` takes it."""
        return self.named(DAYS)

    def named(self, names: Sequence[str]) -> str:
        """Return it with these names of the days, Monday first; days in a row as from-to."""
        runs: list[list[int]] = []
        for day in self.days:
            if runs and runs[-1][-1] == day - 1:
                runs[-1].append(day)
            else:
                runs.append([day])
        days = ",".join(names[run[0]] if len(run) == 1 else f"{names[run[0]]}-{names[run[-1]]}" for run in runs)
        return f"{days} {_clock(self.begins)}-{_clock(self.ends)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """Someone the ladder may ask.

    Attributes:
        name: log-in name, or a short name of someone who never logs in.
        display_name: how people call them.
        level: ``"L2"`` … ``"L5"``.
        rank: order within the level, the smallest is asked first.
        shifts: when they are on duty; empty: always.
        absent: they have been marked as away.
    """

    name: str
    display_name: str
    level: str
    rank: int = 0
    shifts: tuple[Shift, ...] = ()
    absent: bool = False

    def is_there(self, at: datetime) -> bool:
        """Whether they can be asked; `at` is in the box's own time."""
        return not self.absent and (not self.shifts or any(shift.covers(at) for shift in self.shifts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Everybody the ladder may ask, in the order of level and rank, at one moment in the box's own time."""

    people: tuple[OnCall, ...]
    at: datetime

    def knows(self, level: str) -> bool:
        """Whether anybody of that level is named; without, the level is asked by its role."""
        return any(person.level == level for person in self.people)

    def next_of(self, level: str, asked: Collection[str]) -> str | None:
        """Return who of that level is there and has not been asked."""
        return next(
            (p.name for p in self.people if p.level == level and p.name not in asked and p.is_there(self.at)), None
        )

    def is_there(self, name: str) -> bool:
        """Whether someone can be asked; nobody of an unknown name can."""
        return any(person.name == name and person.is_there(self.at) for person in self.people)

    def there(self) -> list[str]:
        """Return everybody who can be asked."""
        return [person.name for person in self.people if person.is_there(self.at)]


def parse_shift(text: str) -> Shift | None:
    """Return the shift that words like ``"mon-fri 09:00-18:00"`` or ``"sat,sun 22:00-06:00"`` mean, or None."""
    days_text, _, hours = text.strip().lower().partition(" ")
    begins_text, dash, ends_text = hours.strip().partition("-")
    days, begins, ends = _days(days_text.split(",")), _minutes(begins_text), _minutes(ends_text)
    if not dash or days is None or begins is None or ends is None or begins == MINUTES_A_DAY:
        return None
    return Shift(days=days, begins=begins, ends=ends)


def _days(parts: Iterable[str]) -> tuple[int, ...] | None:
    found: set[int] = set()
    for part in parts:
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            return None
        begin, end = DAYS.index(first), DAYS.index(last or first)
        # fri-mon goes over the end of the week.
        found.update(day % 7 for day in range(begin, end + 1 if end >= begin else end + 8))
    return tuple(sorted(found))


def _minutes(text: str) -> int | None:
    hour, colon, minute = text.strip().partition(":")
    if not (colon and hour.isdecimal() and minute.isdecimal() and len(minute) == 2):  # noqa: PLR2004 - "09:05"
        return None
    minutes = int(hour) * 60 + int(minute)
    return minutes if int(minute) < 60 and minutes <= MINUTES_A_DAY else None  # noqa: PLR2004 - minutes an hour


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
