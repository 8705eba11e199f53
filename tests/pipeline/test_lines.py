"""A line's queue, and what one turn of its line does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_agent.pipeline.events import CallEnded, CallStarted, Event, Heard
from edge_agent.pipeline.lines import BlockQueue, Line, joined
from edge_agent.pipeline.listen import LineListener
from edge_agent.ports import RATE, Announced, AudioBlock
from edge_agent.settings import Settings
from tests.builders import a_policy
from tests.fakes import LoudnessDetector, ScriptedClassifier, ScriptedModel, Seconds


def a_block(value: int = 0, *, dropped: int = 0, in_call: bool | None = None) -> AudioBlock:
    samples = np.full(RATE // 10, value, np.int16)
    return AudioBlock(customer=samples, operator=np.zeros_like(samples), dropped=dropped, in_call=in_call)


def a_line(heard: list[Event], blocks: BlockQueue, clock: Seconds) -> Line:
    listener = LineListener(
        "01",
        ScriptedModel("もしもし"),
        LoudnessDetector,
        ScriptedClassifier({}),
        a_policy(),
        Settings(),
        lambda: "call-1",
    )

    def on_events(seat: str, events: list[Event]) -> None:
        assert seat == "01"
        heard.extend(events)

    return Line(
        "01",
        listener=listener,
        blocks=blocks,
        on_events=on_events,
        end_silence_s=8,
        announced_silence_s=300,
        clock_s=clock,
    )


def test_a_full_queue_drops_its_older_half_and_says_how_much() -> None:
    blocks = BlockQueue(limit=4)
    for value in range(1, 7):
        blocks.put(a_block(value, dropped=1 if value == 1 else 0))
    oldest, following, *rest = blocks.take()
    assert (oldest.customer[0], oldest.dropped) == (3, 3)  # blocks 1 and 2, and the one lost before block 1
    assert (following.customer[0], following.dropped) == (4, 0)
    assert len(rest) == 2
    assert blocks.lost == 2
    assert blocks.take() == []


def test_the_queue_knows_since_when_its_oldest_block_waits() -> None:
    clock = Seconds()
    blocks = BlockQueue(clock_s=clock)
    assert blocks.waiting_since() is None
    for _ in range(3):
        blocks.put(a_block())
        clock.now_s += 1
    assert blocks.waiting_since() == 0
    blocks.take(1)
    assert blocks.waiting_since() == 1


def test_audio_that_belongs_together_is_heard_together() -> None:
    one, *others = joined([a_block(1), a_block(2), a_block(3, dropped=4), a_block(4), a_block(5, in_call=False)])
    assert [len(block.customer) for block in (one, *others)] == [3200, 3200, 1600]
    assert (one.customer[0], one.customer[-1]) == (1, 2)
    assert [(block.dropped, block.in_call) for block in others] == [(4, None), (0, False)]
    assert one.operator is not None
    assert len(one.operator) == 3200


def test_one_sided_audio_stays_one_sided() -> None:
    side = AudioBlock(customer=np.ones(1600, np.int16), operator=None)
    (one,) = joined([side, side])
    assert one.operator is None
    assert len(one.customer) == 3200


def test_a_turn_hears_what_waits_up_to_half_a_second() -> None:
    heard: list[Event] = []
    clock = Seconds()
    blocks = BlockQueue(clock_s=clock)
    line = a_line(heard, blocks, clock)
    for _ in range(7):
        blocks.put(a_block(1))
    clock.now_s = 0.7
    assert line.behind_s == 0.7
    line.hear()
    assert len(blocks) == 2
    assert isinstance(heard[0], CallStarted)
    line.hear()
    assert line.behind_s == 0
    line.finish()
    assert isinstance(heard[-1], CallEnded)
    assert [event.utterance.text for event in heard if isinstance(event, Heard)][-1] == "もしもし"


def test_an_announced_call_outlasts_a_hold_without_any_audio_but_not_for_ever() -> None:
    heard: list[Event] = []
    clock = Seconds()
    blocks = BlockQueue(clock_s=clock)
    line = a_line(heard, blocks, clock)
    blocks.put(replace(a_block(1), in_call=True, announced=Announced(call_id="told-1")))
    line.hear()
    assert not line.deaf(now_s=299)
    clock.now_s = 300
    line.hear()
    [ended] = [event for event in heard if isinstance(event, CallEnded)]
    assert ended.faded


def test_a_call_is_ended_when_its_card_brings_no_more_audio() -> None:
    heard: list[Event] = []
    clock = Seconds()
    blocks = BlockQueue(clock_s=clock)
    line = a_line(heard, blocks, clock)
    for _ in range(5):
        blocks.put(a_block(1))
    line.hear()
    assert not line.deaf(now_s=7)
    assert line.deaf(now_s=8)
    clock.now_s = 8
    line.hear()
    assert isinstance(heard[-1], CallEnded)
    assert not line.deaf(now_s=20)
