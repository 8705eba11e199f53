"""What SDP (RFC 8866) says of a voice: where it is to be sent, and how it is packed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_agent.adapters.rtp.codecs import STATIC, Codec

MOST_LINES = 200
"""A description of a telephone call has some twenty lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """The voice of a session description.

    Attributes:
        address: IP address to which it is to be sent.
        port: UDP port to which it is to be sent; 0: not at all.
        codecs: by payload type, those that can be decoded.
        events: payload types of telephone events.
        encrypted: the voice is packed as SRTP and cannot be heard.
    """

    address: str
    port: int
    codecs: Mapping[int, Codec] = field(default_factory=dict)
    events: frozenset[int] = frozenset()
    encrypted: bool = False


def parse(text: str) -> Media | None:
    """Return the first voice of a description; None if there is none, or the text is no description."""
    address, port, encrypted = "", -1, False
    types: list[int] = []
    names: dict[int, str] = {}
    for line in text.splitlines()[:MOST_LINES]:
        kind, _, value = line.strip().partition("=")
        words = value.split()
        if kind == "m":
            if port >= 0:
                break
            if len(words) > 3 and words[0] == "audio" and (number := _number(words[1].partition("/")[0], 65535)) >= 0:  # noqa: PLR2004
                port, types, encrypted = number, [_number(word, 127) for word in words[3:]], "SAVP" in words[2]
        elif kind == "c" and len(words) > 2 and (port >= 0 or not address):  # noqa: PLR2004
            address = words[2].partition("/")[0]
        elif kind == "a" and port >= 0 and value.startswith("rtpmap:") and len(words) > 1:
            names[_number(words[0].removeprefix("rtpmap:"), 127)] = words[1].partition("/")[0].upper()
    if port < 0 or not address:
        return None
    codecs = {number: codec for number in types if (codec := _codec(number, names.get(number)))}
    events = frozenset(number for number in types if names.get(number) == "TELEPHONE-EVENT")
    return Media(address=address, port=port, codecs=codecs, events=events, encrypted=encrypted)


def _codec(number: int, name: str | None) -> Codec | None:
    if name is None:
        return STATIC.get(number)
    return Codec[name] if name in Codec.__members__ else None


def _number(word: str, most: int) -> int:
    """Return a number from 0 to `most`, or -1."""
    return int(word) if word.isascii() and word.isdigit() and len(word) < 6 and int(word) <= most else -1  # noqa: PLR2004
