"""The tables of a policy pack as they stand in the file; `policy_pack` reads and checks it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from msgspec import Meta

from edge_agent.domain.finding import HARASSMENT, Label
from edge_agent.domain.policy import Source
from edge_agent.errors import Text

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,47}\Z")]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds = Annotated[int, Meta(ge=0, le=86_400)]
Mark = Annotated[str, Meta(pattern=r"\S\S")]
"""Words looked for in speech: an empty mark or a single character would be found everywhere."""
Grade = Annotated[str, Meta(pattern=r"^B[0-3]\Z")]
Times = Annotated[int, Meta(ge=1, le=20)]
PositiveShare = Annotated[float, Meta(gt=0.0, le=1.0)]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the pack: a key it does not know is an error."""


class Words(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text in both languages."""

    ja: Annotated[str, Meta(min_length=1)]
    en: Annotated[str, Meta(min_length=1)]

    def text(self) -> Text:
        """Return it as the domain has it."""
        return Text(self.ja, self.en)


class PackTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[pack]``."""

    id: Id
    version: Annotated[str, Meta(min_length=1)]
    title: Words
    effective_from: dt.date
    review_by: dt.date


class AxisTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[axis]]``."""

    id: Id
    name: Words
    meaning: Words
    source: Source


class TypeTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[type]]``."""

    label: Label
    name: Words
    meaning: Words
    source: Source


class RuleTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all rules that can lead to an assessment have."""

    id: Id
    label: Label
    title: Words
    severity: Grade
    reason: Words
    guide: Words
    phrase: Id
    source: Source


class CriterionTable(RuleTable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[criterion]]``: words of a type."""

    threshold: Share
    strong: Share
    hits: Annotated[int, Meta(ge=1, le=20)]
    evidence: Annotated[float, Meta(ge=0.0, le=20.0)]
    half_life_s: Annotated[int, Meta(ge=1, le=86_400)]


class RepeatTable(RuleTable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[repeat]``: a demand repeated after the final answer."""

    times: Times
    similarity: PositiveShare
    spelling: PositiveShare
    demand: Share
    refusal_marks: tuple[Mark, ...] = ()


class TimeTable(RuleTable, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[time]]``: a call that goes in circles for too long."""

    after_s: Annotated[int, Meta(ge=60, le=86_400)]
    repeats: Times


class RiseTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[rise]``: severity of words that go on after warnings."""

    after_warning: Annotated[int, Meta(ge=1, le=3)]
    highest: Grade


class ContextTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[context]``: the turns that vague words are judged with."""

    turns: Annotated[int, Meta(ge=0, le=4)]
    within_s: Seconds
    ambiguous: Share


class TentativeTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[tentative]``: alerts by words that may still change."""

    on: bool
    threshold: Share
    least: Annotated[int, Meta(ge=1, le=100)]
    every_ms: Annotated[int, Meta(ge=200, le=10_000)]
    characters: Annotated[int, Meta(ge=1, le=100)]


class RightsTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[rights]``: words by which a caller names a right."""

    marks: Annotated[tuple[Mark, ...], Meta(min_length=1)]
    strong: Share


class SpokenTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[spoken]``: how surely an operator's words must be heard."""

    overlap: Annotated[float, Meta(ge=0.5, le=1.0)]
    reply_score: PositiveShare = 0.5
    warning_score: PositiveShare | None = None
    """`reply_score` where a policy does not name it."""
    final_answer_similarity: PositiveShare | None = None
    """Of policies written for earlier releases; `reply_score` took its place and it has no effect."""


class PhraseTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ``[[phrase]]``."""

    id: Id
    title: Words
    text: Words
    spoken_marks: tuple[Mark, ...] = ()
    warning: Annotated[int, Meta(ge=0, le=3)] = 0
    final_answer: bool = False


class StepTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of the ``[[ladder]]``."""

    level: Annotated[str, Meta(pattern=r"^L[1-5]\Z")]
    role: Words
    after_red_s: Seconds
    after_amber_s: Seconds
    source: Source


class ReminderTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[reminder]``: what happens when nobody has answered the last step of the ladder."""

    every_s: Annotated[int, Meta(ge=30, le=86_400)]


class ComplaintTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[complaint]``: what is shown as one, and which types its words need a second hit for."""

    threshold: Share
    second_hit: tuple[Label, ...] = ()
    sure: Share = 1.0

    def __post_init__(self) -> None:
        """Raise `ValueError`, which names the place when a file is read, if a label is no harassment type."""
        if wrong := [label.value for label in self.second_hit if label not in HARASSMENT]:
            raise ValueError(f"second_hit: {', '.join(wrong)} is no harassment type")


class MarksTable(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[relay]``, ``[accommodation]`` and ``[danger]``: words by which something is known."""

    marks: Annotated[tuple[Mark, ...], Meta(min_length=1)]


class PolicyFile(Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    pack: PackTable
    axis: tuple[AxisTable, ...]
    type: tuple[TypeTable, ...]
    criterion: tuple[CriterionTable, ...]
    phrase: tuple[PhraseTable, ...]
    ladder: tuple[StepTable, ...]
    reminder: ReminderTable
    complaint: ComplaintTable
    relay: MarksTable
    accommodation: MarksTable
    repeat: RepeatTable
    time: tuple[TimeTable, ...]
    rise: RiseTable
    context: ContextTable
    tentative: TentativeTable
    rights: RightsTable
    spoken: SpokenTable
    danger: MarksTable | None = None
