"""Devices say that they are there; silence is noticed, and Home Assistant is told of lines and forgets them again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.domain.device import MISSING_S, DeviceKind, Presence
from edge_agent.errors import Text
from edge_agent.pipeline.catching_up import CATCHING_UP_S, TOLD_AT_ONCE
from edge_agent.pipeline.devices import FLUSH_S, DeviceWatch
from edge_agent.pipeline.discovery import Discovery
from edge_agent.ports import Arrived
from edge_agent.services import home_assistant, topics
from edge_agent.services.devices import give_test, register, revoke
from edge_agent.services.incidents import open_incident
from edge_agent.store import audit, devices, outbox
from edge_agent.store.database import open_main
from tests.builders import BOX, START, after, an_alert
from tests.fakes import StandingClock
from tests.messages import wrong


class Floor:
    """A watch on a real database, with a clock that stands."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.it = open_main(data)
        self.db = open_main(data)
        self.clock = StandingClock(START)
        self.passed = 0.0
        self.watch = self.new_watch()

    def new_watch(self) -> DeviceWatch:
        """A watch as after a start of the agent."""
        self.watch = DeviceWatch(
            box=BOX, clock=self.clock, open_database=lambda: open_main(self.data), monotonic=lambda: self.passed
        )
        return self.watch

    def after(self, seconds: float) -> None:
        self.clock.move(seconds)
        self.passed += seconds
        self.watch.step(self.db)

    def says(self, topic: str, payload: str = '{"state":"online"}') -> None:
        self.watch.take(Arrived(topic=topic, payload=payload.encode()))
        self.watch.step(self.db)

    def presence(self, name: str = "panel-1") -> Presence:
        device = devices.find(self.it, name)
        assert device is not None
        return device.presence

    def told(self) -> list[str]:
        """The alerts of which panel-1 alone has been told."""
        rows = outbox.unsent(self.it)
        return [row.topic.split("/")[-2] for row in rows if row.topic.endswith("/panel-1") and "/alert/" in row.topic]

    def close(self) -> None:
        self.it.close()
        self.db.close()


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    floor = Floor(tmp_path)
    register(floor.it, name="panel-1", kind=DeviceKind.PANEL, by="it", now=START)
    register(floor.it, name="desk-1", kind=DeviceKind.LAMP, by="it", now=START)
    yield floor
    floor.close()


ALIVE = topics.alive(BOX, "panel-1")


def test_a_panel_is_there_at_its_first_sign_and_missing_after_ninety_seconds_of_silence(floor: Floor) -> None:
    floor.says(ALIVE)
    assert floor.presence() is Presence.CONNECTED
    floor.after(MISSING_S)
    assert floor.presence() is Presence.CONNECTED
    floor.after(1)
    assert floor.presence() is Presence.MISSING
    floor.says(ALIVE)
    assert floor.presence() is Presence.CONNECTED


def test_a_panel_that_goes_on_saying_so_stays_and_little_is_written(floor: Floor) -> None:
    floor.says(ALIVE)
    version = floor.it.version()
    for _ in range(4):
        floor.after(MISSING_S / 9)
        floor.says(ALIVE)
    assert floor.presence() is Presence.CONNECTED
    assert floor.passed > FLUSH_S
    assert floor.it.version() != version
    device = devices.find(floor.it, "panel-1")
    assert device is not None
    assert device.last_seen is not None
    assert device.last_seen > START
    assert len(audit.of(floor.it, "panel-1")) == 2


def test_a_goodbye_or_last_will_is_believed_at_once(floor: Floor) -> None:
    floor.says(ALIVE)
    floor.says(ALIVE, '{"state":"offline"}')
    assert floor.presence() is Presence.MISSING


WANTS = '{"state":"online","wants":"under-way"}'


def test_a_panel_that_was_never_there_or_was_missing_is_told_what_is_under_way(floor: Floor) -> None:
    open_incident(floor.it, an_alert(), box=BOX, now=START)
    floor.says(ALIVE)
    assert floor.told() == ["alert-1"]
    floor.says(ALIVE)
    floor.after(CATCHING_UP_S)
    floor.says(ALIVE, '{"state":"offline"}')
    assert floor.told() == ["alert-1"]
    floor.says(ALIVE)
    assert floor.told() == ["alert-1"] * 2


def test_a_panel_that_asks_is_told_although_nobody_saw_it_go(floor: Floor) -> None:
    floor.says(ALIVE)
    open_incident(floor.it, an_alert(), box=BOX, now=START)
    floor.after(CATCHING_UP_S)
    floor.says(ALIVE, WANTS)
    assert floor.told() == ["alert-1"]


def test_a_panel_that_asks_again_and_again_is_told_once_and_later_once_more(floor: Floor) -> None:
    open_incident(floor.it, an_alert(), box=BOX, now=START)
    for _ in range(20):
        floor.says(ALIVE, WANTS)
    assert floor.told() == ["alert-1"]
    floor.after(CATCHING_UP_S)
    assert floor.told() == ["alert-1"] * 2
    floor.after(CATCHING_UP_S)
    assert floor.told() == ["alert-1"] * 2


def test_many_panels_that_come_together_are_told_a_few_at_a_time_and_none_is_forgotten(floor: Floor) -> None:
    names = [f"wall-{number}" for number in range(30)]
    for name in names:
        register(floor.it, name=name, kind=DeviceKind.WALLBOARD, by="it", now=START)
    for number in range(4):
        open_incident(floor.it, an_alert(f"alert-{number}"), box=BOX, now=START)

    def told() -> list[str]:
        rows = outbox.unsent(floor.it, limit=1000)
        return [row.topic.rpartition("/")[2] for row in rows if "/alert/alert-0/" in row.topic]

    for name in names:
        floor.watch.take(Arrived(topic=topics.alive(BOX, name), payload=WANTS.encode()))
    for steps in range(1, 7):
        floor.watch.step(floor.db)
        assert len(told()) == TOLD_AT_ONCE // 4 * steps
    assert sorted(told()) == sorted(names)


def test_a_lamp_a_stranger_and_a_goodbye_are_told_nothing(floor: Floor) -> None:
    open_incident(floor.it, an_alert(), box=BOX, now=START)
    before = outbox.count_unsent(floor.it)
    floor.says(topics.lamp_status(BOX, "desk-1"), WANTS)
    floor.says(topics.alive(BOX, "desk-1"), WANTS)
    floor.says(topics.alive(BOX, "nobody"), WANTS)
    floor.says(ALIVE, '{"state":"offline","wants":"under-way"}')
    floor.after(CATCHING_UP_S)
    assert outbox.count_unsent(floor.it) == before


def test_a_lamp_is_there_until_the_broker_says_otherwise(floor: Floor) -> None:
    status = topics.lamp_status(BOX, "desk-1")
    floor.says(status)
    floor.after(MISSING_S * 10)
    assert floor.presence("desk-1") is Presence.CONNECTED
    floor.says(status, '{"state":"offline"}')
    assert floor.presence("desk-1") is Presence.MISSING


def test_home_assistant_is_there_by_its_own_birth_and_will(floor: Floor) -> None:
    register(floor.it, name="home", kind=DeviceKind.HOME_ASSISTANT, by="it", now=START)
    floor.after(1)
    floor.says("homeassistant/status", "online")
    floor.after(MISSING_S * 10)
    assert floor.presence("home") is Presence.CONNECTED
    assert floor.presence() is Presence.NEVER
    floor.says("homeassistant/status", "offline")
    assert floor.presence("home") is Presence.MISSING


def test_after_a_restart_of_the_agent_a_panel_has_the_time_to_say_that_it_is_there(floor: Floor) -> None:
    floor.says(ALIVE)
    floor.new_watch()
    floor.after(MISSING_S)
    assert floor.presence() is Presence.CONNECTED
    floor.after(MISSING_S + 1)
    assert floor.presence() is Presence.MISSING


def test_a_panel_that_said_goodbye_while_the_agent_was_away_is_noticed_all_the_same(floor: Floor) -> None:
    floor.says(ALIVE)
    floor.new_watch().step(floor.db)
    floor.after(MISSING_S + 1)
    assert floor.presence() is Presence.MISSING


def test_a_revoked_device_is_not_watched_any_more(floor: Floor) -> None:
    floor.says(ALIVE)
    revoke(floor.it, name="panel-1", by="it", now=after(1))
    floor.says(ALIVE)
    floor.after(MISSING_S + 1)
    assert devices.find(floor.it, "panel-1") is None
    assert [entry.action for entry in audit.of(floor.it, "panel-1")][-1] == "device.revoked"


def test_an_answer_to_a_command_is_kept(floor: Floor) -> None:
    command_id = give_test(floor.it, "panel-1", box=BOX, by="it", now=START)
    floor.says(topics.result(BOX, command_id, "panel-1"), '{"outcome":"refused","reason":"expired"}')
    row = devices.find_command(floor.it, command_id)
    assert row is not None
    assert (row.outcome, row.reason) == ("refused", "expired")


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (ALIVE, "no json"),
        (ALIVE, "[1]"),
        (ALIVE, "{}"),
        (ALIVE, '{"state":"perhaps"}'),
        (topics.alive(BOX, "stranger"), '{"state":"online"}'),
        ("mamori/v1/other/f1/box1/device/panel-1/alive", '{"state":"online"}'),
        (topics.result(BOX, "c9", "panel-1"), '{"outcome":"done"}'),
        (topics.result(BOX, "c9", "panel-1"), "{}"),
    ],
)
def test_what_no_device_should_say_changes_nothing(floor: Floor, topic: str, payload: str) -> None:
    floor.says(topic, payload)
    assert floor.presence() is Presence.NEVER
    assert len(list(audit.entries(floor.it))) == 2


# --- Home Assistant -----------------------------------------------------------------------------------------------

LINES = [("01", Text("1番席", "Seat 1")), ("02", Text("2番席", "Seat 2"))]


class Assistant:
    """The broker's retained messages, as Home Assistant finds them."""

    def __init__(self, floor: Floor, lines: list[tuple[str, Text]], retained: dict[str, str] | None = None) -> None:
        self.floor = floor
        self.retained = retained if retained is not None else {}
        entities = home_assistant.entities(BOX, lines, version="1.0")
        self.discovery = Discovery(entities, show_state=self.show, open_database=lambda: open_main(floor.data))
        for topic, payload in list(self.retained.items()):
            self.discovery.take(Arrived(topic=topic, payload=payload.encode()))
        self.discovery.step(floor.db)

    def show(self, topic: str, payload: str) -> None:
        if payload:
            self.retained[topic] = payload
        else:
            del self.retained[topic]
        # The agent hears of it like anybody who listens.
        self.discovery.take(Arrived(topic=topic, payload=payload.encode()))

    def names(self) -> set[str]:
        return {topic.split("/")[3] for topic in self.retained}


def test_home_assistant_is_told_of_the_lines_once_it_is_among_the_devices(floor: Floor) -> None:
    assistant = Assistant(floor, LINES)
    assert assistant.names() == set()
    register(floor.it, name="home", kind=DeviceKind.HOME_ASSISTANT, by="it", now=START)
    assistant.discovery.step(floor.db)
    assert assistant.names() == {"agent", "faults", "alert", "line-01", "line-02"}
    assert [problem for topic, payload in assistant.retained.items() for problem in wrong(topic, payload)] == []
    ids = [json.loads(payload)["unique_id"] for payload in assistant.retained.values()]
    assert len(set(ids)) == len(ids)


def test_a_line_that_has_gone_is_cleaned_up_at_the_next_start(floor: Floor) -> None:
    register(floor.it, name="home", kind=DeviceKind.HOME_ASSISTANT, by="it", now=START)
    before = Assistant(floor, LINES)
    later = Assistant(floor, LINES[:1], before.retained)
    assert later.names() == {"agent", "faults", "alert", "line-01"}


def test_nothing_is_left_when_home_assistant_is_revoked(floor: Floor) -> None:
    register(floor.it, name="home", kind=DeviceKind.HOME_ASSISTANT, by="it", now=START)
    assistant = Assistant(floor, LINES)
    assert assistant.names()
    revoke(floor.it, name="home", by="it", now=START)
    assistant.discovery.step(floor.db)
    assert assistant.names() == set()


def test_what_stands_there_already_is_not_told_again(floor: Floor) -> None:
    register(floor.it, name="home", kind=DeviceKind.HOME_ASSISTANT, by="it", now=START)
    before = Assistant(floor, LINES)
    again = Assistant(floor, LINES, dict(before.retained))
    told: list[str] = []
    again.discovery._show_state = lambda topic, _payload: told.append(topic)
    again.discovery.step(floor.db)
    assert told == []


def test_home_assistant_reads_nothing_that_holds_words() -> None:
    told = home_assistant.entities(BOX, LINES, version="1.0")
    topics_read = {json.loads(payload)["state_topic"] for payload in told.values()}
    assert not [topic for topic in topics_read if "/words/" in topic]
