"""Make the starter model: one command, stages that are not repeated once they are done.

    python build.py --data DIR --work DIR --out ../ja-starter

`DIR` of `--data` holds `tofugu-words`, `dialogue` and `harassment-seed.tsv`; `--work` keeps what may be thrown away.
Each stage is a command of its own (`python synthesis.py --help` and so on) and leaves a mark in `WORK/done`; remove
the mark to do it again. Seeds are in the commands below.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pins

HERE = Path(__file__).resolve().parent
BLANK_BIAS = "1.25"
"""On the development set 2 is as good and 3 no better (mean of six error rates 11.8, 11.8 and 12.0 %)."""

EVERY_SHARD = ("words-*", "openjtalk-train-*", "kokoro-train-*", "nothing-*")
LATER_SHARDS = ("words-[2-9]-*", "openjtalk-train-5-*", "kokoro-train-[4-9]-*", "nothing-*")
LAST_SHARDS = ("words-[2-9]-*", "openjtalk-train-5-1-*", "kokoro-train-[4-9]-*", "nothing-*")
TENTH_SHARDS = ("words-[45]-*", "openjtalk-train-6-*", "kokoro-train-10-*", "nothing-*")
"""What is heard by the rounds that train on: newer texts, the real words damaged anew, less Open JTalk in some, and in
the tenth no recording of before."""

KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**33), "MALLOC_TRIM_THRESHOLD_": str(2**34)}
"""Memory of a training step is kept for the next: giving it back and asking anew took half of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A command of this recipe."""

    name: str
    script: str
    arguments: tuple[str, ...]


def stages(data: Path, work: Path, out: Path, trunk: Path, threads: int, minutes: int) -> list[Stage]:
    """Return the stages in their order."""
    places = ("--data", str(data), "--work", str(work))

    def speech(engine: str, part: str, seed: int, count: int) -> Stage:
        numbers = ("--seed", str(seed), "--count", str(count), "--minutes", str(minutes))
        name = f"speech-{engine}-{part}-{seed}"
        return Stage(
            name=name, script="synthesis.py", arguments=("--engine", engine, "--part", part, *numbers, *places)
        )

    def sentences(name: str) -> Stage:
        arguments = ("--engine", "kokoro", "--part", name, *places)
        return Stage(name=f"speech-kokoro-{name}-1", script="synthesis.py", arguments=arguments)

    def heard(source: str, number: int) -> Stage:
        name = f"features-{source}-{number}"
        return Stage(name=name, script="features.py", arguments=(source, "--pass", str(number), *places))

    def training(
        name: str, start: str, *, epochs: float, rate: str, freeze: int, shards: tuple[str, ...] = EVERY_SHARD
    ) -> Stage:
        begun = ("--start", str(work / start)) if start else ()
        how = ("--epochs", str(epochs), "--rate", rate, "--freeze", str(freeze), "--threads", str(threads))
        where = ("--trunk", str(trunk), "--work", str(work), "--out", str(work / f"{name}.pt"))
        return Stage(name=f"train-{name}", script="training.py", arguments=(*shards, *where, *begun, *how))

    weights, graph = (str(work / "tenth.pt"), str(work / "ninth.pt")), work / "graph"
    put = ("--trunk", str(trunk), "--graph", str(graph), "--out", str(out), "--blank-bias", BLANK_BIAS)
    return [
        *(speech(engine, part, 1, 0) for engine in ("openjtalk", "kokoro") for part in ("test", "dev")),
        sentences("telling"),
        sentences("general"),
        speech("openjtalk", "train", 1, 1600),
        speech("kokoro", "train", 2, 922),
        speech("kokoro", "train", 3, 2394),
        heard("nothing", 0),
        *(heard("words", number) for number in range(2)),
        heard("openjtalk-train-1", 0),
        *(heard("kokoro-train-2", number) for number in range(2)),
        heard("kokoro-train-3", 0),
        Stage(name="features-dev", script="listening.py", arguments=places),
        training("first", "", epochs=1.0, rate="8e-4", freeze=5),
        training("second", "first.pt", epochs=1.6, rate="5e-4", freeze=3),
        training("third", "second.pt", epochs=1.0, rate="3e-4", freeze=3),
        training("fourth", "third.pt", epochs=3.0, rate="3e-4", freeze=2),
        training("fifth", "fourth.pt", epochs=4.0, rate="3.5e-4", freeze=1),
        # Trained on from here when the texts had grown.
        speech("openjtalk", "train", 5, 1400),
        speech("kokoro", "train", 4, 1317),
        heard("words", 2),
        heard("openjtalk-train-5", 0),
        *(heard("kokoro-train-4", number) for number in range(2)),
        training("sixth", "fifth.pt", epochs=2.0, rate="3e-4", freeze=1, shards=LATER_SHARDS),
        speech("kokoro", "train", 5, 226),
        heard("words", 3),
        heard("openjtalk-train-5", 1),
        *(heard("kokoro-train-5", number) for number in range(2)),
        training("seventh", "sixth.pt", epochs=3.0, rate="4e-4", freeze=0, shards=LATER_SHARDS),
        # Twice as much Kokoro speech, of which phones were still wrong most.
        speech("kokoro", "train", 6, 707),
        speech("kokoro", "train", 7, 686),
        *(heard(f"kokoro-train-{seed}", number) for seed in (6, 7) for number in range(2)),
        training("eighth", "seventh.pt", epochs=3.0, rate="4e-4", freeze=0, shards=LAST_SHARDS),
        speech("kokoro", "train", 8, 199),
        speech("kokoro", "train", 9, 188),
        *(heard(f"kokoro-train-{seed}", number) for seed in (8, 9) for number in range(2)),
        training("ninth", "eighth.pt", epochs=3.0, rate="4e-4", freeze=0, shards=LAST_SHARDS),
        # Nothing but new recordings, for a release's weights when those of the rounds before were not at hand.
        speech("openjtalk", "train", 6, 1400),
        speech("kokoro", "train", 10, 1666),
        *(heard("words", number) for number in (4, 5)),
        heard("openjtalk-train-6", 0),
        *(heard("kokoro-train-10", number) for number in range(2)),
        training("tenth", "ninth.pt", epochs=3.0, rate="3e-4", freeze=0, shards=TENTH_SHARDS),
        Stage(name="graph", script="language.py", arguments=("--data", str(data), "--out", str(graph))),
        Stage(name="assemble", script="assemble.py", arguments=(*weights, *put)),
        Stage(name="measure", script="evaluate.py", arguments=(str(out), "--work", str(work), "--part", "test")),
        Stage(name="measure-words", script="evaluate_words.py", arguments=(str(out), *places)),
    ]


def main() -> None:
    """Do the stages that are not done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=int, default=240, help="the longest that one voice may speak for training")
    chosen = parser.parse_args()
    data, work, out = (path.resolve() for path in (chosen.data, chosen.work, chosen.out))
    trunk = pins.check()
    marks = work / "done"
    marks.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, **KEPT_MEMORY, "KOKORO_JA_CACHE": str(work), "OMP_NUM_THREADS": str(chosen.threads)}
    for stage in stages(data, work, out, trunk, chosen.threads, chosen.minutes):
        mark = marks / stage.name
        if mark.exists():
            continue
        print(f"== {stage.name}", flush=True)
        started = time.monotonic()
        subprocess.run([sys.executable, str(HERE / stage.script), *stage.arguments], check=True, env=environment)
        mark.write_text(f"{time.monotonic() - started:.0f} s\n")


if __name__ == "__main__":
    main()
