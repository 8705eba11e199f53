"""An operator's own seat page: how the call stands, what to say, the help button, and what is monitored and why."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from edge_agent.domain.button import Effect
from edge_agent.domain.roles import Right, may, sees_seat
from edge_agent.log import Log
from edge_agent.services import seating
from edge_agent.settings import Seat
from edge_agent.store import seatings
from edge_agent.store.people import Person
from web_ui import ladder
from web_ui.access import SESSION_COOKIE, language, may_do, person
from web_ui.context import Context, context
from web_ui.floor import for_page
from web_ui.floor_state import Floor
from web_ui.live import BEAT_S, RETRY_MS, beat
from web_ui.own_seat import read_own, sight_on, watching
from web_ui.rights import needs
from web_ui.streams import STREAMS, Subscriber, wire_event

blueprint = Blueprint("seat", __name__, url_prefix="/seat")

SEAT_STREAMS = STREAMS - 50
"""Seat pages stop connecting here, so that supervisors' pages always find a stream."""
TOLD = "X-Mamori-Told"
"""Header of a page that renews itself because the stream has told it to."""

log = Log("seat")


@blueprint.get("/")
@needs(Right.SEE_SEAT)
def page() -> ResponseReturnValue:
    """Lead to the seat somebody sits at; let them choose one otherwise, or with ``?choose``."""
    behind = context()
    own = own_seat(behind, person())
    if own is not None and "choose" not in request.args:
        return redirect(url_for(".own", seat=own), 303)
    names = ladder.names(behind.main)
    sitting = {each.seat: names.get(each.person, each.person) for each in seatings.everything(behind.main)}
    return render_template("seats.html", seats=_seats(behind, person()), sitting=sitting, own=own)


@blueprint.post("/")
@needs(Right.SEE_SEAT)
def sit_down() -> ResponseReturnValue:
    """Sit down at a seat; form field `seat`."""
    behind = context()
    chosen = request.form.get("seat", "")
    if chosen not in {known.seat for known in _seats(behind, person())}:
        abort(404)
    seating.sit_down(behind.main, person=person().name, seat=chosen, now=behind.clock.now())
    return redirect(url_for(".own", seat=chosen), 303)


@blueprint.post("/leave")
@needs(Right.SEE_SEAT)
def leave() -> ResponseReturnValue:
    """Leave the seat."""
    behind = context()
    seating.leave(behind.main, person=person().name, now=behind.clock.now())
    return redirect(url_for(".page"), 303)


@blueprint.get("/<seat>")
@needs(Right.SEE_SEAT)
def own(seat: str) -> ResponseReturnValue:
    """Show a seat as it is now: to whoever sits there, and to those who see the floor anyway."""
    behind = context()
    if not may_see(behind, person(), seat):
        if may_do(Right.SEE_FLOOR):
            abort(404)
        return redirect(url_for(".page", choose=""), 303)
    seen = behind.feed.last_id
    view = read_own(behind, seat, told=TOLD in request.headers)
    if view is None:
        abort(404)
    texts = behind.texts[language()]
    start = {
        "seen": seen,
        "now": behind.clock.now(),
        "seat": seat,
        "language": language(),
        "longMs": behind.settings.presses.long_ms,
        "holdMs": behind.settings.presses.hold_ms,
        "texts": texts.for_scripts(),
        "pressed": {effect.value: texts(f"pressed.{effect.value}") for effect in Effect},
    }
    return render_template(
        "seat.html",
        start=for_page(start),
        view=view,
        watching=watching(behind, seat),
        sits=own_seat(behind, person()) == seat,
        pausable=may_do(Right.PRESS_HELP) and (view.call_id is not None or view.paused_since is not None),
        hold_s=round(behind.settings.presses.hold_ms / 1000),
        now=behind.clock.now(),
    )


@blueprint.get("/<seat>/events")
@needs(Right.SEE_SEAT)
def events(seat: str) -> ResponseReturnValue:
    """Stream that something of one's own seat has changed: never what, so that nothing of anybody else's is sent."""
    behind = context()
    if not may_see(behind, person(), seat):
        abort(404)
    token = request.cookies.get(SESSION_COOKIE, "")
    connected = behind.feed.subscribe(None, limit=SEAT_STREAMS, sight=sight_on(seat), token=token, right=Right.SEE_SEAT)
    if connected is None:
        log.warning("stream.refused", count=SEAT_STREAMS)
        abort(503)
    subscriber, _ = connected
    sits = None if may_do(Right.SEE_FLOOR) else person().name
    # As with the floor's streams: it lasts for hours and reads nothing itself.
    behind.close()
    response = Response(_stream(behind, subscriber, sits), mimetype="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    response.call_on_close(lambda: behind.feed.unsubscribe(subscriber))
    return response


def own_seat(behind: Context, asker: Person) -> str | None:
    """Return where somebody sits, None if nowhere or where they may not be any more."""
    found = seatings.of_person(behind.main, asker.name)
    if found is None or found.seat not in {known.seat for known in _seats(behind, asker)}:
        return None
    return found.seat


def may_see(behind: Context, asker: Person, seat: str) -> bool:
    """Return whether somebody may see a seat's page: their own, or any they see on the floor page."""
    if may(asker.role, Right.SEE_FLOOR):
        return seat in {known.seat for known in _seats(behind, asker)}
    return seat == own_seat(behind, asker)


def _seats(behind: Context, asker: Person) -> list[Seat]:
    return [known for known in behind.settings.seats if sees_seat(asker.groups, known.group)]


def _stream(behind: Context, subscriber: Subscriber, sits: str | None) -> Iterator[bytes]:
    """Tell of every change until the session or the seat is lost; `sits` must sit there, None: need not."""
    # Looked at first: a change between the two is then told twice, never missed. What changed before, while the page
    # was being loaded or away, is found by loading it anew, once.
    shown = _look(behind, subscriber)
    yield f"retry: {RETRY_MS}\n\n".encode() + wire_event("moved", {}) + beat(behind)
    while True:
        try:
            if subscriber.get(BEAT_S) is None or subscriber.is_cut:
                break
        except queue.Empty:
            yield beat(behind)
        before, shown = shown, _look(behind, subscriber)
        if sits is not None and any(card.sits != sits for card in shown.floor.seats):
            break
        if shown != before:
            yield wire_event("moved", {})
    yield wire_event("gone", {})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    floor: Floor
    listening: bool


def _look(behind: Context, subscriber: Subscriber) -> _Looked:
    # A floor that cannot be read is like an empty one: the page is loaded anew, and says what is wrong.
    floor = subscriber.sight.of_floor(behind.feed.floor or Floor())
    return _Looked(floor=floor, listening=behind.feed.listening)
