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
            of_type = [call for call in calls if label in call.script.types]
            others = [call for call in calls if call.script.kind is not CallKind.HARASSING]
            rows.append(
                TypeAtLevel(
                    label=label,
                    level=level,
                    found=sum(label.value in call.types for call in of_type),
                    among=len(of_type),
                    wrong=sum(label.value in call.types for call in others),
                )
            )
    return rows


def outcome(judged: AtLevels, levels: Levels) -> Outcome:
    """Return what levels make of the calls."""
    mixed = [_mixed(row, levels) for row in _rows(judged)]
    harassing = [call for call in mixed if call.script.kind is CallKind.HARASSING]
    return Outcome(
        right=sum(call.right for call in harassing),
        harassing=len(harassing),
        wrong=sum(call.alerted for call in mixed) - sum(call.alerted for call in harassing),
        others=len(mixed) - len(harassing),
    )


def best(judged: AtLevels, *, weight: float) -> Levels:
    """Return the level of each type by which fewest calls go wrong.

    One type after the other is moved while that helps; of equals the one nearest to the policy as written stays.

    Args:
        judged: the calls at each level; 0 must be among them.
        weight: how many missed harassing calls a wrongly alerted caller is worth.
    """
    levels = dict.fromkeys(HARASSMENT, 0.0)
    steps = sorted(judged, key=abs)

    def cost(label: Label, level: float) -> float:
        found = outcome(judged, {**levels, label: level})
        return found.harassing - found.right + weight * found.wrong

    while True:
        before = dict(levels)
        for label in HARASSMENT:
            costs = {step: cost(label, step) for step in steps}
            levels[label] = min(steps, key=costs.__getitem__)
        if levels == before:
            return levels


def cross_checked(judged: AtLevels, *, weight: float) -> Outcome:
    """Return what `best` makes of calls it was not chosen on: each fold by levels chosen on the others."""
    parts = []
    for fold in range(FOLDS):
        held = {level: calls[fold::FOLDS] for level, calls in judged.items()}
        rest = {
            level: [call for number, call in enumerate(calls) if number % FOLDS != fold]
            for level, calls in judged.items()
        }
        parts.append(outcome(held, best(rest, weight=weight)))
    return Outcome(
        right=sum(part.right for part in parts),
        harassing=sum(part.harassing for part in parts),
        wrong=sum(part.wrong for part in parts),
        others=sum(part.others for part in parts),
    )


def _rows(judged: AtLevels) -> list[dict[float, JudgedCall]]:
    """Return, call by call, what became of it at each level."""
    return [dict(zip(judged, calls, strict=True)) for calls in zip(*judged.values(), strict=True)]


def _mixed(at: Mapping[float, JudgedCall], levels: Levels) -> JudgedCall:
    """Return a call as judged with each type at its own level."""
    types = frozenset(label.value for label in HARASSMENT if label.value in at[levels.get(label, 0.0)].types)
    return replace(at[0.0], alerted=bool(types), types=types)
