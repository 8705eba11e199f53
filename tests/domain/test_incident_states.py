from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge_agent.domain.incident import ALLOWED, FINISHED, Incident, IncidentState, Mark, Verdict
from edge_agent.errors import TransitionError
from tests.builders import after, an_alert, an_incident
from tests.properties import QUICK

PEOPLE = st.sampled_from(["sato", "suzuki", "panel:panel-1"])
MARKS = {
    IncidentState.ACKNOWLEDGED: "acknowledged",
    IncidentState.TAKEN: "taken",
    IncidentState.CLOSED: "closed",
    IncidentState.REVIEWED: "reviewed",
}


class PeopleOnTheFloor(RuleBasedStateMachine):
    """People press every button at any time, while the machine sends newer and older revisions."""

    def __init__(self) -> None:
        super().__init__()
        self.incident = an_incident()
        self.seconds = 0
        self.marks: dict[str, Mark] = {}

    def _try(self, wanted: IncidentState, by: str) -> None:
        self.seconds += 1
        before = self.incident
        at = after(self.seconds)
        if wanted in ALLOWED[before.state]:
            self.incident = self._move(wanted, by, at)
            self.marks[MARKS[wanted]] = Mark(by=by, at=at)
            if wanted is IncidentState.TAKEN:
                self.marks.setdefault("acknowledged", Mark(by=by, at=at))
            assert self.incident.state is wanted
        else:
            with pytest.raises(TransitionError) as refused:
                self._move(wanted, by, at)
            assert before.incident_id in refused.value.what.ja
            assert self.incident == before

    def _move(self, wanted: IncidentState, by: str, at: datetime) -> Incident:
        match wanted:
            case IncidentState.ACKNOWLEDGED:
                return self.incident.acknowledge(by=by, at=at)
            case IncidentState.TAKEN:
                return self.incident.take(by=by, at=at)
            case IncidentState.CLOSED:
                return self.incident.close(by=by, at=at)
            case _:
                return self.incident.review(by=by, at=at, verdict=Verdict.COMPLAINT)

    @rule(by=PEOPLE)
    def acknowledge(self, by: str) -> None:
        self._try(IncidentState.ACKNOWLEDGED, by)

    @rule(by=PEOPLE)
    def take(self, by: str) -> None:
        self._try(IncidentState.TAKEN, by)

    @rule(by=PEOPLE)
    def close(self, by: str) -> None:
        self._try(IncidentState.CLOSED, by)

    @rule(by=PEOPLE)
    def review(self, by: str) -> None:
        self._try(IncidentState.REVIEWED, by)

    @rule()
    def the_box_withdraws(self) -> None:
        self.seconds += 1
        before = self.incident
        self.incident = before.withdraw(by="mamori", at=after(self.seconds))
        if before.state in FINISHED:
            assert self.incident == before
        else:
            assert self.incident.state is IncidentState.WITHDRAWN
            self.marks["closed"] = Mark(by="mamori", at=after(self.seconds))

    @rule(step=st.integers(-2, 2))
    def alert_changes(self, step: int) -> None:
        before = self.incident
        revision = before.alert.revision + step
        self.incident = before.with_alert(an_alert(revision=revision))
        assert self.incident.alert.revision == max(revision, before.alert.revision)
        assert self.incident.state is before.state

    @invariant()
    def no_mark_is_lost_or_rewritten(self) -> None:
        there = {name: mark for name in MARKS.values() if (mark := getattr(self.incident, name))}
        assert there == self.marks

    @invariant()
    def nobody_takes_charge_before_somebody_has_seen_it(self) -> None:
        if self.incident.taken:
            assert self.incident.acknowledged
            assert self.incident.acknowledged.at <= self.incident.taken.at

    @invariant()
    def only_a_review_certifies(self) -> None:
        assert (self.incident.verdict is not None) == (self.incident.state is IncidentState.REVIEWED)

    @invariant()
    def it_stays_the_same_incident(self) -> None:
        assert self.incident.incident_id == "alert-1"
        assert self.incident.opened_at == after(0)


PeopleOnTheFloor.TestCase.settings = settings(QUICK, stateful_step_count=25)
TestPeopleOnTheFloor = PeopleOnTheFloor.TestCase


def test_an_alert_of_another_incident_is_refused() -> None:
    with pytest.raises(TransitionError, match="another incident"):
        an_incident().with_alert(an_alert("alert-2", revision=2))


def test_every_state_can_reach_the_review() -> None:
    for state in IncidentState:
        reached = {state}
        for _ in IncidentState:
            reached |= {after_it for there in reached for after_it in ALLOWED[there]}
        assert IncidentState.REVIEWED in reached


def test_a_closed_incident_can_not_be_taken_again() -> None:
    closed = replace(an_incident(), state=IncidentState.CLOSED)
    with pytest.raises(TransitionError, match=r"Incident alert-1 is closed and cannot become taken.*Reload the page"):
        closed.take(by="sato", at=after(1))
