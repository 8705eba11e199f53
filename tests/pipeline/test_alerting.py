"""The alerts of one call: at most one of a kind, and nothing unconfirmed is left standing."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge_agent.domain.alert import Alert, AlertChange, AlertKind
from edge_agent.domain.finding import Finding, Label
from edge_agent.domain.judgement import Assessment
from edge_agent.domain.policy import Severity
from edge_agent.domain.record import CallRecord
from edge_agent.pipeline.alerting import Alerting
from tests.builders import MODEL, a_criterion, words
from tests.properties import QUICK

RECORD = CallRecord(call_id="call-1", warnings=1, warning_level=1)


def assessed(label: Label = Label.THREAT, *, at_s: float = 5.0, tentative: bool = False) -> Assessment:
    criterion = a_criterion(label)
    danger = label is Label.LIFE_SAFETY
    finding = Finding(label=label, score=0.9, at_s=at_s, sequence=1, quote="ことば", model_version=MODEL)
    return Assessment(
        criterion=criterion,
        met=(criterion.id,),
        types=() if danger else (label,),
        findings=(finding,),
        severity=Severity.B2,
        life_safety=danger,
        complaint=False,
        warnings=0,
        warning_level=0,
        at_s=at_s,
        policy_version="1",
        reason=words("reason"),
        tentative=tentative,
    )


def an_alerting() -> Alerting:
    numbers = count(1)
    return Alerting(call_id="call-1", seat="01", new_id=lambda: f"alert-{next(numbers)}")


def told(alerts: list[Alert]) -> list[tuple[str, AlertChange, bool, bool]]:
    return [(alert.alert_id, alert.change, alert.tentative, alert.withdrawn) for alert in alerts]


def test_the_final_words_confirm_a_tentative_alert() -> None:
    alerting = an_alerting()
    assert told(alerting.suspected(assessed(tentative=True))) == [("alert-1", AlertChange.NEW, True, False)]
    assert told(alerting.final(assessed(), at_s=6, record=RECORD)) == [("alert-1", AlertChange.UPDATE, False, False)]
    assert told(alerting.end(at_s=9, record=RECORD)) == [("alert-1", AlertChange.END, False, False)]


def test_the_final_words_withdraw_it_and_the_next_alert_is_another() -> None:
    alerting = an_alerting()
    alerting.suspected(assessed(tentative=True))
    [withdrawn] = alerting.final(None, at_s=6, record=RECORD)
    assert told([withdrawn]) == [("alert-1", AlertChange.END, True, True)]
    assert withdrawn.reason.en.startswith("withdrawn")
    assert alerting.may_suspect
    assert told(alerting.final(assessed(), at_s=20, record=RECORD)) == [("alert-2", AlertChange.NEW, False, False)]


def test_the_end_of_the_call_withdraws_what_was_never_confirmed() -> None:
    alerting = an_alerting()
    alerting.suspected(assessed(tentative=True))
    assert told(alerting.end(at_s=9, record=RECORD)) == [("alert-1", AlertChange.END, True, True)]
    assert alerting.end(at_s=9, record=RECORD) == []


def test_a_life_in_danger_withdraws_a_tentative_alert() -> None:
    alerting = an_alerting()
    alerting.suspected(assessed(tentative=True))
    alerts = alerting.final(assessed(Label.LIFE_SAFETY), at_s=6, record=RECORD)
    assert [(a.kind, a.change, a.withdrawn) for a in alerts] == [
        (AlertKind.HARASSMENT, AlertChange.END, True),
        (AlertKind.LIFE_SAFETY, AlertChange.NEW, False),
    ]


def test_nothing_is_suspected_while_an_alert_is_open_or_after_one() -> None:
    alerting = an_alerting()
    alerting.final(assessed(), at_s=6, record=RECORD)
    assert not alerting.may_suspect
    assert alerting.suspected(assessed(tentative=True)) == []


def test_life_safety_ends_harassment_but_not_the_other_way_round() -> None:
    alerting = an_alerting()
    alerting.final(assessed(), at_s=6, record=RECORD)
    ended, danger = alerting.final(assessed(Label.LIFE_SAFETY), at_s=9, record=RECORD)
    assert [(a.kind, a.change) for a in (ended, danger)] == [
        (AlertKind.HARASSMENT, AlertChange.END),
        (AlertKind.LIFE_SAFETY, AlertChange.NEW),
    ]
    other = an_alerting()
    other.final(assessed(Label.LIFE_SAFETY), at_s=6, record=RECORD)
    [harassment] = other.final(assessed(), at_s=30, record=RECORD)
    assert (harassment.kind, harassment.change) == (AlertKind.HARASSMENT, AlertChange.NEW)
    assert {(a.kind, a.change) for a in other.end(at_s=60, record=RECORD)} == {
        (AlertKind.LIFE_SAFETY, AlertChange.END),
        (AlertKind.HARASSMENT, AlertChange.END),
    }


class OneCall(RuleBasedStateMachine):
    """Suspicions and judgements come in any order, until the call ends."""

    def __init__(self) -> None:
        super().__init__()
        self.alerting = an_alerting()
        self.told: list[Alert] = []
        self.at_s = 0.0

    @rule()
    def words_under_way_are_suspected(self) -> None:
        self.at_s += 1
        self.told += self.alerting.suspected(assessed(at_s=self.at_s, tentative=True))

    @rule(label=st.sampled_from([None, Label.THREAT, Label.ABUSE, Label.LIFE_SAFETY]))
    def words_become_final(self, label: Label | None) -> None:
        self.at_s += 1
        assessment = assessed(label, at_s=self.at_s) if label else None
        self.told += self.alerting.final(assessment, at_s=self.at_s, record=RECORD)
        assert not [alert for alert in self.newest() if alert.tentative and alert.change is not AlertChange.END]

    def newest(self) -> list[Alert]:
        return list({alert.alert_id: alert for alert in self.told}.values())

    @invariant()
    def a_withdrawn_alert_is_over(self) -> None:
        for alert in self.told:
            if alert.withdrawn:
                assert alert.change is AlertChange.END
                assert alert in self.newest()

    @invariant()
    def at_most_one_of_a_kind_stands(self) -> None:
        standing = [alert.kind for alert in self.newest() if not alert.withdrawn]
        assert len(standing) == len(set(standing))

    @invariant()
    def only_harassment_told_after_life_safety_is_open_beside_it(self) -> None:
        kinds = [alert.kind for alert in self.newest() if alert.change is not AlertChange.END]
        assert kinds in (
            [],
            [AlertKind.HARASSMENT],
            [AlertKind.LIFE_SAFETY],
            [AlertKind.LIFE_SAFETY, AlertKind.HARASSMENT],
        )

    @invariant()
    def revisions_rise_one_by_one(self) -> None:
        for newest in self.newest():
            revisions = [alert.revision for alert in self.told if alert.alert_id == newest.alert_id]
            assert revisions == list(range(1, len(revisions) + 1))

    def teardown(self) -> None:
        self.told += self.alerting.end(at_s=self.at_s, record=RECORD)
        assert [alert for alert in self.newest() if alert.change is not AlertChange.END] == []
        assert all(alert.withdrawn for alert in self.newest() if alert.tentative)


OneCall.TestCase.settings = settings(QUICK, stateful_step_count=15)
TestOneCall = OneCall.TestCase


@pytest.mark.parametrize("label", [Label.THREAT, Label.LIFE_SAFETY])
def test_an_alert_ends_with_the_warnings_of_its_call(label: Label) -> None:
    alerting = an_alerting()
    alerting.final(assessed(label), at_s=6, record=RECORD)
    [ended] = alerting.end(at_s=9, record=RECORD)
    assert (ended.warnings, ended.warning_level) == (1, 1)
