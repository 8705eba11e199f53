"""Who is there and who is missing is shown, and a supervisor may have a panel show a test."""

from __future__ import annotations

import json

import pytest

from edge_agent.domain.device import DeviceKind
from edge_agent.services import announcements as services
from edge_agent.services import integrations
from edge_agent.services.announcements import Announcement
from edge_agent.services.devices import note_presence, note_result, register
from edge_agent.services.incidents import note_receipt
from edge_agent.store import audit, broker_refusals, outbox
from edge_agent.store.broker_refusals import BrokerRefusals
from edge_agent.store.database import writing
from tests.builders import BOX, START, after
from tests.web_ui.conftest import Pages


@pytest.fixture
def floor(pages: Pages) -> Pages:
    for name, kind in (("panel-1", DeviceKind.PANEL), ("panel-2", DeviceKind.PANEL), ("desk-1", DeviceKind.LAMP)):
        register(pages.main, name=name, kind=kind, by="it", now=START)
    note_presence(pages.main, {"panel-1": (START, True), "panel-2": (START, True)}, now=START)
    return pages


def lose(pages: Pages, name: str) -> None:
    note_presence(pages.main, {name: (START, False)}, now=after(100))


def test_every_device_is_listed_with_whether_it_is_there(floor: Pages) -> None:
    lose(floor, "panel-2")
    page = floor.browser("supervisor").get("/devices/").text
    assert page.count("応答なし</strong>") == 1
    assert page.count("接続中") == 1
    assert page.count("未接続") == 1


def test_the_floor_is_told_when_a_panel_is_lost_and_when_it_is_back(floor: Pages) -> None:
    floor.watch()
    before = floor.context.feed.last_id
    lose(floor, "panel-2")
    floor.tick()
    note_presence(floor.main, {"panel-2": (after(200), True)}, now=after(200))
    floor.tick()
    subscribed = floor.context.feed.subscribe(before, limit=9)
    assert subscribed is not None
    told = [json.loads(wire.partition(b"data: ")[2]) for wire in subscribed[1] or [] if b"event: devices" in wire]
    assert told == [{"missing": ["panel-2"]}, {"missing": []}]


def test_a_floor_page_opened_later_knows_who_is_missing(floor: Pages) -> None:
    lose(floor, "panel-2")
    floor.watch()
    assert '"missing":["panel-2"]' in floor.browser("supervisor").get("/").text


def test_a_supervisor_has_a_panel_show_a_test_in_their_own_name(floor: Pages) -> None:
    browser = floor.browser("supervisor")
    browser.get("/devices/")
    assert browser.post("/devices/panel-1/test").status_code == 303
    [row] = outbox.unsent(floor.main)
    assert row.topic.endswith("/cmd/panel-1/show-test")
    [*_, given] = audit.of(floor.main, "panel-1")
    assert (given.actor, given.action) == ("supervisor", "command.given")
    command_id = json.loads(row.payload)["id"]
    note_result(floor.main, command_id=command_id, device="panel-1", outcome="done", reason="", now=after(5))
    assert 'datetime="2026-11-23T01:00:05+00:00"' in browser.get("/devices/").text


def test_a_viewer_may_look_and_not_give_tests(floor: Pages) -> None:
    browser = floor.browser("viewer")
    assert "テスト表示</button>" not in browser.get("/devices/").text
    assert browser.post("/devices/panel-1/test").status_code == 403
    assert outbox.count_unsent(floor.main) == 0


def test_an_administrator_sees_what_the_broker_has_refused_and_others_do_not(floor: Pages) -> None:
    with writing(floor.main):
        for device, attempt, topic in (("panel-1", "publish", "a/<b>"), ("?", "login", "")):
            refused = BrokerRefusals(device=device, attempt=attempt, topic=topic, count=7, last_at=after(5).isoformat())
            broker_refusals.save(floor.main, refused)
    page = floor.browser("administrator").get("/devices/").text
    assert "権限のない送信 <code>a/&lt;b&gt;</code>" in page
    assert "ログインできなかった相手" in page
    assert '<td data-label="回数">7</td>' in page
    assert "ブローカーが拒んだこと" not in floor.browser("supervisor").get("/devices/").text


def test_an_incident_shows_who_got_it_and_who_did_not(floor: Pages) -> None:
    floor.alert()
    note_receipt(floor.main, alert_id="alert-1", panel="panel-1", kind="delivered", box=BOX, now=after(1))
    lose(floor, "panel-2")
    page = floor.browser("supervisor").get("/incidents/alert-1").text
    receipts = page[page.index('class="receipts"') :]
    assert "panel-1</th><td>10:00:01" in receipts or "panel-1</th><td>01:00:01" in receipts
    assert "panel-2 <small>▲ 応答なし</small></th><td>—" in receipts
    assert "desk-1" not in receipts


def an_integration(pages: Pages, name: str, *seats: str) -> None:
    integrations.admit(pages.main, name=name, seats=seats, by="it", now=START)


def misses_a_call(pages: Pages, seat: str) -> None:
    """Let a call be announced at a seat, and another one be heard that was not."""
    told = Announcement(seat=seat, by="pbx")
    services.start(pages.main, told, now=START)
    services.end(pages.main, told, now=after(60))
    services.note_unannounced(pages.main, seat, now=after(100))


def test_an_integration_is_listed_with_the_seats_it_speaks_for(floor: Pages) -> None:
    an_integration(floor, "pbx", "01", "03")
    an_integration(floor, "cti")
    page = floor.browser("supervisor").get("/devices/").text
    assert "扱う席: 1番席、3番席" in page
    assert page.count("扱う席: すべて") == 1


def test_an_integration_that_announces_nothing_is_said_to_be_missing_until_it_does_again(floor: Pages) -> None:
    an_integration(floor, "pbx")
    misses_a_call(floor, "01")
    floor.watch()
    assert '"missing":["pbx"]' in floor.browser("supervisor").get("/").text
    page = floor.browser("supervisor").get("/devices/").text
    assert "▲ 知らせが止まっています" in page
    assert "mamori device revoke" in page
    services.start(floor.main, Announcement(seat="01", by="pbx"), now=after(200))
    floor.tick()
    assert '"missing":[]' in floor.browser("supervisor").get("/").text
    assert "▲" not in floor.browser("supervisor").get("/devices/").text
