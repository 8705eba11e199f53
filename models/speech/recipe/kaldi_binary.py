r"""Kaldi's binary files: reading the trunk's `final.mdl` piece by piece and writing our own.

A token is its text and a space; an int32 is `\4` and four bytes, a float32 the same, a float64 `\8` and eight bytes;
a matrix is `FM`, rows, columns and its floats, a vector `FV`, length and its floats.
"""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]


class Reader:
    """A position in the bytes of a binary Kaldi file."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def token(self) -> str:
        """Return the next token."""
        end = self.data.index(b" ", self.at)
        token = self.data[self.at : end].decode("latin1")
        self.at = end + 1
        return token

    def expect(self, *tokens: str) -> None:
        """Read tokens that must come next; raise `ValueError` if others do."""
        for wanted in tokens:
            found = self.token()
            if found != wanted:
                raise ValueError(f"expected {wanted} at byte {self.at}, found {found!r}")

    def _size(self, wanted: int) -> None:
        if self.data[self.at] != wanted:
            raise ValueError(f"expected a value of {wanted} bytes at byte {self.at}")
        self.at += 1

    def integer(self) -> int:
        """Return the next int32."""
        self._size(4)
        self.at += 4
        return int(struct.unpack_from("<i", self.data, self.at - 4)[0])

    def number(self) -> float:
        """Return the next float32 or float64."""
        wide = self.data[self.at] == 8
        self._size(8 if wide else 4)
        self.at += 8 if wide else 4
        return float(struct.unpack_from("<d" if wide else "<f", self.data, self.at - (8 if wide else 4))[0])

    def integers(self) -> list[int]:
        """Return the next vector of int32."""
        count = self.integer()
        values = struct.unpack_from(f"<{count}i", self.data, self.at)
        self.at += 4 * count
        return list(values)

    def _floats(self, count: int, *, wide: bool) -> Array:
        kind = "<f8" if wide else "<f4"
        values = np.frombuffer(self.data, kind, count, self.at).astype(np.float32)
        self.at += count * (8 if wide else 4)
        return values

    def vector(self) -> Array:
        """Return the next vector of floats."""
        kind = self.token()
        if kind not in {"FV", "DV"}:
            raise ValueError(f"no vector at byte {self.at}")
        return self._floats(self.integer(), wide=kind == "DV")

    def matrix(self) -> Array:
        """Return the next matrix of floats."""
        kind = self.token()
        if kind not in {"FM", "DM"}:
            raise ValueError(f"no matrix at byte {self.at}")
        rows, columns = self.integer(), self.integer()
        return self._floats(rows * columns, wide=kind == "DM").reshape(rows, columns)

    def line(self) -> str:
        """Return the text up to the next line end."""
        end = self.data.index(b"\n", self.at)
        line = self.data[self.at : end].decode()
        self.at = end + 1
        return line


class Writer:
    """A binary Kaldi file in the making."""

    def __init__(self) -> None:
        self._out = io.BytesIO()
        self.raw(b"\0B")

    def bytes(self) -> bytes:
        """Return the file as written so far."""
        return self._out.getvalue()

    def raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._out.write(data)

    def tokens(self, *tokens: str) -> None:
        """Write tokens."""
        for token in tokens:
            self.raw(token.encode() + b" ")

    def integer(self, value: int) -> None:
        """Write an int32."""
        self.raw(b"\4" + struct.pack("<i", value))

    def number(self, value: float) -> None:
        """Write a float32."""
        self.raw(b"\4" + struct.pack("<f", value))

    def wide(self, value: float) -> None:
        """Write a float64."""
        self.raw(b"\x08" + struct.pack("<d", value))

    def flag(self, value: bool) -> None:  # noqa: FBT001 - the value itself
        """Write a truth value."""
        self.raw(b"T" if value else b"F")

    def integers(self, values: Sequence[int]) -> None:
        """Write a vector of int32."""
        self.raw(b"\4" + struct.pack("<i", len(values)) + struct.pack(f"<{len(values)}i", *values))

    def vector(self, values: npt.ArrayLike) -> None:
        """Write a vector of float32."""
        array = np.asarray(values, np.float32)
        self.tokens("FV")
        self.integer(len(array))
        self.raw(array.tobytes())

    def matrix(self, values: npt.ArrayLike) -> None:
        """Write a matrix of float32."""
        array = np.ascontiguousarray(values, np.float32)
        self.tokens("FM")
        self.integer(array.shape[0])
        self.integer(array.shape[1])
        self.raw(array.tobytes())
