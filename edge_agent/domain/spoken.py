"""What an operator has said: warnings, refusals and final answers, by the policy's marks and by the classifier.

It is never weighed against the caller. It says how far the company has warned, and from when on a demand is repeated
although it has been answered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edge_agent.domain.likeness import is_heard, plain

if TYPE_CHECKING:
    from edge_agent.domain.finding import Scores
    from edge_agent.domain.policy import Phrase, Policy


ENDING = 3
"""The level of a warning that ends the call."""


def spoken_warning(
    text: str, policy: Policy, *, scores: Scores | None = None, before: int = 0, goes_on: bool = False
) -> int:
    """Return the level of the gravest warning in the operator's words: 1, 2, 3 (ending the call), or 0.

    Words that match none of the policy's marks are a warning by the classifier's `scores`: the first, or the second
    after one that was given (`before` is the gravest level so far). What goes on after a warning, before the
    customer has said anything (`goes_on`), is none of its own unless it is graver; and who has not warned ends no call
    for the behaviour.
    """
    said = plain(text)
    level = max((p.warning for p in policy.phrases if p.warning and _spoken(said, p, policy)), default=0)
    if not level and scores is not None:
        level = _by_classifier(scores, policy, before=before, goes_on=goes_on)
    return 0 if goes_on and level <= before else level


def _by_classifier(scores: Scores, policy: Policy, *, before: int, goes_on: bool) -> int:
    if before and scores.reply.ending >= policy.warning_score:
        return ENDING
    if scores.reply.warning < policy.warning_score or (before and goes_on):
        return 0
    return min(before + 1, ENDING - 1)


def is_final_answer(text: str, policy: Policy, *, scores: Scores | None = None) -> bool:
    """Return whether the operator's words, of which the classifier says `scores`, are a final answer."""
    return _answers(text, policy) or (scores is not None and scores.reply.final_answer >= policy.reply_score)


_NO_REFUSAL = re.compile(
    r"(?:最終(?:的な|の)?[ごお]?(?:回答|返事|答え|返答|結論)(?=は(?:いつ|来週|後日|改めて|まだ)|を(?:お聞|いただ|お願)|が出|ではござい)"
    r"|お断りし(?=てしま|てお(?:きます|りません)|ているわけ|ていただいて)|対象外(?=では|になるのは)"
    r"|(?:ません|かねます)(?:ので|が)(?=.{0,12}(?:折り返|代わります|お調べ|確認(?:いた)?します|承ります|伺います))"
    r"|いただけません(?:か|でしょ)|(?:お?変わり(?:は)?|変わり)(?:ありません|ございません|ません)か|ませんでした"
    r"|ませんと(?:の|いう)(?!(?:ご?回答|お?答え|お?返事|こと(?:で(?:ござい|す))))"
    r"|ませんので(?=.{0,3}(?:ご安心|お調べ|担当(?:者)?(?:に(?!代わって)お?[つか代]|へ)|確認(?:いた|し)|これから|ただいま|すぐ))"
    r"|同じ(?:ご?(?:番号|住所|電話|内容)|でございますか))[^、。]*"
)
"""Polite questions and other forms in which a refusal's words refuse nothing, to the end of the clause."""


def is_refusal(text: str, policy: Policy, *, scores: Scores | None = None) -> bool:
    """Return whether the operator's words refuse what was asked, or say that the answer stays as it is."""
    if scores is not None and max(scores.reply.refusal, scores.reply.final_answer) >= policy.reply_score:
        return True
    said = plain(_NO_REFUSAL.sub("", text))
    if any(is_heard(said, mark, overlap=policy.overlap) for mark in policy.repeat.refusal_marks):
        return True
    return _answers(text, policy)


def _answers(text: str, policy: Policy) -> bool:
    """Return whether one of the policy's final answers is heard in an operator's words."""
    said = plain(_NO_REFUSAL.sub("", text))
    return any(phrase.final_answer and _spoken(said, phrase, policy) for phrase in policy.phrases)


def _spoken(said: str, phrase: Phrase, policy: Policy) -> bool:
    return any(is_heard(said, mark, overlap=policy.overlap) for mark in phrase.spoken_marks)
