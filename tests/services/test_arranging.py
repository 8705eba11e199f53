"""Laying out the floor map: kept whole, audited, and never over somebody else's unseen work."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.layout import Cell, Layout
from edge_agent.errors import LayoutError
from edge_agent.services import arranging
from edge_agent.store import audit, layouts
from edge_agent.store.database import Database, open_main
from tests.builders import START, after

SEATS = ("01", "02", "03")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_main(tmp_path)
    yield database
    database.close()


def cell(across: int, down: int) -> Cell:
    return Cell(across=across, down=down)


def arrange(db: Database, cells: dict[str, Cell], *, based_on: int, by: str = "sato", at_s: float = 0.0) -> Layout:
    return arranging.arrange(db, cells, seats=SEATS, based_on=based_on, floor="f1", by=by, now=after(at_s))


def test_a_layout_comes_back_as_it_was_saved(db: Database) -> None:
    assert layouts.read(db) == Layout()
    saved = arrange(db, {"01": cell(0, 0), "03": cell(4, 2)}, based_on=0)
    assert saved == Layout(cells={"01": cell(0, 0), "03": cell(4, 2)}, version=1, by="sato", at=START)
    assert layouts.read(db) == saved


def test_two_seats_change_places_and_the_audit_says_who_moved_which(db: Database) -> None:
    arrange(db, {"01": cell(0, 0), "02": cell(1, 0), "03": cell(2, 0)}, based_on=0)
    arrange(db, {"01": cell(1, 0), "02": cell(0, 0), "03": cell(2, 0)}, based_on=1, by="tanaka")
    told = [(entry.actor, entry.action, entry.subject, dict(entry.detail)) for entry in audit.entries(db)]
    assert told == [
        ("sato", "floor.arranged", "f1", {"version": "1", "seats": "01 02 03"}),
        ("tanaka", "floor.arranged", "f1", {"version": "2", "seats": "01 02"}),
    ]


def test_whoever_saves_second_from_the_same_beginning_is_told_and_nothing_is_lost(db: Database) -> None:
    first = arrange(db, {"01": cell(0, 0)}, based_on=0, by="tanaka")
    with pytest.raises(LayoutError, match="tanaka has saved another layout"):
        arrange(db, {"01": cell(5, 5)}, based_on=0)
    assert layouts.read(db) == first
    assert arrange(db, {"01": cell(5, 5)}, based_on=first.version).version == 2


def test_saving_what_is_there_is_no_change(db: Database) -> None:
    first = arrange(db, {"01": cell(0, 0)}, based_on=0)
    assert arrange(db, {"01": cell(0, 0)}, based_on=1, by="tanaka", at_s=60) == first
    assert len(list(audit.entries(db))) == 1


def test_without_cells_the_map_is_gone(db: Database) -> None:
    arrange(db, {"01": cell(0, 0)}, based_on=0)
    assert arrange(db, {}, based_on=1).cells == {}
    assert layouts.read(db).version == 2


@pytest.mark.parametrize("cells", [{"99": cell(0, 0)}, {"01": cell(0, 0), "02": cell(0, 0)}, {"01": cell(40, 0)}])
def test_what_cannot_be_drawn_is_refused_and_nothing_kept(db: Database, cells: dict[str, Cell]) -> None:
    with pytest.raises(LayoutError, match="unknown, on another's place"):
        arrange(db, cells, based_on=0)
    assert layouts.read(db) == Layout()
    assert list(audit.entries(db)) == []
