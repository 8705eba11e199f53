"""The machine's clock, for whoever is not given another one."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    """The time of day."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)
