"""A line's audio waits here until a worker of the pool listens to it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edge_agent.ports import RATE

if TYPE_CHECKING:
    from edge_agent.pipeline.events import Event
    from edge_agent.pipeline.listen import LineListener
    from edge_agent.ports import AudioBlock

QUEUE_BLOCKS = 100
"""Blocks of 100 ms that wait for a line: older audio is no longer worth an alert and is dropped, and counted."""
TURN_BLOCKS = 5
"""Blocks a line hears in one turn before the next line has its own; together, because every run costs something."""
TURN_LATER = RATE // 2
"""Samples of an operator that are heard in one turn when they were kept for later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    block: AudioBlock
    since_s: float


class BlockQueue:
    """A bounded queue that never makes its writer wait: when it is full its older half is dropped and counted.

    One block at a time would tear holes into all that follows, and no word would be recognised any more.

    Args:
        clock_s: a time that only moves forward, in seconds.

    Attributes:
        on_filled: called by the writer after every block; must return at once.
        lost: blocks dropped here since the start.
        ends_call: whether the newest block says that no call is under way.
    """

    def __init__(self, *, limit: int = QUEUE_BLOCKS, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock_s = clock_s
        self._blocks: deque[_Waiting] = deque()
        self._missing = 0
        self._turn = threading.Lock()
        self.on_filled: Callable[[], object] = lambda: None
        self.lost = 0
        self.ends_call = False

    def put(self, block: AudioBlock) -> None:
        """Add a block."""
        waiting = _Waiting(block=block, since_s=self._clock_s())
        with self._turn:
            if len(self._blocks) >= self._limit:
                for _ in range(max(1, self._limit // 2)):
                    self._missing += 1 + self._blocks.popleft().block.dropped
                    self.lost += 1
            self._blocks.append(waiting)
            self.ends_call = block.in_call is False
        self.on_filled()

    def take(self, most: int = TURN_BLOCKS) -> list[AudioBlock]:
        """Return the next blocks in order, at most `most`; the first says what was lost before it."""
        with self._turn:
            blocks = [self._blocks.popleft().block for _ in range(min(most, len(self._blocks)))]
            if blocks and self._missing:
                blocks[0] = replace(blocks[0], dropped=blocks[0].dropped + self._missing)
                self._missing = 0
        return blocks

    def waiting_since(self) -> float | None:
        """Return when the oldest block came; None if none waits."""
        with self._turn:
            return self._blocks[0].since_s if self._blocks else None

    def change(self, change: Callable[[AudioBlock], AudioBlock]) -> None:
        """Put something else in the place of every block that waits."""
        with self._turn:
            self._blocks = deque(replace(waiting, block=change(waiting.block)) for waiting in self._blocks)

    def __len__(self) -> int:
        """Return how many blocks wait."""
        return len(self._blocks)


class Line:
    """One line: its queue, its listener, and who is told what was heard. Used by one worker at a time.

    Args:
        on_events: told what was heard, in order.
        end_silence_s: without any audio for so long (the card is lost) a call under way is ended.
        announced_silence_s: the same of a call that was announced.
    """

    def __init__(
        self,
        seat: str,
        *,
        listener: LineListener,
        blocks: BlockQueue,
        on_events: Callable[[str, list[Event]], None],
        end_silence_s: float,
        announced_silence_s: float,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seat = seat
        self.blocks = blocks
        self._listener = listener
        self._on_events = on_events
        self._end_silence_s = end_silence_s
        self._announced_silence_s = announced_silence_s
        self._clock_s = clock_s
        self._heard_s = clock_s()
        self._turn_since: float | None = None

    @property
    def levels_dbfs(self) -> tuple[float, float]:
        """Loudness of the customer's and the operator's side; may be asked from any thread."""
        return self._listener.levels_dbfs

    @property
    def dropped(self) -> int:
        """Blocks lost in the call under way; may be asked from any thread."""
        return self._listener.dropped

    @property
    def in_call(self) -> bool:
        """Whether a call is under way; may be asked from any thread."""
        return self._listener.in_call

    @property
    def behind_s(self) -> float:
        """Seconds for which the oldest audio has waited, or is being heard; may be asked from any thread."""
        since = self._turn_since
        if since is None:
            since = self.blocks.waiting_since()
        return 0.0 if since is None else max(0.0, self._clock_s() - since)

    @property
    def operator_behind_s(self) -> float:
        """Seconds of the operator's side that are kept for later; may be asked from any thread."""
        return self._listener.later / RATE

    @property
    def recognizers(self) -> int:
        """Recognizers at work; may be asked from any thread."""
        return self._listener.recognizers

    @property
    def has_later(self) -> bool:
        """Whether some of the operator's side is still to be heard."""
        return self._listener.later > 0

    def deaf(self, *, now_s: float) -> bool:
        """Return whether a call is under way although no audio has come for long."""
        limit_s = self._announced_silence_s if self._listener.announced else self._end_silence_s
        return self.in_call and not len(self.blocks) and now_s - self._heard_s >= limit_s

    def hear(self) -> None:
        """Hear what waits, but no more than a turn's worth; end a call without audio."""
        self._turn_since = self.blocks.waiting_since()
        try:
            blocks = self.blocks.take()
            if blocks:
                self._heard_s = self._clock_s()
                for block in joined(blocks):
                    self._hand_on(self._listener.feed(block))
            elif self.deaf(now_s=self._clock_s()):
                self._hand_on(self._listener.finish(faded=True))
        finally:
            self._turn_since = None

    def hear_later(self) -> None:
        """Hear some of what the operator said and was kept."""
        self._hand_on(self._listener.catch_up(TURN_LATER))

    def finish(self) -> None:
        """Hear all that waits and end the call under way."""
        while len(self.blocks):
            self.hear()
        self._hand_on(self._listener.finish())

    def _hand_on(self, events: list[Event]) -> None:
        if events:
            self._on_events(self.seat, events)


def joined(blocks: list[AudioBlock]) -> list[AudioBlock]:
    """Return the same audio in as few blocks as can be: one where nothing was lost and nothing else changes."""
    groups: list[list[AudioBlock]] = []
    for block in blocks:
        if groups and not block.dropped and _alike(groups[-1][0], block):
            groups[-1].append(block)
        else:
            groups.append([block])
    return [group[0] if len(group) == 1 else _one(group) for group in groups]


def _alike(one: AudioBlock, other: AudioBlock) -> bool:
    alike = one.in_call == other.in_call and one.private == other.private and one.announced == other.announced
    return alike and (one.operator is None) == (other.operator is None)


def _one(group: list[AudioBlock]) -> AudioBlock:
    operators = [block.operator for block in group if block.operator is not None]
    return replace(
        group[0],
        customer=np.concatenate([block.customer for block in group]),
        operator=np.concatenate(operators) if operators else None,
    )
