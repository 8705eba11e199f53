"""Who is asked next when nobody acknowledges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.duty import OnCall, Roster, Shift
from edge_agent.domain.escalation import Asked, Cause, Due, Timer, asked_now, due_steps, is_red, next_at
from edge_agent.domain.incident import Incident, IncidentState
from edge_agent.domain.policy import Severity
from tests.builders import START, after, an_alert, an_incident, words

SATO = OnCall(name="sato", display_name="佐藤", level="L2", rank=1)
SUZUKI = OnCall(name="suzuki", display_name="鈴木", level="L2", rank=2)
MORI = OnCall(name="mori", display_name="森", level="L3")
LADDER = (
    Timer(position=1, level="L2", role=words("supervisor"), after_red_s=0, after_amber_s=0),
    Timer(position=2, level="L2", role=words("next"), after_red_s=30, after_amber_s=60),
    Timer(position=3, level="L3", role=words("manager"), after_red_s=60, after_amber_s=120),
    Timer(position=4, level="L4", role=words("head office"), after_red_s=900, after_amber_s=900),
)
REMINDER_S = 300


class Ladder:
    """One incident's ladder, gone up as time passes."""

    def __init__(self, *people: OnCall, incident: Incident | None = None) -> None:
        self.people = people
        self.incident = incident or an_incident()
        self.steps = list(LADDER)

    def at(self, seconds: float) -> list[tuple[int, tuple[str, ...], str]]:
        """Whoever is due is asked; return step, people, and cause or "skipped"."""
        roster = Roster(people=self.people, at=after(seconds))
        due = due_steps(self.incident, self.steps, roster, reminder_s=REMINDER_S, now=after(seconds))
        for one in due:
            self.steps[one.step.position - 1] = one.step.with_asked(one.asked(at=after(seconds)))
        return [(one.step.position, one.people, "skipped" if one.skipped else one.cause.value) for one in due]

    def leaves(self, name: str) -> None:
        self.people = tuple(replace(p, absent=True) if p.name == name else p for p in self.people)


def test_a_red_alert_goes_to_the_next_supervisor_after_30_s_then_to_the_manager() -> None:
    ladder = Ladder(SATO, SUZUKI, MORI)
    assert ladder.at(0) == [(1, ("sato",), "time")]
    assert ladder.at(29.9) == []
    assert ladder.at(30) == [(2, ("suzuki",), "time")]
    assert ladder.at(30.5) == []
    assert ladder.at(60) == [(3, ("mori",), "time")]
    assert ladder.at(900) == [(4, (), "time")]


def test_an_amber_alert_waits_twice_as_long() -> None:
    ladder = Ladder(SATO, SUZUKI, MORI, incident=an_incident(alert=an_alert(severity=Severity.B2)))
    assert ladder.at(0) == [(1, ("sato",), "time")]
    assert ladder.at(59) == []
    assert ladder.at(60) == [(2, ("suzuki",), "time")]
    assert ladder.at(119) == []
    assert ladder.at(120) == [(3, ("mori",), "time")]


def test_an_amber_alert_that_turns_red_is_due_by_the_red_seconds() -> None:
    ladder = Ladder(SATO, SUZUKI, incident=an_incident(alert=an_alert(severity=Severity.B2)))
    ladder.at(0)
    assert ladder.at(40) == []
    ladder.incident = an_incident(alert=an_alert(severity=Severity.B3, revision=2))
    assert ladder.at(40.5) == [(2, ("suzuki",), "time")]


@pytest.mark.parametrize(
    ("changes", "red"),
    [
        ({"severity": Severity.B3}, True),
        ({"severity": Severity.B2}, False),
        ({"severity": Severity.B0, "kind": AlertKind.LIFE_SAFETY}, True),
        ({"severity": Severity.B0, "kind": AlertKind.HELP}, True),
    ],
)
def test_what_cannot_wait_is_red(changes: dict[str, object], *, red: bool) -> None:
    assert is_red(an_alert(**changes)) is red


def test_an_absent_supervisor_is_passed_over_from_the_first_moment() -> None:
    ladder = Ladder(replace(SATO, absent=True), SUZUKI, MORI)
    assert ladder.at(0) == [(1, ("suzuki",), "time")]
    # There is no third supervisor: the manager does not wait for one.
    assert ladder.at(30) == [(2, (), "skipped"), (3, ("mori",), "absent")]


def test_when_no_supervisor_is_there_the_manager_is_asked_at_once() -> None:
    ladder = Ladder(replace(SATO, absent=True), replace(SUZUKI, absent=True), MORI)
    assert ladder.at(0) == [(1, (), "skipped"), (2, (), "skipped"), (3, ("mori",), "absent")]
    assert ladder.at(60) == []
    assert ladder.at(900) == [(4, (), "time")]


def test_when_nobody_at_all_is_there_the_last_step_is_still_asked_by_its_role() -> None:
    boss = OnCall(name="boss", display_name="本社", level="L4", absent=True)
    ladder = Ladder(replace(SATO, absent=True), replace(MORI, absent=True), boss)
    assert ladder.at(0) == [(1, (), "skipped"), (2, (), "skipped"), (3, (), "skipped"), (4, (), "absent")]


def test_a_supervisor_who_leaves_after_being_asked_makes_the_next_step_due_at_once() -> None:
    ladder = Ladder(SATO, SUZUKI, MORI)
    ladder.at(0)
    ladder.leaves("sato")
    assert ladder.at(5) == [(2, ("suzuki",), "absent")]
    assert ladder.at(6) == []
    assert ladder.at(60) == [(3, ("mori",), "time")]


def test_the_end_of_a_shift_counts_as_leaving() -> None:
    # START is a Monday, 01:00; one minute later the shift is over.
    night = replace(SATO, shifts=(Shift(days=(6,), begins=22 * 60, ends=61),))
    ladder = Ladder(night, SUZUKI, MORI)
    assert ladder.at(55) == [(1, ("sato",), "time"), (2, ("suzuki",), "time")]
    ladder = Ladder(night, SUZUKI, MORI, incident=an_incident(opened_at=after(55)))
    ladder.at(55)
    assert ladder.at(60) == [(2, ("suzuki",), "absent")]


def test_without_a_roster_the_ladder_goes_by_its_roles() -> None:
    ladder = Ladder()
    assert [ladder.at(at) for at in (0, 30, 60, 900)] == [[(n, (), "time")] for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("state", [state for state in IncidentState if state is not IncidentState.OPEN])
def test_whoever_acknowledges_takes_or_closes_stops_the_ladder(state: IncidentState) -> None:
    ladder = Ladder(SATO, SUZUKI)
    ladder.at(0)
    ladder.incident = an_incident(state=state)
    assert ladder.at(10_000) == []
    assert next_at(ladder.incident, ladder.steps) is None


def test_steps_that_came_due_while_the_box_was_off_are_asked_together() -> None:
    ladder = Ladder(SATO, SUZUKI, MORI)
    assert ladder.at(70) == [(1, ("sato",), "time"), (2, ("suzuki",), "time"), (3, ("mori",), "time")]


def test_whoever_was_asked_and_is_there_is_reminded_ever_more_seldom() -> None:
    ladder = Ladder(SATO, SUZUKI, MORI)
    ladder.at(900)
    ladder.leaves("suzuki")
    assert ladder.at(1199) == []
    assert ladder.at(1200) == [(4, ("sato", "mori"), "reminder")]
    assert ladder.at(1799) == []
    assert ladder.at(1800) == [(4, ("sato", "mori"), "reminder")]
    assert ladder.steps[-1].asked.times == 3


def test_the_page_can_say_who_is_asked_now_and_when_the_next_is() -> None:
    ladder = Ladder(replace(SATO, absent=True), MORI)
    assert asked_now(ladder.steps) is None
    assert next_at(ladder.incident, ladder.steps) == START
    ladder.at(0)
    assert asked_now(ladder.steps).position == 3
    assert next_at(ladder.incident, ladder.steps) == after(900)
    ladder.at(900)
    assert next_at(ladder.incident, ladder.steps) is None


def test_an_incident_without_a_ladder_asks_nobody() -> None:
    assert due_steps(an_incident(), [], Roster(people=(), at=START), reminder_s=REMINDER_S, now=after(1e6)) == []


def test_a_step_counts_how_often_it_was_asked() -> None:
    first = Due(step=LADDER[0], cause=Cause.TIME).asked(at=START)
    assert first == Asked(at=START, cause=Cause.TIME)
    again = Due(step=LADDER[0].with_asked(first), cause=Cause.REMINDER).asked(at=after(5))
    assert again.times == 2
