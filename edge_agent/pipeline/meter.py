"""Measures a line's audio, second by second, from the blocks that flow anyway.

About a millisecond for a second of a line. Speech is told from noise by loudness alone here: a voice detector has
its work elsewhere, and nothing that is measured needs more.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from edge_agent.domain.line_health import SILENCE_DBFS, LineSecond, SideLevels
from edge_agent.ports import RATE

if TYPE_CHECKING:
    import numpy.typing as npt

    from edge_agent.ports import AudioBlock, Samples

    Wave = npt.NDArray[np.float32]

FULL_SCALE = 32768.0
CLIPPED = 31_800
"""Samples at or beyond it count as full scale: G.711 goes no further than 32,124."""
PARTS = 10
"""Parts of a second whose loudness is told apart."""
MEMORY_S = 10
"""Over how much time the noise of a side is looked for."""
NOISE_SHARE = 10
"""Nobody speaks in the quietest tenth of that time: its loudest part is the noise."""
ABOVE_NOISE_DB = 10.0
QUIETEST_SPEECH_DBFS = -55.0
"""Speech is so much louder than the noise, and at least so loud."""
FAINTEST_SPEECH_DBFS = -65.0
"""Speech whose loudness is told: quieter is what an input with nothing connected gives, and no detector hears it."""
PIECE = RATE // 32
"""Samples of which the loudest are compared: 31 ms hold a few periods of any voice."""
LOUDEST = 0.63
"""Pieces whose peak comes so near (4 dB) to the third highest are where a stage before the box would clip."""
EVERY = 3
"""Of these pieces every third sample is looked at: their shares tell the same as all."""
HIGH, HIGHEST = 0.90, 0.99
"""Shares of those samples that stay below what is compared."""
TONE_DB = 3.0
"""The steepest slopes of a tone, or of two at once, stand out by less; of voices, clipped or not, by 3 or more."""
HUM_RATE = 2000
HUM_BAND = (40, 381)
"""Hertz between which hum is looked for: the dial and ringing tone of Japanese exchanges (400 Hz) stays outside."""
HUM_SHARE = 0.5
"""Hum is at least so much of the power in that band; of white noise it would be 0.08."""
LIKENESS_RATE = 4000
LONGEST_DELAY = LIKENESS_RATE // 10
"""Samples by which the copy of a voice may come later or earlier: 100 ms, an echo within a building."""
TRANSFORM = 4500
"""At least `LIKENESS_RATE + LONGEST_DELAY`, and quickly transformed."""


class LineMeter:
    """Measures one line."""

    def __init__(self) -> None:
        self._waiting: list[AudioBlock] = []
        self._samples = 0
        self._customer, self._operator = _SideMeter(), _SideMeter()

    def feed(self, block: AudioBlock) -> LineSecond | None:
        """Take the next block; return what the second was like that it completes, if it does."""
        self._waiting.append(block)
        self._samples += len(block.customer)
        if self._samples < RATE:
            return None
        blocks, self._waiting, self._samples = self._waiting, [], 0
        customer = _second([b.customer for b in blocks])
        operator = _second([b.customer[:0] if b.operator is None else b.operator for b in blocks])
        one, other = self._customer.measure(customer), self._operator.measure(operator)
        spoken = one.speech > 0 or other.speech > 0
        both = min(one.rms_dbfs, other.rms_dbfs) >= QUIETEST_SPEECH_DBFS
        return LineSecond(
            customer=one,
            operator=other,
            likeness=_likeness(customer, operator, both=both) if spoken else None,
            in_call=block.in_call,
        )


class _SideMeter:
    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=MEMORY_S * PARTS)

    def measure(self, wave: Wave) -> SideLevels:
        parts = wave.reshape(PARTS, -1)
        powers = np.einsum("ij,ij->i", parts, parts) / parts.shape[1]
        levels = [_db(float(power)) for power in powers]
        self._levels.extend(levels)
        noise = sorted(self._levels)[len(self._levels) // NOISE_SHARE]
        least = noise + ABOVE_NOISE_DB
        speech = sum(level >= max(least, QUIETEST_SPEECH_DBFS) for level in levels) / PARTS
        faint = [p for p, db in zip(powers, levels, strict=True) if db >= max(least, FAINTEST_SPEECH_DBFS)]
        size = np.abs(wave)
        hum_hz, hum_dbfs = (None, SILENCE_DBFS) if speech else _hum(wave)
        ceiling_dbfs, headroom_db = _ceiling(wave) if speech else (SILENCE_DBFS, None)
        return SideLevels(
            level_dbfs=levels[-1],
            rms_dbfs=_db(float(powers.mean())),
            peak_dbfs=_db(float(size.max()) ** 2),
            speech=speech,
            speech_dbfs=_db(float(np.mean(faint))) if faint else None,
            ceiling_dbfs=ceiling_dbfs,
            headroom_db=headroom_db,
            clipped=float(np.count_nonzero(size >= CLIPPED / FULL_SCALE)) / RATE,
            hum_hz=hum_hz,
            hum_dbfs=hum_dbfs,
        )


def _ceiling(wave: Wave) -> tuple[float, float | None]:
    """Return how high the loudest sounds go, in dBFS, and how much higher than most of them; None of a tone.

    Where a stage before the box clips, the loudest hundredth of their samples is hardly higher than the loudest tenth.
    """
    pieces = wave.reshape(-1, PIECE)
    peaks = np.maximum(pieces.max(axis=1), -pieces.min(axis=1))
    loud = pieces[peaks >= LOUDEST * np.sort(peaks)[-3]]
    here, beside = loud[:, :-1:EVERY], loud[:, 1::EVERY]
    top, above = _heights(np.abs(here))
    _, slope_above = _heights(np.abs(beside - here))
    return _db(top**2), (above if slope_above >= TONE_DB else None)


def _heights(sizes: Wave) -> tuple[float, float]:
    """Return the size that the greatest hundredth exceeds, and by how many dB that is above the greatest tenth's."""
    high, highest = (int(share * sizes.size) for share in (HIGH, HIGHEST))
    ordered = np.partition(sizes, (high, highest), axis=None)
    top, most = float(ordered[highest]), float(ordered[high])
    return top, (_db(top**2) - _db(most**2) if most else 0.0)


def _second(blocks: list[Samples]) -> Wave:
    """Return exactly one second between -1 and 1; sources do deliver blocks that fit."""
    wave = np.concatenate(blocks)[:RATE].astype(np.float32) / np.float32(FULL_SCALE)
    return np.concatenate((wave, np.zeros(RATE - len(wave), np.float32)))


def _slower(wave: Wave, rate: int) -> Wave:
    slower: Wave = wave.reshape(rate, -1).mean(axis=1)
    return slower


def _hum(wave: Wave) -> tuple[int, float]:
    """Return 50 or 60 if that mains' hum prevails (0 if neither) and how loud it is, in dBFS."""
    power = np.abs(np.fft.rfft(_slower(wave, HUM_RATE) * _WINDOW)) ** 2
    whole = float(power[slice(*HUM_BAND)].sum())
    if whole <= 0:
        return 0, SILENCE_DBFS
    found = {mains: float(power[bins].sum()) for mains, bins in _HUM_BINS.items()}
    mains = max(found, key=found.__getitem__)
    loudness = _db(2 * found[mains] / (HUM_RATE * _WINDOW_POWER))
    return (mains if found[mains] >= HUM_SHARE * whole else 0), loudness


_WINDOW = np.hanning(HUM_RATE)
_WINDOW_POWER = float((_WINDOW**2).sum())


def _bins(mains: int) -> list[int]:
    """Return the bins (1 Hz each) of a mains' hum: it may be 0.2 Hz off, and its harmonics that much more."""
    places: set[int] = set()
    for number, hertz in enumerate(range(mains, HUM_BAND[1] - 10, mains), start=1):
        near = 1 if number <= 3 else 2  # noqa: PLR2004 - 0.2 Hz times four no longer fits into one bin
        places |= set(range(hertz - near, hertz + near + 1))
    return sorted(places)


_HUM_BINS = {mains: _bins(mains) for mains in (50, 60)}


def _likeness(one: Wave, other: Wave, *, both: bool) -> float:
    """Return the greatest correlation of both sides within `LONGEST_DELAY`, 0 to 1.

    Differences of samples are compared: what hums on both sides is not alike for that. Where not `both` are loud
    enough to be taken for speech, there is no copy that would matter.
    """
    if not both:
        return 0.0
    a, b = (np.diff(_slower(wave, LIKENESS_RATE)) for wave in (one, other))
    size = float(np.sqrt(float(a @ a) * float(b @ b)))
    if size <= 0:
        return 0.0
    product = np.fft.rfft(a, TRANSFORM) * np.conj(np.fft.rfft(b, TRANSFORM))
    lags = np.abs(np.fft.irfft(product, TRANSFORM))
    best = max(float(lags[: LONGEST_DELAY + 1].max()), float(lags[-LONGEST_DELAY:].max()))
    return min(1.0, best / size)


def _db(power: float) -> float:
    return max(SILENCE_DBFS, float(10 * np.log10(power))) if power > 0 else SILENCE_DBFS
