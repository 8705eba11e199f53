"""A whole appliance with as many lines as wanted, all in call, and the ends of what is measured: panel and page."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import psutil

from edge_agent.domain.roles import Role
from edge_agent.services import accounts, sessions
from edge_agent.store import people
from edge_agent.store.database import open_main
from tests.bench import scenes
from tests.bench.panels import PASSWORD, Page, connect_all, listen
from tests.journeys.floor import Panel, RunningFloor, Tap, until

START_S = 5.0
"""Seconds from the moment the cards are plugged in to the first call: a card that was not there is tried every 3 s."""
LINES_OF_A_CARD = 32
"""64 channels, the most a card may have."""
PROCESSES = {"agent": "agent", "web": "web_ui", "broker": "mosquitto", "buttons": "edge_agent.button_daemon"}
"""The appliance's processes, and the word by which the command of each is known."""
SUPERVISOR = "bench-supervisor"


class BusyFloor(RunningFloor):
    """`mamori run` on a floor whose calls are the scenes of the bench, heard through cards of 32 lines each at most."""

    patience_s = 180.0

    def __init__(
        self,
        folder: Path,
        placed: Sequence[scenes.Placed],
        *,
        length_s: float,
        extra: str = "",
        loop: bool = False,
        lines_of_a_card: int = LINES_OF_A_CARD,
    ) -> None:
        self.placed = placed
        self.loop = loop
        self._lines_of_a_card = lines_of_a_card
        extra += f"\n[calls]\nend_silence_ms = {scenes.END_SILENCE_MS}\n"
        super().__init__(folder, placed, length_s=length_s, extra=extra)
        for control in self.controls:
            control.write_text("gone")

    @property
    def controls(self) -> list[Path]:
        """Return the files that tell the cards what happens to them, in the order of their lines."""
        return [configuration.parent / "card.ctl" for configuration in self._alsa]

    def plug_in(self, panel: Panel) -> None:
        """Let the cards be there: the recording begins now, however long the appliance took to start."""
        before, self.epoch = self.epoch, time.time()
        for configuration in self._alsa:
            text = configuration.read_text(encoding="utf-8")
            configuration.write_text(text.replace(f"epoch {before:.3f}", f"epoch {self.epoch:.3f}"), encoding="utf-8")
        for control in self.controls:
            control.unlink()
        seats = {f"{call.line:02}" for call in self.placed}
        until(lambda: seats <= self._heard(panel), what="the cards")

    def _heard(self, panel: Panel) -> set[str]:
        """Return the seats whose card is there."""
        states = {message["seat"]: message["state"] for _, message in list(panel.messages) if "troubles" in message}
        return {seat for seat, state in states.items() if state != "fault"}

    def _taps(self, alsa: Path, placed: Sequence[scenes.Placed], length_s: float) -> list[Tap]:
        lines = max(call.line for call in placed)
        taps = []
        for first in range(1, lines + 1, self._lines_of_a_card):
            seats = range(first, min(first + self._lines_of_a_card, lines + 1))
            name = f"tap-{chr(ord('a') + len(taps))}"
            folder = alsa / name
            folder.mkdir()
            (folder / "libasound_module_pcm_mamoritap.so").symlink_to(alsa / "libasound_module_pcm_mamoritap.so")
            recording = scenes.record(folder / "lines.raw", placed, lines=seats, length_s=length_s)
            taps.append(Tap(device=name, card=f"mamori bench {name}", recording=recording, seats=seats))
        return taps

    def page(self) -> WatchedPage:
        """Return a page of a supervisor, connected as a browser's is."""
        with closing(open_main(self.settings.data)) as main:
            now = datetime.now(UTC)
            accounts.create_person(
                main, name=SUPERVISOR, display_name="Bench", role=Role.SUPERVISOR, password=PASSWORD,
                must_change=False, now=now,
            )  # fmt: skip
            token = sessions.open_for(main, people.find(main, SUPERVISOR), sessions.Visitor(), now=now)
        [page], _ = connect_all(self.settings, [token])
        return WatchedPage(page)

    def tree(self) -> dict[str, list[psutil.Process]]:
        """Return the appliance's processes by what they are; the agent's card readers apart."""
        found = {name: [self.child(mark)] for name, mark in PROCESSES.items()}
        return found | {"cards": found["agent"][0].children(recursive=True)}

    def words_at(self, message: dict[str, Any], *, came: float) -> tuple[scenes.Placed, float] | None:
        """Return the call an alert belongs to, and the second of that call at which the words that caused it ended.

        The message counts from where the call's first speech was noticed, with its lead-in. The box may be late, but
        not so late that the words lie in the future: the last call in which they do not is meant.
        """
        preroll_s = self.settings.vad.preroll_ms / 1000
        for call in sorted((c for c in self.placed if f"{c.line:02}" == message["seat"]), key=lambda c: -c.start_s):
            words_s = call.scene.phrases[0].start - preroll_s + message["at_s"]
            if self.epoch + call.start_s + words_s <= came + scenes.MATCHED_WITHIN_S and words_s <= call.scene.seconds:
                return call, words_s
        return None


@dataclass
class WatchedPage:
    """A page that notes when which incident came."""

    page: Page

    def __enter__(self) -> Self:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=listen, args=([self.page], self._stop))
        # The page notes times of the monotonic clock, everything else those of the day.
        self._behind = time.time() - time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def came(self, incident: str) -> float | None:
        """Return when an incident was first told to the page (Unix time), None if it was not."""
        at = self.page.came.get(incident)
        return None if at is None else at + self._behind


@dataclass
class Usage:
    """What the appliance's processes use between two moments."""

    tree: dict[str, list[psutil.Process]]

    def __post_init__(self) -> None:
        self._began, self._spent = time.monotonic(), self._seconds()

    def _seconds(self) -> dict[str, float]:
        spent = {}
        for name, processes in {**self.tree, "bench": [psutil.Process()]}.items():
            times = [process.cpu_times() for process in _living(processes)]
            spent[name] = sum(each.user + each.system for each in times)
        return spent

    def cores(self) -> dict[str, float]:
        """Return how many cores each has used on average, the bench's own process among them."""
        took = time.monotonic() - self._began
        return {name: (seconds - self._spent[name]) / took for name, seconds in self._seconds().items()}


def rss_mib(processes: Sequence[psutil.Process]) -> float:
    """Return the resident memory of some processes; what they share is counted for each."""
    return sum(process.memory_info().rss for process in processes) / 2**20


def pss_mib(processes: Sequence[psutil.Process]) -> float:
    """Return the memory of some processes; what they share is counted once."""
    return sum(process.memory_full_info().pss for process in _living(processes)) / 2**20


def _living(processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run: a card's reader goes with its card."""
    return [process for process in processes if process.is_running()]


def in_a_row(stages: Sequence[str]) -> str:
    """Return the stages told, each with how often it was told in a row."""
    counted = [(stage, len(list(times))) for stage, times in itertools.groupby(stages)]
    return " ".join(stage if times == 1 else f"{stage} ×{times}" for stage, times in counted)


def told_overloads(said: str) -> list[str]:
    """Return the stages of overload the agent's log tells of, in order."""
    found = [line for line in said.splitlines() if " mamori.pool overload " in f" {line} "]
    return [word.partition("=")[2] for line in found for word in line.split() if word.startswith("state=")]


def beats(panel: Panel) -> list[dict[str, Any]]:
    """Return the agent's heartbeats that a panel has seen, in order."""
    return [message for _at, message in list(panel.messages) if "overload" in message]
