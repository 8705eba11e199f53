"""What a line's entrance lets through, and what it keeps in memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge_agent.pipeline.lines import BlockQueue, joined
from edge_agent.pipeline.ring import Ring
from edge_agent.pipeline.tap import Tap
from edge_agent.ports import RATE, Announced, AudioBlock

TENTH = RATE // 10


def a_block(value: int, *, operator: int | None = 0) -> AudioBlock:
    other = None if operator is None else np.full(TENTH, operator, np.int16)
    return AudioBlock(customer=np.full(TENTH, value, np.int16), operator=other)


def taken(blocks: BlockQueue) -> list[AudioBlock]:
    return blocks.take(100)


def test_nothing_said_in_a_pause_passes_but_its_time_does() -> None:
    blocks, ring = BlockQueue(), Ring(seconds=2)
    tap = Tap(blocks=blocks, ring=ring)
    tap.pause()
    said = a_block(7, operator=8)
    tap.put(replace(said, dropped=2, in_call=True))
    tap.go_on()
    tap.put(a_block(9))
    private, after = taken(blocks)
    assert private.private
    assert not private.customer.any()
    assert private.operator is not None
    assert not private.operator.any()
    assert (len(private.customer), private.dropped, private.in_call) == (TENTH, 2, True)
    assert not said.customer.any(), "what was said is written over, not only let go"
    assert not after.private
    assert after.customer[0] == 9
    assert set(np.unique(ring.take(2))) == {0, 9}


def test_a_pause_silences_what_waits_for_recognition_and_empties_the_ring() -> None:
    blocks, ring = BlockQueue(), Ring(seconds=2)
    tap = Tap(blocks=blocks, ring=ring)
    said = [a_block(value) for value in (1, 2, 3)]
    for block in said:
        tap.put(block)
    tap.pause()
    assert ring.held_s == 0
    assert not any(block.customer.any() for block in said)
    waiting = taken(blocks)
    assert [block.private for block in waiting] == [True] * 3
    assert not any(block.customer.any() for block in waiting)


def test_what_may_not_be_written_over_is_at_least_not_passed_on() -> None:
    blocks = BlockQueue()
    tap = Tap(blocks=blocks, ring=None)
    tap.pause()
    fixed = np.frombuffer(bytes([1, 1] * TENTH), np.int16)
    tap.put(AudioBlock(customer=fixed, operator=None))
    [block] = taken(blocks)
    assert block.operator is None
    assert not block.customer.any()


def test_the_ring_holds_the_newest_audio_of_both_sides() -> None:
    ring = Ring(seconds=1)
    for value in range(1, 16):
        ring.add(a_block(value, operator=-value))
    assert ring.held_s == 1.0
    newest = ring.take(0.2)
    assert newest.shape == (2, 2 * TENTH)
    assert list(newest[0, ::TENTH]) == [14, 15]
    assert list(newest[1, ::TENTH]) == [-14, -15]
    assert list(ring.take(60)[0, ::TENTH]) == list(range(6, 16))


def test_what_is_taken_from_the_ring_is_a_copy() -> None:
    ring = Ring(seconds=1)
    ring.add(a_block(5))
    copy = ring.take(1)
    ring.clear()
    assert copy.any()
    assert ring.take(1).shape == (2, 0)


def test_a_ring_takes_no_more_memory_however_long_the_call() -> None:
    ring = Ring(seconds=60)
    before = ring.nbytes
    for value in range(700):
        ring.add(a_block(value, operator=None))
    assert ring.nbytes == before == 60 * RATE * 2 * 2
    assert ring.held_s == 60.0


@pytest.mark.parametrize("seconds", [0.0, -1.0])
def test_nothing_is_taken_for_no_time(seconds: float) -> None:
    ring = Ring(seconds=1)
    ring.add(a_block(5))
    assert ring.take(seconds).shape == (2, 0)


def test_a_ring_takes_a_block_longer_than_itself() -> None:
    ring = Ring(seconds=1)
    ring.add(AudioBlock(customer=np.arange(3 * RATE, dtype=np.int16), operator=None))
    assert ring.held_s == 1.0
    assert ring.take(1)[0].tobytes() == np.arange(2 * RATE, 3 * RATE, dtype=np.int16).tobytes()


def test_what_was_announced_stands_on_every_block_in_place_of_what_the_source_says() -> None:
    blocks = BlockQueue()
    tap = Tap(blocks=blocks, ring=None)
    tap.put(replace(a_block(1), in_call=True))
    tap.announce(Announced(call_id=""))
    tap.put(replace(a_block(2), in_call=True))
    tap.announce(Announced(call_id="told-1", ago_s=2.0))
    tap.put(replace(a_block(3), in_call=False))
    tap.pause()
    tap.put(a_block(4))
    tap.go_on()
    tap.announce(None)
    tap.put(replace(a_block(5), in_call=False))
    told = [(block.in_call, block.announced and block.announced.call_id) for block in taken(blocks)]
    assert told == [(True, None), (False, ""), (True, "told-1"), (True, "told-1"), (False, None)]


def test_blocks_of_two_announced_calls_are_never_heard_as_one() -> None:
    blocks = [replace(a_block(1), in_call=True, announced=Announced(call_id=call)) for call in ("a", "a", "b")]
    assert [len(block.customer) for block in joined(blocks)] == [2 * TENTH, TENTH]
