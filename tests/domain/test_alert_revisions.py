from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge_agent.domain.alert import Alert, AlertChange, AlertKind, open_alert
from edge_agent.domain.finding import Finding, Label
from edge_agent.domain.judgement import Assessment
from edge_agent.domain.policy import Severity
from edge_agent.errors import TransitionError
from tests.builders import MODEL, a_criterion, words
from tests.properties import QUICK


def assessed(
    *, severity: Severity = Severity.B2, at_s: float = 5.0, life_safety: bool = False, tentative: bool = False
) -> Assessment:
    label = Label.LIFE_SAFETY if life_safety else Label.THREAT
    criterion = a_criterion(label, severity=severity)
    finding = Finding(label=label, score=0.9, at_s=at_s, sequence=3, quote=f"ことば{at_s}", model_version=MODEL)
    return Assessment(
        criterion=criterion,
        met=(criterion.id,),
        types=() if life_safety else (Label.THREAT,),
        findings=(finding,),
        severity=severity,
        life_safety=life_safety,
        complaint=False,
        warnings=1,
        warning_level=1,
        at_s=at_s,
        policy_version="1",
        reason=words("reason"),
        tentative=tentative,
    )


class OneAlert(RuleBasedStateMachine):
    """A call goes on after its first alert; at some moment the call ends, and late changes still come."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Alert] = []

    @initialize(tentative=st.booleans())
    def it_is_raised(self, tentative: bool) -> None:  # noqa: FBT001 - what hypothesis draws
        raised = assessed(tentative=tentative)
        self.told.append(open_alert(raised, alert_id="alert-1", call_id="call-1", seat="01"))

    @rule(at_s=st.floats(0, 3600))
    def the_final_words_do_not_bear_it_out(self, at_s: float) -> None:
        newest = self.told[-1]
        if newest.change is AlertChange.END or not newest.tentative:
            with pytest.raises(TransitionError):
                newest.withdraw(at_s=at_s)
        else:
            self.told.append(newest.withdraw(at_s=at_s))

    @invariant()
    def only_what_was_never_confirmed_is_withdrawn(self) -> None:
        if self.told and self.told[-1].withdrawn:
            assert all(alert.tentative for alert in self.told)
            assert self.told[-1].change is AlertChange.END
            assert self.told[-1].reason.en.startswith("withdrawn")

    @rule(severity=st.sampled_from(Severity), at_s=st.floats(0, 3600))
    def something_new_is_met(self, severity: Severity, at_s: float) -> None:
        newest = self.told[-1]
        if newest.change is AlertChange.END:
            with pytest.raises(TransitionError):
                newest.updated(assessed(severity=severity, at_s=at_s))
        else:
            self.told.append(newest.updated(assessed(severity=severity, at_s=at_s)))

    @rule(at_s=st.floats(0, 3600), warnings=st.integers(0, 5))
    def the_call_ends(self, at_s: float, warnings: int) -> None:
        newest = self.told[-1]
        if newest.change is AlertChange.END:
            with pytest.raises(TransitionError):
                newest.ended(at_s=at_s, warnings=warnings, warning_level=min(warnings, 3))
        else:
            self.told.append(newest.ended(at_s=at_s, warnings=warnings, warning_level=min(warnings, 3)))
            assert self.told[-1].at_s >= newest.at_s

    @invariant()
    def revisions_rise_one_by_one(self) -> None:
        assert [alert.revision for alert in self.told] == list(range(1, len(self.told) + 1))

    @invariant()
    def it_is_new_once_and_ends_at_most_once(self) -> None:
        changes = [alert.change for alert in self.told] or [AlertChange.NEW]
        assert changes[0] is AlertChange.NEW
        assert set(changes[1:-1]) <= {AlertChange.UPDATE}
        assert AlertChange.NEW not in changes[1:]

    @invariant()
    def severity_never_falls(self) -> None:
        severities = [alert.severity for alert in self.told]
        assert severities == sorted(severities)

    @invariant()
    def it_stays_the_same_alert(self) -> None:
        assert {(a.alert_id, a.call_id, a.seat, a.kind) for a in self.told} <= {
            ("alert-1", "call-1", "01", AlertKind.HARASSMENT)
        }


OneAlert.TestCase.settings = settings(QUICK, stateful_step_count=20)
TestOneAlert = OneAlert.TestCase


def test_an_alert_carries_the_words_the_rule_and_the_versions_it_was_judged_by() -> None:
    alert = open_alert(assessed(at_s=7.5), alert_id="a", call_id="c", seat="02")
    assert alert.quotes == ("ことば7.5",)
    assert alert.criterion == "threat-rule"
    assert alert.guide == words("guide threat")
    assert (alert.policy_version, alert.model_version) == ("1", MODEL)
    assert (alert.at_s, alert.warnings, alert.warning_level, alert.phrase) == (7.5, 1, 1, "warning-1")


def test_a_life_in_danger_is_its_own_kind_of_alert_without_a_harassment_type() -> None:
    alert = open_alert(assessed(life_safety=True), alert_id="a", call_id="c", seat="02")
    assert alert.kind is AlertKind.LIFE_SAFETY
    assert alert.types == ()
