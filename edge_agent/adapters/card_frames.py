"""What a card's frames tell and how they become blocks: rate, losses, channels."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import soxr

from edge_agent.adapters.card_process import Message
from edge_agent.ports import RATE, AudioBlock
from edge_agent.settings import Seat
from edge_agent.settings_cards import Device

if TYPE_CHECKING:
    from edge_agent.ports import Samples

BLOCK_SAMPLES = RATE // 10
"""Samples per channel of a block: 100 ms."""
START_S = 5.0
"""How long a card may take from the start of its process to its first frames."""
SILENT_S = 2.0
"""A card that brought no frame for so long is lost (a fault is to show within 3 s)."""
WINDOW_S = 2.0
"""Over how much time frames per second are measured."""
TOLERANCE = 0.4
"""Share by which frames per second may differ: less than the step to the next usual rate, more than any jitter."""
DRIFT = 2e-4
"""Share by which a card's clock may differ from ours without being taken for a loss: 200 ppm, a bad quartz."""


class Trouble(StrEnum):
    """What the frames themselves say of a card."""

    SILENT = "silent"
    TOO_FEW = "too_few"
    TOO_MANY = "too_many"
    ENDED = "ended"


class FrameWatch:
    """Counts frames per second. All times are seconds of one monotonic clock.

    Args:
        rate: frames per second expected.
        started_s: when the card was asked to start.
        start_s: how long it may take to.
    """

    def __init__(self, *, rate: int, started_s: float, start_s: float = START_S) -> None:
        self._rate = rate
        self._due_s = started_s + start_s
        self._window: deque[tuple[float, int]] = deque()

    def note(self, *, frames: int, at_s: float, lost: bool = False) -> Trouble | None:
        """Take frames captured at a time; return what is wrong with their number, if anything.

        `lost`: the card said that it lost some. Then the box is too busy and the card is in order; opening it
        again would only lose more.
        """
        self._due_s = at_s + SILENT_S
        if lost:
            self._window.clear()
        self._window.append((at_s, frames))
        while at_s - self._window[0][0] > WINDOW_S * 1.5:
            self._window.popleft()
        span = at_s - self._window[0][0]
        if span < WINDOW_S:
            return None
        # The first entry's frames were captured before the span began.
        share = (sum(count for _, count in self._window) - self._window[0][1]) / (span * self._rate)
        if share < 1 - TOLERANCE:
            return Trouble.TOO_FEW
        return Trouble.TOO_MANY if share > 1 + TOLERANCE else None

    def overdue(self, *, now_s: float) -> bool:
        """Say whether frames should have come by now."""
        return now_s > self._due_s


class LossCounter:
    """Turns a card's counters into lost blocks.

    A card says that it lost frames, not how many: the clock of the frames that did come tells.
    """

    def __init__(self, *, rate: int) -> None:
        self._rate = rate
        self._overruns = self._lost = 0
        self._lag_s: float | None = None
        self._at_s = 0.0

    @property
    def overruns(self) -> int:
        """Times the card lost frames since the start of its process."""
        return self._overruns

    def blocks(self, message: Message) -> int:
        """Return the blocks of 100 ms lost between the message before and this one."""
        at_s = message.at_ns / 1e9
        lag_s = at_s - message.first_frame / self._rate
        usual_s = lag_s if self._lag_s is None else self._lag_s + DRIFT * (at_s - self._at_s)
        gone = (message.lost - self._lost) / self._rate
        count = round(gone * 10)
        if message.overruns > self._overruns:
            count += max(1, round((lag_s - usual_s) * 10))
            usual_s = lag_s
        self._lag_s, self._at_s = min(usual_s, lag_s), at_s
        self._overruns, self._lost = message.overruns, message.lost
        return count


class Splitter:
    """Takes a card's interleaved frames, resamples each channel once, and cuts blocks of 100 ms for each seat.

    A channel's gain is applied behind the resampling; what goes beyond full scale is cut off, and shows as clipping.
    """

    def __init__(self, device: Device, seats: Sequence[Seat]) -> None:
        self._channels = device.channels
        self._used = sorted({c for seat in seats for c in (seat.customer_channel, seat.operator_channel)})
        column = {channel: i for i, channel in enumerate(self._used)}
        self._places = [(s.seat, column[s.customer_channel], column[s.operator_channel]) for s in seats]
        louder = {s.customer_channel: s.customer_gain_db for s in seats}
        louder |= {s.operator_channel: s.operator_gain_db for s in seats}
        gains = np.array([10 ** (louder[channel] / 20) for channel in self._used], np.float32)
        self._gains = gains if any(louder.values()) else None
        self._stream = (
            None if device.rate == RATE else soxr.ResampleStream(device.rate, RATE, len(self._used), dtype="int16")
        )
        self._rest: Samples = np.empty((0, len(self._used)), np.int16)
        self._dropped = 0

    def feed(self, payload: bytes, *, dropped: int) -> Iterator[tuple[str, AudioBlock]]:
        """Take int16 interleaved frames; yield the blocks they complete, seat by seat."""
        self._dropped += dropped
        frames = np.frombuffer(payload, np.int16).reshape(-1, self._channels)[:, self._used]
        if self._stream is not None:
            frames = self._stream.resample_chunk(np.ascontiguousarray(frames)).reshape(-1, len(self._used))
        if self._gains is not None:
            limits = np.iinfo(np.int16)
            frames = np.rint(frames * self._gains).clip(limits.min, limits.max).astype(np.int16)
        waiting = np.concatenate((self._rest, frames))
        whole = len(waiting) // BLOCK_SAMPLES * BLOCK_SAMPLES
        self._rest = waiting[whole:].copy()
        for start in range(0, whole, BLOCK_SAMPLES):
            block = waiting[start : start + BLOCK_SAMPLES]
            lost, self._dropped = self._dropped, 0
            for seat, customer, operator in self._places:
                yield (
                    seat,
                    AudioBlock(
                        customer=np.ascontiguousarray(block[:, customer]),
                        operator=np.ascontiguousarray(block[:, operator]),
                        dropped=lost,
                    ),
                )
