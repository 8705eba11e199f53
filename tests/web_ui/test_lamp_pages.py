"""A lamp that does not answer is shown, on a page of its own and on the floor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_agent.domain.lamp import CALM, Colour, LampState, Pattern
from edge_agent.errors import Text
from edge_agent.settings_lamps import Lamp
from edge_agent.store import lamps
from edge_agent.store.database import writing
from edge_agent.store.lamps import LampStatus
from tests.web_ui.conftest import Pages

LAMPS = (
    Lamp(name="tower-1", kind="patlite-http", address="10.0.0.9"),
    Lamp(name="desk-2", kind="esphome", seats=("02",)),
)
GONE = Text("応答しません。電源を確認してください。", "does not answer. Check its power.")


@pytest.fixture
def lit(tmp_path: Path, prepared: Path) -> Pages:
    made = Pages(tmp_path, prepared=prepared, lamps=LAMPS)
    yield made
    made.close()


def shown(pages: Pages, name: str, state: LampState, fault: Text | None = None) -> None:
    kinds = {lamp.name: lamp.kind for lamp in LAMPS}
    with writing(pages.live):
        lamps.put(pages.live, LampStatus(name=name, kind=kinds[name], state=state, fault=fault))


def test_every_lamp_is_listed_with_what_it_shows_and_what_is_wrong(lit: Pages) -> None:
    shown(lit, "tower-1", LampState(colour=Colour.RED, pattern=Pattern.FAST), GONE)
    page = lit.browser("supervisor").get("/lamps/").text
    assert "tower-1" in page
    assert "赤 速い点滅" in page
    assert GONE.ja in page
    assert "フロア全体" in page
    assert "2番席" in page
    assert "開始を待っています" in page


def test_the_menu_has_lamps_only_where_there_are_any(lit: Pages, pages: Pages) -> None:
    assert 'href="/lamps/"' in lit.browser("supervisor").get("/duty/").text
    assert 'href="/lamps/"' not in pages.browser("supervisor").get("/duty/").text


def test_the_floor_is_told_when_a_lamp_is_lost_and_when_it_is_back(lit: Pages) -> None:
    lit.watch()
    before = lit.context.feed.last_id
    shown(lit, "tower-1", CALM, GONE)
    lit.tick()
    shown(lit, "tower-1", CALM)
    lit.tick()
    subscribed = lit.context.feed.subscribe(before, limit=9)
    assert subscribed is not None
    missed = [wire for wire in subscribed[1] or [] if b"event: lamps" in wire]
    assert [json.loads(wire.partition(b"data: ")[2]) for wire in missed] == [{"faults": 1}, {"faults": 0}]


def test_a_floor_page_opened_later_knows_of_the_fault(lit: Pages) -> None:
    shown(lit, "tower-1", CALM, GONE)
    lit.watch()
    assert '"lampFaults":1' in lit.browser("supervisor").get("/").text
