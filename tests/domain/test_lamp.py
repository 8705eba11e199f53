"""What a lamp shows of the floor."""

from __future__ import annotations

from typing import Any

import pytest

from edge_agent.domain.alert import AlertChange, AlertKind
from edge_agent.domain.incident import Incident, IncidentState
from edge_agent.domain.lamp import CALM, OFF, Colour, LampState, Pattern, wanted
from edge_agent.domain.policy import Severity
from tests.builders import an_alert, an_incident

B3, B2 = {"severity": Severity.B3}, {"severity": Severity.B2}
LIFE = {"kind": AlertKind.LIFE_SAFETY, "severity": Severity.B0}
HELP = {"kind": AlertKind.HELP, "severity": Severity.B0}
OVER = {"change": AlertChange.END}
ACKNOWLEDGED, TAKEN = IncidentState.ACKNOWLEDGED, IncidentState.TAKEN


def incident(number: int = 1, *, state: IncidentState = IncidentState.OPEN, **alert: Any) -> Incident:
    return an_incident(alert=an_alert(f"alert-{number}", **alert), state=state)


def shows(*incidents: Incident, **told: Any) -> tuple[str, str]:
    fields: dict[str, Any] = {"escalated": (), "watched": True}
    state = wanted(incidents, **(fields | told))
    return state.colour.value, state.pattern.value


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (incident(**B3), ("red", "slow")),
        (incident(**B2), ("amber", "slow")),
        (incident(**HELP), ("white", "slow")),
        (incident(**LIFE), ("blue", "steady")),
        (incident(**B3, tentative=True), ("red", "steady")),
        (incident(**B3, state=ACKNOWLEDGED), ("red", "steady")),
        (incident(**B3, state=TAKEN), ("red", "steady")),
        (incident(**B3, **OVER), ("red", "slow")),
        (incident(**B3, **OVER, state=ACKNOWLEDGED), ("green", "steady")),
        (incident(**B3, state=IncidentState.CLOSED), ("green", "steady")),
        (incident(**B3, state=IncidentState.WITHDRAWN), ("green", "steady")),
    ],
)
def test_one_incident_has_its_colour_and_pattern(given: Incident, shown: tuple[str, str]) -> None:
    assert shows(given) == shown


def test_nothing_to_do_is_green_and_nobody_watching_is_dark() -> None:
    assert wanted([], escalated=(), watched=True) == CALM
    assert wanted([], escalated=(), watched=False) == OFF
    assert shows(incident(**B3), watched=False) == ("red", "slow")


def test_a_life_in_danger_never_flashes_even_when_nobody_answers() -> None:
    assert shows(incident(**LIFE), escalated={"alert-1"}) == ("blue", "steady")


def test_what_nobody_answers_flashes_faster_once_the_next_person_is_asked() -> None:
    assert shows(incident(**B2), escalated={"alert-1"}) == ("amber", "fast")
    assert shows(incident(**B2), escalated={"alert-2"}) == ("amber", "slow")


@pytest.mark.parametrize(
    ("worse", "other"),
    [(LIFE, HELP), (HELP, B3), (B3, B2), (B2, {"severity": Severity.B1})],
)
def test_the_worst_of_the_unanswered_is_shown(worse: dict[str, Any], other: dict[str, Any]) -> None:
    one, two = incident(1, **worse), incident(2, **other)
    assert shows(one, two) == shows(two, one) == shows(one)


def test_what_nobody_has_answered_comes_before_what_somebody_deals_with() -> None:
    assert shows(incident(1, **LIFE, state=TAKEN), incident(2, **B2)) == ("amber", "slow")


def test_a_lamp_shows_its_own_seats_and_a_tower_the_whole_floor() -> None:
    one = incident(1, seat="01", **B3)
    assert shows(one, seats=("02", "03")) == ("green", "steady")
    assert shows(one, seats=("01",)) == ("red", "slow")
    assert shows(one) == ("red", "slow")


@pytest.mark.parametrize(
    ("given", "instead"),
    [(LIFE, ("amber", "steady")), (HELP, ("red", "slow")), (B3, ("red", "slow")), (B2, ("amber", "slow"))],
)
def test_a_tower_of_three_colours_shows_another_rather_than_nothing(
    given: dict[str, Any], instead: tuple[str, str]
) -> None:
    three = (Colour.RED, Colour.AMBER, Colour.GREEN)
    assert shows(incident(**given), colours=three) == instead


@pytest.mark.parametrize("given", [LIFE, HELP, B3, B2])
@pytest.mark.parametrize("only", [Colour.RED, Colour.AMBER])
def test_a_lamp_of_one_warning_colour_shows_everything_with_it(given: dict[str, Any], only: Colour) -> None:
    assert shows(incident(**given), colours=(only,))[0] == only
    assert shows(colours=(only,)) == ("dark", "steady")


def test_a_green_lamp_goes_dark_when_there_is_something_to_do() -> None:
    assert shows(incident(**B3), colours=(Colour.GREEN,))[0] == "dark"


def test_a_state_is_colour_and_pattern_and_nothing_else() -> None:
    assert LampState.__dataclass_fields__.keys() == {"colour", "pattern"}
    assert {p.value for p in Pattern} == {"steady", "slow", "fast"}
