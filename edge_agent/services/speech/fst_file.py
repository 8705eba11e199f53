"""OpenFst's two binary forms that a look-ahead model consists of, read into arrays and written again.

`const` (ConstFst<StdArc>): a header, the states, the arcs. `olabel_lookahead` wraps one of these and adds, for every
state, which word labels can still be reached from it before any other word (`LabelReachableData`). Formats as written
by OpenFst 1.6 to 1.8 (fst/fst.cc, const-fst.h, add-on.h, label-reachable.h, interval-set.h), little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_agent.errors import ModelError, Text

MAGIC = 2125659606
ADD_ON_MAGIC = 446681434
HEADER = struct.Struct("<iiQqqq")
"""Version, flags, properties, start, number of states, number of arcs."""
ALIGNED = 1
"""Version of a const FST whose tables begin at multiples of 16 bytes; version 2 packs them."""
NO_STATE = -1

EXPANDED, MUTABLE = 0x1, 0x2
OUTPUT_SORTED, INPUT_SORTED = 0x40000000, 0x10000000
"""Properties (fst/properties.h) that stay true of what is written here; all others are left to be found out."""

State = np.dtype([("final", "<f4"), ("first", "<u4"), ("arcs", "<u4"), ("input_eps", "<u4"), ("output_eps", "<u4")])
Arc = np.dtype([("input", "<i4"), ("output", "<i4"), ("cost", "<f4"), ("target", "<i4")])

Table = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A weighted graph; costs are negative natural logarithms.

    Attributes:
        start: number of the state in which decoding starts.
        finals: final cost of every state, infinite where nothing may end.
        sources: state each arc leaves; ascending.
        arcs: table of `Arc`, as many as `sources`.
    """

    start: int
    finals: npt.NDArray[np.float32]
    sources: npt.NDArray[np.int64]
    arcs: Table

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self.finals)

    def leaving(self, state: int) -> Table:
        """Return the arcs that leave a state."""
        low, high = np.searchsorted(self.sources, [state, state + 1])
        return self.arcs[low:high]

    def extended(self, *, states: int, sources: list[int], arcs: list[tuple[int, int, float, int]], by: str) -> Graph:
        """Return the graph with more states (never final) and arcs, each state's arcs sorted by the field `by`."""
        finals = np.concatenate([self.finals, np.full(states, np.inf, np.float32)])
        every = np.concatenate([self.arcs, np.array(arcs, Arc)])
        origins = np.concatenate([self.sources, np.array(sources, np.int64)])
        # Stable: arcs that were there keep their order, and a state's self-loop stays before what was added to it.
        order = np.lexsort((every[by], origins))
        return replace(self, finals=finals, sources=origins[order], arcs=every[order])


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which word labels each state leads to before any other: half-open intervals.

    Attributes:
        final_label: the label that stands for "a sentence may end".
        offsets: of each state, where its intervals begin in `intervals`; one more at the end.
        intervals: int32 pairs (begin, end).
        counts: of each state, how many labels its intervals hold.
    """

    final_label: int
    offsets: npt.NDArray[np.int64]
    intervals: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]

    def of(self, state: int) -> npt.NDArray[np.int32]:
        """Return the intervals of a state."""
        return self.intervals[self.offsets[state] : self.offsets[state + 1]]


class _Reader:
    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            self.data = file.read_bytes()
        except OSError as error:
            raise unreadable(file) from error
        self.at = 0

    def numbers(self, layout: str) -> tuple[Any, ...]:
        try:
            values = struct.unpack_from(layout, self.data, self.at)
        except struct.error as error:
            raise unreadable(self.file) from error
        self.at += struct.calcsize(layout)
        return values

    def table(self, kind: npt.DTypeLike, count: int) -> Table:
        try:
            values = np.frombuffer(self.data, kind, count, self.at)
        except ValueError as error:
            raise unreadable(self.file) from error
        self.at += values.nbytes
        return values

    def header(self) -> tuple[str, int, int, int, int]:
        """Return type, version, start, states and arcs."""
        (magic,) = self.numbers("<i")
        names = []
        for _ in range(2):
            (length,) = self.numbers("<i")
            if magic != MAGIC or not 0 < length < 100:  # noqa: PLR2004 - no type has a longer name
                raise unreadable(self.file)
            names.append(self.data[self.at : self.at + length].decode("latin-1"))
            self.at += length
        version, flags, _, start, states, arcs = self.numbers(HEADER.format)
        if names[1] != "standard" or flags & 3:
            raise unreadable(self.file)
        return names[0], version, start, states, arcs

    def graph(self) -> Graph:
        kind, version, start, states, arcs = self.header()
        if kind != "const":
            raise unreadable(self.file)
        self._align(version)
        rows = self.table(State, states)
        self._align(version)
        table = self.table(Arc, arcs)
        sources = np.repeat(np.arange(states), rows["arcs"])
        if len(sources) != arcs or not 0 <= start < states:
            raise unreadable(self.file)
        return Graph(start=start, finals=rows["final"].copy(), sources=sources, arcs=table)

    def _align(self, version: int) -> None:
        if version == ALIGNED:
            self.at += -self.at % 16


def read_graph(file: Path) -> Graph:
    """Read a const FST; raise `ModelError` if it is none."""
    return _Reader(file).graph()


def read_lookahead(file: Path) -> tuple[Graph, Reach]:
    """Read an olabel_lookahead FST; raise `ModelError` if it is none."""
    reader = _Reader(file)
    kind, *_ = reader.header()
    (magic,) = reader.numbers("<i")
    if kind != "olabel_lookahead" or magic != ADD_ON_MAGIC:
        raise unreadable(file)
    graph = reader.graph()
    # Whether there is an add-on at all, one for the input labels, one for the output labels; then what that one is of:
    # the input labels? with the table that relabels words?
    if reader.numbers("<5?") != (True, False, True, False, False):
        raise unreadable(file)
    final_label, count = reader.numbers("<iq")
    if count != graph.states:
        raise unreadable(file)
    intervals, offsets, counts = [], [0], []
    for _ in range(count):
        (size,) = reader.numbers("<q")
        intervals.append(reader.table("<i4", 2 * size))
        counts.append(reader.numbers("<i")[0])
        offsets.append(offsets[-1] + size)
    return graph, Reach(
        final_label=final_label,
        offsets=np.array(offsets, np.int64),
        intervals=np.concatenate(intervals).reshape(-1, 2) if intervals else np.empty((0, 2), np.int32),
        counts=np.array(counts, np.int32),
    )


def write_graph(file: Path, graph: Graph) -> None:
    """Write a const FST whose arcs are sorted by input label."""
    file.write_bytes(_const(graph, INPUT_SORTED))


def write_lookahead(file: Path, graph: Graph, reach: Reach) -> None:
    """Write an olabel_lookahead FST whose arcs are sorted by output label."""
    head = _header("olabel_lookahead", 1, OUTPUT_SORTED, -1, 0, 0)
    parts = [head, struct.pack("<i", ADD_ON_MAGIC), _const(graph, OUTPUT_SORTED)]
    parts.append(struct.pack("<5?iq", True, False, True, False, False, reach.final_label, graph.states))
    for state in range(graph.states):
        mine = reach.of(state)
        parts += [struct.pack("<q", len(mine)), mine.tobytes(), struct.pack("<i", int(reach.counts[state]))]
    file.write_bytes(b"".join(parts))


def _const(graph: Graph, properties: int) -> bytes:
    rows = np.zeros(graph.states, State)
    rows["final"] = graph.finals
    rows["arcs"] = np.bincount(graph.sources, minlength=graph.states)
    rows["first"] = np.concatenate([[0], np.cumsum(rows["arcs"])[:-1]])
    for name, label in (("input_eps", "input"), ("output_eps", "output")):
        rows[name] = np.bincount(graph.sources[graph.arcs[label] == 0], minlength=graph.states)
    head = _header("const", 2, properties, graph.start, graph.states, len(graph.arcs))
    return head + rows.tobytes() + graph.arcs.astype(Arc).tobytes()


def _header(kind: str, version: int, properties: int, start: int, states: int, arcs: int) -> bytes:
    names = b"".join(struct.pack("<i", len(name)) + name.encode() for name in (kind, "standard"))
    return struct.pack("<i", MAGIC) + names + HEADER.pack(version, 0, EXPANDED | properties, start, states, arcs)


def unreadable(file: Path) -> ModelError:
    """Return the error for a file that is no such graph."""
    return ModelError(
        Text(
            f"音声モデルのグラフ {file} は、言葉を追加できる形式ではありません。",
            f"The speech model's graph {file} is not of the form that words can be added to.",
        ),
        Text(
            "出荷時のモデルを使うか、モデルを入れ直してください。",
            "Use the shipped model, or install this one again.",
        ),
    )
