"""Devices on the floor's broker: what kinds there are, and whether one is there.

Rules:
1. Every device has an identity of its own; its kind decides what it may read and write.
2. Words of a call are for kind `panel` alone; only a panel acknowledges.
3. A device says every `ALIVE_S` that it is there. Silent for `MISSING_S`, it is missing; so it is at once when it says
   goodbye, or the broker does so for it. Some say so only when they connect (`SAYS_ONCE`).
4. What nobody has connected yet is not missing. Nor is an integration, which speaks when it has something to say: it is
   silent when a call was heard that it should have announced (`announcement`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ALIVE_S = 30
"""Seconds between two signs of life."""
MISSING_S = 90
"""Silence in seconds after which a device is missing: two signs may be lost."""


class DeviceKind(StrEnum):
    """What a device is."""

    PANEL = "panel"
    """Shows alerts with the words of the call, and acknowledges."""
    WALLBOARD = "wallboard"
    """Shows alerts where everybody can read them: without words, and acknowledging nothing."""
    LAMP = "lamp"
    BUTTON = "button"
    HOME_ASSISTANT = "home-assistant"
    """A building's automation: states and alerts without words."""
    CONSOLE = "console"
    """IT's own programs: they tell the box to test panels and buttons, and see neither alerts nor words."""
    INTEGRATION = "integration"
    """The telephone system or an operator's own screen: announces calls and asks for pauses; is told nothing else."""


SHOWING = frozenset({DeviceKind.PANEL, DeviceKind.WALLBOARD})
"""Kinds that say what has become of an alert, and that show a test."""


SAYS_ONCE = frozenset({DeviceKind.LAMP, DeviceKind.HOME_ASSISTANT, DeviceKind.CONSOLE})
"""Kinds that say that they are there when they connect, and no more; the broker says when they have gone."""


class Presence(StrEnum):
    """Whether a device is there."""

    NEVER = "never"
    CONNECTED = "connected"
    MISSING = "missing"
    HEARD = "heard"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device that was added.

    Attributes:
        last_seen: its last sign of life, None before the first.
        silent: an integration announces nothing although calls are heard.
        seats: those an integration may speak for; empty: all.
    """

    name: str
    kind: DeviceKind
    added_at: datetime
    last_seen: datetime | None = None
    connected: bool = False
    silent: bool = False
    seats: tuple[str, ...] = ()

    @property
    def presence(self) -> Presence:
        """Return whether it is there."""
        if self.last_seen is None:
            return Presence.NEVER
        if self.kind is DeviceKind.INTEGRATION:
            return Presence.SILENT if self.silent else Presence.HEARD
        return Presence.CONNECTED if self.connected else Presence.MISSING
