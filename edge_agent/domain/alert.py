"""What supervisors are told: one alert with a stable id, new, then updated, then ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from edge_agent.domain.finding import Label
from edge_agent.domain.policy import Severity
from edge_agent.errors import Text, TransitionError

if TYPE_CHECKING:
    from edge_agent.domain.judgement import Assessment


class AlertKind(StrEnum):
    """Why people are called: suspected harassment, a life in danger, or an operator's button."""

    HARASSMENT = "harassment"
    LIFE_SAFETY = "life_safety"
    HELP = "help"


class AlertChange(StrEnum):
    """What a message about an alert says of it."""

    NEW = "new"
    UPDATE = "update"
    END = "end"


WITHDRAWN = Text(
    "取り下げ: 確定した言葉では基準に達しませんでした。", "withdrawn: the final words did not meet the criterion."
)
"""Reason of the last revision of an alert that is withdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert at one revision. The machine only ever suspects; a named person certifies.

    Attributes:
        alert_id: stable over all revisions, so that a repeat does no harm; also the incident's id.
        revision: 1 for `NEW`, one more for every change.
        at_s: seconds from the start of the call to the end of the words that caused this revision.
        types: harassment types suspected, the first met first; empty for life safety and help.
        criterion: id of the policy's criterion that was met last.
        quotes: the customer's words relied on, oldest first.
        telling: for each quote the stretches (start, end) of it that carried the decision.
        warnings: warnings the operator has spoken so far.
        warning_level: the gravest of them: 1, 2, 3 (ending the call), or 0.
        tentative: it rests on words that may still change; the final words confirm or withdraw it.
        withdrawn: it has ended because the final words did not bear it out.
    """

    alert_id: str
    call_id: str
    seat: str
    kind: AlertKind
    change: AlertChange
    revision: int
    at_s: float
    types: tuple[Label, ...]
    severity: Severity
    criterion: str
    reason: Text
    guide: Text
    phrase: str
    quotes: tuple[str, ...]
    warnings: int
    policy_version: str
    model_version: str
    warning_level: int = 0
    tentative: bool = False
    withdrawn: bool = False
    telling: tuple[tuple[tuple[int, int], ...], ...] = ()

    def updated(self, assessment: Assessment) -> Alert:
        """Return the next revision by a newer assessment; raise `TransitionError` if the alert has ended."""
        self._refuse_if_ended()
        return replace(
            self,
            change=AlertChange.UPDATE,
            revision=self.revision + 1,
            at_s=max(self.at_s, assessment.at_s),
            types=assessment.types,
            severity=max(self.severity, assessment.severity),
            criterion=assessment.criterion.id,
            reason=assessment.reason,
            guide=assessment.criterion.guide,
            phrase=assessment.criterion.phrase,
            quotes=tuple(finding.quote for finding in assessment.findings),
            telling=tuple(finding.telling for finding in assessment.findings),
            warnings=assessment.warnings,
            warning_level=assessment.warning_level,
            tentative=assessment.tentative,
        )

    def withdraw(self, *, at_s: float) -> Alert:
        """Return the last revision of a tentative alert that the final words did not bear out.

        Raises:
            TransitionError: if it has ended, or has been confirmed.
        """
        self._refuse_if_ended()
        if not self.tentative:
            raise TransitionError(
                Text(
                    f"アラート {self.alert_id} は確定しているため取り下げられません。",
                    f"Alert {self.alert_id} is confirmed and cannot be withdrawn.",
                ),
                Text("画面を読み込み直してください。", "Reload the page."),
            )
        return replace(
            self,
            change=AlertChange.END,
            revision=self.revision + 1,
            at_s=max(at_s, self.at_s),
            reason=WITHDRAWN,
            withdrawn=True,
        )

    def ended(self, *, at_s: float, warnings: int, warning_level: int) -> Alert:
        """Return the last revision; raise `TransitionError` if the alert has ended before."""
        self._refuse_if_ended()
        return replace(
            self,
            change=AlertChange.END,
            revision=self.revision + 1,
            at_s=max(at_s, self.at_s),
            warnings=warnings,
            warning_level=warning_level,
        )

    def _refuse_if_ended(self) -> None:
        if self.change is AlertChange.END:
            raise TransitionError(
                Text(
                    f"アラート {self.alert_id} はすでに終了しています。",
                    f"Alert {self.alert_id} has already ended.",
                ),
                Text("画面を読み込み直してください。", "Reload the page."),
            )


def open_alert(assessment: Assessment, *, alert_id: str, call_id: str, seat: str) -> Alert:
    """Return revision 1 of the alert an assessment calls for."""
    return Alert(
        alert_id=alert_id,
        call_id=call_id,
        seat=seat,
        kind=AlertKind.LIFE_SAFETY if assessment.life_safety else AlertKind.HARASSMENT,
        change=AlertChange.NEW,
        revision=1,
        at_s=assessment.at_s,
        types=assessment.types,
        severity=assessment.severity,
        criterion=assessment.criterion.id,
        reason=assessment.reason,
        guide=assessment.criterion.guide,
        phrase=assessment.criterion.phrase,
        quotes=tuple(finding.quote for finding in assessment.findings),
        telling=tuple(finding.telling for finding in assessment.findings),
        warnings=assessment.warnings,
        warning_level=assessment.warning_level,
        tentative=assessment.tentative,
        policy_version=assessment.policy_version,
        model_version=assessment.findings[-1].model_version,
    )
