"""Live words and line states are shown while a call lasts, and never kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.call import LineState, Speaker
from edge_agent.store import live
from edge_agent.store.database import Database, open_live, writing
from edge_agent.store.live import LineStatus, LiveWords
from tests.builders import START, words


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = open_live(tmp_path)
    yield database
    database.close()


def spoken(text: str, *, sequence: int = 0, call_id: str = "call-1", speaker: Speaker = Speaker.CUSTOMER) -> LiveWords:
    return LiveWords(
        call_id=call_id,
        seat="01",
        sequence=sequence,
        speaker=speaker,
        text=text,
        final=True,
        start_s=0.5,
        end_s=2.25,
    )


def put(db: Database, *all_words: LiveWords) -> None:
    with writing(db):
        for one in all_words:
            live.put_words(db, one)


def test_newer_words_of_an_utterance_take_the_place_of_older_ones(db: Database) -> None:
    put(db, spoken("あの"), spoken("あのすみません"), spoken("はい", sequence=1, speaker=Speaker.OPERATOR))
    assert [(w.text, w.speaker) for w in live.words(db, "call-1")] == [
        ("あのすみません", Speaker.CUSTOMER),
        ("はい", Speaker.OPERATOR),
    ]


def test_words_come_back_as_they_were_put(db: Database) -> None:
    put(db, spoken("あの"))
    assert live.words(db, "call-1") == [spoken("あの")]


def test_a_calls_words_are_gone_when_it_ends_and_the_others_stay(db: Database) -> None:
    put(db, spoken("きえる"), spoken("のこる", call_id="call-2"))
    with writing(db):
        live.forget_call(db, "call-1")
    assert live.words(db, "call-1") == []
    assert [w.text for w in live.words(db, "call-2")] == ["のこる"]


def test_nothing_is_left_after_a_new_start(db: Database) -> None:
    put(db, spoken("きえる"))
    with writing(db):
        live.put_line(db, LineStatus(seat="01", state=LineState.IN_CALL))
        live.forget_all(db)
    assert live.words(db, "call-1") == []
    assert live.lines(db) == []


def test_only_the_customers_words_are_marked_as_telling(db: Database) -> None:
    put(db, spoken("殺すぞ"), spoken("殺すぞ", sequence=1, speaker=Speaker.OPERATOR), spoken("はい", sequence=2))
    with writing(db):
        live.mark_telling(db, "call-1", ("殺すぞ",))
    assert [w.telling for w in live.words(db, "call-1")] == [True, False, False]


def test_a_line_comes_back_as_it_was_put(db: Database) -> None:
    status = LineStatus(
        seat="02",
        state=LineState.FAULT,
        call_id="call-1",
        since=START,
        fault=words("card gone"),
        dropped=3,
        warnings=2,
        complaint=True,
        life_safety=True,
        customer_level=-20.5,
        operator_level=-31.25,
    )
    with writing(db):
        live.put_line(db, LineStatus(seat="02", state=LineState.IDLE))
        live.put_line(db, status)
        live.put_line(db, LineStatus(seat="01", state=LineState.IDLE))
    assert live.lines(db) == [LineStatus(seat="01", state=LineState.IDLE), status]


def test_a_new_call_starts_without_the_last_ones_marks() -> None:
    old = LineStatus(seat="01", state=LineState.IN_CALL, call_id="a", warnings=2, complaint=True, life_safety=True)
    assert old.in_call("b", START) == LineStatus(seat="01", state=LineState.IN_CALL, call_id="b", since=START)
    assert old.idle() == LineStatus(seat="01", state=LineState.IDLE)


def test_a_fault_shows_the_call_under_way_on() -> None:
    faulty = LineStatus(seat="01", state=LineState.IN_CALL, call_id="a", since=START).faulty(words("card gone"))
    assert (faulty.state, faulty.call_id, faulty.since) == (LineState.FAULT, "a", START)
