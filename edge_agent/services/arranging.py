"""Laying out the floor map.

Rules:
1. Whoever saves has seen what was saved last: an arrangement made from an older one is refused, never mixed with it.
2. Every change is audited in the name of who made it; saving what is there already is none.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from edge_agent.domain.layout import MOST, Cell, Layout, fits
from edge_agent.errors import LayoutError, Text
from edge_agent.store import audit, layouts, people
from edge_agent.store.database import Database, writing


def arrange(
    db: Database,
    cells: Mapping[str, Cell],
    *,
    seats: Collection[str],
    based_on: int,
    floor: str,
    by: str,
    now: datetime,
) -> Layout:
    """Lay out the floor anew and return it; without cells there is no map any more.

    `seats` are all there are, `based_on` is the version that whoever arranged has begun from.

    Raises:
        LayoutError: somebody else has saved meanwhile, or a seat is unknown, off the map or on another's cell.
        StoreError: it cannot be kept.
    """
    if not set(cells) <= set(seats) or not fits(cells):
        raise LayoutError(
            Text(
                f"席の並びを保存できません。知らない席か、重なった席か、縦横{MOST}マスを超える席があります。",
                f"This layout cannot be kept: a seat is unknown, on another's place, or beyond {MOST} places.",
            ),
            Text("画面を読み込み直して、並べ直してください。", "Reload the page and arrange the seats again."),
        )
    with writing(db):
        before = layouts.read(db)
        if before.version != based_on:
            raise _overtaken(db, before)
        if before.cells == dict(cells):
            return before
        layout = Layout(cells=dict(cells), version=before.version + 1, by=by, at=now)
        layouts.put(db, layout)
        moved = sorted(seat for seat in {*before.cells, *cells} if before.cells.get(seat) != cells.get(seat))
        detail = {"version": str(layout.version), "seats": " ".join(moved)}
        audit.append(db, at=now, actor=by, action="floor.arranged", subject=floor, detail=detail)
    return layout


def _overtaken(db: Database, newest: Layout) -> LayoutError:
    other = people.find(db, newest.by)
    who = other.display_name if other else newest.by
    at = f"{newest.at.astimezone():%H:%M}" if newest.at else ""
    return LayoutError(
        Text(f"{at} に {who} が席の並びを保存しています。", f"{who} has saved another layout at {at}."),
        Text(
            "まだ保存されていません。相手の並びにするか、自分の並びで上書きするかを選んでください。",
            "Yours is not saved. Choose whether to take theirs, or to save yours in its place.",
        ),
    )
