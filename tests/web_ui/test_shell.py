"""The installable shell: the same for everybody, without data, and complete."""

from __future__ import annotations

import json
import struct

import pytest

from edge_agent.settings import Seat
from tests.web_ui.conftest import Pages
from web_ui.shell import FOLDER, ICONS, icon

SHELL = ("/manifest.webmanifest", "/service-worker.js", "/offline", "/reach")


@pytest.mark.parametrize("path", SHELL)
def test_the_shell_needs_no_session_opens_no_database_and_sets_no_cookie(pages: Pages, path: str) -> None:
    pages.main.execute("DROP TABLE sessions")
    browser = pages.browser()
    browser.client.set_cookie("__Host-mamori", "any", domain="localhost", secure=True)
    answer = browser.get(path)
    assert answer.status_code in {200, 204}
    assert "Set-Cookie" not in answer.headers
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_manifest_names_icons_that_are_there_in_the_sizes_it_says(pages: Pages) -> None:
    browser = pages.browser()
    manifest = json.loads(browser.get("/manifest.webmanifest").text)
    assert (manifest["display"], manifest["start_url"], manifest["scope"], manifest["lang"]) == (
        "standalone",
        "/",
        "/",
        "ja",
    )
    assert len(manifest["icons"]) == len(ICONS)
    for entry, (size, purpose) in zip(manifest["icons"], ICONS, strict=True):
        with browser.get(entry["src"]) as answer:
            picture = answer.data
        assert picture.startswith(b"\x89PNG")
        assert struct.unpack(">II", picture[16:24]) == (size, size)
        assert entry["sizes"] == f"{size}x{size}"
        assert (FOLDER / "static" / icon(size, purpose)).is_file()


def test_the_worker_keeps_the_offline_page_and_its_parts_and_nothing_else(pages: Pages) -> None:
    browser = pages.browser()
    answer = browser.get("/service-worker.js")
    assert answer.mimetype == "text/javascript"
    kept = json.loads(answer.text.partition("KEPT = ")[2].partition(";")[0])
    assert kept[0] == "/offline"
    assert all(path == "/offline" or path.startswith("/static/") for path in kept)
    page = browser.get("/offline").text
    for path in kept:
        with browser.get(path) as part:
            assert part.status_code == 200
    # What the page loads is kept, so that it looks the same without the box.
    for name in ("shell.css", "js/offline.js", "mamori.svg"):
        assert f"/static/{name}" in page
        assert f"/static/{name}" in kept


def test_the_offline_page_holds_both_languages_and_nothing_of_the_box(pages: Pages) -> None:
    page = pages.browser("supervisor").get("/offline").text
    assert "切断されています" in page
    assert "Disconnected" in page
    for secret in ("csrf", "supervisor", pages.settings.box.site, *(labels(pages.settings.seats))):
        assert secret not in page


def labels(seats: tuple[Seat, ...]) -> list[str]:
    return [seat.label_ja for seat in seats]


def test_the_manifest_is_in_the_language_of_whoever_installs_it(pages: Pages) -> None:
    browser = pages.browser()
    browser.get("/login?language=en")
    assert json.loads(browser.get("/manifest.webmanifest").text)["lang"] == "en"
