"""The same demand again although it has been answered, and calls that go in circles for too long.

Rules:
1. Words are a demand of their own if they are a complaint or hint at harassment. Thanks, backchannels and giving way
   never are; what is asked for after giving way is one once it is refused.
2. Two demands are alike by meaning (the classifier's embedding), by spelling only where there is no embedding. They are
   the same if they are alike, or both are alike to a third one: who repeats himself rewords, and two wordings far apart
   still have one between them.
3. A demand counts as repeated when it comes again after the operator's final answer. If it came up only after it, its
   first time is no repetition.
4. Who rewords a demand calmly and with ever new reasons may never say anything alike, or like a demand. So whatever
   the operator refuses again after the final answer was a demand repeated: his words say here what was asked, never
   what the caller is. Who gives way has asked for nothing. A demand that follows need not wait for its refusal. Two
   of the times counted are demands of their own.
5. Words that ask for something by their form (`asking`) are a demand whatever the classifier says of them. Two of them
   that touch on each other (`likeness.matter`), directly or through others that ask, are the same; once the operator
   has refused one of the call's demands again (4), they need not wait for their refusal.
6. Time alone means nothing: it counts with demands repeated after the final answer.
7. In a relayed call, or when the caller has asked for consideration, neither counts: repeating is then how one is
   understood.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge_agent.domain.asking import accepts, asks_for, gives_way
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
WAITING = 8
"""Utterances of a turn that may be what the operator's reply refuses; the newest."""
BARGES_IN_S = 1.0
"""By how much an operator's reply may begin before the customer has ended."""
LEAST_VOICED = 2
"""So many of the times counted must be demands by their own words; else the others are not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A demand as it was voiced, or words that may turn out to be one by being refused.

    Attributes:
        at_s: seconds from the start of the call to its last sound.
        about: what it is about (`likeness.matter`).
        voiced: it is a demand by its own words.
        asks: it asks for something by its form.
        alike: numbers of the utterances before it that voiced a demand like it.
        answered: it was said after the final answer.
        refused: it was said after the final answer and refused.
        model_version: name and version of the classifier.
    """

    sequence: int
    at_s: float
    text: str
    embedding: tuple[float, ...] | None
    about: frozenset[str]
    voiced: bool
    asks: bool
    alike: frozenset[int] = frozenset()
    answered: bool
    refused: bool = False
    model_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """What is remembered of a call's demands.

    Attributes:
        final_answer_s: seconds of the call at which the final answer was given first; None before.
        demands: those voiced, and words refused after the final answer.
        repeated: how many utterances after it voiced a demand again.
        waiting: what the customer has said since the operator's last reply.
        replied: the operator has replied to it.
    """

    final_answer_s: float | None = None
    demands: tuple[Demand, ...] = ()
    repeated: int = 0
    waiting: tuple[Demand, ...] = ()
    replied: bool = False


def answered(repetition: Repetition, *, at_s: float) -> Repetition:
    """Return the repetition with the final answer given at `at_s`; only the first counts."""
    return repetition if repetition.final_answer_s is not None else replace(repetition, final_answer_s=at_s)


def replied(repetition: Repetition, text: str, *, start_s: float, refuses: bool) -> Repetition:
    """Return the repetition with the operator's words `text`, begun at `start_s`, which may refuse what was said."""
    if len(plain(text)) < LEAST_LETTERS:
        return repetition
    repetition = replace(repetition, replied=True)
    if not refuses:
        return repetition
    # The operator may be heard late: what was said only after these words began is not what they refuse.
    turn = [each for each in repetition.waiting if _may_be_refused(each, start_s)]
    if not turn and repetition.waiting:
        turn = [each for each in repetition.demands if _may_be_refused(each, start_s)][-1:]
    if not turn:
        return repetition
    refused = next((each for each in reversed(turn) if each.voiced), turn[-1])
    others = [each for each in repetition.demands if each.sequence != refused.sequence]
    demands = sorted([*others, replace(refused, refused=True)], key=lambda demand: demand.sequence)
    waiting = tuple(each for each in repetition.waiting if each.at_s > turn[-1].at_s)
    return replace(repetition, demands=tuple(demands), waiting=waiting)


def _may_be_refused(demand: Demand, start_s: float) -> bool:
    return demand.answered and not demand.refused and demand.at_s <= start_s + BARGES_IN_S


def demanded(
    repetition: Repetition, utterance: Utterance, scores: Scores, policy: Policy
) -> tuple[Repetition, tuple[Finding, ...]]:
    """Take a customer's utterance; return with it the times its demand was voiced again, this one the last.

    Nothing is returned if the words are no demand, or repeat none that has been answered.
    """
    if accepts(utterance.text):
        return replace(repetition, waiting=(), replied=False), ()
    if len(plain(utterance.text)) < LEAST_LETTERS:
        return repetition, ()
    asks = asks_for(utterance.text)
    demand = Demand(
        sequence=utterance.sequence,
        at_s=utterance.end_s,
        text=utterance.text,
        embedding=scores.embedding,
        about=matter(utterance.text) if asks else frozenset(),
        voiced=asks or _is_demand(scores, policy.repeat),
        asks=asks,
        answered=repetition.final_answer_s is not None,
        model_version=scores.model_version,
    )
    again: tuple[Finding, ...] = ()
    kept = repetition.demands
    if demand.voiced:
        voiced = [earlier for earlier in kept if earlier.voiced]
        alike = [each.sequence for each in voiced if likeness(each, demand, policy.repeat) >= 1.0]
        demand = replace(demand, alike=frozenset(alike))
        # What is asked for after giving way may be something else: whether it was refused before, its answer will say.
        if demand.answered and not gives_way(utterance.text):
            again = _again(repetition, demand, policy.repeat)
        kept = (*kept, demand)[-KEPT:]
    waiting = (demand,) if repetition.replied else (*repetition.waiting, demand)
    counted = repetition.repeated + bool(again)
    return replace(repetition, demands=kept, repeated=counted, waiting=waiting[-WAITING:], replied=False), again


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
    for others in (_asked_before(repetition, demand), [each for each in repetition.demands if each.refused]):
        if others:
            times |= {time.sequence: time for time in [*others, demand] if time.answered}
    if sum(time.voiced for time in times.values()) < LEAST_VOICED:
        times = {sequence: time for sequence, time in times.items() if time.voiced}
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
    """Return the demands that ask for what a demand asks for, both by their form, itself or through others of them."""
    if not demand.asks or not any(earlier.refused for earlier in repetition.demands):
        return []
    asked = [earlier for earlier in repetition.demands if earlier.asks]
    about, apart = demand.about, asked
    while joined := [earlier for earlier in apart if about & earlier.about]:
        about = about.union(*(earlier.about for earlier in joined))
        apart = [earlier for earlier in apart if earlier not in joined]
    return [earlier for earlier in asked if earlier not in apart]


def _is_demand(scores: Scores, rule: RepeatRule) -> bool:
    return max(scores.labels.get(label, 0.0) for label in (Label.COMPLAINT, *HARASSMENT)) >= rule.demand
