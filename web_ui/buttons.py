"""Buttons under the desks: which can be relied on, and their daily test."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from edge_agent.domain.roles import Right
from edge_agent.services import buttons as services
from web_ui.access import language, person
from web_ui.context import context
from web_ui.rights import needs
from web_ui.views import seat_labels

blueprint = Blueprint("buttons", __name__, url_prefix="/buttons")


@blueprint.get("/")
@needs(Right.SEE_FLOOR)
def page() -> ResponseReturnValue:
    """Show the buttons of the settings in their order."""
    behind = context()
    now = behind.clock.now()
    return render_template(
        "buttons.html",
        reports=services.overview(behind.main, settings=behind.settings, now=now),
        labels=seat_labels(behind.settings),
        now=now,
    )


@blueprint.post("/test")
@needs(Right.ACT_ON_INCIDENTS)
def test() -> ResponseReturnValue:
    """Make the next press a test: of the button named, or of all."""
    behind = context()
    services.begin_test(
        behind.main, request.form.getlist("name"), settings=behind.settings, by=person().name, now=behind.clock.now()
    )
    flash(behind.texts[language()]("buttons.begun"))
    return redirect(url_for(".page"), 303)
