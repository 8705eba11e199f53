"""Looking for something in the memory of a running process, as somebody would who has stolen a copy of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

CHUNK = 16 << 20
PAGE = 4096


def writable(pid: int) -> Iterator[bytes]:
    """Yield all memory of a process that it can write, its heap and buffers among it, in overlapping pieces."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            place, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(part, 16) for part in place.split("-"))
            for at in range(start, end, CHUNK):
                try:
                    memory.seek(at)
                    yield memory.read(min(CHUNK + 4096, end - at))
                except OSError:
                    # A guard page, or a mapping that has gone meanwhile.
                    continue


def held(pid: int, needles: Sequence[bytes]) -> set[int]:
    """Return the positions of those needles that are somewhere in a process's memory."""
    found: set[int] = set()
    for piece in map(_filled, writable(pid)):
        found |= {i for i, needle in enumerate(needles) if i not in found and needle in piece}
    return found


def _filled(piece: bytes) -> bytes:
    """Leave out pages of zeros but those beside others: no needle lies in them, and searching them is slowest."""
    whole = len(piece) // PAGE * PAGE
    pages = np.frombuffer(piece[:whole], np.uint8).reshape(-1, PAGE)
    filled = pages.any(axis=1)
    kept = filled.copy()
    kept[1:] |= filled[:-1]
    kept[:-1] |= filled[1:]
    return pages[kept].tobytes() + piece[whole:]
