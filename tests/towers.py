"""Towers and lamps that speak their vendors' protocols, as documented: over real HTTP and a real broker."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge_agent.services import topics
from tests.broker_fixture import until

if TYPE_CHECKING:
    from tests.broker_fixture import Broker

TIERS = "RYGBC"
DARK = "000000"
UNCHANGED = "9"


class Tower:
    """What PATLITE's towers have in common: six digits, red, yellow, green, blue, clear and the buzzer."""

    patterns = "0129"
    """What a tier takes: off, on, flashing, unchanged."""

    def __init__(self) -> None:
        self.shows = DARK
        self.told: list[str] = []

    def alert(self, digits: str) -> bool:
        """Take ``alert``; False for what is no valid command."""
        if len(digits) != len(TIERS) + 1 or not set(digits[:5]) <= set(self.patterns) or digits[5] not in "012349":
            return False
        self.told.append(digits)
        self.shows = "".join(old if new == UNCHANGED else new for old, new in zip(self.shows, digits, strict=True))
        return True

    def reboot(self) -> None:
        """After a power cut it is dark and does not know what it showed."""
        self.shows = DARK


class HttpTower(Tower):
    """LA6-POE or WE-LAN: ``GET /api/control?alert=…`` or ``clear=1``, answered ``Success.`` or ``Error.``."""

    def __init__(self) -> None:
        super().__init__()
        self.port = 0
        self._server: http.server.HTTPServer | None = None
        self.start()

    def start(self) -> None:
        """Switch it on; at its old port if it had one."""
        tower = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                said = tower.control(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def control(self, path: str) -> bytes:
        """Answer a command."""
        parts = urlsplit(path)
        asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if parts.path == "/api/control" and asked == {"clear": "1"}:
            self.shows = DARK
            return b"Success."
        if parts.path == "/api/control" and set(asked) == {"alert"} and self.alert(asked["alert"]):
            return b"Success."
        return b"Error."

    def stop(self) -> None:
        """Pull the plug."""
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None
        self.reboot()


class OnBroker:
    """A device on the floor's broker: MQTT 3.1.1 over TLS with a clean session, like small devices."""

    def __init__(self, broker: Broker, name: str, *, will: tuple[str, str] | None = None) -> None:
        self.name = name
        self.received: list[dict[str, Any]] = []
        self._address = ("localhost", broker.settings.mqtt.port)
        self._topic = topics.lamp_state(broker.settings.box, name)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=paho.MQTTv311)
        secret = Path(broker.settings.data) / "secrets" / f"mqtt-{name}"
        self._client.username_pw_set(name, secret.read_text().strip())
        self._client.tls_set(ca_certs=str(broker.settings.ca_file), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        self._client.reconnect_delay_set(1, 1)
        self._birth: tuple[str, str] | None = None
        if will is not None:
            topic, _ = will
            self._birth = (topic, '{"state": "online"}')
            self._client.will_set(*will, qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message

    def start(self) -> None:
        """Switch it on."""
        self._client.connect(*self._address, keepalive=10)
        self._client.loop_start()
        until(self._client.is_connected)

    def stop(self) -> None:
        """Pull the plug: no goodbye, so that the broker publishes the last will."""
        self._client._sock_close()
        self._client.loop_stop()

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        client.subscribe(self._topic, qos=1)
        if self._birth is not None:
            client.publish(*self._birth, qos=1, retain=True)

    def _on_message(self, _client: paho.Client, _user: object, message: paho.MQTTMessage) -> None:
        self.received.append(json.loads(message.payload))
        self.take(self.received[-1])

    def take(self, message: dict[str, Any]) -> None:
        """Do as told."""


class MqttTower(OnBroker, Tower):
    """NH-FV: a JSON object with ``alert``; two ways of flashing."""

    patterns = "01239"

    def __init__(self, broker: Broker, name: str) -> None:
        Tower.__init__(self)
        OnBroker.__init__(self, broker, name)

    def take(self, message: dict[str, Any]) -> None:
        assert self.alert(message["alert"])

    def stop(self) -> None:
        OnBroker.stop(self)
        self.reboot()


class DeskLamp(OnBroker):
    """A lamp with the configuration of firmware_config/esphome."""

    def __init__(self, broker: Broker, name: str) -> None:
        super().__init__(broker, name, will=(topics.lamp_status(broker.settings.box, name), '{"state": "offline"}'))
        self.shows: tuple[str, str] | None = None

    def take(self, message: dict[str, Any]) -> None:
        self.shows = (message["colour"], message["pattern"])
