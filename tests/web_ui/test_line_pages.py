"""How every line is heard: a page with levels, and a word on the seat."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_agent.domain.call import LineState, Speaker
from edge_agent.domain.line_health import SideLevels
from edge_agent.domain.line_trouble import Trouble, TroubleKind, explained
from edge_agent.domain.overload import Overloaded, Stage, meaning
from edge_agent.domain.roles import Right, Role, may
from edge_agent.errors import Text
from edge_agent.settings_rtp import SeatRtp
from edge_agent.store import line_health, overload, people
from edge_agent.store.database import writing
from edge_agent.store.line_health import LineReport
from edge_agent.store.live import LineStatus
from tests.web_ui.conftest import Pages, seats

CLIPPED = Trouble(kind=TroubleKind.CLIPPING, side=Speaker.CUSTOMER)
DEAD = Trouble(kind=TroubleKind.NO_AUDIO, side=Speaker.OPERATOR)
LOUD = SideLevels(level_dbfs=-9.5, rms_dbfs=-10.0, peak_dbfs=0.0, speech=0.4, clipped=0.01, hum_hz=None)
GONE = Text("サウンドカードが見つかりません。", "The sound card is not there.")


def heard(pages: Pages, seat: str, *troubles: Trouble) -> None:
    with writing(pages.live):
        line_health.put(pages.live, LineReport(seat=seat, customer=LOUD, troubles=troubles))


def now(pages: Pages, name: str = "supervisor") -> dict[str, Any]:
    answer = pages.browser(name).client.get("/lines/now", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    told: dict[str, Any] = answer.json
    return told


def test_the_page_has_a_meter_for_both_sides_of_every_seat(pages: Pages) -> None:
    page = pages.browser("supervisor").get("/lines/").text
    assert page.count("<meter") == 6
    assert 'aria-label="2番席 オペレーター"' in page


def test_levels_and_remedies_of_this_moment_are_told(pages: Pages) -> None:
    heard(pages, "02", CLIPPED)
    one, two, three = now(pages)["lines"]
    assert (two["seat"], two["customer"]["level_dbfs"], two["customer"]["clipped"]) == ("02", -9.5, 0.01)
    assert two["told"] == [{"ja": explained(CLIPPED).ja, "en": explained(CLIPPED).en}]
    assert not two["faulty"]
    # A line of which nothing is known yet is shown all the same.
    assert [line["customer"]["peak_dbfs"] for line in (one, three)] == [-120.0, -120.0]
    assert one["told"] == []


@pytest.mark.parametrize("fault", [GONE, explained(DEAD)])
def test_a_fault_comes_first_and_once(pages: Pages, fault: Text) -> None:
    heard(pages, "01", DEAD, CLIPPED)
    pages.line(LineStatus(seat="01", state=LineState.FAULT, fault=fault, dropped=7))
    line = now(pages)["lines"][0]
    assert [text["ja"] for text in line["told"]] == [fault.ja, explained(CLIPPED).ja]
    assert line["faulty"]
    assert line["dropped"] == 7


def test_a_seat_says_discreetly_that_its_line_is_heard_badly(pages: Pages) -> None:
    pages.line(LineStatus(seat="01", state=LineState.IDLE, troubles=(DEAD, CLIPPED)))
    page = pages.browser("supervisor").get("/").text
    assert explained(CLIPPED).ja in page
    # What is a fault is shown as one, not here.
    assert explained(DEAD).ja not in page


def test_the_floor_is_sent_a_trouble_when_it_begins_and_when_it_is_over(pages: Pages) -> None:
    pages.watch()
    connected = pages.context.feed.subscribe(None, limit=9)
    assert connected is not None
    for troubles in ((CLIPPED,), ()):
        pages.line(LineStatus(seat="01", state=LineState.IDLE, troubles=troubles))
        pages.tick()
        sent = connected[0].get(0.0)
        assert sent is not None
        assert (explained(CLIPPED).en.encode() in sent) is bool(troubles)


BUSY = Overloaded(stage=Stage.OPERATOR_LATER)


def gives_up(pages: Pages, given_up: Overloaded) -> None:
    with writing(pages.live):
        overload.put(pages.live, given_up)


def test_the_floor_is_told_what_a_busy_box_gives_up_and_when_that_is_over(pages: Pages) -> None:
    pages.watch()
    connected = pages.context.feed.subscribe(None, limit=9)
    assert connected is not None
    for given_up, said in ((BUSY, meaning(BUSY)), (Overloaded(), None)):
        gives_up(pages, given_up)
        pages.tick()
        sent = connected[0].get(0.0)
        assert sent is not None
        assert b"event: busy" in sent
        assert json.loads(sent.decode().split("data: ")[1]) == {"busy": said and msgspec.to_builtins(said)}
        gives_up(pages, given_up)
        pages.tick()  # told again, it is no news


def test_pages_that_are_opened_meanwhile_say_what_is_given_up(pages: Pages) -> None:
    pages.watch()
    assert '"busy":null' in pages.browser("supervisor").get("/").text
    gives_up(pages, BUSY)
    pages.tick()
    said = meaning(BUSY)
    assert said is not None
    assert said.what.en in pages.browser("supervisor").get("/").text
    assert now(pages)["busy"]["remedy"]["ja"] == said.remedy.ja


def test_levels_alone_send_the_floor_nothing(pages: Pages) -> None:
    pages.line(LineStatus(seat="01", state=LineState.IDLE))
    pages.watch()
    before = pages.context.feed.last_id
    heard(pages, "01")
    pages.tick()
    assert pages.context.feed.last_id == before


@pytest.mark.parametrize("role", Role)
def test_whoever_sees_the_floor_sees_its_lines(pages: Pages, role: Role) -> None:
    status = 200 if may(role, Right.SEE_FLOOR) else 403
    assert pages.browser(role.value).get("/lines/").status_code == status


def test_a_supervisor_sees_the_lines_of_their_group_alone(tmp_path: Path, prepared: Path) -> None:
    first, second, third = seats(3)
    pages = Pages(tmp_path, prepared=prepared, seats=(first, msgspec.structs.replace(second, group="east"), third))
    supervisor = people.find(pages.main, "supervisor")
    assert supervisor is not None
    with writing(pages.main):
        people.save(pages.main, replace(supervisor, groups=("east",)))
    assert [line["seat"] for line in now(pages)["lines"]] == ["02"]
    assert pages.browser("supervisor").get("/lines/").text.count("<meter") == 2
    pages.close()


def test_a_seat_on_the_network_says_that_it_waits_for_a_call_and_both_sides_are_named(
    tmp_path: Path, prepared: Path
) -> None:
    first, second = seats(2)
    ports = SeatRtp(customer_port=5004, operator_port=5006)
    pages = Pages(tmp_path, prepared=prepared, seats=(first, msgspec.structs.replace(second, device="", rtp=ports)))
    page = pages.browser("supervisor").get("/lines/").text
    assert page.count("data-waiting") == 1
    assert "電話網の席は、通話中だけ音が届きます" in page
    assert page.count('data-label="お客様"') == page.count('data-label="オペレーター"') == 2
    assert [line["network"] for line in now(pages)["lines"]] == [False, True]
    pages.close()
