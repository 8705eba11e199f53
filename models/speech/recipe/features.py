"""Features for training: recordings and real words, augmented, as MFCC shards of a few hundred utterances.

A shard is an `.npz`: `frames` (all frames of all utterances, float32, 40 columns), `ends` (end frame of each
utterance), `labels` (all phone numbers, 1-based) and `label_ends`. What has a shard is not computed again.
"""

from __future__ import annotations

import argparse
import csv
import json
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import kaldi_native_fbank as knf
import numpy as np
import soundfile
from augment import RATE, as_heard
from nothing import nothing
from phones import PHONES, katakana, phones_of_kana, spoken_kana
from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Frames = npt.NDArray[np.float32]
    Samples = npt.NDArray[np.float64]

NOTHINGS = 500
"""Clips in which nobody speaks."""
WORDS_OUT_OF = 20
"""Of this many readings of real words two are kept for the test and one for development."""
NUMBER = {phone: number for number, phone in enumerate(PHONES, 1)}
SHARD = 250
TELEPHONE_SHARE = 0.65
PAUSE_S = (0.1, 0.6)
MFCC_CONF = {"use-energy": "false", "num-mel-bins": "40", "num-ceps": "40", "low-freq": "20", "high-freq": "7600"}
"""The features of the trunk, as the model's `conf/mfcc.conf` states them again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """Speech within ±1 at 16 kHz and what is said in it."""

    samples: Samples
    phones: Sequence[str]


def mfcc(samples: Samples) -> Frames:
    """Return (frames, 40) Kaldi MFCCs of 16 kHz samples within ±1: 25 ms windows every 10 ms, no dither."""
    options = knf.MfccOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.samp_freq = RATE
    options.use_energy = False
    options.mel_opts.num_bins = options.num_ceps = 40
    options.mel_opts.low_freq, options.mel_opts.high_freq = 20, 7600
    computer = knf.OnlineMfcc(options)
    computer.accept_waveform(RATE, (samples * 32768).astype(np.float32))
    computer.input_finished()
    if not computer.num_frames_ready:
        return np.zeros((0, 40), np.float32)
    return np.stack([computer.get_frame(at) for at in range(computer.num_frames_ready)])


def recordings(folder: Path) -> list[dict[str, object]]:
    """Return the index of a folder of synthetic speech."""
    return [json.loads(row) for row in (folder / "index.jsonl").read_text(encoding="utf-8").splitlines()]


def spoken(folder: Path, row: dict[str, object]) -> Utterance:
    """Return one synthetic recording."""
    samples, _ = soundfile.read(folder / str(row["file"]))
    return Utterance(samples=samples, phones=[str(phone) for phone in row["phones"]])  # type: ignore[attr-defined]


def part_of_word(kana: str) -> str:
    """Return the part a real word belongs to, by a checksum of its reading: every tenth is kept for the test."""
    remainder = zlib.crc32(kana.encode()) % WORDS_OUT_OF
    return "test" if remainder % (WORDS_OUT_OF // 2) == 0 else "dev" if remainder == 1 else "train"


def real_words(data: Path, part: str) -> list[Utterance]:
    """Return the words of `tofugu-words` that belong to a part, divided by reading, each trimmed to its sound."""
    folder = data / "tofugu-words"
    words = []
    with (folder / "words.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            kana = katakana(row["kana"])
            phones = phones_of_kana(spoken_kana(kana))
            if not phones or part_of_word(kana) != part:
                continue
            samples, rate = soundfile.read(folder / "audio" / row["file"])
            if samples.ndim > 1:
                samples = samples.mean(axis=1)
            if rate != RATE:
                raise ValueError(f"{row['file']} has {rate} samples/s")
            loudest = np.abs(samples).max()
            if loudest > 0:
                words.append(Utterance(samples=samples / loudest * 0.6, phones=phones))
    return words


def join(words: Sequence[Utterance], rng: np.random.Generator) -> Utterance:
    """Return words said one after the other, with short pauses."""
    parts: list[Samples] = []
    for word in words:
        parts += [word.samples, np.zeros(int(rng.uniform(*PAUSE_S) * RATE))]
    return Utterance(samples=np.concatenate(parts), phones=[phone for word in words for phone in word.phones])


def groups(words: Sequence[Utterance], seed: int) -> list[Utterance]:
    """Return all words once, in random groups of one to four."""
    rng = np.random.default_rng(seed)
    order = [int(at) for at in rng.permutation(len(words))]
    out = []
    while order:
        size = int(rng.integers(1, 5))
        out.append(join([words[at] for at in order[:size]], rng))
        del order[:size]
    return out


def write_shard(path: Path, items: Sequence[tuple[Frames, list[int]]]) -> None:
    """Write a shard."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        frames=np.concatenate([frames for frames, _ in items]),
        ends=np.cumsum([len(frames) for frames, _ in items]),
        labels=np.concatenate([labels for _, labels in items]).astype(np.int16),
        label_ends=np.cumsum([len(labels) for _, labels in items]),
    )


def read_shard(path: Path) -> list[tuple[Frames, list[int]]]:
    """Return the utterances of a shard."""
    shard = np.load(path)
    frames = np.split(shard["frames"], shard["ends"][:-1])
    labels = np.split(shard["labels"], shard["label_ends"][:-1])
    return [(part, [int(label) for label in numbers]) for part, numbers in zip(frames, labels, strict=True)]


def heard(utterance: Utterance, seed: str, others: Sequence[Samples]) -> tuple[Frames, list[int]] | None:
    """Return the features and labels of an augmented utterance; None if it is too short for its labels."""
    rng = np.random.default_rng(zlib.crc32(seed.encode()))
    on_telephone = bool(rng.random() < TELEPHONE_SHARE)
    frames = mfcc(as_heard(utterance.samples, rng, others=others, on_telephone=on_telephone))
    labels = [NUMBER[phone] for phone in utterance.phones]
    twins = sum(one == other for one, other in pairwise(labels))
    return (frames, labels) if len(frames) // 3 > len(labels) + twins + 1 else None


def main() -> None:
    """Compute the shards that are missing for one source and pass of augmentation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", help="a folder of speech in WORK/speech, `words`, or `nothing`")
    parser.add_argument("--pass", dest="number", type=int, default=0)
    parser.add_argument("--limit", type=int, default=10**9)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    chosen = parser.parse_args()
    folder = chosen.work / "speech" / chosen.source
    words = groups(real_words(chosen.data, "train"), chosen.number) if chosen.source == "words" else []
    if chosen.source == "nothing":
        words = [Utterance(samples=nothing(seed), phones=[]) for seed in range(NOTHINGS)]
    rows = [] if words else recordings(folder)[: chosen.limit]
    total = len(words) or len(rows)
    bar = tqdm(range(0, total, SHARD), desc=f"{chosen.source}-{chosen.number}", unit="shard")
    for start in bar:
        stop = min(start + SHARD, total)
        path = chosen.work / "features" / f"{chosen.source}-{chosen.number}-{start:05d}-{stop:05d}.npz"
        if path.exists():
            continue
        batch = words[start:stop] or [spoken(folder, row) for row in rows[start:stop]]
        others = [utterance.samples for utterance in batch] if chosen.source != "nothing" else []
        made = [
            heard(utterance, f"{chosen.source}/{chosen.number}/{start + at}", others)
            for at, utterance in enumerate(batch)
        ]
        kept = [item for item in made if item is not None]
        write_shard(path, kept)
        bar.set_postfix_str(f"{path.name}: {len(kept)}, {sum(len(frames) for frames, _ in kept) / 360000:.2f} h")


if __name__ == "__main__":
    main()
