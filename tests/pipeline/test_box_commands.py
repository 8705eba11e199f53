"""What a console tells the box: obeyed once, while it holds; everything else refused, answered and on record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.domain.device import DeviceKind
from edge_agent.pipeline.box_commands import BoxCommands
from edge_agent.ports import Arrived
from edge_agent.services import topics
from edge_agent.services.devices import note_presence, register
from edge_agent.settings import Seat, Settings
from edge_agent.settings_buttons import Button
from edge_agent.store import audit, buttons, outbox
from edge_agent.store.database import open_main
from tests.builders import BOX, START, after
from tests.fakes import StandingClock
from tests.messages import wrong

SETTINGS = Settings(
    box=BOX,
    seats=(Seat(seat="01", label_ja="x", label_en="x", device="tap"),),
    buttons=(Button(name="desk-01", seat="01", kind="virtual"),),
)


class Floor:
    def __init__(self, data: Path) -> None:
        self.db = open_main(data)
        self.clock = StandingClock(START)
        self.box = BoxCommands(settings=SETTINGS, clock=self.clock, open_database=lambda: open_main(data))
        kinds = {"panel-1": DeviceKind.PANEL, "panel-2": DeviceKind.PANEL, "desk-1": DeviceKind.LAMP}
        for name, kind in kinds.items():
            register(self.db, name=name, kind=kind, by="it", now=START)
        note_presence(self.db, {"panel-1": (START, True), "desk-1": (START, True)}, now=START)

    def says(self, command: str = "test-panels", *, topic: str | None = None, **changes: Any) -> None:
        now = self.clock.now()
        fields = {"schema": 1, "id": "c1", "command": command, "issued_at": now.isoformat()}
        message = fields | {"expires_at": after((now - START).total_seconds() + 60).isoformat()} | changes
        told = topic or topics.box_command(BOX, command, "console-1")
        self.box.take(Arrived(topic=told, payload=json.dumps(message).encode()))
        self.box.step(self.db)

    def answers(self) -> list[tuple[str, str, str]]:
        """Id, outcome and reason of every answer."""
        rows = [row for row in outbox.unsent(self.db) if "/result/" in row.topic]
        assert [problem for row in rows for problem in wrong(row.topic, row.payload)] == []
        told = [(row.topic.split("/"), json.loads(row.payload)) for row in rows]
        assert {topic[-1] for topic, _ in told} <= {"box"}
        return [(topic[-2], message["outcome"], message["reason"]) for topic, message in told]

    def tested(self) -> list[str]:
        return [row.topic.split("/")[-2] for row in outbox.unsent(self.db) if "/cmd/" in row.topic]


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    floor = Floor(tmp_path)
    yield floor
    floor.db.close()


def test_panels_that_are_there_are_tested_in_the_name_of_the_console(floor: Floor) -> None:
    floor.says()
    assert floor.tested() == ["panel-1"]
    assert floor.answers() == [("c1", "done", "")]
    [given] = [e for e in audit.of(floor.db, "panel-1") if e.action == "command.given"]
    [done] = audit.of(floor.db, "box")
    assert given.actor == done.actor == "console:console-1"
    assert (done.action, done.detail["command"], done.detail["count"]) == ("command.done", "test-panels", "1")


def test_the_daily_test_of_all_buttons_begins(floor: Floor) -> None:
    floor.says("test-buttons")
    state = buttons.find(floor.db, "desk-01")
    assert state is not None
    assert state.test_until is not None
    assert floor.answers() == [("c1", "done", "")]


def test_a_replay_is_refused_answered_and_on_record(floor: Floor, caplog: pytest.LogCaptureFixture) -> None:
    floor.says()
    floor.says()
    assert floor.tested() == ["panel-1"]
    assert floor.answers() == [("c1", "done", ""), ("c1", "refused", "repeated")]
    [*_, last] = audit.of(floor.db, "box")
    assert (last.action, last.detail["reason"]) == ("command.refused", "repeated")
    assert "command.refused device=console-1 state=repeated" in caplog.text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expires_at": START.isoformat()}, "expired"),
        ({"expires_at": after(3600).isoformat()}, "expired"),
        ({"issued_at": after(-100).isoformat(), "expires_at": after(100).isoformat()}, "expired"),
        ({"issued_at": after(100).isoformat(), "expires_at": after(160).isoformat()}, "early"),
        ({"topic": topics.box_command(BOX, "test-buttons", "console-1")}, "unreadable"),
        ({"id": "../../x"}, "unreadable"),
        ({"id": "x" * 65}, "unreadable"),
        ({"issued_at": "2026-11-23T01:00:00"}, "unreadable"),
        ({"expires_at": None}, "unreadable"),
    ],
)
def test_what_does_not_hold_or_cannot_be_read_is_refused(floor: Floor, changes: dict[str, Any], reason: str) -> None:
    floor.says(**changes)
    assert floor.tested() == []
    assert [(outcome, why) for _, outcome, why in floor.answers()] == [("refused", reason)]


def test_a_command_nobody_knows_is_refused_and_its_name_not_repeated_in_the_records(floor: Floor) -> None:
    floor.says("stop-listening")
    assert floor.answers() == [("c1", "refused", "unknown")]
    [entry] = audit.of(floor.db, "box")
    assert entry.detail["command"] == "-"


@pytest.mark.parametrize("payload", [b"", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_no_payload_breaks_it(floor: Floor, payload: bytes) -> None:
    floor.box.take(Arrived(topic=topics.box_command(BOX, "test-panels", "console-1"), payload=payload))
    floor.box.step(floor.db)
    assert floor.answers() == [("unreadable", "refused", "unreadable")]


def test_commands_to_devices_and_to_another_box_are_not_its_own(floor: Floor) -> None:
    other = topics.box_command(BOX, "test-panels", "console-1").replace("/box1/", "/box2/")
    for topic in (topics.command(BOX, "panel-1", "show-test"), other):
        floor.says(topic=topic)
    assert floor.answers() == []
    assert audit.of(floor.db, "box") == []
