"""Lamps and towers: what they show, and which of them do not answer."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from edge_agent.domain.roles import Right
from edge_agent.store import lamps as store
from web_ui.context import context
from web_ui.rights import needs
from web_ui.views import seat_labels

blueprint = Blueprint("lamps", __name__, url_prefix="/lamps")


@blueprint.get("/")
@needs(Right.SEE_FLOOR)
def page() -> ResponseReturnValue:
    """Show the lamps of the settings in their order."""
    behind = context()
    known = {status.name: status for status in store.everything(behind.live)}
    labels = seat_labels(behind.settings)
    rows = [(lamp, [labels[seat] for seat in lamp.seats], known.get(lamp.name)) for lamp in behind.settings.lamps]
    return render_template("lamps.html", rows=rows)
