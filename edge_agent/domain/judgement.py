"""Judgement over a call: findings are weighed against the policy's criteria.

Rules:
1. Only the customer's final words count; the operator's words never count against the caller, they are
   heard for the warnings spoken.
2. A criterion is met when `hits` utterances of its label reached its threshold within `window_s`, or when
   one utterance reached `strong`.
3. Life safety overrides: from its first finding on, the call raises no harassment assessment.
4. A complaint is recognised and shown, and never leads to an assessment by itself.
5. An assessment is returned only when it says something new: a criterion met for the first time in the call.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge_agent.domain.call import Speaker
from edge_agent.domain.finding import Finding, Label
from edge_agent.errors import Text

if TYPE_CHECKING:
    from edge_agent.domain.call import Utterance
    from edge_agent.domain.finding import Scores
    from edge_agent.domain.policy import Criterion, Policy, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the policy says of a call so far. Always a suspicion; a named person certifies.

    Attributes:
        criterion: the criterion that was met just now.
        met: ids of all criteria met in the call, the first first.
        types: harassment types of the criteria met; empty for life safety.
        findings: the findings relied on for `criterion`, oldest first.
        severity: highest axis-B grade of the criteria met.
        life_safety: the caller may be in danger; overrides harassment.
        complaint: the call also holds a legitimate complaint.
        warnings: warnings the operator has spoken so far.
        at_s: seconds from the start of the call to the end of the utterance that met the criterion.
        reason: why, in words.
    """

    criterion: Criterion
    met: tuple[str, ...]
    types: tuple[Label, ...]
    findings: tuple[Finding, ...]
    severity: Severity
    life_safety: bool
    complaint: bool
    warnings: int
    at_s: float
    policy_version: str
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """What judgement remembers of a call."""

    call_id: str
    findings: tuple[Finding, ...] = ()
    met: tuple[str, ...] = ()
    warnings: int = 0
    complaint: bool = False
    life_safety: bool = False
    relay: bool = False


def hear(
    record: CallRecord, utterance: Utterance, scores: Scores | None, policy: Policy
) -> tuple[CallRecord, Assessment | None]:
    """Weigh one final utterance; return the record with it and, if it says something new, an assessment.

    `scores` is what the classifier said of a customer's utterance; it is ignored for the operator.
    """
    if not utterance.final:
        return record, None
    record = replace(record, relay=record.relay or any(m in utterance.text for m in policy.relay_marks))
    if utterance.speaker is Speaker.OPERATOR:
        return replace(record, warnings=record.warnings + spoken_warnings(utterance.text, policy)), None
    if scores is None:
        return record, None
    findings = record.findings + _findings(utterance, scores, policy)
    complaint = record.complaint or scores.labels.get(Label.COMPLAINT, 0.0) >= policy.complaint_threshold
    record = replace(record, findings=findings, complaint=complaint)
    for criterion in _in_order(policy):
        if criterion.id in record.met:
            continue
        if record.life_safety and criterion.label is not Label.LIFE_SAFETY:
            continue
        relied_on = _relied_on(criterion, record.findings, utterance.sequence, utterance.end_s)
        if relied_on:
            return _assess(record, criterion, relied_on, utterance, policy)
    return record, None


def spoken_warnings(text: str, policy: Policy) -> int:
    """Return 1 if the operator's words hold one of the policy's warning phrases, else 0."""
    return int(any(mark in text for p in policy.phrases if p.warning for mark in p.spoken_marks))


def _in_order(policy: Policy) -> list[Criterion]:
    """Life safety first, then the gravest, so that one utterance raises the gravest thing it says."""
    return sorted(policy.criteria, key=lambda c: (c.label is not Label.LIFE_SAFETY, -c.severity))


def _findings(utterance: Utterance, scores: Scores, policy: Policy) -> tuple[Finding, ...]:
    lowest: dict[Label, float] = {}
    for criterion in policy.criteria:
        lowest[criterion.label] = min(criterion.threshold, lowest.get(criterion.label, 1.0))
    return tuple(
        Finding(
            label=label,
            score=scores.labels[label],
            at_s=utterance.end_s,
            sequence=utterance.sequence,
            quote=utterance.text,
            model_version=scores.model_version,
        )
        for label, threshold in lowest.items()
        if scores.labels.get(label, 0.0) >= threshold
    )


def _relied_on(criterion: Criterion, findings: tuple[Finding, ...], sequence: int, now_s: float) -> tuple[Finding, ...]:
    """Return the findings that meet the criterion at this utterance, or none."""
    counting = tuple(
        f
        for f in findings
        if f.label is criterion.label and f.score >= criterion.threshold and now_s - f.at_s <= criterion.window_s
    )
    if not counting or counting[-1].sequence != sequence:
        return ()
    if len(counting) >= criterion.hits or counting[-1].score >= criterion.strong:
        return counting
    return ()


def _assess(
    record: CallRecord,
    criterion: Criterion,
    relied_on: tuple[Finding, ...],
    utterance: Utterance,
    policy: Policy,
) -> tuple[CallRecord, Assessment]:
    life_safety = criterion.label is Label.LIFE_SAFETY
    record = replace(record, met=(*record.met, criterion.id), life_safety=record.life_safety or life_safety)
    met = [policy.criterion(i) for i in record.met]
    types = () if life_safety else tuple(dict.fromkeys(c.label for c in met if c.label is not Label.LIFE_SAFETY))
    return record, Assessment(
        criterion=criterion,
        met=record.met,
        types=types,
        findings=relied_on,
        severity=max(c.severity for c in met),
        life_safety=life_safety,
        complaint=record.complaint,
        warnings=record.warnings,
        at_s=utterance.end_s,
        policy_version=policy.version,
        reason=_reason(criterion, relied_on),
    )


def _reason(criterion: Criterion, relied_on: tuple[Finding, ...]) -> Text:
    count = len(relied_on)
    if count == 1:
        return criterion.reason
    span = max(1, round(relied_on[-1].at_s - relied_on[0].at_s))
    return Text(
        f"{criterion.reason.ja}（{span}秒間に{count}回）",
        f"{criterion.reason.en} ({count} times within {span} s)",
    )
