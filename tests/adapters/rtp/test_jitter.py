"""A stream put back in order and in time, whatever the network did to it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_agent.adapters.rtp.jitter import MOST_WAITING, UNIT_RATE, Counters, JitterBuffer, Piece, PieceKind
from edge_agent.adapters.rtp.packet import RtpPacket
from tests.adapters.rtp.senders import PACKET_S, Telephone
from tests.properties import QUICK

Arrivals = list[tuple[float, RtpPacket]]


def a_telephone(seconds: float, **changes: object) -> Telephone:
    """Return a telephone whose every 20 ms have a value of their own, from 1 to 255."""
    frames = int(seconds * 50)
    return Telephone(payload=b"".join(bytes([number % 255 + 1]) * 160 for number in range(frames)), **changes)


def played(
    arrivals: Iterable[tuple[float, RtpPacket]], *, delay_s: float = 0.08, to_s: float
) -> tuple[list[Piece], Counters]:
    """Give packets to a buffer as they arrive, and pull every 100 ms."""
    counters = Counters()
    buffer = JitterBuffer(delay_s=delay_s, counters=counters)
    waiting = sorted(arrivals, key=lambda arrival: arrival[0])
    pieces: list[Piece] = []
    for tick in range(1, round(to_s * 10) + 1):
        while waiting and waiting[0][0] <= tick / 10:
            at_s, packet = waiting.pop(0)
            buffer.push(packet, at_s=at_s)
        if tick > 1:
            pieces += buffer.pull(until_s=tick / 10, units=800)
    return pieces, counters


def heard(pieces: list[Piece]) -> bytes:
    return b"".join(piece.data for piece in pieces)


def length(pieces: list[Piece], kind: PieceKind) -> int:
    return sum(piece.length for piece in pieces if piece.kind is kind)


def test_a_voice_comes_out_as_it_was_sent_over_the_turn_of_both_counters() -> None:
    telephone = a_telephone(2.0)
    pieces, counters = played(telephone.packets(), to_s=2.5)
    assert heard(pieces) == telephone.payload
    assert (counters.received, counters.lost, counters.late, counters.off) == (100, 0, 0, 0)


def test_packets_out_of_order_and_twice_are_heard_once_and_in_order() -> None:
    telephone = a_telephone(2.0)
    arrivals = list(telephone.packets())
    shuffled = [(at_s + (0.05 if number % 3 == 0 else 0), packet) for number, (at_s, packet) in enumerate(arrivals)]
    pieces, counters = played([*shuffled, *((at_s + 0.001, packet) for at_s, packet in arrivals)], to_s=2.5)
    assert heard(pieces) == telephone.payload
    assert (counters.received, counters.duplicate, counters.lost) == (100, 100, 0)


@pytest.mark.parametrize("order", [(2, 0, 1), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_a_stream_whose_first_packets_are_out_of_order_has_lost_none(order: tuple[int, ...]) -> None:
    arrivals = list(a_telephone(1.0).packets())
    first = [(arrivals[place][0], arrivals[number][1]) for place, number in enumerate(order)]
    _, counters = played([*first, *arrivals[3:]], to_s=1.5)
    assert (counters.received, counters.lost) == (50, 0)


@pytest.mark.parametrize("share", [0.01, 0.05])
def test_the_share_made_up_is_the_share_lost(share: float) -> None:
    chance = random.Random(5)  # noqa: S311 - the same network in every run
    telephone = a_telephone(60.0)
    arrivals = list(telephone.packets())
    kept = [arrivals[0], *(one for one in arrivals[1:-1] if chance.random() >= share), arrivals[-1]]
    arrivals = [(at_s + chance.uniform(0, 0.06), packet) for at_s, packet in kept]
    pieces, counters = played(arrivals, to_s=61.0)
    gone = 3000 - len(kept)
    assert gone > 10
    assert (counters.received, counters.lost, counters.late) == (len(kept), gone, 0)
    # Nothing says that the voice ends after the last packet: up to 100 ms are made up there.
    assert gone * 160 <= counters.concealed <= gone * 160 + 800
    assert length(pieces, PieceKind.LOST) == counters.concealed
    assert len(heard(pieces)) == len(kept) * 160


def test_a_packet_that_comes_too_late_is_counted_and_made_up() -> None:
    arrivals = list(a_telephone(2.0).packets())
    arrivals[50] = (arrivals[50][0] + 0.5, arrivals[50][1])
    pieces, counters = played(arrivals, to_s=2.1)
    assert (counters.late, counters.lost, counters.received) == (1, 0, 100)
    assert length(pieces, PieceKind.LOST) == 160


def test_a_sender_that_stops_sending_in_silence_has_lost_nothing() -> None:
    arrivals = list(a_telephone(3.0).packets())
    spoken = arrivals[:50]
    pause = RtpPacket(
        payload_type=13,
        sequence=(spoken[-1][1].sequence + 1) % 65_536,
        timestamp=spoken[-1][1].timestamp + 160,
        ssrc=1,
        payload=b"\x20",
    )
    counters = Counters()
    buffer = JitterBuffer(delay_s=0.08, counters=counters)
    pieces: list[Piece] = []
    for at_s, packet in spoken:
        buffer.push(packet, at_s=at_s)
    buffer.push(pause, at_s=1.02, audio=False)
    pieces += buffer.pull(until_s=1.18, units=800)
    pieces += buffer.pull(until_s=1.28, units=800)
    for number, (at_s, packet) in enumerate(arrivals[100:]):
        following = RtpPacket(
            payload_type=0,
            sequence=(pause.sequence + 1 + number) % 65_536,
            timestamp=packet.timestamp,
            ssrc=1,
            payload=packet.payload,
        )
        buffer.push(following, at_s=at_s)
    for tick in range(30):
        pieces += buffer.pull(until_s=1.38 + tick / 10, units=800)
    assert (counters.lost, counters.off) == (0, 0)
    assert counters.concealed <= 800  # the end alone


@pytest.mark.parametrize("ppm", [-300.0, 300.0])
def test_a_sender_whose_clock_is_off_stays_in_time_for_ten_minutes(ppm: float) -> None:
    telephone = a_telephone(600.0, ppm=ppm)
    pieces, counters = played(telephone.packets(), to_s=595.0)
    assert (counters.late, counters.concealed) == (0, 0)
    # What was due by the end came out: neither has a queue grown nor has it run dry.
    due = int((595.0 - 0.08 - PACKET_S) * UNIT_RATE * (1 + ppm / 1e6))
    assert abs(len(heard(pieces)) - due) < 0.01 * UNIT_RATE


def test_a_way_that_has_become_longer_for_good_is_followed_within_a_second() -> None:
    arrivals = [(at_s + (0.3 if at_s > 2.0 else 0.0), packet) for at_s, packet in a_telephone(6.0).packets()]
    pieces, counters = played(arrivals, to_s=6.6)
    assert counters.late <= 10
    assert len(heard(pieces)) >= (300 - 20) * 160


def test_a_leap_of_the_sender_begins_the_stream_anew() -> None:
    before, after = a_telephone(2.0), a_telephone(2.0, sequence=20_000, timestamp=5_000_000)
    pieces, counters = played([*before.packets(), *after.packets(from_s=2.0)], to_s=4.5)
    assert len(heard(pieces)) >= 3.9 * UNIT_RATE  # what was still waiting goes with the old stream
    assert (counters.received, counters.lost) == (200, 0)


def test_a_single_packet_from_elsewhere_changes_nothing() -> None:
    telephone = a_telephone(2.0)
    stray = RtpPacket(payload_type=0, sequence=9000, timestamp=99, ssrc=1, payload=bytes(160))
    pieces, counters = played([*telephone.packets(), (1.0, stray)], to_s=2.5)
    assert heard(pieces) == telephone.payload
    assert counters.off == 1


def test_two_voices_are_aligned_though_their_clocks_began_at_any_time() -> None:
    chance = random.Random(3)  # noqa: S311 - the same network in every run
    starts = []
    for timestamp in (17, 4_000_000_000):
        telephone = a_telephone(8.0, timestamp=timestamp)
        arrivals = [(at_s + 3.0 + chance.uniform(0, 0.06), packet) for at_s, packet in telephone.packets()]
        pieces, _ = played(arrivals, to_s=10.0)
        sound = b"".join(piece.data or bytes(piece.length) for piece in pieces)
        starts.append(sound.index(bytes([201])))
    assert abs(starts[0] - starts[1]) < 0.01 * UNIT_RATE


# A packet whose number tells of 499 lost and whose time of none: more was lost than is ever guessed.
@example(
    [(1, 0, bytes(2), 0.0, True), (501, 0, bytes(1), 0.0, True), (477, 4801, b"", 0.0, False), (0, 0, b"", 0.0, False)]
)
@QUICK
@given(
    st.lists(
        st.tuples(
            st.integers(0, 65_535),
            st.integers(0, 2**32 - 1),
            st.binary(max_size=400),
            st.floats(0, 0.05),
            st.booleans(),
        ),
        max_size=200,
    )
)
def test_nothing_that_arrives_breaks_it_or_makes_it_grow(packets: list[tuple[int, int, bytes, float, bool]]) -> None:
    buffer = JitterBuffer(delay_s=0.08, counters=Counters())
    now_s = 0.0
    for sequence, timestamp, payload, after_s, audio in packets:
        now_s += after_s
        packet = RtpPacket(payload_type=0, sequence=sequence, timestamp=timestamp, ssrc=1, payload=payload)
        buffer.push(packet, at_s=now_s, audio=audio)
        if sequence % 3 == 0:
            pieces = buffer.pull(until_s=now_s, units=800)
            assert 784 <= sum(piece.length for piece in pieces) <= 816
            assert all(piece.length > 0 for piece in pieces)
    assert len(buffer._waiting) <= MOST_WAITING
    assert len(buffer._seen) <= 1001


def test_pieces_follow_one_another_without_a_hole() -> None:
    pieces, _ = played(a_telephone(1.0).packets(), to_s=1.5)
    kinds = [piece.kind for piece in pieces]
    assert all(not (a is PieceKind.LOST and b is PieceKind.HEARD) for a, b in pairwise(kinds))
    assert np.sum([piece.length for piece in pieces]) == pytest.approx(14 * 800, abs=3 * 16)
