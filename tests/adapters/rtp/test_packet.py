"""RTP packets off the wire: read if they are sound, refused if not."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.adapters.rtp.packet import MalformedPacketError, RtpPacket, is_key, is_rtcp, parse
from tests.adapters.rtp.senders import rtp
from tests.properties import QUICK


def test_a_packet_is_read_as_it_was_sent() -> None:
    packet = RtpPacket(payload_type=8, sequence=65_535, timestamp=2**32 - 1, ssrc=7, payload=b"voice")
    assert parse(rtp(packet)) == packet


def test_contributors_extension_and_padding_do_not_belong_to_the_voice() -> None:
    head = struct.pack("!BBHII", 0x80 | 0x20 | 0x10 | 2, 0x80, 1, 2, 3)
    extension = struct.pack("!HHI", 0xBEDE, 1, 0)
    assert parse(head + bytes(8) + extension + b"voice" + b"\0\0\x03").payload == b"voice"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(12),  # another version
        struct.pack("!BBHII", 0x80, 0, 1, 2, 3)[:11],
        struct.pack("!BBHII", 0x8F, 0, 1, 2, 3),  # contributors that are not there
        struct.pack("!BBHII", 0x90, 0, 1, 2, 3) + b"\0\0",  # cut within the extension
        struct.pack("!BBHII", 0x90, 0, 1, 2, 3) + b"\0\0\xff\xff",  # an extension longer than the packet
        struct.pack("!BBHII", 0xA0, 0, 1, 2, 3) + b"ab\x09",  # more padding than payload
        struct.pack("!BBHII", 0xA0, 0, 1, 2, 3) + b"ab\x00",
        struct.pack("!BBHII", 0x80, 0, 1, 2, 3) + bytes(9000),
    ],
)
def test_what_is_no_packet_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedPacketError):
        parse(data)


@QUICK
@given(st.binary(max_size=2000))
def test_no_bytes_do_worse_than_be_refused(data: bytes) -> None:
    is_rtcp(data)
    is_key(data)
    with contextlib.suppress(MalformedPacketError):
        assert len(parse(data).payload) <= len(data)


def test_reports_are_told_from_voices() -> None:
    assert is_rtcp(struct.pack("!BB", 0x80, 200))
    assert not is_rtcp(struct.pack("!BB", 0x80, 0x80 | 8))
    assert not is_rtcp(b"")


def test_a_pressed_key_is_known_and_a_line_signal_is_not() -> None:
    assert is_key(b"\x05\x8a\x03\x20")
    assert not is_key(b"\x24\x8a\x03\x20")  # 36: fax
    assert not is_key(b"\x05")
