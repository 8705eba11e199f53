"""From contacts that open and close to what an operator means: help, withdraw, emergency.

Rules:
1. A contact counts once it has been stable for the debounce time; it then counts from when it changed.
2. Released before `long_s`: help. Released after it: withdraw.
3. Held for `hold_s`: emergency, at once and without waiting for the release; the release then means nothing more.
4. A button found pressed when watching begins may have been pressed before: its release means help, and holding it
   means nothing. Nobody's call for help is lost by a restart, and a stuck button does not cry emergency.
5. Held for `stuck_s`: stuck. That is a fault of the button, until it is released.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

STUCK_S = 60.0
"""Nobody holds a button for a minute; a thing that fell on it does."""


class Gesture(StrEnum):
    """What an operator means by a press."""

    HELP = "help"
    WITHDRAW = "withdraw"
    EMERGENCY = "emergency"


class PressSource(StrEnum):
    """Which way a press came."""

    GPIO = "gpio"
    USB = "usb"
    MQTT = "mqtt"
    PAGE = "page"
    VIRTUAL = "virtual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A contact that closed (`pressed`) or opened, `at_s` seconds on a clock that only goes forward."""

    pressed: bool
    at_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long is long, in seconds: 0 < `debounce_s` < `long_s` < `hold_s`."""

    debounce_s: float
    long_s: float
    hold_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What is known of one button's contact; every step returns the next.

    Attributes:
        pressed: the state that counts.
        since_s: when it began.
        changing_at_s: when the contact last changed to the other state, None while it agrees with `pressed`.
        told: this press has had its meaning already.
        found_pressed: it was pressed when watching began.
    """

    pressed: bool = False
    since_s: float = 0.0
    changing_at_s: float | None = None
    told: bool = False
    found_pressed: bool = False

    @classmethod
    def found(cls, *, pressed: bool, at_s: float) -> Contact:
        """Return the contact as it is when watching begins."""
        return cls(pressed=pressed, since_s=at_s, found_pressed=pressed)

    def stuck(self, *, at_s: float) -> bool:
        """Whether the button has been held for longer than anybody would."""
        return self.pressed and at_s - self.since_s >= STUCK_S

    def due_at(self, timing: Timing) -> float | None:
        """Return when `passed` has to be asked next although no edge comes; None: not before an edge."""
        if self.changing_at_s is not None:
            return self.changing_at_s + timing.debounce_s
        if self.pressed and not (self.told or self.found_pressed):
            return self.since_s + timing.hold_s
        return None


def passed(contact: Contact, timing: Timing, *, at_s: float) -> tuple[Contact, Gesture | None]:
    """Return the contact and what was meant, after time without an edge up to `at_s`."""
    meant = None
    while True:
        after, gesture = _step(contact, timing, at_s=at_s)
        if after == contact:
            return contact, meant
        # Without an edge in between there is only one press, and a press has one meaning.
        contact, meant = after, meant or gesture


def on_edge(contact: Contact, edge: Edge, timing: Timing) -> tuple[Contact, Gesture | None]:
    """Return the contact and what was meant, after an edge; edges are given in the order of their times."""
    contact, meant = passed(contact, timing, at_s=edge.at_s)
    if edge.pressed == contact.pressed:
        # Bounced back.
        return replace(contact, changing_at_s=None), meant
    if contact.changing_at_s is None:
        contact = replace(contact, changing_at_s=edge.at_s)
    return contact, meant


def _step(contact: Contact, timing: Timing, *, at_s: float) -> tuple[Contact, Gesture | None]:
    changed_at = contact.changing_at_s
    # A release that is not stable yet does not end a press, but the press does not run on past it either.
    until = at_s if changed_at is None else changed_at
    holding = contact.pressed and not contact.told and not contact.found_pressed
    if holding and until >= contact.since_s + timing.hold_s:
        return replace(contact, told=True), Gesture.EMERGENCY
    if changed_at is None or at_s < changed_at + timing.debounce_s:
        return contact, None
    if not contact.pressed:
        return Contact(pressed=True, since_s=changed_at), None
    released = Contact(pressed=False, since_s=changed_at)
    if contact.told:
        return released, None
    if contact.found_pressed or changed_at < contact.since_s + timing.long_s:
        return released, Gesture.HELP
    return released, Gesture.WITHDRAW
