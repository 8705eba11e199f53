"""Choose from which probability a line counts as harassment, and from which a type is named.

Two questions, two thresholds. Whether a line is harassment at all is asked of the one probability that was
calibrated for it: it ranks lines better than the largest of ten, and false alarms hang on it alone. Which types a
line that counts is named by hangs on a second, lower threshold; the likeliest type is always named.

The types' probabilities are calibrated, so one threshold serves all ten: an optimum of each type's own would rest
on some fifty lines of the development part, and was no better on lines it had not been chosen on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .spec import HARASSMENT_LABELS, LABELS

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

COMPLAINT_THRESHOLD = 0.5
"""More likely than not: nothing but a statistic hangs on it."""

_HARASSING = len(HARASSMENT_LABELS)
_LIFE_SAFETY = LABELS.index("life_safety")
_STEPS = np.arange(2, 96) / 100
_TYPE_STEPS = np.arange(4, 15) / 20
"""From 0.2 to 0.7: outside, a type would be named against the odds, or hardly ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Shares of development lines that may be flagged wrongly, and the lowest thresholds allowed.

    Composed lines and open dialogue have budgets of their own: the first are look-alikes written to mislead, the
    second is what most talk is like, and there is far more of it.
    """

    complaint: float
    """Of complaints without harassment: flagged as harassment of any type."""
    neutral: float
    """Of composed lines without any label: the same."""
    dialogue: float
    """Of lines of open dialogue: the same."""
    life_safety: float
    """Of composed lines that are not life safety: flagged as life safety."""
    life_safety_dialogue: float
    """Of lines of open dialogue: the same."""
    least: float
    """Lowest threshold of harassment."""
    least_life_safety: float
    """Lower, because a missed caller in despair is worse than a needless look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What `decide` needs: all are probabilities, 0–1."""

    labels: Floats
    """Shape (12,), in the order of LABELS."""
    harassment: float
    """Of harassment of any type."""


def decide(probabilities: Floats, harassment: Floats, thresholds: Thresholds) -> Flags:
    """Return which labels count, (lines, 12), of label probabilities (lines, 12) and harassment (lines,).

    The appliance decides the same in ``edge_agent/adapters/onnx_classifier.py``; a test compares the two.
    """
    counted: Flags = probabilities >= thresholds.labels
    harassing = harassment >= thresholds.harassment
    likeliest = probabilities[:, :_HARASSING].argmax(1)
    counted[np.arange(len(counted)), likeliest] = True
    counted[:, :_HARASSING] &= harassing[:, None]
    return counted


def choose(probabilities: Floats, harassment: Floats, targets: Floats, dialogue: Flags, budget: Budget) -> Thresholds:
    """Return the lowest thresholds that keep false alarms within the budget.

    ``probabilities`` and ``targets`` are (lines, >= 12), in the order of LABELS; ``harassment`` and ``dialogue``
    (whether a line is open dialogue) are (lines,).
    """
    harassing = targets[:, :_HARASSING].any(1)
    complaints = (targets[:, LABELS.index("complaint")] > 0) & ~harassing
    neutral = ~targets[:, : len(LABELS)].any(1)
    safe = targets[:, _LIFE_SAFETY] == 0
    despair = probabilities[:, _LIFE_SAFETY]
    labels = np.full(len(LABELS), COMPLAINT_THRESHOLD, np.float32)
    labels[_LIFE_SAFETY] = _lowest(
        budget.least_life_safety,
        (despair[safe & ~dialogue], budget.life_safety),
        (despair[neutral & dialogue], budget.life_safety_dialogue),
    )
    chosen = Thresholds(
        labels=labels,
        harassment=_lowest(
            budget.least,
            (harassment[complaints], budget.complaint),
            (harassment[neutral & ~dialogue], budget.neutral),
            (harassment[neutral & dialogue], budget.dialogue),
        ),
    )
    labels[:_HARASSING] = _best_for_types(probabilities[:, : len(LABELS)], harassment, targets, chosen)
    return Thresholds(labels=np.round(labels, 3), harassment=round(chosen.harassment, 3))


def _best_for_types(probabilities: Floats, harassment: Floats, targets: Floats, chosen: Thresholds) -> float:
    """Return the threshold of a type with the best macro F1 over the ten, given the one of harassment."""
    truth = targets[:, :_HARASSING] > 0

    def macro_f1(step: float) -> float:
        labels = np.full(len(LABELS), step, np.float32)
        said = decide(probabilities, harassment, Thresholds(labels=labels, harassment=chosen.harassment))
        said = said[:, :_HARASSING]
        return float(np.mean(2 * (said & truth).sum(0) / np.maximum(1, said.sum(0) + truth.sum(0))))

    return max((float(step) for step in _TYPE_STEPS), key=macro_f1)


def _lowest(least: float, *limits: tuple[Floats, float]) -> float:
    """Return the lowest step from ``least`` at which each set of scores keeps to its share; an empty one does."""
    for step in _STEPS[least <= _STEPS]:
        if all((scores >= step).sum() <= share * len(scores) for scores, share in limits):
            return float(step)
    return float(_STEPS[-1])
