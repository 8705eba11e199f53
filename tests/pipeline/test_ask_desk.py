"""What integrations ask on the broker is done once, while it holds, and answered; what they tell is quoted nowhere."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.domain.caller import handle
from edge_agent.domain.pause import PauseSource
from edge_agent.pipeline.asks import AskDesk
from edge_agent.ports import Arrived
from edge_agent.provision.files import write_private
from edge_agent.services import integrations, topics
from edge_agent.settings import Paths, Settings
from edge_agent.store import announcements, audit, live, pauses
from edge_agent.store.database import open_live, open_main, writing
from edge_agent.store.live import LineState, LineStatus
from tests.builders import BOX, START, after
from tests.fakes import StandingClock
from tests.messages import wrong
from tests.web_ui.conftest import seats

NUMBER = "090-1234-5678"
KEY = b"k" * 32


class Desk:
    """A desk on real databases, and a telephone system that may speak for seats 01 and 02."""

    def __init__(self, folder: Path) -> None:
        paths = Paths(data=str(folder / "data"), run=str(folder / "run"))
        self.settings = Settings(box=BOX, paths=paths, seats=seats(3))
        self.clock = StandingClock(START)
        self.main, self.live = open_main(self.settings.data), open_live(self.settings.run)
        integrations.admit(self.main, name="pbx", seats=["01", "02"], by="it", now=START)
        write_private(self.settings.caller_key("agent"), KEY.hex())
        self.answers: list[tuple[str, str]] = []
        self.forgotten: list[str] = []
        self.number = 0
        self.desk = AskDesk(
            settings=self.settings,
            clock=self.clock,
            open_main=lambda: open_main(self.settings.data),
            open_live=lambda: open_live(self.settings.run),
            answer=lambda topic, payload: self.answers.append((topic, payload)),
            forget=self.forgotten.append,
        )

    def message(self, event: str = "started", **changes: Any) -> dict[str, Any]:
        self.number += 1
        now = self.clock.now()
        fields = {
            "schema": 1,
            "id": f"ask-{self.number:06}",
            "ask": "call",
            "event": event,
            "issued_at": now.isoformat(),
            "expires_at": after((now - START).total_seconds() + 60).isoformat(),
        }
        return {key: value for key, value in (fields | changes).items() if value is not ...}

    def ask(
        self, told: dict[str, Any] | bytes, *, seat: str = "01", name: str = "pbx", retained: bool = False
    ) -> dict[str, Any]:
        """Return the answer, which is as published."""
        payload = told if isinstance(told, bytes) else json.dumps(told).encode()
        topic = topics.ask(BOX, name, seat)
        self.desk.answer(self.main, self.live, Arrived(topic=topic, payload=payload, retained=retained))
        where, said = self.answers[-1]
        ask_id = told["id"] if isinstance(told, dict) and len(str(told.get("id", ""))) >= 8 else "unreadable"
        assert where == topics.answer(BOX, name, ask_id)
        assert wrong(where, said) == []
        answer: dict[str, Any] = json.loads(said)
        return answer


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.main.close()
    made.live.close()


def test_a_call_starts_and_ends_as_asked(desk: Desk) -> None:
    told = desk.message(caller=NUMBER)
    assert wrong(topics.ask(BOX, "pbx", "01"), json.dumps(told)) == []
    answer = desk.ask(told)
    known = announcements.find(desk.main, "01")
    assert known
    assert (known.by, known.caller, known.started_at) == ("pbx", handle(NUMBER, KEY), START)
    assert (answer["outcome"], answer["seat"]["call"], answer["seat"]["caller"]) == ("done", known.call_id, True)
    desk.clock.move(30)
    assert desk.ask(desk.message("ended"))["seat"]["call"] is None


def test_a_call_began_when_it_was_issued_or_when_it_is_said_to_have(desk: Desk) -> None:
    told = desk.message()
    desk.clock.move(5)
    assert desk.ask(told)["seat"]["since"] == START.isoformat()
    assert desk.ask(desk.message(at=after(2).isoformat()), seat="02")["seat"]["since"] == after(2).isoformat()


def test_an_ask_is_done_once_and_only_while_it_holds(desk: Desk) -> None:
    told = desk.message()
    assert desk.ask(told)["outcome"] == "done"
    desk.ask(desk.message("ended"))
    assert desk.ask(told)["reason"] == "repeated", "what somebody has heard cannot be said again"
    old = desk.message()
    desk.clock.move(60)
    assert desk.ask(old)["reason"] == "expired"
    assert desk.ask(desk.message(expires_at=after(1000).isoformat()))["reason"] == "expired", "it holds too long"
    assert desk.ask(desk.message(issued_at=after(95).isoformat()))["reason"] == "early"
    known = announcements.find(desk.main, "01")
    assert known
    assert not known.under_way


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": ...}, "malformed"),
        ({"id": "a/b/c/d/e/f"}, "malformed"),
        ({"ask": "hold"}, "malformed"),
        ({"ask": ["call"]}, "malformed"),
        ({"issued_at": ...}, "malformed"),
        ({"expires_at": "soon"}, "malformed"),
        ({"event": "begun"}, "malformed"),
        ({"caller": 9012345678}, "malformed"),
        ({NUMBER: 1}, "malformed"),
        ({"event": "ended"}, "not_started"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(desk: Desk, changes: dict[str, Any], reason: str) -> None:
    told = desk.message(**changes)
    readable = isinstance(told.get("id"), str) and "/" not in told["id"] and NUMBER not in told
    answer = desk.ask(told if readable else json.dumps(told).encode())
    assert (answer["outcome"], answer["reason"]) == ("refused", reason)
    assert answer["what"]["ja"]
    assert announcements.everything(desk.main) == []


@pytest.mark.parametrize("payload", [b"no json", b"[]", b"[" * 4000, b"\xff", b'{"pad": "' + b"x" * 5000 + b'"}'])
def test_what_cannot_be_read_is_answered_too(desk: Desk, payload: bytes) -> None:
    assert desk.ask(payload)["reason"] == "malformed"


def test_an_integration_speaks_for_its_own_seats_and_one_that_is_revoked_for_none(desk: Desk) -> None:
    assert desk.ask(desk.message(), seat="03")["reason"] == "not_your_seat"
    assert desk.ask(desk.message(), seat="99")["reason"] == "unknown_seat"
    assert desk.ask(desk.message(), name="panel-1")["reason"] == "not_added"
    announcements.remove_integration(desk.main, "pbx")
    assert desk.ask(desk.message())["reason"] == "not_added"
    assert announcements.everything(desk.main) == []


def test_an_ask_that_was_to_be_retained_is_refused_and_taken_off_the_broker(desk: Desk) -> None:
    assert desk.ask(desk.message(caller=NUMBER), retained=True)["reason"] == "retained"
    assert desk.forgotten == [topics.ask(BOX, "pbx", "01")]
    assert announcements.everything(desk.main) == []


def test_a_pause_begins_and_ends_as_asked_in_the_integrations_name(desk: Desk) -> None:
    with writing(desk.live):
        live.put_line(desk.live, LineStatus(seat="01", state=LineState.IDLE).in_call("call-1", START))
    answer = desk.ask(desk.message(ask="pause"))
    [pause] = pauses.everything(desk.main)
    assert (pause.by, pause.source, pause.call_id) == ("integration:pbx", PauseSource.INTEGRATION, "call-1")
    assert answer["seat"]["paused_until"] == after(300).isoformat()
    assert desk.ask(desk.message(ask="pause"))["outcome"] == "done", "asking again changes nothing"
    assert desk.ask(desk.message("ended", ask="pause"))["seat"]["paused_since"] is None
    assert desk.ask(desk.message("ended", ask="pause"))["outcome"] == "done"
    told = [(entry.action, entry.actor) for entry in audit.of(desk.main, "01")]
    assert told == [("pause.began", "integration:pbx"), ("pause.ended", "integration:pbx")]


def test_a_full_disk_is_said_and_the_next_ask_works_again(desk: Desk) -> None:
    desk.main.conn.execute("PRAGMA query_only=1")
    assert desk.ask(desk.message())["reason"] == "unavailable"
    desk.main.conn.execute("PRAGMA query_only=0")
    assert desk.ask(desk.message())["outcome"] == "done"


def test_no_number_is_answered_or_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    desk.ask(desk.message(caller=NUMBER))
    desk.ask(desk.message(caller=NUMBER, event=NUMBER))
    desk.ask(json.dumps({NUMBER: NUMBER}).encode())
    said = caplog.text + "".join(payload for _, payload in desk.answers)
    assert "ask.answered device=pbx" in said
    assert not [form for form in (NUMBER, "09012345678", "1234-5678") if form in said]


def test_other_messages_and_those_of_other_boxes_are_left_alone(desk: Desk) -> None:
    for topic, payload in (
        (topics.receipt(BOX, "a1", "panel-1"), b"{}"),
        ("mamori/v1/tokyo/f1/box2/ask/pbx/01", b"{}"),
        (topics.ask(BOX, "pbx", "01"), b""),
    ):
        desk.desk.take(Arrived(topic=topic, payload=payload))
    assert desk.desk._inbox.empty()
    desk.desk.take(Arrived(topic=topics.ask(BOX, "pbx", "01"), payload=b"{}"))
    assert not desk.desk._inbox.empty()
