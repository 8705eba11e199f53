"""Seats on the network: packets of both voices become blocks, calls start and end, nothing breaks."""

from __future__ import annotations

import random
import tracemalloc
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.adapters.rtp.codecs import Codec
from edge_agent.adapters.rtp.frames import datagram
from edge_agent.adapters.rtp.line import NetworkFault
from edge_agent.adapters.rtp.listening import NetworkListening
from edge_agent.adapters.rtp.packet import RtpPacket
from edge_agent.ports import RATE, AudioBlock
from edge_agent.settings_rtp import Rtp, SeatOnNetwork, SeatRtp
from tests.adapters.rtp import senders
from tests.adapters.rtp.senders import TYPES, Telephone, ethernet, packed, rtp
from tests.properties import QUICK

PBX, PHONE = "10.0.0.1", "10.0.0.31"
ON_PORTS = SeatRtp(customer_port=40_000, operator_port=40_002)
ON_ONE_PORT = SeatRtp(customer_port=40_000, operator_port=40_000, phone=PHONE)
ON_MIRROR = SeatRtp(phone=PHONE)


def a_voice(*clicks_s: float, seconds: float = 4.0, codec: Codec = Codec.PCMU) -> bytes:
    """Return a quiet hum with short loud sounds at some seconds."""
    rate = codec.rate
    samples = 100 * np.sin(2 * np.pi * 300 * np.arange(int(seconds * rate)) / rate)
    for click_s in clicks_s:
        place = int(click_s * rate)
        samples[place : place + rate // 50] += 15_000 * np.sin(2 * np.pi * 500 * np.arange(rate // 50) / rate)
    return packed(samples.astype(np.int16), codec)


@dataclass
class Floor:
    """A seat on the network and what was heard of it."""

    source: SeatRtp
    rtp: Rtp = field(default_factory=lambda: Rtp(interface="span0"))
    blocks: list[AudioBlock] = field(default_factory=list)
    faults: list[NetworkFault | None] = field(default_factory=list)
    keys: int = 0

    def __post_init__(self) -> None:
        self.listening = NetworkListening(self.rtp, [SeatOnNetwork(seat="01", source=self.source)], end_s=2.0)
        self.now_s = 100.0
        self._due: list[tuple[float, bytes, int | None, str]] = []

    def at_port(self, telephone: Telephone, port: int, *, sender: str = PBX, from_s: float = 0.0) -> None:
        """A telephone's packets are to arrive at a port of the box."""
        for at_s, packet in telephone.packets(from_s=self.now_s + from_s):
            self._due.append((at_s, rtp(packet), port, sender))

    def on_mirror(
        self, telephone: Telephone, source: tuple[str, int], destination: tuple[str, int], *, from_s: float = 0.0
    ) -> None:
        """A telephone's packets are to be seen on the mirror."""
        for at_s, packet in telephone.packets(from_s=self.now_s + from_s):
            self._due.append((at_s, ethernet(rtp(packet), source, destination), None, ""))

    def later(self, seconds: float, frame: bytes) -> None:
        """A frame is to be seen on the mirror."""
        self._due.append((self.now_s + seconds, frame, None, ""))

    def signalled(self, data: bytes, source: str, destination: str) -> None:
        self.listening.seen(ethernet(data, (source, 5060), (destination, 5060)), at_s=self.now_s)

    def pass_time(self, seconds: float) -> None:
        self._due.sort(key=lambda due: due[0])
        for _ in range(round(seconds * 10)):
            self.now_s += 0.1
            while self._due and self._due[0][0] <= self.now_s:
                at_s, data, port, sender = self._due.pop(0)
                if port is None:
                    self.listening.seen(data, at_s=at_s)
                else:
                    self.listening.arrived(data, port=port, sender=sender, at_s=at_s)
            heard = self.listening.tick(now_s=self.now_s)
            self.blocks += [block for _, block in heard.blocks]
            self.faults += heard.faults.values()
            self.keys += len(heard.keys)

    def side(self, name: str) -> np.ndarray:
        return np.concatenate([getattr(block, name) for block in self.blocks])

    def clicks(self, name: str) -> list[float]:
        """Seconds at which a voice becomes loud."""
        loud = np.abs(self.side(name).astype(int)) > 8000
        starts = [place for place in np.flatnonzero(loud) if not loud[max(0, place - 1600) : place].any()]
        return [place / RATE for place in starts]

    @property
    def counters(self) -> dict[str, int]:
        return self.listening.counters()["01"]


@pytest.mark.parametrize("codec", list(Codec))
def test_both_voices_come_out_at_the_same_time_as_they_were_spoken(codec: Codec) -> None:
    floor = Floor(ON_PORTS)
    kind = TYPES[codec]
    floor.at_port(Telephone(payload=a_voice(1.0, 3.0, codec=codec), payload_type=kind), 40_000)
    floor.at_port(Telephone(payload=a_voice(1.0, 2.0, codec=codec), payload_type=kind, ssrc=9, timestamp=5), 40_002)
    floor.pass_time(4.2)
    customer, operator = floor.clicks("customer"), floor.clicks("operator")
    assert len(customer) == len(operator) == 2
    assert customer[0] == pytest.approx(operator[0], abs=0.005)
    assert customer[1] - customer[0] == pytest.approx(2.0, abs=0.02)
    assert operator[1] - operator[0] == pytest.approx(1.0, abs=0.02)
    assert all(len(block.customer) == len(block.operator) == RATE // 10 and block.in_call for block in floor.blocks)


def test_a_call_without_sip_lasts_as_long_as_packets_come() -> None:
    floor = Floor(ON_PORTS)
    floor.at_port(Telephone(payload=a_voice(seconds=1.0)), 40_000)
    floor.pass_time(4.0)
    told = [block.in_call for block in floor.blocks]
    assert told[-1] is False
    assert all(told[:-1])
    assert len(told) == pytest.approx(30, abs=2)


def test_a_voice_that_joins_later_is_in_its_place() -> None:
    floor = Floor(ON_PORTS)
    floor.at_port(Telephone(payload=a_voice(3.0)), 40_000)
    floor.at_port(Telephone(payload=a_voice(1.0, seconds=2.0), ssrc=9), 40_002, from_s=2.0)
    floor.pass_time(4.2)
    assert floor.clicks("customer")[0] == pytest.approx(floor.clicks("operator")[0], abs=0.005)


@pytest.mark.parametrize("codec", list(Codec))
def test_voices_stay_together_when_one_begins_after_the_call_whatever_its_codec(codec: Codec) -> None:
    floor = Floor(ON_PORTS)
    kind = TYPES[codec]
    floor.at_port(Telephone(payload=a_voice(1.0, codec=codec), payload_type=kind), 40_000)
    floor.at_port(Telephone(payload=a_voice(1.0, codec=codec), payload_type=kind, ssrc=9), 40_002, from_s=0.3)
    floor.pass_time(4.5)
    (customer,), (operator,) = floor.clicks("customer"), floor.clicks("operator")
    assert operator - customer == pytest.approx(0.3, abs=0.005)


def test_on_one_port_the_phones_address_tells_the_voices_apart() -> None:
    floor = Floor(ON_ONE_PORT)
    floor.at_port(Telephone(payload=a_voice(1.0)), 40_000, sender=PHONE)
    floor.at_port(Telephone(payload=a_voice(2.0), ssrc=9), 40_000, sender=PBX)
    floor.pass_time(4.2)
    assert len(floor.clicks("customer")) == len(floor.clicks("operator")) == 1
    assert floor.clicks("customer")[0] - floor.clicks("operator")[0] == pytest.approx(1.0, abs=0.02)


def test_on_one_port_without_addresses_the_order_tells_the_voices_apart() -> None:
    floor = Floor(SeatRtp(customer_port=40_000, operator_port=40_000, first="operator"))
    floor.at_port(Telephone(payload=a_voice(1.5)), 40_000)
    floor.at_port(Telephone(payload=a_voice(2.0), ssrc=9), 40_000, from_s=0.5)
    floor.pass_time(4.2)
    assert floor.clicks("customer")[0] - floor.clicks("operator")[0] == pytest.approx(1.0, abs=0.02)


def test_a_stream_that_takes_over_within_a_call_is_the_same_voice() -> None:
    floor = Floor(ON_PORTS)
    floor.at_port(Telephone(payload=a_voice(1.0, seconds=2.0)), 40_000)
    floor.at_port(
        Telephone(payload=a_voice(1.0, seconds=2.0, codec=Codec.G722), payload_type=9, ssrc=77), 40_000, from_s=2.0
    )
    floor.pass_time(4.2)
    first, second = floor.clicks("customer")
    assert second - first == pytest.approx(2.0, abs=0.05)


def test_without_sip_new_streams_after_a_pause_are_another_call() -> None:
    floor = Floor(ON_PORTS)
    for number, from_s in enumerate((0.0, 2.2)):
        floor.at_port(Telephone(payload=a_voice(0.2, seconds=1.0), ssrc=10 + number), 40_000, from_s=from_s)
        floor.at_port(Telephone(payload=a_voice(seconds=1.0), ssrc=20 + number), 40_002, from_s=from_s)
    floor.pass_time(3.4)
    assert [block.in_call for block in floor.blocks].count(False) == 1
    assert len(floor.clicks("customer")) == 2  # nothing of the second call's beginning is missing


def test_without_sip_the_same_streams_after_a_pause_are_the_same_call() -> None:
    floor = Floor(ON_PORTS)
    voice = a_voice(seconds=1.0)
    floor.at_port(Telephone(payload=voice), 40_000)
    resumed = Telephone(payload=voice, sequence=(65_530 + 50) % 65_536, timestamp=(2**32 - 1000 + 8000 * 2) % 2**32)
    floor.at_port(resumed, 40_000, from_s=2.2)
    floor.pass_time(3.4)
    assert all(block.in_call for block in floor.blocks)


def test_a_call_whose_end_was_not_seen_ends_after_a_quarter_of_an_hour_and_stays_ended() -> None:
    floor = Floor(SeatRtp(extension="201"))
    floor.signalled(senders.invite("c", caller="0901", called="201", media=PBX), PBX, PHONE)
    floor.signalled(senders.answer(200, "c", caller="0901", called="201", body=senders.sdp(PHONE, 4000)), PHONE, PBX)
    floor.pass_time(1000.0)
    told = [block.in_call for block in floor.blocks]
    assert told.count(False) == 1
    assert told[-1] is False
    floor.signalled(senders.invite("d", caller="0902", called="201", media=PBX), PBX, PHONE)
    floor.pass_time(5.0)  # the next one rings
    assert floor.blocks[-1].in_call is False


def test_a_stray_stream_beside_the_voice_is_not_heard() -> None:
    floor = Floor(ON_PORTS)
    floor.at_port(Telephone(payload=a_voice(1.0)), 40_000)
    floor.at_port(Telephone(payload=a_voice(2.0, 2.5, 3.0), ssrc=77), 40_000, from_s=0.2)
    floor.pass_time(4.2)
    assert len(floor.clicks("customer")) == 1


def test_a_mirror_without_sip_knows_a_seat_by_its_phone() -> None:
    floor = Floor(ON_MIRROR)
    floor.on_mirror(Telephone(payload=a_voice(1.0)), (PHONE, 4000), (PBX, 5000))
    floor.on_mirror(Telephone(payload=a_voice(2.0), ssrc=9), (PBX, 5000), (PHONE, 4000))
    floor.pass_time(4.2)
    assert floor.clicks("customer")[0] - floor.clicks("operator")[0] == pytest.approx(1.0, abs=0.02)


def test_two_seats_whose_phones_talk_directly_both_hear_the_call() -> None:
    other = "10.0.0.32"
    seats = [SeatOnNetwork(seat=f"0{n}", source=SeatRtp(phone=phone)) for n, phone in ((1, PHONE), (2, other))]
    listening = NetworkListening(Rtp(interface="span0"), seats, end_s=2.0)
    blocks: dict[str, list[AudioBlock]] = {"01": [], "02": []}
    for at_s, packet in Telephone(payload=a_voice(0.2, seconds=1.0)).packets():
        listening.seen(ethernet(rtp(packet), (PHONE, 4000), (other, 4000)), at_s=at_s)
    for tick in range(1, 12):
        for seat, block in listening.tick(now_s=tick / 10).blocks:
            blocks[seat].append(block)
    assert any(np.abs(block.operator.astype(int)).max() > 8000 for block in blocks["01"])
    assert any(np.abs(block.customer.astype(int)).max() > 8000 for block in blocks["02"])


def test_a_mirror_that_shows_every_packet_twice_is_heard_once() -> None:
    floor = Floor(ON_MIRROR)
    for _ in range(2):
        floor.on_mirror(Telephone(payload=a_voice(1.0)), (PBX, 5000), (PHONE, 4000))
    floor.pass_time(4.2)
    assert len(floor.clicks("customer")) == 1
    assert floor.counters["duplicate"] == 200


def test_sip_leads_the_voices_of_an_extension_and_ends_the_call_at_once() -> None:
    floor = Floor(SeatRtp(extension="201"))
    offer = senders.invite("c", caller="0901", called="201", media=PBX, sdp_port=5000)
    floor.signalled(offer, PBX, PHONE)
    answer = senders.answer(200, "c", caller="0901", called="201", body=senders.sdp(PHONE, 4000))
    floor.signalled(answer, PHONE, PBX)
    floor.on_mirror(Telephone(payload=a_voice(1.0)), (PHONE, 4000), (PBX, 5000))
    floor.on_mirror(Telephone(payload=a_voice(2.0), ssrc=9), (PBX, 5000), (PHONE, 4000))
    floor.pass_time(4.2)
    assert floor.clicks("customer")[0] - floor.clicks("operator")[0] == pytest.approx(1.0, abs=0.02)
    assert floor.blocks[-1].in_call
    floor.signalled(senders.request("BYE", "c", caller="0901", called="201"), PBX, PHONE)
    floor.pass_time(0.1)
    assert floor.blocks[-1].in_call is False


def test_a_call_on_hold_goes_on_without_packets() -> None:
    floor = Floor(SeatRtp(extension="201"))
    floor.signalled(senders.invite("c", caller="0901", called="201", media=PBX), PBX, PHONE)
    floor.signalled(senders.answer(200, "c", caller="0901", called="201", body=senders.sdp(PHONE, 4000)), PHONE, PBX)
    for port in ((PHONE, 4000), (PBX, 5000)):
        floor.on_mirror(
            Telephone(payload=a_voice(seconds=1.0), ssrc=port[1]),
            port,
            (PBX, 4000) if port[0] == PHONE else (PHONE, 4000),
        )
    floor.pass_time(20.0)
    assert all(block.in_call for block in floor.blocks)
    assert floor.faults == []


@pytest.mark.parametrize(("port", "fault"), [(40_000, NetworkFault.NO_OPERATOR), (40_002, NetworkFault.NO_CUSTOMER)])
def test_a_voice_that_never_comes_is_a_fault_until_it_does(port: int, fault: NetworkFault) -> None:
    floor = Floor(ON_PORTS, Rtp(no_audio_s=3))
    floor.at_port(Telephone(payload=a_voice(1.0, seconds=8.0)), port)
    floor.at_port(Telephone(payload=a_voice(1.0, seconds=2.0), ssrc=9), 80_002 - port, from_s=6.0)
    floor.pass_time(8.0)
    assert floor.faults == [fault, None]
    assert len(floor.clicks("customer" if port == 40_000 else "operator")) == 1  # heard all the same


@pytest.mark.parametrize(
    ("profile", "fault"), [("RTP/AVP", NetworkFault.NO_AUDIO), ("RTP/SAVP", NetworkFault.ENCRYPTED)]
)
def test_a_call_of_which_nothing_can_be_heard_is_a_fault(profile: str, fault: NetworkFault) -> None:
    floor = Floor(SeatRtp(extension="201"))
    body = senders.sdp(PHONE, 4000, profile=profile)
    floor.signalled(senders.invite("c", caller="0901", called="201", media=PBX), PBX, PHONE)
    floor.signalled(senders.answer(200, "c", caller="0901", called="201", body=body), PHONE, PBX)
    floor.pass_time(11.0)
    assert floor.faults == [fault]


@pytest.mark.parametrize("answered", [False, True])
def test_voices_in_a_codec_that_cannot_be_unpacked_are_a_fault_with_that_reason(*, answered: bool) -> None:
    floor = Floor(SeatRtp(extension="201", phone=PHONE))
    if answered:
        body = senders.sdp(PHONE, 4000)
        floor.signalled(senders.invite("c", caller="0901", called="201", media=PBX), PBX, PHONE)
        floor.signalled(senders.answer(200, "c", caller="0901", called="201", body=body), PHONE, PBX)
    for sequence in range(150):
        packet = RtpPacket(payload_type=18, sequence=sequence, timestamp=160 * sequence, ssrc=5, payload=b"\0" * 20)
        floor.later(0.02 * sequence, ethernet(rtp(packet), (PBX, 9000), (PHONE, 4000)))
    floor.pass_time(3.0)
    assert floor.faults == [NetworkFault.CODEC]
    assert bool(floor.blocks) is answered, "what cannot be unpacked begins no call"
    floor.pass_time(2.0)
    assert floor.faults[1:] == [None], "it has ceased"
    floor.on_mirror(Telephone(payload=a_voice(1.0, seconds=3.0)), (PBX, 9000), (PHONE, 4000))
    floor.pass_time(3.0)
    assert len(floor.clicks("customer")) == 1
    assert floor.faults[2:] == []


def test_pressed_keys_are_told_of_once_and_which_they_were_is_nowhere() -> None:
    floor = Floor(ON_PORTS)
    floor.at_port(Telephone(payload=a_voice(seconds=1.0)), 40_000)
    floor.pass_time(1.0)
    for number in range(10):
        event = RtpPacket(
            payload_type=101,
            sequence=(65_530 + 50 + number) % 65_536,
            timestamp=(2**32 - 1000 + 8000) % 2**32,
            ssrc=0x1234,
            payload=bytes([7, 10, 0, 160]),
        )
        floor.listening.arrived(rtp(event), port=40_000, sender=PBX, at_s=floor.now_s + number * 0.02)
    floor.pass_time(1.0)
    assert floor.keys == 1
    assert (floor.counters["lost"], floor.counters["off"]) == (0, 0)


def test_loss_and_jitter_of_a_bad_network_are_counted_as_they_were() -> None:
    chance = random.Random(11)  # noqa: S311 - the same network in every run
    floor = Floor(ON_PORTS)
    sent = list(Telephone(payload=a_voice(seconds=60.0)).packets(from_s=floor.now_s))
    kept = [one for number, one in enumerate(sent) if number in {0, len(sent) - 1} or chance.random() > 0.05]
    floor._due = [(at_s + chance.uniform(0, 0.06), rtp(packet), 40_000, PBX) for at_s, packet in kept]
    floor.pass_time(60.0)
    counters = floor.counters
    assert counters["lost"] == len(sent) - len(kept)
    assert counters["concealed"] / counters["played"] == pytest.approx(counters["lost"] / len(sent), abs=0.005)


def test_what_is_no_packet_is_counted() -> None:
    floor = Floor(ON_PORTS)
    floor.listening.arrived(b"\0\1\0\0", port=40_000, sender=PBX, at_s=1.0)
    assert floor.listening.malformed == 1


def test_frames_are_read_in_vlans_and_both_versions_of_ip() -> None:
    for vlan in (False, True):
        for source, destination in (((PHONE, 4000), (PBX, 5000)), (("fd00::31", 4000), ("fd00::1", 5000))):
            seen = datagram(ethernet(b"voice", source, destination, vlan=vlan))
            assert seen is not None
            assert (seen.source, seen.destination, seen.payload) == (source, destination, b"voice")


def _valid(draw: st.DrawFn) -> bytes:
    packet = RtpPacket(
        payload_type=draw(st.sampled_from([0, 8, 9, 13, 101, 96, 127])),
        sequence=draw(st.integers(0, 65_535)),
        timestamp=draw(st.integers(0, 2**32 - 1)),
        ssrc=draw(st.integers(0, 3)),
        payload=draw(st.binary(max_size=300)),
    )
    return rtp(packet)


anything = st.one_of(st.binary(max_size=200), st.composite(_valid)())


@QUICK
@given(
    st.lists(st.tuples(anything, st.booleans(), st.floats(0, 0.3)), max_size=60),
    st.sampled_from([ON_PORTS, ON_ONE_PORT, ON_MIRROR]),
)
def test_no_traffic_ends_the_listening(traffic: list[tuple[bytes, bool, float]], source: SeatRtp) -> None:
    floor = Floor(source)
    for data, sip_like, after_s in traffic:
        floor.now_s += after_s
        floor.listening.seen(data, at_s=floor.now_s)
        port = 5060 if sip_like else 4000
        floor.listening.seen(ethernet(data, (PHONE, port), (PBX, port)), at_s=floor.now_s)
        if floor.listening.ports:
            floor.listening.arrived(data, port=40_000, sender=PBX, at_s=floor.now_s)
        for _, block in floor.listening.tick(now_s=floor.now_s).blocks:
            assert len(block.customer) == RATE // 10


def test_a_flood_of_changing_streams_does_not_make_memory_grow() -> None:
    chance = random.Random(2)  # noqa: S311 - the same network in every run
    floor = Floor(ON_ONE_PORT)

    def flood(count: int) -> None:
        for number in range(count):
            packet = RtpPacket(
                payload_type=0,
                sequence=chance.getrandbits(16),
                timestamp=chance.getrandbits(32),
                ssrc=chance.getrandbits(32) if number % 2 else 5,
                payload=bytes(160),
            )
            floor.listening.arrived(rtp(packet), port=40_000, sender=PBX, at_s=floor.now_s)
            floor.listening.seen(
                ethernet(senders.invite(str(number), caller="x", called="y", media=PBX), (PHONE, 5060), (PBX, 5060)),
                at_s=floor.now_s,
            )
            floor.now_s += 0.001
            if number % 100 == 0:
                floor.listening.tick(now_s=floor.now_s)

    flood(3000)  # the tables fill up to their limits
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        flood(3000)
        assert tracemalloc.get_traced_memory()[0] - before < 8_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("source", [ON_PORTS, ON_ONE_PORT, ON_MIRROR], ids=["ports", "one port", "mirror"])
def test_a_flood_of_broken_packets_does_not_make_memory_grow(source: SeatRtp) -> None:
    chance = random.Random(3)  # noqa: S311 - the same network in every run
    floor = Floor(source)
    sound = rtp(RtpPacket(payload_type=0, sequence=7, timestamp=9, ssrc=5, payload=bytes(160)))
    said = senders.invite("call", caller="x", called="y", media=PBX)

    def broken(data: bytes) -> bytes:
        damaged = bytearray(data[: chance.randrange(len(data) + 1)] + chance.randbytes(chance.randrange(40)))
        for _ in range(min(len(damaged), chance.randrange(8))):
            damaged[chance.randrange(len(damaged))] = chance.getrandbits(8)
        return bytes(damaged)

    def flood(count: int) -> None:
        for number in range(count):
            if floor.listening.ports:
                floor.listening.arrived(broken(sound), port=40_000, sender=PBX, at_s=floor.now_s)
            floor.listening.seen(broken(ethernet(sound, (PHONE, 4000), (PBX, 4000))), at_s=floor.now_s)
            floor.listening.seen(ethernet(broken(said), (PHONE, 5060), (PBX, 5060)), at_s=floor.now_s)
            floor.now_s += 0.001
            if number % 100 == 0:
                floor.listening.tick(now_s=floor.now_s)

    flood(1500)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        flood(2000)
        assert tracemalloc.get_traced_memory()[0] - before < 500_000
    finally:
        tracemalloc.stop()
