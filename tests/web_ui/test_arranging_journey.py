"""Arranging the floor map in a real browser: by mouse, finger and key, alone and at the same time as somebody else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from edge_agent.domain.finding import Label
from edge_agent.domain.layout import Cell
from edge_agent.services import arranging
from edge_agent.store import audit, layouts, outbox
from edge_agent.store.database import writing
from tests.web_ui.test_floor_journey import Floor, browser, busy_floor, floor, for_a_finger, log_in, page, shot

__all__ = ["browser", "floor", "page"]
pytestmark = pytest.mark.journey


def seat(page: Page, name: str) -> Locator:
    return page.locator(f".seat[data-seat='{name}']")


def handle(page: Page, name: str) -> Locator:
    return seat(page, name).locator(".handle")


def middle(place: Locator) -> tuple[float, float]:
    box = place.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, name: str, target: Locator) -> None:
    page.mouse.move(*middle(handle(page, name)))
    page.mouse.down()
    page.mouse.move(*middle(target), steps=6)
    page.mouse.up()


def spot(page: Page, across: int, down: int) -> Locator:
    return page.locator(f".spot[data-across='{across}'][data-down='{down}']")


def begin(page: Page) -> None:
    page.get_by_role("button", name="席を並べる").click()
    expect(page.locator("#arranging")).to_be_visible()


def save(page: Page) -> None:
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator("#arranging")).to_be_hidden()


def save_for(floor: Floor, cells: dict[str, Cell]) -> None:
    """Save as Tanaka does, from another page."""
    now = datetime.now(UTC)
    arranging.arrange(floor.main, cells, seats=list(cells), based_on=0, floor="f1", by="tanaka", now=now)


def laid_out(floor: Floor) -> dict[str, tuple[int, int]]:
    return {name: (cell.across, cell.down) for name, cell in layouts.read(floor.main).cells.items()}


def test_seats_are_laid_out_by_mouse_key_and_tap_and_shown_so_to_everybody(
    browser: Browser, floor: Floor, page: Page, tmp_path: Path
) -> None:
    busy_floor(floor)
    floor.hears("03", Label.THREAT, "ふざけるな、今すぐ上を出せ", warnings=1)
    wall = browser.new_page(viewport={"width": 1280, "height": 800}, locale="ja-JP")
    log_in(wall, floor, "tanaka")
    wall.goto(f"{floor.address}/wall/")
    begin(page)
    # Three across, as they stood before; an alert stays in sight meanwhile.
    expect(page.locator("#open .alert")).to_be_visible()
    drag(page, "01", seat(page, "03"))
    expect(page.locator("#arranged")).to_contain_text("1番席 と 3番席 を入れ替えました")
    drag(page, "08", spot(page, 4, 2))
    handle(page, "07").focus()
    page.keyboard.press("ArrowDown")
    expect(handle(page, "07")).to_have_attribute("aria-label", "7番席、左から1番目、上から4番目")
    handle(page, "05").click()
    expect(handle(page, "05")).to_have_attribute("aria-pressed", "true")
    spot(page, 4, 0).click()
    shot(page, tmp_path, "arranging-ja-1280")
    page.keyboard.press("Control+z")
    page.get_by_role("button", name="一つ戻す").click()
    expect(handle(page, "07")).to_have_attribute("aria-label", "7番席、左から1番目、上から3番目")
    page.keyboard.press("Escape")
    save(page)
    shot(page, tmp_path, "arranged-ja-1280")
    assert laid_out(floor) == {
        "03": (0, 0), "02": (1, 0), "01": (2, 0),
        "04": (0, 1), "05": (1, 1), "06": (2, 1),
        "07": (0, 2), "08": (4, 2),
    }  # fmt: skip
    [entry] = [entry for entry in audit.entries(floor.main) if entry.action == "floor.arranged"]
    assert entry.actor == "sato"
    order = "els => els.map((e) => e.dataset.seat)"
    assert page.locator(".seat").evaluate_all(order) == ["03", "02", "01", "04", "05", "06", "07", "08"]
    expect(wall.locator(".tile").first).to_have_attribute("data-seat", "03")
    assert middle(wall.locator(".tile[data-seat='01']"))[0] > middle(wall.locator(".tile[data-seat='03']"))[0]
    shot(wall, tmp_path, "arranged-wall-1280")
    wall.context.close()


def test_a_floor_in_two_rows_is_the_picture_of_the_readme(floor: Floor, page: Page, tmp_path: Path) -> None:
    busy_floor(floor)
    floor.hears("03", Label.THREAT, "お前の名前も職場も分かってるからな、夜道に気をつけろよ", warnings=1)
    floor.hears("06", Label.LIFE_SAFETY, "もう疲れました、薬をたくさん飲んで死のうと思って", ago_s=41)
    with writing(floor.main):
        for row in outbox.unsent(floor.main):
            outbox.mark_sent(floor.main, row.row_id, now=datetime.now(UTC))
    save_for(floor, {f"{n:02}": Cell(across=(n - 1) % 4, down=(n - 1) // 4 * 2) for n in range(1, 9)})
    expect(page.locator("#open .alert")).to_have_count(2)
    expect(seat(page, "03")).to_have_attribute("data-show", "suspected")
    places = {f"{n:02}": middle(seat(page, f"{n:02}")) for n in range(1, 9)}
    assert places["01"][1] == places["04"][1] < places["05"][1]
    assert places["04"][0] == places["08"][0]
    # docs/images/floor.png
    shot(page, tmp_path, "floor-map-ja-1280")


def test_the_map_is_shown_at_every_width_but_a_phones(floor: Floor, page: Page, tmp_path: Path) -> None:
    busy_floor(floor)
    cells = {f"{number:02}": Cell(across=(number - 1) % 4, down=(number - 1) // 4 * 2) for number in range(1, 8)}
    save_for(floor, cells | {"08": Cell(across=5, down=2)})
    for width, height in ((1280, 800), (1024, 768), (768, 1024)):
        page.set_viewport_size({"width": width, "height": height})
        page.reload()
        expect(seat(page, "08")).to_be_visible()
        at = {name: middle(seat(page, name)) for name in ("01", "02", "05", "07", "08")}
        assert at["01"][1] == at["02"][1]
        assert at["01"][0] == at["05"][0]
        # A column that is empty is a way between desks.
        assert at["08"][0] - at["07"][0] > at["02"][0] - at["01"][0]
        shot(page, tmp_path, f"arranged-ja-{width}")
        begin(page)
        for button in page.locator("#arranging button:visible, .handle:visible").all():
            box = button.bounding_box()
            assert box is not None
            assert for_a_finger(box)
        shot(page, tmp_path, f"arranging-ja-{width}")
        page.get_by_role("button", name="やめる").click()
    page.set_viewport_size({"width": 360, "height": 740})
    assert middle(seat(page, "01"))[0] == middle(seat(page, "08"))[0]
    expect(page.get_by_role("button", name="席を並べる")).to_be_hidden()
    shot(page, tmp_path, "arranged-ja-360", whole=True)


def test_a_finger_drags_a_seat_and_what_is_not_wanted_is_dropped_only_when_asked_for(floor: Floor, page: Page) -> None:
    busy_floor(floor)
    begin(page)
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": x, "y": y} for x, y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    start, end = middle(handle(page, "02")), middle(spot(page, 3, 0))
    touch("touchStart", start)
    for step in range(1, 6):
        touch("touchMove", (start[0] + (end[0] - start[0]) * step / 5, start[1] + (end[1] - start[1]) * step / 5))
    expect(spot(page, 3, 0)).to_have_attribute("data-target", "yes")
    touch("touchEnd")
    expect(handle(page, "02")).to_have_attribute("aria-label", "2番席、左から4番目、上から1番目")
    page.get_by_role("button", name="やめる").click()
    expect(page.locator("[data-question]")).to_contain_text("保存していない並びがあります")
    page.get_by_role("button", name="続ける").click()
    expect(handle(page, "02")).to_have_attribute("aria-label", "2番席、左から4番目、上から1番目")
    page.get_by_role("button", name="やめる").click()
    page.get_by_role("button", name="捨ててやめる").click()
    expect(page.locator("#arranging")).to_be_hidden()
    assert laid_out(floor) == {}


def test_of_two_who_arrange_at_once_the_later_is_told_and_chooses(
    browser: Browser, floor: Floor, page: Page, tmp_path: Path
) -> None:
    busy_floor(floor)
    other = browser.new_page(viewport={"width": 1280, "height": 800}, locale="ja-JP")
    log_in(other, floor, "tanaka")
    begin(page)
    begin(other)
    drag(page, "01", seat(page, "02"))
    drag(other, "01", seat(other, "06"))
    save(other)
    question = page.locator("[data-question]")
    expect(question).to_contain_text("田中 健 が別の並びを保存しています")
    shot(page, tmp_path, "arranging-ja-overtaken")
    question.get_by_role("button", name="相手の並びにする").click()
    expect(handle(page, "06")).to_have_attribute("aria-label", "6番席、左から1番目、上から1番目")
    page.get_by_role("button", name="一つ戻す").click()
    expect(handle(page, "02")).to_have_attribute("aria-label", "2番席、左から1番目、上から1番目")
    save(page)
    assert laid_out(floor)["02"] == (0, 0)
    expect(other.locator(".seat").first).to_have_attribute("data-seat", "02")
    other.context.close()


def test_whoever_saves_a_moment_after_somebody_else_is_refused_and_keeps_their_work(floor: Floor, page: Page) -> None:
    busy_floor(floor)
    begin(page)
    drag(page, "01", seat(page, "02"))

    def overtaken(route: Route) -> None:
        if route.request.method == "POST":
            save_for(floor, {"08": Cell(across=0, down=0)})
        route.continue_()

    page.route("**/arrange/", overtaken, times=1)
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator("#toast")).to_contain_text("田中 健 が席の並びを保存しています")
    expect(handle(page, "02")).to_have_attribute("aria-label", "2番席、左から1番目、上から1番目")
    assert laid_out(floor) == {"08": (0, 0)}
    page.get_by_role("button", name="自分の並びで上書きする").click()
    expect(page.locator("#arranging")).to_be_hidden()
    assert laid_out(floor)["02"] == (0, 0)
    actors = [entry.actor for entry in audit.entries(floor.main) if entry.action == "floor.arranged"]
    assert actors == ["tanaka", "sato"]
