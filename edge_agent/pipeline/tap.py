"""Where a line's audio enters: the ring is filled here, and nothing passes in a pause.

Rules:
1. In a pause both sides become silence before anything else sees them; the time of the call goes on.
2. When a pause begins, what waits for recognition is silenced too, and the ring is written over.
3. Audio that is thrown away is written over, not only let go: a copy of the memory must not hold it.
4. Where calls are announced, what was announced stands on every block, in place of what the source says.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from edge_agent.pipeline.lines import BlockQueue
    from edge_agent.pipeline.ring import Ring
    from edge_agent.ports import Announced, AudioBlock


class Tap:
    """One line's entrance. `put` is called by whoever captures, the rest by those who keep pauses and announcements.

    Args:
        blocks: where audio waits for recognition.
        ring: where the newest is kept; None for nowhere.
        deliver: takes every block to `blocks`, and to whoever else wants it.
    """

    def __init__(
        self, *, blocks: BlockQueue, ring: Ring | None, deliver: Callable[[AudioBlock], None] | None = None
    ) -> None:
        self._blocks = blocks
        self._deliver = deliver or blocks.put
        self._ring = ring
        self._turn = threading.Lock()
        self._paused = False
        self._announced: Announced | None = None

    @property
    def paused(self) -> bool:
        """Whether nothing is listened to."""
        return self._paused

    @property
    def ring(self) -> Ring | None:
        """The newest audio; None if none is kept."""
        return self._ring

    def put(self, block: AudioBlock) -> None:
        """Take the next audio of the line; never waits for recognition."""
        with self._turn:
            if self._announced is not None:
                block = replace(block, announced=self._announced, in_call=bool(self._announced.call_id))
            if self._paused:
                block = silenced(block)
            elif self._ring is not None:
                self._ring.add(block)
            self._deliver(block)

    def pause(self) -> None:
        """Let nothing through from now on, and throw away what waits."""
        with self._turn:
            self._paused = True
            self._blocks.change(silenced)
            self.forget()

    def go_on(self) -> None:
        """Listen again."""
        with self._turn:
            self._paused = False

    def announce(self, announced: Announced | None) -> None:
        """Let what was announced of the line's calls decide from now on; None: nothing was, or long ago."""
        with self._turn:
            self._announced = announced

    def forget(self) -> None:
        """Write over the ring, as at the end of a call."""
        if self._ring is not None:
            self._ring.clear()


def silenced(block: AudioBlock) -> AudioBlock:
    """Return a block of the same length that holds nothing, and write over what it held."""
    for samples in (block.customer, block.operator):
        if samples is not None and samples.flags.writeable:
            samples.fill(0)
    return replace(
        block,
        customer=np.zeros_like(block.customer),
        operator=None if block.operator is None else np.zeros_like(block.operator),
        private=True,
    )
