"""Make the starter model: one command, stages that are not repeated once they are done.

    python build.py --data DIR --work DIR --out ../ja-starter

`DIR` of `--data` holds `tofugu-words`, `dialogue` and `harassment-seed.tsv`; `--work` keeps what may be thrown away.
Each stage is a command of its own (`python synthesis.py --help` and so on) with a progress bar of its own, and leaves
a mark with the time it took in `WORK/done`; remove the mark to do it again. Stages that need nothing of one another run
at once, one a core. Seeds are in the commands below.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import pins
from tqdm import tqdm

HERE = Path(__file__).resolve().parent
BLANK_BIAS = "1.25"
"""On the development set 2 is as good and 3 no better (mean of six error rates 11.8, 11.8 and 12.0 %)."""

FEW = ("words-4-*", "openjtalk-train-6-*", "kokoro-train-10-[01]-*", "nothing-*")
MANY = ("words-[45]-*", "openjtalk-train-[67]-*", "kokoro-train-10-*", "nothing-*")
ALL = ("words-[45]-*", "openjtalk-train-[67]-*", "kokoro-train-1[01]-*", "nothing-*")
"""What is heard by the rounds of training."""

KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**33), "MALLOC_TRIM_THRESHOLD_": str(2**34)}
"""Memory of a training step is kept for the next: giving it back and asking anew took half of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A command of this recipe."""

    name: str
    script: str
    arguments: tuple[str, ...]


def groups(data: Path, work: Path, out: Path, trunk: Path, cores: int, minutes: int) -> list[list[Stage]]:
    """Return the stages in their order; those of a group need nothing of one another."""
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

    def training(name: str, start: str, *, epochs: float, rate: str, freeze: int, shards: tuple[str, ...]) -> Stage:
        begun = ("--start", str(work / start)) if start else ()
        how = ("--epochs", str(epochs), "--rate", rate, "--freeze", str(freeze), "--threads", str(cores))
        where = ("--trunk", str(trunk), "--work", str(work), "--out", str(work / f"{name}.pt"))
        return Stage(name=f"train-{name}", script="training.py", arguments=(*shards, *where, *begun, *how))

    graph = work / "graph"
    put = ("--trunk", str(trunk), "--graph", str(graph), "--out", str(out), "--blank-bias", BLANK_BIAS)
    return [
        # Alone: it puts Kokoro's parts together, which two must not do at once.
        [speech("kokoro", "dev", 1, 0)],
        [
            speech("kokoro", "train", 10, 1666),
            speech("kokoro", "train", 11, 900),
            speech("openjtalk", "train", 6, 1400),
            speech("openjtalk", "train", 7, 2400),
            speech("kokoro", "test", 1, 0),
            *(speech("openjtalk", part, 1, 0) for part in ("dev", "test")),
            sentences("telling"),
            sentences("general"),
        ],
        [
            *(heard("kokoro-train-10", number) for number in range(4)),
            *(heard("kokoro-train-11", number) for number in range(2)),
            *(heard(f"openjtalk-train-{seed}", 0) for seed in (6, 7)),
            *(heard("words", number) for number in (4, 5)),
            heard("nothing", 0),
            Stage(name="features-dev", script="listening.py", arguments=places),
            Stage(name="graph", script="language.py", arguments=("--data", str(data), "--out", str(graph))),
        ],
        [training("first", "", epochs=1.0, rate="8e-4", freeze=5, shards=FEW)],
        [training("second", "first.pt", epochs=2.0, rate="7e-4", freeze=1, shards=MANY)],
        [training("third", "second.pt", epochs=8.0, rate="6e-4", freeze=0, shards=ALL)],
        [Stage(name="assemble", script="assemble.py", arguments=(str(work / "third.pt"), *put))],
        [
            Stage(name="measure", script="evaluate.py", arguments=(str(out), "--work", str(work), "--part", "test")),
            Stage(name="measure-words", script="evaluate_words.py", arguments=(str(out), *places)),
        ],
    ]


def do(stage: Stage, marks: Path, environment: dict[str, str], lines: SimpleQueue[int]) -> None:
    """Do a stage unless its mark is there, and leave the mark; `lines` of the screen are free for its bar."""
    mark = marks / stage.name
    if mark.exists():
        return
    line = lines.get()
    tqdm.write(f"== {stage.name}")
    started = time.monotonic()
    command = [sys.executable, str(HERE / stage.script), *stage.arguments]
    subprocess.run(command, check=True, env={**environment, "TQDM_POSITION": str(line), "TQDM_MININTERVAL": "1"})
    mark.write_text(f"{time.monotonic() - started:.0f} s\n")
    tqdm.write(f"== {stage.name}: {time.monotonic() - started:.0f} s")
    lines.put(line)


def main() -> None:
    """Do the stages that are not done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cores", type=int, default=min(2, os.cpu_count() or 1), help="stages at once")
    parser.add_argument("--minutes", type=int, default=240, help="the longest that one voice may speak for training")
    chosen = parser.parse_args()
    data, work, out = (path.resolve() for path in (chosen.data, chosen.work, chosen.out))
    trunk = pins.check()
    marks = work / "done"
    marks.mkdir(parents=True, exist_ok=True)
    lines: SimpleQueue[int] = SimpleQueue()
    for line in range(chosen.cores):
        lines.put(line)
    for group in groups(data, work, out, trunk, chosen.cores, chosen.minutes):
        threads = chosen.cores if len(group) == 1 else 1
        environment = {**os.environ, **KEPT_MEMORY, "KOKORO_JA_CACHE": str(work), "OMP_NUM_THREADS": str(threads)}
        with ThreadPoolExecutor(max_workers=chosen.cores) as at_once:
            for running in [at_once.submit(do, stage, marks, environment, lines) for stage in group]:
                running.result()


if __name__ == "__main__":
    main()
