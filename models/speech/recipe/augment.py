"""Make clean speech sound like a call: rooms, noise, other voices, raised voices, telephone lines and their codecs.

All functions take and return 16 kHz mono samples as float64 within ±1, and are deterministic for a given generator.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import soundfile
import soxr
from scipy.signal import butter, fftconvolve, sosfilt

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Samples = npt.NDArray[np.float64]

RATE = 16000
LINE_RATE = 8000
LEVEL = 32768.0
ALAW = 87.6
"""The constant of A-law companding (ITU-T G.711)."""
MULAW = 255.0
"""The constant of µ-law companding (ITU-T G.711)."""


def mulaw(x: Samples) -> Samples:
    """Return samples as they come out of 8-bit µ-law (continuous formula)."""
    y = np.sign(x) * np.log1p(MULAW * np.abs(np.clip(x, -1, 1))) / np.log1p(MULAW)
    y = np.round(y * 127) / 127
    return np.sign(y) * ((1 + MULAW) ** np.abs(y) - 1) / MULAW


def alaw(x: Samples) -> Samples:
    """Return samples as they come out of 8-bit A-law (continuous formula)."""
    size = np.abs(np.clip(x, -1, 1))
    scale = 1 + np.log(ALAW)
    y = np.where(size < 1 / ALAW, ALAW * size, 1 + np.log(np.maximum(ALAW * size, 1e-9))) / scale
    y = np.round(y * 127) / 127
    back = np.where(y < 1 / scale, y * scale, np.exp(np.minimum(y * scale - 1, 0.0 + np.log(ALAW)))) / ALAW
    return np.sign(x) * back


def gsm(x: Samples) -> Samples:
    """Return 8 kHz samples after the GSM full-rate codec (libsndfile's GSM 6.10)."""
    coded = io.BytesIO()
    soundfile.write(coded, np.clip(x, -1, 1), LINE_RATE, format="WAV", subtype="GSM610")
    coded.seek(0)
    out, _ = soundfile.read(coded)
    return _fitted(out, len(x))


def opus(x: Samples, thrift: float) -> Samples:
    """Return 8 kHz samples after narrow-band Opus; `thrift` 0.9 is some 30 kbit/s, 1.0 is 6 kbit/s (libsndfile)."""
    coded = io.BytesIO()
    soundfile.write(coded, np.clip(x, -1, 1), LINE_RATE, format="OGG", subtype="OPUS", compression_level=thrift)
    coded.seek(0)
    out, _ = soundfile.read(coded)
    return _fitted(out, len(x))


def lose_packets(x: Samples, rng: np.random.Generator, share: float) -> Samples:
    """Return 8 kHz samples with lost 20 ms packets, each replaced by the one before it at half level."""
    packet = LINE_RATE // 50
    out = x.copy()
    for start in range(packet, len(x) - packet, packet):
        if rng.random() < share:
            out[start : start + packet] = out[start - packet : start] * 0.5
    return out


def _fitted(x: Samples, length: int) -> Samples:
    return x[:length] if len(x) >= length else np.pad(x, (0, length - len(x)))


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
    kind = rng.choice(["mulaw", "mulaw", "alaw", "gsm", "gsm", "opus", "plain"])
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
    # Above full scale now and then: the clipping of a shout.
    y = np.clip(y / np.abs(y).max() * 10 ** (rng.uniform(-28, 3) / 20), -1, 1)
    return telephone(y, rng) if on_telephone else rounded(y)
