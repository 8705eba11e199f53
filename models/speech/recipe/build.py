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
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event

import pins

HERE = Path(__file__).resolve().parent
BLANK_BIAS = "1.25"
"""On the development set 2 is as good and 3 no better (mean of six error rates 11.8, 11.8 and 12.0 %)."""

FIRST = ("words-4-*", "openjtalk-train-6-0-*", "kokoro-train-10-[01]-*", "nothing-*")
SECOND = ("words-[45]-*", "openjtalk-train-[67]-0-*", "kokoro-train-10-[0-3]-*", "nothing-*")
THIRD = (*SECOND, "kokoro-train-11-[01]-*")
FOURTH = (*THIRD, "kokoro-slurred-10-[0-3]-*")
FIFTH = ("words-*", "openjtalk-train-*", "kokoro-train-*", "kokoro-slurred-*", "nothing-*")
"""What is heard by the rounds of training: ever more, and speech with sounds left out once whole speech is known."""

KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**33), "MALLOC_TRIM_THRESHOLD_": str(2**34)}
"""Memory of a training step is kept for the next: giving it back and asking anew took half of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A command of this recipe."""

    name: str
    script: str
    arguments: tuple[str, ...]


def groups(data: Path, work: Path, out: Path, trunk: Path, cores: int, minutes: float) -> list[list[Stage]]:
    """Return the stages in their order; those of a group need nothing of one another, the longest first."""
    places = ("--data", str(data), "--work", str(work))

    def speech(engine: str, part: str, seed: int = 1, count: int = 0) -> Stage:
        numbers = ("--seed", str(seed), "--count", str(count), "--minutes", str(minutes))
        arguments = ("--engine", engine, "--part", part, *numbers, *places)
        return Stage(name=f"speech-{engine}-{part}-{seed}", script="synthesis.py", arguments=arguments)

    def heard(source: str, *passes: int) -> list[Stage]:
        return [
            Stage(
                name=f"features-{source}-{number}",
                script="features.py",
                arguments=(source, "--pass", str(number), *places),
            )
            for number in passes
        ]

    def training(name: str, start: str, *, epochs: float, rate: str, freeze: int, shards: tuple[str, ...]) -> Stage:
        begun = ("--start", str(work / start)) if start else ()
        how = ("--epochs", str(epochs), "--rate", rate, "--freeze", str(freeze), "--threads", str(cores))
        where = ("--trunk", str(trunk), "--work", str(work), "--out", str(work / f"{name}.pt"))
        return Stage(name=f"train-{name}", script="training.py", arguments=(*shards, *where, *begun, *how))

    graph = work / "graph"
    put = ("--trunk", str(trunk), "--graph", str(graph), "--out", str(out), "--blank-bias", BLANK_BIAS)
    return [
        # One alone, so that Kokoro's model is there before two ask for it.
        [speech("kokoro", "dev")],
        [
            speech("kokoro", "train", 10, 1666),
            speech("kokoro", "train", 11, 900),
            speech("kokoro", "slurred", 10, 1666),
            speech("kokoro", "slurred", 11, 900),
            speech("openjtalk", "train", 7, 2400),
            speech("openjtalk", "train", 6, 1400),
            speech("kokoro", "telling"),
            speech("kokoro", "test"),
            speech("kokoro", "general"),
            *(speech("kokoro", f"slurred-{part}") for part in ("dev", "test")),
            *(speech("openjtalk", part) for part in ("dev", "test")),
        ],
        [
            Stage(name="graph", script="language.py", arguments=("--data", str(data), "--out", str(graph))),
            *heard("openjtalk-train-7", 0, 1),
            *heard("openjtalk-train-6", 0, 1),
            *heard("kokoro-train-10", *range(5)),
            *heard("kokoro-train-11", *range(4)),
            *heard("kokoro-slurred-10", *range(6)),
            *heard("kokoro-slurred-11", 0, 1),
            *heard("words", *range(4, 8)),
            *heard("nothing", 0),
            Stage(name="features-dev", script="listening.py", arguments=places),
        ],
        [training("first", "", epochs=1.0, rate="8e-4", freeze=5, shards=FIRST)],
        [training("second", "first.pt", epochs=2.0, rate="7e-4", freeze=1, shards=SECOND)],
        [training("third", "second.pt", epochs=6.0, rate="6e-4", freeze=0, shards=THIRD)],
        [training("fourth", "third.pt", epochs=2.0, rate="4e-4", freeze=0, shards=FOURTH)],
        [training("fifth", "fourth.pt", epochs=2.5, rate="5e-4", freeze=0, shards=FIFTH)],
        [Stage(name="assemble", script="assemble.py", arguments=(str(work / "fifth.pt"), *put))],
        [
            Stage(name="measure", script="evaluate.py", arguments=(str(out), "--work", str(work), "--part", "test")),
            Stage(name="measure-words", script="evaluate_words.py", arguments=(str(out), *places)),
        ],
    ]


def do(stage: Stage, marks: Path, environment: dict[str, str], rows: SimpleQueue[int]) -> None:
    """Do a stage unless its mark is there, its progress on a free row of the terminal, and leave the mark."""
    mark = marks / stage.name
    if mark.exists():
        return
    row = rows.get()
    print(f"== {stage.name}", flush=True)
    started = time.monotonic()
    try:
        own = {**environment, "TQDM_POSITION": str(row)}
        subprocess.run([sys.executable, str(HERE / stage.script), *stage.arguments], check=True, env=own)
    finally:
        rows.put(row)
    taken = f"{time.monotonic() - started:.0f} s"
    mark.write_text(f"{taken}\n")
    print(f"== {stage.name}: {taken}", flush=True)


def do_all(group: list[Stage], marks: Path, environment: dict[str, str], cores: int) -> None:
    """Do the stages of a group, as many at once as there are cores; when one has failed no other is begun."""
    rows: SimpleQueue[int] = SimpleQueue()
    for row in range(cores):
        rows.put(row)
    failed = Event()

    def unless_failed(stage: Stage) -> None:
        if failed.is_set():
            return
        try:
            do(stage, marks, environment, rows)
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(max_workers=cores) as at_once:
        for done in as_completed([at_once.submit(unless_failed, stage) for stage in group]):
            done.result()


def main() -> None:
    """Do the stages that are not done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cores", type=int, default=min(2, os.cpu_count() or 1), help="cores to keep busy")
    parser.add_argument("--minutes", type=float, default=240.0, help="the longest that one stage may speak")
    chosen = parser.parse_args()
    data, work, out = (path.resolve() for path in (chosen.data, chosen.work, chosen.out))
    trunk = pins.check()
    marks = work / "done"
    marks.mkdir(parents=True, exist_ok=True)
    for group in groups(data, work, out, trunk, chosen.cores, chosen.minutes):
        threads = chosen.cores if len(group) == 1 else 1
        environment = {**os.environ, **KEPT_MEMORY, "KOKORO_JA_CACHE": str(work), "OMP_NUM_THREADS": str(threads)}
        do_all(group, marks, environment, chosen.cores)


if __name__ == "__main__":
    main()
