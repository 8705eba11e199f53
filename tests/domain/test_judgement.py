from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.call import Speaker, Utterance
from edge_agent.domain.finding import HARASSMENT, Label, Scores
from edge_agent.domain.judgement import Assessment, hear, suspect
from edge_agent.domain.policy import Criterion, Policy, Rise, Severity
from edge_agent.domain.record import CallRecord
from tests.builders import SECOND_WARNING, WARNING, a_criterion, a_policy, said, scored
from tests.properties import QUICK

POLICY = a_policy()
EVERYTHING = a_policy(*(a_criterion(label) for label in [*HARASSMENT, Label.LIFE_SAFETY]))


@dataclass(frozen=True)
class Turn:
    """What one side said, and what the classifier says of it."""

    utterance: Utterance
    scores: Scores | None


def call(turns: list[Turn], policy: Policy = POLICY) -> tuple[CallRecord, list[Assessment]]:
    record, assessments = CallRecord(call_id="call-1"), []
    for turn in turns:
        record, assessment = hear(record, turn.utterance, turn.scores, policy)
        if assessment:
            assessments.append(assessment)
    return record, assessments


def customer(at_s: float, scores: dict[Label, float], *, text: str = "ことば", sequence: int | None = None) -> Turn:
    number = round(at_s * 10) if sequence is None else sequence
    return Turn(said(text, at_s=at_s, sequence=number), scored(scores))


def operator(at_s: float, text: str) -> Turn:
    return Turn(said(text, at_s=at_s, sequence=round(at_s * 10), speaker=Speaker.OPERATOR), None)


PROBABILITIES = st.floats(0, 1, allow_nan=False)
SCORES = st.fixed_dictionaries({}, optional=dict.fromkeys(Label, PROBABILITIES))
OPERATOR_WORDS = st.sampled_from(["かしこまりました", WARNING, "あと5分", "殺すぞ", "電話リレーサービスです"])


@st.composite
def conversations(
    draw: st.DrawFn, speakers: str = "co", scores: st.SearchStrategy[dict[Label, float]] = SCORES
) -> list[Turn]:
    turns, at_s = [], 0.0
    for sequence in range(draw(st.integers(0, 8))):
        at_s += draw(st.floats(0.1, 50))
        if draw(st.sampled_from(speakers)) == "c":
            turns.append(Turn(said(f"発話{sequence}", at_s=at_s, sequence=sequence), scored(draw(scores))))
        else:
            utterance = said(draw(OPERATOR_WORDS), at_s=at_s, sequence=sequence, speaker=Speaker.OPERATOR)
            turns.append(Turn(utterance, None))
    return turns


def test_one_threat_is_enough_and_the_reason_is_given() -> None:
    _, [assessment] = call([customer(3.0, {Label.THREAT: 0.7}, text="ただじゃおかない")])
    assert assessment.criterion.id == "threat-rule"
    assert assessment.types == (Label.THREAT,)
    assert assessment.severity is Severity.B3
    assert [finding.quote for finding in assessment.findings] == ["ただじゃおかない"]
    assert (assessment.at_s, assessment.policy_version) == (3.0, "1")
    assert assessment.reason == POLICY.rule("threat-rule").reason


def test_just_under_the_threshold_is_not_a_threat() -> None:
    assert call([customer(3.0, {Label.THREAT: 0.599})])[1] == []


def test_abuse_counts_at_its_second_time_within_a_minute() -> None:
    _, [assessment] = call([customer(10, {Label.ABUSE: 0.6}), customer(70, {Label.ABUSE: 0.55})])
    assert assessment.at_s == 70
    assert len(assessment.findings) == 2
    assert assessment.reason.ja.endswith("（60秒間に2回）")
    assert assessment.reason.en.endswith("(2 times within 60 s)")


def test_abuse_twice_but_minutes_apart_is_let_pass() -> None:
    # A minute halves what the first one weighs; two minutes leave a quarter.
    assert call([customer(10, {Label.ABUSE: 0.6}), customer(130, {Label.ABUSE: 0.6})])[1] == []


def test_a_third_abuse_counts_with_the_second_although_the_first_is_long_ago() -> None:
    turns = [customer(10, {Label.ABUSE: 0.6}), customer(200, {Label.ABUSE: 0.6}), customer(215, {Label.ABUSE: 0.6})]
    _, [assessment] = call(turns)
    assert [finding.at_s for finding in assessment.findings] == [200, 215]


def test_one_clearly_abusive_utterance_needs_no_second() -> None:
    _, [assessment] = call([customer(10, {Label.ABUSE: 0.9})])
    assert assessment.types == (Label.ABUSE,)
    assert assessment.reason == POLICY.rule("abuse-rule").reason


def test_calm_words_after_abuse_do_not_complete_the_count() -> None:
    assert call([customer(10, {Label.ABUSE: 0.6}), customer(12, {Label.COMPLAINT: 0.9})])[1] == []


def test_the_same_rule_is_reported_once_in_a_call() -> None:
    turns = [customer(second, {Label.THREAT: 0.9}) for second in range(1, 20)]
    assert len(call(turns)[1]) == 1


def test_a_second_kind_of_harassment_is_reported_with_the_first_and_the_graver_severity_stays() -> None:
    _, [first, second] = call([customer(5, {Label.THREAT: 0.9}), customer(9, {Label.ABUSE: 0.95})])
    assert first.severity is Severity.B3
    assert second.criterion.id == "abuse-rule"
    assert second.types == (Label.THREAT, Label.ABUSE)
    assert second.met == ("threat-rule", "abuse-rule")
    assert second.severity is Severity.B3


def test_the_gravest_thing_said_in_one_breath_is_reported() -> None:
    _, [assessment] = call([customer(5, {Label.ABUSE: 0.95, Label.THREAT: 0.7})])
    assert assessment.criterion.id == "threat-rule"


def test_a_caller_in_despair_is_never_reported_for_harassment_again() -> None:
    turns = [
        customer(5, {Label.LIFE_SAFETY: 0.6, Label.THREAT: 0.99}),
        customer(8, {Label.THREAT: 0.99}),
        customer(9, {Label.ABUSE: 0.99}),
    ]
    record, [assessment] = call(turns)
    assert assessment.life_safety
    assert assessment.types == ()
    assert record.life_safety


def test_despair_is_reported_also_after_harassment() -> None:
    _, [first, second] = call([customer(5, {Label.THREAT: 0.9}), customer(8, {Label.LIFE_SAFETY: 0.6})])
    assert (first.life_safety, second.life_safety) == (False, True)
    assert second.types == ()


def test_words_that_may_still_change_are_not_judged() -> None:
    partial = replace(said(at_s=3), final=False)
    record, assessment = hear(CallRecord(call_id="call-1"), partial, scored({Label.THREAT: 1.0}), POLICY)
    assert assessment is None
    assert record == CallRecord(call_id="call-1")


def test_words_without_scores_are_not_judged() -> None:
    assert call([Turn(said(at_s=3), None)])[1] == []


def test_the_operators_warning_is_counted_and_shown_with_the_next_assessment() -> None:
    turns = [operator(2, WARNING), customer(3, {}), operator(4, WARNING), customer(5, {Label.THREAT: 0.9})]
    record, [assessment] = call(turns)
    assert (record.warnings, assessment.warnings) == (2, 2)


def test_a_warning_in_two_breaths_is_one() -> None:
    assert call([operator(2, WARNING), operator(4, WARNING), customer(5, {})])[0].warnings == 1


def test_a_customer_cannot_warn() -> None:
    assert call([customer(2, {}, text=WARNING)])[0].warnings == 0


@pytest.mark.parametrize("speaker", Speaker)
def test_a_relay_service_is_recognised_from_either_side(speaker: Speaker) -> None:
    turn = Turn(said("こちら電話リレーサービスです", speaker=speaker), scored())
    assert call([turn])[0].relay


@QUICK
@given(conversations(scores=SCORES.map(lambda s: {label: p * 0.599 for label, p in s.items()})))
def test_nothing_over_a_threshold_means_no_assessment(turns: list[Turn]) -> None:
    assert call(turns, EVERYTHING)[1] == []


@QUICK
@given(st.lists(PROBABILITIES, max_size=8))
def test_a_complaint_alone_never_leads_to_an_assessment(probabilities: list[float]) -> None:
    turns = [customer(second, {Label.COMPLAINT: p}) for second, p in enumerate(probabilities)]
    record, assessments = call(turns, EVERYTHING)
    assert assessments == []
    assert record.complaint == any(p >= 0.5 for p in probabilities)


@QUICK
@given(conversations("o"), SCORES)
def test_what_an_operator_says_never_counts_against_the_caller(turns: list[Turn], scores: dict[Label, float]) -> None:
    # Even if a classifier had looked at it by mistake.
    judged = [Turn(turn.utterance, scored(scores)) for turn in turns]
    record, assessments = call(judged, EVERYTHING)
    assert assessments == []
    assert record.findings == ()


@QUICK
@given(conversations())
def test_leaving_out_the_operator_changes_nothing_of_what_is_met(turns: list[Turn]) -> None:
    alone = [turn for turn in turns if turn.utterance.speaker is Speaker.CUSTOMER]
    both, _ = call(turns)
    customer_only, _ = call(alone)
    assert (both.met, both.findings) == (customer_only.met, customer_only.findings)
    assert both.severity >= customer_only.severity


@QUICK
@given(conversations())
def test_an_assessment_is_always_new_and_rests_on_what_was_just_said(turns: list[Turn]) -> None:
    record, assessments = call(turns, EVERYTHING)
    news = [(assessment.met, assessment.warning_level) for assessment in assessments]
    assert len(news) == len(set(news))
    assert record.met == (assessments[-1].met if assessments else ())
    for assessment in assessments:
        assert assessment.findings
        assert assessment.findings[-1].at_s == assessment.at_s
        assert isinstance(assessment.criterion, Criterion)
        for finding in assessment.findings:
            assert finding.label is assessment.criterion.label
            assert finding.score >= assessment.criterion.threshold
            assert assessment.at_s - finding.at_s <= 3 * assessment.criterion.half_life_s
        assert Label.COMPLAINT not in assessment.types
        assert Label.LIFE_SAFETY not in assessment.types


@QUICK
@given(conversations())
def test_nothing_is_reported_after_a_life_is_in_danger(turns: list[Turn]) -> None:
    _, assessments = call(turns, EVERYTHING)
    dangers = [assessment.life_safety for assessment in assessments]
    assert True not in dangers[:-1]


@QUICK
@given(conversations())
def test_severity_never_falls_within_a_call(turns: list[Turn]) -> None:
    severities = [assessment.severity for assessment in call(turns, EVERYTHING)[1]]
    assert severities == sorted(severities)


def test_the_reason_says_how_often_and_after_which_warning() -> None:
    turns = [customer(5, {Label.ABUSE: 0.7}), operator(8, WARNING), customer(45, {Label.ABUSE: 0.7})]
    _, [assessment] = call(turns)
    assert assessment.reason.ja.endswith("（40秒間に2回、警告1の後）")
    assert assessment.reason.en.endswith("(2 times within 40 s, after warning 1)")
    assert (assessment.severity, assessment.warning_level) == (Severity.B2, 1)


def test_abuse_that_goes_on_after_the_second_warning_is_graver_and_told_again() -> None:
    turns = [
        customer(5, {Label.ABUSE: 0.95}),
        operator(8, WARNING),
        customer(12, {Label.ABUSE: 0.7}),
        customer(14, {Label.ABUSE: 0.7}),
        operator(18, SECOND_WARNING),
        customer(22, {}),
        customer(25, {Label.ABUSE: 0.7}),
        customer(28, {Label.ABUSE: 0.99}),
    ]
    _, assessments = call(turns)
    assert [(a.at_s, a.severity, a.warning_level) for a in assessments] == [
        (5, Severity.B2, 0),
        (12, Severity.B2, 1),
        (25, Severity.B3, 2),
    ]
    assert assessments[2].reason.ja.endswith("（警告2の後）")


def test_a_policy_may_keep_severity_from_rising() -> None:
    policy = a_policy(rise=Rise(after_warning=1, highest=Severity.B1))
    _, assessments = call(
        [customer(5, {Label.ABUSE: 0.95}), operator(8, WARNING), customer(9, {Label.ABUSE: 0.9})], policy
    )
    assert [a.severity for a in assessments] == [Severity.B2, Severity.B2]


def test_a_warning_does_not_make_despair_graver() -> None:
    _, [assessment] = call([operator(1, SECOND_WARNING), customer(5, {Label.LIFE_SAFETY: 0.9})])
    assert assessment.severity is Severity.B0


def test_one_breath_may_meet_several_criteria_at_once() -> None:
    record, [assessment] = call([customer(5, {Label.ABUSE: 0.95, Label.THREAT: 0.7})])
    assert assessment.types == (Label.THREAT, Label.ABUSE)
    assert record.met == ("threat-rule", "abuse-rule")


def suspected(
    scores: dict[Label, float], record: CallRecord | None = None, policy: Policy = POLICY
) -> Assessment | None:
    partial = replace(said("ただじゃおかない", at_s=3), final=False)
    return suspect(record or CallRecord(call_id="call-1"), partial, scored(scores), policy)


def test_words_under_way_are_suspected_of_what_acts_at_once_and_only_if_sure() -> None:
    assessment = suspected({Label.THREAT: 0.9})
    assert assessment is not None
    assert assessment.tentative
    assert assessment.types == (Label.THREAT,)
    assert suspected({Label.THREAT: 0.84}) is None
    assert suspected({Label.ABUSE: 1.0}) is None
    assert suspected({Label.LIFE_SAFETY: 1.0}) is None
    assert suspected({Label.LIFE_SAFETY: 0.6, Label.THREAT: 1.0}) is None


def test_a_policy_may_leave_words_under_way_alone() -> None:
    off = a_policy(tentative=replace(POLICY.tentative, on=False))
    assert suspected({Label.THREAT: 1.0}, policy=off) is None


def test_nobody_in_despair_and_no_operator_is_suspected() -> None:
    assert suspected({Label.THREAT: 1.0}, CallRecord(call_id="call-1", life_safety=True)) is None
    words = replace(said(at_s=3, speaker=Speaker.OPERATOR), final=False)
    assert suspect(CallRecord(call_id="call-1"), words, scored({Label.THREAT: 1.0}), POLICY) is None


HARMLESS = SCORES.map(lambda s: {label: p * 0.199 for label, p in s.items() if label is not Label.COMPLAINT})


@QUICK
@given(conversations("c", HARMLESS), st.randoms(use_true_random=False))
def test_harmless_utterances_raise_nothing_in_whatever_order(turns: list[Turn], random: Random) -> None:
    times = [turn.utterance for turn in turns]
    shuffled = random.sample(turns, len(turns))
    reordered = [
        Turn(replace(turn.utterance, sequence=at.sequence, start_s=at.start_s, end_s=at.end_s), turn.scores)
        for turn, at in zip(shuffled, times, strict=True)
    ]
    assert call(reordered, EVERYTHING)[1] == []
    # Nor do they add to what somebody harassing has said.
    insult = customer(0.05, {Label.ABUSE: 0.6}, sequence=-1)
    assert call([insult, *reordered])[1] == []


@QUICK
@given(conversations())
def test_life_safety_ends_all_harassment_of_the_call(turns: list[Turn]) -> None:
    danger = customer(0.01, {Label.LIFE_SAFETY: 0.9}, sequence=-1)
    _, [assessment] = call([danger, *turns], EVERYTHING)
    assert assessment.life_safety
