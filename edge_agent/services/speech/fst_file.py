"""The binary form of a recogniser's graph, OpenFst's `const`, read into arrays and written again.

ConstFst<StdArc>: a header, the states, the arcs, as written by OpenFst 1.6 to 1.8 (fst/fst.cc, const-fst.h),
little-endian.
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
HEADER = struct.Struct("<iiQqqq")
"""Version, flags, properties, start, number of states, number of arcs."""
ALIGNED, PACKED = 1, 2
"""Versions of a const FST: the tables begin at multiples of 16 bytes, or follow one another."""

EXPANDED, MUTABLE = 0x1, 0x2
INPUT_SORTED = 0x10000000
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
        arcs: table of `Arc`, as many as `sources`; each state's sorted by their input.
    """

    start: int
    finals: npt.NDArray[np.float32]
    sources: npt.NDArray[np.int64]
    arcs: Table

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self.finals)

    def extended(self, *, states: int, sources: list[int], arcs: list[tuple[int, int, float, int]]) -> Graph:
        """Return the graph with more states (never final) and arcs, each state's arcs sorted by their input."""
        finals = np.concatenate([self.finals, np.full(states, np.inf, np.float32)])
        every = np.concatenate([self.arcs, np.array(arcs, Arc)])
        origins = np.concatenate([self.sources, np.array(sources, np.int64)])
        # Stable: arcs that were there keep their order, and a state's self-loop stays before what was added to it.
        order = np.lexsort((every["input"], origins))
        return replace(self, finals=finals, sources=origins[order], arcs=every[order])


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

    def header(self) -> tuple[int, int, int, int]:
        """Return version, start, states and arcs."""
        (magic,) = self.numbers("<i")
        names = []
        for _ in range(2):
            (length,) = self.numbers("<i")
            if magic != MAGIC or not 0 < length < 100:  # noqa: PLR2004 - no type has a longer name
                raise unreadable(self.file)
            names.append(self.data[self.at : self.at + length].decode("latin-1"))
            self.at += length
        version, flags, _, start, states, arcs = self.numbers(HEADER.format)
        if names != ["const", "standard"] or flags & 3:
            raise unreadable(self.file)
        return version, start, states, arcs

    def graph(self) -> Graph:
        version, start, states, arcs = self.header()
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


def write_graph(file: Path, graph: Graph) -> None:
    """Write a const FST."""
    rows = np.zeros(graph.states, State)
    rows["final"] = graph.finals
    rows["arcs"] = np.bincount(graph.sources, minlength=graph.states)
    rows["first"] = np.concatenate([[0], np.cumsum(rows["arcs"])[:-1]])
    for name, label in (("input_eps", "input"), ("output_eps", "output")):
        rows[name] = np.bincount(graph.sources[graph.arcs[label] == 0], minlength=graph.states)
    names = b"".join(struct.pack("<i", len(name)) + name.encode() for name in ("const", "standard"))
    numbers = HEADER.pack(PACKED, 0, EXPANDED | INPUT_SORTED, graph.start, graph.states, len(graph.arcs))
    with file.open("wb") as out:
        out.write(struct.pack("<i", MAGIC) + names + numbers)
        out.write(rows.tobytes())
        out.write(graph.arcs.astype(Arc).tobytes())


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
