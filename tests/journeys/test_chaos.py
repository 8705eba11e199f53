"""Alerts while agent, writer, broker and network die at random moments: none is lost, none is shown twice.

`make chaos` does it with 1,000 alerts, `make test` with a few. The panel is the shipped one (`mamori panel`), in a
network of its own behind a cable that is pulled.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import psutil
import pytest

from edge_agent.provision import demo
from edge_agent.store import incidents, outbox, receipts
from edge_agent.store.database import open_main
from tests.journeys.floor import RunningFloor, until
from tests.ports import free_port

pytestmark = [
    pytest.mark.journey,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ALERTS = int(os.environ.get("MAMORI_CHAOS", "40"))
SEED = 20261124
CALM_S = (1.0, 4.0)
"""From one blow to the next."""
CUT_S = (0.5, 25.0)
"""For how long a cable is out: shorter and longer than the ten seconds after which a panel gives a connection up."""
BLOWS_IN_A_ROW = 4
"""`mamori run` gives up a part that dies six times and never runs for half a minute: a broken box, not this test."""
STEADY_S = 31.0
HERE, THERE = "10.77.0.1", "10.77.0.2"


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass
class Cable:
    """A network namespace `name` whose only way out is a pair of virtual cards."""

    name: str

    def __post_init__(self) -> None:
        ip("netns", "add", self.name)
        ip("link", "add", "mamori-a", "type", "veth", "peer", "name", "mamori-b", "netns", self.name)
        ip("addr", "add", f"{HERE}/30", "dev", "mamori-a")
        ip("link", "set", "mamori-a", "up")
        for words in (f"addr add {THERE}/30 dev mamori-b", "link set mamori-b up", "link set lo up"):
            ip("-n", self.name, *words.split())

    def out(self) -> None:
        ip("-n", self.name, "link", "set", "mamori-b", "down")

    def back(self) -> None:
        ip("-n", self.name, "link", "set", "mamori-b", "up")

    def remove(self) -> None:
        ip("netns", "delete", self.name)


@contextmanager
def cable() -> Iterator[Cable]:
    """A namespace, or a skipped test where none can be made."""
    name = f"mamori-{os.getpid()}"
    try:
        made = Cable(name)
    except (OSError, subprocess.CalledProcessError) as error:
        subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no network namespace can be made here (root and iproute2 are needed): {error}")
    try:
        yield made
    finally:
        made.remove()


@dataclass
class Blows:
    """What is struck, at random and in turn; each of the programs only as often as a healthy box would stand."""

    luck: random.Random
    ways: dict[str, Callable[[], None]]
    struck: Counter[str] = field(default_factory=Counter)
    _lately: dict[str, list[float]] = field(default_factory=dict)

    def strike(self) -> None:
        now = time.monotonic()
        for name in self.luck.sample(sorted(self.ways), len(self.ways)):
            times = self._lately.setdefault(name, [])
            if times and now - times[-1] > STEADY_S:
                times.clear()
            if len(times) < BLOWS_IN_A_ROW:
                self.ways[name]()
                times.append(time.monotonic())
                self.struck[name] += 1
                return


def kill(process: psutil.Process) -> None:
    process.send_signal(signal.SIGKILL)


def start(*words: str, output: Any = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT if output else None
    )


def shown(file: Path) -> list[dict[str, Any]]:
    """What the panel has shown: one JSON message a line."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


class Scene:
    """A floor, a panel behind a cable, and whoever writes the alerts."""

    def __init__(self, folder: Path, line: Cable, luck: random.Random) -> None:
        self.floor = RunningFloor(folder, [demo.Placed(start_s=8, seat=1, call="order-calm")], length_s=60)
        self.floor.data.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.floor.settings_file, self.floor.data / "settings.toml")
        self.screen = folder / "panel.txt"
        self._line, self._luck = line, luck
        self._helpers: list[subprocess.Popen[bytes]] = []
        self._writer: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.floor.start()
        python = (sys.executable, "-m")
        inside = ("ip", "netns", "exec", self._line.name, *python)
        relay, middle, port = "tests.journeys.relay", str(free_port()), str(self.floor.mqtt_port)
        panel = ("edge_agent", "panel", "--name", "panel-1", "--json", "--ack", "--data", str(self.floor.data))
        with self.screen.open("wb") as output:
            self._helpers += [
                start(*python, relay, HERE, middle, "127.0.0.1", port),
                start(*inside, relay, "127.0.0.1", port, HERE, middle),
                start(*inside, *panel, output=output),
            ]
        # Alerts are not retained: a panel that was never there before gets none of those from before it.
        until(lambda: "device.connected device=panel-1" in self.floor.said(), what="the panel to be there")
        self.write()

    def write(self) -> None:
        """Start another writer."""
        words = (str(self.floor.settings_file), str(ALERTS), str(self._luck.getrandbits(32)))
        self._writer = start(sys.executable, "-m", "tests.journeys.alert_writer", *words)

    def kill_writer(self) -> None:
        assert self._writer is not None
        self._writer.kill()
        self._writer.wait()
        self.write()

    def cut(self) -> None:
        """Pull the cable for a while."""
        self._line.out()
        time.sleep(self._luck.uniform(*CUT_S))
        self._line.back()

    def whole(self) -> bool:
        """Whether agent and broker are there."""
        try:
            return all(self.floor.child(mark).is_running() for mark in ("agent", "mosquitto"))
        except AssertionError:
            return False

    def written(self) -> None:
        """Wait for the writer to be done."""
        assert self._writer is not None
        self._writer.wait(60)

    def stop(self) -> None:
        for process in [*self._helpers, *([self._writer] if self._writer else [])]:
            process.kill()
            process.wait()
        self.floor.stop()


def test_no_alert_is_lost_or_shown_twice_while_everything_dies(tmp_path: Path) -> None:
    luck = random.Random(SEED)  # noqa: S311 - a random moment is no secret
    with cable() as line:
        scene = Scene(tmp_path, line, luck)
        scene.start()
        db = open_main(scene.floor.settings.data)
        try:
            ways = {
                "agent": lambda: kill(scene.floor.child("agent")),
                "broker": lambda: kill(scene.floor.child("mosquitto")),
                "network": scene.cut,
                "writer": scene.kill_writer,
            }
            blows = Blows(luck, ways)
            while db.table("incidents").count < ALERTS or len(blows.struck) < len(ways):
                time.sleep(luck.uniform(*CALM_S))
                until(scene.whole, what="agent and broker to be back")
                blows.strike()
            scene.written()
            until(lambda: outbox.count_unsent(db) == 0, within_s=120, what="the outbox to empty")
            numbers = [row["incident_id"] for row in db.table("incidents").rows_where(select="incident_id")]
            until(lambda: not incidents.unacknowledged(db), within_s=120, what="every acknowledgement")
            news = Counter(message["alert_id"] for message in shown(scene.screen) if first(message))
            lost, twice = set(numbers) - set(news), [number for number, times in news.items() if times > 1]
            delays = sorted(delay(db, number) for number in numbers)
            click.echo(
                f"\n{len(numbers)} alerts; struck: {dict(blows.struck)}; lost {len(lost)}, shown twice {len(twice)}; "
                f"written to delivered: median {delays[len(delays) // 2]:.2f} s, longest {delays[-1]:.1f} s"
            )
            assert len(numbers) >= ALERTS
            assert lost == set()
            assert twice == []
        finally:
            db.close()
            scene.stop()


def first(message: dict[str, Any]) -> bool:
    """Whether it tells of an alert for the first time."""
    return message.get("change") == "new" and message.get("incident_state") == "open"


def delay(db: Any, number: str) -> float:
    """Seconds from an alert's commit to the panel's word that it has it."""
    incident = incidents.find(db, number)
    assert incident is not None
    [delivered] = [receipt for receipt in receipts.of(db, number) if receipt.kind == "delivered"]
    return (datetime.fromisoformat(delivered.at) - incident.opened_at).total_seconds()
