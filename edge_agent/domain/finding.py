"""What the classifier sees in one utterance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Label(StrEnum):
    """What a customer's words can be; several may hold for one utterance."""

    ABUSE = "abuse"
    THREAT = "threat"
    EXCESSIVE_DEMAND = "excessive_demand"
    AUTHORITY = "authority"
    DETENTION = "detention"
    OFFSITE = "offsite"
    EXPOSURE = "exposure"
    SEXUAL = "sexual"
    DISCRIMINATION = "discrimination"
    INTRUSION = "intrusion"
    COMPLAINT = "complaint"
    LIFE_SAFETY = "life_safety"


HARASSMENT: tuple[Label, ...] = tuple(label for label in Label if label not in {Label.COMPLAINT, Label.LIFE_SAFETY})
"""The ten harassment types, in the order the models and the pages use."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What an operator's words do to what was asked: probabilities, 0–1. Who gives the final answer refuses too."""

    refusal: float = 0.0
    final_answer: float = 0.0
    warning: float = 0.0
    ending: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The classifier's answer for one utterance.

    Attributes:
        labels: calibrated probability (0–1) of every label.
        over: labels that count by the model's own thresholds.
        harassment: calibrated probability (0–1) that any harassment type applies.
        model_version: name and version of the model that answered.
        embedding: direction (length 1) of what was said, near that of words that say the same; None if the model
            has none.
        reply: what the words do if they are an operator's; nothing if the model cannot tell.
    """

    labels: Mapping[Label, float]
    over: tuple[Label, ...]
    harassment: float
    model_version: str
    embedding: tuple[float, ...] | None = None
    reply: Reply = field(default_factory=Reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One label seen in one utterance, with what it was seen in.

    Attributes:
        label: what was seen.
        score: calibrated probability, 0–1.
        at_s: seconds from the start of the call to the end of the utterance.
        sequence: the utterance's number within its call.
        quote: the customer's words.
        model_version: name and version of the model.
        telling: stretches (start, end) of the quote that carried the score; empty if that was not asked.
    """

    label: Label
    score: float
    at_s: float
    sequence: int
    quote: str
    model_version: str
    telling: tuple[tuple[int, int], ...] = ()
