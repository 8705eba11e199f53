"""What other levels of the policy's criteria would make of scripted calls, and which levels serve best.

A level is what is added to the log odds of a criterion's probabilities: 0 is the policy as written, less is stricter
with the caller, above it milder. Types do not depend on one another, so one run at each level tells of every mixture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edge_agent.domain.finding import HARASSMENT, Label
from edge_agent.domain.policy import Criterion, Policy
from edge_agent.services.call_figures import JudgedCall
from edge_agent.services.scripts import CallKind

Levels = Mapping[Label, float]
AtLevels = Mapping[float, Sequence[JudgedCall]]
"""The same calls, in the same order, as judged at each level."""

FOLDS = 5
"""Each fifth of the calls is judged by levels chosen on the other four: what is to be expected of new calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeAtLevel:
    """What one type does at one level.

    Attributes:
        found: harassing calls of that type that are alerted by it.
        among: harassing calls that are of that type.
        wrong: calls that are not harassing and are alerted by it.
    """

    label: Label
    level: float
    found: int
    among: int
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What levels make of calls.

    Attributes:
        right: harassing calls alerted with a right type.
        wrong: other calls alerted.
    """

    right: int
    harassing: int
    wrong: int
    others: int


def at_level(policy: Policy, levels: Levels) -> Policy:
    """Return the policy with its criteria of these types moved; probabilities of 0 and 1 stay."""
    criteria = tuple(_moved(each, levels.get(each.label, 0.0)) for each in policy.criteria)
    return replace(policy, criteria=criteria)


def moved(probability: float, by: float) -> float:
    """Return a probability (0–1) whose log odds are moved."""
    if not by or not 0 < probability < 1:
        return probability
    return 1 / (1 + math.exp(-(math.log(probability / (1 - probability)) + by)))


def _moved(criterion: Criterion, by: float) -> Criterion:
    return replace(
        criterion,
        threshold=moved(criterion.threshold, by),
        strong=moved(criterion.strong, by),
        evidence=moved(criterion.evidence, by),
    )


def by_type(judged: AtLevels) -> list[TypeAtLevel]:
    """Return what each type does at each level."""
    rows = []
    for label in HARASSMENT:
        for level, calls in sorted(judged.items()):
            alerted = [label.value in call.types for call in calls]
            of_type = [call.script.kind is CallKind.HARASSING and label in call.script.types for call in calls]
            other = [call.script.kind is not CallKind.HARASSING for call in calls]
            rows.append(
                TypeAtLevel(
                    label=label,
                    level=level,
                    found=sum(a and t for a, t in zip(alerted, of_type, strict=True)),
                    among=sum(of_type),
                    wrong=sum(a and o for a, o in zip(alerted, other, strict=True)),
                )
            )
    return rows


def outcome(judged: AtLevels, levels: Levels, rows: Sequence[int] | None = None) -> Outcome:
    """Return what levels make of the calls (of those at `rows`, if given)."""
    calls = next(iter(judged.values()))
    chosen = range(len(calls)) if rows is None else rows
    right = wrong = harassing = 0
    for row in chosen:
        script = calls[row].script
        types = {label for label in HARASSMENT if label.value in judged[levels.get(label, 0.0)][row].types}
        if script.kind is CallKind.HARASSING:
            harassing += 1
            right += not types.isdisjoint(script.types)
        else:
            wrong += bool(types)
    return Outcome(right=right, harassing=harassing, wrong=wrong, others=len(chosen) - harassing)


def best(judged: AtLevels, *, weight: float, rows: Sequence[int] | None = None) -> Levels:
    """Return the level of each type by which fewest calls go wrong.

    One type after the other is moved while that helps; of equals the one nearest to the policy as written stays.

    Args:
        judged: the calls at each level; 0 must be among them.
        weight: how many missed harassing calls a wrongly alerted caller is worth.
        rows: look at these calls alone.
    """
    levels = dict.fromkeys(HARASSMENT, 0.0)
    steps = sorted(judged, key=abs)

    def cost(of: Levels) -> float:
        found = outcome(judged, of, rows)
        return found.harassing - found.right + weight * found.wrong

    while True:
        before = cost(levels)
        for label in HARASSMENT:
            levels[label] = min(steps, key=lambda step, label=label: cost({**levels, label: step}))  # type: ignore[misc]
        if cost(levels) >= before:
            return levels


def cross_checked(judged: AtLevels, *, weight: float) -> Outcome:
    """Return what `best` makes of calls it was not chosen on: each fold by levels chosen on the others."""
    count = len(next(iter(judged.values())))
    parts = []
    for fold in range(FOLDS):
        held = [row for row in range(count) if row % FOLDS == fold]
        rest = [row for row in range(count) if row % FOLDS != fold]
        parts.append(outcome(judged, best(judged, weight=weight, rows=rest), held))
    return Outcome(
        right=sum(part.right for part in parts),
        harassing=sum(part.harassing for part in parts),
        wrong=sum(part.wrong for part in parts),
        others=sum(part.others for part in parts),
    )
