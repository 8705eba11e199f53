"""What the pages show of the floor, in both languages at once so that one event serves every page.

Cards of seats are in `seat_views`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from edge_agent.domain.alert import Alert, AlertChange, AlertKind
from edge_agent.domain.call import Speaker
from edge_agent.domain.escalation import Timer
from edge_agent.domain.finding import Label
from edge_agent.domain.incident import Incident, IncidentState
from edge_agent.domain.policy import Policy, Severity
from edge_agent.errors import Text
from edge_agent.settings import Settings
from edge_agent.store.live import LiveWords
from edge_agent.store.receipts import Receipt
from web_ui.ladder import asked_text

WORDS_SHOWN = 60
"""Utterances of a call kept on the pages; the newest."""
PANEL, BUTTON = "panel:", "button:"
"""How the actor of what a panel or a button does begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsView:
    """One utterance on the page.

    `telling` if an alert relied on it, `alerted` if its incident is unfinished: then seen without listening in.
    """

    sequence: int
    speaker: Speaker
    text: str
    final: bool
    telling: bool
    alerted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """An incident in the list of the floor page. Lists are sorted by `urgency`, the smallest first.

    `sent` unless it is a call for help whose messages the broker has not all taken yet. `handed_to`: log-in name of who
    is asked to take it over, empty if nobody is; `handing_to` and `handed_by` what they and who asks are called.
    """

    incident: str
    kind: AlertKind
    state: IncidentState
    seat: str
    seat_label: Text
    call_id: str
    title: Text
    severity: int
    grade: Text | None
    reason: Text
    guide: Text
    phrase: Text | None
    quotes: tuple[str, ...]
    telling: tuple[tuple[tuple[int, int], ...], ...]
    warnings: int
    opened_at: datetime
    revision: int
    over: bool
    tentative: bool
    withdrawn: bool
    urgency: tuple[int, int, int, float]
    acknowledged_by: Text | None
    taken_by: Text | None
    closed_by: Text | None
    asked: Text | None
    delivered: int
    seen: int
    sent: bool = True
    handed_to: str = ""
    handing_to: Text | None = None
    handed_by: Text | None = None


def words_view(words: LiveWords, *, alerted: bool = False) -> WordsView:
    """Return an utterance as the pages show it; `alerted` if its call has an unfinished incident."""
    return WordsView(
        sequence=words.sequence,
        speaker=words.speaker,
        text=words.text,
        final=words.final,
        telling=words.telling,
        alerted=words.telling and alerted,
    )


def incident_view(
    incident: Incident,
    *,
    labels: Mapping[str, Text],
    policy: Policy,
    people: Mapping[str, str],
    receipts: Iterable[Receipt],
    steps: Sequence[Timer] = (),
) -> IncidentView:
    """Return an incident as the lists show it; `people` maps log-in names to display names, `steps` is its ladder."""
    alert = incident.alert
    told, handing = list(receipts), incident.handing_over
    return IncidentView(
        incident=incident.incident_id,
        kind=alert.kind,
        state=incident.state,
        seat=alert.seat,
        seat_label=labels.get(alert.seat, Text(alert.seat, alert.seat)),
        call_id=alert.call_id,
        title=title(alert, policy),
        severity=int(alert.severity),
        grade=grade(alert.severity, policy) if alert.kind is AlertKind.HARASSMENT else None,
        reason=alert.reason,
        guide=alert.guide,
        phrase=phrase(alert, policy),
        quotes=alert.quotes,
        telling=alert.telling,
        warnings=alert.warnings,
        opened_at=incident.opened_at,
        revision=alert.revision,
        over=alert.change is AlertChange.END,
        tentative=alert.tentative and not alert.withdrawn,
        withdrawn=alert.withdrawn,
        urgency=urgency(incident),
        acknowledged_by=actor(incident.acknowledged.by, people) if incident.acknowledged else None,
        taken_by=actor(incident.taken.by, people) if incident.taken else None,
        closed_by=actor(incident.closed.by, people) if incident.closed else None,
        asked=asked_text(incident, steps, people),
        delivered=sum(r.kind == "delivered" for r in told),
        seen=sum(r.kind == "seen" for r in told),
        handed_to=handing.to if handing else "",
        handing_to=actor(handing.to, people) if handing else None,
        handed_by=actor(handing.by, people) if handing else None,
    )


def marked(quote: str, stretches: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Return a quote in pieces, each with whether it carried the decision; a whole quote is not marked."""
    if list(stretches) == [(0, len(quote))]:
        return [(quote, False)]
    pieces, at = [], 0
    for start, end in stretches:
        pieces += [(quote[at:start], False), (quote[start:end], True)]
        at = end
    return [(text, telling) for text, telling in [*pieces, (quote[at:], False)] if text]


def title(alert: Alert, policy: Policy) -> Text:
    """Return what is suspected, never asserted."""
    if alert.kind is AlertKind.LIFE_SAFETY:
        return _with_capital(policy.type_name(Label.LIFE_SAFETY).name)
    if alert.kind is AlertKind.HELP:
        return Text("応援要請", "Help requested")
    names = [policy.type_name(label).name for label in alert.types]
    return Text(
        "・".join(name.ja for name in names) + "の疑い",
        "Suspected: " + ", ".join(name.en for name in names),
    )


def _with_capital(text: Text) -> Text:
    return Text(text.ja, text.en[:1].upper() + text.en[1:])


def grade(severity: Severity, policy: Policy) -> Text:
    """Return what the policy calls a severity."""
    for axis in policy.axes:
        if axis.id == severity.name:
            return _with_capital(axis.name)
    return Text(severity.name, severity.name)


def phrase(alert: Alert, policy: Policy) -> Text | None:
    """Return the words offered to the operator; None if the policy in force does not have them any more."""
    return next((p.text for p in policy.phrases if p.id == alert.phrase), None)


def urgency(incident: Incident) -> tuple[int, int, int, float]:
    """Return the sort key: unseen first, then life safety, help, the gravest, and what has waited longest."""
    alert = incident.alert
    return (
        list(IncidentState).index(incident.state),
        [AlertKind.LIFE_SAFETY, AlertKind.HELP, AlertKind.HARASSMENT].index(alert.kind),
        -int(alert.severity),
        incident.opened_at.timestamp(),
    )


def actor(name: str, people: Mapping[str, str]) -> Text:
    """Return how someone who did something is called: a person, a panel, a button, or the box itself."""
    if name.startswith(PANEL):
        panel = name.removeprefix(PANEL)
        return Text(f"パネル {panel}", f"panel {panel}")
    if name.startswith(BUTTON):
        button = name.removeprefix(BUTTON)
        return Text(f"ボタン {button}", f"button {button}")
    shown = "Mamori" if name == "mamori" else people.get(name, name)
    return Text(shown, shown)


def seat_labels(settings: Settings) -> dict[str, Text]:
    """Return what the seats are called, in the order of the settings."""
    return {seat.seat: Text(seat.label_ja, seat.label_en) for seat in settings.seats}
