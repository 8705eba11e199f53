"""The floor on a large screen: states of seats and what needs somebody, read across a room; no words, no names."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from edge_agent.domain.roles import Right
from web_ui.access import language, sight
from web_ui.context import context
from web_ui.floor import for_page
from web_ui.floor_state import read_floor
from web_ui.rights import needs

blueprint = Blueprint("wall", __name__, url_prefix="/wall")


@blueprint.get("/")
@needs(Right.SEE_FLOOR)
def page() -> ResponseReturnValue:
    """Show the floor as it is now; without words and names whoever asks, for everybody in the room reads along."""
    behind = context()
    seen = behind.feed.last_id
    whole = read_floor(behind.main, behind.live, settings=behind.settings, policy=behind.policy)
    start = {
        "seen": seen,
        "now": behind.clock.now(),
        "listening": behind.feed.listening,
        **behind.feed.equipment,
        "language": language(),
        "texts": behind.texts[language()].for_scripts(),
        "floor": sight().on_the_wall().of_floor(whole),
    }
    return render_template("wall.html", start=for_page(start))
