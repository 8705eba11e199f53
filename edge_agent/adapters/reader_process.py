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
"""Pauses between attempts double from the first to the longest; what is back is heard within 5 s."""
STEADY_S = 10.0
"""What ran for so long starts again with the first pause."""
POLL_S = 0.25


def keep_reading(stop: threading.Event, read: Callable[[], Text | None], lost: Callable[[Text], None]) -> None:
    """Read again and again until `stop` is set, with a pause after each failure.

    `read` returns what is wrong, or None because it was to stop; `lost` is told what is wrong.
    """
    wait_s = FIRST_WAIT_S
    while not stop.is_set():
        began = time.monotonic()
        fault = read()
        if fault is None:
            return
        lost(fault)
        if time.monotonic() - began > STEADY_S:
            wait_s = FIRST_WAIT_S
        stop.wait(wait_s)
        wait_s = min(wait_s * 2, LONGEST_WAIT_S)


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
