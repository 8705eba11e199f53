"""An incident: what people do about an alert, from open to reviewed.

Only named people move it, with two exceptions: when the box withdraws an alert by words that had still changed, and
when an operator withdraws a call for help at the button, the incident is withdrawn too. A person may still review it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from edge_agent.domain.alert import Alert, AlertChange, AlertKind
from edge_agent.domain.false_alarm import Cause, FalseAlarm
from edge_agent.errors import Text, TransitionError


class IncidentState(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    TAKEN = "taken"
    CLOSED = "closed"
    REVIEWED = "reviewed"
    WITHDRAWN = "withdrawn"


class Verdict(StrEnum):
    """What a named person found in review."""

    HARASSMENT = "harassment"
    COMPLAINT = "complaint"
    FALSE_ALARM = "false_alarm"
    LIFE_SAFETY = "life_safety"


ALLOWED: dict[IncidentState, frozenset[IncidentState]] = {
    IncidentState.OPEN: frozenset({IncidentState.ACKNOWLEDGED, IncidentState.TAKEN}),
    IncidentState.ACKNOWLEDGED: frozenset({IncidentState.TAKEN, IncidentState.CLOSED}),
    IncidentState.TAKEN: frozenset({IncidentState.CLOSED}),
    IncidentState.CLOSED: frozenset({IncidentState.REVIEWED}),
    IncidentState.REVIEWED: frozenset(),
    IncidentState.WITHDRAWN: frozenset({IncidentState.REVIEWED}),
}
"""From each state, where a person may move the incident."""


FINISHED = frozenset({IncidentState.CLOSED, IncidentState.REVIEWED, IncidentState.WITHDRAWN})
"""States in which nobody on the floor has anything left to do."""
HANDED_OVER = frozenset({IncidentState.ACKNOWLEDGED, IncidentState.TAKEN})
"""States in which one person may ask another to take it: somebody has answered already, so the ladder has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Who did something, and when: evidence that the company responded."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """`by` has asked `to` to take an incident; it is nobody else's before they have taken it."""

    to: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One alert and what people did about it. Its id is the alert's id."""

    alert: Alert
    opened_at: datetime
    state: IncidentState = IncidentState.OPEN
    acknowledged: Mark | None = None
    taken: Mark | None = None
    closed: Mark | None = None
    reviewed: Mark | None = None
    verdict: Verdict | None = None
    false_alarm: FalseAlarm | None = None
    handing_over: HandOver | None = None

    @property
    def incident_id(self) -> str:
        """The stable id, shared with the alert."""
        return self.alert.alert_id

    @property
    def under_way(self) -> bool:
        """Whether the floor has it before it: nobody has answered yet, or its call goes on and nobody has closed it."""
        if self.state in FINISHED:
            return False
        return self.state is IncidentState.OPEN or self.alert.change is not AlertChange.END

    @property
    def ruled_out(self) -> Cause | None:
        """Why it was no harassment, as far as people have said; a verdict goes before an earlier mark."""
        if self.verdict is Verdict.COMPLAINT:
            return Cause.COMPLAINT
        if self.verdict not in {None, Verdict.FALSE_ALARM}:
            return None
        if self.false_alarm is not None:
            return self.false_alarm.cause
        return Cause.OTHER if self.verdict else None

    def acknowledge(self, *, by: str, at: datetime) -> Incident:
        """Someone has seen it. Raises `TransitionError` unless it is open."""
        self._refuse_unless(IncidentState.ACKNOWLEDGED)
        return replace(self, state=IncidentState.ACKNOWLEDGED, acknowledged=Mark(by=by, at=at))

    def take(self, *, by: str, at: datetime) -> Incident:
        """Someone takes charge; taking an open incident acknowledges it, taking one handed over to them moves it.

        Raises `TransitionError` otherwise.
        """
        if not self.may_take(by):
            self._refuse_unless(IncidentState.TAKEN)
        mark = Mark(by=by, at=at)
        seen = self.acknowledged or mark
        return replace(self, state=IncidentState.TAKEN, taken=mark, acknowledged=seen, handing_over=None)

    def may_take(self, by: str) -> bool:
        """Whether someone may take it: nobody has yet, it is being handed over to them, or it was and they keep it."""
        if self.state is IncidentState.TAKEN:
            handing, taken = self.handing_over, self.taken
            return handing is not None and by in {handing.to, handing.by, taken.by if taken else ""}
        return IncidentState.TAKEN in ALLOWED[self.state]

    def hand_over(self, *, to: str, by: str, at: datetime) -> Incident:
        """`by` asks `to` to take it, in place of whoever was asked before.

        Raises `TransitionError` unless someone has acknowledged or taken it, or if it is theirs already.
        """
        if self.state not in HANDED_OVER:
            raise TransitionError(
                Text(
                    f"事案 {self.incident_id} は「{self.state}」のため引き継げません。",
                    f"Incident {self.incident_id} is {self.state} and cannot be handed over.",
                ),
                Text(
                    "引き継げるのは確認済みか対応中の事案です。未確認なら、先に確認してください。",
                    "What is acknowledged or taken can be. Acknowledge it first if nobody has.",
                ),
            )
        if to == (self.taken.by if self.taken else by):
            raise TransitionError(
                Text("引き継ぎ先は、すでに対応している人です。", "It is theirs already."),
                Text("ほかの人を選んでください。", "Choose somebody else."),
            )
        return replace(self, handing_over=HandOver(to=to, by=by, at=at))

    def close(self, *, by: str, at: datetime) -> Incident:
        """It is over for the floor. Raises `TransitionError` unless someone has acknowledged or taken it."""
        self._refuse_unless(IncidentState.CLOSED)
        return replace(self, state=IncidentState.CLOSED, closed=Mark(by=by, at=at), handing_over=None)

    def rule_out(self, false_alarm: FalseAlarm) -> Incident:
        """Somebody on the floor sees that it is none, and why; it is over then, and its review begins from there.

        Raises `TransitionError` if it was reviewed, or if it is no suspicion but an operator's call for help.
        """
        if self.alert.kind is AlertKind.HELP or self.state is IncidentState.REVIEWED:
            raise TransitionError(
                Text(
                    f"事案 {self.incident_id} を誤検知にすることはできません。",
                    f"Incident {self.incident_id} cannot be marked as a false alarm.",
                ),
                Text(
                    "応援要請は誤検知になりません。検証が済んだ事案の判定も変えられません。",
                    "A call for help is none, and what was reviewed stays as it is.",
                ),
            )
        if self.state in FINISHED:
            return replace(self, false_alarm=false_alarm)
        mark = Mark(by=false_alarm.by, at=false_alarm.at)
        seen = self.acknowledged or mark
        over = replace(self, state=IncidentState.CLOSED, acknowledged=seen, closed=mark, handing_over=None)
        return replace(over, false_alarm=false_alarm)

    def review(self, *, by: str, at: datetime, verdict: Verdict, false_alarm: FalseAlarm | None = None) -> Incident:
        """A named person certifies what it was; a `false_alarm` of theirs goes before an earlier mark.

        Raises `TransitionError` unless it is closed or withdrawn.
        """
        self._refuse_unless(IncidentState.REVIEWED)
        return replace(
            self,
            state=IncidentState.REVIEWED,
            reviewed=Mark(by=by, at=at),
            verdict=verdict,
            false_alarm=false_alarm or self.false_alarm,
        )

    def withdraw(self, *, by: str, at: datetime) -> Incident:
        """The box, or the button that called, takes back the alert; what people have finished stays as they left it."""
        if self.state in FINISHED:
            return self
        return replace(self, state=IncidentState.WITHDRAWN, closed=Mark(by=by, at=at), handing_over=None)

    def with_alert(self, alert: Alert) -> Incident:
        """Return the incident with a newer revision of its alert; an older one changes nothing."""
        if alert.alert_id != self.incident_id:
            raise TransitionError(
                Text("別の事案のアラートです。", "The alert belongs to another incident."),
                Text("開発元に連絡してください。", "Tell the vendor."),
            )
        return replace(self, alert=alert) if alert.revision > self.alert.revision else self

    def _refuse_unless(self, wanted: IncidentState) -> None:
        if wanted not in ALLOWED[self.state]:
            raise TransitionError(
                Text(
                    f"事案 {self.incident_id} は「{self.state}」のため「{wanted}」にできません。",
                    f"Incident {self.incident_id} is {self.state} and cannot become {wanted}.",
                ),
                Text(
                    "ほかの人がすでに対応している可能性があります。画面を読み込み直してください。",
                    "Someone else may have dealt with it. Reload the page.",
                ),
            )
