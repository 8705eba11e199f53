"""What is given up first when the box cannot keep up with its lines, and how it comes back.

Rules:
1. The measure is lateness: seconds for which the audio that has waited longest was not heard.
2. In this order: words under way are looked at less often; the operators' side is heard when there is time; lines
   rest, one by one, in the order of the settings. Nothing is lost before a line rests; what is lost then is counted.
3. A step is taken when lateness lasts, and back only after a calm that lasts much longer, one at a time.
4. A step back that had to be taken again soon was too early: the next calm must last twice as long, up to a limit. One
   that proved right makes the box as quick to recover as on its first day.
5. The last line never rests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from edge_agent.domain.overload import Overloaded, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a step is taken. Seconds.

    Attributes:
        late: lateness from which each stage after the first is entered.
        lasts: lateness must last so long for a step, and so long must lie between two.
        calm: lateness below which the box keeps up.
        calm_lasts: so long it must keep up for a step back.
        calm_longest: so long at most, however often steps back were too early.
        proved: a step back after which nothing more was given up for so long was not too early.
    """

    late: tuple[float, float, float] = (0.6, 1.2, 3.0)
    lasts: float = 1.0
    calm: float = 0.4
    calm_lasts: float = 5.0
    calm_longest: float = 160.0
    proved: float = 60.0


class Overload:
    """Decides what is given up; told the lateness by one thread, asked by all.

    Args:
        seats: in the order in which their lines rest.
    """

    def __init__(self, seats: Sequence[str] = (), *, limits: Limits | None = None) -> None:
        self._seats = tuple(seats)
        self._limits = limits or Limits()
        self._late_since: float | None = None
        self._calm_since: float | None = None
        self._calm_wanted = self._limits.calm_lasts
        self._back_since: float | None = None
        self._resting: tuple[str, ...] = ()
        self.stage = Stage.NORMAL

    @property
    def resting(self) -> tuple[str, ...]:
        """Seats whose lines rest, the first to rest first."""
        return self._resting

    @property
    def now(self) -> Overloaded:
        """What is given up at the moment."""
        return Overloaded(stage=self.stage, resting=self._resting)

    def note(self, late_s: float, *, busy: Iterable[str], now_s: float) -> bool:
        """Take the lateness (seconds) of the lines that do not rest, and which of them have work; return if it changed.

        `now_s` is a time that only moves forward.
        """
        before = self.now
        if self._back_since is not None and now_s - self._back_since >= self._limits.proved:
            self._back_since, self._calm_wanted = None, self._limits.calm_lasts
        if late_s < self._limits.calm:
            self._late_since = None
            self._calm_since = now_s if self._calm_since is None else self._calm_since
            if now_s - self._calm_since >= self._calm_wanted and self.stage is not Stage.NORMAL:
                self._step_back()
                self._calm_since = self._back_since = now_s
        elif late_s >= self._limits.late[min(self.stage, Stage.OPERATOR_LATER)]:
            self._calm_since = None
            self._late_since = now_s if self._late_since is None else self._late_since
            if now_s - self._late_since >= self._limits.lasts:
                self._step(busy)
                self._late_since = now_s
        else:
            # Neither late enough for a step nor calm: it stays as it is.
            self._late_since = self._calm_since = None
        return before != self.now

    def _step(self, busy: Iterable[str]) -> None:
        if self._back_since is not None:
            self._back_since = None
            self._calm_wanted = min(self._limits.calm_longest, 2 * self._calm_wanted)
        if self.stage < Stage.OPERATOR_LATER:
            self.stage = Stage(self.stage + 1)
            return
        working = set(busy) - set(self._resting)
        next_one = next((seat for seat in self._seats if seat in working), None)
        if next_one is not None and len(self._resting) + 1 < len(self._seats):
            self.stage = Stage.FEWER_LINES
            self._resting = (*self._resting, next_one)

    def _step_back(self) -> None:
        if self._resting:
            self._resting = self._resting[:-1]
            if self._resting:
                return
        self.stage = Stage(self.stage - 1)
