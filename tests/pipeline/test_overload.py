"""What is given up when the box is too slow, in which order, and how it comes back."""

from __future__ import annotations

from edge_agent.pipeline.overload import Overload, Stage
from edge_agent.settings_listening import Listening

SEATS = ("03", "02", "01")


def last(overload: Overload, late_s: float, seconds: float, *, from_s: float, busy: tuple[str, ...] = SEATS) -> float:
    """Let the box be so late for so long; return when that was over."""
    for step in range(round(seconds * 4) + 1):
        overload.note(late_s, busy=busy, now_s=from_s + step / 4)
    return from_s + seconds


def test_a_box_that_keeps_up_gives_up_nothing() -> None:
    overload = Overload(SEATS)
    last(overload, 0.5, 60, from_s=0)
    assert (overload.stage, overload.resting) == (Stage.NORMAL, ())


def test_a_moment_of_lateness_is_no_overload() -> None:
    overload = Overload(SEATS)
    for now_s in range(20):
        overload.note(0.9 if now_s % 2 else 0.1, busy=SEATS, now_s=float(now_s))
    assert overload.stage is Stage.NORMAL


def test_what_is_given_up_comes_in_the_agreed_order() -> None:
    overload = Overload(SEATS)
    seen = [
        (overload.stage.name, overload.resting) for step in range(40) if overload.note(5.0, busy=SEATS, now_s=step / 4)
    ]
    assert seen == [
        ("FEWER_PARTIALS", ()),
        ("OPERATOR_LATER", ()),
        ("FEWER_LINES", ("03",)),
        ("FEWER_LINES", ("03", "02")),  # the last line never rests
    ]


def test_mild_lateness_costs_partials_and_nothing_else() -> None:
    overload = Overload(SEATS)
    last(overload, 0.8, 60, from_s=0)
    assert overload.stage is Stage.FEWER_PARTIALS


def test_lines_without_work_are_not_put_to_rest() -> None:
    overload = Overload(SEATS)
    last(overload, 5.0, 10, from_s=0, busy=("01",))
    assert overload.resting == ("01",)


def test_it_comes_back_step_by_step_after_a_calm_that_lasts() -> None:
    overload = Overload(SEATS)
    end = last(overload, 5.0, 10, from_s=0)
    last(overload, 0.1, 4.5, from_s=end)
    assert overload.resting == ("03", "02")
    seen = [
        (overload.stage.name, overload.resting, step / 4)
        for step in range(19, 120)
        if overload.note(0.1, busy=SEATS, now_s=end + step / 4)
    ]
    assert seen == [
        ("FEWER_LINES", ("03",), 5.0),
        ("OPERATOR_LATER", (), 10.0),
        ("FEWER_PARTIALS", (), 15.0),
        ("NORMAL", (), 20.0),
    ]


def test_a_box_between_late_and_calm_stays_as_it_is() -> None:
    overload = Overload(SEATS)
    end = last(overload, 0.8, 2, from_s=0)
    last(overload, 0.5, 60, from_s=end)
    assert overload.stage is Stage.FEWER_PARTIALS


def test_seats_rest_in_the_order_of_the_settings_and_then_from_the_last() -> None:
    listening = Listening(rest_first=("02", "04"))
    assert listening.resting_order(["01", "02", "03", "04", "05"]) == ("02", "04", "05", "03", "01")
