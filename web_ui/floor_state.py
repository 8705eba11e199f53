"""The whole floor at one moment, read from the databases, and what differs between two moments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.device import Presence
from edge_agent.domain.incident import FINISHED
from edge_agent.domain.layout import AS_CONFIGURED, Layout, placed
from edge_agent.domain.overload import Meaning, Overloaded, meaning
from edge_agent.domain.policy import Policy
from edge_agent.errors import Text
from edge_agent.services import buttons, topics
from edge_agent.services.devices import silent_integrations
from edge_agent.settings import Settings
from edge_agent.store import (
    devices,
    duty,
    incidents,
    lamps,
    layouts,
    listenings,
    live,
    outbox,
    overload,
    receipts,
    seatings,
)
from edge_agent.store.database import Database
from edge_agent.store.live import LineStatus
from web_ui import ladder
from web_ui.seat_views import SeatView, seat_view
from web_ui.views import WORDS_SHOWN, IncidentView, WordsView, incident_view, seat_labels, words_view

RECENT = 12
"""Finished incidents the floor page still shows."""
UNSENT_AFTER = timedelta(seconds=10)
"""A message that has waited so long waits for no reason of its own: the broker does not work, or who sends to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What is going on now: line states by seat, words by call, calls listened in on, lamps that do not answer.

    `busy`: what the box gives up because it cannot keep up, and what to do; None if nothing.
    """

    lines: Mapping[str, LineStatus] = field(default_factory=dict)
    words: Mapping[str, tuple[WordsView, ...]] = field(default_factory=dict)
    listened: frozenset[str] = frozenset()
    lamp_faults: int = 0
    busy: Meaning | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What is wrong with what alerts go through, some of which shows by time alone.

    `missing`: names of devices that were there and are silent. `buttons`: how many are not to be relied on, by trouble;
    each counts once, with its gravest. `unsent`: how many messages to panels and lamps do not go out.
    """

    missing: tuple[str, ...] = ()
    buttons: Mapping[str, int] = field(default_factory=dict)
    unsent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """How the floor is arranged: by seat, the log-in name of who sits there and what they are called; the map."""

    sitting: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    layout: Layout = AS_CONFIGURED


UNARRANGED = Arrangement()


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Everything the floor page shows; seats in the order of the settings."""

    seats: tuple[SeatView, ...] = ()
    words: Mapping[str, tuple[WordsView, ...]] = field(default_factory=dict)
    incidents: tuple[IncidentView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Utterances of one call that are new or have changed."""

    seat: str
    call_id: str
    words: tuple[WordsView, ...]


Change = SeatView | Words | IncidentView
"""One thing that differs between two moments."""


def read_incidents(main: Database, *, settings: Settings, policy: Policy) -> tuple[IncidentView, ...]:
    """Return the unfinished incidents and the newest finished ones, the most urgent first."""
    labels = seat_labels(settings)
    names = ladder.names(main)
    found = {i.incident_id: i for i in incidents.unfinished(main)}
    for incident in incidents.recent(main, RECENT):
        found.setdefault(incident.incident_id, incident)
    shown = [
        replace(
            incident_view(
                incident,
                labels=labels,
                policy=policy,
                people=names,
                receipts=receipts.of(main, incident.incident_id),
                steps=duty.steps(main, incident.incident_id),
            ),
            sent=incident.alert.kind is not AlertKind.HELP
            or outbox.all_sent(main, topics.alert(settings.box, incident.incident_id)),
        )
        for incident in found.values()
    ]
    return tuple(sorted(shown, key=lambda view: view.urgency))


def read_happening(now: Database) -> Happening:
    """Return line states and the newest words of every call under way."""
    lines = {status.seat: status for status in live.lines(now)}
    calls = [status.call_id for status in lines.values() if status.call_id]
    return Happening(
        lines=lines,
        words={call: tuple(words_view(w) for w in live.words(now, call)[-WORDS_SHOWN:]) for call in calls},
        listened=listenings.calls(now),
        lamp_faults=sum(lamp.fault is not None for lamp in lamps.everything(now)),
        busy=read_busy(now),
    )


def read_busy(now: Database) -> Meaning | None:
    """Return what the box gives up because it cannot keep up, and what to do; None if nothing."""
    return meaning(overload.current(now) or Overloaded())


def read_equipment(main: Database, *, settings: Settings, now: datetime) -> Equipment:
    """Return what is wrong with what alerts go through."""
    reports = buttons.overview(main, settings=settings, now=now)
    mute = silent_integrations(main)
    return Equipment(
        # Integrations that are there but fail to announce calls are among those that are missing.
        missing=tuple(
            device.name
            for device in devices.everything(main)
            if device.presence is Presence.MISSING or device.name in mute
        ),
        buttons=Counter(report.troubles[0].value for report in reports if report.troubles),
        unsent=outbox.count_overdue(main, before=now - UNSENT_AFTER),
    )


def read_arrangement(main: Database) -> Arrangement:
    """Return how the floor is arranged."""
    called = ladder.names(main)
    return Arrangement(
        sitting={each.seat: (each.person, called.get(each.person, each.person)) for each in seatings.everything(main)},
        layout=layouts.read(main),
    )


def compose(
    settings: Settings, happening: Happening, shown: tuple[IncidentView, ...], arranged: Arrangement = UNARRANGED
) -> Floor:
    """Return the floor as the page shows it."""
    labels = seat_labels(settings)
    seats = labels | {seat: Text(seat, seat) for seat in happening.lines if seat not in labels}
    cells = placed(arranged.layout.cells, list(seats))
    unfinished = [incident for incident in shown if incident.state not in FINISHED]
    alerted = {incident.call_id for incident in unfinished}
    return Floor(
        seats=tuple(
            replace(
                seat_view(seat, label, line, unfinished, listened=bool(line and line.call_id in happening.listened)),
                sits=name,
                sitter=called,
                cell=cells.get(seat),
            )
            for seat, label in seats.items()
            for line, (name, called) in [(happening.lines.get(seat), arranged.sitting.get(seat, ("", "")))]
        ),
        words={
            call: tuple(replace(w, alerted=w.telling and call in alerted) for w in words)
            for call, words in happening.words.items()
        },
        incidents=shown,
    )


def read_floor(main: Database, now: Database, *, settings: Settings, policy: Policy) -> Floor:
    """Return the floor at this moment."""
    shown = read_incidents(main, settings=settings, policy=policy)
    return compose(settings, read_happening(now), shown, read_arrangement(main))


def of_the_box(before: Happening, now: Happening) -> list[tuple[str, dict[str, object]]]:
    """Return names and contents of the events that tell what has changed of the box as a whole."""
    events: list[tuple[str, dict[str, object]]] = []
    if before.lamp_faults != now.lamp_faults:
        events.append(("lamps", {"faults": now.lamp_faults}))
    if before.busy != now.busy:
        events.append(("busy", {"busy": now.busy}))
    return events


def of_the_equipment(before: Equipment, now: Equipment) -> list[tuple[str, dict[str, object]]]:
    """Return names and contents of the events that tell what has changed of what alerts go through."""
    events: list[tuple[str, dict[str, object]]] = []
    if before.missing != now.missing:
        events.append(("devices", {"missing": now.missing}))
    if before.buttons != now.buttons:
        events.append(("buttons", {"troubles": now.buttons}))
    if before.unsent != now.unsent:
        events.append(("unsent", {"count": now.unsent}))
    return events


def changes(before: Floor, after: Floor) -> Iterator[Change]:
    """Yield what is new or different; incidents first, because they must not wait for words."""
    known = {view.incident: view for view in before.incidents}
    yield from (view for view in after.incidents if known.get(view.incident) != view)
    cards = {view.seat: view for view in before.seats}
    yield from (view for view in after.seats if cards.get(view.seat) != view)
    seats = {view.call_id: view.seat for view in after.seats}
    for call_id, words in after.words.items():
        old = {w.sequence: w for w in before.words.get(call_id, ())}
        new = tuple(w for w in words if old.get(w.sequence) != w)
        if new:
            yield Words(seat=seats.get(call_id, ""), call_id=call_id, words=new)
