"""The alerts of one call.

Rules:
1. A call raises at most one harassment alert and one life-safety alert that are not withdrawn; life safety ends a
   harassment alert that is open.
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
    from edge_agent.domain.judgement import Assessment, CallRecord


class Alerting:
    """Turns assessments of one call into alerts and their revisions."""

    def __init__(self, *, call_id: str, seat: str, new_id: Callable[[], str]) -> None:
        self._call_id = call_id
        self._seat = seat
        self._new_id = new_id
        self._open: Alert | None = None
        self._raised: set[AlertKind] = set()

    @property
    def may_suspect(self) -> bool:
        """Whether words that may still change could raise an alert now."""
        return self._open is None and not self._raised

    def suspected(self, assessment: Assessment) -> list[Alert]:
        """Take a tentative assessment; return the alert it raises."""
        if not self.may_suspect:
            return []
        return [self._begin(assessment)]

    def final(self, assessment: Assessment | None, *, at_s: float, record: CallRecord) -> list[Alert]:
        """Take what a customer's final words led to; return the revisions it brings."""
        alerts: list[Alert] = []
        kind = _kind(assessment)
        if self._open is not None and self._open.tentative and kind is not AlertKind.HARASSMENT:
            alerts.append(self._open.withdraw(at_s=at_s))
            self._open = None
        if assessment is None or kind is None:
            return alerts
        if self._open is not None and self._open.kind is not kind:
            alerts += self._end(at_s=at_s, record=record)
        if self._open is not None:
            self._open = self._open.updated(assessment)
            alerts.append(self._open)
        elif kind not in self._raised:
            alerts.append(self._begin(assessment))
        else:
            return alerts
        self._raised.add(kind)
        return alerts

    def end(self, *, at_s: float, record: CallRecord) -> list[Alert]:
        """End what is open, as the call ends; what is still tentative is withdrawn."""
        if self._open is not None and self._open.tentative:
            withdrawn, self._open = self._open.withdraw(at_s=at_s), None
            return [withdrawn]
        return self._end(at_s=at_s, record=record)

    def _begin(self, assessment: Assessment) -> Alert:
        self._open = open_alert(assessment, alert_id=self._new_id(), call_id=self._call_id, seat=self._seat)
        return self._open

    def _end(self, *, at_s: float, record: CallRecord) -> list[Alert]:
        if self._open is None:
            return []
        ended = self._open.ended(at_s=at_s, warnings=record.warnings, warning_level=record.warning_level)
        self._open = None
        return [ended]


def _kind(assessment: Assessment | None) -> AlertKind | None:
    if assessment is None:
        return None
    return AlertKind.LIFE_SAFETY if assessment.life_safety else AlertKind.HARASSMENT
