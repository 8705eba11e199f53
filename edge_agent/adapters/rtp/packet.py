"""RTP packets (RFC 3550) and the telephone events in them (RFC 4733), as they come off the wire."""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER = struct.Struct("!BBHII")
VERSION = 2
LONGEST_PAYLOAD = 1600
"""Bytes: 200 ms of G.711; no telephone sends as much in one packet."""
RTCP_TYPES = range(200, 208)
"""Second byte of RTCP packets, which may share a port with RTP (RFC 5761, section 4)."""
EVENT_LENGTH = 4
"""Bytes of a telephone event (RFC 4733, section 2.3)."""
KEYS = 16
"""Events below it are the keys 0-9, *, #, A-D (RFC 4733, section 3.2)."""


class MalformedPacketError(ValueError):
    """Bytes that are not what they should be; they are counted, never trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RtpPacket:
    """One packet of a stream.

    Attributes:
        sequence: 0-65535, one more for every packet.
        timestamp: 0 to 2**32-1, in units of the codec's RTP clock; of the first sample.
        ssrc: the stream it belongs to.
    """

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def is_rtcp(data: bytes) -> bool:
    """Say whether a datagram carries reports on streams, not sound."""
    return len(data) > 1 and data[0] >> 6 == VERSION and data[1] in RTCP_TYPES


def parse(data: bytes) -> RtpPacket:
    """Read a datagram; raise `MalformedPacketError` if it is no RTP packet."""
    if len(data) < HEADER.size:
        raise MalformedPacketError("shorter than a header")
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    if first >> 6 != VERSION:
        raise MalformedPacketError("another version")
    start = HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < start + 4:
            raise MalformedPacketError("cut within its extension")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    end = len(data)
    if first & 0x20:
        if not 0 < data[-1] <= end - start:
            raise MalformedPacketError("more padding than payload")
        end -= data[-1]
    if not start <= end <= start + LONGEST_PAYLOAD:
        raise MalformedPacketError("a payload of impossible length")
    return RtpPacket(
        payload_type=second & 0x7F, sequence=sequence, timestamp=timestamp, ssrc=ssrc, payload=data[start:end]
    )


def is_key(payload: bytes) -> bool:
    """Say whether a telephone event is a pressed key; which one, nobody looks at: it may be of a card number."""
    return len(payload) >= EVENT_LENGTH and payload[0] < KEYS
