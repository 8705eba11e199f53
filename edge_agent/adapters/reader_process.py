"""What the readers of cards and networks have in common: processes that are killed and started again."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from typing import IO

from edge_agent.errors import Text

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 3.0
"""Pauses between attempts double from the first to the longest; what is back is heard within 5 s.

The longest, `POLL_S` and a second or so for a new process are less, even where nothing tells that it is back.
"""
STEADY_S = 10.0
"""What ran for so long starts again with the first pause."""
POLL_S = 0.25


def keep_reading(
    stop: threading.Event,
    read: Callable[[], Text | None],
    lost: Callable[[Text], None],
    sight: Callable[[], object] = lambda: None,
) -> None:
    """Read again and again until `stop` is set, with a pause after each failure.

    `read` returns what is wrong, or None because it was to stop; `lost` is told what is wrong. A pause ends as soon as
    `sight` returns something else than before: what was lost may be back.
    """
    wait_s = FIRST_WAIT_S
    while not stop.is_set():
        began, seen = time.monotonic(), sight()
        fault = read()
        if fault is None:
            return
        lost(fault)
        if time.monotonic() - began > STEADY_S:
            wait_s = FIRST_WAIT_S
        changed = _wait(stop, wait_s, lambda: sight() != seen)  # noqa: B023 - called before the next turn
        wait_s = FIRST_WAIT_S if changed else min(wait_s * 2, LONGEST_WAIT_S)


def _wait(stop: threading.Event, wait_s: float, changed: Callable[[], bool]) -> bool:
    """Wait; return whether something has changed, which ends it early."""
    while wait_s > 0 and not stop.wait(min(wait_s, POLL_S)):
        if changed():
            return True
        wait_s -= POLL_S
    return False


def end(process: subprocess.Popen[bytes]) -> bool:
    """Kill a process; return whether it is gone. One that is stuck in its driver can hold up the agent no longer."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    process.kill()
    try:
        process.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        return False
    return True


def tail(complaints: IO[bytes]) -> str:
    """Return the end of what a process printed to its standard error."""
    size = complaints.seek(0, os.SEEK_END)
    complaints.seek(max(0, size - 400))
    return complaints.read().decode(errors="replace").strip()
