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
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from edge_agent.domain.command import SKEW_S

OLDEST = timedelta(minutes=5)
"""How long ago something may have happened that is announced now."""
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
    """

    seat: str
    call_id: str
    by: str
    caller: str
    started_at: datetime
    told_at: datetime
    ended_at: datetime | None = None
    end: AnnouncedEnd | None = None

    @property
    def under_way(self) -> bool:
        """Whether it is not over."""
        return self.ended_at is None

    def decides(self, *, now: datetime, hold: timedelta) -> bool:
        """Return whether announcements decide about the seat, not what is heard there."""
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
    return replace(known, ended_at=at, told_at=now, end=AnnouncedEnd.TOLD)


def faded(known: AnnouncedCall, *, now: datetime) -> AnnouncedCall:
    """Return the call after it has ended because nobody spoke for too long."""
    return replace(known, ended_at=now, end=AnnouncedEnd.SILENCE)


def _at(at: datetime, *, now: datetime) -> datetime:
    """Return when it happened, by the box's clock as far as that is known."""
    if at > now + SKEW:
        raise UntoldError(Untold.IN_FUTURE)
    if now - at > OLDEST:
        raise UntoldError(Untold.TOO_OLD)
    return min(at, now)
