"""Levels of the criteria: each type's own, chosen on calls, and what is to be expected of calls not chosen by."""

from __future__ import annotations

import math

import pytest

from edge_agent.domain.call import Speaker
from edge_agent.domain.finding import HARASSMENT, Label
from edge_agent.services.call_figures import JudgedCall
from edge_agent.services.levels import at_level, best, by_type, cross_checked, moved, outcome
from edge_agent.services.scripts import CallKind, Script, Turn
from tests.builders import a_policy


def call(kind: CallKind, alerted_by: str = "", *, of: tuple[Label, ...] = ()) -> JudgedCall:
    types = frozenset(alerted_by.split())
    turns = (Turn(speaker=Speaker.OPERATOR, text="はい"), Turn(speaker=Speaker.CUSTOMER, text="もしもし"))
    script = Script(call_id="a", kind=kind, types=of, register="plain", age="30s", first=1 if of else None, turns=turns)
    return JudgedCall(
        script=script, alerted=bool(types), types=types, late=False, life_safety=False, complaint=False, talk_s=1.0
    )


def judged(*, times: int = 1) -> dict[float, list[JudgedCall]]:
    """Threats are only found one level down; sexual remarks are, one level up, no longer taken from jokes."""
    threat, joke = (Label.THREAT,), CallKind.ORDINARY
    return {
        -0.5: [call(CallKind.HARASSING, "threat", of=threat), call(joke, "sexual")] * times,
        0.0: [call(CallKind.HARASSING, of=threat), call(joke, "sexual")] * times,
        0.5: [call(CallKind.HARASSING, of=threat), call(joke)] * times,
    }


def test_log_odds_are_moved_and_certainties_are_not() -> None:
    assert moved(0.5, math.log(3)) == pytest.approx(0.75)
    assert moved(moved(0.65, 0.3), -0.3) == pytest.approx(0.65)
    assert (moved(0.0, 2), moved(1.0, -2)) == (0.0, 1.0)


def test_a_policy_is_moved_in_the_types_named_alone() -> None:
    before = a_policy()
    after = at_level(before, {Label.THREAT: 0.3})
    for old, new in zip(before.criteria, after.criteria, strict=True):
        if old.label is Label.THREAT:
            assert new.threshold == pytest.approx(moved(old.threshold, 0.3))
            assert new.strong == pytest.approx(moved(old.strong, 0.3))
        else:
            assert new == old
    assert any(old.label is Label.THREAT for old in before.criteria)


def test_each_type_is_counted_by_itself() -> None:
    rows = {(row.label, row.level): row for row in by_type(judged())}
    assert len(rows) == len(HARASSMENT) * 3
    assert (rows[Label.THREAT, -0.5].found, rows[Label.THREAT, -0.5].among) == (1, 1)
    assert rows[Label.THREAT, 0.0].found == 0
    assert (rows[Label.SEXUAL, 0.0].wrong, rows[Label.SEXUAL, 0.5].wrong) == (1, 0)


def test_the_best_levels_lower_one_type_and_raise_another() -> None:
    chosen = best(judged(), weight=1.0)
    assert {label: level for label, level in chosen.items() if level} == {Label.THREAT: -0.5, Label.SEXUAL: 0.5}
    before, after = outcome(judged(), {}), outcome(judged(), chosen)
    assert (before.right, before.wrong) == (0, 1)
    assert (after.right, after.harassing, after.wrong, after.others) == (1, 1, 0, 1)


def test_an_alert_of_another_type_is_not_right() -> None:
    calls = {0.0: [call(CallKind.HARASSING, "sexual", of=(Label.THREAT,))]}
    assert outcome(calls, {}).right == 0


def test_what_is_expected_is_of_calls_the_levels_were_not_chosen_on() -> None:
    # One call of its kind: whichever fold holds it, the others give no reason to move its type.
    calls = judged(times=5)
    lone = [call(CallKind.HARASSING, "exposure", of=(Label.EXPOSURE,)), call(CallKind.HARASSING, of=(Label.EXPOSURE,))]
    for level, each in zip((-0.5, 0.0, 0.5), (lone[0], lone[1], lone[1]), strict=True):
        calls[level] = [*calls[level], each]
    assert outcome(calls, best(calls, weight=1.0)).right == 6
    assert cross_checked(calls, weight=1.0).right == 5
