"""What `capacity` measures, and how it is kept: a run that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from tests.bench import busy_floor
from tests.bench.plain import PlainStep

P95_S = 1.5
OPERATOR_LATE_S = 10.0
"""Operators heard later than that at the end of a step are a box that does not keep up: they would be ever later."""
LEAST_ALERTS = 10
"""Fewer say nothing of a p95."""
LATE_S = 2.0
"""By then the supervisor must have been told of the words that matter."""


@dataclass(kw_only=True)
class Wait:
    """One alert: seconds from the end of the phrase that caused it to the panel and the page (below zero: before)."""

    line: int
    call: str
    phrase: str
    telling: bool
    tentative: bool
    panel_s: float
    page_s: float | None
    after_telling_s: float
    """Seconds from the end of the phrase that should have caused it."""


@dataclass(kw_only=True)
class Step:
    """What was measured with so many lines."""

    lines: int
    seconds: float
    customer_share: float
    operator_share: float
    cores: dict[str, float]
    rss_mib: float
    pss_mib: float
    expected: int
    waits: list[Wait] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    withdrawn: int = 0
    overruns: int = 0
    lost_s: float = 0.0
    stages: list[str] = field(default_factory=list)
    behind_s: float = 0.0
    operator_behind_s: float = 0.0
    """How much of an operator's side was still to be heard at the end, at most."""

    @property
    def agent_cores(self) -> float:
        """Return what listening takes: the agent and the processes that read its cards."""
        return self.cores["agent"] + self.cores["cards"]

    @property
    def early(self) -> float:
        """Return the share of alerts that were told before the phrase had ended."""
        return sum(wait.panel_s <= 0 for wait in self.waits) / len(self.waits) if self.waits else 0.0

    @property
    def in_time(self) -> int:
        """Return how many alerts came by `LATE_S` after the words that the script means, or before."""
        return sum(wait.after_telling_s <= LATE_S for wait in self.waits)

    def panel_s(self, share: float) -> float:
        """Return the time within which a share of the alerts was at the panel."""
        return quantile([wait.panel_s for wait in self.waits], share)

    def page_s(self, share: float) -> float:
        """Return the time within which a share of the alerts was on the page."""
        return quantile([wait.page_s for wait in self.waits if wait.page_s is not None], share)

    @property
    def broken(self) -> list[str]:
        """Return why the box does not carry so many lines; nothing if it does."""
        why = []
        if self.lost_s or self.overruns:
            why.append(f"{self.lost_s:.1f} s of audio lost, {self.overruns} overruns")
        if len(self.waits) >= LEAST_ALERTS and self.panel_s(0.95) > P95_S:
            why.append(f"p95 {self.panel_s(0.95):.2f} s")
        if self.operator_behind_s > OPERATOR_LATE_S:
            why.append(f"operators heard {self.operator_behind_s:.0f} s late")
        if "fewer_lines" in self.stages:
            why.append("lines rested")
        return why

    @property
    def gave_up(self) -> str:
        """Return the stages of overload that were entered, in order; empty if the box gave nothing up."""
        return busy_floor.in_a_row(self.stages)


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies (nearest rank); NaN without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


@dataclass(kw_only=True)
class PlainLadder:
    """What was measured of the plain way.

    Attributes:
        limit_s: p95 up to which it holds: `P95_S`, or what it needs with few lines and half a second more.
    """

    steps: list[PlainStep] = field(default_factory=list)
    limit_s: float = P95_S

    def holds(self, step: PlainStep) -> bool:
        """Return whether it carries so many lines."""
        return not step.lost_s and quantile(step.waits_s, 0.95) <= self.limit_s

    @property
    def carried(self) -> int:
        """Return the most lines that held."""
        return max((step.lines for step in self.steps if self.holds(step)), default=0)


@dataclass(kw_only=True)
class Kept:
    """The figures of one run, in a file after every step.

    Attributes:
        done: whether the run came to its end; one that did not is gone on with by whoever asks for the same again.
    """

    file: Path
    machine: str
    arguments: list[str]
    date: str = ""
    steps: list[Step] = field(default_factory=list)
    plain: list[PlainStep] = field(default_factory=list)
    done: bool = False

    @classmethod
    def open(cls, file: Path, *, machine: str, arguments: Sequence[str], anew: bool = False) -> Self:
        """Return the run in the file if it was stopped on this machine and asked for the same, else a new one."""
        kept = cls(file=file, machine=machine, arguments=list(arguments), date=datetime.now(UTC).date().isoformat())
        if anew or not file.is_file():
            return kept
        told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if told.get("done", True) or (told["machine"], told["arguments"]) != (machine, list(arguments)):
            return kept
        kept.steps = [Step(**{**step, "waits": [Wait(**wait) for wait in step["waits"]]}) for step in told["steps"]]
        kept.plain = [PlainStep(**step) for step in told["plain"]]
        return kept

    def step(self, lines: int, measure: Callable[[], Step]) -> Step:
        """Return the step with so many lines, measured unless it was before."""
        known = next((step for step in self.steps if step.lines == lines), None)
        if known is None:
            known = measure()
            self.steps = sorted([*self.steps, known], key=lambda step: step.lines)
            self.write()
        return known

    def plain_step(self, lines: int, measure: Callable[[], PlainStep]) -> PlainStep:
        """Return the plain way's step with so many lines, measured unless it was before."""
        known = next((step for step in self.plain if step.lines == lines), None)
        if known is None:
            known = measure()
            self.plain.append(known)
            self.write()
        return known

    def write(self) -> None:
        """Write all there is."""
        told = asdict(self)
        del told["file"]
        self.file.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
