"""Settings of the sound cards."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
"""A short stable name, safe in topics, file names and addresses."""
Gain = Annotated[float, Meta(ge=-40.0, le=40.0)]
"""Decibels by which a channel is made louder or quieter."""
NUMBER = re.compile(r"^\d+$|hw:\d|card ?\d", re.IGNORECASE)
"""What names a card by its number: it changes with replugging and with every start."""


class Device(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sound card, by a name that survives replugging.

    `match` is part of the card's ALSA/PortAudio name, never an index.
    """

    name: Name
    match: Annotated[str, Meta(min_length=1)]
    channels: Annotated[int, Meta(ge=1, le=64)] = 2
    rate: Annotated[int, Meta(ge=8000, le=192_000)] = 8000
    """Samples per second the card delivers."""
    period_ms: Annotated[int, Meta(ge=10, le=500)] = 100
    """How much audio a callback carries."""


def problem(devices: Iterable[Device]) -> tuple[str, str] | None:
    """Return what is wrong with how cards are named, in Japanese and English, or None."""
    for device in devices:
        if NUMBER.search(device.match):
            return (
                f"devices[{device.name}].match「{device.match}」は番号です。差し直すと変わります。名前を書いてください。",
                f"devices[{device.name}].match {device.match!r} is a number, which replugging changes: name the card.",
            )
    return None
