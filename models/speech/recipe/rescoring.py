"""What final words are weighed with once more: `rescore/G.fst` and `rescore/G.carpa`.

A static graph holds the n-grams that matter most and no more. When an utterance ends, Vosk takes the grammar of the
graph (`G.fst`) off the paths it has kept and adds a larger one (`G.carpa`, Kaldi's ConstArpaLm). A word that only the
floor knows has a loop in the first and is unknown to the second; both cost nothing, so its cost is what its graph says.
"""

from __future__ import annotations

import math
import struct
import subprocess
from typing import TYPE_CHECKING

import numpy as np
from ngram import END, START, grammar_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ngram import BackingOff, History

NEVER = -99.0
"""Natural logarithm of the probability of a sentence's beginning, which is no word."""
OWN_WORDS = 2_000
"""How many words a floor may add: `MOST_WORDS` of the product's `own_words`. They have the labels after the last."""
STATE = 3
"""Numbers of a state before its children: its probability, its weight of backing off, how many children."""

Number = dict[str, int]


def with_loops(grams: BackingOff, number: Number, free: Iterable[int]) -> list[str]:
    """Return the grammar as text for OpenFst, with a loop for every label of `free` where words have no history."""
    alone = grams.number_of(())
    return [*grammar_rows(grams, number, back=0), *(f"{alone} {alone} {label} {label} 0\n" for label in free)]


def carpa(grams: BackingOff, number: Number, unknown: str) -> bytes:
    """Return the n-grams as Kaldi's ConstArpaLm: states in the order of their words, each with its children."""
    backs = {tuple(number[word] for word in history): math.log(left) for history, left in grams.backs() if history}
    known: dict[tuple[int, ...], dict[int, float]] = {history: {} for history in backs}
    for history, word, probability in grams.longer():
        known[tuple(number[one] for one in history)][number[word]] = math.log(probability)
    _add_prefixes(known, grams, number)
    singles = {number[word]: math.log(grams.probability((), word)) for word in grams.vocabulary}
    singles |= {number[START]: NEVER, number[unknown]: 0.0}
    states = sorted({(word,) for word in singles} | set(known))
    sizes = [STATE + 2 * len(known.get(state, ())) for state in states]
    starts = dict(zip(states, np.cumsum([0, *sizes[:-1]]).tolist(), strict=True))
    numbers = np.zeros(sum(sizes), np.int32)
    for state in states:
        at, children = starts[state], known.get(state, {})
        own = singles[state[0]] if len(state) == 1 else known[state[:-1]][state[-1]]
        numbers[at : at + STATE] = [_bits(own), _bits(backs.get(state, 0.0)), len(children)]
        for place, (word, logarithm) in enumerate(sorted(children.items())):
            inner = starts.get((*state, word))
            # Even: a probability. Odd: how much further on the child's own state is.
            info = _bits(logarithm) & ~1 if inner is None else 2 * (inner - at) + 1
            numbers[at + STATE + 2 * place : at + STATE + 2 * place + 2] = [word, info]
    words = max(singles) + 1
    first = np.zeros(words, np.int64)
    for word in singles:
        first[word] = starts[word,] + 1
    info = [number[START], number[END], number[unknown], grams.order]
    return b"".join([
        b"\0B<ConstArpaLm> <LmInfo> ", *(_basic("i", one) for one in info), b"</LmInfo> ",
        b"<LmStates> ", _basic("q", len(numbers)), numbers.tobytes(), b"</LmStates> ",
        b"<LmUnigram> ", _basic("i", words), first.tobytes(), b"</LmUnigram> ",
        b"<LmOverflow> ", _basic("i", 0), b"</LmOverflow> </ConstArpaLm> ",
    ])  # fmt: skip


def _add_prefixes(known: dict[tuple[int, ...], dict[int, float]], grams: BackingOff, number: Number) -> None:
    """Let every history be found from its first word on, with the probability it has by backing off."""
    word_of = {label: word for word, label in number.items()}
    for state in sorted(known, key=len, reverse=True):
        for length in range(len(state) - 1, 0, -1):
            before, word = state[:length], state[length]
            children = known.setdefault(before, {})
            if word not in children:
                history: History = tuple(word_of[one] for one in before)
                children[word] = math.log(grams.probability(history, word_of[word]))


def _bits(value: float) -> int:
    return int(np.float32(value).view(np.int32))


def _basic(kind: str, value: int) -> bytes:
    packed = struct.pack(f"<{kind}", value)
    return bytes([len(packed)]) + packed


def write(small: BackingOff, large: BackingOff, number: Mapping[str, int], out: Path, *, unknown: str) -> None:
    """Write both files into a model's `rescore` folder; `number` holds the label of each word, `START` and `END`."""
    out.mkdir(parents=True, exist_ok=True)
    labels = dict(number)
    text = out / "G.txt"
    last = max(labels.values())
    free = [labels[unknown], *range(last + 1, last + 1 + OWN_WORDS)]
    text.write_text("".join(with_loops(small, labels, free)))
    script = "set -eo pipefail\nfstcompile --keep_state_numbering G.txt | fstarcsort --sort_type=ilabel > G.fst"
    subprocess.run(["bash", "-c", script], cwd=out, check=True)
    text.unlink()
    (out / "G.carpa").write_bytes(carpa(large, labels, unknown))
