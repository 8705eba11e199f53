"""Evidence fades; a criterion is met by what has just been said, with what is not forgotten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.finding import Finding, Label
from edge_agent.domain.weighing import CERTAIN, alone, counting, evidence, found, relied_on
from tests.builders import MODEL, a_criterion, a_policy, said, scored
from tests.properties import QUICK

TWICE = a_criterion(Label.ABUSE, threshold=0.5, strong=0.95, hits=2, evidence=0.9, half_life_s=60.0)
POLICY = a_policy()
SECONDS = st.floats(0, 3600)


def finding(at_s: float, score: float = 0.6, sequence: int = 0) -> Finding:
    return Finding(label=Label.ABUSE, score=score, at_s=at_s, sequence=sequence, quote="ことば", model_version=MODEL)


def test_evidence_is_halved_every_half_life() -> None:
    assert evidence([finding(0)], TWICE, now_s=0) == pytest.approx(0.6)
    assert evidence([finding(0)], TWICE, now_s=60) == pytest.approx(0.3)
    assert evidence([finding(0), finding(60)], TWICE, now_s=120) == pytest.approx(0.45)


def test_what_has_faded_to_an_eighth_is_forgotten() -> None:
    assert counting([finding(0)], TWICE, now_s=180)
    assert not counting([finding(0)], TWICE, now_s=180.1)
    assert evidence([finding(0)], TWICE, now_s=200) == 0


def test_the_surer_two_utterances_are_the_longer_they_count_together() -> None:
    def met(apart_s: float, score: float) -> bool:
        findings = [finding(0, score), finding(apart_s, score, sequence=1)]
        return bool(relied_on(TWICE, findings, sequence=1, now_s=apart_s, strong=TWICE.strong))

    assert (met(59, 0.6), met(61, 0.6)) == (True, False)
    assert (met(179, 0.9), met(181, 0.9)) == (True, False)


def test_one_utterance_is_not_two_however_sure() -> None:
    assert relied_on(TWICE, [finding(0, 0.94)], sequence=0, now_s=0, strong=TWICE.strong) == ()
    assert relied_on(TWICE, [finding(0, 0.95)], sequence=0, now_s=0, strong=TWICE.strong)


def test_words_that_are_a_complaint_too_need_a_second_hit_of_the_types_the_policy_names() -> None:
    demand, abuse = a_criterion(Label.EXCESSIVE_DEMAND, strong=0.9), a_criterion(Label.ABUSE, strong=0.9)
    both, demand_only = scored({Label.COMPLAINT: 0.7}), scored({Label.COMPLAINT: 0.4})
    assert alone(demand, both, POLICY) == POLICY.sure
    assert alone(demand, demand_only, POLICY) == 0.9
    assert alone(abuse, both, POLICY) == 0.9


def test_a_rule_met_at_once_takes_a_second_hit_where_it_is_needed_and_a_very_sure_one_alone() -> None:
    once = a_criterion(Label.ABUSE, threshold=0.5, strong=0.5, hits=1, evidence=0.5, half_life_s=60.0)
    assert relied_on(once, [finding(0, 0.9)], sequence=0, now_s=0, strong=0.5)
    assert relied_on(once, [finding(0, 0.9)], sequence=0, now_s=0, strong=0.99) == ()
    assert relied_on(once, [finding(0, 0.99)], sequence=0, now_s=0, strong=0.99)
    assert relied_on(once, [finding(0, 0.6), finding(9, 0.6, sequence=1)], sequence=1, now_s=9, strong=0.99)


@QUICK
@given(st.lists(st.tuples(SECONDS, st.floats(0.5, 1)), max_size=8), SECONDS, SECONDS)
def test_evidence_never_grows_by_waiting(said: list[tuple[float, float]], first: float, wait: float) -> None:
    findings = [finding(at_s, score) for at_s, score in sorted(said)]
    now = max([first, *(f.at_s for f in findings)])
    assert evidence(findings, TWICE, now_s=now + wait) <= evidence(findings, TWICE, now_s=now)


@QUICK
@given(st.lists(st.tuples(SECONDS, st.floats(0, 1)), max_size=8), st.floats(0.5, 1))
def test_more_of_the_same_never_makes_less_evidence(said: list[tuple[float, float]], score: float) -> None:
    findings = [finding(at_s, s) for at_s, s in said]
    more = [*findings, finding(3600, score)]
    assert evidence(more, TWICE, now_s=3600) >= evidence(findings, TWICE, now_s=3600)


@pytest.mark.parametrize(
    ("text", "label", "shown"),
    [
        ("何時", Label.INTRUSION, False),
        ("俺", Label.AUTHORITY, False),
        ("死ね", Label.ABUSE, True),
        ("殺す", Label.THREAT, True),
        ("倒れ", Label.LIFE_SAFETY, True),
        ("家どこ", Label.INTRUSION, True),
    ],
)
def test_one_or_two_letters_show_abuse_and_threats_at_most(text: str, label: Label, shown: bool) -> None:  # noqa: FBT001 - a parameter of the test
    policy = a_policy(criteria=(a_criterion(label),))
    assert bool(found(said(text), scored({label: 1.0}), policy)) is shown


def test_words_of_which_recognition_is_not_certain_show_no_harassment() -> None:
    policy = a_policy(criteria=(a_criterion(Label.ABUSE), a_criterion(Label.LIFE_SAFETY)))
    scores = scored({Label.ABUSE: 1.0, Label.LIFE_SAFETY: 1.0})
    unsure, sure = said("女性しな", confidence=CERTAIN - 0.01), said("女性しな", confidence=CERTAIN)
    assert [finding.label for finding in found(unsure, scores, policy)] == [Label.LIFE_SAFETY]
    assert {finding.label for finding in found(sure, scores, policy)} == {Label.ABUSE, Label.LIFE_SAFETY}
