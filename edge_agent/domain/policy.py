"""The company's written policy as data: criteria, severities, ladder, guide and phrases."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from edge_agent.domain.finding import Label
from edge_agent.errors import Text


class Severity(IntEnum):
    """Axis B: how far means and manner go beyond what is acceptable."""

    B0 = 0
    B1 = 1
    B2 = 2
    B3 = 3


class Source(StrEnum):
    """How well a rule is founded; shown to the customer's legal team."""

    LAW = "law"
    PUBLISHED = "published"
    SECONDARY = "secondary"
    GENERAL = "general"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """When words of one type become an assessment.

    Attributes:
        id: stable name, such as ``"threat-immediate"``.
        label: the type it watches.
        title: what it says, for people.
        threshold: probability (0–1) from which an utterance counts.
        strong: probability (0–1) from which one utterance suffices although `hits` asks for more.
        hits: utterances needed within `window_s`.
        window_s: seconds back from the newest utterance that still count.
        severity: axis B when met.
        reason: sentence shown with the alert; says why, never asserts guilt.
        guide: the guide's next step.
        phrase: id of the phrase offered to the operator.
        source: how the rule is founded.
    """

    id: str
    label: Label
    title: Text
    threshold: float
    strong: float
    hits: int
    window_s: float
    severity: Severity
    reason: Text
    guide: Text
    phrase: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeName:
    """How a label is called and explained in the manual, the guide and on the pages."""

    label: Label
    name: Text
    meaning: Text
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Words the company wants its operators to use.

    Attributes:
        id: stable name, such as ``"warning-1"``.
        title: when to use it.
        text: the words.
        spoken_marks: fragments by which the phrase is recognised when the operator speaks it.
        warning: 1 or 2 for the first and second warning, 3 for ending the call, 0 for none.
    """

    id: str
    title: Text
    text: Text
    spoken_marks: tuple[str, ...]
    warning: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStep:
    """Who is told when nobody has acknowledged.

    Attributes:
        level: ``"L2"`` … ``"L5"``.
        role: who.
        after_red_s: seconds after a red alert (B3, life safety, button).
        after_amber_s: seconds after an amber alert (B2 and below).
    """

    level: str
    role: Text
    after_red_s: int
    after_amber_s: int
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One grade of an axis: A0–A2 for the demand (people only), B0–B3 for means and manner."""

    id: str
    name: Text
    meaning: Text
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of the company's policy; an incident pins the version it was judged by."""

    id: str
    version: str
    title: Text
    effective_from: str
    review_by: str
    axes: tuple[Axis, ...]
    types: tuple[TypeName, ...]
    criteria: tuple[Criterion, ...]
    phrases: tuple[Phrase, ...]
    ladder: tuple[EscalationStep, ...]
    complaint_threshold: float
    relay_marks: tuple[str, ...]

    def criterion(self, criterion_id: str) -> Criterion:
        """Return the criterion of that id; raise `KeyError` if there is none."""
        for criterion in self.criteria:
            if criterion.id == criterion_id:
                return criterion
        raise KeyError(criterion_id)

    def phrase(self, phrase_id: str) -> Phrase:
        """Return the phrase of that id; raise `KeyError` if there is none."""
        for phrase in self.phrases:
            if phrase.id == phrase_id:
                return phrase
        raise KeyError(phrase_id)

    def type_name(self, label: Label) -> TypeName:
        """Return how `label` is called; raise `KeyError` if the policy does not name it."""
        for type_name in self.types:
            if type_name.label is label:
                return type_name
        raise KeyError(label)
