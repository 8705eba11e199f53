"""The conditions under which the development and the test set are heard, the same for every model.

`wide` is the recording as it is with a little noise; the others are telephone lines, resampled to 16 kHz as the
appliance does before recognition, or (`-8k`) handed to the recognizer at 8 kHz. The noise of an
utterance depends on its file and condition alone.
"""

from __future__ import annotations

import argparse
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soxr
from augment import RATE, as_vosk_upsamples, band, coloured_noise, rounded
from features import NUMBER, groups, mfcc, real_words, recordings, spoken, write_shard
from line_codecs import LINE_RATE, amr, g726, gsm, mulaw, opus

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Samples = npt.NDArray[np.float64]

CONDITIONS = ("wide", "mulaw", "gsm", "amr", "g726", "opus", "mulaw-8k")
NOISE_DB = {"wide": 35.0, "mulaw": 20.0, "gsm": 25.0, "amr": 25.0, "g726": 20.0, "opus": 25.0, "mulaw-8k": 20.0}
"""Level of the speech above the noise of the room and the line."""

CODECS: dict[str, Callable[[Samples], Samples]] = {
    "mulaw": mulaw,
    "gsm": gsm,
    "amr": lambda x: amr(x, 4),
    "g726": lambda x: g726(x, 32),
    "opus": lambda x: opus(x, 0.98),
}
"""AMR-NB at 7.4 kbit/s, G.726 at 32 kbit/s, Opus at some 12 kbit/s."""

SILENCE_S = (0.3, 0.6)
"""Silence before (the gate's pre-roll) and after an utterance."""


def under(condition: str, samples: Samples, seed: str) -> tuple[Samples, int]:
    """Return 16 kHz samples as they are heard under a condition, and their rate."""
    rng = np.random.default_rng(zlib.crc32(f"{seed}/{condition}".encode()))
    y = np.pad(samples * 0.5, (int(SILENCE_S[0] * RATE), int(SILENCE_S[1] * RATE)))
    level = np.sqrt((samples**2).mean()) * 0.5
    y = y + coloured_noise(len(y), rng) * level * 10 ** (-NOISE_DB[condition] / 20)
    if condition == "wide":
        return rounded(y), RATE
    line = band(np.asarray(soxr.resample(y, RATE, LINE_RATE)), 300, 3400)
    coded = CODECS[condition.removesuffix("-8k")](line)
    if condition.endswith("-8k"):
        return rounded(coded), LINE_RATE
    return rounded(np.asarray(soxr.resample(rounded(coded), LINE_RATE, RATE))), RATE


def main() -> None:
    """Write the development set's features: each source wide band and through telephone lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    chosen = parser.parse_args()
    sources = {}
    for name, said in (
        ("kokoro", "kokoro-dev-1"),
        ("openjtalk", "openjtalk-dev-1"),
        ("slurred", "kokoro-slurred-dev-1"),
    ):
        folder = chosen.work / "speech" / said
        sources[name] = [spoken(folder, row) for row in recordings(folder)[:60]]
    sources["words"] = groups(real_words(chosen.data, "dev"), 0)
    for name, utterances in sources.items():
        for condition in ("wide", "mulaw", "gsm"):
            items = []
            for at, utterance in enumerate(utterances):
                heard, rate = under(condition, utterance.samples, f"{name}/{at}")
                frames = mfcc(heard if rate == RATE else as_vosk_upsamples(heard))
                items.append((frames, [NUMBER[phone] for phone in utterance.phones]))
            write_shard(chosen.work / "features" / f"dev-{name}-{condition}.npz", items)
            print(name, condition, len(items), flush=True)


if __name__ == "__main__":
    main()
