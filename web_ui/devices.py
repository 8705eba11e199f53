"""Panels and other devices on the broker: who is there, who is missing, who was refused; a test of what they show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from edge_agent.domain.device import SHOWING
from edge_agent.domain.roles import Right
from edge_agent.errors import Text
from edge_agent.services import devices as services
from edge_agent.store import broker_refusals
from edge_agent.store import devices as store
from web_ui.access import language, may_do, person
from web_ui.context import context
from web_ui.rights import needs
from web_ui.views import seat_labels

blueprint = Blueprint("devices", __name__, url_prefix="/devices")


@blueprint.get("/")
@needs(Right.SEE_FLOOR)
def page() -> ResponseReturnValue:
    """Show every device with when it was last there and when it last showed a test; to IT also what was refused."""
    behind = context()
    tests = {name: datetime.fromisoformat(at) for name, at in store.last_tests(behind.main).items()}
    shown = services.overview(behind.main, settings=behind.settings, now=behind.clock.now())
    rows = [(device, tests.get(device.name)) for device in shown]
    refused = broker_refusals.everything(behind.main) if may_do(Right.MANAGE_DEVICES) else []
    attempts = [(one, datetime.fromisoformat(one.last_at)) for one in refused]
    labels = seat_labels(behind.settings)
    seats = {device.name: _called([labels.get(seat, Text(seat, seat)) for seat in device.seats]) for device in shown}
    return render_template("devices.html", rows=rows, showing=SHOWING, attempts=attempts, seats=seats)


@blueprint.post("/<name>/test")
@needs(Right.ACT_ON_INCIDENTS)
def test(name: str) -> ResponseReturnValue:
    """Have a panel show a test; its answer appears in the list."""
    behind = context()
    services.give_test(behind.main, name, box=behind.settings.box, by=person().name, now=behind.clock.now())
    flash(behind.texts[language()]("devices.test_given", name=name))
    return redirect(url_for(".page"), 303)


def _called(labels: Sequence[Text]) -> Text:
    return Text("、".join(label.ja for label in labels), ", ".join(label.en for label in labels))
