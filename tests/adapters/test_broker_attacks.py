"""What devices, and those who are none, try on the real broker: all of it is refused, and the broker's log says so."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Self

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.cli.panel import Panel
from edge_agent.daemon_devices import each
from edge_agent.domain.device import DeviceKind
from edge_agent.pipeline.box_commands import BoxCommands
from edge_agent.pipeline.broker_watch import BrokerWatch
from edge_agent.pipeline.devices import DeviceWatch
from edge_agent.pipeline.sender import Sender
from edge_agent.ports import Arrived
from edge_agent.provision import broker as provision
from edge_agent.services import topics
from edge_agent.services.devices import give_test, note_presence, register
from edge_agent.services.incidents import open_incident
from edge_agent.store import audit, broker_refusals, devices, outbox
from edge_agent.store.database import Database, open_main
from tests.broker_fixture import Broker, broker_settings, running_broker, until
from tests.builders import BOX, START, an_alert
from tests.fakes import StandingClock
from tests.messages import wrong

pytestmark = pytest.mark.journey

KINDS = {
    "panel-1": "panel",
    "panel-2": "panel",
    "wall-1": "wallboard",
    "desk-1": "lamp",
    "button-1": "button",
    "home": "home-assistant",
    "console-1": "console",
    "pbx": "integration",
}
EVERYONE = sorted(KINDS)
SECRET = '{"quotes":["ただじゃおかない"]}'
BASE = topics.base(BOX)
REVOKED_WITHIN_S = 60.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with running_broker(broker_settings(tmp_path_factory.mktemp("attacks")), KINDS) as running:
        yield running


@contextmanager
def started(messenger: MqttMessenger) -> Iterator[MqttMessenger]:
    messenger.start()
    try:
        until(messenger.connected)
        yield messenger
    finally:
        messenger.stop()


def said_of(messenger: MqttMessenger, topic: str, payload: str = "{}") -> str | None:
    """Return what the broker says of a message: None if it has taken it."""
    ticket = messenger.send(topic=topic, payload=payload)
    told: dict[int, str | None] = {}
    until(lambda: told.update({o.ticket: o.refused for o in messenger.outcomes()}) or ticket in told)
    return told[ticket or 0]


def logged(broker: Broker, *words: str) -> bool:
    return any(all(word in line for word in words) for line in broker.log().splitlines())


# --- reading ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in EVERYONE if KINDS[name] != "panel"])
@pytest.mark.parametrize("wanted", [f"{BASE}/words/+", f"{BASE}/words/+/+", f"{BASE}/#", "#", "+/v1/+/+/+/words/#"])
def test_nobody_but_a_panel_reads_words_whatever_they_subscribe_to(broker: Broker, name: str, wanted: str) -> None:
    with started(broker.messenger(name, wanted)) as device, started(broker.messenger("agent")) as agent:
        with started(broker.messenger("panel-1", f"{BASE}/words/+")) as panel:
            until(lambda: logged(broker, f": {name} ", wanted))
            assert said_of(agent, topics.to_one(topics.words(BOX, "a1"), "panel-1"), SECRET) is None
            assert said_of(agent, topics.words(BOX, "a1"), SECRET) is None
            until(panel.arrived)
        assert [arrived for arrived in device.arrived() if b"quotes" in arrived.payload] == []


@pytest.mark.parametrize("name", EVERYONE)
def test_nobody_reads_what_is_meant_for_the_agent_or_for_another(broker: Broker, name: str) -> None:
    with (
        started(broker.messenger("agent", f"{BASE}/ack/+/+")) as agent,
        started(broker.messenger("panel-2", f"{BASE}/cmd/panel-2/+")) as other,
        started(broker.messenger(name, "#") if name != "panel-2" else broker.messenger("panel-1", "#")) as curious,
    ):
        assert said_of(agent, topics.command(BOX, "panel-2", "show-test"), '{"id":"c1"}') is None
        for own in (topics.alert(BOX, "a1"), topics.words(BOX, "a1"), topics.escalation(BOX, "a1")):
            assert said_of(agent, topics.to_one(own, "panel-2")) is None
        assert said_of(other, topics.receipt(BOX, "a1", "panel-2"), '{"kind":"seen"}') is None
        until(other.arrived)
        until(agent.arrived)
        heard = {arrived.topic for arrived in curious.arrived()}
        assert not [topic for topic in heard if "/ack/" in topic or "/cmd/" in topic or topic.endswith("/panel-2")]


def test_a_lamp_reads_its_own_state_alone(broker: Broker) -> None:
    with (
        started(broker.messenger("desk-1", f"{BASE}/lamp/+/state")) as lamp,
        started(broker.messenger("agent")) as agent,
    ):
        for name in ("desk-2", "desk-1"):
            assert said_of(agent, topics.lamp_state(BOX, name)) is None
        there: set[str] = set()
        until(lambda: there.update(arrived.topic for arrived in lamp.arrived()) or there)
        assert there == {topics.lamp_state(BOX, "desk-1")}


# --- writing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERYONE)
@pytest.mark.parametrize(
    "topic",
    [
        topics.alert(BOX, "a1"),
        topics.words(BOX, "a1"),
        topics.to_one(topics.alert(BOX, "a1"), "panel-1"),
        topics.status(BOX),
        topics.health(BOX),
        topics.line_state(BOX, "01"),
        topics.lamp_state(BOX, "desk-1"),
        topics.command(BOX, "box", "self-test"),
        topics.command(BOX, "panel-1", "show-test"),
        topics.box_command(BOX, "test-panels", "console-9"),
        topics.result(BOX, "c1", "box"),
        topics.receipt(BOX, "a1", "panel-9"),
        topics.result(BOX, "c1", "panel-9"),
        topics.alive(BOX, "panel-9"),
        topics.ask(BOX, "pbx-9", "01"),
        topics.answer(BOX, "pbx", "ask-000001"),
        f"{BASE}/button/button-9",
        "homeassistant/sensor/mamori_tokyo_f1_box1/line-01/config",
        "$SYS/broker/clients/total",
        "mamori/v1/other/f1/box1/status",
    ],
)
def test_no_device_says_what_is_not_its_own_to_say(broker: Broker, name: str, topic: str) -> None:
    with started(broker.messenger(name)) as device:
        assert said_of(device, topic) == "Not authorized"
    until(lambda: logged(broker, f"Denied PUBLISH from {name}", topic))


@pytest.mark.parametrize("name", [name for name in EVERYONE if KINDS[name] != "console"])
def test_nobody_but_a_console_commands_the_box_and_it_in_its_own_name_alone(broker: Broker, name: str) -> None:
    own = topics.box_command(BOX, "test-buttons", name)
    with started(broker.messenger(name)) as device, started(broker.messenger("console-1")) as console:
        assert said_of(device, own) == "Not authorized"
        assert said_of(console, own) == "Not authorized"
        assert said_of(console, topics.box_command(BOX, "test-buttons", "console-1")) is None
    until(lambda: logged(broker, f"Denied PUBLISH from {name}", own))


@pytest.mark.parametrize("kind", ["ack/a1", "result/c1"])
def test_a_panel_does_not_speak_for_another(broker: Broker, kind: str) -> None:
    with started(broker.messenger("panel-1")) as panel:
        assert said_of(panel, f"{BASE}/{kind}/panel-2", '{"kind":"acknowledged"}') == "Not authorized"
        assert said_of(panel, f"{BASE}/{kind}/panel-1", '{"kind":"acknowledged"}') is None
    until(lambda: logged(broker, "Denied PUBLISH from panel-1", f"{kind}/panel-2"))


@pytest.mark.filterwarnings(r"ignore:Exception ignored in.*:pytest.PytestUnraisableExceptionWarning")
def test_a_panel_cannot_pose_as_the_agent_by_its_client_id(broker: Broker) -> None:
    settings = broker.settings
    with started(broker.messenger("agent")) as agent:
        generation = agent.generation()
        posing = paho.Client(CallbackAPIVersion.VERSION2, client_id="agent", protocol=paho.MQTTv5)
        posing.username_pw_set("panel-1", (settings.data / "secrets/mqtt-panel-1").read_text().strip())
        posing.tls_set(ca_certs=str(settings.ca_file), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        in_ = threading.Event()
        posing.on_connect = lambda *_rest: in_.set()
        posing.connect("localhost", settings.mqtt.port)
        posing.loop_start()
        try:
            assert in_.wait(10)
            assert said_of(agent, topics.health(BOX)) is None
            assert agent.generation() == generation
        finally:
            posing.disconnect()
            posing.loop_stop()


# --- getting in ---------------------------------------------------------------------------------------------------


def refusal(broker: Broker, *, user: str | None, password: str | None = None) -> str:
    """Return what the broker says to somebody who wants in."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="stranger", protocol=paho.MQTTv5)
    if user is not None:
        client.username_pw_set(user, password)
    client.tls_set(ca_certs=str(broker.settings.ca_file), tls_version=ssl.PROTOCOL_TLS_CLIENT)
    told: list[str] = []
    client.on_connect = lambda _client, _user, _flags, reason, _props: told.append(str(reason))
    client.connect("localhost", broker.settings.mqtt.port)
    client.loop_start()
    try:
        until(lambda: told)
    finally:
        client.disconnect()
        client.loop_stop()
    return told[0]


@pytest.mark.parametrize(
    ("user", "password"),
    [
        (None, None),
        ("agent", ""),
        ("agent", None),
        ("agent", "agent"),
        ("panel-1", "guessed"),
        ("nobody", "x"),
        ("", ""),
    ],
)
def test_nobody_gets_in_without_their_own_name_and_password(
    broker: Broker, user: str | None, password: str | None
) -> None:
    before = broker.log().count("not authorised")
    assert refusal(broker, user=user, password=password) == "Not authorized"
    until(lambda: broker.log().count("not authorised") > before)


def test_a_device_does_not_get_in_with_the_password_of_another(broker: Broker) -> None:
    password = (broker.settings.data / "secrets/mqtt-panel-1").read_text().strip()
    assert refusal(broker, user="panel-2", password=password) == "Not authorized"


def test_without_tls_there_is_no_conversation(broker: Broker) -> None:
    # An MQTT 5 CONNECT of client "x" without credentials.
    connect = bytes([0x10, 14, 0, 4, *b"MQTT", 5, 2, 0, 10, 0, 0, 1, *b"x"])
    with socket.create_connection(("127.0.0.1", broker.settings.mqtt.port), timeout=10) as plain:
        plain.sendall(connect)
        try:
            answer = plain.recv(64)
        except ConnectionResetError:
            answer = b""
    # A TLS alert at most, never a CONNACK (0x20).
    assert answer[:1] in {b"", b"\x15"}
    until(lambda: logged(broker, "wrong version number"))


def test_tls_older_than_1_2_is_refused(broker: Broker) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.load_verify_locations(str(broker.settings.ca_file))
    old.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLS"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLS"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", broker.settings.mqtt.port), timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionResetError)),
    ):
        old.wrap_socket(plain, server_hostname="localhost")


def test_a_revoked_device_is_cut_off_within_a_minute_and_does_not_come_back(broker: Broker) -> None:
    provision.add_device(broker.settings, "panel-3", "panel")
    provision.reload(broker.settings)
    with (
        started(broker.messenger("panel-3", f"{BASE}/alert/+", f"{BASE}/words/+")) as revoked,
        started(broker.messenger("panel-1", f"{BASE}/words/+")) as other,
        started(broker.messenger("agent")) as agent,
    ):
        began, refused = time.monotonic(), broker.log().count("not authorised")
        provision.revoke_device(broker.settings, "panel-3")
        provision.reload(broker.settings)
        until(lambda: not revoked.connected(), within_s=REVOKED_WITHIN_S)
        assert time.monotonic() - began < REVOKED_WITHIN_S
        assert said_of(agent, topics.words(BOX, "a1"), SECRET) is None
        until(other.arrived)
        until(lambda: broker.log().count("not authorised") > refused)
        assert revoked.arrived() == []
        assert not revoked.connected()
        assert other.connected()


# --- what IT sees of it -------------------------------------------------------------------------------------------


def test_every_kind_of_attempt_is_counted_for_the_administrator_and_on_record(tmp_path: Path) -> None:
    settings = broker_settings(tmp_path)
    with running_broker(settings, {"panel-1": "panel", "desk-1": "lamp"}) as broker:
        db = open_main(settings.data)
        for name, kind in (("panel-1", DeviceKind.PANEL), ("desk-1", DeviceKind.LAMP)):
            register(db, name=name, kind=kind, by="it", now=START)
        watch = BrokerWatch(
            settings.broker_refusals_file,
            box=BOX,
            clock=StandingClock(START),
            open_database=lambda: open_main(settings.data),
        )
        command = topics.command(BOX, "box", "self-test")
        with started(broker.messenger("panel-1")) as panel, started(broker.messenger("desk-1", f"{BASE}/words/+")):
            assert said_of(panel, command) == "Not authorized"
        assert refusal(broker, user="nobody", password="x") == "Not authorized"

        def counted() -> dict[tuple[str, str], str]:
            watch.step(db)
            return {(one.device, one.attempt): one.topic for one in broker_refusals.everything(db)}

        expected = {
            ("panel-1", "publish"): command,
            ("desk-1", "subscribe"): f"{BASE}/words/+",
            ("?", "login"): "",
        }
        until(lambda: len(counted()) >= len(expected))
        assert counted() == expected
        recorded = {(e.subject, e.detail["attempt"]) for e in audit.entries(db) if e.action == "broker.refused"}
        assert recorded == set(expected)
        db.close()


# --- commands -----------------------------------------------------------------------------------------------------


class Floor:
    """The agent's threads for alerts and devices, and a reference panel, on the real broker."""

    def __init__(self, broker: Broker, clock: StandingClock) -> None:
        settings = broker.settings
        self.db: Database = open_main(settings.data)
        self.clock = clock
        for name, kind in KINDS.items():
            if devices.find(self.db, name) is None:
                register(self.db, name=name, kind=DeviceKind(kind), by="it", now=START)
        self.watch = DeviceWatch(box=BOX, clock=clock, open_database=lambda: open_main(settings.data))
        self.agent = broker.messenger(
            "agent",
            topics.alive(BOX, "+"),
            topics.result(BOX, "+", "+"),
            topics.receipt(BOX, "+", "+"),
            topics.box_command(BOX, "+", "+"),
        )
        self.also: list[Callable[[Arrived], None]] = [self.watch.take]
        self.sender = Sender(
            box=BOX,
            messenger=self.agent,
            clock=clock,
            open_database=lambda: open_main(settings.data),
            health=dict,
            on_message=each(self.also),
        )
        self.link = broker.messenger("panel-1", topics.command(BOX, "panel-1", "+"), topics.alert(BOX, "+"))
        self.panel = Panel(BOX, "panel-1", as_json=False, auto=False, now=clock.now)
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=run, args=(self.stop,)) for run in (self.sender.run, self.watch.run)]

    def __enter__(self) -> Self:
        for link in (self.agent, self.link):
            link.start()
            until(link.connected)
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()
        self.agent.stop()
        self.link.stop()
        self.db.close()

    def panel_answers(self) -> None:
        arrived: list[bytes] = []

        def look() -> bool:
            for message in self.link.arrived():
                arrived.append(message.payload)
                for topic, payload in self.panel.take(message):
                    self.link.send(topic=topic, payload=payload)
            return bool(arrived)

        until(look)


@pytest.fixture
def floor(broker: Broker) -> Iterator[Floor]:
    with Floor(broker, StandingClock(START)) as floor:
        yield floor


def test_a_test_is_shown_once_and_a_replay_is_refused_and_on_record(floor: Floor) -> None:
    command_id = give_test(floor.db, "panel-1", box=BOX, by="it", now=START)

    def recorded(action: str) -> list[dict[str, str]]:
        entries = audit.of(floor.db, "panel-1")
        return [dict(e.detail) for e in entries if e.action == action and e.detail["id"] == command_id]

    floor.panel_answers()
    until(lambda: recorded("command.done"))
    # Whoever has the agent's place on the broker, and what was said there, says it again.
    [row] = floor.db.query("SELECT topic, payload FROM outbox WHERE topic LIKE '%/cmd/%' ORDER BY row_id DESC LIMIT 1")
    floor.agent.send(topic=row["topic"], payload=row["payload"])
    floor.panel_answers()
    until(lambda: recorded("command.refused"))
    assert [detail["reason"] for detail in recorded("command.refused")] == ["repeated"]
    assert len(recorded("command.done")) == 1


def test_an_old_command_is_refused_and_on_record(floor: Floor) -> None:
    command_id = give_test(floor.db, "panel-1", box=BOX, by="it", now=START)
    until(lambda: outbox.count_unsent(floor.db) == 0)
    floor.clock.move(61)
    floor.panel_answers()
    until(lambda: (row := devices.find_command(floor.db, command_id)) and row.outcome)
    row = devices.find_command(floor.db, command_id)
    assert row is not None
    assert (row.outcome, row.reason) == ("refused", "expired")


def test_a_console_s_command_is_obeyed_once_and_its_replay_refused_and_on_record(floor: Floor, broker: Broker) -> None:
    settings = broker.settings
    note_presence(floor.db, {"panel-1": (START, True)}, now=START)
    message = {
        "schema": 1,
        "id": "c7",
        "command": "test-panels",
        "issued_at": START.isoformat(),
        "expires_at": (START + timedelta(seconds=60)).isoformat(),
    }
    topic, payload = topics.box_command(BOX, "test-panels", "console-1"), json.dumps(message)
    assert wrong(topic, payload) == []

    def recorded() -> list[tuple[str, str, str]]:
        entries = [entry for entry in audit.of(floor.db, "box") if entry.actor == "console:console-1"]
        return [(e.action, e.detail["count"], e.detail.get("reason", "")) for e in entries]

    commands = BoxCommands(settings=settings, clock=floor.clock, open_database=lambda: open_main(settings.data))
    floor.also.append(commands.take)
    answers: set[str] = set()
    told = topics.result(BOX, "c7", "box")

    def answered() -> bool:
        # What it subscribed to in earlier attacks comes too, and this once for each of its subscriptions.
        answers.update(json.loads(a.payload)["reason"] for a in console.arrived() if a.topic == told)
        return answers == {"", "repeated"}

    with started(broker.messenger("console-1", told)) as console:
        for _ in range(2):
            assert said_of(console, topic, payload) is None
        until(lambda: commands.step(floor.db) or len(recorded()) == 2)
        until(answered)
    assert recorded() == [("command.done", "1", ""), ("command.refused", "0", "repeated")]
    floor.panel_answers()
    given = [e for e in audit.of(floor.db, "panel-1") if (e.action, e.actor) == ("command.given", "console:console-1")]
    assert len(given) == 1


def test_a_wallboard_s_acknowledgement_moves_nothing_and_is_on_record(floor: Floor, broker: Broker) -> None:
    open_incident(floor.db, an_alert("alert-w"), box=BOX, now=START)
    with started(broker.messenger("wall-1")) as wall:
        assert said_of(wall, topics.receipt(BOX, "alert-w", "wall-1"), '{"kind":"acknowledged"}') is None
    until(lambda: [e for e in audit.of(floor.db, "alert-w") if e.action == "receipt.refused"])
