"""Watching the floor: every seat, and what needs somebody."""

from __future__ import annotations

import msgspec
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from edge_agent.domain.roles import Right
from web_ui.access import language, may_act, may_do, person, sight
from web_ui.arrange import may_arrange
from web_ui.context import context
from web_ui.floor_state import read_floor
from web_ui.rights import needs

blueprint = Blueprint("floor", __name__)


@blueprint.get("/")
@needs(Right.SEE_FLOOR)
def page() -> ResponseReturnValue:
    """Show the floor as it is now; the feed takes over from the event the page names."""
    behind = context()
    # The id first: a change between the two is then sent again, which does no harm; the other order would lose it.
    seen = behind.feed.last_id
    floor = sight().of_floor(read_floor(behind.main, behind.live, settings=behind.settings, policy=behind.policy))
    arranges = may_arrange()
    start = {
        "seen": seen,
        "now": behind.clock.now(),
        "listening": behind.feed.listening,
        **behind.feed.equipment,
        "language": language(),
        "me": person().name,
        "mayAct": may_act(),
        "mayArrange": arranges,
        "mayListen": may_do(Right.LISTEN_LIVE),
        "mayPause": may_do(Right.PRESS_HELP),
        "mayOpen": may_do(Right.SEE_INCIDENTS),
        "texts": behind.texts[language()].for_scripts(),
        "floor": floor,
    }
    return render_template("floor.html", start=for_page(start), may_arrange=arranges)


def for_page(start: object) -> str:
    """Return JSON that can stand inside a script element: no ``<`` can end it."""
    return msgspec.json.encode(start).decode().replace("<", "\\u003c")
