"""Read the words out of Open JTalk's compiled dictionary (NAIST-jdic), to widen the vocabulary beyond the texts.

The file `sys.dic` is MeCab's: a header of ten 32-bit numbers and a character set, a double array that maps each
surface to its tokens, the tokens (16 bytes each) and their features. A node of the double array stands at index `i`;
its `check` is the `base` of its parent, and `i - check - 1` is the byte that leads to it, so every surface can be
read upwards from its end.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEADER = struct.Struct("<10I32s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One token of the dictionary: `features` begin with four parts of speech, then type, form and base form."""

    surface: str
    cost: int
    features: tuple[str, ...]

    @property
    def base(self) -> str:
        """Return the base form."""
        return self.features[6]

    @property
    def pron(self) -> str:
        """Return the pronunciation in katakana."""
        return self.features[8]


def read_dictionary(path: Path) -> Iterator[Entry]:
    """Yield every token of a `sys.dic`; raise `ValueError` if the file is not in UTF-8 or not a dictionary."""
    data = path.read_bytes()
    _, _, _, _, _, _, array_size, tokens_size, features_size, _, charset = HEADER.unpack_from(data)
    if charset.rstrip(b"\0").lower() not in {b"utf-8", b"utf8"}:
        raise ValueError(f"{path} is written in {charset!r}")
    at = HEADER.size
    units = np.frombuffer(data, np.dtype([("base", "<i4"), ("check", "<u4")]), array_size // 8, at)
    at += array_size
    tokens = np.frombuffer(
        data, np.dtype([("left", "<u2"), ("right", "<u2"), ("pos", "<u2"), ("cost", "<i2"), ("feature", "<u4"),
                        ("compound", "<u4")]), tokens_size // 16, at
    )  # fmt: skip
    at += tokens_size
    features = data[at : at + features_size]
    base, check = units["base"].astype(np.int64), units["check"].astype(np.int64)
    used = np.nonzero((check > 0) | (np.arange(len(check)) == 0))[0]
    node_of = {int(base[index]): int(index) for index in used if base[index] > 0}
    for index in used:
        if check[index] != index or base[index] >= 0:
            continue
        surface = _surface(int(index), node_of, check)
        value = int(-base[index] - 1)
        for token in tokens[value >> 8 : (value >> 8) + (value & 0xFF)]:
            start = int(token["feature"])
            fields = features[start : features.index(b"\0", start)].decode().split(",")
            if len(fields) > 8:
                yield Entry(surface=surface, cost=int(token["cost"]), features=tuple(fields))


def _surface(terminal: int, node_of: dict[int, int], check: np.ndarray) -> str:
    """Return the text that leads to a terminal unit."""
    out = bytearray()
    node = node_of[int(check[terminal])]
    while node:
        parent_base = int(check[node])
        out.append(node - parent_base - 1)
        node = node_of[parent_base]
    return bytes(reversed(out)).decode()
