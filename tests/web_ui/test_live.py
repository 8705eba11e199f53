"""The floor page and its stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from edge_agent.domain.call import LineState, Speaker
from edge_agent.store.live import LineStatus, LiveWords
from tests.builders import START
from tests.web_ui.conftest import Browser, Pages, in_call
from web_ui.streams import STREAMS

STREAM = {"Accept": "text/event-stream"}


def start_of(browser: Browser) -> dict[str, Any]:
    text = browser.get("/").text
    found: dict[str, Any] = json.loads(text.partition('id="start">')[2].partition("</script>")[0])
    return found


def stream(browser: Browser, path: str = "/events", **headers: str) -> Iterator[tuple[str, Any]]:
    answer = browser.client.get(path, headers=STREAM | headers, buffered=False)
    assert answer.status_code == 200
    assert answer.mimetype == "text/event-stream"
    for chunk in answer.response:
        assert isinstance(chunk, bytes)
        for block in chunk.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "event" in fields:
                yield fields["event"], json.loads(fields["data"])


def test_the_page_starts_with_the_floor_as_it_is_in_the_order_of_the_settings(pages: Pages) -> None:
    pages.line(in_call("02", warnings=1))
    pages.line(LineStatus(seat="01", state=LineState.IDLE))
    pages.words(
        LiveWords(
            call_id="call-1",
            seat="02",
            sequence=0,
            speaker=Speaker.CUSTOMER,
            text="夜道に気をつけろよ",
            final=True,
            start_s=0.0,
            end_s=1.0,
            telling=True,
        )
    )
    pages.alert(seat="02")
    floor = start_of(pages.browser("supervisor"))["floor"]
    assert [(seat["seat"], seat["show"]) for seat in floor["seats"]] == [
        ("01", "idle"),
        ("02", "suspected"),
        ("03", "waiting"),
    ]
    assert floor["seats"][1]["since"] == START.isoformat().replace("+00:00", "Z")
    assert floor["words"]["call-1"][0]["text"] == "夜道に気をつけろよ"


def test_a_viewer_is_given_no_buttons(pages: Pages) -> None:
    assert start_of(pages.browser("viewer"))["mayAct"] is False
    assert start_of(pages.browser("supervisor"))["mayAct"] is True


def test_the_stream_goes_on_from_where_the_page_was_made(pages: Pages) -> None:
    pages.watch()
    browser = pages.browser("supervisor")
    seen = start_of(browser)["seen"]
    pages.alert()
    pages.tick()
    name, incident = next(stream(browser, f"/events?after={seen}"))
    assert (name, incident["incident"]) == ("incident", "alert-1")


def test_the_last_event_id_of_a_browser_that_reconnects_counts_before_the_pages_own(pages: Pages) -> None:
    pages.watch()
    browser = pages.browser("supervisor")
    seen = start_of(browser)["seen"]
    pages.alert()
    pages.tick()
    latest = pages.context.feed.last_id
    name, _ = next(stream(browser, f"/events?after={seen}", **{"Last-Event-ID": latest}))
    assert name == "beat"


def test_a_page_unknown_to_this_start_of_the_server_gets_the_whole_floor(pages: Pages) -> None:
    pages.watch()
    pages.alert()
    pages.tick()
    name, everything = next(stream(pages.browser("supervisor"), **{"Last-Event-ID": "0000-7"}))
    assert name == "floor"
    assert [incident["incident"] for incident in everything["floor"]["incidents"]] == ["alert-1"]


def test_a_page_that_comes_before_the_first_look_gets_the_floor_as_it_is(pages: Pages) -> None:
    pages.alert()
    name, everything = next(stream(pages.browser("supervisor")))
    assert name == "floor"
    assert [incident["incident"] for incident in everything["floor"]["incidents"]] == ["alert-1"]


def test_the_stream_ends_with_its_session(pages: Pages) -> None:
    pages.watch()
    browser = pages.browser("supervisor")
    events = stream(browser)
    assert next(events)[0] == "floor"
    assert next(events)[0] == "beat"
    browser.get("/")
    browser.post("/logout")
    pages.tick()
    assert list(events) == []


def test_a_stream_that_has_ended_makes_room_for_another(pages: Pages) -> None:
    browser = pages.browser("supervisor")
    taken = [pages.context.feed.subscribe(None, limit=STREAMS) for _ in range(STREAMS)]
    assert browser.client.get("/events", headers=STREAM).status_code == 503
    # A browser is not told why its stream was refused; the page asks here, and shows what it is told.
    full = browser.client.get("/alive", headers={"Accept": "application/json"})
    assert full.status_code == 503
    assert str(STREAMS) in full.get_json()["what"]
    assert taken[0] is not None
    pages.context.feed.unsubscribe(taken[0][0])
    answer = browser.client.get("/events", headers=STREAM, buffered=False)
    assert answer.status_code == 200
    answer.close()
    assert pages.context.feed.streams == STREAMS - 1


def test_the_stream_ends_when_the_server_stops(pages: Pages) -> None:
    pages.watch()
    events = stream(pages.browser("supervisor"))
    next(events)
    pages.context.feed.close()
    assert len(list(events)) <= 2


def test_a_page_can_ask_whether_its_session_holds(pages: Pages) -> None:
    assert pages.browser("viewer").get("/alive").status_code == 204
    assert pages.browser().client.get("/alive", headers={"Accept": "application/json"}).status_code == 401
