"""What is given up when the box is too slow, in which order, and how it comes back."""

from __future__ import annotations

from edge_agent.domain.overload import Overloaded, Stage, meaning
from edge_agent.pipeline.overload import Overload
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


def calm_until_back(overload: Overload, *, from_s: float) -> float:
    """Return for how many seconds the box has to keep up until it takes a step back."""
    before, seconds = overload.now, 0.0
    while overload.now == before:
        overload.note(0.1, busy=SEATS, now_s=from_s + seconds)
        seconds += 0.25
    return seconds - 0.25


def test_a_step_back_that_was_too_early_is_tried_again_later_each_time_and_not_for_ever() -> None:
    overload, now_s = Overload(SEATS), 0.0
    waits = []
    for _ in range(8):
        now_s = last(overload, 5.0, 6, from_s=now_s)
        assert overload.resting == ("03", "02")
        waits.append(calm_until_back(overload, from_s=now_s))
        now_s += waits[-1]
    assert waits == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 160.0, 160.0]


def test_a_step_back_that_proves_right_makes_the_next_as_quick_as_ever() -> None:
    overload, now_s = Overload(SEATS), 0.0
    for _ in range(3):
        now_s = last(overload, 5.0, 6, from_s=now_s)
        now_s += calm_until_back(overload, from_s=now_s)
    # In the middle between calm and late: it keeps up with what it has.
    now_s = last(overload, 0.5, 61, from_s=now_s)
    assert overload.resting == ("03",)
    assert calm_until_back(overload, from_s=now_s) == 5.0


def test_stages_that_come_and_go_are_slowed_down_too() -> None:
    overload, now_s, waits = Overload(SEATS), 0.0, []
    for _ in range(3):
        now_s = last(overload, 0.8, 1, from_s=now_s)
        assert overload.stage is Stage.FEWER_PARTIALS
        waits.append(calm_until_back(overload, from_s=now_s))
        now_s += waits[-1]
    assert waits == [5.0, 10.0, 20.0]


def test_every_stage_says_what_is_given_up_and_what_to_do_in_both_languages() -> None:
    assert meaning(Overloaded()) is None
    told = [meaning(Overloaded(stage=stage, resting=("03", "02"))) for stage in list(Stage)[1:]]
    for number, each in enumerate(told, 1):
        assert each is not None
        assert f"{number}/3" in each.what.ja
        assert f"stage {number} of 3" in each.what.en
        assert "自動で戻ります" in each.remedy.ja
        assert "by itself" in each.remedy.en
    assert told[-1] is not None
    assert "2席" in told[-1].what.ja
    assert "2 seats" in told[-1].what.en


def test_a_box_between_late_and_calm_stays_as_it_is() -> None:
    overload = Overload(SEATS)
    end = last(overload, 0.8, 2, from_s=0)
    last(overload, 0.5, 60, from_s=end)
    assert overload.stage is Stage.FEWER_PARTIALS


def test_seats_rest_in_the_order_of_the_settings_and_then_from_the_last() -> None:
    listening = Listening(rest_first=("02", "04"))
    assert listening.resting_order(["01", "02", "03", "04", "05"]) == ("02", "04", "05", "03", "01")
