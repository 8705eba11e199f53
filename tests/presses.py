"""What signals of buttons mean, as the keeper reads them."""

from __future__ import annotations

from collections.abc import Iterable

from edge_agent.domain.press import Contact, Gesture, Timing, on_edge, passed
from edge_agent.ports import ButtonSignal, ContactChanged, ContactFound

TIMING = Timing(debounce_s=0.02, long_s=1.0, hold_s=3.0)
LATE_S = 1e6


def gestures_of(signals: Iterable[ButtonSignal]) -> list[tuple[str, Gesture]]:
    """Return which button meant what, in order of the presses' ends."""
    contacts: dict[str, Contact] = {}
    found = []
    for signal in signals:
        match signal:
            case ContactFound():
                contacts[signal.button] = Contact.found(pressed=signal.pressed, at_s=signal.at_s)
            case ContactChanged():
                # Time of every other contact passes too.
                for name, contact in contacts.items():
                    contacts[name], gesture = passed(contact, TIMING, at_s=signal.edge.at_s)
                    found += [(name, gesture)] if gesture else []
                contacts[signal.button], gesture = on_edge(contacts[signal.button], signal.edge, TIMING)
                found += [(signal.button, gesture)] if gesture else []
    for name, contact in contacts.items():
        _, gesture = passed(contact, TIMING, at_s=LATE_S)
        found += [(name, gesture)] if gesture else []
    return found
