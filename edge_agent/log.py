"""Logs identify, never quote: a log line is an event name and allow-listed keys, nothing else."""

from __future__ import annotations

import logging
import sys

ALLOWED = frozenset(
    {
        "alert", "attempt", "box", "broker", "call", "card", "channel", "change", "component", "count", "criterion",
        "device", "dropped", "duration_ms", "error", "exit", "file", "host", "incident", "kind", "latency_ms", "line",
        "model", "pid", "policy", "port", "process", "reason_code", "revision", "seat", "severity", "state", "thread",
        "topic", "version", "wait_s",
    }
)  # fmt: skip
"""Keys a log line may carry. None of them can hold words of a call, a name or a number of a caller."""


class Log:
    """Writes events of one component to the standard error stream, where journald picks them up."""

    def __init__(self, component: str) -> None:
        self._logger = logging.getLogger(f"mamori.{component}")

    def info(self, event: str, **facts: object) -> None:
        """Something happened as it should."""
        self._write(logging.INFO, event, facts)

    def warning(self, event: str, **facts: object) -> None:
        """Something is degraded and will be tried again."""
        self._write(logging.WARNING, event, facts)

    def error(self, event: str, **facts: object) -> None:
        """Something needs a person."""
        self._write(logging.ERROR, event, facts)

    def _write(self, level: int, event: str, facts: dict[str, object]) -> None:
        if unknown := facts.keys() - ALLOWED:
            msg = f"log keys {sorted(unknown)} are not on the allow-list of edge_agent.log"
            raise ValueError(msg)
        self._logger.log(level, " ".join([event, *(f"{key}={value}" for key, value in sorted(facts.items()))]))


def set_up(*, level: int = logging.INFO) -> None:
    """Send all events of this process to standard error."""
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s %(message)s")
