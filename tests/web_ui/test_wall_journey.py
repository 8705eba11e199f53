"""The wall in a real browser: large, without words, and loud when it is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from edge_agent.domain.button import ButtonState
from edge_agent.domain.finding import Label
from edge_agent.domain.press import PressSource
from edge_agent.domain.roles import Role
from edge_agent.services import accounts, buttons
from edge_agent.settings_buttons import Button
from tests.web_ui.test_floor_journey import PASSWORD, Floor, browser, busy_floor, log_in, shot

__all__ = ["browser"]
pytestmark = pytest.mark.journey

QUOTE = "お前の名前も職場も分かってるからな、夜道に気をつけろよ"
LARGE_PX = 28
"""Height of letters of a seat's state on a screen of 1920 pixels."""

SILENT = {"ja": "ボタン: 応答なし 2", "en": "Buttons: silent 2"}
ONE_SEEN = {"ja": "ボタン: 応答なし 1・未テスト 1", "en": "Buttons: silent 1, untested 1"}


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path, buttons=tuple(Button(name=f"desk-{n}", seat=n, kind="mqtt") for n in ("01", "02")))
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_panel_on_the_wall_shows_the_floor_large_and_says_loudly_when_it_is_cut_off(
    browser: Browser, floor: Floor, tmp_path: Path, language: str
) -> None:
    accounts.create_person(
        floor.main,
        name="wall",
        display_name="壁のパネル",
        role=Role.VIEWER,
        password=PASSWORD,
        must_change=False,
        now=datetime.now(UTC),
    )
    accounts.set_language(floor.main, name="wall", language=language)
    busy_floor(floor)
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="ja-JP", timezone_id="Asia/Tokyo")
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda message: trouble.append(message.text) if "Content Security" in message.text else None)
    log_in(page, floor, "wall")
    assert page.url.endswith("/wall/")
    floor.hears("03", Label.THREAT, QUOTE, warnings=1)
    floor.hears("06", Label.LIFE_SAFETY, "もう疲れました", ago_s=41)
    tile = page.locator(".tile[data-seat='03']")
    expect(tile).to_have_attribute("data-show", "suspected")
    expect(page.locator("#needs li").first).to_have_attribute("data-kind", "life_safety")
    expect(page.locator("body")).not_to_contain_text(QUOTE)
    expect(page.locator("body")).not_to_contain_text("もう疲れました")
    equipment = page.locator("#equipment [data-what=buttons]")
    expect(equipment).to_have_text([SILENT[language]])
    seen = ButtonState(name="desk-01", seat="01", source=PressSource.MQTT)
    buttons.note_seen(floor.main, seen, now=datetime.now(UTC))
    expect(equipment).to_have_text([ONE_SEEN[language]])
    for one in page.locator(".tile").all():
        box = one.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 1080
        assert one.locator("svg use").get_attribute("href")
        assert float(one.locator(".state").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) >= LARGE_PX
    shot(page, tmp_path, f"wall-{language}-1920")

    context.set_offline(True)
    lost = page.locator("#cut-off")
    expect(lost).to_be_visible(timeout=15_000)
    assert float(lost.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")) >= LARGE_PX
    shot(page, tmp_path, f"wall-{language}-1920-cut-off")
    context.set_offline(False)
    expect(lost).to_be_hidden(timeout=15_000)
    context.close()
    assert not trouble
