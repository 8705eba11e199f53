"""A pause: while a customer gives a card number, a seat is not listened to.

Rules:
1. A seat has one pause at a time. Asking for one during a pause changes nothing, except that a person or a system that
   asks makes a pause begun by keys its own: it does not end with the keys any more.
2. A pause begun by keys ends a while after the last key; every other one ends when somebody says so.
3. No pause outlasts its longest time or its call: a forgotten one must not leave a seat without protection.
4. What is kept of a pause is who or what began and ended it, when and why; never what was said or which keys were
   pressed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class PauseSource(StrEnum):
    """What began a pause."""

    PAGE = "page"
    BUTTON = "button"
    KEYS = "keys"
    INTEGRATION = "integration"


class PauseEnd(StrEnum):
    """Why a pause is over."""

    ASKED = "asked"
    KEYS_OVER = "keys_over"
    TOO_LONG = "too_long"
    CALL_ENDED = "call_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A pause under way.

    Attributes:
        call_id: the call under way when it began; empty if there was none.
        by: who or what began it: a person's name, ``button:…``, ``device:…``, ``integration:…``, or ``mamori``
            for keys.
        until: when it ends at the latest.
        keys_until: when it ends unless another key is pressed; None if it does not end with keys.
    """

    pause_id: str
    seat: str
    call_id: str
    source: PauseSource
    by: str
    begun_at: datetime
    until: datetime
    keys_until: datetime | None = None

    def asked_for(self, *, by: str, source: PauseSource) -> Pause:
        """Return the pause after it was asked for once more."""
        if source is PauseSource.KEYS or self.keys_until is None:
            return self
        return replace(self, by=by, source=source, keys_until=None)

    def keyed(self, *, now: datetime, quiet: timedelta) -> Pause:
        """Return the pause after another key."""
        return self if self.keys_until is None else replace(self, keys_until=now + quiet)

    def over(self, *, now: datetime) -> PauseEnd | None:
        """Return why it ends now by itself, or None if it goes on."""
        if now >= self.until:
            return PauseEnd.TOO_LONG
        if self.keys_until is not None and now >= self.keys_until:
            return PauseEnd.KEYS_OVER
        return None
