"""What a lamp or signal tower shows: colour and pattern alone, never words.

Rules:
1. What nobody has answered comes before what somebody deals with; then a life in danger, a call for help, the gravest.
2. A life in danger is steady blue, never flashing. A call for help is white, a suspicion red (B3) or amber.
3. Unanswered: slow; with the next person already asked: fast; unconfirmed or dealt with: steady.
4. What is dealt with and over is not shown any more; what nobody has answered is, although the call is over.
5. Nothing to do: steady green. Dark means that nobody is watching: a line with a fault, or a box that is off.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.incident import IncidentState
from edge_agent.domain.policy import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from edge_agent.domain.incident import Incident


class Colour(StrEnum):
    """What a lamp can show; all of a tower's tiers but one are dark."""

    DARK = "dark"
    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    BLUE = "blue"
    WHITE = "white"


class Pattern(StrEnum):
    """How it is lit. Slow is at most once a second, fast at most twice: three are a danger to some people."""

    STEADY = "steady"
    SLOW = "slow"
    FAST = "fast"


@dataclass(frozen=True, slots=True, kw_only=True)
class LampState:
    """What one lamp shows."""

    colour: Colour
    pattern: Pattern = Pattern.STEADY


OFF = LampState(colour=Colour.DARK)
CALM = LampState(colour=Colour.GREEN)

KINDS = (AlertKind.LIFE_SAFETY, AlertKind.HELP, AlertKind.HARASSMENT)
"""The most urgent first."""
INSTEAD: dict[Colour, tuple[Colour, ...]] = {
    Colour.BLUE: (Colour.WHITE, Colour.AMBER, Colour.RED),
    Colour.WHITE: (Colour.RED, Colour.AMBER),
    Colour.RED: (Colour.AMBER, Colour.WHITE),
    Colour.AMBER: (Colour.RED, Colour.WHITE),
}
"""What a tower without a colour shows instead, the first it has; without green it is dark when nothing is to do."""


def wanted(
    incidents: Iterable[Incident],
    *,
    escalated: Collection[str],
    watched: bool,
    seats: Collection[str] = (),
    colours: Collection[Colour] = tuple(Colour),
) -> LampState:
    """Return what a lamp shows.

    Args:
        incidents: the unfinished ones of the floor.
        escalated: ids of incidents for which more than the first person has been asked.
        watched: whether all lines of the lamp are listened to.
        seats: the seats it stands for; none: the whole floor.
        colours: those it has.
    """
    mine = [incident for incident in incidents if (not seats or incident.alert.seat in seats) and incident.under_way]
    if not mine:
        return CALM if watched and Colour.GREEN in colours else OFF
    worst = min(mine, key=_urgency)
    colour = _colour(worst)
    if colour not in colours:
        colour = next((other for other in INSTEAD[colour] if other in colours), Colour.DARK)
    return LampState(colour=colour, pattern=_pattern(worst, escalated))


def _urgency(incident: Incident) -> tuple[bool, int, int]:
    alert = incident.alert
    return (incident.state is not IncidentState.OPEN, KINDS.index(alert.kind), -int(alert.severity))


def _colour(incident: Incident) -> Colour:
    match incident.alert.kind:
        case AlertKind.LIFE_SAFETY:
            return Colour.BLUE
        case AlertKind.HELP:
            return Colour.WHITE
        case AlertKind.HARASSMENT:
            return Colour.RED if incident.alert.severity is Severity.B3 else Colour.AMBER


def _pattern(incident: Incident, escalated: Collection[str]) -> Pattern:
    alert = incident.alert
    if incident.state is not IncidentState.OPEN or alert.kind is AlertKind.LIFE_SAFETY or alert.tentative:
        return Pattern.STEADY
    return Pattern.FAST if incident.incident_id in escalated else Pattern.SLOW
