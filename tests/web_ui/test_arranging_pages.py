"""Arranging the floor: who may, what is sent, and what every page is told of it."""

from __future__ import annotations

import json
import queue
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from edge_agent.domain.roles import Right, Role, may
from edge_agent.store import audit, layouts, people
from edge_agent.store.database import writing
from edge_agent.store.live import LineState, LineStatus
from tests.web_ui.conftest import Browser, Pages
from web_ui.streams import Subscriber

JSON = {"Accept": "application/json"}
TWO = {"02": {"across": 0, "down": 0}, "01": {"across": 3, "down": 1}}


def saved(browser: Browser) -> dict[str, Any]:
    answer = browser.client.get("/arrange/", headers=JSON)
    assert answer.status_code == 200
    return dict(answer.get_json())


def save(browser: Browser, cells: object, version: object = 0) -> tuple[int, dict[str, Any]]:
    body = cells if isinstance(cells, str) else json.dumps(cells)
    form = {"csrf_token": browser.token, "version": str(version), "cells": body}
    answer = browser.client.post("/arrange/", data=form, headers=JSON)
    return answer.status_code, dict(answer.get_json())


def told(subscriber: Subscriber) -> list[tuple[str, Any]]:
    events = []
    with suppress(queue.Empty):
        while (wire := subscriber.get(0.0)) is not None:
            fields = dict(line.split(": ", 1) for line in wire.decode().strip().splitlines())
            events.append((fields["event"], json.loads(fields["data"])))
    return events


def test_what_is_saved_is_given_to_every_page_with_the_rest_below(pages: Pages) -> None:
    pages.watch()
    page = pages.context.feed.subscribe(None, limit=9)
    assert page is not None
    browser = pages.browser("supervisor")
    assert saved(browser)["cells"] == {}
    status, answer = save(browser, TWO)
    assert (status, answer["version"], answer["by"]) == (200, 1, "supervisorさん")
    pages.tick()
    events = told(page[0])
    assert events[0] == ("layout", {"version": 1})
    placed = TWO | {"03": {"across": 0, "down": 2}}
    assert {view["seat"]: view["cell"] for name, view in events if name == "seat"} == placed
    assert saved(pages.browser("administrator"))["cells"] == placed
    start = pages.browser("viewer").get("/").text.partition('id="start">')[2].partition("</script>")[0]
    assert [seat["cell"] for seat in json.loads(start)["floor"]["seats"]] == [placed[s] for s in ("01", "02", "03")]


def test_a_layout_made_from_an_older_one_is_refused_with_who_was_first(pages: Pages) -> None:
    browser = pages.browser("supervisor")
    assert save(pages.browser("administrator"), TWO)[0] == 200
    status, answer = save(browser, {"01": {"across": 0, "down": 0}})
    assert status == 409
    assert "administratorさん が席の並びを保存しています" in answer["what"]
    assert set(layouts.read(pages.main).cells) == set(TWO)
    assert save(browser, {"01": {"across": 0, "down": 0}}, saved(browser)["version"])[0] == 200
    assert [entry.actor for entry in audit.of(pages.main, "f1")] == ["administrator", "supervisor"]


def test_a_seat_the_agent_still_hears_can_be_laid_out_though_the_settings_have_lost_it(pages: Pages) -> None:
    pages.line(LineStatus(seat="09", state=LineState.IDLE))
    assert save(pages.browser("supervisor"), {"09": {"across": 0, "down": 0}})[0] == 200


@pytest.mark.parametrize("role", Role)
def test_the_page_offers_it_to_those_with_the_right(pages: Pages, role: Role) -> None:
    page = pages.browser(role.value).get("/", follow_redirects=True).text
    assert ('id="arrange"' in page) is may(role, Right.ARRANGE_FLOOR)


def test_whoever_sees_a_part_of_the_floor_does_not_arrange_all_of_it(pages: Pages) -> None:
    supervisor = people.find(pages.main, "supervisor")
    assert supervisor is not None
    with writing(pages.main):
        people.save(pages.main, replace(supervisor, groups=("east",)))
    browser = pages.browser("supervisor")
    assert 'id="arrange"' not in browser.get("/").text
    assert browser.client.get("/arrange/", headers=JSON).status_code == 403
    status, answer = save(browser, TWO)
    assert status == 403
    assert "フロア全体を担当する人だけ" in answer["what"]
    assert layouts.read(pages.main).version == 0


@pytest.mark.parametrize(
    ("cells", "version"),
    [("", 0), ("[]", 0), ('{"01": {"across": "a", "down": 0}}', 0), ("[" * 20_000, 0), ("{}", "x"), ("{}", 10**20)],
)
def test_what_cannot_be_read_is_refused(pages: Pages, cells: str, version: object) -> None:
    assert save(pages.browser("supervisor"), cells, version)[0] == 400


@pytest.mark.parametrize("across", [-1, 40, 2**70])
def test_a_seat_off_the_map_is_refused(pages: Pages, across: int) -> None:
    assert save(pages.browser("supervisor"), {"01": {"across": across, "down": 0}})[0] == 409
