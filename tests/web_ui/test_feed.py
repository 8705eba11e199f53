"""The live feed: what is committed reaches every page, in order and without a gap."""

from __future__ import annotations

import json
import queue
from dataclasses import replace
from typing import Any

from edge_agent.domain.call import LineState, Speaker
from edge_agent.services import incidents, sessions
from edge_agent.store import outbox, people
from edge_agent.store.database import writing
from edge_agent.store.live import LineStatus, LiveWords
from tests.builders import BOX, START
from tests.web_ui.conftest import Pages, in_call
from web_ui.feed import EQUIPMENT_S, RING, STALE_S
from web_ui.sight import Sight
from web_ui.streams import BACKLOG, Subscriber

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


def test_a_page_goes_with_its_session_and_others_stay(pages: Pages) -> None:
    now = pages.clock.now()
    supervisor = people.find(pages.main, "supervisor")
    assert supervisor is not None
    tokens = [sessions.open_for(pages.main, supervisor, sessions.Visitor(), now=now) for _ in range(2)]
    feed = pages.context.feed
    gone, staying = (feed.subscribe(None, limit=9, token=token) for token in tokens)
    assert gone is not None
    assert staying is not None
    sessions.end(pages.main, tokens[0], now=now)
    feed.look_at_sessions(pages.main)
    assert gone[0].is_cut
    assert not staying[0].is_cut


def test_a_page_whose_person_sees_something_else_now_comes_back_for_it(pages: Pages) -> None:
    supervisor = people.find(pages.main, "supervisor")
    assert supervisor is not None
    token = sessions.open_for(pages.main, supervisor, sessions.Visitor(), now=pages.clock.now())
    connected = pages.context.feed.subscribe(None, limit=9, token=token)
    assert connected is not None
    pages.context.feed.look_at_sessions(pages.main)
    assert not connected[0].is_cut
    with writing(pages.main):
        people.save(pages.main, replace(supervisor, groups=("west",)))
    pages.context.feed.look_at_sessions(pages.main)
    assert connected[0].is_cut


def test_a_session_that_runs_out_with_nobody_writing_anything_ends_its_page(pages: Pages) -> None:
    supervisor = people.find(pages.main, "supervisor")
    assert supervisor is not None
    token = sessions.open_for(pages.main, supervisor, sessions.Visitor(), now=pages.clock.now())
    connected = pages.context.feed.subscribe(None, limit=9, token=token)
    assert connected is not None
    pages.clock.move(sessions.longest(supervisor.role).total_seconds())
    pages.context.feed.look_at_sessions(pages.main)
    assert connected[0].is_cut


def test_open_pages_keep_their_sessions_alive_with_one_commit_for_all(pages: Pages) -> None:
    supervisor = people.find(pages.main, "supervisor")
    assert supervisor is not None
    tokens = [sessions.open_for(pages.main, supervisor, sessions.Visitor(), now=pages.clock.now()) for _ in range(20)]
    for token in tokens:
        pages.context.feed.subscribe(None, limit=20, token=token)
    pages.watch()
    before = pages._watching[0].version()
    pages.clock.move(sessions.TOUCH.total_seconds() * 2)
    pages.context.feed.look_at_sessions(pages.main)
    assert pages._watching[0].version() == before + 1
    assert {session.last_seen for session in people.sessions_of(pages.main, "supervisor")} == {
        pages.clock.now().isoformat()
    }


def test_messages_that_do_not_go_out_are_told_once_they_have_waited_too_long_and_again_when_they_have_gone(
    pages: Pages,
) -> None:
    pages.watch()
    subscriber, _ = connect(pages)
    pages.alert()
    pages.tick()
    assert "unsent" not in {event for _, event, _ in waiting(subscriber)}
    pages.clock.move(11)
    pages.tick(EQUIPMENT_S)
    rows = outbox.unsent(pages.main)
    assert [told for _, event, told in waiting(subscriber) if event == "unsent"] == [{"count": len(rows)}]
    assert f'"unsent":{len(rows)}' in pages.browser("viewer").get("/wall/").text
    with writing(pages.main):
        for row in rows:
            outbox.mark_sent(pages.main, row.row_id, now=pages.clock.now())
    pages.tick(EQUIPMENT_S)
    assert [told for _, event, told in waiting(subscriber) if event == "unsent"] == [{"count": 0}]
