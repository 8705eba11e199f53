"""Ruling a suspicion out: by somebody, with a reason, and a review that begins from there."""

from __future__ import annotations

import pytest

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.false_alarm import LONGEST_NOTE, Cause, FalseAlarm, ruled_out
from edge_agent.domain.incident import Incident, IncidentState, Mark, Verdict
from edge_agent.errors import TransitionError
from tests.builders import START, after, an_alert

QUOTED = FalseAlarm(cause=Cause.QUOTATION, by="sato", at=after(20))


def test_a_false_alarm_is_seen_and_over_at_once_in_the_name_of_whoever_marked_it() -> None:
    over = Incident(alert=an_alert(), opened_at=START).rule_out(QUOTED)
    assert over.state is IncidentState.CLOSED
    assert over.acknowledged == over.closed == Mark(by="sato", at=after(20))
    assert over.ruled_out is Cause.QUOTATION


def test_whoever_had_seen_it_before_stays_on_record_and_so_does_when_it_was_over() -> None:
    seen = Incident(alert=an_alert(), opened_at=START).acknowledge(by="tanaka", at=after(1))
    assert seen.rule_out(QUOTED).acknowledged == Mark(by="tanaka", at=after(1))
    closed = seen.close(by="tanaka", at=after(2)).rule_out(QUOTED)
    assert closed.closed == Mark(by="tanaka", at=after(2))
    assert closed.ruled_out is Cause.QUOTATION


@pytest.mark.parametrize(
    ("verdict", "cause"),
    [
        (Verdict.FALSE_ALARM, Cause.QUOTATION),
        (Verdict.COMPLAINT, Cause.COMPLAINT),
        (Verdict.HARASSMENT, None),
        (Verdict.LIFE_SAFETY, None),
    ],
)
def test_the_verdict_goes_before_the_mark(verdict: Verdict, cause: Cause | None) -> None:
    marked = Incident(alert=an_alert(), opened_at=START).rule_out(QUOTED)
    reviewed = marked.review(by="suzuki", at=after(60), verdict=verdict)
    assert reviewed.ruled_out is cause
    assert reviewed.false_alarm == QUOTED


def test_a_reviewer_who_gives_a_reason_of_their_own_corrects_the_mark() -> None:
    corrected = FalseAlarm(cause=Cause.MISHEARD, by="suzuki", at=after(60))
    reviewed = (
        Incident(alert=an_alert(), opened_at=START)
        .rule_out(QUOTED)
        .review(by="suzuki", at=after(60), verdict=Verdict.FALSE_ALARM, false_alarm=corrected)
    )
    assert reviewed.ruled_out is Cause.MISHEARD


def test_a_call_for_help_is_no_false_alarm_and_a_review_stays_as_it_is() -> None:
    with pytest.raises(TransitionError):
        Incident(alert=an_alert(kind=AlertKind.HELP), opened_at=START).rule_out(QUOTED)
    reviewed = (
        Incident(alert=an_alert(), opened_at=START)
        .rule_out(QUOTED)
        .review(by="suzuki", at=after(60), verdict=Verdict.HARASSMENT)
    )
    with pytest.raises(TransitionError):
        reviewed.rule_out(QUOTED)


@pytest.mark.parametrize(
    ("cause", "note"),
    [("", ""), ("guilty", ""), ("other", ""), ("other", " \n "), ("joking", "x" * (LONGEST_NOTE + 1))],
)
def test_no_reason_is_no_reason(cause: str, note: str) -> None:
    with pytest.raises(TransitionError):
        ruled_out(cause=cause, note=note, by="sato", at=START)


def test_a_note_is_one_line() -> None:
    assert ruled_out(cause="other", note=" 研修の\n 通話 ", by="sato", at=START).note == "研修の 通話"
