"""The stream of server-sent events behind every page that moves."""

from __future__ import annotations

import queue
import sqlite3
from collections.abc import Iterator

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from edge_agent.domain.roles import Right, may
from edge_agent.errors import StoreError
from edge_agent.services import sessions
from web_ui.access import SESSION_COOKIE, sight
from web_ui.context import Context, context
from web_ui.feed import Subscriber, wire_event
from web_ui.floor_state import read_floor
from web_ui.rights import needs
from web_ui.sight import Sight, sight_of

blueprint = Blueprint("live", __name__)

STREAMS = 48
"""Pages connected at once; below the server's threads, so that buttons always find a free one."""
BEAT_S = 5.0
"""Seconds of silence after which a sign of life is sent; a page that hears none for 12 s says it is cut off."""
RETRY_MS = 1000
"""When a browser comes back after the stream has ended."""


@blueprint.get("/events")
@needs(Right.FOLLOW)
def events() -> ResponseReturnValue:
    """Stream what changes: what was missed since the given event, or everything anew, then the rest as it comes.

    With ``words=none`` no words are sent, whoever asks: everybody in the room reads a screen on the wall.
    """
    behind = context()
    seen = _narrowed(sight())
    last_id = request.headers.get("Last-Event-ID") or request.args.get("after")
    connected = behind.feed.subscribe(last_id, limit=STREAMS, sight=seen)
    if connected is None:
        abort(503)
    subscriber, missed = connected
    try:
        start = [_everything(behind, subscriber)] if missed is None else missed
    except BaseException:
        behind.feed.unsubscribe(subscriber)
        raise
    token = request.cookies.get(SESSION_COOKIE, "")
    response = Response(_stream(behind, subscriber, start, token), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: behind.feed.unsubscribe(subscriber))
    return response


def _narrowed(whole: Sight) -> Sight:
    return whole.without_words() if request.args.get("words") == "none" else whole


@blueprint.get("/alive")
@needs(Right.OWN_ACCOUNT)
def alive() -> ResponseReturnValue:
    """Tell a page that was cut off whether its session still holds."""
    return Response(status=204)


def _stream(behind: Context, subscriber: Subscriber, start: list[bytes], token: str) -> Iterator[bytes]:
    yield f"retry: {RETRY_MS}\n\n".encode() + b"".join(start) + _beat(behind)
    while not subscriber.is_cut:
        try:
            wire = subscriber.get(BEAT_S)
        except queue.Empty:
            wire = None
        if wire is not None:
            yield wire
            continue
        if not _session_holds(behind, token, subscriber):
            return
        yield _beat(behind)


def _everything(behind: Context, subscriber: Subscriber) -> bytes:
    # The id first, as on the floor page: what changes in between is sent twice, never lost.
    last_id = behind.feed.last_id
    floor = read_floor(behind.main, behind.live, settings=behind.settings, policy=behind.policy)
    floor = subscriber.sight.of_floor(floor)
    payload = {
        "floor": floor,
        "listening": behind.feed.listening,
        "lampFaults": behind.feed.lamp_faults,
        "missing": behind.feed.missing,
    }
    return wire_event("floor", payload, event_id=last_id)


def _beat(behind: Context) -> bytes:
    # The comment keeps proxies awake; the event lets the page notice silence and set its clock by the box.
    return b": beat\n" + wire_event("beat", {"now": behind.clock.now()})


def _session_holds(behind: Context, token: str, subscriber: Subscriber) -> bool:
    try:
        found = sessions.who(behind.main, token, now=behind.clock.now())
    except (StoreError, sqlite3.Error):
        # The session is sound as far as is known; alerts must go on coming while the disk is full.
        return True
    if found is None or found.must_change or not may(found.role, Right.FOLLOW):
        return False
    # Somebody whose role or groups have changed comes back for what they see now.
    now_seen = sight_of(found, behind.settings)
    return subscriber.sight in (now_seen, now_seen.without_words())
