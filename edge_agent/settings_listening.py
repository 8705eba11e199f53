"""Settings of what is heard: voice activity, where calls begin and end, and what is given up first."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Annotated

import msgspec
from msgspec import Meta

Milliseconds = Annotated[int, Meta(ge=0, le=600_000)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class Vad(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Voice activity: recognition runs only on speech."""

    threshold: Share = 0.5
    """Probability from which a frame is speech."""
    hangover_ms: Milliseconds = 500
    """Silence after speech that ends an utterance: sooner told, but cut more often."""
    preroll_ms: Milliseconds = 400
    """Audio before the first speech frame given to recognition, so that no first syllable is lost."""


class Calls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a call starts and ends: if nothing but the audio tells, and where calls are announced."""

    start_speech_ms: Milliseconds = 300
    end_silence_ms: Milliseconds = 8000
    announced_hold_min: Annotated[int, Meta(ge=0, le=1440)] = 60
    """So long after the last announcement of a seat audio alone starts no call; 0: only while one is under way."""
    announced_silence_s: Annotated[int, Meta(ge=30, le=3600)] = 300
    """A call announced as started and never as ended is over after so long without speech."""

    announced_missed_s: Annotated[int, Meta(ge=0, le=600)] = 20
    """Both sides talk for so long without an announced call: the announcements have ceased; 0: never."""

    @property
    def announced_hold(self) -> timedelta:
        """Return how long after the last announcement it still decides."""
        return timedelta(minutes=self.announced_hold_min)


class Listening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who listens, and who is not listened to when the box cannot keep up."""

    workers: Annotated[int, Meta(ge=0, le=64)] = 0
    """Lines that are listened to at the same moment; 0: as many as the box has cores."""
    rest_first: tuple[str, ...] = ()
    """Seats whose lines rest first, in this order; then all others, the last in the settings first."""

    def resting_order(self, seats: Sequence[str]) -> tuple[str, ...]:
        """Return all seats in the order in which their lines rest."""
        first = tuple(seat for seat in self.rest_first if seat in seats)
        return (*first, *(seat for seat in reversed(seats) if seat not in first))

    def problem(self, seats: AbstractSet[str]) -> tuple[str, str] | None:
        """Return what is wrong, in Japanese and English; None if it fits the seats."""
        if not (strangers := set(self.rest_first) - seats):
            return None
        name = min(strangers)
        return (
            f"listening.rest_first の「{name}」は [[seats]] にありません。",
            f"listening.rest_first names {name!r}, which is not among [[seats]].",
        )
