"""Choose from which probability a label counts: few false alarms come first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .spec import HARASSMENT_LABELS, LABELS

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

_HARASSING = len(HARASSMENT_LABELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How many lines of a kind may be flagged, as a share."""

    complaint: float
    neutral: float


def choose(
    probabilities: Floats,
    targets: Floats,
    complaints: Flags,
    neutral: Flags,
    budget: Budget,
) -> Floats:
    """Return twelve thresholds that keep false alarms within the budget.

    Each label starts where its F0.5 on the development part is best, then all
    harassment labels move up together (in logits) until the shares of complaints and
    of neutral lines with any harassment label over its threshold fit the budget.
    ``probabilities`` and ``targets`` are (lines, >= 12), the flags (lines,).
    """
    start = np.array(
        [_best_f_half(probabilities[:, column], targets[:, column]) for column in range(len(LABELS))],
        np.float32,
    )
    logits = np.log(start / (1 - start))
    for lift in np.arange(0, 4, 0.05):
        raised = logits.copy()
        raised[:_HARASSING] += lift
        thresholds = np.clip(1 / (1 + np.exp(-raised)), 0.05, 0.95)
        flagged = (probabilities[:, :_HARASSING] >= thresholds[:_HARASSING]).any(1)
        if flagged[complaints].mean() <= budget.complaint and flagged[neutral].mean() <= budget.neutral:
            break
    return np.round(thresholds, 3)


def _best_f_half(probability: Floats, truth: Floats) -> float:
    best, chosen = -1.0, 0.5
    for threshold in np.arange(0.2, 0.9, 0.02):
        flagged = probability >= threshold
        hits = float((truth * flagged).sum())
        if not hits:
            continue
        precision, recall = hits / flagged.sum(), hits / truth.sum()
        score = 1.25 * precision * recall / (0.25 * precision + recall)
        if score > best:
            best, chosen = score, float(threshold)
    return chosen
