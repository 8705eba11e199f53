"""The stream of server-sent events behind every page that moves."""

from __future__ import annotations

import queue
from collections.abc import Iterator

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from edge_agent.domain.roles import Right
from edge_agent.log import Log
from web_ui.access import SESSION_COOKIE, sight
from web_ui.context import Context, context
from web_ui.floor_state import read_floor
from web_ui.rights import needs
from web_ui.sight import Sight
from web_ui.streams import STREAMS, Subscriber, wire_event

blueprint = Blueprint("live", __name__)

BEAT_S = 5.0
"""Seconds of silence after which a sign of life is sent; a page that hears none for 12 s says it is cut off."""
RETRY_MS = 1000
"""When a browser comes back after the stream has ended."""

log = Log("live")


@blueprint.get("/events")
@needs(Right.FOLLOW)
def events() -> ResponseReturnValue:
    """Stream what changes: what was missed since the given event, or everything anew, then the rest as it comes.

    With ``words=none`` neither words nor names are sent, whoever asks: everybody in the room reads a screen on the
    wall.
    """
    behind = context()
    seen = _narrowed(sight())
    last_id = request.headers.get("Last-Event-ID") or request.args.get("after")
    token = request.cookies.get(SESSION_COOKIE, "")
    connected = behind.feed.subscribe(last_id, limit=STREAMS, sight=seen, token=token)
    if connected is None:
        log.warning("stream.refused", count=STREAMS)
        abort(503)
    subscriber, missed = connected
    try:
        start = [_everything(behind, subscriber)] if missed is None else missed
    except BaseException:
        behind.feed.unsubscribe(subscriber)
        raise
    # It lasts for hours and reads nothing more itself: 200 of them must not hold files open.
    behind.close()
    response = Response(_stream(behind, subscriber, start), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: behind.feed.unsubscribe(subscriber))
    return response


def _narrowed(whole: Sight) -> Sight:
    return whole.on_the_wall() if request.args.get("words") == "none" else whole


@blueprint.get("/alive")
@needs(Right.OWN_ACCOUNT)
def alive() -> ResponseReturnValue:
    """Tell a page that was cut off whether its session still holds, and whether there is room for it."""
    if context().feed.streams >= STREAMS:
        abort(503)
    return Response(status=204)


def _stream(behind: Context, subscriber: Subscriber, start: list[bytes]) -> Iterator[bytes]:
    yield f"retry: {RETRY_MS}\n\n".encode() + b"".join(start) + beat(behind)
    while True:
        try:
            wire = subscriber.get(BEAT_S)
        except queue.Empty:
            wire = beat(behind)
        if wire is None or subscriber.is_cut:
            return
        yield wire


def _everything(behind: Context, subscriber: Subscriber) -> bytes:
    # The id first, as on the floor page: what changes in between is sent twice, never lost.
    last_id = behind.feed.last_id
    floor = behind.feed.floor or read_floor(behind.main, behind.live, settings=behind.settings, policy=behind.policy)
    payload = {
        "floor": subscriber.sight.of_floor(floor),
        "listening": behind.feed.listening,
        **behind.feed.equipment,
    }
    return wire_event("floor", payload, event_id=last_id)


def beat(behind: Context) -> bytes:
    """Return a stream's sign of life."""
    # The comment keeps proxies awake; the event lets the page notice silence and set its clock by the box.
    return b": beat\n" + wire_event("beat", {"now": behind.clock.now()})
