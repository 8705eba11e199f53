"""Commands to devices and to the box, and why one is refused.

Rules:
1. A command is obeyed once: an id that was obeyed or refused before is refused.
2. It is obeyed only while it holds. One that holds longer than `LONGEST_S` is refused: nobody may prepare commands.
3. What was given before the device started is refused, since the device does not know whether it obeyed it before it
   stopped. So nothing has to be kept over a restart, and an id has to be remembered only while its command holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST_S = 300
"""The longest a command may hold, in seconds."""
SKEW_S = 30
"""How far a device's clock may be behind the box's, in seconds."""


class CommandName(StrEnum):
    """What a device can be told to do."""

    SHOW_TEST = "show-test"
    """Show a test as it would show an alert, and say so: proof from end to end without an alarm."""


class BoxCommand(StrEnum):
    """What the box can be told to do, by a console alone. Nothing that keeps it from listening or alerting."""

    TEST_PANELS = "test-panels"
    """Have every panel and wallboard that is there show a test."""
    TEST_BUTTONS = "test-buttons"
    """Begin the daily test of all buttons."""


class Refusal(StrEnum):
    """Why a device, or the box, does not obey."""

    EXPIRED = "expired"
    EARLY = "early"
    REPEATED = "repeated"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command to one device, or to the box."""

    id: str
    name: str
    issued_at: datetime
    expires_at: datetime


class Obedience:
    """What a device, or the box, remembers of commands so as to obey each once."""

    def __init__(self, *, started_at: datetime, knows: Iterable[str] = frozenset(CommandName)) -> None:
        self._started_at = started_at
        self._knows = frozenset(knows)
        self._seen: dict[str, datetime] = {}

    def refuses(self, command: Command, *, now: datetime) -> Refusal | None:
        """Return why a command is not obeyed, or None if it is to be obeyed now; either way it is remembered."""
        self._seen = {known: until for known, until in self._seen.items() if until > now}
        refusal = self._refusal(command, now)
        self._seen[command.id] = max(command.expires_at, self._seen.get(command.id, command.expires_at))
        return refusal

    def _refusal(self, command: Command, now: datetime) -> Refusal | None:
        if command.id in self._seen:
            return Refusal.REPEATED
        if command.issued_at > now + timedelta(seconds=SKEW_S):
            return Refusal.EARLY
        given = self._started_at - timedelta(seconds=SKEW_S)
        too_long = command.expires_at - command.issued_at > timedelta(seconds=LONGEST_S)
        if command.expires_at <= now or too_long or command.issued_at < given:
            return Refusal.EXPIRED
        if command.name not in self._knows:
            return Refusal.UNKNOWN
        return None
