"""A line's queue and thread."""

from __future__ import annotations

import queue
import threading

import numpy as np

from edge_agent.pipeline.events import CallEnded, CallStarted, Event
from edge_agent.pipeline.lines import BlockQueue, LineWorker
from edge_agent.pipeline.listen import LineListener
from edge_agent.ports import RATE, AudioBlock
from edge_agent.settings import Settings
from tests.builders import a_policy
from tests.fakes import LoudnessDetector, ScriptedClassifier, ScriptedModel


def a_block(value: int = 0, *, dropped: int = 0) -> AudioBlock:
    samples = np.full(RATE // 10, value, np.int16)
    return AudioBlock(customer=samples, operator=np.zeros_like(samples), dropped=dropped)


def a_worker(heard: queue.Queue[Event], blocks: BlockQueue, *, end_silence_s: float) -> LineWorker:
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
        for event in events:
            heard.put(event)

    return LineWorker("01", listener=listener, blocks=blocks, on_events=on_events, end_silence_s=end_silence_s)


def wait_for(kind: type[Event], heard: queue.Queue[Event]) -> None:
    while not isinstance(heard.get(timeout=5), kind):
        pass


def test_a_full_queue_drops_its_older_half_and_says_how_much() -> None:
    blocks = BlockQueue(limit=4)
    for value in range(1, 7):
        blocks.put(a_block(value, dropped=1 if value == 1 else 0))
    oldest = blocks.get(timeout_s=0)
    following = blocks.get(timeout_s=0)
    assert oldest is not None
    assert following is not None
    assert (oldest.customer[0], oldest.dropped) == (3, 3)  # blocks 1 and 2, and the one lost before block 1
    assert (following.customer[0], following.dropped) == (4, 0)
    assert len(blocks) == 2


def test_an_empty_queue_gives_nothing_in_time() -> None:
    assert BlockQueue().get(timeout_s=0) is None


def test_the_worker_hands_on_what_its_listener_heard_and_ends_the_call_when_it_stops() -> None:
    heard: queue.Queue[Event] = queue.Queue()
    blocks, stop = BlockQueue(), threading.Event()
    thread = threading.Thread(target=a_worker(heard, blocks, end_silence_s=60).run, args=(stop,))
    thread.start()
    for _ in range(10):
        blocks.put(a_block(1))
    wait_for(CallStarted, heard)
    stop.set()
    wait_for(CallEnded, heard)
    thread.join(5)
    assert not thread.is_alive()


def test_a_call_is_ended_when_its_card_brings_no_more_audio() -> None:
    heard: queue.Queue[Event] = queue.Queue()
    blocks, stop = BlockQueue(), threading.Event()
    thread = threading.Thread(target=a_worker(heard, blocks, end_silence_s=0.5).run, args=(stop,))
    thread.start()
    for _ in range(10):
        blocks.put(a_block(1))
    try:
        wait_for(CallEnded, heard)
    finally:
        stop.set()
        thread.join(5)
