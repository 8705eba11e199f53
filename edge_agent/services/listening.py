"""Listening in: following one call word by word while it goes on.

Rules:
1. The operator is shown it before the first word is given.
2. Nobody listens in without a record: if the beginning cannot be written, it does not begin.
3. The record says who, which seat and call, from when to when; never what was said.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from edge_agent.errors import StoreError
from edge_agent.store import audit, listenings
from edge_agent.store.database import Database, writing
from edge_agent.store.listenings import Listening
from edge_agent.store.live import LineStatus


def begin(main: Database, live: Database, line: LineStatus, *, by: str, now: datetime) -> Listening:
    """Let a person listen in on the call of a line; raise `StoreError` if it cannot be shown or recorded.

    Raises:
        ValueError: if the line is in no call.
    """
    if line.call_id is None:
        msg = f"seat {line.seat} is in no call"
        raise ValueError(msg)
    listening = Listening(
        listening_id=secrets.token_hex(8), call_id=line.call_id, seat=line.seat, person=by, begun_at=now
    )
    with writing(live):
        listenings.put(live, listening)
    try:
        with writing(main):
            _record(main, listening, "listening.began", at=now)
    except StoreError:
        with writing(live):
            listenings.remove(live, listening.listening_id)
        raise
    return listening


def end(main: Database, live: Database, listening: Listening, *, now: datetime) -> None:
    """Nobody listens in any more; raise `StoreError` if that cannot be recorded (it is shown no more all the same)."""
    with writing(live):
        listenings.remove(live, listening.listening_id)
    with writing(main):
        _record(main, listening, "listening.ended", at=now)


def end_left_over(main: Database, live: Database, *, now: datetime) -> None:
    """End what the pages' last process left behind when it was killed."""
    for listening in listenings.everything(live):
        end(main, live, listening, now=now)


def _record(main: Database, listening: Listening, action: str, *, at: datetime) -> None:
    detail = {"seat": listening.seat, "listening": listening.listening_id, "from": listening.begun_at.isoformat()}
    if action == "listening.ended":
        detail["to"] = at.isoformat()
    audit.append(main, at=at, actor=listening.person, action=action, subject=listening.call_id, detail=detail)
