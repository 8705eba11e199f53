"""How much a finding still weighs, and when findings meet a criterion.

Rules:
1. Evidence is the sum of the probabilities of the utterances that reached the criterion's threshold, each halved every
   `half_life_s`; what has fallen to an eighth is forgotten.
2. A criterion is met by the utterance just heard, when there are `hits` of them not forgotten and their evidence
   suffices, or when this utterance alone is strong.
3. One or two letters show no more than abuse or a threat, and words of which recognition is not certain no harassment
   at all: they are as likely somebody else's. Both may show a danger to life.
4. Words that are a complaint too are weaker evidence of the types the policy names: asking for money back is near an
   excessive demand, keeping evidence near exposure. For these one such utterance suffices only if it is very sure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.domain.finding import HARASSMENT, Finding, Label
from edge_agent.domain.likeness import plain
from edge_agent.domain.wording import thresholds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.domain.call import Utterance
    from edge_agent.domain.finding import Scores
    from edge_agent.domain.policy import Criterion, Policy

BARE = 2
"""Letters of an utterance up to which it shows abuse or a threat at most: 「死ね」, but not 「何時」 or 「俺」."""
CERTAIN = 0.6
"""Confidence from which recognised words may show harassment.

Of 761 lines by synthetic voices over telephone lines 1 % lie below; of 272 that were recognised as harassment and were,
none, of 11 that were not, one (speech 0.6.0, classifier 0.6.0, 2026-11-29)."""
FORGOTTEN = 0.125
"""Share of its weight at which a finding is forgotten: after three half-lives."""

_BARE_TYPES = (Label.ABUSE, Label.THREAT)


def found(utterance: Utterance, scores: Scores, policy: Policy) -> tuple[Finding, ...]:
    """Return what a customer's utterance shows: each label that reaches a criterion's threshold."""
    shown = _may_show(utterance)
    return tuple(
        Finding(
            label=label,
            score=scores.labels[label],
            at_s=utterance.end_s,
            sequence=utterance.sequence,
            quote=utterance.text,
            model_version=scores.model_version,
        )
        for label, threshold in thresholds(policy).items()
        if scores.labels.get(label, 0.0) >= threshold and (label not in HARASSMENT or label in shown)
    )


def _may_show(utterance: Utterance) -> tuple[Label, ...]:
    """Return the harassment types that an utterance may show at all."""
    if utterance.confidence < CERTAIN:
        return ()
    return _BARE_TYPES if len(plain(utterance.text)) <= BARE else HARASSMENT


def evidence(findings: Sequence[Finding], criterion: Criterion, *, now_s: float) -> float:
    """Return how much there is for a criterion at `now_s` seconds of the call."""
    return sum(f.score * _share(f, criterion, now_s) for f in counting(findings, criterion, now_s=now_s))


def counting(findings: Sequence[Finding], criterion: Criterion, *, now_s: float) -> tuple[Finding, ...]:
    """Return the findings that count for a criterion and are not forgotten, oldest first."""
    return tuple(
        f
        for f in findings
        if f.label is criterion.label and f.score >= criterion.threshold and _share(f, criterion, now_s) >= FORGOTTEN
    )


def alone(criterion: Criterion, scores: Scores, policy: Policy) -> float:
    """Return the probability (0–1) from which an utterance with these scores meets the criterion by itself."""
    complaint = scores.labels.get(Label.COMPLAINT, 0.0) >= policy.complaint_threshold
    return (
        max(policy.sure, criterion.strong) if complaint and criterion.label in policy.second_hit else criterion.strong
    )


def relied_on(
    criterion: Criterion, findings: Sequence[Finding], *, sequence: int, now_s: float, strong: float
) -> tuple[Finding, ...]:
    """Return the findings that meet the criterion at the utterance of that number, or none.

    `strong` is the probability (0–1) from which that utterance suffices (`alone`); if it is raised above the
    criterion's own, less needs a second hit even where the criterion asks for one.
    """
    there = counting(findings, criterion, now_s=now_s)
    if not there or there[-1].sequence != sequence:
        return ()
    hits = criterion.hits if strong <= criterion.strong else max(2, criterion.hits)
    enough = len(there) >= hits and evidence(there, criterion, now_s=now_s) >= criterion.evidence
    return there if enough or there[-1].score >= strong else ()


def _share(finding: Finding, criterion: Criterion, now_s: float) -> float:
    return float(0.5 ** (max(0.0, now_s - finding.at_s) / criterion.half_life_s))
