"""How well the installed models and policy judge: what was measured, on what, and how sure the figures are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured share (0–1) or rate with its 95 % bootstrap interval.

    Attributes:
        count: how many lines or calls it rests on.
    """

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelQuality:
    """One label on lines it holds or does not hold for."""

    label: str
    lines: int
    precision: Figure
    recall: Figure
    f1: Figure
    average_precision: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupError:
    """Errors within one register, dialect or age group.

    Attributes:
        by: what is grouped by: ``kind``, ``register`` or ``age``.
        false_alarms: share of the lines (or calls) without harassment that were flagged.
        misses: share of the harassing ones that were not; None where there are none.
    """

    by: str
    group: str
    false_alarms: Figure | None
    misses: Figure | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Lines whose stated probability of harassment lies in one tenth: stated mean and observed share."""

    stated: float
    observed: float
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UtteranceQuality:
    """Single lines, each judged by its own words.

    Attributes:
        through: ``text`` as written, or ``vosk``: as recognised from telephone audio.
        false_alarms_per_hour: lines without harassment flagged per hour of customers' talk.
    """

    through: str
    lines: int
    harassment_precision: Figure
    harassment_recall: Figure
    harassment_f1: Figure
    macro_f1: Figure
    life_safety_recall: Figure
    complaints_flagged: Figure
    neutral_flagged: Figure
    open_dialogue_flagged: Figure | None
    false_alarms_per_hour: Figure
    labels: tuple[LabelQuality, ...]
    groups: tuple[GroupError, ...]
    reliability: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallError:
    """One call that went wrong; the call's id, never its words."""

    call: str
    kind: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallQuality:
    """Whole calls, judged by the policy.

    Attributes:
        right: share of harassing calls with an alert of a right type.
        wrong: share of all other calls with a harassment alert.
        in_time: share of the harassing calls that were alerted, alerted no later than the utterance that first
            meets a criterion.
        life_safety: share of life-safety calls shown as such and without a harassment alert.
        complaints: share of complaint calls shown as a complaint.
        life_safety_wrong: share of all calls in which nobody's life is in danger, shown as life safety all the same;
            None if it was not measured.
    """

    through: str
    calls: int
    right: Figure
    wrong: Figure
    in_time: Figure
    life_safety: Figure
    complaints: Figure
    false_alarms_per_hour: Figure
    groups: tuple[GroupError, ...]
    errors: tuple[CallError, ...]
    life_safety_wrong: Figure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """One measurement: what of, when, and the figures.

    Attributes:
        measured_at: ISO 8601 date.
        classifier: name and version of the harassment model.
        speech: name and version of the speech model; empty if no audio was heard.
        policy: id and version of the policy.
        sets: SHA-256 (hex) of what was measured on, by name.
    """

    measured_at: str
    classifier: str
    speech: str
    policy: str
    sets: dict[str, str]
    utterances: tuple[UtteranceQuality, ...]
    calls: tuple[CallQuality, ...]

    def is_of(self, *, classifier: str, speech: str, policy: str) -> bool:
        """Return whether these figures are of what is installed now; without audio the speech model does not matter."""
        return (self.classifier, self.policy) == (classifier, policy) and self.speech in {"", speech}
