"""Everything that goes over the real broker, caught by somebody who may read it all, against the published schemas."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.cli.panel import Panel
from edge_agent.daemon_devices import ask_desk, device_subscriptions, each
from edge_agent.domain.call import LineState
from edge_agent.domain.device import DeviceKind, Presence
from edge_agent.errors import Text
from edge_agent.pipeline.devices import DeviceWatch
from edge_agent.pipeline.discovery import Discovery
from edge_agent.pipeline.sender import Sender
from edge_agent.ports import Arrived
from edge_agent.provision import broker as provision
from edge_agent.services import home_assistant, incidents, integrations, topics, wire
from edge_agent.services.devices import give_test, register, revoke
from edge_agent.services.line_state import line_message
from edge_agent.settings import Settings
from edge_agent.store import devices
from edge_agent.store.database import open_main
from edge_agent.store.live import LineStatus
from tests.broker_fixture import DEVICES, Broker, broker_settings, running_broker, until
from tests.builders import BOX, START, after, an_alert
from tests.fakes import StandingClock
from tests.messages import wrong
from tests.web_ui.conftest import seats

pytestmark = pytest.mark.journey

HEALTH = {
    "lines": 1,
    "faults": 0,
    "unwritten": 0,
    "behind_s": 0.0,
    "overload": {"stage": "fewer_lines", "resting": ["01"], "operator_behind_s": 2.5, "lost_s": 5.0},
    "speech": "speech-test 1",
    "speech_refused": "",
    "lamp_faults": 0,
    "cards": {"tap-a": {"running": True, "overruns": 1, "lost_s": 0.5, "losses": 0}},
    "line_troubles": {"01": ["clipping:customer", "cross_talk"], "02": ["unannounced"]},
    "silent_integrations": ["pbx"],
    "memory": {"ring_mib": 3.7, "recognizers": 1},
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return broker_settings(tmp_path)


@pytest.fixture
def broker(settings: Settings) -> Iterator[Broker]:
    with running_broker(settings, DEVICES | {"home": "home-assistant", "pbx": "integration"}) as running:
        yield running


@dataclass
class Everything:
    """Whoever looks at all that is said on the broker."""

    broker: Broker
    caught: list[paho.MQTTMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = self.broker.settings
        password = provision.add_device(settings, "spy", "panel")
        with (provision.folder(settings) / "acl").open("a") as acl:
            acl.write("\nuser spy\ntopic read #\n")
        provision.reload(settings)
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id="spy", protocol=paho.MQTTv5)
        self.client.username_pw_set("spy", password)
        self.client.tls_set(ca_certs=str(settings.ca_file), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self.client.on_message = lambda _client, _user, message: self.caught.append(message)
        listening = threading.Event()
        self.client.on_connect = lambda client, *_rest: client.subscribe("#", qos=1)
        self.client.on_subscribe = lambda *_rest: listening.set()
        self.client.connect("localhost", settings.mqtt.port)
        self.client.loop_start()
        assert listening.wait(10)

    def problems(self) -> list[str]:
        return [problem for message in self.caught for problem in self._wrong(message)]

    def said(self, topic: str, key: str) -> set[str]:
        """Return what was said on a topic under a key; a connection lost under load may have it said again."""
        return {json.loads(message.payload)[key] for message in self.caught if message.topic == topic}

    def kinds(self) -> set[str]:
        return {found.kind.name for message in self.caught if (found := wire.find(message.topic))}

    def _wrong(self, message: paho.MQTTMessage) -> list[str]:
        told = dict(getattr(message.properties, "UserProperty", ()))
        expiry = getattr(message.properties, "MessageExpiryInterval", None)
        problems = wrong(
            message.topic, message.payload, schema=told.get("schema", ""), trace=told.get("trace", ""), expiry_s=expiry
        )
        kind = wire.find(message.topic)
        if kind is not None and kind.kind.expiry_s is not None and expiry is None:
            problems.append(f"{message.topic}: it does not expire")
        return problems

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


@pytest.fixture
def everything(broker: Broker) -> Iterator[Everything]:
    looking = Everything(broker)
    yield looking
    looking.close()


def test_whatever_the_agent_and_a_panel_say_is_as_published(settings: Settings, everything: Everything) -> None:
    status = topics.status(BOX)
    at = START.isoformat()
    agent = everything.broker.messenger(
        "agent",
        topics.receipt(BOX, "+", "+"),
        birth=(status, json.dumps({"state": "online", "at": at})),
        will=(status, json.dumps({"state": "offline", "at": at})),
    )
    sender = Sender(
        box=BOX,
        messenger=agent,
        clock=StandingClock(START),
        open_database=lambda: open_main(settings.data),
        health=lambda: dict(HEALTH),
    )
    db = open_main(settings.data)
    incidents.open_incident(db, an_alert(telling=(((0, 3),),)), box=BOX, now=START)
    stop = threading.Event()
    thread = threading.Thread(target=sender.run, args=(stop,))
    panel = everything.broker.messenger("panel-1", topics.alert(BOX, "+"))
    agent.start()
    panel.start()
    # An alert is not retained: a panel that subscribes a moment later has none.
    until(panel.connected)
    thread.start()
    line = line_message(LineStatus(seat="01", state=LineState.IDLE), listened=False, now=START)
    sender.show_state(topics.line_state(BOX, "01"), json.dumps(line))
    try:
        until(panel.arrived)
        panel.send(topic=topics.receipt(BOX, "alert-1", "panel-1"), payload='{"kind":"acknowledged"}')
        until(lambda: {"status", "health", "line", "alert", "words", "ack"} <= everything.kinds())
        until(lambda: everything.said(topics.alert(BOX, "alert-1"), "incident_state") == {"open", "acknowledged"})
    finally:
        stop.set()
        thread.join()
        agent.stop()
        panel.stop()
        db.close()
    until(lambda: everything.said(status, "state") == {"online", "offline"})
    assert everything.problems() == []
    traces = {
        dict(message.properties.UserProperty)["trace"]
        for message in everything.caught
        if wire.find(message.topic).kind.trace == "alert_id"
    }
    assert traces == {"alert-1"}


class Agent:
    """The agent's threads for messages and devices, with the lines it is given."""

    def __init__(self, broker: Broker, lines: list[str]) -> None:
        settings = broker.settings
        clock = StandingClock(START)
        takers: list[Callable[[Arrived], None]] = []
        self.link = broker.messenger("agent", *device_subscriptions(settings))
        sender = Sender(
            box=BOX,
            messenger=self.link,
            clock=clock,
            open_database=lambda: open_main(settings.data),
            health=lambda: dict(HEALTH),
            on_message=each(takers),
        )
        watch = DeviceWatch(box=BOX, clock=clock, open_database=lambda: open_main(settings.data))
        entities = home_assistant.entities(BOX, [(seat, Text(seat, seat)) for seat in lines], version="1.0")
        told = Discovery(entities, show_state=sender.show_state, open_database=lambda: open_main(settings.data))
        takers += [watch.take, told.take]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=t.run, args=(self._stop,)) for t in (sender, watch, told)]

    def __enter__(self) -> Self:
        self.link.start()
        for thread in self._threads:
            thread.start()
        until(self.link.connected)
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.link.stop()


def retained(broker: Broker) -> set[str]:
    """Return the entities that Home Assistant finds when it connects now."""
    home = broker.messenger("home", "homeassistant/+/+/+/config", topics.status(BOX))
    home.start()
    found: set[str] = set()
    try:
        until(home.connected)
        # The broker gives what it holds in one go, before anything that is said later.
        home.send(topic=topics.alive(BOX, "home"), payload='{"state":"online"}')
        until(home.outcomes)
        found = {arrived.topic.split("/")[3] for arrived in home.arrived() if arrived.payload}
    finally:
        home.stop()
    return found


def test_a_panel_that_was_never_there_is_told_what_is_under_way_alone_and_once(
    settings: Settings, everything: Everything, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = everything.broker
    db = open_main(settings.data)
    for name in ("panel-1", "panel-2"):
        register(db, name=name, kind=DeviceKind.PANEL, by="it", now=START)
    incidents.open_incident(db, an_alert(telling=(((0, 3),),)), box=BOX, now=START)
    other = broker.messenger("panel-2", f"{topics.base(BOX)}/#")
    own = [topics.to_one(topic(BOX, "+"), "panel-1") for topic in (topics.alert, topics.words)]
    late = broker.messenger("panel-1", topics.alert(BOX, "+"), *own)
    reference = Panel(BOX, "panel-1", as_json=True, auto=False, now=lambda: START)
    other.start()
    try:
        until(other.connected)
        with Agent(broker, ["01"]):
            until(lambda: {"alert", "words"} <= everything.kinds())
            late.start()
            until(late.connected)
            for told in (reference.alive(), reference.alive(wants_under_way=True)):
                late.send(topic=told[0], payload=told[1])
            arrived: list[Arrived] = []
            until(lambda: arrived.extend(late.arrived()) or len(arrived) >= 2)
        receipts = [receipt for message in arrived for receipt in reference.take(message)]
    finally:
        late.stop()
        other.stop()
        db.close()
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(message["alert_id"], "quotes" in message) for message in shown] == [("alert-1", False), ("alert-1", True)]
    assert [json.loads(payload)["kind"] for _, payload in receipts] == ["delivered"]
    assert [message.topic for message in other.arrived() if message.topic.endswith("/panel-1")] == []
    assert everything.problems() == []


def test_devices_commands_and_home_assistant_say_what_is_published_and_lines_that_go_are_cleaned_up(
    settings: Settings, everything: Everything
) -> None:
    broker = everything.broker
    db = open_main(settings.data)
    register(db, name="home", kind=DeviceKind.HOME_ASSISTANT, by="it", now=START)
    register(db, name="panel-1", kind=DeviceKind.PANEL, by="it", now=START)
    reference = Panel(BOX, "panel-1", as_json=True, auto=False, now=lambda: START)
    topic, payload = reference.alive("offline")
    panel = broker.messenger("panel-1", topics.command(BOX, "panel-1", "+"), will=(topic, payload), retain_will=False)
    panel.start()
    always = {"agent", "faults", "alert"}
    try:
        with Agent(broker, ["01", "02"]):
            until(panel.connected)
            panel.send(topic=topic, payload=reference.alive()[1])
            until(lambda: (one := devices.find(db, "panel-1")) and one.presence is Presence.CONNECTED)
            command_id = give_test(db, "panel-1", box=BOX, by="it", now=START)
            arrived: list[Arrived] = []
            until(lambda: arrived.extend(panel.arrived()) or arrived)
            for answer_topic, answer in reference.take(arrived[0]):
                panel.send(topic=answer_topic, payload=answer)
            until(lambda: (row := devices.find_command(db, command_id)) and row.outcome == "done")
            until(lambda: retained(broker) == always | {"line-01", "line-02"})
            panel.stop()
            until(lambda: (one := devices.find(db, "panel-1")) and one.presence is Presence.MISSING)
        with Agent(broker, ["01"]):
            until(lambda: retained(broker) == always | {"line-01"})
            revoke(db, name="home", by="it", now=START)
            until(lambda: retained(broker) == set())
    finally:
        panel.stop()
        db.close()
    assert {"alive", "command", "result", "discovery", "health"} <= everything.kinds()
    assert everything.problems() == []


def test_what_an_integration_asks_and_is_answered_is_as_published(settings: Settings, everything: Everything) -> None:
    broker, clock = everything.broker, StandingClock(START)
    db = open_main(settings.data)
    integrations.admit(db, name="pbx", by="it", now=START)
    agent = broker.messenger("agent", momentary=[topics.ask(BOX, "+", "+")])
    takers: list[Callable[[Arrived], None]] = []
    sender = Sender(
        box=BOX,
        messenger=agent,
        clock=clock,
        open_database=lambda: open_main(settings.data),
        health=lambda: dict(HEALTH),
        on_message=each(takers),
    )
    desk = ask_desk(msgspec.structs.replace(settings, seats=seats(1)), clock, sender, agent)
    takers.append(desk.take)
    pbx = broker.messenger("pbx", topics.answer(BOX, "pbx", "+"))
    stop = threading.Event()
    threads = [threading.Thread(target=run, args=(stop,)) for run in (sender.run, desk.run)]
    for link in (agent, pbx):
        link.start()
        until(link.connected)
    for thread in threads:
        thread.start()
    ask = {
        "schema": 1,
        "id": "ask-000001",
        "ask": "call",
        "event": "started",
        "caller": "090-1234-5678",
        "issued_at": START.isoformat(),
        "expires_at": after(60).isoformat(),
    }
    answers: list[str] = []
    try:
        # The agent's subscription may still be under way: an ask that nobody hears is asked again.
        until(lambda: _asked(pbx, ask, answers))
        until(lambda: _asked(pbx, ask | {"id": "ask-000002", "ask": "pause"}, answers))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        pbx.stop()
        agent.stop()
        db.close()
    assert set(answers) == {"done"}
    assert {"ask", "answer"} <= everything.kinds()
    assert everything.problems() == []


def _asked(pbx: MqttMessenger, ask: dict[str, object], answers: list[str]) -> bool:
    """Ask once; return whether it was answered within a second."""
    pbx.send(topic=topics.ask(BOX, "pbx", "01"), payload=json.dumps(ask))
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        if arrived := pbx.arrived():
            answers += [json.loads(each.payload)["outcome"] for each in arrived]
            return True
        time.sleep(0.02)
    return False
