"""The decoding graph in Vosk's look-ahead form: `HCLr.fst` from the words, `Gr.fst` from the language model.

Only `Gr.fst` knows which words follow which, so the product can give a recognizer other words at run time. Every
word starts and ends at one state, with optional silence after it; what several words share is told apart by
disambiguation symbols. Self-loops are added last: blanks cost a little for every frame, silence nothing, so trailing
silence becomes SIL and Vosk's end of an utterance is found.
"""

from __future__ import annotations

import math
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import kaldifst
from ngram import Arc, NGrams
from phones import KANA
from topology import IDS, LAST_TRANSITION, NAMES, TRANSITIONS, in_position

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lexicon import Pronunciations

SILENCE_PROBABILITY = 0.5
BLANK_LOOP_COST = 0.25
UNKNOWN = "[unk]"
UNKNOWN_PHONES = ("a", "q")
"""Vosk wants the word to exist; nothing in the language model leads to it."""

LOOKAHEAD = "libfstlookahead.so.22"
"""OpenFst's plug-in; `libfst-tools` brings it."""

BOUNDARY = {"B": "begin", "E": "end", "I": "internal", "S": "singleton"}


@dataclass(frozen=True, slots=True)
class Spelt:
    """A pronunciation as phone numbers, the disambiguation symbol last where there is one."""

    word: str
    phones: tuple[int, ...]
    cost: float


def sounds_toml(symbols: int) -> str:
    """Return how kana sound in this model and the transitions of its sounds: for `mamori speech words`."""
    rows = [
        "format = 1",
        f"word_start = {LAST_TRANSITION + symbols}",
        f"word_cost = {-math.log(1 - SILENCE_PROBABILITY):.6g}",
        f"blank_loop_cost = {BLANK_LOOP_COST}",
        "",
        "[kana]",
        *(f'"{kana}" = "{" ".join(phones)}"' for kana, phones in sorted(KANA.items())),
        "",
        "# loop, leave, to_blank, blank_loop, blank_leave",
        "[sounds]",
    ]
    for name in NAMES:
        if name != "SIL":
            ids = TRANSITIONS[name]
            rows.append(f'"{name}" = [{ids.loop}, {ids.leave}, {ids.to_blank}, {ids.blank_loop}, {ids.blank_leave}]')
    return "\n".join(rows) + "\n"


def disambiguated(lexicon: Pronunciations) -> tuple[list[Spelt], int]:
    """Return all pronunciations with their disambiguation symbols, and how many symbols there are."""
    said = [(word, in_position(phones), cost) for word, ways in lexicon.items() for phones, cost in ways.items()]
    times = Counter(phones for _, phones, _ in said)
    prefixes = {phones[:end] for _, phones, _ in said for end in range(1, len(phones))}
    used: Counter[tuple[str, ...]] = Counter()
    spelt, most = [], 0
    for word, phones, cost in said:
        numbers = tuple(IDS[phone] for phone in phones)
        if times[phones] > 1 or phones in prefixes:
            used[phones] += 1
            most = max(most, used[phones])
            numbers = (*numbers, len(NAMES) + used[phones])
        spelt.append(Spelt(word, numbers, cost))
    return spelt, most


def lexicon_fst(spelt: list[Spelt], number: dict[str, int], silence_symbol: int) -> str:
    """Return L as text: word by word from and to state 1, by way of SIL (state 2) or not."""
    without, with_silence = -math.log(1 - SILENCE_PROBABILITY), -math.log(SILENCE_PROBABILITY)
    rows = [
        f"0 1 0 0 {without}", f"0 2 0 0 {with_silence}", f"2 3 {IDS['SIL']} 0 0", f"3 1 {silence_symbol} 0 0", "1 0",
    ]  # fmt: skip
    free = 4
    for way in spelt:
        state = 1
        for at, phone in enumerate(way.phones):
            label, cost = (number[way.word], way.cost) if at == 0 else (0, 0.0)
            if at == len(way.phones) - 1:
                rows.append(f"{state} 1 {phone} {label} {cost + without}")
                rows.append(f"{state} 2 {phone} {label} {cost + with_silence}")
            else:
                rows.append(f"{state} {free} {phone} {label} {cost}")
                state, free = free, free + 1
    return "\n".join(rows) + "\n"


def states_fst(symbols: int) -> str:
    """Return H without self-loops as text: transition ids in, phones and disambiguation symbols out."""
    rows, free = [], 1
    for name in NAMES:
        ids = TRANSITIONS[name]
        rows.append(f"0 0 {ids.leave} {IDS[name]} 0")
        if name != "SIL":
            rows += [f"0 {free} {ids.to_blank} {IDS[name]} 0", f"{free} 0 {ids.blank_leave} 0 0"]
            free += 1
    rows += [f"0 0 {LAST_TRANSITION + at} {len(NAMES) + at} 0" for at in range(1, symbols + 1)]
    return "\n".join([*rows, "0 0"]) + "\n"


def loops() -> dict[int, tuple[int, float]]:
    """Return, by the transition that enters a state, the self-loop of that state and its cost."""
    out: dict[int, tuple[int, float]] = {}
    for name, ids in TRANSITIONS.items():
        out[ids.leave] = (ids.loop, 0.0)
        if name != "SIL":
            out[ids.to_blank] = (ids.loop, 0.0)
            out[ids.blank_leave] = (ids.blank_loop, BLANK_LOOP_COST)
    return out


def with_loops(fst: kaldifst.StdVectorFst) -> Iterator[str]:  # noqa: C901 - one walk over the graph
    """Yield the graph as text with self-loops after the states' own transitions (Kaldi's reordered form).

    A state entered by different self-loops is split, one copy for each.
    """
    loop_of = loops()
    arcs: list[list[float]] = []
    finals: dict[int, float] = {}
    entering: dict[int, set[tuple[int, float] | None]] = defaultdict(set)
    count = fst.num_states
    for state in range(count):
        if (cost := fst.final(state).value) != float("inf"):
            finals[state] = cost
        for arc in kaldifst.ArcIterator(fst, state):
            arcs.append([state, arc.nextstate, arc.ilabel, arc.olabel, arc.weight.value])
            entering[arc.nextstate].add(loop_of.get(arc.ilabel))
    entering[fst.start].add(None)
    copies: dict[tuple[int, tuple[int, float]], int] = {}
    for arc in arcs:
        loop = loop_of.get(int(arc[2]))
        if loop is None or len(entering[int(arc[1])]) == 1:
            continue
        arc[1] = copies.setdefault((int(arc[1]), loop), count + len(copies))
    for (state, loop), copy in copies.items():
        arcs += [[copy, copy, loop[0], 0, loop[1]], [copy, state, 0, 0, 0.0]]
    for state, found in entering.items():
        if len(found) == 1 and (only := next(iter(found))) is not None:
            arcs.append([state, state, only[0], 0, only[1]])
    arcs.sort(key=lambda arc: arc[0] != fst.start)
    for source, target, ilabel, olabel, cost in arcs:
        yield f"{source} {target} {ilabel} {olabel} {cost:.6g}\n"
    for state, cost in finals.items():
        yield f"{state} {cost:.6g}\n"


def grammar_text(grams: NGrams, number: dict[str, int]) -> Iterator[str]:
    """Yield G as text; backing off is a plain epsilon, as the look-ahead composition wants it."""
    for item in grams.acceptor():
        if isinstance(item, Arc):
            label = number[item.word] if item.word else 0
            yield f"{item.source} {item.target} {label} {label} {item.cost:.5g}\n"
        else:
            yield f"{item.state} {item.cost:.5g}\n"


def build(lexicon: Pronunciations, grams: NGrams, out: Path) -> None:
    """Write `HCLr.fst`, `Gr.fst`, `words.txt` and what Vosk wants beside them into a model's `graph` folder."""
    (out / "phones").mkdir(parents=True, exist_ok=True)
    ways = {**lexicon, UNKNOWN: {UNKNOWN_PHONES: 0.0}}
    words = sorted(ways)
    number = {word: at for at, word in enumerate(["<eps>", *words, "#0", "<s>", "</s>"])}
    spelt, most = disambiguated(ways)
    symbols = most + 1
    states = kaldifst.compile(states_fst(symbols), acceptor=False)
    lexical = kaldifst.compile(lexicon_fst(spelt, number, len(NAMES) + symbols), acceptor=False)
    kaldifst.arcsort(states, "olabel")
    kaldifst.arcsort(lexical, "ilabel")
    graph = kaldifst.compose(states, lexical)
    kaldifst.determinize_star(graph)
    kaldifst.minimize_encoded(graph)
    with (out / "HCL.txt").open("w") as file:
        file.writelines(with_loops(graph))
    with (out / "G.txt").open("w") as file:
        file.writelines(grammar_text(grams, number))
    _convert(out)
    relabelled = dict(tuple(map(int, row.split())) for row in (out / "relabel.txt").read_text().splitlines())
    # Words the relabelling does not know (#0, <s>, </s>) never leave the graph; they only need a number of their own.
    final = {word: relabelled.get(at, 10**6 + at) if at else 0 for word, at in number.items()}
    ordered = sorted(final.items(), key=lambda pair: pair[1])
    (out / "words.txt").write_text("".join(f"{word} {at}\n" for word, at in ordered), encoding="utf-8")
    (out / "disambig_tid.int").write_text("".join(f"{LAST_TRANSITION + at}\n" for at in range(1, symbols + 1)))
    (out / "sounds.toml").write_text(sounds_toml(symbols), encoding="utf-8")
    boundary = [f"{IDS[name]} {'nonword' if name == 'SIL' else BOUNDARY[name[-1]]}\n" for name in NAMES]
    (out / "phones" / "word_boundary.int").write_text("".join(boundary))
    for name in ("HCL.txt", "HCL.fst", "G.txt", "relabel.txt"):
        (out / name).unlink(missing_ok=True)


def _convert(out: Path) -> None:
    """Turn the text forms into Vosk's two files with OpenFst's programs; raise `CalledProcessError` if one fails."""
    script = f"""set -eo pipefail; export LD_PRELOAD={LOOKAHEAD}
fstcompile HCL.txt | fstarcsort --sort_type=olabel > HCL.fst
fstconvert --fst_type=olabel_lookahead --save_relabel_opairs=relabel.txt HCL.fst > HCLr.fst
fstcompile G.txt | fstrelabel --relabel_ipairs=relabel.txt --relabel_opairs=relabel.txt | \
fstarcsort --sort_type=ilabel | fstconvert --fst_type=const > Gr.fst"""
    subprocess.run(["bash", "-c", script], cwd=out, check=True)
