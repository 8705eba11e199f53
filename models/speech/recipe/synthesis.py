"""Let the synthetic voices speak: which voice says which line, and the jobs that make the recordings.

Every recording is a 16 kHz FLAC file beside a line in `index.jsonl`; what is there is not made again. The style
`jf_tebukuro` is heard in test voices alone, and one Open JTalk setting too.

Kokoro leaves sounds out when it speaks fast, as people do. The parts in `SLURRED` are the fast sentences of another
part said so; everything else is said whole (`voices.WHOLE`). So both can be trained and both measured.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import soundfile
from phones import read_text
from text_sources import Line, Part, all_lines, fill, read_slots
from tqdm import tqdm
from voices import STYLES, WHOLE, Voice, slurs, speak

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Engine = Literal["kokoro", "openjtalk"]

HERE = Path(__file__).resolve().parent
MAX_CHARS = {"kokoro": 42, "openjtalk": 60}
MIN_CHARS = 4
HELD_OUT = {"dev": 90, "test": 150}
"""Sentences spoken for development and for the test."""

LONGEST_S = 14.0

SLURRED: dict[str, Part] = {"slurred": "train", "slurred-dev": "dev", "slurred-test": "test"}
"""Recordings in which sounds are left out, and the part whose lines and voices they have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One recording to make."""

    name: str
    part: Part
    text: str
    voice: Voice


def training_style(rng: np.random.Generator) -> tuple[float, ...]:
    """Return weights of the four training styles: within their hull, or outside it (about -0.4 to 1.4)."""
    known = len(STYLES) - 1
    weights = rng.dirichlet([0.5] * known)
    if rng.random() < 0.6:
        weights = weights + rng.uniform(-0.4, 0.4, known)
        weights = np.clip(weights + (1 - weights.sum()) / known, -0.45, 1.4)
    return (*(round(float(weight), 2) for weight in weights), 0.0)


def held_out_style(rng: np.random.Generator) -> tuple[float, ...]:
    """Return weights in which the style no training voice has is at least 0.7."""
    share = float(rng.uniform(0.7, 1.0))
    others = rng.dirichlet([0.5] * (len(STYLES) - 1)) * (1 - share)
    return (*(round(float(weight), 2) for weight in others), round(share, 2))


def voice_of(engine: Engine, part: Part, rng: np.random.Generator, *, fastest: float = WHOLE) -> Voice:
    """Return a random voice of an engine that the part may hear; `fastest` is of Kokoro (`voices.Voice`)."""
    if engine == "openjtalk":
        if part == "test":
            return Voice(engine="openjtalk", speed=1.0, halftone=0.0, formant=1.0)
        formant = float(rng.choice([0.82, 0.86, 0.9, 0.94, 1.05, 1.1, 1.15]))
        halftone = round(float(rng.uniform(-7, 4)), 1)
        speed = round(float(rng.uniform(0.8, 1.5)), 2)
        return Voice(engine="openjtalk", speed=speed, halftone=halftone, formant=formant)
    weights = held_out_style(rng) if part == "test" else training_style(rng)
    narrow = part == "test"
    speed = float(rng.uniform(0.95, 1.3) if narrow else rng.uniform(0.8, 1.5))
    pitch = float(rng.uniform(0.95, 1.05) if narrow else rng.choice([0.82, 0.88, 0.94, 1.0, 1.0, 1.06, 1.12]))
    return Voice(engine="kokoro", weights=weights, speed=round(speed, 2), pitch=round(pitch, 2), fastest=fastest)


def pick(lines: Sequence[Line], rng: random.Random, count: int) -> Iterator[Line]:
    """Yield lines in random order, none twice while there are others: half callers', then operators' and chat.

    A pool that is empty leaves its turns to the callers.
    """
    pools = {
        "customer": [line for line in lines if line.source == "call" and line.speaker == "customer"],
        "operator": [line for line in lines if line.source == "call" and line.speaker == "operator"],
        "chat": [line for line in lines if line.source == "chat"],
    }
    for pool in pools.values():
        rng.shuffle(pool)
    endless = {name: cycle(pool) for name, pool in pools.items() if pool}
    turns = ["customer", "operator", "customer", "chat"]
    for number in range(count):
        yield next(endless.get(turns[number % len(turns)], endless["customer"]))


def jobs(engine: Engine, name: str, count: int, seed: int, folders: dict[str, Path]) -> Iterator[Job]:
    """Yield the recordings of a part, or of the part in `SLURRED`; the same arguments and texts give the same jobs."""
    part: Part = SLURRED.get(name, name)  # type: ignore[arg-type]
    fastest = math.inf if name in SLURRED else WHOLE
    rng = random.Random(seed)
    voices = np.random.default_rng(seed)
    slots = read_slots(folders["text"] / "slots")
    lines = [line for line in all_lines(**folders) if line.part == part and (part == "train" or line.source == "call")]
    for number, line in enumerate(pick(lines, rng, count)):
        text = fill(line.text, slots, rng)
        voice = voice_of(engine, part, voices, fastest=fastest)
        wanted = name not in SLURRED or slurs(voice, number)
        if wanted and MIN_CHARS <= len(text) <= MAX_CHARS[engine]:
            yield Job(name=f"{engine}-{name}-{seed}-{number:05d}", part=part, text=text, voice=voice)


def sentence_jobs(engine: Engine, name: str, folders: dict[str, Path]) -> Iterator[Job]:
    """Yield a recording of each sentence of `telling.tsv` or `general.tsv` by test voices; no training has them."""
    voices = np.random.default_rng(11)
    rows = (folders["text"].parent / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    for number, row in enumerate(rows):
        text = row.partition("\t")[2]
        yield Job(
            name=f"{engine}-{name}-1-{number:05d}", part="test", text=text, voice=voice_of(engine, "test", voices)
        )


def record(job: Job, folder: Path) -> dict[str, object] | None:
    """Make one recording and return its line of the index; None if the text can't be said or is too long."""
    words = read_text(job.text)
    if not words:
        return None
    try:
        samples, rate = speak(job.text, job.voice, int(job.name[-5:]))
    except (ValueError, RuntimeError) as problem:
        print("not spoken:", job.text, problem, flush=True)
        return None
    seconds = len(samples) / rate
    if seconds > LONGEST_S:
        return None
    soundfile.write(folder / f"{job.name}.flac", samples, rate, subtype="PCM_16")
    phones = [phone for word in words for phone in word.phones]
    return {
        "file": f"{job.name}.flac", "part": job.part, "text": job.text, "voice": str(job.voice), "phones": phones,
        "seconds": round(seconds, 3),
    }  # fmt: skip


def run(todo: Iterator[Job], folder: Path, minutes: float) -> None:
    """Make recordings until none is left or the time is over; go on where an earlier run stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "index.jsonl"
    done = {json.loads(row)["file"] for row in index.read_text().splitlines()} if index.exists() else set()
    started, spoken = time.monotonic(), 0.0
    with index.open("a", encoding="utf-8") as out:
        bar = tqdm(list(todo), desc=folder.name)
        for job in bar:
            if f"{job.name}.flac" in done:
                continue
            if time.monotonic() - started > minutes * 60:
                break
            row = record(job, folder)
            if row is None:
                continue
            out.write(json.dumps(row, ensure_ascii=False) + "\n")
            out.flush()
            spoken += float(str(row["seconds"]))
            bar.set_postfix_str(f"{spoken:.0f} s spoken", refresh=False)


def main() -> None:
    """Make the recordings of one engine and part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["kokoro", "openjtalk"], required=True)
    parts = ["train", "dev", "test", *SLURRED, "telling", "general"]
    parser.add_argument("--part", choices=parts, default="train")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600.0)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    chosen = parser.parse_args()
    if chosen.part in SLURRED and chosen.engine != "kokoro":
        parser.error(f"--part {chosen.part} is of kokoro: Open JTalk says every sound at any tempo")
    folders = {"text": HERE / "text", "corpus": HERE.parents[1] / "harassment" / "corpus", "data": chosen.data}
    if chosen.part in {"telling", "general"}:
        folder = chosen.work / "speech" / f"{chosen.engine}-{chosen.part}-1"
        run(sentence_jobs(chosen.engine, chosen.part, folders), folder, chosen.minutes)
        return
    count = HELD_OUT.get(SLURRED.get(chosen.part, chosen.part), chosen.count)
    todo = jobs(chosen.engine, chosen.part, count, chosen.seed, folders)
    run(todo, chosen.work / "speech" / f"{chosen.engine}-{chosen.part}-{chosen.seed}", chosen.minutes)


if __name__ == "__main__":
    main()
