"""Listening in: one person follows one call word by word. Its operator is shown it, and it is audited."""

from __future__ import annotations

import queue
import sqlite3
from collections.abc import Iterator

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from edge_agent.domain.roles import Right, may
from edge_agent.errors import StoreError
from edge_agent.log import Log
from edge_agent.services import listening as services
from edge_agent.services import sessions
from edge_agent.store import live
from edge_agent.store.database import reading
from edge_agent.store.listenings import Listening
from edge_agent.store.live import LineStatus
from web_ui.access import SESSION_COOKIE, person, sight
from web_ui.context import Context, context
from web_ui.floor_state import Words, read_floor
from web_ui.rights import needs
from web_ui.sight import Sight, sight_of
from web_ui.streams import LISTENERS, STREAMS, Subscriber, wire_event

blueprint = Blueprint("listen", __name__, url_prefix="/listen")

LOOK_S = 1.0
"""Seconds between looks whether the call, the session and the page are still there; the longest it outlasts them."""

log = Log("listen")


@blueprint.post("/<call_id>")
@needs(Right.LISTEN_LIVE)
def listen(call_id: str) -> ResponseReturnValue:
    """Listen in on a call: its words as a stream of events, for as long as the answer is read and the call lasts.

    A POST with the page's token, not a page to be visited: it is an act in somebody's name.
    """
    behind = context()
    line = _line(behind, call_id)
    # A call of another group's seat is not told from one that never was.
    if line is None or not sight().sees(line.seat):
        abort(404)
    hearing = Sight(seats=frozenset({line.seat}), cards=False, words=False, hears=call_id)
    connected = behind.feed.subscribe(None, limit=STREAMS + LISTENERS, sight=hearing)
    if connected is None:
        abort(503)
    subscriber, _ = connected
    try:
        begun = services.begin(behind.main, behind.live, line, by=person().name, now=behind.clock.now())
    except BaseException:
        behind.feed.unsubscribe(subscriber)
        raise
    token = request.cookies.get(SESSION_COOKIE, "")
    response = Response(_stream(behind, subscriber, begun, token), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: _end(behind, subscriber, begun))
    return response


def _line(behind: Context, call_id: str) -> LineStatus | None:
    with reading(behind.live):
        return next((line for line in live.lines(behind.live) if line.call_id == call_id), None)


def _stream(behind: Context, subscriber: Subscriber, begun: Listening, token: str) -> Iterator[bytes]:
    floor = read_floor(behind.main, behind.live, settings=behind.settings, policy=behind.policy)
    words = floor.words.get(begun.call_id, ())
    yield wire_event("words", Words(seat=begun.seat, call_id=begun.call_id, words=words))
    while not subscriber.is_cut and _holds(behind, begun, token):
        try:
            wire = subscriber.get(LOOK_S)
        except queue.Empty:
            wire = None
        # The comment finds out whether anybody still reads.
        yield wire or b": beat\n\n"
    yield wire_event("over", {"call_id": begun.call_id})


def _holds(behind: Context, begun: Listening, token: str) -> bool:
    """Return whether the call goes on and whoever listens still may; what cannot be read is taken for a no."""
    try:
        if _line(behind, begun.call_id) is None:
            return False
        found = sessions.who(behind.main, token, now=behind.clock.now())
    except (StoreError, sqlite3.Error):
        return False
    return (
        found is not None
        and not found.must_change
        and may(found.role, Right.LISTEN_LIVE)
        and sight_of(found, behind.settings).sees(begun.seat)
    )


def _end(behind: Context, subscriber: Subscriber, begun: Listening) -> None:
    behind.feed.unsubscribe(subscriber)
    try:
        services.end(behind.main, behind.live, begun, now=behind.clock.now())
    except StoreError as error:
        log.error("listening.unwritten", error=type(error).__name__, seat=begun.seat)
