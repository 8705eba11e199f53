"""A floor's own words put into a model's graph, without retraining and without the tools the graph was made with.

A look-ahead model has the words' sounds in one graph (HCLr) and which word follows which in another (Gr). A new word
is a path of its own beside the others, from where words start to where they end, and an arc of the language model's
state without history. Nothing that was there is changed, so everything else is recognised as before; what the
look-ahead knows (which words a state leads to) is widened by the new labels wherever a state leads to the start of
words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_agent.services.speech.fst_file import (
    Graph,
    Reach,
    read_graph,
    read_lookahead,
    unreadable,
    write_graph,
    write_lookahead,
)
from edge_agent.services.speech.readings import Sounds, Way, Word, read_sounds, ways_of

HCLR, GR, WORDS = "graph/HCLr.fst", "graph/Gr.fst", "graph/words.txt"
RANKS = {"rare": 10_000, "usual": 1_000, "often": 30}
"""A word is taken to be as frequent as the word at this rank of the model's own vocabulary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A state in which words start, and what starting there costs."""

    state: int
    cost: float


def add_words(model: Path, words: Sequence[Word], out: Path) -> None:
    """Write HCLr.fst, Gr.fst and words.txt of `model`, with the words in them, into the folder `out`.

    Raises:
        ModelError: the model has no table of sounds, or no look-ahead graph.
        WordError: a reading cannot be said with the model's sounds.
    """
    sounds = read_sounds(model)
    sound_graph, reach = read_lookahead(model / HCLR)
    labels = read_labels(model / WORDS)
    free = max(reach.final_label, *labels.values()) + 1
    new = [word for word in words if word.surface not in labels]
    numbers = labels | {word.surface: free + at for at, word in enumerate(new)}
    paths = [(numbers[word.surface], way) for word in words for kana in word.readings for way in ways_of(kana, sounds)]
    graph, widened = with_paths(sound_graph, reach, paths, sounds, new=range(free, free + len(new)), file=model / HCLR)
    write_lookahead(out / HCLR, graph, widened)
    weights = {numbers[word.surface]: word.weight for word in words}
    write_graph(out / GR, with_weights(read_graph(model / GR), weights))
    (out / WORDS).write_text("".join(f"{word} {at}\n" for word, at in numbers.items()), encoding="utf-8")


def read_labels(file: Path) -> dict[str, int]:
    """Return the numbers of a model's words; raise `ModelError` if the file is not such a list."""
    try:
        rows = [row.rsplit(" ", 1) for row in file.read_text(encoding="utf-8").splitlines()]
        return {word: int(at) for word, at in rows}
    except (OSError, ValueError) as error:
        raise unreadable(file) from error


def with_paths(
    graph: Graph, reach: Reach, paths: Sequence[tuple[int, Way]], sounds: Sounds, *, new: range, file: Path
) -> tuple[Graph, Reach]:
    """Return the words' graph with a path for every (label, way), and what its states lead to.

    Labels in `new` are not in the graph yet. Raises `ModelError` naming `file` if the graph is built otherwise.
    """
    entries, end = _entries(graph, sounds, file)
    made = _Made(first=graph.states, cost=sounds.blank_loop_cost)
    for label, way in paths:
        made.path(label, way, entries=entries, end=end, sounds=sounds)
    extended = graph.extended(states=made.states, sources=made.sources, arcs=made.arcs, by="output")
    return extended, _widened(reach, extended, entries, end, new=new, added=made.states)


def with_weights(graph: Graph, weights: dict[int, str]) -> Graph:
    """Return the language model with an arc for every label, as frequent as its weight says.

    A label that is there already becomes more frequent if its weight says so, never less.
    """
    backing_off = np.unique(graph.sources[graph.arcs["input"] == 0])
    sizes = np.bincount(graph.sources, minlength=graph.states)
    sizes[backing_off] = 0
    history_free = int(np.argmax(sizes))
    low, high = np.searchsorted(graph.sources, [history_free, history_free + 1])
    arcs = graph.arcs.copy()
    known = {int(label): at for at, label in enumerate(arcs["input"][low:high], int(low))}
    ranked = np.sort(arcs["cost"][low:high])
    more = []
    for label, weight in weights.items():
        cost = float(ranked[min(RANKS[weight], len(ranked)) - 1])
        if label in known:
            arcs["cost"][known[label]] = min(cost, arcs["cost"][known[label]])
        else:
            more.append((label, label, cost, history_free))
    changed = replace(graph, arcs=arcs)
    return changed.extended(states=0, sources=[history_free] * len(more), arcs=more, by="input")


class _Made:
    """States and arcs of new paths."""

    def __init__(self, *, first: int, cost: float) -> None:
        self._first = first
        self._blank_loop_cost = cost
        self.states = 0
        self.sources: list[int] = []
        self.arcs: list[tuple[int, int, float, int]] = []

    def path(self, label: int, way: Way, *, entries: Sequence[Entry], end: int, sounds: Sounds) -> None:
        """Add one word's path: each sound is heard and left, at once or after a blank that every sound may have."""
        positions = ["S"] if len(way) == 1 else ["B", *"I" * (len(way) - 2), "E"]
        before = list(entries)
        for at, (sound, position) in enumerate(zip(way, positions, strict=True)):
            loop, leave, to_blank, blank_loop, blank_leave = sounds.sounds[f"{sound}_{position}"]
            last = at == len(way) - 1
            heard, ending, blank = self._state(), self._state(), self._state()
            after = end if last else self._state()
            cost = sounds.word_cost if last else 0.0
            for entry in before:
                self._arc(entry.state, leave, label, entry.cost, heard)
                self._arc(entry.state, to_blank, label, entry.cost, ending)
            self._arc(heard, loop, 0, 0.0, heard)
            self._arc(heard, 0, 0, cost, after)
            self._arc(ending, loop, 0, 0.0, ending)
            self._arc(ending, blank_leave, 0, 0.0, blank)
            self._arc(blank, blank_loop, 0, self._blank_loop_cost, blank)
            self._arc(blank, 0, 0, cost, after)
            before, label = [Entry(state=after, cost=0.0)], 0

    def _state(self) -> int:
        self.states += 1
        return self._first + self.states - 1

    def _arc(self, source: int, given: int, label: int, cost: float, target: int) -> None:
        self.sources.append(source)
        self.arcs.append((given, label, cost, target))


def _entries(graph: Graph, sounds: Sounds, file: Path) -> tuple[list[Entry], int]:
    """Return where words start, and where they end: there the next one starts, or silence."""
    starts = np.unique(graph.arcs["target"][graph.arcs["input"] == sounds.word_start])
    if len(starts) != 1:
        raise unreadable(file)
    model = graph.leaving(int(starts[0]))
    wanted = {_arc_key(arc): float(arc["cost"]) for arc in model}
    sizes = np.bincount(graph.sources, minlength=graph.states)
    entries = []
    for state in np.flatnonzero(sizes >= len(wanted)):
        there = {_arc_key(arc): float(arc["cost"]) for arc in graph.leaving(int(state))}
        if wanted.keys() <= there.keys():
            cost = float(np.median([there[key] - wanted[key] for key in wanted]))
            entries.append(Entry(state=int(state), cost=cost))
    entered = np.bincount(graph.arcs["target"], minlength=graph.states)
    ends = [entry.state for entry in entries if entry.state != int(starts[0])]
    if not ends:
        raise unreadable(file)
    return entries, max(ends, key=lambda state: int(entered[state]))


def _arc_key(arc: np.void) -> tuple[int, int, int]:
    return int(arc["input"]), int(arc["output"]), int(arc["target"])


def _widened(reach: Reach, graph: Graph, entries: Sequence[Entry], end: int, *, new: range, added: int) -> Reach:
    """Return what states lead to, with the new labels where words can start next, and with the `added` new states."""
    leads = _leading_to(graph, [entry.state for entry in entries])
    old = len(reach.counts)
    interval = np.array([[new.start, new.stop]], np.int32) if new else np.empty((0, 2), np.int32)
    intervals, counts = [], []
    for state in range(old + added):
        if state >= old:
            # A path's first label is behind it: what follows is any word.
            mine, count = reach.of(end), int(reach.counts[end])
        else:
            mine, count = reach.of(state), int(reach.counts[state])
        if leads[state] and new:
            mine, count = np.concatenate([mine, interval]), count + len(new)
        intervals.append(mine)
        counts.append(count)
    sizes = [0, *(len(mine) for mine in intervals)]
    return Reach(
        final_label=reach.final_label,
        offsets=np.cumsum(sizes),
        intervals=np.concatenate(intervals).astype(np.int32),
        counts=np.array(counts, np.int32),
    )


def _leading_to(graph: Graph, targets: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Return which states come to one of the targets without a word on the way."""
    silent = graph.arcs["output"] == 0
    sources, ends = graph.sources[silent], graph.arcs["target"][silent]
    leads = np.zeros(graph.states, np.bool_)
    leads[list(targets)] = True
    while True:
        found = sources[leads[ends] & ~leads[sources]]
        if not len(found):
            return leads
        leads[found] = True
