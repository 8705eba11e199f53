"""Make scores mean something: Platt scaling on the development part.

Fitted on the logits of the *quantized* graph, one text at a time, so quantization error
is calibrated away too. Weights are kept non-negative: more evidence from either half
never lowers a probability.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from .spec import HARASSMENT_LABELS, LABELS

Floats = npt.NDArray[np.float32]

_RIDGE = 0.02
"""Pull of each weight towards its start, per example-normalized loss: dev parts are small."""

_HARASSING = len(HARASSMENT_LABELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Affine maps from both halves' logits (13) to calibrated logits."""

    encoder_weight: Floats
    ngram_weight: Floats
    offset: Floats
    any_own_weight: float
    """Of the "any harassment" head's own calibrated logit."""
    any_strongest_weight: float
    """Of the largest calibrated harassment-label logit."""
    any_offset: float

    def label_logits(self, encoder: Floats, ngrams: Floats) -> Floats:
        """Return calibrated logits (lines, 13)."""
        mapped: Floats = encoder * self.encoder_weight + ngrams * self.ngram_weight + self.offset
        return mapped

    def probabilities(self, encoder: Floats, ngrams: Floats) -> tuple[Floats, Floats]:
        """Return label probabilities (lines, 12) and harassment probability (lines,)."""
        logits = self.label_logits(encoder, ngrams)
        strongest = logits[:, :_HARASSING].max(1)
        own = logits[:, len(LABELS)]
        any_logit = self.any_own_weight * own + self.any_strongest_weight * strongest + self.any_offset
        return sigmoid(logits[:, : len(LABELS)]), sigmoid(any_logit)


def fit(encoder: Floats, ngrams: Floats, targets: Floats, weights: Floats) -> Calibration:
    """Fit on logits and targets, all (lines, 13), and line weights (lines,)."""
    fitted = [
        _platt(np.stack([encoder[:, column], ngrams[:, column]], 1), targets[:, column], weights)
        for column in range(targets.shape[1])
    ]
    parameters = np.array(fitted, np.float32)
    half = Calibration(
        encoder_weight=parameters[:, 0],
        ngram_weight=parameters[:, 1],
        offset=parameters[:, 2],
        any_own_weight=1.0,
        any_strongest_weight=0.0,
        any_offset=0.0,
    )
    logits = half.label_logits(encoder, ngrams)
    evidence = np.stack([logits[:, len(LABELS)], logits[:, :_HARASSING].max(1)], 1)
    own, strongest, offset = _platt(evidence, targets[:, len(LABELS)], weights)
    return Calibration(
        encoder_weight=half.encoder_weight,
        ngram_weight=half.ngram_weight,
        offset=half.offset,
        any_own_weight=own,
        any_strongest_weight=strongest,
        any_offset=offset,
    )


def log_loss(probability: Floats, truth: Floats, weights: Floats) -> float:
    """Return the weighted mean negative log likelihood."""
    safe = np.clip(probability, 1e-6, 1 - 1e-6)
    losses = -(truth * np.log(safe) + (1 - truth) * np.log(1 - safe))
    return float(np.average(losses, weights=weights))


def sigmoid(logits: npt.NDArray[np.floating]) -> Floats:
    """Return 1 / (1 + exp(-x)) as float32."""
    return (1 / (1 + np.exp(-np.clip(logits, -40, 40)))).astype(np.float32)


def _platt(evidence: Floats, truth: Floats, weights: Floats) -> tuple[float, float, float]:
    """Fit weights >= 0 and an offset for two columns of evidence (lines, 2)."""
    positives = float((truth * weights).sum())
    negatives = float(((1 - truth) * weights).sum())
    # Platt's own smoothed targets: a small part must not claim certainty.
    soft = np.where(truth > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    start = np.array([0.5, 0.5, 0.0])

    def loss(parameters: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        logits = evidence @ parameters[:2] + parameters[2]
        value = np.logaddexp(0, logits) - soft * logits
        error = weights * (1 / (1 + np.exp(-logits)) - soft)
        gradient = np.array([*(evidence.T @ error), error.sum()]) / weights.sum()
        pull = parameters[:2] - start[:2]
        scale = _RIDGE * min(1.0, 50 / (positives + 1)) * positives / weights.sum()
        gradient[:2] += scale * 2 * pull
        return float(np.average(value, weights=weights) + scale * (pull**2).sum()), gradient

    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0, None), (0, None), (None, None)])
    first, second, offset = (float(value) for value in found.x)
    return first, second, offset
