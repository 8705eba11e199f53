"""How every line is heard: levels that move, and what is wrong with the wiring."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from edge_agent.domain.line_health import SideLevels
from edge_agent.domain.line_trouble import explained
from edge_agent.domain.roles import Right
from edge_agent.errors import Text
from edge_agent.store import cards, line_health, live
from edge_agent.store.line_health import LineReport
from web_ui.access import language, sight
from web_ui.context import context
from web_ui.floor import for_page
from web_ui.floor_state import read_busy
from web_ui.rights import needs
from web_ui.views import seat_labels

blueprint = Blueprint("lines", __name__, url_prefix="/lines")


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A line on the page.

    Attributes:
        told: what is wrong and what to do, the gravest first.
        network: its voices come over the network, and only during calls.
    """

    seat: str
    label: Text
    customer: SideLevels
    operator: SideLevels
    dropped: int
    faulty: bool
    told: tuple[Text, ...]
    network: bool


@blueprint.get("/")
@needs(Right.SEE_FLOOR)
def page() -> ResponseReturnValue:
    """Show the lines somebody sees; the page asks for the levels once a second."""
    texts = context().texts[language()]
    start = {"language": language(), "texts": texts.for_scripts(), **_now()}
    return render_template("lines.html", lines=_views(), start=for_page(start))


@blueprint.get("/now")
@needs(Right.SEE_FLOOR)
def now() -> ResponseReturnValue:
    """Return how the lines are heard at this moment."""
    return Response(msgspec.json.encode(_now()), mimetype="application/json", headers={"Cache-Control": "no-store"})


def _now() -> dict[str, object]:
    behind = context()
    return {
        "listening": behind.feed.listening,
        "busy": read_busy(behind.live),
        "lines": _views(),
        "cards": cards.everything(behind.live),
    }


def _views() -> list[LineView]:
    behind, seen = context(), sight()
    reports = {report.seat: report for report in line_health.everything(behind.live)}
    states = {status.seat: status for status in live.lines(behind.live)}
    network = {each.seat for each in behind.settings.seats_on_network}
    views = []
    for seat, label in seat_labels(behind.settings).items():
        if not seen.sees(seat):
            continue
        report, state = reports.get(seat, LineReport(seat=seat)), states.get(seat)
        fault = state.fault if state else None
        told = [explained(trouble) for trouble in report.troubles if not (trouble.is_fault and fault)]
        views.append(
            LineView(
                seat=seat,
                label=label,
                customer=report.customer,
                operator=report.operator,
                dropped=state.dropped if state else 0,
                faulty=fault is not None,
                told=(fault, *told) if fault else tuple(told),
                network=seat in network,
            )
        )
    return views
