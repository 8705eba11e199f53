"""What is told of a line on the floor's broker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from edge_agent.store.live import LineStatus


def line_message(status: LineStatus, *, listened: bool, now: datetime) -> dict[str, Any]:
    """Return the message about a line's state; `listened` if somebody listens in on its call."""
    return {
        "seat": status.seat,
        "state": status.state.value,
        "since": status.since.isoformat() if status.since else None,
        "listened": listened,
        "troubles": [trouble.name for trouble in status.troubles],
        "paused_since": status.paused_since.isoformat() if status.paused_since else None,
        "paused_until": status.paused_until.isoformat() if status.paused_until else None,
        "pause_cut": status.pause_cut,
        "at": now.isoformat(),
    }
