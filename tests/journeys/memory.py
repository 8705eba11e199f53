"""Looking for something in the memory of a running process, as somebody would who has stolen a copy of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

CHUNK = 16 << 20


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
    for piece in writable(pid):
        found |= {i for i, needle in enumerate(needles) if i not in found and needle in piece}
    return found
