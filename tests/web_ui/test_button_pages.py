"""The seat page's button calls for help; the buttons' own page shows which can be relied on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge_agent.domain.button import ButtonState, Press
from edge_agent.domain.call import LineState
from edge_agent.domain.press import Gesture, PressSource
from edge_agent.services import buttons as services
from edge_agent.settings_buttons import Button
from edge_agent.store import audit, incidents
from edge_agent.store.live import LineStatus
from tests.builders import BOX
from tests.web_ui.conftest import Browser, Pages
from web_ui.feed import EQUIPMENT_S

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

PRESS_ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def floor(tmp_path: Path, prepared: Path) -> Iterator[Pages]:
    buttons = (Button(name="desk-01", seat="01", kind="virtual"), Button(name="desk-02", seat="02", kind="mqtt"))
    made = Pages(tmp_path, prepared=prepared, buttons=buttons)
    yield made
    made.close()


def press_on(browser: Browser, path: str = "/seat/01/press", **form: str) -> TestResponse:
    headers = {"Accept": "application/json", "X-CSRFToken": browser.token}
    return browser.client.post(path, data=form, headers=headers)


def test_an_operator_calls_for_help_from_the_seat_page(floor: Pages) -> None:
    answer = press_on(floor.browser("operator"), gesture="help", press_id=PRESS_ID)
    assert answer.json == {"press_id": PRESS_ID, "effect": "opened", "light": "kept"}
    [call] = incidents.calls_for_help(floor.main, "01")
    assert call.incident_id == PRESS_ID
    assert audit.of(floor.main, PRESS_ID)[0].actor == "operator"


def test_the_same_press_sent_again_is_one_call(floor: Pages) -> None:
    browser = floor.browser("operator")
    for _ in range(2):
        press_on(browser, gesture="help", press_id=PRESS_ID)
    [call] = incidents.calls_for_help(floor.main)
    assert call.alert.revision == 1


def test_an_operator_withdraws_and_is_told_so(floor: Pages) -> None:
    browser = floor.browser("operator")
    press_on(browser, gesture="help")
    answer = press_on(browser, gesture="withdraw")
    assert answer.json["effect"] == "taken_back"
    assert answer.json["light"] == "off"


@pytest.mark.parametrize("who", ["viewer", "auditor", "trainer"])
def test_others_do_not_press_an_operators_button(floor: Pages, who: str) -> None:
    answer = press_on(floor.browser(who), gesture="help")
    assert answer.status_code == 403
    assert incidents.calls_for_help(floor.main) == []


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/seat/99/press", {"gesture": "help"}, 404),
        ("/seat/01/press", {"gesture": "dance"}, 400),
        ("/seat/01/press", {}, 400),
        ("/seat/01/press", {"gesture": "help", "press_id": "../x"}, 400),
    ],
)
def test_what_is_no_press_of_a_seat_is_refused(floor: Pages, path: str, form: dict[str, str], status: int) -> None:
    assert press_on(floor.browser("operator"), path, **form).status_code == status


def test_buttons_are_listed_with_what_is_wrong(floor: Pages) -> None:
    page = floor.browser("supervisor").get("/buttons/").text
    assert "desk-01" in page
    assert "2番席" in page
    assert "1日以上テストされていません" in page
    assert "応答なし" in page


def test_a_supervisor_begins_the_daily_test_of_all_buttons(floor: Pages) -> None:
    browser = floor.browser("supervisor")
    assert browser.post("/buttons/test").status_code == 303
    assert browser.get("/buttons/").text.count("テスト中: ") == 2
    pressed = Press(
        press_id=PRESS_ID,
        button="desk-01",
        seat="01",
        gesture=Gesture.HELP,
        source=PressSource.VIRTUAL,
        at=floor.clock.now(),
    )
    services.press(floor.main, pressed, box=BOX, call_id="", now=floor.clock.now())
    assert browser.get("/buttons/").text.count("テスト中: ") == 1
    assert incidents.calls_for_help(floor.main) == []


def test_one_who_only_looks_begins_no_test(floor: Pages) -> None:
    assert "テストする" not in floor.browser("viewer").get("/buttons/").text
    assert floor.browser("viewer").post("/buttons/test").status_code == 403


def test_a_call_for_help_outside_a_call_is_shown_on_its_seat(floor: Pages) -> None:
    floor.line(LineStatus(seat="01", state=LineState.IDLE))
    press_on(floor.browser("operator"), gesture="help")
    page = floor.browser("supervisor").get("/").text
    assert '"show":"help"' in page


def test_who_called_is_named_in_the_incident(floor: Pages) -> None:
    pressed = Press(
        press_id=PRESS_ID,
        button="desk-01",
        seat="01",
        gesture=Gesture.EMERGENCY,
        source=PressSource.GPIO,
        at=floor.clock.now(),
    )
    services.press(floor.main, pressed, box=BOX, call_id="", now=floor.clock.now())
    page = floor.browser("supervisor").get(f"/incidents/{PRESS_ID}").text
    assert "ボタン desk-01" in page
    assert "緊急" in page


def test_the_floor_page_counts_the_buttons_not_to_be_relied_on_each_once(floor: Pages) -> None:
    floor.watch()
    before = floor.context.feed.last_id
    page = floor.browser("supervisor").get("/").text
    assert '"buttons":{"untested":1,"silent":1}' in page
    press = Press(
        press_id=PRESS_ID, button="desk-01", seat="01", gesture=Gesture.HELP, source=PressSource.VIRTUAL,
        at=floor.clock.now(),
    )  # fmt: skip
    services.press(floor.main, press, box=BOX, call_id="", now=floor.clock.now())
    floor.tick()
    missed = floor.context.feed.subscribe(before, limit=9)
    assert missed is not None
    assert any(b'event: buttons\ndata: {"troubles":{"silent":1}}' in wire for wire in missed[1] or [])


def test_a_button_becomes_untested_by_time_alone_without_anything_happening(floor: Pages) -> None:
    low = ButtonState(name="desk-02", seat="02", source=PressSource.MQTT, battery=15)
    services.note_seen(floor.main, low, now=floor.clock.now())
    floor.watch()
    assert floor.context.feed.equipment["buttons"] == {"untested": 2}
    for name in ("desk-01", "desk-02"):
        services.begin_test(floor.main, [name], settings=floor.settings, by="it", now=floor.clock.now())
        seat, source = ("01", PressSource.VIRTUAL) if name == "desk-01" else ("02", PressSource.MQTT)
        press = Press(press_id=name, button=name, seat=seat, gesture=Gesture.HELP, source=source, at=floor.clock.now())
        services.press(floor.main, press, box=BOX, call_id="", now=floor.clock.now())
    floor.tick()
    assert floor.context.feed.equipment["buttons"] == {"low_battery": 1}
    floor.clock.move(86_401)
    floor.tick(EQUIPMENT_S - 1)
    assert floor.context.feed.equipment["buttons"] == {"low_battery": 1}, "not looked at before its time"
    floor.tick(EQUIPMENT_S)
    assert floor.context.feed.equipment["buttons"] == {"untested": 1, "silent": 1}
