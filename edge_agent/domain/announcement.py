"""Calls that are announced: the telephone system, or the operator's own screen, says when one starts and ends.

Rules:
1. The announcement decides: while a call is announced the line is in that call, whatever is heard on it. Between
   announced calls, until `hold` after the last announcement, voices alone start and end none; after that the network
   or the voices decide again, so that a telephone system that says nothing any more leaves nobody unheard for ever.
2. A call announced as started and never as ended ends by itself after so much silence.
3. A second start changes nothing, unless it names another caller: then the end of the call before was lost, and the
   new one takes its place. An end without a start changes nothing.
4. A start that is not newer than the newest, and an end older than the newest start, come too late and change nothing.
5. Kept of a caller is a handle made with a key, never the number (`caller`).
6. Announcements of a seat are doubted when a call is heard there that nobody announced, when a call has ended by
   silence alone, and when its integration has announced nothing for `OVERDUE` although a call of the seat is under way.
   An integration that has announced nothing at any seat since such a doubt is silent, and doubted at all its seats; a
   lost end alone does not make it so. Where announcements are doubted the network or the voices decide, until the next.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from edge_agent.domain.command import SKEW_S

OLDEST = timedelta(minutes=5)
"""How long ago something may have happened that is announced now."""
OVERDUE = timedelta(hours=1)
"""So long a call may be under way without anything announced at any seat; far more than a call usually takes."""
SKEW = timedelta(seconds=SKEW_S)
"""How far the clock of whoever announces may be ahead of the box's."""


class AskEvent(StrEnum):
    """What has happened: a call, or the time of a pause, has begun or is over."""

    STARTED = "started"
    ENDED = "ended"


class AnnouncedEnd(StrEnum):
    """Why an announced call is over."""

    TOLD = "told"
    SILENCE = "silence"


class Doubt(StrEnum):
    """Why announcements of a seat do not decide, although they would be new enough."""

    UNANNOUNCED = "unannounced"
    """A call was heard that nobody announced, at this seat or at another one of the same integration."""
    UNENDED = "unended"
    """The end of a call was not announced."""


class Untold(StrEnum):
    """Why an announcement changes nothing."""

    ALREADY_STARTED = "already_started"
    NOT_STARTED = "not_started"
    TOO_OLD = "too_old"
    IN_FUTURE = "in_future"
    OUT_OF_ORDER = "out_of_order"


class UntoldError(Exception):
    """An announcement changes nothing; `why` says for which reason."""

    def __init__(self, why: Untold) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedCall:
    """The newest call announced of a seat.

    Attributes:
        call_id: the call's id, under which what is heard in it is judged.
        by: the integration that announced it.
        caller: handle of the caller's number; empty if none was told.
        told_at: when the newest was announced of the seat, by the box's clock.
        ended_at: None while the call is under way.
        doubted_at: since when what is announced of the seat is doubted; None if it is not.
    """

    seat: str
    call_id: str
    by: str
    caller: str
    started_at: datetime
    told_at: datetime
    ended_at: datetime | None = None
    end: AnnouncedEnd | None = None
    doubted_at: datetime | None = None

    @property
    def under_way(self) -> bool:
        """Whether it is not over."""
        return self.ended_at is None

    @property
    def doubt(self) -> Doubt | None:
        """Why what is announced of the seat is doubted, by what happened there alone."""
        if self.doubted_at is None:
            return None
        lost_end = self.under_way or self.end is AnnouncedEnd.SILENCE
        return Doubt.UNENDED if lost_end else Doubt.UNANNOUNCED

    def decides(self, *, now: datetime, hold: timedelta) -> bool:
        """Return whether announcements decide about the seat, not what is heard there, unless they are doubted."""
        return self.under_way or now - self.told_at < hold


def started(known: AnnouncedCall | None, new: AnnouncedCall) -> AnnouncedCall:
    """Return the call of the seat after a start was announced; `known` is the newest before.

    Raises:
        UntoldError: it changes nothing.
    """
    at = _at(new.started_at, now=new.told_at)
    if known is not None:
        if at <= known.started_at:
            raise UntoldError(Untold.OUT_OF_ORDER)
        another = known.caller and new.caller and known.caller != new.caller
        if known.under_way and not another:
            raise UntoldError(Untold.ALREADY_STARTED)
    return replace(new, started_at=at)


def ended(known: AnnouncedCall | None, *, at: datetime, now: datetime) -> AnnouncedCall:
    """Return the call of the seat after an end was announced.

    Raises:
        UntoldError: it changes nothing.
    """
    at = _at(at, now=now)
    if known is None or not known.under_way:
        raise UntoldError(Untold.NOT_STARTED)
    if at < known.started_at:
        raise UntoldError(Untold.OUT_OF_ORDER)
    return replace(known, ended_at=at, told_at=now, end=AnnouncedEnd.TOLD, doubted_at=None)


def faded(known: AnnouncedCall, *, now: datetime) -> AnnouncedCall:
    """Return the call after it has ended because nobody spoke for too long."""
    return replace(known, ended_at=now, end=AnnouncedEnd.SILENCE, doubted_at=known.doubted_at or now)


def unannounced(known: AnnouncedCall, *, now: datetime) -> AnnouncedCall:
    """Return the newest announced call after another one was heard that was not; in a call it changes nothing."""
    return known if known.under_way or known.doubted_at else replace(known, doubted_at=now)


def overdue(calls: Iterable[AnnouncedCall], *, now: datetime) -> list[AnnouncedCall]:
    """Return, doubted now, the calls under way of integrations that have announced nothing for too long."""
    known = list(calls)
    told = _newest(known)
    return [
        replace(call, doubted_at=now)
        for call in known
        if call.under_way and call.doubted_at is None and now - told[call.by] >= OVERDUE
    ]


def silent(calls: Iterable[AnnouncedCall]) -> frozenset[str]:
    """Return the integrations that have announced nothing since it was noticed that they should have."""
    known = list(calls)
    told = _newest(known)
    return frozenset(
        call.by
        for call in known
        # A call that has ended by silence is doubted from its end on: that alone may be one message that was lost.
        if call.doubted_at is not None and call.doubted_at != call.ended_at and call.doubted_at > told[call.by]
    )


def doubts(calls: Iterable[AnnouncedCall]) -> dict[str, Doubt]:
    """Return by seat why announcements do not decide there."""
    known = list(calls)
    mute = silent(known)
    found = {call.seat: call.doubt or (Doubt.UNANNOUNCED if call.by in mute else None) for call in known}
    return {seat: doubt for seat, doubt in found.items() if doubt is not None}


def _newest(calls: Iterable[AnnouncedCall]) -> dict[str, datetime]:
    """Return when each integration announced something last, at whichever seat."""
    newest: dict[str, datetime] = {}
    for call in calls:
        newest[call.by] = max(call.told_at, newest.get(call.by, call.told_at))
    return newest


def _at(at: datetime, *, now: datetime) -> datetime:
    """Return when it happened, by the box's clock as far as that is known."""
    if at > now + SKEW:
        raise UntoldError(Untold.IN_FUTURE)
    if now - at > OLDEST:
        raise UntoldError(Untold.TOO_OLD)
    return min(at, now)
