"""Handing an incident over in two real browsers: who is asked, hears of it if they wish, and takes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from edge_agent.domain.finding import Label
from tests.web_ui.test_floor_journey import Floor, browser, busy_floor, floor, log_in, page, shot

__all__ = ["browser", "floor", "page"]
pytestmark = pytest.mark.journey

COUNT_TONES = """
window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when); };
"""


def test_a_colleague_who_is_asked_sees_it_first_hears_of_it_if_they_wish_and_takes_it(
    browser: Browser, floor: Floor, page: Page, tmp_path: Path
) -> None:
    busy_floor(floor)
    floor.hears("06", Label.LIFE_SAFETY, "もう疲れました", ago_s=41)
    quote = "お前の名前も職場も分かってるからな、夜道に気をつけろよ"
    alert = floor.hears("03", Label.THREAT, quote, warnings=1)
    other = browser.new_page(viewport={"width": 1280, "height": 800}, locale="ja-JP")
    other.add_init_script(COUNT_TONES)
    log_in(other, floor, "tanaka")
    sound = other.locator("#sound")
    expect(sound).to_have_attribute("aria-pressed", "false")
    this = f".alert[data-incident='{alert.alert_id}']"
    page.locator(f"#open {this}").get_by_role("button", name="対応する").click()
    expect(other.locator(f"#working {this}")).to_contain_text("佐藤 美咲 が対応中")
    assert other.evaluate("window.tones") == 0
    sound.click()
    expect(sound).to_have_attribute("aria-pressed", "true")
    tried = other.evaluate("window.tones")

    page.locator(f"#working {this}").get_by_role("link", name="引き継ぐ").click()
    page.get_by_role("button", name="田中 健").click()
    expect(page.locator(".handing")).to_contain_text("まだ引き受けていません")
    first = other.locator("#open .alert").first
    expect(first).to_have_attribute("data-incident", alert.alert_id)
    expect(first).to_contain_text("佐藤 美咲 からあなたへの引き継ぎ依頼")
    other.wait_for_function("before => window.tones > before", arg=tried)
    shot(other, tmp_path, "floor-ja-1280-asked")
    first.get_by_role("button", name="対応する").click()
    expect(other.locator(f"#working {this}")).to_contain_text("田中 健 が対応中")
    expect(page.locator(".handing")).to_have_count(0)
    other.reload()
    expect(sound).to_have_attribute("aria-pressed", "true")
    other.close()
