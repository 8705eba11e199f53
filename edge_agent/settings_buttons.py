"""Settings of the buttons under the desks, and of the lamp that is wired to the box."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge_agent.domain.press import STUCK_S, PressSource, Timing

Line = Annotated[int, Meta(ge=-1, le=1023)]
"""Number of a GPIO line on its chip; -1: none."""


class Presses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How presses are told apart, the lamp wired to the box, and when a button counts as silent."""

    debounce_ms: Annotated[int, Meta(ge=1, le=200)] = 20
    """How long a contact must be still to count."""
    long_ms: Annotated[int, Meta(ge=300, le=5000)] = 1000
    """Released before: help. Released after: withdraw."""
    hold_ms: Annotated[int, Meta(ge=1000, le=10_000)] = 3000
    """Held so long: emergency."""
    silent_s: Annotated[int, Meta(ge=60, le=172_800)] = 5400
    """A button on the network that has not shown itself for so long is shown as silent."""
    lamp_chip: str = ""
    """GPIO chip of a lamp that is lit while anybody calls for help: its label or /dev path; empty: none."""
    lamp_line: Line = -1
    """Its line on the chip."""

    @property
    def timing(self) -> Timing:
        """The times of press recognition, in seconds."""
        return Timing(
            debounce_s=self.debounce_ms / 1000,
            long_s=self.long_ms / 1000,
            hold_s=self.hold_ms / 1000,
        )


class Button(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One button, and how it is reached."""

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
    seat: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
    kind: Literal["gpio", "usb", "mqtt", "virtual"]
    does: Literal["help", "pause"] = "help"
    """pause: a short press begins or ends a pause for a card number; holding it is an emergency all the same."""
    chip: str = ""
    """gpio: the chip, by its label (`gpiodetect`) or /dev path."""
    line: Line = -1
    """gpio: the button's line on the chip."""
    active_low: bool = True
    """gpio: the button connects the line to ground."""
    light_line: Line = -1
    """gpio: line of the light in the button; -1: none."""
    device: str = ""
    """usb: its name in /dev/input/by-id."""
    key: str = ""
    """usb: the key that counts, such as KEY_ENTER; empty: any."""

    @property
    def source(self) -> PressSource:
        """Which way its presses come."""
        return PressSource(self.kind)


def problem(presses: Presses, buttons: tuple[Button, ...], seats: set[str]) -> tuple[str, str] | None:
    """Return what is contradictory in Japanese and English, or None."""
    if not presses.debounce_ms < presses.long_ms < presses.hold_ms < STUCK_S * 1000:
        return (
            "presses は debounce_ms < long_ms < hold_ms でなければなりません。",
            "presses needs debounce_ms < long_ms < hold_ms.",
        )
    if bool(presses.lamp_chip) != (presses.lamp_line >= 0):
        return "presses.lamp_chip と lamp_line は一緒に書きます。", "presses.lamp_chip and lamp_line go together."
    taken: dict[tuple[str, int | str], str] = {}
    if presses.lamp_chip:
        taken[presses.lamp_chip, presses.lamp_line] = "presses.lamp_line"
    for button in buttons:
        where = f"buttons[{button.name}]"
        if wrong := _problem_of(button, where, seats):
            return wrong
        for place in _places(button):
            if other := taken.get(place):
                return (
                    f"{where} の {place[0]} {place[1]} は {other} でも使われています。",
                    f"{where}: {place[0]} {place[1]} is already used by {other}.",
                )
            taken[place] = where
    return None


def _problem_of(button: Button, where: str, seats: set[str]) -> tuple[str, str] | None:
    if button.seat not in seats:
        return (
            f"{where}.seat の「{button.seat}」は [[seats]] にありません。",
            f"{where}.seat names {button.seat!r}, which is not among [[seats]].",
        )
    if button.kind == "gpio" and not (button.chip and button.line >= 0):
        return f"{where} には chip と line が必要です。", f"{where} needs chip and line."
    if button.kind == "usb" and not button.device:
        return f"{where} には device が必要です。", f"{where} needs device."
    return None


def _places(button: Button) -> list[tuple[str, int | str]]:
    """Return what only one button can have."""
    match button.kind:
        case "gpio":
            return [(button.chip, line) for line in (button.line, button.light_line) if line >= 0]
        case "usb":
            return [(button.device, button.key)]
        case _:
            return []
