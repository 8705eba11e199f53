"""A floor's own words put into a model's graph, without retraining and without the tools the graph was made with.

A word becomes a path of its sounds beside the others, from where words without a history start to where they end; the
model's table of sounds (`graph/sounds.toml`) names both places. Nothing that was there is changed, so everything else
is recognised as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_agent.services.speech.fst_file import Graph, read_graph, unreadable, write_graph
from edge_agent.services.speech.readings import Sounds, Way, Word, read_sounds, ways_of

HCLG, WORDS = "graph/HCLG.fst", "graph/words.txt"


def add_words(model: Path, words: Sequence[Word], out: Path) -> None:
    """Write HCLG.fst and words.txt of `model`, with the words in them, into the folder `out`.

    Raises:
        ModelError: the model has no table of sounds, or its graph is of another form.
        WordError: a reading cannot be said with the model's sounds.
    """
    sounds = read_sounds(model)
    graph = read_graph(model / HCLG)
    if max(*sounds.word_starts, sounds.word_end) >= graph.states:
        raise unreadable(model / HCLG)
    labels = read_labels(model / WORDS)
    free = max(labels.values()) + 1
    new = [word for word in words if word.surface not in labels]
    numbers = labels | {word.surface: free + at for at, word in enumerate(new)}
    paths = [
        (numbers[word.surface], way, sounds.weights[word.weight])
        for word in words
        for kana in word.readings
        for way in ways_of(kana, sounds)
    ]
    write_graph(out / HCLG, with_paths(graph, paths, sounds))
    (out / WORDS).write_text("".join(f"{word} {at}\n" for word, at in numbers.items()), encoding="utf-8")


def read_labels(file: Path) -> dict[str, int]:
    """Return the numbers of a model's words; raise `ModelError` if the file is not such a list."""
    try:
        rows = [row.rsplit(" ", 1) for row in file.read_text(encoding="utf-8").splitlines()]
        return {word: int(at) for word, at in rows}
    except (OSError, ValueError) as error:
        raise unreadable(file) from error


def with_paths(graph: Graph, paths: Sequence[tuple[int, Way, float]], sounds: Sounds) -> Graph:
    """Return the graph with a path for every (label, way, cost).

    A word that is there already keeps its own path too: the cheaper one is heard, so it never becomes rarer.
    """
    if not paths:
        return graph
    made = _Made(first=graph.states, sounds=sounds)
    entry = made.state()
    for start in sounds.word_starts:
        made.arc(start, 0, 0, 0.0, entry)
    for label, way, cost in paths:
        made.path(label, way, cost, entry=entry)
    return graph.extended(states=made.states, sources=made.sources, arcs=made.arcs)


class _Made:
    """States and arcs of new paths."""

    def __init__(self, *, first: int, sounds: Sounds) -> None:
        self._first = first
        self._sounds = sounds
        self.states = 0
        self.sources: list[int] = []
        self.arcs: list[tuple[int, int, float, int]] = []

    def path(self, label: int, way: Way, cost: float, *, entry: int) -> None:
        """Add one word's path: each sound is heard and left, at once or after a blank that every sound may have."""
        positions = ["S"] if len(way) == 1 else ["B", *"I" * (len(way) - 2), "E"]
        before = entry
        for at, (sound, position) in enumerate(zip(way, positions, strict=True)):
            loop, leave, to_blank, blank_loop, blank_leave = self._sounds.sounds[f"{sound}_{position}"]
            last = at == len(way) - 1
            heard, ending, blank = self.state(), self.state(), self.state()
            after = self._sounds.word_end if last else self.state()
            ended = self._sounds.word_cost if last else 0.0
            self.arc(before, leave, label, cost, heard)
            self.arc(heard, loop, 0, 0.0, heard)
            self.arc(heard, 0, 0, ended, after)
            self.arc(before, to_blank, label, cost, ending)
            self.arc(ending, loop, 0, 0.0, ending)
            self.arc(ending, blank_leave, 0, 0.0, blank)
            self.arc(blank, blank_loop, 0, self._sounds.blank_loop_cost, blank)
            self.arc(blank, 0, 0, ended, after)
            before, label, cost = after, 0, 0.0

    def state(self) -> int:
        """Return a new state."""
        self.states += 1
        return self._first + self.states - 1

    def arc(self, source: int, given: int, label: int, cost: float, target: int) -> None:
        """Add an arc."""
        self.sources.append(source)
        self.arcs.append((given, label, cost, target))
