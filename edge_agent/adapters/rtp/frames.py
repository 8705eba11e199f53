"""Ethernet frames of a mirror interface: the UDP datagrams in them. Anything else is passed over."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from functools import lru_cache

ETHERNET = 14
TAGS = (0x8100, 0x88A8, 0x9100)
"""VLAN tags (IEEE 802.1Q, 802.1ad, and what came before it)."""
MOST_TAGS = 2
IP_4, IP_6 = 0x0800, 0x86DD
UDP = 17
UDP_HEADER = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Datagram:
    """A UDP datagram; endpoints are IP address and port."""

    source: tuple[str, int]
    destination: tuple[str, int]
    payload: bytes


def datagram(frame: bytes) -> Datagram | None:
    """Return the UDP datagram of an Ethernet frame; None for other frames, fragments and damaged ones."""
    at = ETHERNET - 2
    for _ in range(MOST_TAGS + 1):
        kind = int.from_bytes(frame[at : at + 2])
        at += 2
        if kind not in TAGS:
            break
        at += 2
    if kind == IP_4:
        return _ip_4(frame, at)
    return _ip_6(frame, at) if kind == IP_6 else None


def _ip_4(frame: bytes, at: int) -> Datagram | None:
    if len(frame) < at + 20 or frame[at] >> 4 != 4 or frame[at + 9] != UDP:  # noqa: PLR2004 - RFC 791
        return None
    header = 4 * (frame[at] & 0x0F)
    if header < 20 or int.from_bytes(frame[at + 6 : at + 8]) & 0x3FFF:  # noqa: PLR2004 - more fragments, or an offset
        return None
    return _udp(frame, at + header, frame[at + 12 : at + 16], frame[at + 16 : at + 20])


def _ip_6(frame: bytes, at: int) -> Datagram | None:
    if len(frame) < at + 40 or frame[at] >> 4 != 6 or frame[at + 6] != UDP:  # noqa: PLR2004 - RFC 8200
        return None
    return _udp(frame, at + 40, frame[at + 8 : at + 24], frame[at + 24 : at + 40])


def _udp(frame: bytes, at: int, source: bytes, destination: bytes) -> Datagram | None:
    if len(frame) < at + UDP_HEADER:
        return None
    from_port, to_port, length, _ = struct.unpack_from("!HHHH", frame, at)
    # Short frames are padded: the datagram's own length tells where it ends.
    if length < UDP_HEADER or len(frame) < at + length:
        return None
    return Datagram(
        source=(_address(source), from_port),
        destination=(_address(destination), to_port),
        payload=frame[at + UDP_HEADER : at + length],
    )


@lru_cache(maxsize=4096)
def _address(packed: bytes) -> str:
    return str(ipaddress.ip_address(packed))
