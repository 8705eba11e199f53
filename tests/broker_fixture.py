"""A real Mosquitto for journeys: our configuration, our authority, one identity a device, on a free port."""

from __future__ import annotations

import getpass
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.provision import broker, pki
from edge_agent.provision.processes import listening
from edge_agent.settings import Box, Mqtt, Paths, Settings
from tests.ports import free_port


def broker_settings(folder: Path) -> Settings:
    """Return settings of a box whose broker listens on a free port of this machine."""
    return Settings(
        box=Box(site="tokyo", floor="f1", box="box1"),
        paths=Paths(data=str(folder / "data"), run=str(folder / "run")),
        mqtt=Mqtt(port=free_port()),
    )


def until(condition: Callable[[], object], *, within_s: float = 20.0) -> None:
    """Wait for something that happens in another process; fail if it does not."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class Broker:
    """Mosquitto as a child process: started, stopped politely, killed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._log = settings.data / "mosquitto.log"

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                broker.command(self.settings), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        until(self._up)

    def _up(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self._log.read_text()
        return listening("127.0.0.1", self.settings.mqtt.port)

    def stop(self) -> None:
        """Stop it as an administrator would."""
        if self._process:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait(20)
            self._process = None

    def log(self) -> str:
        """Return what it has written so far."""
        return self._log.read_text()

    def messenger(self, name: str, *subscriptions: str, **changes: object) -> MqttMessenger:
        """Return a device's connection, not started yet."""
        fields: dict[str, object] = {
            "host": "localhost",
            "port": self.settings.mqtt.port,
            "ca_file": self.settings.ca_file,
            "user": name,
            "password_file": self.settings.data / "secrets" / f"mqtt-{name}",
            "subscriptions": subscriptions,
        }
        return MqttMessenger(**(fields | changes))  # type: ignore[arg-type]


DEVICES = {"panel-1": "panel", "panel-2": "panel"}


@contextmanager
def running_broker(settings: Settings, devices: Mapping[str, str] = DEVICES) -> Iterator[Broker]:
    """Set up what a broker needs (authority, certificate, `agent`, some devices), start it, stop it after."""
    now = datetime.now(UTC)
    pki.ensure_authority(settings.data / "pki", now=now)
    pki.ensure_server(settings.data / "pki", "broker", hosts=[settings.mqtt.host], now=now)
    broker.ensure_device(settings, "agent", "agent")
    for name, kind in devices.items():
        broker.ensure_device(settings, name, kind)
    broker.write_configuration(settings, user=getpass.getuser())
    settings.broker_refusals_file.parent.mkdir(parents=True, exist_ok=True)
    running = Broker(settings)
    running.start()
    try:
        yield running
    finally:
        running.stop()
