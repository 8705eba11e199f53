"""The same demand again although it has been answered, and calls that go in circles for too long.

Rules:
1. Words are a demand if they are a complaint or hint at harassment; thanks and backchannels never are.
2. Two demands are alike by meaning (the classifier's embedding), by spelling only where there is no embedding. They are
   the same if they are alike, or both are alike to a third one: who repeats himself rewords, and two wordings far apart
   still have one between them.
3. A demand counts as repeated when it comes again after the operator's final answer. If it came up only after it, its
   first time is no repetition.
4. Who rewords a demand calmly and with ever new reasons may never say anything alike. So a demand after the final
   answer that touches on one before (`likeness.matter`) counts too once the operator has refused it again. The
   operator's words say here what was asked, never what the caller is. A demand that follows need not wait for it.
5. Words that ask for something by their form (`asking`) are a demand whatever the classifier says of them. Two of them
   that touch on each other, directly or through others that ask, are the same; once the operator has refused one of
   the call's demands again (4), they need not wait for their refusal.
6. Time alone means nothing: it counts with demands repeated after the final answer.
7. In a relayed call, or when the caller has asked for consideration, neither counts: repeating is then how one is
   understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge_agent.domain.asking import asks_for
from edge_agent.domain.finding import HARASSMENT, Finding, Label
from edge_agent.domain.likeness import cosine, matter, plain, spelled_alike

if TYPE_CHECKING:
    from edge_agent.domain.call import Utterance
    from edge_agent.domain.finding import Scores
    from edge_agent.domain.policy import Policy, RepeatRule, TimeRule

LEAST_LETTERS = 5
"""Shorter words are no demand: 「だから」「なんで」 come again in every conversation."""
KEPT = 200
"""Demands remembered of a call; the newest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A demand as it was voiced.

    Attributes:
        at_s: seconds from the start of the call to its last sound.
        about: what it is about (`likeness.matter`).
        asks: it asks for something by its form.
        alike: numbers of the utterances before it that voiced a demand like it.
        answered: it was voiced after the final answer.
        touching: it touches on one before it.
        refused: it was voiced after the final answer, touched on one before it and was refused again.
        model_version: name and version of the classifier.
    """

    sequence: int
    at_s: float
    text: str
    embedding: tuple[float, ...] | None
    about: frozenset[str]
    asks: bool
    alike: frozenset[int] = frozenset()
    answered: bool
    touching: bool = False
    refused: bool = False
    model_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """What is remembered of a call's demands.

    Attributes:
        final_answer_s: seconds of the call at which the final answer was given first; None before.
        repeated: how many utterances after it voiced a demand again.
        open: the last demand still waits for its answer.
        replied: the operator has said something since.
    """

    final_answer_s: float | None = None
    demands: tuple[Demand, ...] = ()
    repeated: int = 0
    open: bool = False
    replied: bool = False


def answered(repetition: Repetition, *, at_s: float) -> Repetition:
    """Return the repetition with the final answer given at `at_s`; only the first counts."""
    return repetition if repetition.final_answer_s is not None else replace(repetition, final_answer_s=at_s)


def replied(repetition: Repetition, text: str, *, refuses: bool) -> Repetition:
    """Return the repetition with the operator's words `text`, which may refuse (`refuses`) the demand just voiced."""
    if repetition.final_answer_s is None or not repetition.open or len(plain(text)) < LEAST_LETTERS:
        return repetition
    if not refuses:
        return replace(repetition, replied=True)
    *before, last = repetition.demands
    last = replace(last, refused=last.answered and last.touching)
    return replace(repetition, demands=(*before, last), open=False)


def demanded(
    repetition: Repetition, utterance: Utterance, scores: Scores, policy: Policy
) -> tuple[Repetition, tuple[Finding, ...]]:
    """Take a customer's utterance; return with it the times its demand was voiced again, this one the last.

    Nothing is returned if the words are no demand, or repeat none that has been answered.
    """
    if len(plain(utterance.text)) < LEAST_LETTERS:
        return repetition, ()
    asks = asks_for(utterance.text)
    if not asks and not _is_demand(scores, policy.repeat):
        # A demand may take two utterances; what is said after the operator's reply is about something else.
        return replace(repetition, open=repetition.open and not repetition.replied), ()
    demand = Demand(
        sequence=utterance.sequence,
        at_s=utterance.end_s,
        text=utterance.text,
        embedding=scores.embedding,
        about=matter(utterance.text),
        asks=asks,
        answered=repetition.final_answer_s is not None,
        model_version=scores.model_version,
    )
    alike = [earlier for earlier in repetition.demands if likeness(earlier, demand, policy.repeat) >= 1.0]
    demand = replace(
        demand,
        alike=frozenset(earlier.sequence for earlier in alike),
        touching=any(earlier.about & demand.about for earlier in repetition.demands),
    )
    again = _again(repetition, demand, policy.repeat) if demand.answered else ()
    kept = (*repetition.demands, demand)[-KEPT:]
    counted = repetition.repeated + bool(again)
    return replace(repetition, demands=kept, repeated=counted, open=True, replied=False), again


def too_long(repetition: Repetition, *, at_s: float, policy: Policy) -> tuple[TimeRule, ...]:
    """Return the rules met by a demand voiced again `at_s` seconds into the call, the longest time last."""
    met = [rule for rule in policy.times if at_s >= rule.after_s and repetition.repeated >= rule.repeats]
    return tuple(sorted(met, key=lambda rule: rule.after_s))


def likeness(one: Demand, other: Demand, rule: RepeatRule) -> float:
    """Return how alike two demands are, 1 and more meaning that they are the same."""
    if one.embedding is not None and other.embedding is not None:
        return cosine(one.embedding, other.embedding) / rule.similarity
    return spelled_alike(one.text, other.text) / rule.spelling


def _again(repetition: Repetition, demand: Demand, rule: RepeatRule) -> tuple[Finding, ...]:
    between = frozenset[int]().union(*(each.alike for each in repetition.demands if each.sequence in demand.alike))
    same = [
        earlier
        for earlier in repetition.demands
        if earlier.sequence in demand.alike | between or not earlier.alike.isdisjoint(demand.alike)
    ]
    # Its very first time was no repetition, wherever that was.
    times = {time.sequence: time for time in [*same, demand][1:] if time.answered}
    for others in (_asked_before(repetition, demand), _refused_before(repetition, demand)):
        if others:
            times |= {time.sequence: time for time in [*others, demand] if time.answered}
    return tuple(
        Finding(
            label=rule.label,
            score=1.0,
            at_s=time.at_s,
            sequence=time.sequence,
            quote=time.text,
            model_version=time.model_version,
        )
        for _, time in sorted(times.items())
    )


def _asked_before(repetition: Repetition, demand: Demand) -> list[Demand]:
    """Return the demands that ask for what a demand asks for, both by their form."""
    if not demand.asks or not any(earlier.refused for earlier in repetition.demands):
        return []
    return _touched([earlier for earlier in repetition.demands if earlier.asks], demand)


def _refused_before(repetition: Repetition, demand: Demand) -> list[Demand]:
    """Return the demands refused again that a demand touches on."""
    return [earlier for earlier in _touched(repetition.demands, demand) if earlier.refused]


def _touched(demands: Sequence[Demand], demand: Demand) -> list[Demand]:
    """Return those of `demands` that a demand touches on, itself or through others of them."""
    about, apart = demand.about, list(demands)
    while joined := [earlier for earlier in apart if about & earlier.about]:
        about = about.union(*(earlier.about for earlier in joined))
        apart = [earlier for earlier in apart if earlier not in joined]
    return [earlier for earlier in demands if earlier not in apart]


def _is_demand(scores: Scores, rule: RepeatRule) -> bool:
    return max(scores.labels.get(label, 0.0) for label in (Label.COMPLAINT, *HARASSMENT)) >= rule.demand
