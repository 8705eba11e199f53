"""A line's thread: takes blocks from its queue, listens, and hands on what it heard."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge_agent.pipeline.events import Event
    from edge_agent.pipeline.listen import LineListener
    from edge_agent.ports import AudioBlock

QUEUE_BLOCKS = 100
"""Blocks of 100 ms that wait for a line: older audio is no longer worth an alert and is dropped, and counted."""
WAIT_S = 0.5


class BlockQueue:
    """A bounded queue that never makes its writer wait: when it is full its older half is dropped and counted.

    One block at a time would tear holes into all that follows, and no word would be recognised any more.
    """

    def __init__(self, *, limit: int = QUEUE_BLOCKS) -> None:
        self._limit = limit
        self._blocks: deque[AudioBlock] = deque()
        self._missing = 0
        self._filled = threading.Condition()

    def put(self, block: AudioBlock) -> None:
        """Add a block."""
        with self._filled:
            if len(self._blocks) >= self._limit:
                for _ in range(max(1, self._limit // 2)):
                    self._missing += 1 + self._blocks.popleft().dropped
            self._blocks.append(block)
            self._filled.notify()

    def get(self, *, timeout_s: float) -> AudioBlock | None:
        """Return the next block, with all that was lost before it; None if none came in time."""
        with self._filled:
            if not self._filled.wait_for(lambda: self._blocks, timeout_s):
                return None
            block = self._blocks.popleft()
            missing, self._missing = self._missing, 0
        return replace(block, dropped=block.dropped + missing) if missing else block

    def __len__(self) -> int:
        """Return how many blocks wait."""
        return len(self._blocks)


class LineWorker:
    """Listens to one line in a thread of its own.

    Args:
        listener: the line's listener; used by this thread alone.
        blocks: where the line's audio arrives.
        on_events: told in this thread what was heard, in order.
        end_silence_s: without any audio for so long (the card is lost) a call under way is ended.
    """

    def __init__(
        self,
        seat: str,
        *,
        listener: LineListener,
        blocks: BlockQueue,
        on_events: Callable[[str, list[Event]], None],
        end_silence_s: float,
    ) -> None:
        self.seat = seat
        self._listener = listener
        self._blocks = blocks
        self._on_events = on_events
        self._end_silence_s = end_silence_s

    @property
    def levels_dbfs(self) -> tuple[float, float]:
        """Loudness of the customer's and the operator's side; may be asked from any thread."""
        return self._listener.levels_dbfs

    @property
    def dropped(self) -> int:
        """Blocks lost in the call under way; may be asked from any thread."""
        return self._listener.dropped

    @property
    def behind_s(self) -> float:
        """Seconds of audio that wait; may be asked from any thread."""
        return len(self._blocks) / 10

    def run(self, stop: threading.Event) -> None:
        """Listen until `stop` is set; then end the call under way."""
        deaf_s = 0.0
        while not stop.is_set():
            block = self._blocks.get(timeout_s=WAIT_S)
            if block is not None:
                deaf_s = 0.0
                self._hand_on(self._listener.feed(block))
                continue
            deaf_s += WAIT_S
            if deaf_s >= self._end_silence_s and self._listener.in_call:
                self._hand_on(self._listener.finish())
        self._hand_on(self._listener.finish())

    def _hand_on(self, events: list[Event]) -> None:
        if events:
            self._on_events(self.seat, events)
