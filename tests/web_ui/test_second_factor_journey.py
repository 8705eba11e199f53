"""A second factor in a real browser: turned on, asked for, a code too few, and a lost telephone."""

from __future__ import annotations

import time
from pathlib import Path

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from edge_agent.store import audit
from tests.web_ui.conftest import PASSWORD
from tests.web_ui.test_floor_journey import Floor, browser, floor, page, shot

__all__ = ["browser", "floor", "page"]
pytestmark = pytest.mark.journey

STEP_S = 30


def password_given(page: Page, floor: Floor) -> None:
    page.goto(floor.address)
    page.fill("input[name=name]", "sato")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator("h1")).to_have_text("コードを入力")


def enter(page: Page, code: str) -> None:
    page.fill("#code", code)
    page.locator(".door button").click()


def test_somebody_turns_it_on_logs_in_with_it_and_gets_in_without_the_telephone(
    browser: Browser, floor: Floor, page: Page, tmp_path: Path
) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{floor.address}/account/second-factor/")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="有効にする").click()
    picture = page.get_by_role("img", name="認証アプリで読み取る二次元コード")
    expect(picture).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, tmp_path, "second-factor-360-scan", whole=True)
    telephone = pyotp.TOTP((page.locator("code").text_content() or "").replace(" ", ""))
    enter(page, "000 00")
    expect(page.locator(".trouble")).to_be_visible()
    enter(page, telephone.now())
    expect(page.locator("h1")).to_have_text("リカバリーコード")
    recovery = page.locator(".codes code").all_text_contents()
    assert len(set(recovery)) == 8
    shot(page, tmp_path, "second-factor-360-recovery", whole=True)
    page.get_by_role("link", name="控えました").click()
    page.locator(".who summary").click()
    page.get_by_role("button", name="ログアウト").click()

    password_given(page, floor)
    # The password alone opens nothing.
    page.goto(f"{floor.address}/incidents/")
    expect(page.locator("input[name=password]")).to_be_visible()
    password_given(page, floor)
    enter(page, "12345")
    expect(page.locator(".trouble")).to_contain_text("コード")
    shot(page, tmp_path, "second-factor-360-wrong", whole=True)
    # The code it was turned on with is used up; the telephone's next one is taken a step early.
    enter(page, telephone.at(int(time.time()) + STEP_S))
    expect(page.locator("[data-seat='01']")).to_be_visible()

    lost = browser.new_page(viewport={"width": 1280, "height": 800}, locale="ja-JP")
    password_given(lost, floor)
    enter(lost, recovery[0].upper())
    expect(lost.locator("[data-seat='01']")).to_be_visible()
    lost.context.close()
    again = browser.new_page(viewport={"width": 1280, "height": 800}, locale="ja-JP")
    password_given(again, floor)
    enter(again, recovery[0])
    expect(again.locator(".trouble")).to_be_visible()
    enter(again, recovery[1])
    again.goto(f"{floor.address}/account/second-factor/")
    again.fill("#password", PASSWORD)
    again.get_by_role("button", name="2段階認証を無効にする").click()
    expect(again.locator(".done")).to_have_text("2段階認証を無効にしました。")
    again.context.close()
    done = [entry.action for entry in audit.of(floor.main, "sato") if entry.action.startswith("second_factor")]
    assert done == [f"second_factor.{step}" for step in ("on", "used", "recovered", "recovered", "off")]
