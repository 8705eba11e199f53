"""Settings of what is not listened to and what is not kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta


class Privacy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pauses for card numbers, the audio kept in memory, and callers."""

    pause_longest_s: Annotated[int, Meta(ge=30, le=1800)] = 300
    """A pause ends after so long by itself."""
    pause_after_keys_s: Annotated[int, Meta(ge=0, le=60)] = 0
    """Keys the customer presses begin a pause that ends so long after the last one; 0: they do not."""
    ring_s: Annotated[int, Meta(ge=0, le=300)] = 60
    """How much of the newest audio of a call is kept in memory; 0: none."""

    caller_days: Annotated[int, Meta(ge=1, le=1830)] = 180
    """So long it is kept which incidents came from one number, as a handle."""

    @property
    def caller_kept(self) -> timedelta:
        """Return how long the handle of an incident's caller is kept."""
        return timedelta(days=self.caller_days)

    @property
    def pause_longest(self) -> timedelta:
        """Return the longest time of a pause."""
        return timedelta(seconds=self.pause_longest_s)

    @property
    def pause_after_keys(self) -> timedelta:
        """Return how long after the last key a pause begun by keys ends."""
        return timedelta(seconds=self.pause_after_keys_s)
