"""What lamps are told, in the languages they speak."""

from __future__ import annotations

from datetime import datetime

from edge_agent.domain.lamp import Colour, LampState, Pattern
from edge_agent.errors import LampError, Text
from edge_agent.services.wire import SCHEMA

LETTERS = {"R": Colour.RED, "Y": Colour.AMBER, "G": Colour.GREEN, "B": Colour.BLUE, "C": Colour.WHITE}
"""PATLITE's order of the tiers: red, yellow, green, blue, clear; the buzzer comes after them."""
SILENT = "0"
"""The buzzer: microphones are open, a tower never sounds."""


def colours_of(letters: str) -> frozenset[Colour]:
    """Return the colours a tower with these tiers has, such as ``"RYG"``."""
    return frozenset(LETTERS[letter] for letter in letters)


def tower_alert(state: LampState, *, fast: str) -> str:
    """Return a state as PATLITE's six digits RYGBCZ: 0 off, 1 on, 2 flashing; `fast` is what the model has for fast."""
    lit = {Pattern.STEADY: "1", Pattern.SLOW: "2", Pattern.FAST: fast}[state.pattern]
    return "".join(lit if colour is state.colour else "0" for colour in LETTERS.values()) + SILENT


def lamp_message(state: LampState, *, now: datetime) -> dict[str, object]:
    """Return what a lamp of our own configuration is told: colour and pattern, never words."""
    return {"schema": SCHEMA, "colour": state.colour.value, "pattern": state.pattern.value, "at": now.isoformat()}


def unreachable(where: str, reason: str) -> LampError:
    """Return what to raise for a lamp that does not answer."""
    return LampError(
        Text(f"ランプ {where} が応答しません（{reason}）。", f"Lamp {where} does not answer ({reason})."),
        Text(
            "電源と配線、設定の [[lamps]] を確認してください。アラートはパネルと画面には届いています。",
            "Check its power, its network and [[lamps]] of the settings. Alerts reach panels and pages all the same.",
        ),
    )
