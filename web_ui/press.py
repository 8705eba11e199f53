"""The button on the seat page: calls for help like the one under the desk."""

from __future__ import annotations

import re

from flask import Blueprint, abort, flash, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from edge_agent.domain.button import Press
from edge_agent.domain.press import Gesture, PressSource
from edge_agent.domain.roles import Right
from edge_agent.services import buttons as services
from web_ui.access import language, local_path, person, sight, wants_page
from web_ui.context import context
from web_ui.rights import needs

blueprint = Blueprint("press", __name__, url_prefix="/seat")

PRESS_ID = re.compile(r"[0-9a-f]{32}")
"""What a page may number its press with, so that sending it again changes nothing."""


@blueprint.post("/<seat>/press")
@needs(Right.PRESS_HELP)
def press(seat: str) -> ResponseReturnValue:
    """Call for help, withdraw it, or signal an emergency; form fields `gesture` and, if wanted, `press_id`."""
    behind = context()
    if seat not in {known.seat for known in behind.settings.seats} or not sight().sees(seat):
        abort(404)
    gesture = request.form.get("gesture", "")
    press_id = request.form.get("press_id") or services.new_press_id()
    if gesture not in {known.value for known in Gesture} or not PRESS_ID.fullmatch(press_id):
        abort(400)
    now = behind.clock.now()
    pressed = Press(
        press_id=press_id,
        button=f"page-{seat}",
        seat=seat,
        gesture=Gesture(gesture),
        source=PressSource.PAGE,
        at=now,
    )
    box = behind.settings.box
    call_id = services.call_at(behind.live, seat)
    effect = services.press(behind.main, pressed, box=box, call_id=call_id, now=now, by=person().name)
    if not wants_page():
        light = services.light_of(behind.main, seat, box=box)
        return jsonify({"press_id": press_id, "effect": effect.value, "light": light.value})
    flash(behind.texts[language()](f"pressed.{effect.value}"))
    return redirect(local_path(request.form.get("next")), 303)
