"""The bench's own arithmetic: what it plays, what it counts, and what it says of it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.bench import capacity, capacity_report, scenes
from tests.bench.busy_floor import told_overloads
from tests.bench.capacity_steps import LEAST_ALERTS, Kept, PlainLadder, Step, Wait, quantile
from tests.bench.plain import PlainStep


@pytest.fixture(scope="module")
def calls() -> dict[str, scenes.Scene]:
    return {scene.call: scene for scene in scenes.scenes()}


def a_step(lines: int, **changed: object) -> Step:
    step = Step(
        lines=lines, seconds=30.0, customer_share=0.4, operator_share=0.4, cores={"agent": 0.5, "cards": 0.1},
        rss_mib=300.0, pss_mib=290.0, expected=1, waits=[a_wait(0.6)],
    )  # fmt: skip
    return replace(step, **changed)


def a_run(folder: Path, **changed: object) -> Kept:
    return Kept.open(folder / "capacity.json", **{"machine": "a box", "arguments": [], **changed})


def a_wait(panel_s: float) -> Wait:
    return Wait(
        line=1, call="threat", phrase="", telling=True, tentative=False, panel_s=panel_s, page_s=panel_s + 0.1,
        after_telling_s=panel_s,
    )  # fmt: skip


def test_the_sides_of_a_call_speak_for_forty_percent_of_the_time_on_average(calls: dict[str, scenes.Scene]) -> None:
    for scene in calls.values():
        customer, operator = (scene.spoken(side) / scene.seconds for side in ("customer", "operator"))
        assert (customer + operator) / 2 == pytest.approx(scenes.SHARE, abs=0.01), scene.call
        assert abs(customer - operator) < 0.2, scene.call


def test_every_phrase_of_the_customer_is_answered(calls: dict[str, scenes.Scene]) -> None:
    for scene in calls.values():
        said = [phrase for phrase in scene.phrases if phrase.speaker == "customer"]
        for before, after in itertools.pairwise(said):
            # Less, and both would be one utterance.
            assert after.start - before.end > 1.0 or scene.call == "relay-service", scene.call


def test_a_phrase_sounds_where_it_is_said_to_be_and_nothing_sounds_between(calls: dict[str, scenes.Scene]) -> None:
    for scene in calls.values():
        loud = np.abs(scene.audio[:, 0]) > 1000
        spoken = np.zeros(len(loud), dtype=bool)
        for phrase in scene.phrases:
            if phrase.speaker == "customer":
                first, last = int(phrase.start * scenes.RATE), int(phrase.end * scenes.RATE)
                assert loud[first:last].any()
                spoken[first - scenes.RATE // 5 : last + scenes.RATE // 5] = True
        assert not loud[~spoken].any()


def test_words_belong_to_the_phrase_under_way_or_to_the_last_one_said(calls: dict[str, scenes.Scene]) -> None:
    threat = calls["threat"]
    telling = next(phrase for phrase in threat.phrases if phrase.telling)
    assert threat.phrase_at(telling.start + 1) is telling
    assert threat.phrase_at(telling.end + 0.3) is telling


def test_lines_are_never_silent_for_longer_than_between_two_calls_and_not_in_step(
    calls: dict[str, scenes.Scene],
) -> None:
    placed = scenes.schedule(3, start_s=5, length_s=120, of=list(calls.values()))
    for line in (1, 2, 3):
        own = [call for call in placed if call.line == line]
        assert all(
            after.start_s == pytest.approx(before.start_s + before.scene.seconds)
            for before, after in itertools.pairwise(own)
        )
    assert len({call.start_s for call in placed if call.start_s < 15}) == 3


def test_a_card_plays_each_line_on_channels_of_its_own(calls: dict[str, scenes.Scene], tmp_path: Path) -> None:
    placed = [scenes.Placed(line=4, start_s=1.0, scene=calls["threat"])]
    file = scenes.record(tmp_path / "lines.raw", placed, lines=range(3, 5), length_s=10)
    played = np.fromfile(file, np.int16).reshape(-1, 4)
    assert not played[:, :2].any()
    assert (played[scenes.RATE :, 2:] == calls["threat"].audio[: 9 * scenes.RATE]).all()


def test_a_quantile_is_one_of_the_values_and_nothing_without_any() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert np.isnan(quantile([], 0.5))


@pytest.mark.parametrize(
    "why", [{"lost_s": 0.5}, {"overruns": 1}, {"stages": ["fewer_lines"]}, {"operator_behind_s": 12.0}]
)
def test_a_box_that_loses_audio_or_falls_behind_does_not_carry_its_lines(why: dict[str, object]) -> None:
    steps = [a_step(8), a_step(16, **why), a_step(32)]
    assert capacity_report.carried(steps) == 8


def test_a_box_that_gives_up_words_under_way_carries_its_lines_but_not_whole() -> None:
    steps = [a_step(8), a_step(16, stages=["fewer_partials", "operator_later"])]
    assert capacity_report.carried(steps) == 16
    assert capacity_report.carried(steps, whole=True) == 8


def test_a_box_that_tells_too_late_does_not_carry_its_lines() -> None:
    late = [a_wait(1.6)] * LEAST_ALERTS
    assert capacity_report.carried([a_step(8), a_step(16, waits=late)]) == 8
    # Of a few alerts the slowest is no p95.
    assert capacity_report.carried([a_step(8), a_step(16, waits=late[1:])]) == 16


def test_after_the_first_break_past_the_goal_one_step_between_is_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def measure(lines: int, _seconds: float) -> Step:
        asked.append(lines)
        return a_step(lines, lost_s=1.0 if lines > 70 or lines == 16 else 0.0)

    monkeypatch.setattr(capacity, "measure", measure)
    steps = capacity.ladder([8, 16, 60, 84, 120], None, a_run(tmp_path))
    assert asked == [8, 16, 60, 84, 72]
    assert [step.lines for step in steps] == [8, 16, 60, 72, 84]


def test_a_step_that_cannot_be_measured_leaves_those_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def measure(lines: int, _seconds: float) -> Step:
        if lines > 8:
            raise AssertionError
        return a_step(lines)

    monkeypatch.setattr(capacity, "measure", measure)
    assert [step.lines for step in capacity.ladder([8, 16, 32], None, a_run(tmp_path))] == [8]


def test_a_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path) -> None:
    stopped = a_run(tmp_path)
    stopped.step(8, lambda: a_step(8))
    stopped.plain_step(20, lambda: PlainStep(lines=20, seconds=30, waits_s=[0.9]))
    again = a_run(tmp_path)
    assert (again.steps, again.plain) == (stopped.steps, stopped.plain)
    again.step(16, lambda: a_step(16))
    assert [step.lines for step in a_run(tmp_path).steps] == [8, 16]
    for other in ({"machine": "another box"}, {"arguments": ["--no-plain"]}, {"anew": True}):
        assert a_run(tmp_path, **other).steps == []
    again.done = True
    again.write()
    assert a_run(tmp_path).steps == [], "one that came to its end is not gone on with"


def test_overloads_are_read_from_the_log() -> None:
    said = (
        "[agent] WARNING mamori.pool overload count=0 latency_ms=700 seat=- state=fewer_partials\nINFO mamori.x y=1\n"
    )
    assert told_overloads(said) == ["fewer_partials"]


def test_the_report_says_how_many_times_as_many_lines_are_carried(tmp_path: Path) -> None:
    plain = PlainLadder(
        steps=[PlainStep(lines=20, seconds=30, waits_s=[0.9]), PlainStep(lines=30, seconds=30, lost_s=2)]
    )
    steps = [a_step(8), a_step(50), a_step(60, missing=["line 3: threat"], lost_s=1.0)]
    table = capacity_report.tables(steps, plain, machine="a box", command="bench")
    assert "50 by Mamori, 20 the plain way; 2.50 times as many" in table
    assert "60 lines, line 3: threat" in table
    capacity_report.plots(steps, plain, tmp_path)
    before = [(tmp_path / name).read_text() for name in ("capacity-latency.svg", "capacity-load.svg")]
    capacity_report.plots(steps, plain, tmp_path)
    assert before == [(tmp_path / name).read_text() for name in ("capacity-latency.svg", "capacity-load.svg")]
