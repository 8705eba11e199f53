"""Lines take turns with a few workers; a box that is too slow gives things up in order, loses nothing, and recovers.

Time is made of the work: a slow recogniser moves the clock, and audio comes when its time has come.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from itertools import count

import numpy as np
import pytest

from edge_agent.domain.call import Speaker
from edge_agent.domain.finding import Label
from edge_agent.domain.line_health import SILENCE_DBFS
from edge_agent.domain.overload import Stage
from edge_agent.pipeline import gathered
from edge_agent.pipeline.events import AlertRaised, CallEnded, CallStarted, Event, Heard
from edge_agent.pipeline.lines import BlockQueue, Line
from edge_agent.pipeline.listen import LineListener
from edge_agent.pipeline.overload import Overload
from edge_agent.pipeline.pool import LinePool, workers
from edge_agent.ports import RATE, AudioBlock
from edge_agent.settings import Settings
from tests.builders import WARNING, a_policy
from tests.fakes import LoudnessDetector, ScriptedClassifier, ScriptedModel, Seconds, SlowModel

PHRASES = ("もしもし", "殺すぞ", WARNING)
HELLO, THREAT, WARN = 1, 2, 3


@dataclass
class Floor:
    """A pool of lines whose time is the sum of its work."""

    seats: tuple[str, ...]
    factor: float = 0.0
    clock: Seconds = field(default_factory=Seconds)
    heard: dict[str, list[Event]] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    stages: list[tuple[Stage, tuple[str, ...]]] = field(default_factory=list)
    rests: list[tuple[str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model = SlowModel(ScriptedModel(*PHRASES), self.clock, factor=self.factor)
        self.overload = Overload(tuple(reversed(self.seats)))
        numbers = count(1)
        self.queues = {seat: BlockQueue(clock_s=self.clock) for seat in self.seats}
        lines = [
            Line(
                seat,
                listener=LineListener(
                    seat, self.model, LoudnessDetector, ScriptedClassifier({"殺すぞ": {Label.THREAT: 0.9}}),
                    a_policy(), Settings(), lambda: f"id-{next(numbers)}", stage=lambda: self.overload.stage,
                ),
                blocks=self.queues[seat],
                on_events=self._hear,
                end_silence_s=8,
                announced_silence_s=300,
                clock_s=self.clock,
            )
            for seat in self.seats
        ]  # fmt: skip
        self.lines = {line.seat: line for line in lines}
        self.pool = LinePool(
            lines,
            overload=self.overload,
            on_rest=lambda seat, why: self.rests.append((seat, why is not None)),
            clock_s=self.clock,
        )

    def _hear(self, seat: str, events: list[Event]) -> None:
        self.heard.setdefault(seat, []).extend(events)
        self.order.append(seat)

    def put(self, seat: str, customer: int, operator: int = 0) -> None:
        samples = np.full(RATE // 10, customer, np.int16)
        self.queues[seat].put(AudioBlock(customer=samples, operator=np.full_like(samples, operator)))

    def play(self, seconds: float, *, customer: int = 0, operator: int = 0) -> None:
        """Let all lines bring so much audio in real time; the workers do what they manage meanwhile."""
        first = round(self.clock.now_s * 10)
        end_s = self.clock.now_s + seconds
        brought = 0
        looked_s = self.clock.now_s
        while self.clock.now_s < end_s:
            while first + brought <= self.clock.now_s * 10 and brought < round(seconds * 10):
                for seat in self.seats:
                    self.put(seat, customer, operator)
                brought += 1
            if self.clock.now_s - looked_s >= 0.25:
                looked_s = self.clock.now_s
                self.look()
            if not self.pool.turn():
                self.clock.now_s += 0.05

    def look(self) -> None:
        """The pool looks at its lateness; what it gives up from then on is kept."""
        before = (self.overload.stage, self.overload.resting)
        self.pool.look()
        if (now := (self.overload.stage, self.overload.resting)) != before:
            self.stages.append(now)

    def finish(self) -> None:
        """Stop: what waits is heard, and the calls end."""
        stop = threading.Event()
        stop.set()
        self.pool.work(stop)

    def texts(self, seat: str, speaker: Speaker) -> list[str]:
        return [
            event.utterance.text
            for event in self.heard[seat]
            if isinstance(event, Heard) and event.utterance.final and event.utterance.speaker is speaker
        ]

    def dropped(self, seat: str) -> int:
        return sum(event.dropped for event in self.heard[seat] if isinstance(event, CallEnded))


def test_a_line_with_much_waiting_does_not_starve_the_others() -> None:
    floor = Floor(("01", "02", "03"))
    for _ in range(50):
        floor.put("01", HELLO)
    for seat in ("02", "03"):
        for _ in range(5):
            floor.put(seat, HELLO)
    for _ in range(3):
        floor.pool.turn()
    assert floor.order == ["01", "02", "03"]
    assert len(floor.queues["01"]) == 45


def test_workers_that_are_told_to_stop_hear_what_waits_and_end_the_calls() -> None:
    floor = Floor(("01", "02"))
    for seat in floor.seats:
        for _ in range(12):
            floor.put(seat, HELLO)
    floor.finish()
    for seat in floor.seats:
        assert isinstance(floor.heard[seat][0], CallStarted)
        assert floor.texts(seat, Speaker.CUSTOMER) == ["もしもし"]
        assert isinstance(floor.heard[seat][-1], CallEnded)


def test_many_workers_hear_every_line_in_order() -> None:
    floor = Floor(tuple(f"{seat:02}" for seat in range(12)))
    stop = threading.Event()
    threads = [threading.Thread(target=floor.pool.work, args=(stop,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for value in (HELLO, 0, THREAT, 0):
        for _ in range(10):
            for seat in floor.seats:
                floor.put(seat, value)
    stop.set()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    for seat in floor.seats:
        assert floor.texts(seat, Speaker.CUSTOMER) == ["もしもし", "殺すぞ"]
        assert floor.dropped(seat) == 0


def test_a_box_that_keeps_up_gives_up_nothing() -> None:
    floor = Floor(("01", "02", "03"), factor=0.1)
    floor.play(20, customer=HELLO, operator=WARN)
    assert floor.overload.stage is Stage.NORMAL
    assert floor.stages == []


def test_a_slow_box_hears_operators_later_and_loses_no_word() -> None:
    # Two sides of three lines at 0.25 of real time each: 1.5 times what one worker can do.
    floor = Floor(("01", "02", "03"), factor=0.25)
    for _ in range(4):
        floor.play(2, customer=HELLO, operator=WARN)
        floor.play(1)
    assert floor.stages[:2] == [(Stage.FEWER_PARTIALS, ()), (Stage.OPERATOR_LATER, ())]
    assert floor.overload.resting == ()
    assert floor.pool.operator_behind_s > 0
    floor.play(30)  # everybody is silent: it catches up, and the calls end
    assert floor.pool.operator_behind_s == 0
    floor.play(30)
    assert floor.overload.stage is Stage.NORMAL
    floor.finish()
    for seat in floor.seats:
        assert floor.texts(seat, Speaker.CUSTOMER) == ["もしもし"] * 4
        assert floor.texts(seat, Speaker.OPERATOR) == [WARNING] * 4
        assert floor.dropped(seat) == 0
    assert floor.pool.lost == 0


def test_customers_are_heard_in_time_while_operators_wait() -> None:
    floor = Floor(("01", "02", "03"), factor=0.22)
    floor.play(9, customer=HELLO, operator=WARN)
    assert floor.overload.stage is Stage.OPERATOR_LATER
    floor.play(4, customer=THREAT, operator=WARN)
    assert floor.pool.behind_s < 1
    assert floor.pool.operator_behind_s > 1
    assert floor.pool.lost == 0


def test_there_is_a_recognizer_for_each_side_on_which_somebody_speaks() -> None:
    floor = Floor(("01", "02", "03"))
    assert floor.pool.recognizers == 0
    floor.play(1, customer=HELLO, operator=WARN)
    assert floor.pool.recognizers == 6
    floor.play(1, operator=WARN)
    assert floor.pool.recognizers == 3
    floor.play(2)
    assert floor.pool.recognizers == 0


def test_busy_workers_hear_several_blocks_together_and_one_that_stays_alone_all_the_same() -> None:
    floor = Floor(("01", "02"), factor=0.35)
    floor.put("01", HELLO)
    assert floor.pool.turn()
    floor.play(6, customer=HELLO)  # 70 % of the time
    assert floor.overload.stage is Stage.NORMAL
    floor.clock.now_s += 0.3
    floor.look()
    while floor.pool.turn():
        pass
    assert len(floor.queues["01"]) == 0
    floor.put("01", HELLO)
    assert not floor.pool.turn()
    floor.put("01", HELLO)
    assert floor.pool.turn()
    assert len(floor.queues["01"]) == 0
    floor.put("01", HELLO)
    floor.clock.now_s += 0.3
    floor.look()
    assert floor.pool.turn()
    floor.play(6)  # nobody speaks
    floor.put("01", HELLO)
    assert floor.pool.turn()


def test_words_under_way_are_asked_for_less_often_under_load() -> None:
    asked = {}
    for factor in (0.1, 0.7):
        floor = Floor(("01", "02"), factor=factor)
        floor.play(10, customer=HELLO)
        before = floor.model.partials
        floor.play(10, customer=HELLO)
        asked[factor] = floor.model.partials - before
    assert asked[0.7] < asked[0.1] / 2


def test_a_hopelessly_slow_box_rests_lines_in_order_and_counts_what_is_lost() -> None:
    # One line's customer alone takes 0.8 of the time: two of three lines cannot be heard.
    floor = Floor(("01", "02", "03"), factor=0.8)
    floor.play(25, customer=HELLO)
    assert floor.stages[:4] == [
        (Stage.FEWER_PARTIALS, ()),
        (Stage.OPERATOR_LATER, ()),
        (Stage.FEWER_LINES, ("03",)),
        (Stage.FEWER_LINES, ("03", "02")),
    ]
    assert floor.pool.lost > 0
    assert floor.queues["01"].lost == 0
    assert floor.pool.figures == {
        "stage": "fewer_lines",
        "resting": ["03", "02"],
        "operator_behind_s": round(floor.pool.operator_behind_s, 1),
        "lost_s": floor.pool.lost / 10,
    }
    assert floor.pool.lost == floor.queues["02"].lost + floor.queues["03"].lost
    floor.model.factor = 0.1
    floor.play(60, customer=HELLO)
    assert (floor.overload.stage, floor.overload.resting) == (Stage.NORMAL, ())
    assert floor.rests[:2] == [("03", True), ("02", True)]
    assert dict(floor.rests) == {"03": False, "02": False}
    floor.finish()
    assert sum(floor.dropped(seat) for seat in floor.seats) == floor.pool.lost
    assert floor.dropped("01") == 0


def test_a_line_back_from_its_rest_hears_what_waited_without_being_late_for_that() -> None:
    floor = Floor(("01", "02"), factor=0.9)
    floor.play(12, customer=HELLO)
    # Fast enough for both lines, but not for the ten seconds that wait in a moment.
    floor.model.factor = 0.3
    while "02" in floor.overload.resting:
        floor.play(1, customer=HELLO)
    assert len(floor.queues["02"]) > 50
    assert floor.lines["02"].behind_s > 3
    assert floor.pool.behind_s < 1
    floor.play(15, customer=HELLO)
    assert floor.lines["02"].behind_s < 1
    assert floor.rests == [("02", True), ("02", False)]


def test_a_threat_on_a_line_that_rested_is_heard_once_it_is_back() -> None:
    floor = Floor(("01", "02"), factor=0.9)
    floor.play(12, customer=HELLO)
    assert floor.overload.resting == ("02",)
    floor.model.factor = 0.05
    floor.play(20, customer=HELLO)
    floor.play(1)
    floor.play(1, customer=THREAT)
    floor.play(2)
    floor.finish()
    assert any(isinstance(event, AlertRaised) for event in floor.heard["02"])


def test_a_call_does_not_end_while_some_of_the_operator_is_still_to_be_heard() -> None:
    floor = Floor(("01",), factor=0.0)
    floor.overload.stage = Stage.OPERATOR_LATER
    for value in (HELLO, 0):
        for _ in range(100):
            floor.put("01", value, WARN)
            floor.lines["01"].hear()
    assert not any(isinstance(event, CallEnded) for event in floor.heard["01"])
    floor.finish()
    assert floor.texts("01", Speaker.OPERATOR) == [WARNING]


def test_an_operator_who_is_half_a_minute_behind_is_heard_whatever_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    # The samples of a script are as quiet as a line's noise.
    monkeypatch.setattr(gathered, "QUIET_DBFS", SILENCE_DBFS)
    floor = Floor(("01",), factor=0.0)
    floor.overload.stage = Stage.OPERATOR_LATER
    for _ in range(350):
        floor.put("01", 0, WARN)
        floor.lines["01"].hear()
    assert floor.pool.operator_behind_s == 30


def test_there_are_as_many_workers_as_wanted_and_else_one_for_a_core() -> None:
    assert workers(3) == 3
    assert workers(0) >= 1
