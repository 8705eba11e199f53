"""Telephones for the tests: they pack what they say into RTP, and say in SIP where it goes."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from G722 import G722

from edge_agent.adapters.rtp.codecs import Codec, Decoder
from edge_agent.adapters.rtp.packet import RtpPacket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_agent.ports import Samples

PACKET_S = 0.02
UNITS = 160
TYPES = {Codec.PCMU: 0, Codec.PCMA: 8, Codec.G722: 9}


def rtp(packet: RtpPacket) -> bytes:
    """Return a packet as it goes over the wire."""
    head = struct.pack("!BBHII", 0x80, packet.payload_type, packet.sequence, packet.timestamp, packet.ssrc)
    return head + packet.payload


def packed(samples: Samples, codec: Codec) -> bytes:
    """Return int16 samples at the codec's rate as its payload; G.711 by looking for the nearest value."""
    if codec is Codec.G722:
        return bytes(G722(16_000, 64_000).encode(samples))
    values = Decoder(codec).decode(bytes(range(256))).astype(np.int32)
    order = np.argsort(values, kind="stable")
    middles = (values[order][:-1] + values[order][1:]) / 2
    return order[np.searchsorted(middles, samples.astype(np.int32))].astype(np.uint8).tobytes()


@dataclass(kw_only=True)
class Telephone:
    """Sends one voice, packet by packet.

    `clock_s` is what its clock shows when ours shows 0; `ppm` how much faster it runs.
    """

    payload: bytes
    payload_type: int = 0
    ssrc: int = 0x1234
    sequence: int = 65_530
    timestamp: int = 2**32 - 1000
    ppm: float = 0.0
    sent: list[RtpPacket] = field(default_factory=list)

    def packets(self, *, from_s: float = 0.0) -> Iterator[tuple[float, RtpPacket]]:
        """Yield packets, each with the local time at which it is sent: when its last sample was spoken."""
        for number in range(len(self.payload) // UNITS):
            at_s = from_s + (number + 1) * PACKET_S / (1 + self.ppm / 1e6)
            packet = RtpPacket(
                payload_type=self.payload_type,
                sequence=(self.sequence + number) % 65_536,
                timestamp=(self.timestamp + number * UNITS) % 2**32,
                ssrc=self.ssrc,
                payload=self.payload[number * UNITS : (number + 1) * UNITS],
            )
            yield at_s, packet


def ethernet(payload: bytes, source: tuple[str, int], destination: tuple[str, int], *, vlan: bool = False) -> bytes:
    """Return a datagram as a mirror shows it."""
    addresses = [ipaddress.ip_address(address) for address, _ in (source, destination)]
    udp = struct.pack("!HHHH", source[1], destination[1], 8 + len(payload), 0) + payload
    if addresses[0].version == 4:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0)
        kind = 0x0800
    else:
        head = struct.pack("!IHBB", 6 << 28, len(udp), 17, 64)
        kind = 0x86DD
    tag = struct.pack("!HH", 0x8100, 7) if vlan else b""
    packet = head + b"".join(address.packed for address in addresses) + udp
    return (bytes(12) + tag + struct.pack("!H", kind) + packet).ljust(60, b"\0")


def invite(call_id: str, *, caller: str, called: str, media: str, tag: str = "a", sdp_port: int = 4000) -> bytes:
    return request("INVITE", call_id, caller=caller, called=called, tag=tag, body=sdp(media, sdp_port))


def request(method: str, call_id: str, *, caller: str, called: str, tag: str = "a", body: str = "") -> bytes:
    return (
        f"{method} sip:{called}@pbx.example SIP/2.0\r\nVia: SIP/2.0/UDP pbx.example\r\n"
        f"From: <sip:{caller}@pbx.example>;tag={tag}\r\nTo: <sip:{called}@pbx.example>\r\n"
        f"Call-ID: {call_id}\r\nCSeq: 1 {method}\r\nContent-Type: application/sdp\r\n\r\n{body}"
    ).encode()


def answer(
    status: int, call_id: str, *, caller: str, called: str, tag: str = "a", method: str = "INVITE", body: str = ""
) -> bytes:
    return (
        f"SIP/2.0 {status} Whatever\r\nf: <sip:{caller}@pbx.example>;tag={tag}\r\n"
        f"t: <sip:{called}@pbx.example>;tag=b\r\ni: {call_id}\r\nCSeq: 1 {method}\r\n"
        f"c: application/sdp\r\n\r\n{body}"
    ).encode()


def sdp(address: str, port: int, *, types: str = "0 8 101", profile: str = "RTP/AVP", more: str = "") -> str:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
        f"m=audio {port} {profile} {types}\r\na=rtpmap:101 telephone-event/8000\r\n{more}"
    )
