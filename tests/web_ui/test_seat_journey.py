"""An operator's own seat page in a real browser: pressed by finger, key and screen reader, through outages too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from edge_agent.domain.button import EMERGENCY
from edge_agent.domain.finding import Label
from edge_agent.domain.incident import Incident
from edge_agent.domain.roles import Role
from edge_agent.services import accounts
from edge_agent.services import incidents as services
from edge_agent.store import incidents, live, pauses
from tests.builders import BOX
from tests.web_ui.test_floor_journey import PASSWORD, Floor, browser, busy_floor, floor, for_a_finger, shot

__all__ = ["browser", "floor"]
pytestmark = pytest.mark.journey

QUOTE = "お前の名前も職場も分かってるからな、夜道に気をつけろよ"
SIZES = {"360": (360, 740), "820": (820, 1180), "1280": (1280, 800)}


@pytest.fixture
def operator(floor: Floor) -> Floor:
    accounts.create_person(
        floor.main,
        name="kimura",
        display_name="木村 葵",
        role=Role.OPERATOR,
        password=PASSWORD,
        must_change=False,
        now=datetime.now(UTC),
    )
    busy_floor(floor)
    return floor


@pytest.fixture
def seat(browser: Browser, operator: Floor) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="ja-JP", timezone_id="Asia/Tokyo")
    page = sat_down(context, operator)
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda message: trouble.append(message.text) if "Content Security" in message.text else None)
    page.reload()
    expect(page.locator("#link")).to_have_attribute("data-connected", "true")
    yield page
    context.close()
    assert not trouble


def sat_down(context: BrowserContext, floor: Floor, seat: str = "03") -> Page:
    page = context.new_page()
    page.goto(floor.address)
    page.locator("input[name=name]").fill("kimura")
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator(".door button").click()
    page.wait_for_url("**/seat/")
    page.locator(f"button[name=seat][value='{seat}']").click()
    page.wait_for_url(f"**/seat/{seat}")
    return page


def calls(floor: Floor) -> list[Incident]:
    return incidents.calls_for_help(floor.main, "03")


def test_a_short_press_calls_for_help_and_shows_how_far_it_has_come(seat: Page, operator: Floor) -> None:
    seat.locator("#help").click()
    expect(seat.locator("#fresh")).to_have_attribute("data-light", "kept")
    [call] = calls(operator)
    assert call.alert.criterion != EMERGENCY
    services.take(operator.main, call.incident_id, box=BOX, by="sato", now=datetime.now(UTC))
    expect(seat.locator(".pressed .comes")).to_contain_text("佐藤 美咲 が対応します")
    seat.locator("#withdraw").click()
    expect(seat.locator(".pressed")).to_have_count(0)
    assert calls(operator) == []


def test_held_by_finger_it_becomes_an_emergency_before_it_is_let_go(seat: Page, operator: Floor) -> None:
    seat.locator("#help").hover()
    seat.mouse.down()
    expect(seat.locator(".pressed")).to_have_attribute("data-emergency", "yes", timeout=6000)
    seat.mouse.up()
    [call] = calls(operator)
    assert call.alert.criterion == EMERGENCY
    # Letting go means nothing more.
    assert call.alert.revision == 1


def test_by_key_it_does_the_same_and_by_a_click_alone_it_calls(seat: Page, operator: Floor) -> None:
    seat.locator("#help").focus()
    seat.keyboard.press("Enter")
    expect(seat.locator("#fresh")).to_have_attribute("data-light", "kept")
    # Held longer than a short press: withdrawn, as with a button under the desk.
    seat.keyboard.down(" ")
    expect(seat.locator("#help-word")).to_have_text("離すと取り下げ")
    seat.keyboard.up(" ")
    expect(seat.locator(".pressed")).to_have_count(0)
    assert calls(operator) == []
    # What a screen reader does.
    seat.locator("#help").evaluate("button => button.click()")
    expect(seat.locator("#fresh")).to_have_attribute("data-light", "kept")
    assert len(calls(operator)) == 1


def test_let_go_outside_the_button_it_means_nothing(seat: Page, operator: Floor) -> None:
    seat.locator("#help").hover()
    seat.mouse.down()
    seat.mouse.move(20, 300)
    seat.mouse.up()
    seat.locator("#help").click()
    expect(seat.locator("#fresh")).to_have_attribute("data-light", "kept")
    [call] = calls(operator)
    assert call.alert.revision == 1


def test_a_press_without_a_network_is_kept_and_sent_once(seat: Page, operator: Floor) -> None:
    seat.context.set_offline(True)
    seat.locator("#help").click()
    expect(seat.locator("#note")).to_contain_text("通信が戻りしだい")
    assert calls(operator) == []
    seat.context.set_offline(False)
    expect(seat.locator("#fresh")).to_have_attribute("data-light", "kept", timeout=15_000)
    [call] = calls(operator)
    assert call.alert.revision == 1


def test_without_scripts_the_same_buttons_work(browser: Browser, operator: Floor) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, java_script_enabled=False, locale="ja-JP")
    page = sat_down(context, operator)
    page.locator("#help").click()
    expect(page.locator(".pressed h2")).to_contain_text("応援を呼んでいます")
    page.locator("summary", has_text="押し続けられないとき").click()
    page.locator("#emergency").click()
    expect(page.locator(".pressed h2")).to_contain_text("緊急を知らせています")
    context.close()
    [call] = calls(operator)
    assert call.alert.criterion == EMERGENCY


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_it_is_read_at_a_glance_on_every_screen(
    browser: Browser, operator: Floor, tmp_path: Path, language: str, scheme: str, size: str
) -> None:
    accounts.set_language(operator.main, name="kimura", language=language)
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="ja-JP",
        timezone_id="Asia/Tokyo",
    )
    page = sat_down(context, operator)
    name = f"seat-{language}-{scheme}-{size}"
    shot(page, tmp_path, f"{name}-calm")
    operator.hears("03", Label.THREAT, QUOTE, warnings=1)
    expect(page.locator(".call")).to_have_attribute("data-mood", "suspected")
    expect(page.locator("body")).not_to_contain_text(QUOTE)
    shot(page, tmp_path, f"{name}-suspected")
    page.locator("#help").click()
    expect(page.locator(".pressed")).to_be_visible()
    page.locator(".watched summary").click()
    shot(page, tmp_path, f"{name}-pressed", whole=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for one in page.locator("main :is(button, summary, a)").all():
        box = one.bounding_box()
        assert not one.is_visible() or (box is not None and for_a_finger(box))
    context.close()


def test_a_pause_for_a_card_number_is_loud_and_ended_with_a_finger(seat: Page, operator: Floor, tmp_path: Path) -> None:
    seat.set_viewport_size({"width": 360, "height": 740})
    seat.locator("#pause").click()
    [pause] = pauses.everything(operator.main)
    [line] = [line for line in live.lines(operator.live) if line.seat == "03"]
    operator.line(replace(line, paused_since=pause.begun_at, paused_until=pause.until))
    expect(seat.locator(".call")).to_have_attribute("data-mood", "paused")
    expect(seat.locator(".pause [data-elapsed]")).to_have_text(re.compile(r"^\d+:\d\d$"))
    shot(seat, tmp_path, "seat-paused")
    assert seat.evaluate("document.documentElement.scrollWidth") <= 360
    box = seat.locator("#pause").bounding_box()
    assert box is not None
    assert for_a_finger(box)
    seat.locator("#pause").click()
    seat.wait_for_load_state()
    assert pauses.everything(operator.main) == []
    operator.line(line)
    expect(seat.locator(".call")).to_have_attribute("data-mood", "calm")
