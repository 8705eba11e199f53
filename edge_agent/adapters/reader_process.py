"""What the readers of cards and networks have in common: processes that are killed and started again."""

from __future__ import annotations

import os
import subprocess
from typing import IO

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 3.0
"""Pauses between attempts double from the first to the longest; what is back is heard within 5 s."""
STEADY_S = 10.0
"""What ran for so long starts again with the first pause."""
POLL_S = 0.25


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
