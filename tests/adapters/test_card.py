"""Sound cards: found by name, watched, reopened; their frames become the lines' blocks."""

from __future__ import annotations

import os
import signal
import struct
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import psutil
import pytest

from edge_agent.adapters.card import Card
from edge_agent.adapters.card_frames import BLOCK_SAMPLES, START_S, FrameWatch, LossCounter, Splitter, Trouble
from edge_agent.adapters.card_process import CardError, Kind, Message, Outlet, Reason, Unpacker, find_device
from edge_agent.ports import RATE, AudioBlock
from edge_agent.settings import Seat
from edge_agent.settings_cards import Device

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from edge_agent.errors import Text
    from tests.fixtures_audio import Cards, Eventually

pytestmark = pytest.mark.alone


def a_device(name: str = "tap", *, match: str | None = None, channels: int = 2, rate: int = RATE) -> Device:
    return Device(name=name, match=match or name, channels=channels, rate=rate)


def a_seat(number: int, *, device: str = "tap") -> Seat:
    """Return the seat whose customer is on channel 2(n-1) and whose operator is on the next."""
    return Seat(
        seat=f"{number:02}",
        label_ja=f"{number}番",
        label_en=f"Seat {number}",
        device=device,
        customer_channel=2 * (number - 1),
        operator_channel=2 * number - 1,
    )


@dataclass
class Floor:
    """What a card delivered and reported, seat by seat."""

    blocks: dict[str, list[AudioBlock]] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    faults: dict[str, list[Text | None]] = field(default_factory=dict)

    def fault(self, seat: str) -> Text | None:
        return self.faults.get(seat, [None])[-1]

    def running(self, seat: str) -> bool:
        return bool(self.faults.get(seat)) and self.fault(seat) is None

    def heard(self, seat: str, side: str) -> np.ndarray:
        return np.concatenate([getattr(block, side) for block in self.blocks[seat]])

    def dropped(self, seat: str) -> int:
        return sum(block.dropped for block in self.blocks[seat])

    @contextmanager
    def reading(self, device: Device, *seats: Seat) -> Iterator[Floor]:
        """Read a card while the test does something."""

        def deliver(seat: Seat) -> None:
            self.blocks[seat.seat] = []

        for seat in seats:
            deliver(seat)

        def take(block: AudioBlock, *, of: list[AudioBlock]) -> None:
            of.append(block)
            self.times.append(time.monotonic())

        self.card = card = Card(
            device,
            seats,
            deliver={seat.seat: (lambda block, of=self.blocks[seat.seat]: take(block, of=of)) for seat in seats},
            on_fault=lambda seat, fault: self.faults.setdefault(seat, []).append(fault),
        )
        stop = threading.Event()
        thread = threading.Thread(target=card.run, args=(stop,))
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join(5)
            assert not thread.is_alive()


# --- the parts -------------------------------------------------------------------------------------------------


def test_a_card_is_found_by_a_part_of_its_name() -> None:
    names = {0: "default", 3: "USB Audio CODEC: - (hw:1,0)", 4: "mamori-tap-a", 7: "mamori-tap-ab"}
    assert find_device(names, "CODEC") == 3
    assert find_device(names, "mamori-tap-a") == 4  # the whole name comes before a part of another


@pytest.mark.parametrize(("match", "reason"), [("tap-c", Reason.ABSENT), ("tap", Reason.AMBIGUOUS)])
def test_a_name_that_fits_no_card_or_several_is_refused(match: str, reason: Reason) -> None:
    with pytest.raises(CardError) as error:
        find_device({1: "tap-a", 2: "tap-b"}, match)
    assert error.value.reason is reason
    assert "tap-b" in error.value.detail


def test_messages_survive_however_the_pipe_cuts_them() -> None:
    sent = [
        Message(kind=Kind.READY, payload=b"{}"),
        Message(kind=Kind.FRAMES, payload=b"abcd", first_frame=7, overruns=1, lost=2, at_ns=3),
        Message(kind=Kind.FRAMES, payload=b"", first_frame=9),
    ]
    stream = b"".join(message.pack() for message in sent)
    unpacker = Unpacker()
    assert [message for i in range(len(stream)) for message in unpacker.feed(stream[i : i + 1])] == sent


def test_bytes_that_are_no_message_are_refused() -> None:
    with pytest.raises(ValueError, match="JUNK"):
        list(Unpacker().feed(struct.pack("<4sIQQQQ", b"JUNK", 0, 0, 0, 0, 0)))


def test_frames_that_nobody_fetches_are_dropped_and_counted() -> None:
    outlet = Outlet(limit=2)
    for number in range(4):
        outlet.put(bytes([number]), frames=800, overrun=number == 2, at_ns=number)
    first, second = outlet.take(), outlet.take()
    assert (first.payload, first.first_frame, first.lost, first.overruns) == (b"\x02", 1600, 800, 1)
    assert (second.payload, second.first_frame, second.lost) == (b"\x03", 2400, 1600)


def test_a_card_at_its_rate_is_well() -> None:
    watch = FrameWatch(rate=8000, started_s=0.0)
    assert all(watch.note(frames=800, at_s=1 + i / 10) is None for i in range(100))
    assert not watch.overdue(now_s=1 + 99 / 10 + 1.9)
    assert watch.overdue(now_s=1 + 99 / 10 + 2.1)


@pytest.mark.parametrize(("frames", "trouble"), [(400, Trouble.TOO_FEW), (1600, Trouble.TOO_MANY)])
def test_a_card_at_another_rate_than_agreed_is_told(frames: int, trouble: Trouble) -> None:
    watch = FrameWatch(rate=8000, started_s=0.0)
    told = [watch.note(frames=frames, at_s=1 + i / 10) for i in range(30)]
    assert told[19] is None
    assert trouble in told[20:]


def test_a_card_that_says_it_lost_frames_is_not_taken_for_one_at_the_wrong_rate() -> None:
    watch = FrameWatch(rate=8000, started_s=0.0)
    assert all(watch.note(frames=400, at_s=1 + i / 10, lost=i % 10 == 0) is None for i in range(100))


def test_a_card_may_take_five_seconds_to_start() -> None:
    watch = FrameWatch(rate=8000, started_s=10.0)
    assert not watch.overdue(now_s=14.9)
    assert watch.overdue(now_s=15.1)


def test_a_process_that_hangs_on_a_lost_card_is_started_anew_when_cards_come(
    tmp_path: Path, eventually: Eventually
) -> None:
    cards, faults = tmp_path / "cards", []
    card = Card(
        a_device(rate=8000),
        [a_seat(1)],
        deliver={"01": lambda _block: None},
        on_fault=lambda _seat, fault: faults.append(fault),
        command=(sys.executable, "-c", "import sys; sys.stdin.read()"),
        list_of_cards=cards,
    )
    stop = threading.Event()
    thread = threading.Thread(target=card.run, args=(stop,))
    thread.start()

    def another_comes() -> bool:
        with cards.open("a", encoding="utf-8") as file:
            file.write("[mamori_tap ]")
        return bool(faults)

    try:
        assert eventually(another_comes, 10) < START_S, "not only when its time is over"
    finally:
        stop.set()
        thread.join(5)


def frames_at(number: int, *, late_s: float = 0.0, overruns: int = 0, lost: int = 0) -> Message:
    at_ns = int((100 + number / 10 + late_s) * 1e9)
    return Message(kind=Kind.FRAMES, payload=b"", first_frame=number * 800, overruns=overruns, lost=lost, at_ns=at_ns)


def test_an_overrun_counts_as_many_blocks_as_the_clock_says_are_missing() -> None:
    losses = LossCounter(rate=8000)
    assert [losses.blocks(frames_at(i)) for i in range(5)] == [0] * 5
    assert losses.blocks(frames_at(5, late_s=0.5, overruns=1)) == 5
    assert losses.blocks(frames_at(6, late_s=0.5, overruns=1)) == 0
    assert losses.blocks(frames_at(7, late_s=0.5, overruns=2)) == 1  # short, but never silent
    assert losses.blocks(frames_at(8, late_s=0.5, overruns=2, lost=1600)) == 2


def test_a_slow_quartz_is_no_loss() -> None:
    losses = LossCounter(rate=8000)
    for number in range(36_000):  # an hour, 100 ppm slow
        assert losses.blocks(frames_at(number, late_s=number * 1e-5)) == 0
    assert losses.blocks(frames_at(36_000, late_s=0.36, overruns=1)) == 1


def test_each_seat_gets_its_own_channels_in_blocks_of_100_ms() -> None:
    frames = np.arange(4 * 3500, dtype=np.int16).reshape(-1, 4)
    splitter = Splitter(a_device(channels=4), [a_seat(2), a_seat(1)])
    given = [
        pair
        for start in range(0, 3500, 700)
        for pair in splitter.feed(frames[start : start + 700].tobytes(), dropped=3 if start == 0 else 0)
    ]
    assert [(seat, block.dropped) for seat, block in given] == [("02", 3), ("01", 3), ("02", 0), ("01", 0)]
    for seat, first in (("01", 0), ("02", 2)):
        blocks = [block for name, block in given if name == seat]
        assert np.array_equal(np.concatenate([b.customer for b in blocks]), frames[:3200, first])
        assert np.array_equal(np.concatenate([b.operator for b in blocks]), frames[:3200, first + 1])


def test_a_telephone_band_card_is_brought_to_16_kilohertz() -> None:
    seconds = np.arange(8000 * 2) / 8000
    tone = (10_000 * np.sin(2 * np.pi * 440 * seconds)).astype(np.int16)
    splitter = Splitter(a_device(rate=8000), [a_seat(1)])
    frames = np.column_stack((tone, -tone))
    blocks = [
        block
        for start in range(0, len(tone), 800)
        for _, block in splitter.feed(frames[start : start + 800].tobytes(), dropped=0)
    ]
    customer = np.concatenate([block.customer for block in blocks])
    assert all(len(block.customer) == BLOCK_SAMPLES for block in blocks)
    assert len(customer) >= 1.8 * RATE
    spectrum = np.abs(np.fft.rfft(customer[:RATE]))
    assert int(spectrum.argmax()) == 440
    operator = np.concatenate([block.operator for block in blocks])
    assert np.allclose(customer, -operator, atol=3)  # the last bit is dithered


@pytest.mark.parametrize("rate", [8000, 32_000, 44_100, 48_000])
def test_a_card_of_any_rate_is_brought_to_16_kilohertz_once(rate: int) -> None:
    seconds = np.arange(rate * 3) / rate
    tone = (10_000 * np.sin(2 * np.pi * 440 * seconds)).astype(np.int16)
    splitter, step = Splitter(a_device(rate=rate), [a_seat(1)]), rate // 10
    blocks = [
        block
        for start in range(0, len(tone), step)
        for _, block in splitter.feed(np.column_stack((tone, tone))[start : start + step].tobytes(), dropped=0)
    ]
    heard = np.concatenate([block.customer for block in blocks]).astype(float)
    assert len(heard) == pytest.approx(3 * RATE, abs=2 * BLOCK_SAMPLES)
    assert int(np.abs(np.fft.rfft(heard[RATE : 2 * RATE])).argmax()) == 440
    # Nothing is lost or doubled where chunks meet: the tone never jumps.
    assert np.abs(np.diff(heard[BLOCK_SAMPLES:-BLOCK_SAMPLES])).max() < 10_000 * 2 * np.pi * 440 / RATE * 1.02


def test_each_side_has_its_gain_and_what_is_too_loud_is_cut_off() -> None:
    frames = np.tile(np.array([[1000, 20_000, -7, 5]], np.int16), (1600, 1))
    louder = msgspec.structs.replace(a_seat(1), customer_gain_db=6.0, operator_gain_db=12.0)
    given = dict(Splitter(a_device(channels=4), [louder, a_seat(2)]).feed(frames.tobytes(), dropped=0))
    assert set(given["01"].customer.tolist()) == {1995}
    assert set(given["01"].operator.tolist()) == {32_767}
    assert (set(given["02"].customer.tolist()), set(given["02"].operator.tolist())) == ({-7}, {5})


# --- with PortAudio and the plug-in ----------------------------------------------------------------------------


@pytest.mark.journey
@pytest.mark.parametrize("channels", [2, 16])
def test_every_frame_of_a_card_arrives_unchanged_and_in_time(
    cards: Cards, eventually: Eventually, channels: int
) -> None:
    recorded = cards.add("tap", channels=channels, rate=RATE).samples
    seats = [a_seat(number) for number in range(1, channels // 2 + 1)]
    with Floor().reading(a_device(channels=channels), *seats) as floor:
        eventually(lambda: len(floor.blocks["01"]) >= 40, 15)
    for number, seat in enumerate(seats):
        for side, channel in (("customer", 2 * number), ("operator", 2 * number + 1)):
            heard = floor.heard(seat.seat, side)
            assert np.array_equal(heard, recorded[: len(heard), channel])
        assert floor.dropped(seat.seat) == 0
    blocks = len(floor.blocks["01"])
    assert floor.times[-1] - floor.times[0] == pytest.approx((blocks - 1) / 10, abs=0.3)


@pytest.mark.journey
def test_an_overrun_is_counted_and_the_card_runs_on(cards: Cards, eventually: Eventually) -> None:
    card = cards.add("tap", channels=2, rate=8000)
    with Floor().reading(a_device(rate=8000), a_seat(1)) as floor:
        eventually(lambda: len(floor.blocks.get("01", ())) >= 5, 10)
        card.order("xrun")
        eventually(lambda: floor.dropped("01") >= 1, 5)
        before = len(floor.blocks["01"])
        eventually(lambda: len(floor.blocks["01"]) >= before + 10, 5)
        report = floor.card.report
    assert floor.faults == {"01": [None]}
    assert (report.running, report.overruns, report.losses) == (True, 1, 0)
    assert report.dropped == floor.dropped("01")


@pytest.mark.journey
@pytest.mark.parametrize("word", ["gone", "stall"])
def test_a_card_that_is_lost_shows_a_fault_and_is_heard_again_when_it_is_back(
    cards: Cards, eventually: Eventually, word: str
) -> None:
    card = cards.add("tap", channels=2, rate=8000)
    with Floor().reading(a_device(rate=8000), a_seat(1)) as floor:
        eventually(lambda: floor.running("01"), 10)
        card.order(word)
        assert eventually(lambda: floor.fault("01") is not None, 10) <= 3.0
        fault = floor.fault("01")
        assert fault is not None
        assert "tap" in fault.ja
        assert "差し込みと電源" in fault.ja
        assert "plug and power" in fault.en
        blocks = len(floor.blocks["01"])
        card.mend()
        assert eventually(lambda: floor.running("01"), 10) <= 5.0
        eventually(lambda: len(floor.blocks["01"]) > blocks, 2)
        assert floor.dropped("01") >= 10  # a second and more was missed, and is told
        report = floor.card.report
    assert (report.running, report.losses, report.dropped) == (True, 1, floor.dropped("01"))


@pytest.mark.journey
def test_of_two_cards_one_is_lost_and_back_while_the_other_runs_unharmed(
    cards: Cards, eventually: Eventually, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, lost = cards.add("left", channels=4, rate=RATE), cards.add("right", channels=2, rate=48_000)
    one, other = Floor(), Floor()
    left, right = a_device("left", channels=4), a_device("right", rate=48_000)
    seats = [a_seat(1, device="left"), a_seat(2, device="left")]
    with one.reading(left, *seats), other.reading(right, a_seat(1, device="right")):
        eventually(lambda: one.running("01") and other.running("01"), 15)
        lost.order("gone")
        shown_s = eventually(lambda: other.fault("01") is not None, 10)
        away = len(one.blocks["01"])
        eventually(lambda: len(one.blocks["01"]) >= away + 20, 5)
        lost.mend()
        back_s = eventually(lambda: other.running("01"), 10)
        again = len(other.blocks["01"])
        eventually(lambda: len(other.blocks["01"]) >= again + 10, 5)
    with capsys.disabled():
        sys.stdout.write(f"\ncard lost: fault shown after {shown_s:.2f} s, heard {back_s:.2f} s after it was back\n")
    assert shown_s <= 3.0
    assert back_s <= 5.0
    assert one.faults == {"01": [None], "02": [None]}
    assert (one.card.report.dropped, one.card.report.losses) == (0, 0)
    assert (other.card.report.running, other.card.report.losses) == (True, 1)
    for seat, first in (("01", 0), ("02", 2)):
        for side, channel in (("customer", first), ("operator", first + 1)):
            heard = one.heard(seat, side)
            assert np.array_equal(heard, np.resize(kept.samples[:, channel], len(heard)))


@pytest.mark.journey
def test_a_card_that_does_not_exist_faults_its_own_lines_only(cards: Cards, eventually: Eventually) -> None:
    cards.add("tap", channels=2, rate=8000)
    good, bad = Floor(), Floor()
    with (
        good.reading(a_device(rate=8000), a_seat(1)),
        bad.reading(a_device("cellar", rate=8000), a_seat(2, device="cellar")),
    ):
        eventually(lambda: good.running("01") and bad.fault("02") is not None, 10)
        before = len(good.blocks["01"])
        eventually(lambda: len(good.blocks["01"]) >= before + 10, 3)
    fault = bad.fault("02")
    assert fault is not None
    assert "cellar" in fault.ja
    assert "見つかりません" in fault.ja
    assert "`match`" in fault.en
    assert set(bad.faults["02"]) == {fault}
    assert good.faults == {"01": [None]}


@pytest.mark.journey
def test_a_card_with_fewer_channels_than_agreed_is_refused_with_a_reason(cards: Cards, eventually: Eventually) -> None:
    cards.add("tap", channels=2, rate=8000)
    with Floor().reading(a_device(channels=4, rate=8000), a_seat(1)) as floor:
        eventually(lambda: floor.fault("01") is not None, 10)
    fault = floor.fault("01")
    assert fault is not None
    assert "cannot be opened" in fault.en


@pytest.mark.journey
def test_a_card_whose_process_is_killed_is_read_again(cards: Cards, eventually: Eventually) -> None:
    cards.add("tap", channels=2, rate=8000)
    with Floor().reading(a_device(rate=8000), a_seat(1)) as floor:
        eventually(lambda: floor.running("01"), 10)
        (process,) = [
            child for child in psutil.Process().children() if "edge_agent.adapters.card_process" in child.cmdline()
        ]
        os.kill(process.pid, signal.SIGKILL)
        eventually(lambda: floor.fault("01") is not None, 3)
        eventually(lambda: floor.running("01"), 5)
    assert [fault is None for fault in floor.faults["01"]] == [True, False, True]


@pytest.mark.journey
def test_a_recording_with_an_epoch_goes_on_while_nobody_listens(cards: Cards, eventually: Eventually) -> None:
    since = time.time() - 5
    card = cards.add("tap", channels=2, rate=RATE, options=f"loop yes epoch {since:.3f}")
    with Floor().reading(a_device(), a_seat(1)) as floor:
        eventually(lambda: len(floor.blocks.get("01", ())) >= 3, 10)
    first = floor.blocks["01"][0].customer
    starts = [at for at in range(4 * RATE, 8 * RATE) if np.array_equal(card.samples[at : at + 32, 0], first[:32])]
    assert len(starts) == 1
    assert np.array_equal(card.samples[starts[0] : starts[0] + len(first), 0], first)
