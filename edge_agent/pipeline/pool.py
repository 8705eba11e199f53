"""A few workers listen to all lines, in turn.

Rules:
1. A line whose audio waits queues up for a turn. A turn is short; a line with more takes its place at the end again. So
   no line starves another, however much waits for it.
2. What was kept of the operators' sides is heard when no line waits for a turn.
3. A line is listened to by one worker at a time, so that its words stay in order.
4. The busier the workers, the more blocks of a line are heard together, up to three: it costs less, and is 0.2 s later.
5. What is given up when the workers are too slow is decided by `Overload`; a resting line queues up for nothing, and
   its audio waits, up to its queue's limit. Back again it may need a moment to hear what waited: that is no lateness.

Vosk, onnxruntime and numpy let other threads run while they compute, so workers share the cores.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from edge_agent.errors import Text
from edge_agent.log import Log

if TYPE_CHECKING:
    from edge_agent.pipeline.lines import Line
    from edge_agent.pipeline.overload import Overload

BUSY = (0.6, 0.8)
"""Share of their time the workers listen from which two, and three, blocks of a line are heard together."""
CALMER = 0.15
"""How far the share must fall below that before it is one less."""
BLOCK_S = 0.1
WAIT_S = 0.5
"""How long a worker waits for audio before it looks whether it is told to stop."""
CAUGHT_UP_S = 0.4
"""A line that rested has caught up when it is no later than this."""
CATCH_UP_S = 10.0
"""How long it may take it; a queue holds as much."""
LOOK_EVERY_S = 0.25
"""How often lateness is looked at."""

RESTING = Text(
    "処理が追いつかないため、この席の聞き取りを休んでいます。余裕ができると自動で再開します。",
    "The box cannot keep up and does not listen to this seat. It goes on by itself when there is room.",
)

_log = Log("pool")


class LinePool:
    """All lines and those who take turns with them.

    Args:
        workers: how many there are.
        on_rest: told for a seat that its line rests, and why, or that it is listened to again (None); must return at
            once.
        clock_s: a time that only moves forward, in seconds.
    """

    def __init__(
        self,
        lines: Sequence[Line],
        *,
        overload: Overload,
        workers: int = 1,
        on_rest: Callable[[str, Text | None], object] = lambda _seat, _why: None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lines = tuple(lines)
        self._overload = overload
        self.workers = workers
        self._on_rest = on_rest
        self._clock_s = clock_s
        self._together = 1
        self._worked_s = 0.0
        self._busy = 0.0
        self._looked_s = clock_s()
        self._queue: deque[Line] = deque()
        self._later: deque[Line] = deque()
        self._queued: set[str] = set()
        self._listening: set[str] = set()
        self._back_since: Mapping[str, float] = {}
        """Lines that rested and hear what waited for them; replaced, never changed: any thread may read it."""
        self._changed = threading.Condition()
        self._unfinished = deque(self._lines)
        for line in self._lines:
            line.blocks.on_filled = partial(self._filled, line)

    @property
    def behind_s(self) -> float:
        """Seconds by which the slowest line is behind that neither rests nor did just now; from any thread."""
        apart = {*self._overload.resting, *self._back_since}
        return max((line.behind_s for line in self._lines if line.seat not in apart and self._due(line)), default=0.0)

    def _due(self, line: Line) -> bool:
        """Return whether a line waits for a turn or has it: blocks that wait for their fellows are not late."""
        return line.seat in self._queued or line.seat in self._listening

    @property
    def operator_behind_s(self) -> float:
        """Seconds of an operator's side that are still to be heard, at most; may be asked from any thread."""
        return max((line.operator_behind_s for line in self._lines), default=0.0)

    @property
    def lost(self) -> int:
        """Blocks no worker came to hear in time, since the start; may be asked from any thread."""
        return sum(line.blocks.lost for line in self._lines)

    @property
    def recognizers(self) -> int:
        """Recognizers at work; may be asked from any thread."""
        return sum(line.recognizers for line in self._lines)

    @property
    def figures(self) -> dict[str, object]:
        """What the heartbeat tells of overload; may be asked from any thread."""
        return {
            "stage": self._overload.stage.word,
            "resting": list(self._overload.resting),
            "operator_behind_s": round(self.operator_behind_s, 1),
            "lost_s": round(self.lost / 10, 1),
        }

    def work(self, stop: threading.Event) -> None:
        """Listen until `stop` is set; then end the calls under way, together with the other workers."""
        while not stop.is_set():
            self.turn(wait_s=WAIT_S)
        while True:
            with self._changed:
                line = self._unfinished.popleft() if self._unfinished else None
                if line is None:
                    return
                # Another worker may be in its last turn with it.
                while line.seat in self._listening:
                    self._changed.wait()
                self._listening.add(line.seat)
            try:
                line.finish()
            finally:
                self._leave(line, again=False)

    def turn(self, *, wait_s: float = 0.0) -> bool:
        """Give the next line its turn, waiting for one if need be; return whether there was one."""
        with self._changed:
            self._changed.wait_for(lambda: self._next() is not None, wait_s)
            found = self._next()
            if found is None:
                return False
            line, queue = found
            queue.remove(line)
            if queue is self._queue:
                self._queued.discard(line.seat)
            self._listening.add(line.seat)
        began_s = self._clock_s()
        try:
            if queue is self._queue:
                line.hear()
            else:
                line.hear_later()
        finally:
            self._leave(line, again=True, worked_s=self._clock_s() - began_s)
        return True

    def watch(self, stop: threading.Event) -> None:
        """Look at the lateness, several times a second, until `stop` is set."""
        while not stop.wait(LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """Look at the lateness once, and for calls whose audio has ceased."""
        now_s, late_s = self._clock_s(), self.behind_s
        self._pace(now_s)
        for line in self._lines:
            # Blocks whose fellows do not come, because a card is lost, are heard without them.
            if line.deaf(now_s=now_s) or line.behind_s > self._together * BLOCK_S:
                self._queue_up(line)
        self._back_since = {
            line.seat: since
            for line in self._lines
            if (since := self._back_since.get(line.seat)) is not None
            and line.behind_s > CAUGHT_UP_S
            and now_s - since < CATCH_UP_S
        }
        busy = [line.seat for line in self._lines if line.in_call]
        before = set(self._overload.resting)
        if not self._overload.note(late_s, busy=busy, now_s=now_s):
            return
        stage, resting = self._overload.stage, self._overload.resting
        _log.warning(
            "overload" if stage else "overload.over",
            state=stage.word,
            latency_ms=round(late_s * 1000),
            count=len(resting),
            seat=",".join(resting) or "-",
        )
        back = before - set(resting)
        self._back_since = {**self._back_since, **dict.fromkeys(back, now_s)}
        for line in self._lines:
            if line.seat in set(resting) - before:
                self._on_rest(line.seat, RESTING)
            if line.seat in back:
                self._on_rest(line.seat, None)
                if len(line.blocks):
                    self._queue_up(line)

    def _pace(self, now_s: float) -> None:
        """Decide by how busy the workers were since the last look, and before, how many blocks are heard together."""
        with self._changed:
            worked_s, self._worked_s = self._worked_s, 0.0
        passed_s, self._looked_s = now_s - self._looked_s, now_s
        if passed_s > 0:
            self._busy += (worked_s / passed_s / self.workers - self._busy) / 4
        if self._together <= len(BUSY) and self._busy >= BUSY[self._together - 1]:
            self._together += 1
        elif self._together > 1 and self._busy < BUSY[self._together - 2] - CALMER:
            self._together -= 1

    def _filled(self, line: Line) -> None:
        if len(line.blocks) >= self._together or line.blocks.ends_call:
            self._queue_up(line)

    def _queue_up(self, line: Line) -> None:
        with self._changed:
            if line.seat not in self._queued and line.seat not in self._overload.resting:
                self._queued.add(line.seat)
                self._queue.append(line)
                self._changed.notify()

    def _next(self) -> tuple[Line, deque[Line]] | None:
        """Return who is next, and the queue it stands in; asked with the lock held."""
        for queue in (self._queue, self._later):
            for line in queue:
                if line.seat not in self._listening:
                    return line, queue
        return None

    def _leave(self, line: Line, *, again: bool, worked_s: float = 0.0) -> None:
        with self._changed:
            self._worked_s += worked_s
            self._listening.discard(line.seat)
            if again and line.has_later and line not in self._later:
                self._later.append(line)
            self._changed.notify_all()
        if again and len(line.blocks):
            self._filled(line)


def workers(wanted: int) -> int:
    """Return how many workers listen: so many as wanted, or one for each core this process may use."""
    return wanted or len(os.sched_getaffinity(0))
