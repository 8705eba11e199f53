"""A whole appliance for journeys: real card, real models, real broker, real pages, in a folder of its own."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from edge_agent import settings as settings_module
from edge_agent.adapters.mqtt import MqttMessenger
from edge_agent.provision import demo
from edge_agent.services import topics
from tests.messages import wrong
from tests.ports import free_port

SCRIPTS = Path(__file__).parents[2] / "firmware_config/demo"
PATIENCE_S = 40.0
STOPS_WITHIN_S = 30.0


@functools.cache
def built_plugin() -> tuple[str, bytes]:
    """The demonstration card's plug-in, by its file's name: the same for all floors, compiled once."""
    with tempfile.TemporaryDirectory() as folder:
        plugin = demo.build_plugin(Path(folder))
        return plugin.name, plugin.read_bytes()


def turns(call: str) -> list[dict[str, Any]]:
    """The true times of what is said in a recorded call, in seconds from its start."""
    found: list[dict[str, Any]] = json.loads((SCRIPTS / "calls" / f"{call}.json").read_text(encoding="utf-8"))["turns"]
    return found


def until(condition: Callable[[], Any], *, within_s: float = PATIENCE_S, what: str = "it") -> Any:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    msg = f"waited {within_s:.0f} s in vain for {what}"
    raise AssertionError(msg)


@dataclass
class Panel:
    """A panel of its own identity that notes when which message came, a repeated one once.

    A repeat is known by alert, revision and the incident's state, or by alert, step and times, as docs/mqtt.md tells.
    """

    link: MqttMessenger
    messages: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    repeats: int = 0
    problems: list[str] = field(default_factory=list)
    """What does not agree with the published schemas."""
    _known: set[tuple[str, ...]] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.link.start()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self._stop.wait(0.02):
            for arrived in self.link.arrived():
                message = json.loads(arrived.payload)
                self.problems += wrong(arrived.topic, arrived.payload, schema=arrived.schema, trace=arrived.trace)
                if "incident_state" in message or "step" in message:
                    names = ("step", "times") if "step" in message else ("revision", "incident_state")
                    key = (message["alert_id"], *(str(message[name]) for name in names))
                    if key in self._known:
                        self.repeats += 1
                        continue
                    self._known.add(key)
                self.messages.append((time.time(), message))

    def of(self, **wanted: Any) -> list[tuple[float, dict[str, Any]]]:
        return [(at, m) for at, m in list(self.messages) if all(m.get(key) == value for key, value in wanted.items())]

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.link.stop()


@dataclass(frozen=True)
class Tap:
    """A sound card of the floor: its name in the settings, its own name, what it plays, and whose lines it taps."""

    device: str
    card: str
    recording: Path
    seats: range


class RunningFloor:
    """`mamori run` on a floor of as many seats as calls, each placed at a second of the recording."""

    patience_s = 300.0
    """How long its start may take: seconds on a machine that does nothing else, which tests seldom have."""
    loop = False
    """Whether the recording begins anew at its end."""

    def __init__(
        self, folder: Path, placed: Sequence[Any], *, length_s: float, extra: str = "", policy: Path | None = None
    ) -> None:
        self.folder = folder
        self.policy = policy
        self.data = folder / "var"
        self.web_port, self.mqtt_port = free_port(), free_port()
        alsa = folder / "alsa"
        alsa.mkdir()
        name, plugin = built_plugin()
        (alsa / name).write_bytes(plugin)
        taps = self._taps(alsa, placed, length_s)
        self.epoch = time.time()
        self._alsa = [
            demo.write_configuration(
                tap.recording.parent, tap.recording, epoch=self.epoch, channels=2 * len(tap.seats), loop=self.loop,
                card=tap.card,
            )
            for tap in taps
        ]  # fmt: skip
        self.alsa = self._alsa[0]
        self.card_control = taps[0].recording.parent / "card.ctl"
        self.settings_file = folder / "mamori.toml"
        self.settings_file.write_text(self._settings(taps) + extra, encoding="utf-8")
        self.settings = settings_module.load(self.settings_file)
        self.output = (folder / "output.txt").open("wb")
        self.process: subprocess.Popen[bytes] | None = None

    def _taps(self, alsa: Path, placed: Sequence[demo.Placed], length_s: float) -> list[Tap]:
        """Record what the floor's cards will play; `alsa` holds the plug-in."""
        seats = max(call.seat for call in placed)
        demo.render(alsa / "floor.raw", list(placed), length_s=length_s, seats=seats)
        return [Tap(device="tap", card=demo.CARD, recording=alsa / "floor.raw", seats=range(1, seats + 1))]

    def _settings(self, taps: Sequence[Tap]) -> str:
        lines = [
            "[box]\nsite = 'test'\nfloor = 'floor1'\nbox = 'box1'",
            f"[paths]\ndata = '{self.data}'\nrun = '{self.folder / 'run'}'"
            + (f"\npolicy = '{self.policy}'" if self.policy else ""),
            f"[mqtt]\nport = {self.mqtt_port}",
            f"[web]\nport = {self.web_port}",
        ]
        lines += [
            f"[[devices]]\nname = '{tap.device}'\nmatch = '{tap.card}'\nchannels = {2 * len(tap.seats)}\n"
            f"rate = {demo.RATE}"
            for tap in taps
        ]
        lines += [
            f"[[seats]]\nseat = '{seat:02}'\nlabel_ja = '{seat}番席'\nlabel_en = 'Seat {seat}'\n"
            f"device = '{tap.device}'\ncustomer_channel = {2 * place}\noperator_channel = {2 * place + 1}"
            for tap in taps
            for place, seat in enumerate(tap.seats)
        ]
        return "\n\n".join(lines) + "\n"

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.web_port}"

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "edge_agent",
                "run",
                "--data",
                str(self.data),
                "--settings",
                str(self.settings_file),
            ],
            env={**os.environ, **demo.environment(*self._alsa), "MAMORI_LANG": "en"},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            start_new_session=True,
        )
        try:
            until(
                lambda: "Ctrl-C" in self.said() or self.process.poll() is not None,
                within_s=self.patience_s,
                what="the floor to run",
            )
            assert self.process.poll() is None, self.said()
        except BaseException:
            # Whoever waits for it in vain does not stop it: it would run on beside all tests that follow.
            self.stop()
            raise

    def said(self) -> str:
        self.output.flush()
        return (self.folder / "output.txt").read_text(encoding="utf-8", errors="replace")

    def one_time_password(self) -> str:
        return self.said().split("one-time password: ")[1].split()[0]

    def child(self, mark: str) -> psutil.Process:
        """The child of `mamori run` whose command line holds `mark` as a word, a program or the start of a module."""
        for process in psutil.Process(self.process.pid).children():
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if any(mark in {word, Path(word).name, word.partition(".")[0]} for word in process.cmdline()):
                return process
        msg = f"no child runs {mark}"
        raise AssertionError(msg)

    def link(self, name: str, *subscriptions: str) -> MqttMessenger:
        """The connection of another device that was added, not started yet."""
        return MqttMessenger(
            host="localhost",
            port=self.mqtt_port,
            ca_file=self.settings.ca_file,
            user=name,
            password_file=self.settings.data / "secrets" / f"mqtt-{name}",
            subscriptions=subscriptions,
        )

    def panel(self, name: str = "panel-1") -> Panel:
        base = topics.base(self.settings.box)
        link = MqttMessenger(
            host="localhost",
            port=self.mqtt_port,
            ca_file=self.settings.ca_file,
            user=name,
            password_file=self.settings.data / "secrets" / f"mqtt-{name}",
            subscriptions=[
                f"{base}/{topic}"
                for topic in ("alert/+", "words/+", "escalation/+", "line/+/state", "status", "health")
            ],
        )
        panel = Panel(link)
        try:
            until(link.connected, what="the panel to connect")
        except BaseException:
            panel.close()
            raise
        return panel

    def stop(self) -> None:
        """Stop it as Ctrl-C does; one that does not stop is killed, and its parts end with it."""
        process, self.process = self.process, None
        try:
            if process is not None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(STOPS_WITHIN_S)
                finally:
                    process.kill()
                    process.wait()
        finally:
            self.output.close()
