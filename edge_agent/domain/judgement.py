"""Judgement over a call: findings are weighed against the policy's criteria.

Rules:
1. Only the customer's words count; the operator's words never count against the caller, they are heard for the
   refusals, warnings and the final answer spoken.
2. A criterion is met by decaying evidence of its type, by one strong utterance, or by the first one if it is immediate;
   words that are a complaint too may need a second (`weighing`). A demand repeated after the final answer, and a call
   that goes in circles, have rules of their own (`repetition`).
3. Life safety overrides: from a finding on, the call raises no harassment assessment; for good if the danger is
   certain, by a second finding, a very sure one, or an operator who asks about it. One that is alone and doubtful is
   forgotten for this after some calm turns of the customer (`record`), and at once for a type that acts at once and is
   very sure in words that show no danger themselves; that it was shown stays. Yes to the operator's
   question whether the caller means to die is a finding (`danger`).
4. A complaint is recognised and shown, and never leads to an assessment by itself.
5. An assessment is returned only when it says something new: criteria met for the first time in the call, or words of a
   type already met that go on after a further warning. Its reason says why, and why that severity.
6. Words that may still change are only ever suspected, of the types that act at once; the call's record stays as it
   was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge_agent.domain.call import Speaker
from edge_agent.domain.danger import asks, asks_of_danger, says_yes
from edge_agent.domain.finding import Finding, Label
from edge_agent.domain.grounds import explained, graded
from edge_agent.domain.likeness import plain
from edge_agent.domain.quotation import asks_for_report, complains_for
from edge_agent.domain.record import SURE_OF_DANGER, CallRecord
from edge_agent.domain.repetition import LEAST_LETTERS, answered, demanded, replied, too_long
from edge_agent.domain.spoken import is_final_answer, is_refusal, spoken_warning
from edge_agent.domain.weighing import alone, found, relied_on
from edge_agent.domain.wording import Turn, quotes_harassment, thresholds

if TYPE_CHECKING:
    from edge_agent.domain.call import Utterance
    from edge_agent.domain.finding import Scores
    from edge_agent.domain.policy import Criterion, Policy, Rule, Severity
    from edge_agent.errors import Text

TURNS = 4
"""Turns of the customer remembered: as many as a policy may ask for as context."""
REPORTING = 2
"""Turns in which a customer may go on to tell what somebody else did, after he was asked for it or quoted it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the policy says of a call so far. Always a suspicion; a named person certifies.

    Attributes:
        criterion: the gravest rule that was met just now.
        met: ids of all rules met in the call, the first first.
        types: harassment types of the rules met; empty for life safety.
        findings: the findings relied on for `criterion`, oldest first.
        severity: highest axis-B grade of the call.
        life_safety: the caller may be in danger; overrides harassment.
        complaint: the call also holds a legitimate complaint.
        warnings: warnings the operator has spoken so far.
        warning_level: the gravest of them: 1, 2, 3 (ending the call), or 0.
        at_s: seconds from the start of the call to the end of the utterance that met the criterion.
        reason: why, and why that severity, in words.
        tentative: it rests on words that may still change.
    """

    criterion: Rule
    met: tuple[str, ...]
    types: tuple[Label, ...]
    findings: tuple[Finding, ...]
    severity: Severity
    life_safety: bool
    complaint: bool
    warnings: int
    warning_level: int
    at_s: float
    policy_version: str
    reason: Text
    tentative: bool = False


def hear(
    record: CallRecord,
    utterance: Utterance,
    scores: Scores | None,
    policy: Policy,
    *,
    whole: Scores | None = None,
) -> tuple[CallRecord, Assessment | None]:
    """Weigh one final utterance; return the record with it and, if it says something new, an assessment.

    Args:
        record: the call so far.
        utterance: what was said.
        scores: what the classifier said of the customer's words that bear on judgement (`wording`), or of the
            operator's, of which only what they reply is looked at.
        policy: the company's policy.
        whole: what the classifier said of all the customer's words, where some of them do not bear on judgement.
    """
    if not utterance.final:
        return record, None
    record = replace(record, relay=record.relay or any(mark in utterance.text for mark in policy.relay_marks))
    if utterance.speaker is Speaker.OPERATOR:
        return _operator_said(record, utterance, scores, policy), None
    considerate = any(mark in utterance.text for mark in policy.accommodation_marks)
    answers_yes = record.asked_of_danger and says_yes(utterance.text)
    record = replace(record, accommodation=record.accommodation or considerate, asked_of_danger=False, warning=False)
    if scores is None:
        return record, None
    if answers_yes:
        scores = replace(scores, labels={**scores.labels, Label.LIFE_SAFETY: 1.0})
    repetition, again = demanded(record.repetition, utterance, scores, policy)
    findings = found(utterance, scores, policy)
    record = _signs_of_danger(record, utterance, findings)
    record = replace(
        record,
        reporting=_goes_on_telling(record, utterance, quotes=quotes_harassment(whole or scores, scores, policy)),
        findings=record.findings + findings,
        complaint=record.complaint or scores.labels.get(Label.COMPLAINT, 0.0) >= policy.complaint_threshold,
        turns=(*record.turns, _turn(record, utterance, scores))[-TURNS:],
        repetition=repetition,
    )
    by_words = _met_now(record, utterance, scores, policy) or _goes_on(record, utterance, policy)
    if by_words:
        return _assess(record, by_words, utterance, policy)
    rules = _met_by_repeating(record, again, utterance, policy)
    return _assess(record, [(rule, again) for rule in rules], utterance, policy) if rules else (record, None)


def suspect(record: CallRecord, utterance: Utterance, scores: Scores, policy: Policy) -> Assessment | None:
    """Return what words that may still change give reason to suspect; the record does not change by them."""
    if not policy.tentative.on or record.in_danger or utterance.speaker is not Speaker.CUSTOMER:
        return None
    if scores.labels.get(Label.LIFE_SAFETY, 0.0) >= thresholds(policy).get(Label.LIFE_SAFETY, 1.0):
        return None
    record = replace(record, findings=found(utterance, scores, policy))
    met = [
        (criterion, findings)
        for criterion, findings in _met_now(record, utterance, scores, policy)
        if criterion.immediate and findings[-1].score >= policy.tentative.threshold
    ]
    return replace(_assess(record, met, utterance, policy)[1], tentative=True) if met else None


def _operator_said(record: CallRecord, utterance: Utterance, scores: Scores | None, policy: Policy) -> CallRecord:
    # Asked what was shouted at them, or begged not to die, nobody is warned: there the policy's own words alone count.
    reports, asks_danger = asks_for_report(utterance.text), asks_of_danger(utterance.text, policy)
    scores = None if reports or asks_danger or record.in_danger else scores
    level = spoken_warning(utterance.text, policy, scores=scores, before=record.warning_level, goes_on=record.warning)
    refuses = is_refusal(utterance.text, policy, scores=scores)
    if level or refuses:
        record = replace(record, reporting=0)
    elif reports:
        record = replace(record, reporting=REPORTING)
    if asks_danger:
        record = replace(record, asked_of_danger=True, danger_certain=record.life_safety)
    elif asks(utterance.text):
        record = replace(record, asked_of_danger=False)
    if level:
        record = replace(
            record, warnings=record.warnings + 1, warning_level=max(record.warning_level, level), warning=True
        )
    repetition = replied(record.repetition, utterance.text, start_s=utterance.start_s, refuses=refuses)
    # Only the first counts: after it there is nothing to find out.
    if repetition.final_answer_s is None and is_final_answer(utterance.text, policy, scores=scores):
        repetition = answered(repetition, at_s=utterance.end_s)
    return replace(record, repetition=repetition)


def _signs_of_danger(record: CallRecord, utterance: Utterance, findings: Sequence[Finding]) -> CallRecord:
    """Return the record with how sure the caller's danger is after an utterance that shows `findings`."""
    danger = next((finding.score for finding in findings if finding.label is Label.LIFE_SAFETY), None)
    if danger is not None:
        certain = record.danger_certain or record.life_safety or danger >= SURE_OF_DANGER
        return replace(record, danger_certain=certain, calm_turns=0)
    calm = len(plain(utterance.text)) >= LEAST_LETTERS
    return replace(record, calm_turns=record.calm_turns + calm)


def _goes_on_telling(record: CallRecord, utterance: Utterance, *, quotes: bool) -> int:
    """Return for how many further turns the customer is taken to tell what somebody else did or said."""
    if quotes or complains_for(utterance.text):
        return REPORTING
    return max(0, record.reporting - 1) if len(plain(utterance.text)) >= LEAST_LETTERS else record.reporting


def _turn(record: CallRecord, utterance: Utterance, scores: Scores) -> Turn:
    return Turn(text=utterance.text, end_s=utterance.end_s, labels=scores.labels, reporting=record.reporting > 0)


def _met_now(
    record: CallRecord, utterance: Utterance, scores: Scores, policy: Policy
) -> list[tuple[Criterion, tuple[Finding, ...]]]:
    """Return the criteria met for the first time, with what they rest on; life safety alone, or the gravest first."""
    met = []
    for criterion in sorted(policy.criteria, key=lambda c: -c.severity):
        if criterion.id in record.met or _silenced(criterion, record, scores, policy):
            continue
        findings = relied_on(
            criterion,
            record.findings,
            sequence=utterance.sequence,
            now_s=utterance.end_s,
            strong=alone(criterion, scores, policy),
        )
        if findings:
            met.append((criterion, findings))
    in_danger = [(criterion, findings) for criterion, findings in met if criterion.label is Label.LIFE_SAFETY]
    return in_danger[:1] or met


def _silenced(criterion: Criterion, record: CallRecord, scores: Scores, policy: Policy) -> bool:
    """Return whether the caller's danger keeps a criterion from being told: in doubt not what is very sure."""
    if not record.in_danger or criterion.label is Label.LIFE_SAFETY:
        return False
    very_sure = criterion.immediate and scores.labels.get(criterion.label, 0.0) >= policy.sure
    return not (record.danger_doubted and very_sure)


def _goes_on(record: CallRecord, utterance: Utterance, policy: Policy) -> list[tuple[Criterion, tuple[Finding, ...]]]:
    """Return the gravest criterion met before whose words go on after a further warning."""
    if record.in_danger or record.warning_level <= record.told_level:
        return []
    for criterion in sorted(policy.criteria, key=lambda c: -c.severity):
        now = tuple(
            f
            for f in record.findings
            if f.sequence == utterance.sequence and f.label is criterion.label and f.score >= criterion.threshold
        )
        if now and criterion.id in record.met:
            return [(criterion, now)]
    return []


def _met_by_repeating(
    record: CallRecord, again: tuple[Finding, ...], utterance: Utterance, policy: Policy
) -> list[Rule]:
    """Return the rules met for the first time by a demand voiced again, the one to be told first."""
    if not again or record.in_danger or record.unhurried:
        return []
    rules: list[Rule] = list(reversed(too_long(record.repetition, at_s=utterance.end_s, policy=policy)))
    if len(again) >= policy.repeat.times:
        rules.append(policy.repeat)
    return [rule for rule in rules if rule.id not in record.met]


def _assess(
    record: CallRecord,
    met: Sequence[tuple[Rule, tuple[Finding, ...]]],
    utterance: Utterance,
    policy: Policy,
) -> tuple[CallRecord, Assessment]:
    """Return the record and the assessment of rules met just now, the first of which is told."""
    rule, findings = met[0]
    life_safety = rule.label is Label.LIFE_SAFETY
    severity = max(record.severity, *(graded(one, record.warning_level, policy) for one, _ in met))
    record = replace(
        record,
        met=tuple(dict.fromkeys([*record.met, *(one.id for one, _ in met)])),
        severity=severity,
        life_safety=record.life_safety or life_safety,
        told_level=record.warning_level,
    )
    labels = [policy.rule(one).label for one in record.met]
    return record, Assessment(
        criterion=rule,
        met=record.met,
        types=() if life_safety else tuple(dict.fromkeys(one for one in labels if one is not Label.LIFE_SAFETY)),
        findings=findings,
        severity=severity,
        life_safety=life_safety,
        complaint=record.complaint,
        warnings=record.warnings,
        warning_level=record.warning_level,
        at_s=utterance.end_s,
        policy_version=policy.version,
        reason=explained(rule, findings, warning_level=record.warning_level, at_s=utterance.end_s),
    )
