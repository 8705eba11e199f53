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
class Rule:
    """What is common to everything that can lead to an assessment.

    Attributes:
        id: stable name, such as ``"threat-immediate"``; alerts and incidents carry it.
        label: the type it stands for.
        title: what it says, for people.
        severity: axis B when met.
        reason: sentence shown with the alert; says why, never asserts guilt.
        guide: the guide's next step.
        phrase: id of the phrase offered to the operator.
        source: how the rule is founded.
    """

    id: str
    label: Label
    title: Text
    severity: Severity
    reason: Text
    guide: Text
    phrase: str
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion(Rule):
    """When words of one type become an assessment.

    Attributes:
        threshold: probability (0–1) from which an utterance counts.
        strong: probability (0–1) from which one utterance suffices although `hits` asks for more.
        hits: utterances needed.
        evidence: what the probabilities of these utterances must add up to, each halved every `half_life_s`.
        half_life_s: seconds after which an utterance weighs half as much.
    """

    threshold: float
    strong: float
    hits: int
    evidence: float
    half_life_s: float

    @property
    def immediate(self) -> bool:
        """Whether one utterance over the threshold is enough."""
        return self.hits == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatRule(Rule):
    """When a demand repeated after the final answer becomes an assessment.

    Attributes:
        times: repetitions needed after the operator's final answer.
        similarity: cosine (0–1) of the classifier's embeddings from which two utterances ask for the same.
        spelling: the same for character pairs, where the classifier gives no embedding.
        demand: probability (0–1) of a complaint or of harassment from which words are a demand at all.
        refusal_marks: fragments of the operator's words by which a demand is refused again.
    """

    times: int
    similarity: float
    spelling: float
    demand: float
    refusal_marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRule(Rule):
    """When a call that goes in circles has taken too long; the time alone never meets it.

    Attributes:
        after_s: seconds the call has lasted.
        repeats: demands repeated after the final answer by then.
    """

    after_s: float
    repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """How severity rises when words of a type already met go on after warnings.

    Attributes:
        after_warning: level (1–3) of the spoken warning from which it rises by one grade.
        highest: no rise goes beyond it.
    """

    after_warning: int
    highest: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """When words are also judged together with the customer's turns before them.

    Attributes:
        turns: how many turns before (0: never).
        within_s: seconds from the end of a turn within which it still belongs to the new words.
        ambiguous: probability (0–1) words must reach alone to hint at a type; below it they say nothing of their own.
    """

    turns: int
    within_s: float
    ambiguous: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tentative:
    """When words that may still change raise an alert that is shown as unconfirmed.

    Attributes:
        on: whether they ever do.
        threshold: probability (0–1) needed; no lower than that of the criteria that act at once.
        least: characters an utterance must have; the first syllables could become anything.
        every_s: seconds between two looks at the same utterance, at least.
        characters: characters that must differ since the last look.
    """

    on: bool
    threshold: float
    least: int
    every_s: float
    characters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Words by which a caller names a right: lawyer, court, police, consumer body, an honest review.

    Attributes:
        marks: the words; alone they never raise an alert.
        strong: probability (0–1) of a threat or exposure from which other words beside them count as they are.
    """

    marks: tuple[str, ...]
    strong: float


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
        final_answer: after these words a repeated demand counts as repeated.
    """

    id: str
    title: Text
    text: Text
    spoken_marks: tuple[str, ...]
    warning: int
    final_answer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStep:
    """Who is told when nobody has acknowledged.

    Attributes:
        level: ``"L2"`` … ``"L5"``; the same level again asks the next person of it.
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
    """One version of the company's policy; an incident pins the version it was judged by.

    Attributes:
        reminder_s: seconds after which the last step of the ladder is asked again.
        complaint_threshold: probability (0–1) from which words are a complaint.
        second_hit: types that one utterance which is a complaint too never meets alone, however the rule has it.
        sure: probability (0–1) from which it does nevertheless.
        relay_marks: words by which a relay service is known.
        accommodation_marks: words by which a caller asks for consideration, such as being hard of hearing.
        overlap: share (0–1) of a spoken mark's character pairs that must be heard for it to be spoken.
        reply_score: probability (0–1) from which an operator refuses or gives the final answer by the classifier.
        warning_score: the same for a warning and for ending the call.
        danger_marks: words by which an operator asks whether the caller means to die or to harm himself.
    """

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
    reminder_s: int
    repeat: RepeatRule
    times: tuple[TimeRule, ...]
    rise: Rise
    context: Context
    tentative: Tentative
    rights: Rights
    complaint_threshold: float
    second_hit: tuple[Label, ...]
    sure: float
    relay_marks: tuple[str, ...]
    accommodation_marks: tuple[str, ...]
    overlap: float
    reply_score: float
    warning_score: float
    danger_marks: tuple[str, ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All that can lead to an assessment."""
        return (*self.criteria, self.repeat, *self.times)

    def rule(self, rule_id: str) -> Rule:
        """Return the rule of that id; raise `KeyError` if there is none."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(rule_id)

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
