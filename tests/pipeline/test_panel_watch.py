"""With the agent dead, a panel that comes is told the calls for help that are open, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.device import ALIVE_S, MISSING_S, DeviceKind
from edge_agent.pipeline.catching_up import CATCHING_UP_S, PanelWatch
from edge_agent.ports import Arrived
from edge_agent.services import incidents, topics
from edge_agent.services.devices import register
from edge_agent.store import outbox
from edge_agent.store.database import open_main
from tests.builders import BOX, START, an_alert
from tests.fakes import StandingClock

ALIVE = topics.alive(BOX, "panel-1")
HERE, GONE = '{"state":"online"}', '{"state":"offline"}'
WANTS = '{"state":"online","wants":"under-way"}'


class Desk:
    """The watch of the buttons' process on a real database with one suspicion and one call for help."""

    def __init__(self, data: Path) -> None:
        self.db = open_main(data)
        self.passed_s = 0.0
        for name, kind in (("panel-1", DeviceKind.PANEL), ("home", DeviceKind.HOME_ASSISTANT)):
            register(self.db, name=name, kind=kind, by="it", now=START)
        incidents.open_incident(self.db, an_alert("suspected"), box=BOX, now=START)
        self.call("help-1")
        self.start()

    def start(self) -> None:
        self.watch = PanelWatch(
            box=BOX,
            clock=StandingClock(START),
            owner=outbox.BUTTONS,
            open_database=lambda: self.db,
            monotonic=lambda: self.passed_s,
        )

    def call(self, name: str) -> None:
        incidents.open_incident(self.db, an_alert(name, kind=AlertKind.HELP, quotes=(), types=()), box=BOX, now=START)

    def says(self, payload: str = HERE, topic: str = ALIVE) -> list[str]:
        """Return the alerts somebody alone is told of once this has come."""
        before = {row.row_id for row in outbox.unsent(self.db)}
        self.watch.take(Arrived(topic=topic, payload=payload.encode()))
        self.watch.step(self.db)
        rows = [row for row in outbox.unsent(self.db) if row.row_id not in before]
        assert rows == [row for row in outbox.unsent(self.db, owner=outbox.BUTTONS) if row.row_id not in before]
        return [row.topic.removeprefix(f"{topics.base(BOX)}/") for row in rows]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.db.close()


def test_a_panel_that_comes_is_told_the_calls_for_help_once_and_nothing_else(desk: Desk) -> None:
    assert desk.says() == ["alert/help-1/panel-1"]
    for _ in range(6):
        desk.passed_s += ALIVE_S
        assert desk.says() == []


def test_a_panel_that_went_and_came_back_or_fell_silent_is_told_again(desk: Desk) -> None:
    desk.says()
    desk.passed_s += CATCHING_UP_S
    assert desk.says(GONE) == []
    assert desk.says() == ["alert/help-1/panel-1"]
    desk.passed_s += MISSING_S + 1
    assert desk.says() == ["alert/help-1/panel-1"]


def test_a_panel_that_asks_again_at_once_is_told_later_and_with_what_has_come_meanwhile(desk: Desk) -> None:
    assert desk.says(WANTS) == ["alert/help-1/panel-1"]
    assert desk.says(WANTS) == []
    desk.call("help-2")
    desk.passed_s += CATCHING_UP_S
    assert desk.says() == ["alert/help-1/panel-1", "alert/help-2/panel-1"]


def test_whoever_is_heard_after_the_process_was_killed_is_told_although_nobody_saw_it_come(desk: Desk) -> None:
    desk.says()
    desk.start()
    assert desk.says() == ["alert/help-1/panel-1"]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (topics.alive(BOX, "home"), WANTS),
        (topics.alive(BOX, "stranger"), WANTS),
        ("mamori/v1/other/f1/box1/device/panel-1/alive", WANTS),
        (topics.lamp_status(BOX, "panel-1"), WANTS),
        (ALIVE, '{"state":"offline","wants":"under-way"}'),
        (ALIVE, "no json"),
        (ALIVE, "[1]"),
        (ALIVE, "{}"),
    ],
)
def test_what_shows_no_alerts_and_what_cannot_be_read_is_told_nothing(desk: Desk, topic: str, payload: str) -> None:
    assert desk.says(payload, topic) == []
