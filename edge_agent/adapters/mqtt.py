"""MQTT v5 over TLS with paho: the link of the agent, and of a panel, to the floor's broker.

What paho does by itself and what follows here:
- ``publish()`` while offline queues in memory although it says *no connection*: nothing is published offline.
- A publish the ACL refuses looks published; only the v5 reason code in ``on_publish`` tells: it becomes an `Outcome`.
- An exception in a callback kills paho's thread: callbacks only put things on queues.
- A connection is there before its subscriptions are, and what is said in between is missed: it counts as made once the
  broker has taken them.
"""

from __future__ import annotations

import queue
import ssl
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge_agent.errors import BrokerError, Text
from edge_agent.log import Log
from edge_agent.ports import Arrived, Outcome
from edge_agent.services import wire

KEEPALIVE_S = 10
RECONNECT_S = (1, 5)
"""Shortest and longest wait between attempts; paho's own default grows to 120 s."""
SESSION_EXPIRY_S = 7 * 24 * 3600
"""How long the broker keeps messages for a panel that is away."""

log = Log("mqtt")

T = TypeVar("T")


class MqttMessenger:
    """One identity's connection to the broker; reconnects by itself until stopped."""

    def __init__(
        self,
        *,
        host: str,
        port: int,
        ca_file: Path,
        user: str,
        password_file: Path,
        subscriptions: Iterable[str],
        momentary: Iterable[str] = (),
        birth: tuple[str, str] | None = None,
        will: tuple[str, str] | None = None,
        retain_will: bool = True,
    ) -> None:
        """Prepare the connection.

        `momentary` is listened to for the moment: what comes while we are away is lost, the broker keeps none of it.
        `birth` and `will` are (topic, payload), retained; the will is what the broker says when the box is gone.
        A device's will is not `retain_will`: who comes later looks at its heartbeats.

        Raises:
            BrokerError: if the password or the authority's certificate cannot be read.
        """
        self._address = (host, port)
        self._subscriptions = [(topic, SubscribeOptions(qos=1)) for topic in subscriptions]
        self._subscriptions += [(topic, SubscribeOptions(qos=0, retainAsPublished=True)) for topic in momentary]
        self._birth = birth
        self._will = will
        self._retain_will = retain_will
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._arrived: queue.SimpleQueue[Arrived] = queue.SimpleQueue()
        self._up = threading.Event()
        self._generation = 0
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=user, protocol=paho.MQTTv5)
        try:
            client.username_pw_set(user, password_file.read_text().strip())
            client.tls_set(ca_certs=str(ca_file), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        except (OSError, ssl.SSLError) as error:
            raise BrokerError(
                Text(
                    f"ブローカーへの接続情報を読めません（{user}: {error}）。",
                    f"The credentials for the broker cannot be read ({user}: {error}).",
                ),
                Text("「mamori device add」で作り直してください。", "Make them again with “mamori device add”."),
            ) from error
        client.reconnect_delay_set(*RECONNECT_S)
        client.max_queued_messages_set(0)
        if will:
            properties = _properties(PacketTypes.WILLMESSAGE, will[0], will[1], None)
            client.will_set(will[0], will[1], qos=1, retain=retain_will, properties=properties)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        self._client = client

    def start(self) -> None:
        """Connect in the background."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        host, port = self._address
        self._client.connect_async(host, port, keepalive=KEEPALIVE_S, clean_start=False, properties=properties)
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye and disconnect; a will is published here too, since a clean goodbye suppresses it."""
        if self._up.is_set():
            if self._will:
                self._publish(self._will[0], self._will[1], retain=self._retain_will).wait_for_publish(2)
            self._client.disconnect()
        self._client.loop_stop()

    def connected(self) -> bool:
        """Return whether the broker is there, has accepted us and has taken our subscriptions."""
        return self._up.is_set()

    def generation(self) -> int:
        """Return how often a connection was made."""
        return self._generation

    def send(self, *, topic: str, payload: str, retain: bool = False, expiry_s: int | None = None) -> int | None:
        """Publish at QoS 1; return the packet id, or None while there is no connection."""
        if not self._up.is_set():
            return None
        info = self._publish(topic, payload, retain=retain, expiry_s=expiry_s)
        # rc 4 (no connection) has queued it all the same: its ticket counts.
        return info.mid

    def outcomes(self) -> list[Outcome]:
        """Return what the broker said of messages since the last call."""
        return _drain(self._outcomes)

    def arrived(self) -> list[Arrived]:
        """Return messages received since the last call."""
        return _drain(self._arrived)

    def _on_connect(
        self, client: paho.Client, _user: object, _flags: paho.ConnectFlags, reason: ReasonCode, _props: object
    ) -> None:
        if reason.is_failure:
            log.error("broker.refused", reason_code=str(reason).replace(" ", "_"))
            return
        if self._birth:
            self._publish(self._birth[0], self._birth[1], retain=True)
        if self._subscriptions:
            client.subscribe(self._subscriptions)
        else:
            self._come_up()

    def _on_subscribe(
        self, _client: paho.Client, _user: object, _mid: int, _reasons: list[ReasonCode], _props: object
    ) -> None:
        self._come_up()

    def _come_up(self) -> None:
        self._generation += 1
        self._up.set()
        log.info("broker.connected", host=self._address[0], port=self._address[1])

    def _on_disconnect(
        self, _client: paho.Client, _user: object, _flags: object, reason: ReasonCode, _props: object
    ) -> None:
        if self._up.is_set():
            log.warning("broker.lost", reason_code=str(reason).replace(" ", "_"))
        self._up.clear()

    def _on_publish(self, _client: paho.Client, _user: object, mid: int, reason: ReasonCode, _props: object) -> None:
        self._outcomes.put(Outcome(ticket=mid, refused=str(reason) if reason.is_failure else None))

    def _on_message(self, _client: paho.Client, _user: object, message: paho.MQTTMessage) -> None:
        told = dict(getattr(message.properties, "UserProperty", ()))
        self._arrived.put(
            Arrived(
                topic=message.topic,
                payload=bytes(message.payload),
                schema=told.get("schema", ""),
                trace=told.get("trace", ""),
                retained=bool(message.retain),
            )
        )

    def _publish(self, topic: str, payload: str, *, retain: bool, expiry_s: int | None = None) -> paho.MQTTMessageInfo:
        properties = _properties(PacketTypes.PUBLISH, topic, payload, expiry_s)
        return self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)


def _properties(packet: int, topic: str, payload: str, expiry_s: int | None) -> Properties:
    """Return what every message carries: schema version, trace, and when it is worth nothing any more."""
    envelope = wire.envelope(topic, payload)
    properties = Properties(packet)  # type: ignore[no-untyped-call]
    properties.UserProperty = [("schema", envelope.schema), ("trace", envelope.trace)]
    expiry = envelope.expiry_s if expiry_s is None else expiry_s
    if expiry is not None:
        properties.MessageExpiryInterval = expiry
    return properties


def _drain(source: queue.SimpleQueue[T]) -> list[T]:
    items = []
    while True:
        try:
            items.append(source.get_nowait())
        except queue.Empty:
            return items
