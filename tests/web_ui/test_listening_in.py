"""Listening in: an act of its own, by right, seen by the operator, on record, and over when it is over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from edge_agent.domain.audit import AuditEntry, first_break
from edge_agent.domain.call import LineState, Speaker
from edge_agent.domain.roles import Right, Role, may
from edge_agent.errors import StoreError
from edge_agent.services import incidents, listening
from edge_agent.store import audit, listenings, people
from edge_agent.store.database import writing
from edge_agent.store.live import LineStatus, LiveWords
from tests.builders import BOX, after
from tests.web_ui.conftest import Browser, Pages, in_call
from web_ui import listen
from web_ui.sight import Sight
from web_ui.streams import LISTENERS, STREAMS

SECRET = "口座の番号は"
TOLD = "夜道に気をつけろよ"


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen, "LOOK_S", 0.0)


@pytest.fixture
def calling(pages: Pages) -> Pages:
    """A call in which something harmless and something telling was said, the latter without an incident so far."""
    pages.watch()
    pages.line(in_call())
    pages.words(spoken(SECRET, 0), spoken(TOLD, 1, telling=True))
    pages.tick()
    return pages


def spoken(text: str, sequence: int, *, telling: bool = False) -> LiveWords:
    return LiveWords(
        call_id="call-1",
        seat="01",
        sequence=sequence,
        speaker=Speaker.CUSTOMER,
        text=text,
        final=True,
        start_s=0.0,
        end_s=1.0,
        telling=telling,
    )


def opened(browser: Browser, call_id: str = "call-1") -> TestResponse:
    headers = {"Accept": "text/event-stream, application/json", "X-CSRFToken": browser.token}
    return browser.client.post(f"/listen/{call_id}", headers=headers, buffered=False)


def events(answer: TestResponse) -> Iterator[tuple[str, Any]]:
    """Yield what comes; a sign of life is a beat."""
    assert answer.status_code == 200
    for chunk in answer.response:
        assert isinstance(chunk, bytes)
        fields = dict(line.split(": ", 1) for line in chunk.decode().splitlines() if line and not line.startswith(":"))
        yield (fields["event"], json.loads(fields["data"])) if fields else ("beat", None)


def next_of(stream: Iterator[tuple[str, Any]], wanted: str) -> Any:
    return next(payload for name, payload in stream if name == wanted)


def records(pages: Pages) -> list[AuditEntry]:
    return [entry for entry in audit.entries(pages.main) if entry.action.startswith("listening.")]


def test_without_listening_in_a_supervisor_is_sent_no_word_but_those_of_an_open_alert(calling: Pages) -> None:
    page = calling.browser("supervisor").get("/").text
    assert SECRET not in page
    assert TOLD not in page
    calling.alert(quotes=(TOLD,))
    page = calling.browser("supervisor").get("/").text
    assert SECRET not in page
    assert '"telling":true,"alerted":true' in page


def test_the_words_of_an_alert_come_when_it_opens_whichever_is_seen_first(calling: Pages) -> None:
    connected = calling.context.feed.subscribe(None, limit=9, sight=Sight())
    assert connected is not None
    calling.alert(quotes=(TOLD,))
    calling.tick()
    sent = b"".join(wire for _ in range(3) if (wire := connected[0].get(0.0)))
    assert b"event: words" in sent
    assert SECRET.encode() not in sent


def test_the_words_of_an_incident_that_is_finished_are_not_shown_any_more(calling: Pages) -> None:
    alert = calling.alert(quotes=())
    browser = calling.browser("supervisor")
    assert TOLD in browser.get("/incidents/alert-1").text
    incidents.take(calling.main, alert.alert_id, box=BOX, by="supervisor", now=calling.clock.now())
    incidents.close(calling.main, alert.alert_id, box=BOX, by="supervisor", now=calling.clock.now())
    for path in ("/", "/incidents/alert-1"):
        assert TOLD not in browser.get(path).text


def test_whoever_listens_in_is_sent_all_words_so_far_and_those_to_come(calling: Pages) -> None:
    answer = opened(calling.browser("supervisor"))
    stream = events(answer)
    assert [w["text"] for w in next_of(stream, "words")["words"]] == [SECRET, TOLD]
    calling.words(spoken("四桁です", 2))
    calling.alert()
    calling.tick()
    assert [w["text"] for w in next_of(stream, "words")["words"]] == [TOLD, "四桁です"]
    answer.close()


def test_the_page_of_the_operator_and_all_others_show_it_for_as_long_as_it_lasts(calling: Pages) -> None:
    def shown() -> list[bool]:
        text = calling.browser("viewer").get("/").text
        start = json.loads(text.partition('id="start">')[2].partition("</script>")[0])
        return [seat["listened"] for seat in start["floor"]["seats"]]

    assert shown() == [False, False, False]
    answer = opened(calling.browser("supervisor"))
    assert shown() == [True, False, False]
    next(events(answer))
    answer.close()
    assert shown() == [False, False, False]


def test_it_is_on_record_who_listened_to_which_call_from_when_to_when_and_no_word(calling: Pages) -> None:
    began = calling.clock.now()
    answer = opened(calling.browser("supervisor"))
    next(events(answer))
    calling.clock.move(42)
    answer.close()
    first, last = records(calling)
    assert (first.action, first.actor, first.subject, first.at) == (
        "listening.began",
        "supervisor",
        "call-1",
        began.isoformat(),
    )
    assert (last.action, last.actor, last.subject, last.at) == (
        "listening.ended",
        "supervisor",
        "call-1",
        after(42).isoformat(),
    )
    assert last.detail == {
        "seat": "01",
        "listening": first.detail["listening"],
        "from": began.isoformat(),
        "to": after(42).isoformat(),
    }
    for entry in audit.entries(calling.main):
        assert SECRET not in repr(entry)
        assert TOLD not in repr(entry)
    assert first_break(audit.entries(calling.main)) is None


def test_it_ends_with_the_call(calling: Pages) -> None:
    answer = opened(calling.browser("supervisor"))
    stream = events(answer)
    next(stream)
    calling.line(LineStatus(seat="01", state=LineState.IDLE))
    assert next_of(stream, "over") == {"call_id": "call-1"}
    assert list(stream) == []
    answer.close()
    assert [entry.action for entry in records(calling)] == ["listening.began", "listening.ended"]
    assert listenings.everything(calling.live) == []


@pytest.mark.parametrize("changes", [{"role": Role.VIEWER}, {"groups": ("west",)}, {"must_change": True}])
def test_it_ends_when_the_right_to_it_does(calling: Pages, changes: dict[str, Any]) -> None:
    answer = opened(calling.browser("supervisor"))
    stream = events(answer)
    next(stream)
    found = people.find(calling.main, "supervisor")
    assert found is not None
    with writing(calling.main):
        people.save(calling.main, replace(found, **changes))
    next_of(stream, "over")
    answer.close()
    assert listenings.everything(calling.live) == []


@pytest.mark.parametrize("role", [role for role in Role if not may(role, Right.LISTEN_LIVE)])
def test_whoever_has_no_right_to_it_hears_nothing_and_nobody_is_shown_as_heard(calling: Pages, role: Role) -> None:
    browser = calling.browser(role.value)
    answer = opened(browser)
    assert answer.status_code == 403
    assert SECRET not in answer.text
    assert records(calling) == []
    assert listenings.everything(calling.live) == []


def test_it_is_not_begun_by_visiting_an_address_or_from_another_site(calling: Pages) -> None:
    browser = calling.browser("supervisor")
    assert browser.get("/listen/call-1").status_code == 405
    browser.token = "made up"
    assert opened(browser).status_code == 400
    assert records(calling) == []


def test_a_call_that_is_over_or_of_another_group_is_not_there(calling: Pages) -> None:
    browser = calling.browser("supervisor")
    assert opened(browser, "call-0").status_code == 404
    found = people.find(calling.main, "supervisor")
    assert found is not None
    with writing(calling.main):
        people.save(calling.main, replace(found, groups=("west",)))
    assert opened(browser).status_code == 404
    assert records(calling) == []


def test_a_floor_full_of_pages_keeps_nobody_from_listening_in_but_a_full_server_does(calling: Pages) -> None:
    browser = calling.browser("supervisor")
    most = STREAMS + LISTENERS
    for _ in range(STREAMS):
        assert calling.context.feed.subscribe(None, limit=most)
    answer = opened(browser)
    assert answer.status_code == 200
    answer.close()
    for _ in range(LISTENERS):
        assert calling.context.feed.subscribe(None, limit=most)
    began = records(calling)
    assert opened(browser).status_code == 503
    assert records(calling) == began


def test_nobody_listens_in_while_it_cannot_be_recorded(calling: Pages) -> None:
    calling.main.execute(f"PRAGMA max_page_count={calling.main.execute('PRAGMA page_count').fetchone()[0]}")
    line, by = in_call(), "x" * 100_000
    with pytest.raises(StoreError):
        listening.begin(calling.main, calling.live, line, by=by, now=calling.clock.now())
    assert listenings.everything(calling.live) == []


def test_what_a_killed_server_left_behind_is_ended_and_recorded_at_the_next_start(calling: Pages) -> None:
    listening.begin(calling.main, calling.live, in_call(), by="supervisor", now=calling.clock.now())
    listening.end_left_over(calling.main, calling.live, now=after(7))
    assert listenings.everything(calling.live) == []
    assert records(calling)[-1].detail["to"] == after(7).isoformat()


def test_a_seat_without_a_call_cannot_be_listened_in_on(calling: Pages) -> None:
    idle = LineStatus(seat="02", state=LineState.IDLE)
    with pytest.raises(ValueError, match="no call"):
        listening.begin(calling.main, calling.live, idle, by="supervisor", now=calling.clock.now())
