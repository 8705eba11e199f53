"""Everything that goes over the real broker, caught by somebody who may read it all, against the published schemas."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.pipeline.sender import Sender
from edge_agent.provision import broker as provision
from edge_agent.services import incidents, topics, wire
from edge_agent.settings import Settings
from edge_agent.store.database import open_main
from tests.broker_fixture import Broker, broker_settings, running_broker, until
from tests.builders import BOX, START, an_alert
from tests.fakes import StandingClock
from tests.messages import wrong

pytestmark = pytest.mark.journey

HEALTH = {
    "lines": 1,
    "faults": 0,
    "unwritten": 0,
    "behind_s": 0.0,
    "speech": "speech-test 1",
    "speech_refused": "",
    "lamp_faults": 0,
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return broker_settings(tmp_path)


@pytest.fixture
def broker(settings: Settings) -> Iterator[Broker]:
    with running_broker(settings) as running:
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
    thread.start()
    line = {"seat": "01", "state": "idle", "since": None, "listened": False, "at": at}
    sender.show_state(topics.line_state(BOX, "01"), json.dumps(line))
    try:
        until(panel.arrived)
        panel.send(topic=topics.receipt(BOX, "alert-1", "panel-1"), payload='{"kind":"acknowledged"}')
        until(lambda: {"status", "health", "line", "alert", "words", "ack"} <= everything.kinds())
        until(lambda: sum(topics.alert(BOX, "alert-1") == message.topic for message in everything.caught) == 2)
    finally:
        stop.set()
        thread.join()
        agent.stop()
        panel.stop()
        db.close()
    until(lambda: sum(status == message.topic for message in everything.caught) == 2)
    assert everything.problems() == []
    traces = {
        dict(message.properties.UserProperty)["trace"]
        for message in everything.caught
        if wire.find(message.topic).kind.trace == "alert_id"
    }
    assert traces == {"alert-1"}
