"""The floor on the wall: everybody in the room reads it, so it shows no words, whoever has logged in."""

from __future__ import annotations

import json

import pytest

from edge_agent.domain.roles import Right, Role, may
from tests.web_ui.conftest import Pages, in_call
from tests.web_ui.test_rights import SECRET, spoken

STREAM = {"Accept": "text/event-stream"}


@pytest.mark.parametrize("role", [role for role in Role if may(role, Right.SEE_FLOOR)])
def test_the_wall_shows_seats_and_alerts_and_no_words_to_anybody(pages: Pages, role: Role) -> None:
    pages.line(in_call())
    pages.words(spoken(SECRET))
    pages.alert(quotes=(SECRET,), telling=(((0, 2),),))
    browser = pages.browser(role.value)
    text = browser.get("/wall/").text
    start = json.loads(text.partition('id="start">')[2].partition("</script>")[0])
    assert [seat["show"] for seat in start["floor"]["seats"]] == ["suspected", "waiting", "waiting"]
    assert [incident["incident"] for incident in start["floor"]["incidents"]] == ["alert-1"]
    assert SECRET not in text
    stream = browser.client.get("/events?words=none", headers=STREAM, buffered=False)
    everything = next(iter(stream.response))
    assert b"alert-1" in everything
    assert SECRET.encode() not in everything
    stream.close()


def test_what_comes_later_brings_no_words_to_the_wall_and_its_stream_goes_on(pages: Pages) -> None:
    pages.watch()
    pages.line(in_call())
    pages.tick()
    browser = pages.browser("supervisor")
    path = f"/events?words=none&after={pages.context.feed.last_id}"
    stream = iter(browser.client.get(path, headers=STREAM, buffered=False).response)
    next(stream)
    pages.words(spoken(SECRET))
    pages.alert(quotes=(SECRET,))
    pages.tick()
    seen = [next(stream) for _ in range(3)]
    assert any(b"event: incident" in wire for wire in seen)
    assert any(b"event: seat" in wire for wire in seen)
    assert not any(SECRET.encode() in wire for wire in seen)


@pytest.mark.parametrize("role", [role for role in Role if not may(role, Right.SEE_FLOOR)])
def test_whoever_may_not_see_the_floor_does_not_see_the_wall(pages: Pages, role: Role) -> None:
    assert pages.browser(role.value).get("/wall/").status_code == 403
