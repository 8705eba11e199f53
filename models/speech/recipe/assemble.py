"""Put a Vosk model together: `am/final.mdl` from trained weights, `conf/`, and a graph made by `language.py`."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from acoustic_file import check, load_weights, model_bytes
from features import MFCC_CONF
from trunk import Network, read_components

if TYPE_CHECKING:
    from collections.abc import Sequence

MODEL_CONF = {
    "min-active": "20",
    "max-active": "3000",
    "beam": "13",
    "lattice-beam": "8",
    "acoustic-scale": "1.0",
    "frame-subsampling-factor": "3",
    "frames-per-chunk": "51",
    "endpoint.silence-phones": "1",
    "endpoint.rule2.min-trailing-silence": "0.5",
    "endpoint.rule3.min-trailing-silence": "1.0",
    "endpoint.rule4.min-trailing-silence": "2.0",
}
"""How Vosk searches, and when it takes an utterance for ended; silence is phone 1 (SIL).

Kaldi's own `min-active` of 200 keeps 200 paths alive in every frame, however unlikely: with 20 and a wider beam the
words are the same for a third less time. A beam of 12 makes one more error in a thousand letters. Twice the lattice
beam of before keeps the paths that are right by the larger n-grams, for 2 % more time (decision 28).
More frames at once cost less for each than the default 20; 51 are half a second, which a word waits at most."""

GRAPH_FILES = ("HCLG.fst", "words.txt", "sounds.toml", "phones/word_boundary.int")
RESCORING_FILES = ("G.fst", "G.carpa")


def _conf(options: dict[str, str]) -> str:
    return "".join(f"--{name}={value}\n" for name, value in options.items())


def assemble(weights: Sequence[Path], trunk: Path, graph: Path, out: Path, blank_bias: float) -> None:
    """Write a model folder; what was in it under the same names is replaced."""
    network = Network(read_components(trunk))
    load_weights(network, *weights)
    for name in ("am", "conf", "graph/phones"):
        (out / name).mkdir(parents=True, exist_ok=True)
    (out / "am" / "final.mdl").write_bytes(model_bytes(network, blank_bias))
    check(network, out / "am" / "final.mdl", trunk)
    mfcc = {**MFCC_CONF, "dither": "0", "allow-upsample": "true", "allow-downsample": "true"}
    (out / "conf" / "mfcc.conf").write_text(_conf(mfcc))
    (out / "conf" / "model.conf").write_text(_conf(MODEL_CONF))
    # A folder made here keeps `rescore` in `graph`, a model beside it.
    places = {f"graph/{name}": graph / name for name in GRAPH_FILES}
    places |= {f"rescore/{name}": graph / "rescore" / name for name in RESCORING_FILES}
    for name, file in places.items():
        if file.resolve() != (out / name).resolve():
            (out / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(file, out / name)


def main() -> None:
    """Write a model folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path, nargs="+", help="of one round, or of several whose mean is taken")
    parser.add_argument("--trunk", type=Path, required=True)
    parser.add_argument("--graph", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--blank-bias", type=float, default=1.25)
    chosen = parser.parse_args()
    assemble(chosen.weights, chosen.trunk, chosen.graph, chosen.out, chosen.blank_bias)


if __name__ == "__main__":
    main()
