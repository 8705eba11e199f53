"""What the pages show of a seat.

Rules:
1. Life safety is shown before everything else, and never as harassment.
2. A complaint by itself is shown calmly; a suspicion outranks it.
3. A fault never hides an alert of the call it happened in.
4. An alert of a call that is over stays in the list, not on the seat; a call for help belongs to the seat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.call import LineState
from edge_agent.domain.layout import Cell
from edge_agent.domain.line_trouble import explained
from edge_agent.errors import Text
from edge_agent.store.live import LineStatus
from web_ui.views import IncidentView


class Show(StrEnum):
    """How a seat is shown: each has a word, a shape and a colour."""

    WAITING = "waiting"
    IDLE = "idle"
    IN_CALL = "in_call"
    SUSPECTED = "suspected"
    COMPLAINT = "complaint"
    LIFE_SAFETY = "life_safety"
    HELP = "help"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatView:
    """A seat card. `incident` is the id of the call's unfinished incident, `since` the start of the call.

    `listened` if somebody listens in, `troubles`: of its audio. `sits`: log-in name of who sits there, `sitter`: what
    they are called; both empty for whoever may not know. `cell`: where on the map, None without one. `paused_since`,
    `paused_until`: of a pause, `pause_cut`: the last one was too long.
    """

    seat: str
    label: Text
    show: Show
    call_id: str | None = None
    since: datetime | None = None
    warnings: int = 0
    complaint: bool = False
    fault: Text | None = None
    dropped: int = 0
    incident: str | None = None
    severity: int = 0
    listened: bool = False
    troubles: tuple[Text, ...] = ()
    sits: str = ""
    sitter: str = ""
    cell: Cell | None = None
    paused_since: datetime | None = None
    paused_until: datetime | None = None
    pause_cut: bool = False


def seat_view(
    seat: str, label: Text, status: LineStatus | None, incidents: Sequence[IncidentView], *, listened: bool = False
) -> SeatView:
    """Return a seat's card; `incidents` are the unfinished ones of the whole floor."""
    if status is None:
        return SeatView(seat=seat, label=label, show=Show.WAITING)
    urgent = _most_urgent(status, incidents)
    return SeatView(
        seat=seat,
        label=label,
        show=_show(status, urgent),
        call_id=status.call_id,
        since=status.since,
        warnings=status.warnings,
        complaint=status.complaint,
        fault=status.fault,
        dropped=status.dropped,
        incident=urgent.incident if urgent else None,
        severity=urgent.severity if urgent else 0,
        listened=listened,
        # What is a fault is said as one.
        troubles=tuple(explained(trouble) for trouble in status.troubles if not trouble.is_fault),
        paused_since=status.paused_since,
        paused_until=status.paused_until,
        pause_cut=status.pause_cut,
    )


def _most_urgent(status: LineStatus, incidents: Sequence[IncidentView]) -> IncidentView | None:
    mine = [
        i
        for i in incidents
        if i.seat == status.seat
        and (i.kind is AlertKind.HELP or (status.call_id is not None and i.call_id == status.call_id))
    ]
    order = [AlertKind.LIFE_SAFETY, AlertKind.HELP, AlertKind.HARASSMENT]
    return min(mine, key=lambda i: (order.index(i.kind), -i.severity), default=None)


def _show(status: LineStatus, urgent: IncidentView | None) -> Show:
    if status.life_safety or (urgent and urgent.kind is AlertKind.LIFE_SAFETY):
        return Show.LIFE_SAFETY
    if urgent:
        return Show.HELP if urgent.kind is AlertKind.HELP else Show.SUSPECTED
    if status.state is LineState.FAULT:
        return Show.FAULT
    if status.state is LineState.IDLE:
        return Show.IDLE
    return Show.COMPLAINT if status.complaint else Show.IN_CALL
