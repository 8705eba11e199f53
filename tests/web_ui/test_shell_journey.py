"""The shell in a real browser: installed, cut off, loud, and back."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.web_ui.test_floor_journey import Floor, browser, busy_floor, floor, log_in, shot
from web_ui.serve import make_server

__all__ = ["browser", "floor"]
pytestmark = pytest.mark.journey

KEPT = "async () => (await Promise.all((await caches.keys()).map(async (n) => (await (await caches.open(n)).keys()).map((r) => new URL(r.url).pathname)))).flat()"  # noqa: E501 - one expression for the browser


def watched(page: Page) -> list[str]:
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda message: trouble.append(message.text) if "Content Security" in message.text else None)
    return trouble


def test_a_tablet_whose_box_is_gone_says_so_loudly_and_comes_back_to_where_it_was(
    browser: Browser, floor: Floor, tmp_path: Path
) -> None:
    busy_floor(floor)
    context = browser.new_context(viewport={"width": 1024, "height": 768}, locale="ja-JP", timezone_id="Asia/Tokyo")
    page = context.new_page()
    trouble = watched(page)
    log_in(page, floor, "sato")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    assert page.evaluate("document.querySelector('link[rel=manifest]').href").endswith("/manifest.webmanifest")
    assert sorted(page.evaluate(KEPT)) == [
        "/offline",
        "/static/js/contact.js",
        "/static/js/offline.js",
        "/static/mamori.svg",
        "/static/shell.css",
    ]

    # The box itself stops: the open page says so, and so does one that is opened anew.
    floor.server.stop()
    floor.threads[0].join()
    expect(page.locator("#cut-off")).to_contain_text("接続が切れています", timeout=15_000)
    expect(page.locator("#cut-off")).to_contain_text("秒前")
    page.goto(f"{floor.address}/incidents/")
    expect(page.locator("h1")).to_have_text("切断されています")
    expect(page.locator("[data-contact]").first).to_contain_text(":")
    expect(page.locator("body")).not_to_contain_text("番席")
    shot(page, tmp_path, "shell-offline-1024")

    floor.server = make_server(floor.app, floor.settings)
    floor.threads[0] = threading.Thread(target=floor.server.serve)
    floor.threads[0].start()
    expect(page.locator("#back")).to_be_visible(timeout=10_000)
    shot(page, tmp_path, "shell-back-1024")
    expect(page.locator(".listing, .empty").first).to_be_visible(timeout=10_000)
    assert page.url.endswith("/incidents/")
    # Nothing of the floor was kept meanwhile.
    assert all(path == "/offline" or path.startswith("/static/") for path in page.evaluate(KEPT))
    context.close()
    assert not trouble


def test_a_live_page_shows_that_it_is_connected_again(browser: Browser, floor: Floor, tmp_path: Path) -> None:
    busy_floor(floor)
    context = browser.new_context(viewport={"width": 1024, "height": 768}, locale="ja-JP")
    page = context.new_page()
    trouble = watched(page)
    log_in(page, floor, "sato")
    context.set_offline(True)
    expect(page.locator("#cut-off")).to_be_visible(timeout=15_000)
    context.set_offline(False)
    expect(page.locator("#back")).to_contain_text("つながりました", timeout=15_000)
    expect(page.locator("#cut-off")).to_be_hidden()
    shot(page, tmp_path, "floor-ja-1024-back")
    expect(page.locator("#back")).to_be_hidden(timeout=10_000)
    context.close()
    assert not trouble
