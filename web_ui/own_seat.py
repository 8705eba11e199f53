"""What an operator's own seat page shows: this seat, this call, this call for help, and nothing of anybody else's.

Rules:
1. No words of any call: who reads along over an operator's shoulder is not known.
2. Of incidents only those of the call under way, and this seat's call for help: what came before was perhaps
   somebody else's.
3. While nobody listens, nothing is said about the call: no calm that cannot be known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.button import EMERGENCY, LightState
from edge_agent.domain.finding import HARASSMENT
from edge_agent.domain.incident import FINISHED
from edge_agent.domain.roles import RIGHTS, Right, Role
from edge_agent.errors import Text
from edge_agent.services import buttons
from edge_agent.services.housekeeping import KEEP_SENT
from edge_agent.store import incidents, listenings
from edge_agent.store.listenings import Listening
from web_ui import ladder
from web_ui.context import Context
from web_ui.floor_state import Floor, read_floor
from web_ui.seat_views import SeatView, Show
from web_ui.sight import Sight
from web_ui.views import IncidentView


class Mood(StrEnum):
    """How the call stands, in one word; each has a sentence, a shape and a colour."""

    DEAF = "deaf"
    WAITING = "waiting"
    FAULT = "fault"
    PAUSED = "paused"
    IDLE = "idle"
    CALM = "calm"
    COMPLAINT = "complaint"
    SUSPECTED = "suspected"
    LIFE_SAFETY = "life_safety"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnView:
    """One seat as whoever sits there sees it.

    Attributes:
        about: what is suspected in the call under way, None if nothing is.
        help: this seat's call for help, None if nobody called; `light` is how far it has come.
        listeners: names of those who follow this call word by word at this moment.
        paused_since: beginning of a pause for a card number, None without one; it ends at `paused_until` at the latest.
        pause_cut: the last pause ended because it was too long.
    """

    seat: str
    label: Text
    mood: Mood
    call_id: str | None
    since: datetime | None
    warnings: int
    fault: Text | None
    about: IncidentView | None
    help: IncidentView | None
    light: LightState
    emergency: bool
    listeners: tuple[str, ...]
    paused_since: datetime | None
    paused_until: datetime | None
    pause_cut: bool

    @property
    def withdrawable(self) -> bool:
        """Whether there is a call for help that the operator may take back."""
        return self.help is not None and not self.emergency


def read_own(behind: Context, seat: str, *, told: bool = False) -> OwnView | None:
    """Return a seat at this moment, None if there is no such seat.

    Who was `told` by the feed is given the floor the feed has read, once for all pages; anybody else may have done
    something just now that the feed has not seen yet.

    Raises:
        StoreError: if the databases cannot be read.
    """
    shared = behind.feed.floor if told else None
    whole = shared or read_floor(behind.main, behind.live, settings=behind.settings, policy=behind.policy)
    floor = sight_on(seat).of_floor(whole)
    if not floor.seats:
        return None
    [card] = floor.seats
    calls = incidents.calls_for_help(behind.main, seat)
    emergencies = {call.incident_id for call in calls if call.alert.criterion == EMERGENCY}
    called = _most_urgent_call(floor, emergencies)
    names = ladder.names(behind.main)
    return OwnView(
        seat=seat,
        label=card.label,
        mood=mood(card, about := _about(floor, card), listening=behind.feed.listening),
        call_id=card.call_id,
        since=card.since,
        warnings=card.warnings,
        fault=card.fault,
        about=about,
        help=called,
        light=buttons.light_of(behind.main, seat, box=behind.settings.box),
        emergency=bool(emergencies),
        listeners=_listeners(listenings.everything(behind.live), card, names),
        paused_since=card.paused_since,
        paused_until=card.paused_until,
        pause_cut=card.pause_cut and card.paused_since is None,
    )


def sight_on(seat: str) -> Sight:
    """Return what is seen from one seat."""
    return Sight(seats=frozenset({seat}), words=False)


def mood(card: SeatView, about: IncidentView | None, *, listening: bool) -> Mood:
    """Return how the call of a seat stands; `about` is what is suspected in it, `listening` whether anybody listens."""
    if about is not None:
        # What has been heard stays true when the ear fails.
        return Mood.LIFE_SAFETY if about.kind is AlertKind.LIFE_SAFETY else Mood.SUSPECTED
    silent = _silent(card, listening=listening)
    if silent is not None:
        return silent
    if card.show is Show.LIFE_SAFETY:
        return Mood.LIFE_SAFETY
    return Mood.COMPLAINT if card.complaint else Mood.CALM


def _silent(card: SeatView, *, listening: bool) -> Mood | None:
    """Return why nothing can be said about a call, None if it is heard."""
    if not listening:
        return Mood.DEAF
    if card.show is Show.WAITING:
        return Mood.WAITING
    if card.fault is not None:
        return Mood.FAULT
    if card.paused_since is not None:
        return Mood.PAUSED
    return Mood.IDLE if card.call_id is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """What is monitored at a seat and why, from the settings and the policy in force.

    Attributes:
        network: the voices are a copy from the network, not a tap of the line.
        judged: the types of harassment that are looked for.
        readers: roles that may read the words an alert rests on.
        listeners: roles that may follow a call word by word.
        sent_days: how long messages to panels are kept, in days.
    """

    network: bool
    policy: Text
    version: str
    effective_from: str
    judged: tuple[Text, ...]
    readers: tuple[Role, ...]
    listeners: tuple[Role, ...]
    sent_days: int


def watching(behind: Context, seat: str) -> Watching:
    """Return what is monitored at a seat of the settings."""
    policy = behind.policy
    judged = {rule.label for rule in policy.rules if rule.label in HARASSMENT}
    return Watching(
        network=any(known.seat == seat and known.rtp is not None for known in behind.settings.seats),
        policy=policy.title,
        version=policy.version,
        effective_from=policy.effective_from,
        judged=tuple(kind.name for kind in policy.types if kind.label in judged),
        readers=_with(Right.READ_WORDS),
        listeners=_with(Right.LISTEN_LIVE),
        sent_days=KEEP_SENT.days,
    )


def _with(right: Right) -> tuple[Role, ...]:
    return tuple(role for role in Role if right in RIGHTS[role])


def _about(floor: Floor, card: SeatView) -> IncidentView | None:
    mine = [
        view
        for view in floor.incidents
        if view.kind is not AlertKind.HELP and view.call_id == card.call_id and view.state not in FINISHED
    ]
    return min(mine, key=lambda view: (view.kind is not AlertKind.LIFE_SAFETY, -view.severity), default=None)


def _most_urgent_call(floor: Floor, emergencies: set[str]) -> IncidentView | None:
    calls = [view for view in floor.incidents if view.kind is AlertKind.HELP and view.state not in FINISHED]
    return min(calls, key=lambda view: (view.incident not in emergencies, view.opened_at), default=None)


def _listeners(now: Sequence[Listening], card: SeatView, names: dict[str, str]) -> tuple[str, ...]:
    found = {names.get(each.person, each.person) for each in now if card.call_id and each.call_id == card.call_id}
    return tuple(sorted(found))
