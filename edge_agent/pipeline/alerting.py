"""The alerts of one call.

Rules:
1. A call raises at most one harassment alert and one life-safety alert that are not withdrawn; life safety ends a
   harassment alert that is open. Harassment told after a doubtful sign of danger leaves the life-safety alert open:
   whether anybody is in danger is for people to say.
2. Words that may still change raise an alert only while none is open, and it is tentative. The customer's next final
   words confirm it, if they meet a criterion, or withdraw it; so does the end of the call.
3. A withdrawn alert leaves no trace in the call: the next one is new, with an id of its own.
4. What is open when the call ends is ended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edge_agent.domain.alert import Alert, AlertKind, open_alert

if TYPE_CHECKING:
    from edge_agent.domain.judgement import Assessment
    from edge_agent.domain.record import CallRecord


class Alerting:
    """Turns assessments of one call into alerts and their revisions."""

    def __init__(self, *, call_id: str, seat: str, new_id: Callable[[], str]) -> None:
        self._call_id = call_id
        self._seat = seat
        self._new_id = new_id
        self._open: dict[AlertKind, Alert] = {}
        self._raised: set[AlertKind] = set()

    @property
    def may_suspect(self) -> bool:
        """Whether words that may still change could raise an alert now."""
        return not self._open and not self._raised

    def suspected(self, assessment: Assessment) -> list[Alert]:
        """Take a tentative assessment; return the alert it raises."""
        if not self.may_suspect:
            return []
        return [self._begin(AlertKind.HARASSMENT, assessment)]

    def final(self, assessment: Assessment | None, *, at_s: float, record: CallRecord) -> list[Alert]:
        """Take what a customer's final words led to; return the revisions it brings."""
        kind = _kind(assessment)
        alerts = [] if kind is AlertKind.HARASSMENT else self._withdraw_tentative(at_s=at_s)
        if assessment is None or kind is None:
            return alerts
        if kind is AlertKind.LIFE_SAFETY:
            alerts += self._end(AlertKind.HARASSMENT, at_s=at_s, record=record)
        if kind in self._open:
            self._open[kind] = self._open[kind].updated(assessment)
            alerts.append(self._open[kind])
        elif kind not in self._raised:
            alerts.append(self._begin(kind, assessment))
        else:
            return alerts
        self._raised.add(kind)
        return alerts

    def end(self, *, at_s: float, record: CallRecord) -> list[Alert]:
        """End what is open, as the call ends; what is still tentative is withdrawn."""
        withdrawn = self._withdraw_tentative(at_s=at_s)
        return withdrawn + [alert for kind in list(self._open) for alert in self._end(kind, at_s=at_s, record=record)]

    def _begin(self, kind: AlertKind, assessment: Assessment) -> Alert:
        alert = open_alert(assessment, alert_id=self._new_id(), call_id=self._call_id, seat=self._seat)
        self._open[kind] = alert
        return alert

    def _withdraw_tentative(self, *, at_s: float) -> list[Alert]:
        alert = self._open.get(AlertKind.HARASSMENT)
        if alert is None or not alert.tentative:
            return []
        del self._open[AlertKind.HARASSMENT]
        return [alert.withdraw(at_s=at_s)]

    def _end(self, kind: AlertKind, *, at_s: float, record: CallRecord) -> list[Alert]:
        alert = self._open.pop(kind, None)
        if alert is None:
            return []
        return [alert.ended(at_s=at_s, warnings=record.warnings, warning_level=record.warning_level)]


def _kind(assessment: Assessment | None) -> AlertKind | None:
    if assessment is None:
        return None
    return AlertKind.LIFE_SAFETY if assessment.life_safety else AlertKind.HARASSMENT
