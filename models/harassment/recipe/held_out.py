"""Write the lines no model is trained on as tables that `mamori quality measure` reads.

    python -m models.harassment.recipe.held_out [--data DIR --dialogue FILE]

``models/harassment/heldout/split.tsv`` is the corpus's test part; with ``--data`` the test part of
the open dialogue (which is not in the repository) is written to ``--dialogue`` as well.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .corpus import Line, Part, read_corpus, read_dialogue, read_heard, split, split_by_scenario

HERE = Path(__file__).parent
HEADER = "labels\tregister\tscenario\tspeaker\ttext\theard\n"


def table(corpus: Path) -> str:
    """Return the corpus's test part; seeds that are not in the repository take no part in the split here."""
    heard = read_heard(corpus.parent / "heard.tsv")
    lines = split(read_corpus(corpus))[Part.TEST]
    return HEADER + "".join(_row(line, heard) for line in lines)


def _row(line: Line, heard: dict[str, str]) -> str:
    labels = " ".join(sorted(line.labels)) or "-"
    scenario = f"{line.source}/{line.scenario}"
    return "\t".join((labels, line.register, scenario, line.speaker, line.text, heard.get(line.text, ""))) + "\n"


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--dialogue", type=Path)
    chosen = parser.parse_args()
    out = HERE.parent / "heldout" / "split.tsv"
    out.parent.mkdir(exist_ok=True)
    out.write_text(table(HERE.parent / "corpus"), encoding="utf-8")
    if chosen.data and chosen.dialogue:
        lines = [line for path in sorted((chosen.data / "dialogue").glob("*.tsv")) for line in read_dialogue(path)]
        test = split_by_scenario(lines)[Part.TEST]
        rows = "".join(f"{line.source}/{line.scenario}\t{line.text}\n" for line in test)
        chosen.dialogue.write_text(f"dialogue\ttext\n{rows}", encoding="utf-8")


if __name__ == "__main__":
    main()
