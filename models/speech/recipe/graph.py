"""The decoding graph in Vosk's static form, `HCLG.fst`: composed once, shared by all recognizers, growing with none.

Every word starts and ends at one state of its history, with optional silence after it; what several words share is told
apart by disambiguation symbols. Self-loops are added last: blanks cost a little for every frame, silence nothing, so
trailing silence becomes SIL and Vosk's end of an utterance is found. A word that is not there (`OWN`) marks where,
without a history, words start and end: there the unknown word is put, and the product puts a floor's own words.
"""

from __future__ import annotations

import math
import subprocess
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import kaldifst
from ngram import END, START, BackingOff, grammar_rows
from phones import KANA
from topology import IDS, LAST_TRANSITION, NAMES, TRANSITIONS, in_position
from unknown import unknown_word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lexicon import Pronunciations

SILENCE_PROBABILITY = 0.5
BLANK_LOOP_COST = 0.25
UNKNOWN = "[unk]"
OWN = "<own>"
"""Marks a place while the graph is made; it is not in the finished graph."""
RANKS = {"rare": 10_000, "usual": 1_000, "often": 30}
"""An own word is taken to be as frequent as the word at this rank."""

BACKING_OFF = "#0"
BOUNDARY = {"B": "begin", "E": "end", "I": "internal", "S": "singleton"}


@dataclass(frozen=True, slots=True)
class Spelt:
    """A pronunciation as phone numbers, the disambiguation symbol last where there is one."""

    word: str
    phones: tuple[int, ...]
    cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where words without a history start and end, and what ending costs."""

    starts: tuple[int, ...]
    end: int
    cost: float


def sounds_toml(place: Place, costs: list[float]) -> str:
    """Return how kana sound in this model, its sounds' transitions and where words go: for `mamori speech words`.

    `costs` are those of the single words.
    """
    ranked = sorted(costs)
    rows = [
        "format = 2",
        f"word_starts = {list(place.starts)}",
        f"word_end = {place.end}",
        f"word_cost = {place.cost:.6g}",
        f"blank_loop_cost = {BLANK_LOOP_COST}",
        "",
        "[weights]",
        *(f"{name} = {ranked[min(rank, len(ranked)) - 1]:.6g}" for name, rank in RANKS.items()),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """Numbers beyond the phones: ends of silence, backing off, the place of own words; `last` is the highest."""

    silence: int
    backing_off: int
    own: int

    @classmethod
    def after(cls, disambiguation: int) -> Symbols:
        """Return the numbers that follow those which tell words apart."""
        first = len(NAMES) + disambiguation + 1
        return cls(silence=first, backing_off=first + 1, own=first + 2)

    @property
    def last(self) -> int:
        """The highest number."""
        return self.own


def lexicon_fst(spelt: list[Spelt], number: dict[str, int], symbols: Symbols) -> str:
    """Return L as text: word by word from and to state 1, by way of SIL (state 2) or not."""
    without, with_silence = -math.log(1 - SILENCE_PROBABILITY), -math.log(SILENCE_PROBABILITY)
    rows = [
        f"0 1 0 0 {without}", f"0 2 0 0 {with_silence}", f"2 3 {IDS['SIL']} 0 0", f"3 1 {symbols.silence} 0 0", "1 0",
        f"1 1 {symbols.backing_off} {number[BACKING_OFF]} 0",
        f"1 1 {symbols.own} {number[OWN]} {without}", f"1 2 {symbols.own} {number[OWN]} {with_silence}",
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


def states_fst(last: int) -> str:
    """Return H without self-loops as text: transition ids in, phones and symbols up to `last` out."""
    rows, free = [], 1
    for name in NAMES:
        ids = TRANSITIONS[name]
        rows.append(f"0 0 {ids.leave} {IDS[name]} 0")
        if name != "SIL":
            rows += [f"0 {free} {ids.to_blank} {IDS[name]} 0", f"{free} 0 {ids.blank_leave} 0 0"]
            free += 1
    rows += [f"0 0 {_given(symbol)} {symbol} 0" for symbol in range(len(NAMES) + 1, last + 1)]
    return "\n".join([*rows, "0 0"]) + "\n"


def _given(symbol: int) -> int:
    """Return the input label that stands for a symbol beyond the phones."""
    return LAST_TRANSITION + symbol - len(NAMES)


def loops() -> dict[int, tuple[int, float]]:
    """Return, by the transition that enters a state, the self-loop of that state and its cost."""
    out: dict[int, tuple[int, float]] = {}
    for name, ids in TRANSITIONS.items():
        out[ids.leave] = (ids.loop, 0.0)
        if name != "SIL":
            out[ids.to_blank] = (ids.loop, 0.0)
            out[ids.blank_leave] = (ids.blank_loop, BLANK_LOOP_COST)
    return out


def _rows_of(fst: kaldifst.StdVectorFst) -> Iterator[tuple[int, int, int, int, float]]:
    for state in range(fst.num_states):
        for arc in kaldifst.ArcIterator(fst, state):
            yield state, arc.nextstate, arc.ilabel, arc.olabel, arc.weight.value


def _finals_of(fst: kaldifst.StdVectorFst) -> dict[int, float]:
    costs = {state: fst.final(state).value for state in range(fst.num_states)}
    return {state: cost for state, cost in costs.items() if cost != float("inf")}


def without_symbols(fst: kaldifst.StdVectorFst, keep: int) -> kaldifst.StdVectorFst:
    """Return a graph in which every symbol beyond the transitions, except `keep`, has become nothing."""
    rows = [
        f"{source} {target} {given if given <= LAST_TRANSITION or given == keep else 0} {label} {cost}\n"
        for source, target, given, label, cost in _rows_of(fst)
    ]
    rows.sort(key=lambda row: int(row.split(maxsplit=1)[0]) != fst.start)
    rows += [f"{state} {cost}\n" for state, cost in _finals_of(fst).items()]
    return kaldifst.compile("".join(rows), acceptor=False)


def with_loops(fst: kaldifst.StdVectorFst, own: int) -> tuple[list[str], Place, int]:
    """Return the graph as text with self-loops after the states' own transitions (Kaldi's reordered form).

    A state entered by different self-loops is split, one copy for each. The arc with the input label `own` is taken
    out; where it was is returned, and the number of states.
    """
    loop_of = loops()
    arcs: list[list[float]] = []
    marked: list[tuple[int, int, float]] = []
    entering: dict[int, set[tuple[int, float] | None]] = defaultdict(set)
    for source, target, given, label, cost in _rows_of(fst):
        entering[target].add(loop_of.get(given))
        if given == own:
            marked.append((source, target, cost))
        else:
            arcs.append([source, target, given, label, cost])
    ((end, cost),) = {(target, cost) for _, target, cost in marked}
    place = Place(starts=tuple(sorted(source for source, _, _ in marked)), end=end, cost=cost)
    entering[fst.start].add(None)
    count = fst.num_states
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
    rows = [f"{source} {target} {given} {label} {cost:.6g}\n" for source, target, given, label, cost in arcs]
    rows += [f"{state} {cost:.6g}\n" for state, cost in _finals_of(fst).items()]
    return rows, place, count + len(copies)


def grammar_text(grams: BackingOff, number: dict[str, int]) -> tuple[str, list[float]]:
    """Return G as text, with the mark where words have no history, and the costs of the single words."""
    alone = grams.number_of(())
    rows = [*grammar_rows(grams, number, back=number[BACKING_OFF]), f"{alone} {alone} {number[OWN]} {number[OWN]} 0\n"]
    singles = [-math.log(grams.probability((), word)) for word in grams.vocabulary if word != END]
    return "".join(rows), singles


def build(lexicon: Pronunciations, grams: BackingOff, out: Path) -> dict[str, int]:
    """Write `HCLG.fst`, `words.txt` and what Vosk and the product want beside them into a model's `graph` folder.

    Return the labels of the words.
    """
    (out / "phones").mkdir(parents=True, exist_ok=True)
    words = ["<eps>", *sorted(lexicon), UNKNOWN, BACKING_OFF, START, END, OWN]
    number = {word: at for at, word in enumerate(words)}
    spelt, most = disambiguated(lexicon)
    symbols = Symbols.after(most)
    grammar, singles = grammar_text(grams, number)
    language = kaldifst.compile(grammar, acceptor=False)
    lexical = kaldifst.compile(lexicon_fst(spelt, number, symbols), acceptor=False)
    kaldifst.arcsort(language, "ilabel")
    kaldifst.arcsort(lexical, "olabel")
    spoken = kaldifst.compose(lexical, language)
    kaldifst.determinize_star(spoken)
    kaldifst.minimize_encoded(spoken)
    states = kaldifst.compile(states_fst(symbols.last), acceptor=False)
    kaldifst.arcsort(states, "olabel")
    kaldifst.arcsort(spoken, "ilabel")
    graph = kaldifst.compose(states, spoken)
    kaldifst.determinize_star(graph)
    graph = without_symbols(graph, keep=_given(symbols.own))
    kaldifst.minimize_encoded(graph)
    rows, place, free = with_loops(graph, _given(symbols.own))
    rows += unknown_word(
        free, place.starts, place.end, number[UNKNOWN], end_cost=place.cost, blank_loop_cost=BLANK_LOOP_COST
    )  # fmt: skip
    _convert(rows, out)
    kept = {word: at for word, at in number.items() if word != OWN}
    (out / "words.txt").write_text("".join(f"{word} {at}\n" for word, at in kept.items()), encoding="utf-8")
    (out / "sounds.toml").write_text(sounds_toml(place, singles), encoding="utf-8")
    boundary = [f"{IDS[name]} {'nonword' if name == 'SIL' else BOUNDARY[name[-1]]}\n" for name in NAMES]
    (out / "phones" / "word_boundary.int").write_text("".join(boundary))
    return kept


def _convert(rows: list[str], out: Path) -> None:
    """Turn the text form into Vosk's file with OpenFst's programs; raise `CalledProcessError` if one fails."""
    text = out / "HCLG.txt"
    with text.open("w") as file:
        file.writelines(rows)
    # The states keep their numbers: the table of sounds names some of them.
    script = """set -eo pipefail
fstcompile --keep_state_numbering HCLG.txt | fstarcsort --sort_type=ilabel | fstconvert --fst_type=const > HCLG.fst"""
    subprocess.run(["bash", "-c", script], cwd=out, check=True)
    text.unlink()
