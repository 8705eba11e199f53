"""Whether the agent listens: its process touches a file in memory every second, whatever became of it before."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

AGENT = "agent.ready"
SILENT_S = 10.0
"""Ten pulses missed: the agent hangs, was killed, or is loading its models."""


def agent_listens(run: Path, *, now: datetime) -> bool:
    """Return whether the agent of the box whose memory folder is `run` listens to its lines."""
    try:
        touched = (run / AGENT).stat().st_mtime
    except OSError:
        return False
    return now.timestamp() - touched < SILENT_S
