"""Figures with bootstrap intervals: lines and calls are redrawn by scenario, since lines of one caller resemble."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_agent.domain.finding import HARASSMENT, Label
from edge_agent.domain.quality import Figure, GroupError, LabelQuality, ReliabilityBin, UtteranceQuality

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]
Rows = npt.NDArray[np.intp]

RESAMPLED = 500
"""Redraws for a 95 % interval; its ends move by less than a tenth of its width from seed to seed."""
CHARACTERS_PER_MINUTE = 300
"""Speed of talk assumed for written lines: that of a Japanese news reader; callers are mostly faster."""
AGES = {"youth": "20s", "elderly": "70s"}
"""Registers that are an age."""
DIALECTS = ("kansai", "kyushu", "hiroshima", "tohoku", "nagoya")

_HARASSING = [list(Label).index(label) for label in HARASSMENT]
_COMPLAINT = list(Label).index(Label.COMPLAINT)
_LIFE = list(Label).index(Label.LIFE_SAFETY)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedLine:
    """A line with its true labels and what the classifier said of it.

    Attributes:
        scenario: lines of one scenario are redrawn together.
        open_dialogue: the line is from dialogue nobody wrote for this product.
        scores: probability (0–1) of each label, in the order of `Label`.
        over: the labels over their threshold.
    """

    labels: frozenset[str]
    register: str
    scenario: str
    text: str
    open_dialogue: bool
    scores: tuple[float, ...]
    over: frozenset[str]
    harassment: float


def utterance_quality(lines: Sequence[JudgedLine], *, through: str) -> UtteranceQuality:
    """Return the figures of judged lines; raise `ValueError` if there are none."""
    if not lines:
        msg = "there are no lines to measure on"
        raise ValueError(msg)
    table = _Table(lines)
    rate = redrawn(table.false_alarms_per_hour, table.clusters)
    dialogue = table.share(table.flagged, table.open)
    return UtteranceQuality(
        through=through,
        lines=len(lines),
        harassment_precision=table.share(table.harassing, table.flagged),
        harassment_recall=table.share(table.flagged, table.harassing),
        harassment_f1=table.over_all(lambda rows: _f1(table.harassing[rows], table.flagged[rows])),
        macro_f1=table.over_all(table.macro_f1),
        life_safety_recall=table.share(table.said[:, _LIFE], table.truth[:, _LIFE]),
        complaints_flagged=table.share(table.flagged, table.complaint),
        neutral_flagged=table.share(table.flagged, table.neutral),
        open_dialogue_flagged=dialogue if dialogue.count else None,
        false_alarms_per_hour=rate,
        labels=tuple(table.label(column, label.value) for column, label in enumerate(Label)),
        groups=tuple(table.groups()),
        reliability=tuple(_reliability(table.stated, table.harassing)),
    )


class _Table:
    def __init__(self, lines: Sequence[JudgedLine]) -> None:
        self._lines = lines
        self.truth: Flags = np.array([[label.value in line.labels for label in Label] for line in lines])
        self.said: Flags = np.array([[label.value in line.over for label in Label] for line in lines])
        self.scores: Floats = np.array([line.scores for line in lines])
        self.stated: Floats = np.array([line.harassment for line in lines])
        self.harassing: Flags = np.any(self.truth[:, _HARASSING], axis=1)
        self.flagged: Flags = np.any(self.said[:, _HARASSING], axis=1)
        self.open: Flags = np.array([line.open_dialogue for line in lines])
        self.complaint: Flags = self.truth[:, _COMPLAINT] & ~self.harassing
        self.neutral: Flags = ~np.any(self.truth, axis=1) & ~self.open
        self.minutes: Floats = np.array([len(line.text) / CHARACTERS_PER_MINUTE for line in lines])
        self.clusters = [line.scenario or line.text for line in lines]

    def over_all(self, figure: Callable[[Rows], float]) -> Figure:
        return redrawn(figure, self.clusters)

    def share(self, of: Flags, among: Flags) -> Figure:
        """Share of `of` among the lines of `among`."""
        return share_of(of[among], [c for c, chosen in zip(self.clusters, among, strict=True) if chosen])

    def false_alarms_per_hour(self, rows: Rows) -> float:
        false = (self.flagged & ~self.harassing)[rows]
        minutes = float(self.minutes[rows].sum())
        return float(false.sum()) / minutes * 60 if minutes else 0.0

    def macro_f1(self, rows: Rows) -> float:
        there = [column for column in _HARASSING if self.truth[:, column].any()]
        return float(np.mean([_f1(self.truth[rows, column], self.said[rows, column]) for column in there]))

    def label(self, column: int, name: str) -> LabelQuality:
        truth, said = self.truth[:, column], self.said[:, column]
        return LabelQuality(
            label=name,
            lines=int(truth.sum()),
            precision=self.share(truth, said),
            recall=self.share(said, truth),
            f1=self.over_all(lambda rows: _f1(truth[rows], said[rows])),
            average_precision=self.over_all(lambda rows: average_precision(truth[rows], self.scores[rows, column])),
        )

    def groups(self) -> list[GroupError]:
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for index, line in enumerate(self._lines):
            if line.open_dialogue:
                continue
            by = "dialect" if line.register in DIALECTS else "register"
            if line.register:
                found[by, line.register].append(index)
            found["age", AGES.get(line.register, "not said")].append(index)
        groups = []
        for (by, group), members in sorted(found.items()):
            chosen: Flags = np.zeros(len(self._lines), bool)
            chosen[members] = True
            false, missed = chosen & ~self.harassing, chosen & self.harassing
            groups.append(
                GroupError(
                    by=by,
                    group=group,
                    false_alarms=self.share(self.flagged, false) if false.any() else None,
                    misses=self.share(~self.flagged, missed) if missed.any() else None,
                )
            )
        return groups


def share_of(flags: Flags, clusters: Sequence[str]) -> Figure:
    """Return the share of true flags, redrawn by cluster."""
    return redrawn(lambda rows: float(flags[rows].mean()), clusters)


def average_precision(truth: Flags, scores: Floats) -> float:
    """Return the mean of the precisions at each true line, lines in falling order of score; 0 if none is true."""
    if not truth.any():
        return 0.0
    order = np.argsort(-scores, kind="stable")
    hits = truth[order]
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float(precision[hits].mean())


def _f1(truth: Flags, said: Flags) -> float:
    both = int(truth.sum() + said.sum())
    return 2 * int((truth & said).sum()) / both if both else 0.0


def redrawn(figure: Callable[[Rows], float], clusters: Sequence[str]) -> Figure:
    """Return a figure of rows with its 95 % interval, rows redrawn by cluster; of no rows it is 0 with count 0."""
    if not clusters:
        return Figure(value=0.0, low=0.0, high=0.0, count=0)
    members: dict[str, list[int]] = defaultdict(list)
    for index, cluster in enumerate(clusters):
        members[cluster].append(index)
    groups = [np.array(each) for each in members.values()]
    rng = np.random.default_rng(0)
    drawn = [
        figure(np.concatenate([groups[at] for at in rng.integers(0, len(groups), len(groups))]))
        for _ in range(RESAMPLED)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    value = figure(np.arange(len(clusters)))
    return Figure(value=round(value, 5), low=round(float(low), 5), high=round(float(high), 5), count=len(clusters))


def _reliability(stated: Floats, true: Flags) -> list[ReliabilityBin]:
    tenth = np.minimum((stated * 10).astype(int), 9)
    return [
        ReliabilityBin(
            stated=round(float(stated[tenth == at].mean()), 4),
            observed=round(float(true[tenth == at].mean()), 4),
            lines=int((tenth == at).sum()),
        )
        for at in range(10)
        if (tenth == at).any()
    ]
