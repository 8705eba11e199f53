"""Lamps and towers on the real Mosquitto: told what to show, told again after a power cut of either side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.daemon_lamps import lamp_workers
from edge_agent.domain.lamp import CALM, Colour, LampState, Pattern
from edge_agent.pipeline.lamps import LampPresence, LampWorker
from edge_agent.provision import broker as provision
from edge_agent.services import topics
from edge_agent.settings import Settings
from edge_agent.settings_lamps import Lamp
from tests.broker_fixture import Broker, broker_settings, running_broker, until
from tests.builders import BOX, START
from tests.fakes import StandingClock
from tests.towers import DeskLamp, HttpTower, MqttTower, OnBroker

pytestmark = pytest.mark.journey

RED = LampState(colour=Colour.RED, pattern=Pattern.FAST)
LIFE = LampState(colour=Colour.BLUE)


class Agent:
    """The agent's side: its link to the broker and a worker for every lamp, which is told again all the time."""

    def __init__(self, broker: Broker, *lamps: Lamp) -> None:
        settings = Settings(box=BOX, lamps=lamps)
        self.presence = LampPresence(BOX)
        self.link: MqttMessenger = broker.messenger("agent", topics.lamp_status(BOX, "+"))
        self.workers: dict[str, LampWorker] = lamp_workers(settings, self.link, self.presence, StandingClock(START))
        self.time = 0.0
        for worker in self.workers.values():
            worker._monotonic = lambda: self.time

    def want(self, state: LampState) -> None:
        for worker in self.workers.values():
            worker.want(state)

    def looks(self) -> bool:
        """Every lamp's thread looks once, a minute later than before; True, to be waited with."""
        self.time += 60
        for message in self.link.arrived():
            self.presence.take(message)
        for worker in self.workers.values():
            worker.step()
        return True


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    settings = broker_settings(tmp_path)
    with running_broker(settings) as running:
        for name in ("tower-1", "desk-1"):
            provision.ensure_device(settings, name, "lamp")
        provision.reload(settings)
        yield running


@contextmanager
def plugged_in(*devices: OnBroker) -> Iterator[None]:
    for device in devices:
        device.start()
    try:
        yield
    finally:
        for device in devices:
            device.stop()


@contextmanager
def running(agent: Agent) -> Iterator[Agent]:
    agent.link.start()
    try:
        until(agent.link.connected)
        yield agent
    finally:
        agent.link.stop()


def test_a_tower_and_a_desk_lamp_show_what_they_are_told(broker: Broker) -> None:
    tower, desk = MqttTower(broker, "tower-1"), DeskLamp(broker, "desk-1")
    agent = Agent(broker, Lamp(name="tower-1", kind="patlite-mqtt"), Lamp(name="desk-1", kind="esphome"))
    with plugged_in(tower, desk), running(agent):
        for state, digits, words in ((RED, "300000", ("red", "fast")), (LIFE, "000100", ("blue", "steady"))):
            agent.want(state)
            until(lambda d=digits, w=words: agent.looks() and tower.shows == d and desk.shows == w)
        until(lambda: agent.looks() and all(worker.fault is None for worker in agent.workers.values()))
        assert {key for message in desk.received for key in message} == {"schema", "colour", "pattern", "at"}


def test_a_tower_that_lost_its_power_shows_the_floor_as_soon_as_it_is_back_without_the_agent(broker: Broker) -> None:
    tower = MqttTower(broker, "tower-1")
    agent = Agent(broker, Lamp(name="tower-1", kind="patlite-mqtt"))
    with running(agent):
        with plugged_in(tower):
            agent.want(RED)
            until(lambda: agent.looks() and tower.shows == "300000")
        assert tower.shows == "000000"
    again = MqttTower(broker, "tower-1")
    with plugged_in(again):
        until(lambda: again.shows == "300000")


def test_an_unplugged_desk_lamp_is_a_fault_until_it_is_back_and_misses_nothing(broker: Broker) -> None:
    agent = Agent(broker, Lamp(name="desk-1", kind="esphome"))
    worker = agent.workers["desk-1"]
    with running(agent):
        with plugged_in(DeskLamp(broker, "desk-1")):
            agent.want(CALM)
            until(lambda: agent.looks() and worker.fault is None and agent.presence.is_there("desk-1"))
        until(lambda: agent.looks() and worker.fault is not None)
        agent.want(RED)
        agent.looks()
        back = DeskLamp(broker, "desk-1")
        with plugged_in(back):
            until(lambda: back.shows == ("red", "fast"))
            until(lambda: agent.looks() and worker.fault is None)


def test_after_the_broker_was_killed_the_lamps_follow_the_floor_again(broker: Broker) -> None:
    tower = MqttTower(broker, "tower-1")
    agent = Agent(broker, Lamp(name="tower-1", kind="patlite-mqtt"))
    with plugged_in(tower), running(agent):
        agent.want(CALM)
        until(lambda: agent.looks() and tower.shows == "001000")
        broker.kill()
        until(lambda: not agent.link.connected())
        agent.want(RED)
        until(lambda: agent.looks() and agent.workers["tower-1"].fault is not None)
        broker.start()
        until(lambda: agent.looks() and tower.shows == "300000", within_s=40)
        assert agent.workers["tower-1"].fault is None


def test_a_tower_on_http_that_is_switched_off_and_on_is_told_again(broker: Broker) -> None:
    tower = HttpTower()
    lamp = Lamp(name="tower-9", kind="patlite-http", address=f"127.0.0.1:{tower.port}")
    agent = Agent(broker, lamp)
    try:
        agent.want(RED)
        agent.looks()
        assert tower.shows == "200000"
        tower.reboot()
        agent.looks()
        assert tower.shows == "200000"
        tower.stop()
        agent.looks()
        agent.looks()
        assert agent.workers["tower-9"].fault is not None
        agent.want(LIFE)
        tower.start()
        agent.looks()
        assert tower.shows == "000100"
        assert agent.workers["tower-9"].fault is None
    finally:
        tower.stop()


def test_a_lamp_reads_no_alert_and_no_other_lamp(broker: Broker) -> None:
    lamp = broker.messenger(
        "desk-1", topics.alert(BOX, "+"), topics.lamp_state(BOX, "+"), topics.lamp_state(BOX, "desk-1")
    )
    agent = broker.messenger("agent")
    agent.start()
    lamp.start()
    try:
        until(lambda: agent.connected() and lamp.connected())
        for topic in (
            topics.alert(BOX, "alert-1"),
            topics.lamp_state(BOX, "tower-1"),
            topics.lamp_state(BOX, "desk-1"),
        ):
            agent.send(topic=topic, payload=json.dumps({"on": topic}), retain="lamp" in topic)
        heard: list[str] = []
        until(lambda: heard.extend(m.topic for m in lamp.arrived()) or heard)
        # The broker delivers in order: what it would have let through before is here too.
        assert set(heard) == {topics.lamp_state(BOX, "desk-1")}
    finally:
        lamp.stop()
        agent.stop()
