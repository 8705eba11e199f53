"""The live feed: what is committed reaches every page, in order and without a gap."""

from __future__ import annotations

import json
import queue
from typing import Any

from edge_agent.domain.call import LineState, Speaker
from edge_agent.services import incidents
from edge_agent.store.live import LineStatus, LiveWords
from tests.builders import BOX, START
from tests.web_ui.conftest import Pages, in_call
from web_ui.feed import BACKLOG, RING, STALE_S, Subscriber
from web_ui.sight import Sight

Sent = list[tuple[str, str, Any]]


def connect(pages: Pages, last_id: str | None = None, *, limit: int = 9) -> tuple[Subscriber, list[bytes] | None]:
    connected = pages.context.feed.subscribe(last_id, limit=limit)
    assert connected is not None
    return connected


def read(wires: list[bytes]) -> Sent:
    sent = []
    for wire in wires:
        fields = dict(line.split(": ", 1) for line in wire.decode().strip().splitlines())
        sent.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return sent


def waiting(subscriber: Subscriber) -> Sent:
    wires = []
    while True:
        try:
            wire = subscriber.get(0.0)
        except queue.Empty:
            return read(wires)
        if wire is not None:
            wires.append(wire)


def spoken(sequence: int, text: str = "もしもし", *, final: bool = True) -> LiveWords:
    return LiveWords(
        call_id="call-1",
        seat="01",
        sequence=sequence,
        speaker=Speaker.CUSTOMER,
        text=text,
        final=final,
        start_s=0.0,
        end_s=1.0,
    )


def test_an_alert_reaches_every_page_with_its_reason_and_words(pages: Pages) -> None:
    pages.watch()
    pages.line(in_call())
    pages.tick()
    first, second = connect(pages)[0], connect(pages)[0]
    alert = pages.alert()
    pages.tick()
    for subscriber in (first, second):
        events = waiting(subscriber)
        assert [name for _, name, _ in events] == ["incident", "seat"]
        incident, seat = events[0][2], events[1][2]
        assert incident["reason"]["ja"] == alert.reason.ja
        assert incident["quotes"] == list(alert.quotes)
        assert seat["show"] == "suspected"


def test_only_what_has_changed_is_sent(pages: Pages) -> None:
    pages.watch()
    pages.line(in_call())
    pages.words(spoken(0), spoken(1, "えっと", final=False))
    pages.tick()
    connected = pages.context.feed.subscribe(None, limit=9, sight=Sight(hears="call-1"))
    assert connected is not None
    subscriber, _ = connected
    pages.words(spoken(1, "えっと、注文番号は"))
    pages.tick()
    ((_, name, payload),) = waiting(subscriber)
    assert name == "words"
    assert [(w["sequence"], w["text"], w["final"]) for w in payload["words"]] == [(1, "えっと、注文番号は", True)]


def test_nothing_is_sent_when_nothing_has_changed(pages: Pages) -> None:
    pages.watch()
    subscriber, _ = connect(pages)
    pages.tick()
    assert waiting(subscriber) == []


def test_a_page_that_was_away_gets_what_it_missed(pages: Pages) -> None:
    pages.watch()
    seen = pages.context.feed.last_id
    pages.line(in_call())
    pages.tick()
    pages.alert()
    pages.tick()
    _, missed = connect(pages, seen)
    assert missed is not None
    assert [name for _, name, _ in read(missed)] == ["seat", "incident", "seat"]


def test_a_page_that_missed_nothing_gets_nothing_twice(pages: Pages) -> None:
    pages.watch()
    pages.line(in_call())
    pages.tick()
    assert connect(pages, pages.context.feed.last_id)[1] == []


def test_a_page_that_was_away_too_long_gets_everything_anew(pages: Pages) -> None:
    pages.watch()
    seen = pages.context.feed.last_id
    for turn in range(RING + 1):
        pages.line(in_call(warnings=turn + 1))
        pages.tick()
    assert connect(pages, seen)[1] is None


def test_ids_of_another_start_and_nonsense_get_everything_anew(pages: Pages) -> None:
    pages.watch()
    for last_id in (None, "", "1", "deadbeef-1", "x-y-z", f"{pages.context.feed.last_id}9"):
        assert connect(pages, last_id)[1] is None


def test_a_page_that_does_not_keep_up_is_cut_off_and_the_others_are_not(pages: Pages) -> None:
    pages.watch()
    slow, quick = connect(pages)[0], connect(pages)[0]
    for turn in range(BACKLOG + 1):
        pages.line(in_call(warnings=turn + 1))
        pages.tick()
        waiting(quick)
    assert slow.is_cut
    assert not quick.is_cut
    assert pages.context.feed.streams == 1


def test_no_more_pages_are_connected_than_there_are_threads_for(pages: Pages) -> None:
    connect(pages, limit=1)
    assert pages.context.feed.subscribe(None, limit=1) is None


def test_when_the_agent_is_silent_the_pages_say_that_nobody_listens(pages: Pages) -> None:
    pages.watch()
    subscriber, _ = connect(pages)
    pages.tick(now_s=STALE_S + 1)
    assert waiting(subscriber)[-1][1:] == ("listening", {"listening": False})
    pages.line(LineStatus(seat="01", state=LineState.IDLE))
    pages.tick(now_s=STALE_S + 2)
    assert ("listening", {"listening": True}) in [event[1:] for event in waiting(subscriber)]


def test_what_a_panel_has_seen_and_what_a_person_does_is_sent_too(pages: Pages) -> None:
    alert = pages.alert()
    pages.watch()
    subscriber, _ = connect(pages)
    incidents.note_receipt(pages.main, alert_id=alert.alert_id, panel="wall", kind="seen", box=BOX, now=START)
    pages.tick()
    incidents.take(pages.main, alert.alert_id, box=BOX, by="supervisor", now=START)
    pages.tick()
    seen, taken = (payload for _, name, payload in waiting(subscriber) if name == "incident")
    assert seen["seen"] == 1
    assert taken["state"] == "taken"
    assert taken["taken_by"]["ja"] == "supervisorさん"


def test_sessions_are_looked_at_after_every_commit_to_the_main_database(pages: Pages) -> None:
    pages.watch()
    subscriber, _ = connect(pages)
    pages.alert()
    pages.tick()
    waiting_wires = []
    while True:
        try:
            waiting_wires.append(subscriber.get(0.0))
        except queue.Empty:
            break
    assert None in waiting_wires
