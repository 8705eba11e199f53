"""Arranging the floor map: what is saved, and saving another."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from edge_agent.decoders import json_reader
from edge_agent.domain.layout import Cell, Layout, placed
from edge_agent.domain.roles import Right
from edge_agent.errors import AccessError, Text
from edge_agent.services import arranging
from edge_agent.store import layouts, live
from edge_agent.store.database import reading
from web_ui import ladder
from web_ui.access import may_do, person, sight
from web_ui.context import context
from web_ui.rights import needs

blueprint = Blueprint("arrange", __name__, url_prefix="/arrange")

_read_cells = json_reader(dict[str, Cell])
DIGITS = 16
"""A longer number is no version's."""


@blueprint.get("/")
@needs(Right.ARRANGE_FLOOR)
def saved() -> ResponseReturnValue:
    """Return the layout as it is saved, and who saved it."""
    _the_whole_floor()
    behind = context()
    with reading(behind.main):
        return _answer(layouts.read(behind.main))


@blueprint.post("/")
@needs(Right.ARRANGE_FLOOR)
def save() -> ResponseReturnValue:
    """Save another layout: form fields `version`, which it was made from, and `cells`, JSON by seat; none: no map."""
    _the_whole_floor()
    behind = context()
    version = request.form.get("version", "")
    if not (version.isascii() and version.isdecimal() and len(version) < DIGITS):
        abort(400)
    try:
        cells = _read_cells(request.form.get("cells", ""))
    except (msgspec.DecodeError, RecursionError):
        abort(400)
    layout = arranging.arrange(
        behind.main,
        cells,
        seats=_seats(),
        based_on=int(version),
        floor=behind.settings.box.floor,
        by=person().name,
        now=behind.clock.now(),
    )
    return _answer(layout)


def may_arrange() -> bool:
    """Return whether whoever asks may arrange the floor: by right, and seeing all of it."""
    return may_do(Right.ARRANGE_FLOOR) and sight().seats is None


def _the_whole_floor() -> None:
    # A seat that is not seen would be moved, or dropped upon, unseen.
    if not may_arrange():
        raise AccessError(
            Text(
                "席を並べられるのは、フロア全体を担当する人だけです。",
                "Only who deals with the whole floor arranges it.",
            ),
            Text(
                "担当グループのない管理者かスーパーバイザーに頼んでください。",
                "Ask an administrator or a supervisor without groups.",
            ),
        )


def _seats() -> list[str]:
    behind = context()
    # What the settings have lost is on the floor page too as long as the agent hears it.
    with reading(behind.live):
        heard = [status.seat for status in live.lines(behind.live)]
    return list(dict.fromkeys([*(seat.seat for seat in behind.settings.seats), *heard]))


def _answer(layout: Layout) -> Response:
    called = ladder.names(context().main).get(layout.by, layout.by)
    told = {"version": layout.version, "by": called, "at": layout.at, "cells": placed(layout.cells, _seats())}
    return Response(msgspec.json.encode(told), mimetype="application/json")
