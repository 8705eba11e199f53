"""Which of a customer's words bear on judgement, and what scores they leave.

Rules:
1. Reported and denied clauses are left out (`quotation`), and so are the words by which a caller names a right or
   tells plain facts (`plain_facts`).
2. What remains is scored by itself. A harassment type has no more than both scores allow: it must be seen in the whole
   utterance and in what remains.
3. Beside a named right, other words may make it a threat or exposure: where the whole says so very strongly, and they
   hint at it themselves, it stands.
4. Complaint and life safety are seen in the whole utterance alone.
5. Words too vague by themselves may be judged with the customer's turns just before them. That counts for a type only
   if the new words hint at it themselves and those turns did not already say it: a harmless word after a harassing
   line is no second one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from edge_agent.domain.finding import HARASSMENT, Label, Scores
from edge_agent.domain.likeness import plain
from edge_agent.domain.plain_facts import without_plain_facts
from edge_agent.domain.quotation import own_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_agent.domain.policy import Policy

_VERB = (
    r"(?:でも何でも|にでも|にも|でも|[にをへとがはで])?"
    r"(?:言|話|相談|通報|連絡|電話|訴え?|依頼|頼|呼|行|立て|つけ|付け|入れ|出|任せ|報告|掛け|かけ|書|取|起こ|や|し)?"
    r"(?:[るうくぶむすいっせたてし]|か(?!ら)|ます|まし|やる|やり|もら[いうえ]|いただ[きく]|頂[きく]|おく|おき)*"
    r"(?:から|けど|ので|です|[ぞぜよわねなだのさ])*"
)
"""What a named right is said with: a particle, an everyday verb and its endings, which only say that it is meant.

A closed list, so that an own word after it (「訴えるぞ、ばか」) is never taken for an ending.
"""
OTHER_WORDS = 6
"""Letters beside a named right from which there are other words at all."""
_BESIDE_RIGHTS = (Label.THREAT, Label.EXPOSURE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a customer has said and what it was judged to be.

    Attributes:
        end_s: seconds from the start of the call to its last sound.
        reporting: the customer was taken to tell what somebody else did or said.
    """

    text: str
    end_s: float
    labels: Mapping[Label, float]
    reporting: bool = False


def bearing_words(text: str, policy: Policy, *, reporting: bool = False) -> str:
    """Return the words that bear on judgement: the speaker's own, without the rights he names."""
    return _without_rights(own_words(text, reporting=reporting), policy)


def tempered(text: str, whole: Scores, rest: Scores, policy: Policy, *, reporting: bool = False) -> Scores:
    """Return the scores of an utterance whose bearing words scored `rest`."""
    labels = dict(whole.labels)
    for label in HARASSMENT:
        labels[label] = min(labels.get(label, 0.0), rest.labels.get(label, 0.0))
    own = own_words(text, reporting=reporting)
    remaining = _without_rights(own, policy)
    if own == text and remaining != own and len(plain(remaining)) >= OTHER_WORDS:
        for label in _BESIDE_RIGHTS:
            hinted = rest.labels.get(label, 0.0) >= policy.context.ambiguous
            if hinted and whole.labels.get(label, 0.0) >= policy.rights.strong:
                labels[label] = whole.labels[label]
    return replace(whole, labels=labels)


def quotes_harassment(whole: Scores, bearing: Scores, policy: Policy) -> bool:
    """Return whether what was left out of an utterance is what would have been harassment."""
    return any(
        label in HARASSMENT and whole.labels.get(label, 0.0) >= threshold and bearing.labels.get(label, 0.0) < threshold
        for label, threshold in thresholds(policy).items()
    )


def vague(scores: Scores, policy: Policy) -> tuple[Label, ...]:
    """Return the harassment types that the words hint at without reaching the policy's threshold."""
    return tuple(
        label
        for label, threshold in thresholds(policy).items()
        if label in HARASSMENT and policy.context.ambiguous <= scores.labels.get(label, 0.0) < threshold
    )


def turns_before(turns: Sequence[Turn], *, start_s: float, policy: Policy) -> tuple[Turn, ...]:
    """Return the customer's turns that words beginning at `start_s` may be judged with, the first first."""
    if not policy.context.turns:
        return ()
    near = [turn for turn in turns[-policy.context.turns :] if start_s - turn.end_s <= policy.context.within_s]
    return tuple(near)


def in_context(alone: Scores, together: Scores, before: Sequence[Turn], policy: Policy) -> Scores:
    """Return the scores of words that scored `alone`, and `together` with the turns before them."""
    labels = dict(alone.labels)
    limits = thresholds(policy)
    for label in vague(alone, policy):
        said_already = max((turn.labels.get(label, 0.0) for turn in before), default=1.0) >= limits[label]
        if not said_already:
            labels[label] = max(labels[label], together.labels.get(label, 0.0))
    return replace(alone, labels=labels)


def thresholds(policy: Policy) -> dict[Label, float]:
    """Return for each label the lowest probability from which a criterion counts it."""
    lowest: dict[Label, float] = {}
    for criterion in policy.criteria:
        lowest[criterion.label] = min(criterion.threshold, lowest.get(criterion.label, 1.0))
    return lowest


def _without_rights(text: str, policy: Policy) -> str:
    return without_plain_facts(_named(policy.rights.marks).sub("", text))


@cache
def _named(marks: tuple[str, ...]) -> re.Pattern[str]:
    """Return what matches a named right to the end of its verb: 「警察に通報」 and the 「してやるからな」 after it."""
    return re.compile(f"(?:{'|'.join(re.escape(mark) for mark in sorted(marks, key=len, reverse=True))}){_VERB}")
