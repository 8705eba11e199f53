"""A card lost and back while sixteen lines of another are heard: when panels are told, and what the others lose."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.bench.busy_floor import START_S, BusyFloor, beats
from tests.bench.capacity import SETTLE_S, measure
from tests.bench.capacity_steps import quantile
from tests.journeys.floor import until

if TYPE_CHECKING:
    from tests.journeys.floor import Panel

LINES = 16
"""Lines that stay; one more is on the card that goes."""
TIMES = 4
"""How often the card goes: in turn pulled out, and there but silent."""
AWAY_S = 6.0
STAYS_S = 8.0
SECONDS = 75.0
LIMIT_S = 30.0


@dataclass
class Pulled:
    """What panels were told of the card that was taken away, in seconds after it went and after it was back."""

    shown: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    other: dict[str, Any] = field(default_factory=dict)
    """The last report of the card that stayed."""

    def pull(self, floor: BusyFloor, panel: Panel, stop: threading.Event) -> None:
        """Take the floor's last card away and bring it back, until all is done or `stop` is set."""
        control, seat = floor.controls[-1], f"{LINES + 1:02}"
        stop.wait(floor.epoch + START_S + SETTLE_S - time.time())
        for number in range(TIMES):
            went = time.time()
            control.write_text("stall" if number % 2 else "gone")
            self.shown.append(_told(panel, seat, fault=True, since=went) - went)
            stop.wait(AWAY_S)
            came = time.time()
            control.unlink()
            self.back.append(_told(panel, seat, fault=False, since=came) - came)
            stop.wait(STAYS_S)
        self.other = beats(panel)[-1]["cards"]["tap-a"]


def cards() -> list[str]:
    """Return when a lost card is shown and heard again, and what sixteen other lines lost meanwhile."""
    pulled = Pulled()
    step = measure(LINES + 1, SECONDS, lines_of_a_card=LINES, meanwhile=pulled.pull)
    if len(pulled.back) < TIMES:
        msg = f"the card went {TIMES} times and was told back {len(pulled.back)} times"
        raise TimeoutError(msg)
    own = f"line {LINES + 1}:"
    missing = [each for each in step.missing if not each.startswith(own)]
    waits = [wait.panel_s for wait in step.waits if wait.line <= LINES]
    return [
        f"card lost {TIMES} times: told at a panel after {_all(pulled.shown)} (goal 3 s)",
        f"told as heard {_all(pulled.back)} after it was back (goal 5 s)",
        (
            f"{LINES} lines of another card meanwhile, {step.seconds:.0f} s: alerts {len(waits)} of "
            f"{len(waits) + len(missing)}, p95 {quantile(waits, 0.95):.2f} s, losses of their card "
            f"{pulled.other['losses']}, overruns {pulled.other['overruns']}, audio lost {pulled.other['lost_s']} s"
        ),
    ]


def _told(panel: Panel, seat: str, *, fault: bool, since: float) -> float:
    """Return when a panel was told that a seat has, or has no longer, a fault of its line."""

    def told() -> float | None:
        for at, message in list(panel.messages):
            own = message.get("seat") == seat and "troubles" in message
            if own and at >= since and (message["state"] == "fault") is fault:
                return at
        return None

    at: float = until(told, within_s=LIMIT_S, what="the fault" if fault else "the card")
    return at


def _all(seconds: list[float]) -> str:
    return " / ".join(f"{each:.2f}" for each in sorted(seconds)) + " s"
