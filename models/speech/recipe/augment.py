"""Make clean speech sound like a call: rooms, noise, other voices, raised voices, telephone lines.

All functions take and return 16 kHz mono samples as float64 within ±1, and are deterministic for a given generator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr
from line_codecs import (
    AMR_MODES,
    G726_RATES,
    LINE_RATE,
    alaw,
    amr,
    g726,
    gsm,
    lose_packets,
    mulaw,
    opus,
)
from other_voices import other_speaker
from scipy.signal import butter, fftconvolve, sosfilt

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Samples = npt.NDArray[np.float64]

RATE = 16000
LEVEL = 32768.0


def band(x: Samples, low: float, high: float) -> Samples:
    """Return 8 kHz samples within a band in hertz."""
    return np.asarray(sosfilt(butter(4, [low, high], "bandpass", fs=LINE_RATE, output="sos"), x))


def as_vosk_upsamples(x: Samples) -> Samples:
    """Return 8 kHz samples at 16 kHz as Kaldi's `LinearResample` makes them: a Hann-windowed sinc of six zeros.

    What it leaves above 4 kHz is not silence, and a network hears the difference.
    """
    taps = np.arange(-11, 12)
    kernel = np.sinc(taps / 2) * 0.5 * (1 + np.cos(np.pi * taps / 12))
    stuffed = np.zeros(2 * len(x))
    stuffed[::2] = x
    return np.convolve(stuffed, kernel, mode="same")


def rounded(x: Samples) -> Samples:
    """Return samples as 16-bit numbers hold them."""
    return np.round(np.clip(x, -1, 1) * (LEVEL - 1)) / LEVEL


def telephone(x: Samples, rng: np.random.Generator) -> Samples:
    """Return 16 kHz samples after a telephone line of a random kind, as 16 kHz samples again.

    The appliance resamples a line before the recognizer hears it; where it does not, Kaldi doubles the rate itself.
    """
    y = soxr.resample(x, RATE, LINE_RATE)
    kind = rng.choice(["mulaw", "mulaw", "alaw", "gsm", "gsm", "amr", "amr", "g726", "opus", "plain"])
    if kind != "plain" or rng.random() < 0.5:
        y = band(y, float(rng.uniform(80, 350)), float(rng.uniform(3100, 3800)))
    if kind == "mulaw":
        y = mulaw(y)
    elif kind == "alaw":
        y = alaw(y)
    elif kind == "gsm":
        y = gsm(y)
    elif kind == "opus":
        y = opus(y, float(rng.uniform(0.96, 1.0)))
    elif kind == "amr":
        y = amr(y, int(rng.integers(AMR_MODES)))
    elif kind == "g726":
        y = g726(y, int(rng.choice(G726_RATES)))
    if rng.random() < 0.15:
        y = lose_packets(y, rng, float(rng.uniform(0.01, 0.05)))
    if rng.random() < 0.35:
        return as_vosk_upsamples(rounded(y))
    return rounded(soxr.resample(y, LINE_RATE, RATE))


def coloured_noise(length: int, rng: np.random.Generator) -> Samples:
    """Return noise of level 1 between white and brown."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    noise = np.fft.irfft(spectrum / (np.arange(len(spectrum)) + 1.0) ** rng.uniform(0, 1), length)
    return noise / (noise.std() + 1e-9)


def babble(length: int, rng: np.random.Generator, others: Sequence[Samples]) -> Samples:
    """Return four other recordings at once, of level 1: the floor around the caller or the operator."""
    noise = np.zeros(length)
    for _ in range(4):
        noise += np.resize(others[int(rng.integers(len(others)))], length)
    return noise / (noise.std() + 1e-9)


def hum(length: int, rng: np.random.Generator) -> Samples:
    """Return the hum of the mains (50 or 60 Hz, both are used in Japan) and its overtones, of level 1."""
    time = np.arange(length) / RATE
    mains = float(rng.choice([50.0, 60.0]))
    noise = sum(rng.uniform(0, 1) / n * np.sin(2 * np.pi * mains * n * time + rng.uniform(0, 6)) for n in range(1, 9))
    return np.asarray(noise / (np.std(noise) + 1e-9))


def talked_over(x: Samples, rng: np.random.Generator, others: Sequence[Samples]) -> Samples:
    """Return samples with a stretch of one other voice, softer, as when both sides speak and one leaks over."""
    other = others[int(rng.integers(len(others)))]
    start = int(rng.integers(0, max(1, len(x) // 2)))
    stretch = other[: min(len(other), len(x) - start)]
    out = x.copy()
    loud = np.sqrt((x**2).mean()) / (np.sqrt((stretch**2).mean()) + 1e-9) * 10 ** (-rng.uniform(9, 25) / 20)
    out[start : start + len(stretch)] += stretch * loud
    return out


def raised(x: Samples, rng: np.random.Generator) -> Samples:
    """Return samples with the spectral tilt of a raised voice, and pushed against the microphone's limit."""
    spectrum = np.fft.rfft(x)
    hz = np.fft.rfftfreq(len(x), 1 / RATE)
    tilt_db = rng.uniform(3, 10) * np.clip(np.log10(np.maximum(hz, 1) / 300), 0, 1.3)
    y = np.fft.irfft(spectrum * 10 ** (tilt_db / 20), len(x))
    return np.tanh(y / np.abs(y).max() * rng.uniform(1.0, 3.0))


def room(x: Samples, rng: np.random.Generator) -> Samples:
    """Return samples with a short room around them."""
    length = int(rng.uniform(0.08, 0.4) * RATE)
    answer = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length) * rng.uniform(0.02, 0.15)
    answer[0] = 1
    return np.asarray(fftconvolve(x, answer)[: len(x)])


def equalised(x: Samples, rng: np.random.Generator) -> Samples:
    """Return samples through a random smooth frequency response of ±8 dB."""
    spectrum = np.fft.rfft(x)
    gain_db = np.interp(np.linspace(0, 1, len(spectrum)), np.linspace(0, 1, 7), rng.uniform(-8, 8, 7))
    return np.fft.irfft(spectrum * 10 ** (gain_db / 20), len(x))


def changed_tempo(x: Samples, rng: np.random.Generator) -> Samples:
    """Return samples played up to 14 % slower or faster, pitch and all."""
    return soxr.resample(x, RATE, RATE * float(rng.uniform(0.86, 1.14)), quality="MQ")


def as_heard(
    x: Samples, rng: np.random.Generator, *, others: Sequence[Samples], on_telephone: bool, warp: bool = True
) -> Samples:
    """Return a recording as some microphone and line would deliver it, with silence before and after."""
    y = changed_tempo(x, rng) if warp and rng.random() < 0.6 else x
    if warp and rng.random() < 0.2:
        y = other_speaker(np.ascontiguousarray(y), rng)
    if others and rng.random() < 0.1:
        y = talked_over(y, rng, others)
    y = np.pad(y, (int(rng.uniform(0.05, 0.5) * RATE), int(rng.uniform(0.1, 0.6) * RATE)))
    if rng.random() < 0.2:
        y = raised(y, rng)
    if rng.random() < 0.35:
        y = room(y, rng)
    if rng.random() < 0.4:
        y = equalised(y, rng)
    level = np.sqrt((y**2).mean() + 1e-9)
    if others and rng.random() < 0.2:
        y = y + babble(len(y), rng, others) * level * 10 ** (-rng.uniform(8, 28) / 20)
    else:
        y = y + coloured_noise(len(y), rng) * level * 10 ** (-rng.uniform(7, 45) / 20)
    if rng.random() < 0.05:
        y = y + hum(len(y), rng) * level * 10 ** (-rng.uniform(5, 25) / 20)
    # Above full scale now and then: the clipping of a shout.
    y = np.clip(y / np.abs(y).max() * 10 ** (rng.uniform(-28, 3) / 20), -1, 1)
    return telephone(y, rng) if on_telephone else rounded(y)
