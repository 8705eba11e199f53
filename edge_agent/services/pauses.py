"""Pauses begin and end. Each function is one transaction: pause and audit entry together."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from edge_agent.domain.pause import Pause, PauseEnd, PauseSource
from edge_agent.settings_privacy import Privacy
from edge_agent.store import audit, pauses
from edge_agent.store.database import Database, writing

MACHINE = "mamori"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Somebody wants a pause at a seat: who, by which way, and the call under way there (empty: none)."""

    seat: str
    by: str
    source: PauseSource
    call_id: str = ""


def new(wish: Wish, *, privacy: Privacy, now: datetime) -> Pause:
    """Return the pause somebody wants."""
    keys = wish.source is PauseSource.KEYS
    return Pause(
        pause_id=uuid.uuid4().hex,
        seat=wish.seat,
        call_id=wish.call_id,
        source=wish.source,
        by=wish.by,
        begun_at=now,
        until=now + privacy.pause_longest,
        keys_until=now + privacy.pause_after_keys if keys else None,
    )


def begin(db: Database, wish: Wish, *, privacy: Privacy, now: datetime) -> Pause:
    """Begin a pause, or join the one under way; raise `StoreError` if it cannot be written: then there is none."""
    with writing(db):
        return _begin(db, wish, privacy=privacy, now=now)


def keep(db: Database, pause: Pause, *, now: datetime) -> Pause:
    """Keep a pause that began before it could be written; return the one under way."""
    with writing(db):
        known = pauses.find(db, pause.seat)
        if known is not None:
            return known
        _keep_new(db, pause, now=now)
    return pause


def end(db: Database, seat: str, *, by: str, why: PauseEnd, now: datetime) -> bool:
    """End the pause of a seat; return whether there was one."""
    with writing(db):
        return _end(db, seat, by=by, why=why, now=now)


def toggle(db: Database, wish: Wish, *, privacy: Privacy, now: datetime) -> Pause | None:
    """Begin a pause where there is none, end the one under way; return the one that began.

    Call it inside the transaction that keeps what asked for it.
    """
    if _end(db, wish.seat, by=wish.by, why=PauseEnd.ASKED, now=now):
        return None
    return _begin(db, wish, privacy=privacy, now=now)


def end_due(db: Database, *, now: datetime) -> list[tuple[Pause, PauseEnd]]:
    """End the pauses whose time is over; return them, each with why."""
    due = [(pause, why) for pause in pauses.everything(db) if (why := pause.over(now=now)) is not None]
    return [(pause, why) for pause, why in due if end(db, pause.seat, by=MACHINE, why=why, now=now)]


def _begin(db: Database, wish: Wish, *, privacy: Privacy, now: datetime) -> Pause:
    known = pauses.find(db, wish.seat)
    if known is None:
        pause = new(wish, privacy=privacy, now=now)
        _keep_new(db, pause, now=now)
        return pause
    if wish.source is PauseSource.KEYS:
        pause = known.keyed(now=now, quiet=privacy.pause_after_keys)
    else:
        pause = known.asked_for(by=wish.by, source=wish.source)
    if pause != known:
        pauses.put(db, pause)
        if pause.source is not known.source:
            audit.append(db, at=now, actor=wish.by, action="pause.taken_over", subject=pause.seat, detail=_facts(pause))
    return pause


def _keep_new(db: Database, pause: Pause, *, now: datetime) -> None:
    pauses.put(db, pause)
    audit.append(db, at=now, actor=pause.by, action="pause.began", subject=pause.seat, detail=_facts(pause))


def _end(db: Database, seat: str, *, by: str, why: PauseEnd, now: datetime) -> bool:
    pause = pauses.find(db, seat)
    if pause is None:
        return False
    pauses.remove(db, seat)
    detail = _facts(pause) | {"to": now.isoformat(), "reason": why.value}
    audit.append(db, at=now, actor=by, action="pause.ended", subject=seat, detail=detail)
    return True


def _facts(pause: Pause) -> dict[str, str]:
    return {
        "pause": pause.pause_id,
        "call": pause.call_id,
        "source": pause.source.value,
        "by": pause.by,
        "from": pause.begun_at.isoformat(),
    }
