"""Figures of a model on held-out lines, with bootstrap intervals over scenarios."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

from .corpus import Line
from .examples import targets_of
from .replies import REPLIES, Reply
from .spec import HARASSMENT_LABELS, LABELS
from .thresholds import Thresholds, decide

Floats = npt.NDArray[np.floating[Any]]

_HARASSING = len(HARASSMENT_LABELS)
_LIFE_SAFETY = LABELS.index("life_safety")
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Lines with what a model said about them."""

    lines: Sequence[Line]
    probabilities: Floats
    """Shape (lines, 12)."""
    harassment: Floats
    """Shape (lines,)."""
    thresholds: Thresholds

    @property
    def targets(self) -> Floats:
        """True labels, (lines, 12)."""
        return np.stack([targets_of(line.labels)[: len(LABELS)] for line in self.lines])

    @property
    def said(self) -> npt.NDArray[np.bool_]:
        """Which labels count, (lines, 12)."""
        return decide(self.probabilities, self.harassment, self.thresholds)

    @property
    def flagged(self) -> npt.NDArray[np.bool_]:
        """Whether any harassment label counts, (lines,)."""
        flagged: npt.NDArray[np.bool_] = self.said[:, :_HARASSING].any(1)
        return flagged


def label_table(scored: Scored) -> list[dict[str, float | int | str]]:
    """Return lines, precision, recall, F1 and average precision of each label."""
    targets, counted = scored.targets, scored.said
    rows: list[dict[str, float | int | str]] = []
    for column, label in enumerate(LABELS):
        truth = targets[:, column] > 0
        said = counted[:, column]
        hits = int((truth & said).sum())
        precision = hits / said.sum() if said.any() else 0.0
        recall = hits / truth.sum() if truth.any() else 0.0
        rows.append(
            {
                "label": label,
                "lines": int(truth.sum()),
                "precision": float(precision),
                "recall": float(recall),
                "f1": 2 * hits / max(1, int(said.sum() + truth.sum())),
                "ap": float(average_precision_score(truth, scored.probabilities[:, column]))
                if truth.any()
                else float("nan"),
            }
        )
    return rows


def rates(scored: Scored) -> dict[str, tuple[float, float, float, int]]:
    """Return, by kind of line, the share flagged as harassment with its 95 % interval.

    For ``harassment`` that is recall of "any"; for the others a false-alarm rate. Keys
    ``neutral:<source>`` and ``harassment:<register>`` split the two further.
    """
    groups: dict[str, list[int]] = {}
    for index, line in enumerate(scored.lines):
        groups.setdefault(line.kind, []).append(index)
        if line.kind == "neutral":
            groups.setdefault(f"neutral:{line.source}", []).append(index)
        elif line.kind in ("harassment", "complaint") and line.register:
            groups.setdefault(f"{line.kind}:{line.register}", []).append(index)
    flagged = scored.flagged.astype(float)
    return {
        name: (*_share(flagged[members], [_cluster(scored.lines[i]) for i in members]), len(members))
        for name, members in sorted(groups.items())
    }


def summary(scored: Scored) -> dict[str, tuple[float, float, float]]:
    """Return headline figures with 95 % intervals (bootstrap over scenarios)."""
    targets, anyone = scored.targets, scored.targets[:, :_HARASSING].max(1)
    counted, flagged = scored.said, scored.flagged
    columns = [c for c in range(_HARASSING) if targets[:, c].any()]

    def macro_ap(rows: npt.NDArray[np.int64]) -> float:
        present = [c for c in columns if targets[rows, c].any()]
        return float(
            np.mean([average_precision_score(targets[rows, c], scored.probabilities[rows, c])
                     for c in present])
        )  # fmt: skip

    def macro_f1(rows: npt.NDArray[np.int64]) -> float:
        said = counted[rows]
        truth = targets[rows] > 0
        hits = (said & truth).sum(0)[columns]
        return float(np.mean(2 * hits / np.maximum(1, (said.sum(0) + truth.sum(0))[columns])))

    def best_f1(rows: npt.NDArray[np.int64]) -> float:
        truth = anyone[rows][np.argsort(-scored.harassment[rows], kind="stable")]
        return float((2 * truth.cumsum() / (np.arange(1, len(truth) + 1) + truth.sum())).max())

    def any_ap(rows: npt.NDArray[np.int64]) -> float:
        return float(average_precision_score(anyone[rows], scored.harassment[rows]))

    def brier(rows: npt.NDArray[np.int64]) -> float:
        return float(np.mean((scored.harassment[rows] - anyone[rows]) ** 2))

    def elsewhere(rows: npt.NDArray[np.int64]) -> float:
        safe = rows[targets[rows, _LIFE_SAFETY] == 0]
        return float(counted[safe, _LIFE_SAFETY].mean()) if len(safe) else 0.0

    figures: dict[str, Callable[[npt.NDArray[np.int64]], float]] = {
        "macro AP (harassment labels)": macro_ap,
        "macro F1 (harassment labels)": macro_f1,
        "F1 of harassment": lambda rows: _f1(flagged[rows], anyone[rows]),
        "F1 of harassment by the threshold best on these lines": best_f1,
        "AP of harassment": any_ap,
        "Brier score of harassment": brier,
        "life safety counted where it does not hold": elsewhere,
    }
    clusters = [_cluster(line) for line in scored.lines]
    return {name: _bootstrap(figure, clusters, 200) for name, figure in figures.items()}


def gain(scored: Scored, other: Scored) -> tuple[float, float, float]:
    """Return by how much the F1 of harassment exceeds that of another model on the same lines, and its interval."""
    truth, flagged, others = scored.targets[:, :_HARASSING].max(1), scored.flagged, other.flagged
    clusters = [_cluster(line) for line in scored.lines]
    return _bootstrap(lambda rows: _f1(flagged[rows], truth[rows]) - _f1(others[rows], truth[rows]), clusters, 200)


def _f1(flagged: npt.NDArray[np.bool_], truth: Floats) -> float:
    return float(2 * truth[flagged].sum() / max(1, flagged.sum() + truth.sum()))


def calibration_table(scored: Scored) -> list[tuple[float, float, int]]:
    """Return mean stated probability, observed share and lines, by tenth of probability."""
    truth = scored.targets[:, :_HARASSING].max(1)
    tenth = np.minimum((scored.harassment * 10).astype(int), 9)
    return [
        (float(scored.harassment[tenth == t].mean()), float(truth[tenth == t].mean()), int((tenth == t).sum()))
        for t in range(10)
        if (tenth == t).any()
    ]


def reply_table(replies: Sequence[Reply], told: Floats, from_: float) -> str:
    """Return precision, recall and average precision of each of `REPLIES`, where `told` (lines, 4) >= `from_`."""
    out = ["| operator's words | lines | precision | recall | AP |", "|---|---|---|---|---|"]
    clusters = [reply.scenario for reply in replies]
    truths = np.array([reply.targets for reply in replies]) > 0
    for name, truth, score in zip(REPLIES, truths.T, told.T, strict=True):
        hits = (truth & (score >= from_)).astype(float)

        def hits_of(rows: npt.NDArray[np.int64], of: npt.NDArray[np.bool_], hits: Floats = hits) -> float:
            return float(hits[rows].sum() / max(1, of[rows].sum()))

        shares = [_bootstrap(partial(hits_of, of=of), clusters, _RESAMPLES) for of in (score >= from_, truth)]
        intervals = " | ".join(f"{share:.1%} ({low:.1%}–{high:.1%})" for share, low, high in shares)
        out.append(f"| {name} | {truth.sum()} | {intervals} | {average_precision_score(truth, score):.2f} |")
    return "\n".join(out)


def _cluster(line: Line) -> str:
    return f"{line.source}/{line.scenario or line.text}"


def _share(flags: Floats, clusters: Sequence[str]) -> tuple[float, float, float]:
    return _bootstrap(lambda rows: float(flags[rows].mean()), clusters, _RESAMPLES)


def _bootstrap(
    figure: Callable[[npt.NDArray[np.int64]], float], clusters: Sequence[str], resamples: int
) -> tuple[float, float, float]:
    """Return the figure and the 2.5 and 97.5 percentiles when scenarios are redrawn."""
    members: dict[str, list[int]] = {}
    for index, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(index)
    groups = [np.array(each, np.int64) for each in members.values()]
    generator = np.random.default_rng(0)
    drawn = [
        figure(np.concatenate([groups[g] for g in generator.integers(0, len(groups), len(groups))]))
        for _ in range(resamples)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return figure(np.arange(len(clusters))), float(low), float(high)


def as_text(scored: Scored) -> str:
    """Return the figures as Markdown tables."""
    out = ["| figure | value | 95 % interval |", "|---|---|---|"]
    out += [f"| {name} | {value:.3f} | {low:.3f}–{high:.3f} |" for name, (value, low, high) in summary(scored).items()]
    out += ["", "| label | lines | precision | recall | F1 | AP |", "|---|---|---|---|---|---|"]
    out += [
        "| {label} | {lines} | {precision:.2f} | {recall:.2f} | {f1:.2f} | {ap:.2f} |".format(**row)
        for row in label_table(scored)
    ]
    out += ["", "| lines | flagged as harassment | 95 % interval | number |", "|---|---|---|---|"]
    out += [
        f"| {name} | {share:.1%} | {low:.1%}–{high:.1%} | {number} |"
        for name, (share, low, high, number) in rates(scored).items()
    ]
    out += ["", "| stated probability | observed share | number |", "|---|---|---|"]
    out += [f"| {stated:.2f} | {seen:.2f} | {number} |" for stated, seen, number in calibration_table(scored)]
    return "\n".join(out) + "\n"
