"""A pause for a card number, begun and ended on the seat page or on the floor page."""

from __future__ import annotations

from flask import Blueprint, abort, flash, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from edge_agent.domain.pause import PauseEnd, PauseSource
from edge_agent.domain.roles import Right
from edge_agent.services import pauses as services
from edge_agent.services.buttons import call_at
from edge_agent.services.pauses import Wish
from edge_agent.store import pauses
from edge_agent.store.database import reading
from web_ui.access import language, local_path, person, sight, wants_page
from web_ui.context import context
from web_ui.rights import needs

blueprint = Blueprint("pause", __name__, url_prefix="/seat")


@blueprint.post("/<seat>/pause")
@needs(Right.PRESS_HELP)
def pause(seat: str) -> ResponseReturnValue:
    """Begin or end the pause of a seat; the form field `wish` is ``begin`` or ``end``.

    Asking again changes nothing. The answer is given when the pause is written; it holds a moment later.
    """
    behind = context()
    if seat not in {known.seat for known in behind.settings.seats} or not sight().sees(seat):
        abort(404)
    wish = request.form.get("wish", "")
    now, by = behind.clock.now(), person().name
    if wish == "begin":
        wanted = Wish(seat=seat, by=by, source=PauseSource.PAGE, call_id=call_at(behind.live, seat))
        services.begin(behind.main, wanted, privacy=behind.settings.privacy, now=now)
    elif wish == "end":
        services.end(behind.main, seat, by=by, why=PauseEnd.ASKED, now=now)
    else:
        abort(400)
    if not wants_page():
        with reading(behind.main):
            under_way = pauses.find(behind.main, seat)
        until = under_way.until.isoformat() if under_way else None
        return jsonify({"seat": seat, "paused": under_way is not None, "until": until})
    flash(behind.texts[language()](f"paused.{wish}"))
    return redirect(local_path(request.form.get("next")), 303)
