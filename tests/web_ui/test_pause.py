"""A pause for a card number, begun and ended by a button of the pages, and shown on them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from edge_agent.domain.pause import PauseSource
from edge_agent.store import audit, pauses
from tests.builders import START, after
from tests.web_ui.conftest import Browser, Pages, in_call

if TYPE_CHECKING:
    from werkzeug.test import TestResponse


def ask(browser: Browser, wish: str, *, seat: str = "01") -> TestResponse:
    headers = {"Accept": "application/json", "X-CSRFToken": browser.token}
    return browser.client.post(f"/seat/{seat}/pause", data={"wish": wish}, headers=headers)


def test_an_operator_begins_and_ends_a_pause(pages: Pages) -> None:
    pages.line(in_call("01"))
    browser = pages.browser("operator")
    assert ask(browser, "begin").json == {"seat": "01", "paused": True, "until": after(300).isoformat()}
    [pause] = pauses.everything(pages.main)
    assert (pause.by, pause.source, pause.call_id) == ("operator", PauseSource.PAGE, "call-1")
    assert ask(browser, "end").json == {"seat": "01", "paused": False, "until": None}
    assert [entry.action for entry in audit.of(pages.main, "01")] == ["pause.began", "pause.ended"]


def test_without_scripts_the_answer_leads_back_and_says_what_happened(pages: Pages) -> None:
    browser = pages.browser("supervisor")
    browser.get("/")
    assert browser.post("/seat/01/pause", wish="begin").status_code == 303
    assert len(pauses.everything(pages.main)) == 1


@pytest.mark.parametrize("who", ["viewer", "auditor", "trainer"])
def test_others_pause_nobody(pages: Pages, who: str) -> None:
    assert ask(pages.browser(who), "begin").status_code == 403
    assert pauses.everything(pages.main) == []


def test_an_unknown_seat_or_wish_is_refused(pages: Pages) -> None:
    browser = pages.browser("supervisor")
    assert ask(browser, "begin", seat="99").status_code == 404
    assert ask(browser, "toggle").status_code == 400
    assert ask(Browser(pages.app.test_client()), "begin").status_code in {400, 401}
    assert pauses.everything(pages.main) == []


def test_the_floor_page_is_told_of_a_pause_and_its_end(pages: Pages) -> None:
    pages.line(in_call("01", paused_since=START, paused_until=after(300)))
    shown = _seat(pages, "01")
    assert (shown["paused_since"], shown["pause_cut"]) == ("2026-11-23T01:00:00Z", False)
    pages.line(in_call("01", pause_cut=True))
    shown = _seat(pages, "01")
    assert (shown["paused_since"], shown["pause_cut"]) == (None, True)


def _seat(pages: Pages, seat: str) -> dict[str, Any]:
    page = pages.browser("supervisor").get("/").text
    start = json.loads(re.search(r'id="start">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    found: dict[str, Any] = next(view for view in start["floor"]["seats"] if view["seat"] == seat)
    return found
