"""What is measured of the lines reaches pages, panels and whoever has to mend them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_agent.domain.call import Speaker
from edge_agent.domain.line_health import SideLevels
from edge_agent.domain.line_trouble import Trouble, TroubleKind, explained
from edge_agent.domain.overload import Overloaded, Stage
from edge_agent.errors import Text
from edge_agent.pipeline.events import CallEnded, CallStarted, Heard
from edge_agent.pipeline.line_watch import LineBoard, LineFaults, LineWatch
from edge_agent.pipeline.pool import RESTING
from edge_agent.ports import RATE, AudioBlock
from edge_agent.settings_health import Health
from edge_agent.store import line_health, overload
from edge_agent.store.database import open_live
from tests.builders import WARNING, a_policy, said
from tests.fakes import Moments, Seconds

BEGUN = CallStarted(call_id="call-1", seat="01", started_s_ago=1.0)
OVER = CallEnded(call_id="call-1", duration_s=60.0, dropped=0)
SILENCE = np.zeros(RATE // 10, np.int16)
LOST = Text("カードが見つかりません。", "The card is not there.")
CLIPPED = Trouble(kind=TroubleKind.CLIPPING, side=Speaker.CUSTOMER)


def a_watch(seat: str = "01") -> LineWatch:
    return LineWatch(seat, settings=Health(no_audio_s=5), policy=a_policy())


def hears(watch: LineWatch, seconds: int, *, customer: float, operator: float) -> None:
    """Let a line hear noise of so much amplitude (1 is full scale) on either side."""
    random = np.random.default_rng(7)
    for _ in range(seconds * 10):
        one, other = ((random.uniform(-1, 1, len(SILENCE)) * size).clip(-1, 1) for size in (customer, operator))
        watch.hear(AudioBlock(customer=(one * 32767).astype(np.int16), operator=(other * 32767).astype(np.int16)))


class Floor:
    """Lines, and who is told of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.page = open_live(folder)
        self.told: list[tuple[str, tuple[Trouble, ...]]] = []
        self.shown: list[tuple[str, Text | None]] = []
        self.faults = LineFaults(lambda seat, fault: self.shown.append((seat, fault)))
        self.watches = {seat: a_watch(seat) for seat in ("01", "02")}
        self.board = LineBoard(
            self.watches,
            open_live=lambda: open_live(folder),
            on_troubles=lambda seat, troubles: self.told.append((seat, troubles)),
            on_fault=self.faults.of_audio,
            overloaded=lambda: self.given_up,
        )
        self.given_up = Overloaded()

    def day(self, *moments: object) -> None:
        self.board.run(Moments(*moments))  # type: ignore[arg-type]


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    floor = Floor(tmp_path)
    yield floor
    floor.page.close()


def test_levels_of_every_line_are_on_the_page_once_a_second(floor: Floor) -> None:
    hears(floor.watches["01"], 2, customer=0.1, operator=0.01)
    floor.day(lambda: None, lambda: None)
    one, two = line_health.everything(floor.page)
    assert (one.seat, two.seat) == ("01", "02")
    assert one.customer.level_dbfs == pytest.approx(-24.8, abs=0.5)
    assert one.of(Speaker.OPERATOR).level_dbfs == pytest.approx(-44.8, abs=0.5)
    assert two.customer.level_dbfs == -120.0
    assert floor.told == []
    assert floor.board.troubles == {}


def test_what_the_box_gives_up_is_on_the_page_within_a_second_and_forgotten_at_the_next_start(floor: Floor) -> None:
    assert overload.current(floor.page) is None
    floor.given_up = Overloaded(stage=Stage.OPERATOR_LATER)
    floor.day(lambda: None, lambda: None)
    assert overload.current(floor.page) == floor.given_up
    floor.given_up = Overloaded(stage=Stage.FEWER_LINES, resting=("02", "01"))
    floor.day(lambda: None, lambda: None)
    assert overload.current(floor.page) == floor.given_up
    floor.day()
    assert overload.current(floor.page) is None


def test_shares_are_those_of_the_last_minute(floor: Floor) -> None:
    watch = floor.watches["01"]
    hears(watch, 30, customer=1.5, operator=0.0)
    assert watch.report().customer.clipped > 0.2
    hears(watch, 30, customer=0.1, operator=0.0)
    halfway = watch.report().customer.clipped
    assert halfway > 0.1
    hears(watch, 60, customer=0.1, operator=0.0)
    assert watch.report().customer.clipped == 0.0


def test_no_level_is_shown_of_a_line_whose_audio_has_ceased() -> None:
    seconds = Seconds()
    watch = LineWatch("01", settings=Health(), policy=a_policy(), monotonic=lambda: seconds.now_s)
    hears(watch, 2, customer=0.1, operator=0.1)
    seconds.now_s = 3.0
    assert watch.report().customer.level_dbfs == pytest.approx(-24.8, abs=0.5)
    seconds.now_s = 3.1
    assert watch.report().customer == watch.report().operator == SideLevels()
    hears(watch, 1, customer=0.1, operator=0.1)
    assert watch.report().customer.level_dbfs == pytest.approx(-24.8, abs=0.5)


def test_an_announced_call_of_which_no_audio_arrives_is_a_fault() -> None:
    seconds, dead = Seconds(), (Trouble(kind=TroubleKind.NO_AUDIO),)
    watch = LineWatch("01", settings=Health(no_audio_s=5), policy=a_policy(), monotonic=lambda: seconds.now_s)
    seconds.now_s = 100.0
    assert watch.report().troubles == (), "nothing is to be heard without a call"
    watch.note_announced(in_call=True)
    seconds.now_s = 104.9
    assert watch.report().troubles == ()
    seconds.now_s = 105.0
    assert watch.report().troubles == dead
    hears(watch, 1, customer=0.1, operator=0.1)
    assert watch.report().troubles == ()
    # The time of a pause is silent by intention.
    seconds.now_s = 112.0
    watch.pass_over()
    assert watch.report().troubles == ()
    seconds.now_s = 117.0
    assert watch.report().troubles == dead
    watch.note_announced(in_call=False)
    assert watch.report().troubles == ()


def test_a_dead_side_in_a_call_is_as_loud_as_a_lost_card_and_mends_by_itself(floor: Floor) -> None:
    watch = floor.watches["01"]
    dead = Trouble(kind=TroubleKind.NO_AUDIO, side=Speaker.CUSTOMER)
    floor.day(
        lambda: (watch.note_events([BEGUN]), hears(watch, 5, customer=0.0, operator=0.1)),
        lambda: None,
        lambda: hears(watch, 1, customer=0.1, operator=0.1),
        lambda: watch.note_events([OVER]),
    )
    assert floor.told == [("01", (dead,)), ("01", ())]
    assert floor.shown == [("01", explained(dead)), ("01", None)]


def test_the_end_of_a_call_ends_the_fault_of_its_silent_side(floor: Floor) -> None:
    watch = floor.watches["02"]
    floor.day(
        lambda: (watch.note_events([BEGUN]), hears(watch, 6, customer=0.1, operator=0.0)),
        lambda: watch.note_events([OVER]),
        lambda: None,
    )
    assert [fault is None for _, fault in floor.shown] == [False, True]


def test_a_clipped_line_is_told_and_is_no_fault(floor: Floor) -> None:
    floor.day(lambda: hears(floor.watches["01"], 3, customer=1.5, operator=0.1), lambda: None)
    assert floor.told == [("01", (CLIPPED,))]
    assert floor.board.troubles == {"01": ["clipping:customer"]}
    assert floor.shown == []
    assert line_health.everything(floor.page)[0].troubles == (CLIPPED,)


def test_the_operators_warnings_on_the_customers_side_tell_of_swapped_channels() -> None:
    watch = a_watch()
    for number in range(3):
        words = said(WARNING, sequence=number, speaker=Speaker.CUSTOMER)
        watch.note_events([BEGUN, Heard(utterance=said(WARNING, speaker=Speaker.CUSTOMER, final=False))])
        watch.note_events([Heard(utterance=words), OVER])
        hears(watch, 10, customer=0.01, operator=0.01)
    assert [trouble.kind for trouble in watch.report().troubles] == [TroubleKind.SWAPPED]


def test_a_lost_card_is_shown_before_what_it_makes_of_the_audio() -> None:
    shown: list[Text | None] = []
    faults = LineFaults(lambda _seat, fault: shown.append(fault))
    silent = explained(Trouble(kind=TroubleKind.NO_AUDIO))
    faults.of_input("01", None)
    faults.of_audio("01", silent)
    faults.of_input("01", LOST)
    faults.of_audio("01", None)
    faults.of_audio("01", silent)
    faults.of_input("01", None)
    faults.of_audio("01", None)
    assert shown == [None, silent, LOST, silent, None]


def test_a_line_at_rest_says_so_before_what_is_wrong_with_its_audio_and_after_a_lost_card() -> None:
    shown: list[Text | None] = []
    faults = LineFaults(lambda _seat, fault: shown.append(fault))
    silent = explained(Trouble(kind=TroubleKind.NO_AUDIO))
    faults.of_audio("01", silent)
    faults.of_rest("01", RESTING)
    faults.of_audio("01", None)
    faults.of_input("01", LOST)
    faults.of_input("01", None)
    faults.of_rest("01", None)
    assert shown == [silent, RESTING, LOST, RESTING, None]


def test_what_the_agent_knew_before_its_start_is_forgotten(floor: Floor) -> None:
    floor.day(lambda: None, lambda: None)
    del floor.watches["02"]
    floor.day(lambda: None, lambda: None)
    assert [report.seat for report in line_health.everything(floor.page)] == ["01"]
