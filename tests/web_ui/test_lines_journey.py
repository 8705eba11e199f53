"""The lines in a real browser: meters that move, a seat that leads there, and a loss that is seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from edge_agent.domain.call import LineState, Speaker
from edge_agent.domain.line_health import SideLevels
from edge_agent.domain.line_trouble import Trouble, TroubleKind, explained
from edge_agent.domain.overload import Overloaded, Stage
from edge_agent.store import cards, line_health, overload
from edge_agent.store.cards import CardReport
from edge_agent.store.database import writing
from edge_agent.store.line_health import LineReport
from edge_agent.store.live import LineStatus
from tests.web_ui.test_floor_journey import Floor, browser, busy_floor, floor, log_in, shot

__all__ = ["browser", "floor"]
pytestmark = pytest.mark.journey

CLIPPED = Trouble(kind=TroubleKind.CLIPPING, side=Speaker.CUSTOMER)
SWAPPED = Trouble(kind=TroubleKind.SWAPPED)


def side(dbfs: float, **facts: float) -> SideLevels:
    return SideLevels(level_dbfs=dbfs, rms_dbfs=dbfs, peak_dbfs=min(0.0, dbfs + 15), speech=0.42, **facts)


def heard(floor: Floor, seat: str, customer: SideLevels, *troubles: Trouble) -> None:
    with writing(floor.live):
        line_health.put(floor.live, LineReport(seat=seat, customer=customer, operator=side(-27.0), troubles=troubles))


def gives_up(floor: Floor, given_up: Overloaded) -> None:
    with writing(floor.live):
        overload.put(floor.live, given_up)


def test_whoever_wires_a_floor_sees_every_line_move_and_what_is_wrong_with_it(
    browser: Browser, floor: Floor, tmp_path: Path
) -> None:
    busy_floor(floor)
    for number in range(1, 9):
        heard(floor, f"{number:02}", side(-60.0 + 5 * number))
    heard(floor, "04", side(-3.0, clipped=0.021), CLIPPED)
    with writing(floor.live):
        cards.put(floor.live, CardReport(name="tap-a", card="mamori_tap_a", running=True, overruns=2, dropped=15))
    floor.line(LineStatus(seat="04", state=LineState.IDLE, troubles=(CLIPPED, SWAPPED)))
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="ja-JP", timezone_id="Asia/Tokyo")
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)
    log_in(page, floor, "sato")
    chip = page.locator(".seat[data-seat='04'] [data-troubles]")
    expect(chip).to_have_text("回線の異常")
    assert explained(SWAPPED).ja in (chip.get_attribute("title") or "")
    expect(page.locator(".seat[data-seat='01'] [data-troubles]")).to_be_hidden()
    shot(page, tmp_path, "floor-line-trouble")

    gives_up(floor, Overloaded(stage=Stage.OPERATOR_LATER))
    busy = page.locator("#busy")
    expect(busy).to_contain_text("オペレーター側の声を最大30秒遅れて")
    expect(busy).to_contain_text("自動で戻ります")
    shot(page, tmp_path, "floor-busy")

    chip.click()
    expect(busy).to_contain_text("段階2/3")
    expect(page).to_have_url(f"{floor.address}/lines/")
    row = page.locator("tr[data-seat='04']")
    expect(row.locator("[data-told] li")).to_have_text([explained(CLIPPED).ja])
    shares = row.locator("[data-side=customer] [data-shares]")
    expect(shares).to_contain_text("音割れ 2.1%")
    assert shares.evaluate("(it) => it.offsetHeight < 1.5 * parseFloat(getComputedStyle(it).lineHeight)"), "one line"
    meter = row.locator("[data-side=customer] meter")
    expect(meter).to_have_js_property("value", -3)
    expect(page.locator("tr[data-seat='01'] [data-good]")).to_be_visible()
    expect(page.locator("#cards li")).to_have_text(["tap-a: 動作中 – 取りこぼし 2回、切断 0回、欠けた音声 1.5秒"])
    shot(page, tmp_path, "lines")
    heard(floor, "04", side(-24.0))
    expect(meter).to_have_js_property("value", -24)
    expect(row.locator("[data-good]")).to_be_visible()

    context.set_offline(True)
    expect(page.locator("#cut-off")).to_be_visible(timeout=8000)
    context.set_offline(False)
    expect(page.locator("#cut-off")).to_be_hidden()
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    gives_up(floor, Overloaded())
    expect(busy).to_be_hidden()
    shot(page, tmp_path, "lines-phone")
    assert wrong == []
    context.close()
