"""Choose from which probability a label counts: few false alarms come first.

The probabilities are calibrated, so one threshold serves all ten harassment labels; an
optimum of each label's own would rest on some twenty lines of the development part.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Shares of development lines that may be flagged wrongly, and the lowest thresholds allowed."""

    complaint: float
    """Of complaints without harassment: flagged as harassment of any type."""
    neutral: float
    """Of lines without any label: the same."""
    life_safety: float
    """Of all lines that are not life safety: flagged as life safety."""
    least: float
    """Lowest threshold of a harassment label."""
    least_life_safety: float
    """Lower, because a missed caller in despair is worse than a needless look."""


def choose(probabilities: Floats, targets: Floats, budget: Budget) -> Floats:
    """Return the lowest twelve thresholds that keep false alarms within the budget.

    ``probabilities`` and ``targets`` are (lines, >= 12), in the order of LABELS.
    """
    harassing = targets[:, :_HARASSING].any(1)
    complaints = (targets[:, LABELS.index("complaint")] > 0) & ~harassing
    neutral = ~targets.any(1)
    strongest = probabilities[:, :_HARASSING].max(1)
    chosen = np.full(len(LABELS), COMPLAINT_THRESHOLD, np.float32)
    chosen[:_HARASSING] = _lowest(
        budget.least, (strongest[complaints], budget.complaint), (strongest[neutral], budget.neutral)
    )
    safe = targets[:, _LIFE_SAFETY] == 0
    chosen[_LIFE_SAFETY] = _lowest(budget.least_life_safety, (probabilities[safe, _LIFE_SAFETY], budget.life_safety))
    return np.round(chosen, 3)


def _lowest(least: float, *limits: tuple[Floats, float]) -> float:
    """Return the lowest step from ``least`` at which each set of scores keeps to its share."""
    for step in _STEPS[least <= _STEPS]:
        if all((scores >= step).mean() <= share for scores, share in limits):
            return float(step)
    return float(_STEPS[-1])
