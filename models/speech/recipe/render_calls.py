"""Render the demonstration calls: scripts in, stereo telephone-band FLAC files and their true times out.

    python models/speech/recipe/render_calls.py [--only threat] [--out firmware_config/demo/calls]

Customer left, operator right, 8 kHz, 300-3400 Hz, light line noise, through G.711 µ-law and back. Beside every
`<id>.flac` lies `<id>.json` with the start and end of each turn in seconds: what was said when, for the tests and
for measuring how long an alert takes. The seeds are fixed by the scripts' ids, so a second run says the same.
"""

from __future__ import annotations

import argparse
import json
import os
import tomllib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import soundfile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Samples = npt.NDArray[np.float64]
    Speak = Callable[[str, str, int], tuple[npt.NDArray[np.float32], int]]

DEMO = Path(__file__).resolve().parents[3] / "firmware_config" / "demo"
"""Where the scripts lie and the calls belong."""

RATE = 8000
"""Samples per second of a telephone call (ITU-T G.711)."""

BAND_HZ = (250.0, 350.0, 3300.0, 3550.0)
"""Where the telephone band opens and closes: silent below the first, full from the second to the third."""

SPEECH_DBFS = -26.0
"""Level of ordinary speech while it sounds, in dB below full scale (the nominal level of ITU-T P.56 tests)."""

LOUD_DB = 7.0
"""How much louder a raised voice is."""

LOUD_TILT_DB = 6.0
"""How much a raised voice gains at 3 kHz over 300 Hz: shouting flattens the spectrum."""

NOISE_DBFS = -80.0
"""Level of the noise of each line."""

TAIL_S = 2.0
"""Silence after the last turn, so that the last words are heard to their end."""

SOUNDING_DB = -38.0
"""A turn starts and ends where it is louder than this below its loudest 10 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a script; its fields are those of the TOML file."""

    speaker: Literal["customer", "operator"]
    text: str
    pause_before_s: float
    telling: bool
    loud: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One demonstration call as it is written down."""

    id: str
    title_ja: str
    title_en: str
    kind: Literal["harassment", "complaint", "order", "life_safety"]
    expect: dict[str, Any]
    turns: tuple[Turn, ...]


def read_script(path: Path) -> Script:
    """Return the script in a TOML file; raise `TypeError` on a key it does not know or misses."""
    with path.open("rb") as file:
        table = tomllib.load(file)
    turns = tuple(Turn(**turn) for turn in table.pop("turn"))
    return Script(turns=turns, **table)


def mulaw_levels() -> Samples:
    """Return the 256 levels of G.711 µ-law as 16-bit values, ascending."""
    code = np.arange(128)
    magnitude = (((code & 0x0F) << 3) + 0x84 << (code >> 4)) - 0x84
    return np.concatenate([-magnitude[::-1], magnitude]).astype(np.float64)


def through_mulaw(samples: Samples) -> npt.NDArray[np.int16]:
    """Return samples (±1.0) as a µ-law telephone line gives them back, 16-bit."""
    levels = mulaw_levels()
    borders = (levels[1:] + levels[:-1]) / 2
    return levels[np.searchsorted(borders, samples * 32768.0)].astype(np.int16)


def band_gain(hz: Samples, *, loud: bool) -> Samples:
    """Return the telephone line's gain at each frequency, with a raised voice's tilt if `loud`."""
    low, pass_low, pass_high, high = BAND_HZ
    gain = np.sin(np.pi / 2 * np.clip((hz - low) / (pass_low - low), 0, 1)) ** 2
    gain *= np.sin(np.pi / 2 * np.clip((high - hz) / (high - pass_high), 0, 1)) ** 2
    if loud:
        gain *= 10 ** (LOUD_TILT_DB * np.clip(np.log10(np.maximum(hz, 1.0) / 300.0), 0, 1) / 20)
    return gain


def on_the_telephone(samples: Samples, rate: int, *, loud: bool) -> Samples:
    """Return a turn filtered to the telephone band and resampled to `RATE`, at its level."""
    seconds = len(samples) // rate + 1
    spectrum = np.fft.rfft(np.pad(samples, (0, seconds * rate - len(samples))))
    spectrum *= band_gain(np.arange(len(spectrum)) / seconds, loud=loud)
    # Whole seconds: the spectra of both rates have their bins at the same frequencies, so cutting it resamples.
    out = np.fft.irfft(spectrum[: seconds * RATE // 2 + 1], seconds * RATE) * (RATE / rate)
    out = sounding(out)
    level_db = SPEECH_DBFS + (LOUD_DB if loud else 0.0)
    out *= 10 ** (level_db / 20) / np.sqrt(np.mean(out**2))
    # The telephone's limiter bends peaks; what that adds outside the band does not reach the line.
    bent = np.fft.rfft(np.tanh(out)) * band_gain(np.fft.rfftfreq(len(out), 1 / RATE), loud=False)
    return np.fft.irfft(bent, len(out))


def sounding(samples: Samples) -> Samples:
    """Return the part from the first to the last 10 ms that sound."""
    frame = RATE // 100
    power = np.square(samples[: len(samples) // frame * frame]).reshape(-1, frame).mean(axis=1)
    (heard,) = np.nonzero(power > power.max() * 10 ** (SOUNDING_DB / 10))
    return samples[heard[0] * frame : (heard[-1] + 1) * frame]


def line_noise(length: int, seed: int) -> Samples:
    """Return `length` samples of a quiet line's noise within the telephone band."""
    white = np.random.default_rng(seed).standard_normal(length)
    spectrum = np.fft.rfft(white) * band_gain(np.fft.rfftfreq(length, 1 / RATE), loud=False)
    noise = np.fft.irfft(spectrum, length)
    return noise * 10 ** (NOISE_DBFS / 20) / np.sqrt(np.mean(noise**2))


def render(script: Script, speak: Speak, cast: dict[str, str]) -> tuple[npt.NDArray[np.int16], list[dict[str, Any]]]:
    """Return a call as (samples, 2) and the true times of its turns."""
    parts: list[tuple[int, int, Samples]] = []
    turns: list[dict[str, Any]] = []
    now = 0
    for number, turn in enumerate(script.turns):
        voice = cast[turn.speaker]
        spoken, rate = speak(turn.text, voice, seed_of(script.id, number))
        samples = on_the_telephone(spoken.astype(np.float64), rate, loud=turn.loud)
        start = now + round(turn.pause_before_s * RATE)
        now = start + len(samples)
        parts.append((start, 0 if turn.speaker == "customer" else 1, samples))
        turns.append({
            "start": start / RATE, "end": now / RATE, "speaker": turn.speaker, "text": turn.text,
            "telling": turn.telling, "loud": turn.loud,
        })  # fmt: skip
    length = now + round(TAIL_S * RATE)
    call = np.stack([line_noise(length, seed_of(script.id, -1 - channel)) for channel in range(2)], axis=1)
    for start, channel, samples in parts:
        call[start : start + len(samples), channel] += samples
    return np.stack([through_mulaw(call[:, channel]) for channel in range(2)], axis=1), turns


def seed_of(call_id: str, number: int) -> int:
    """Return a seed that belongs to one turn of one call for ever."""
    return zlib.crc32(f"{call_id}/{number}".encode())


def main(arguments: Sequence[str] | None = None) -> None:
    """Render the scripts of the demonstration floor and print the length and size of every call."""
    from voices import speak  # noqa: PLC0415 - the tests of this module need no voices

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--demo", type=Path, default=DEMO, help="folder with cast.toml and scripts/")
    parser.add_argument("--out", type=Path, help="folder for the calls (default: calls/ of the demo folder)")
    parser.add_argument("--only", action="append", help="id of a call; may be repeated (default: all)")
    chosen = parser.parse_args(arguments)
    out = chosen.out or chosen.demo / "calls"
    out.mkdir(parents=True, exist_ok=True)
    cast = tomllib.loads((chosen.demo / "cast.toml").read_text(encoding="utf-8"))
    for path in sorted((chosen.demo / "scripts").glob("*.toml")):
        if chosen.only and path.stem not in chosen.only:
            continue
        script = read_script(path)
        samples, turns = render(script, speak, cast[script.id])
        written = write_call(out, script, cast[script.id], samples, turns)
        print(f"{script.id}: {len(samples) / RATE:.1f} s, {written.stat().st_size} bytes", flush=True)


def write_call(
    out: Path, script: Script, voices: dict[str, str], samples: npt.NDArray[np.int16], turns: list[dict[str, Any]]
) -> Path:
    """Write a call's FLAC file and its true times; return the path of the FLAC file."""
    path = out / f"{script.id}.flac"
    soundfile.write(path, samples, RATE, subtype="PCM_16", compression_level=1.0)
    times = {
        "id": script.id, "title_ja": script.title_ja, "title_en": script.title_en, "kind": script.kind,
        "expect": script.expect, "seconds": len(samples) / RATE, "rate": RATE, "voices": voices, "turns": turns,
    }  # fmt: skip
    text = json.dumps(times, ensure_ascii=False, indent=1)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    main()
