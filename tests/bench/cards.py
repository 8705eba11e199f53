"""A card lost and back while sixteen lines of another run: when it is shown and heard again, what the others lost."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.adapters.card import Card
from edge_agent.errors import Text
from edge_agent.ports import AudioBlock
from edge_agent.provision import demo
from edge_agent.settings import Seat
from edge_agent.settings_cards import Device
from tests.fixtures_audio import Cards

LINES = 16
RATE = 8000
TIMES = 3
"""How often the card goes: once each way it can (gone, silent), and again."""
AWAY_S = 4.0
LIMIT_S = 60.0


@dataclass
class Tapped:
    """A card that is read, and what came of it."""

    name: str
    lines: int
    blocks: dict[str, list[AudioBlock]] = field(default_factory=dict)
    faults: list[tuple[str, Text | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        seats = [
            Seat(
                seat=f"{self.name}-{number:02}", label_ja="", label_en="", device=self.name,
                customer_channel=2 * number, operator_channel=2 * number + 1,
            )
            for number in range(self.lines)
        ]  # fmt: skip
        self.blocks = {seat.seat: [] for seat in seats}
        self.card = Card(
            Device(name=self.name, match=self.name, channels=2 * self.lines, rate=RATE),
            seats,
            deliver={seat: blocks.append for seat, blocks in self.blocks.items()},
            on_fault=lambda seat, fault: self.faults.append((seat, fault)),
        )

    @property
    def shortest(self) -> int:
        """How many blocks the line has that has fewest."""
        return min(len(blocks) for blocks in self.blocks.values())


def until(holds: Callable[[], bool], what: str) -> float:
    """Wait; return how long it took in seconds."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > LIMIT_S:
            msg = f"{what} did not come within {LIMIT_S:.0f} s"
            raise TimeoutError(msg)
        time.sleep(0.01)
    return time.monotonic() - began


def cards() -> list[str]:
    """Return when a lost card is shown and heard again, and what sixteen other lines lost meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        machine = Cards(folder=Path(folder), module=demo.build_plugin(Path(folder)))
        machine.add("kept", channels=2 * LINES, rate=RATE)
        lost = machine.add("lost", channels=2, rate=RATE)
        os.environ["ALSA_CONFIG_PATH"] = str(machine.config)
        one, other = Tapped("kept", LINES), Tapped("lost", 1)
        stop = threading.Event()
        readers = [threading.Thread(target=each.card.run, args=(stop,)) for each in (one, other)]
        for reader in readers:
            reader.start()
        shown, back = [], []
        try:
            until(lambda: one.card.report.running and other.card.report.running, "both cards")
            began, before = time.monotonic(), one.shortest
            for number in range(TIMES):
                lost.order("stall" if number % 2 else "gone")
                shown.append(until(lambda: other.faults[-1][1] is not None, "the fault"))
                time.sleep(AWAY_S)
                lost.mend()
                back.append(until(lambda: other.faults[-1][1] is None, "the card"))
            ran_s, heard = time.monotonic() - began, one.shortest - before
        finally:
            stop.set()
            for reader in readers:
                reader.join()
    return [
        f"card lost {TIMES} times: fault shown after {worst(shown)} (goal 3 s)",
        f"heard {worst(back)} after it was back (goal 5 s)",
        (
            f"{LINES} lines of another card meanwhile, {ran_s:.0f} s: {_missing(one, ran_s, heard)}, "
            f"faults {sum(fault is not None for _, fault in one.faults)}, losses {one.card.report.losses}"
        ),
    ]


def worst(seconds: list[float]) -> str:
    """Return all of them, the longest last."""
    return " / ".join(f"{each:.2f}" for each in sorted(seconds)) + " s"


def _missing(tapped: Tapped, ran_s: float, heard: int) -> str:
    lost = sum(block.dropped for blocks in tapped.blocks.values() for block in blocks)
    return f"{heard * 10 / ran_s:.1f} % of the time heard by each line, blocks lost {lost}"
