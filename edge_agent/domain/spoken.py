"""What an operator has said: warnings and final answers, by the policy's marks and by their meaning.

It is never weighed against the caller. It says how far the company has warned, and from when on a demand is repeated
although it has been answered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from edge_agent.domain.likeness import cosine, is_heard, plain

if TYPE_CHECKING:
    from edge_agent.domain.policy import Phrase, Policy


def spoken_warning(text: str, policy: Policy) -> int:
    """Return the level of the gravest warning in the operator's words: 1, 2, 3 (ending the call), or 0."""
    said = plain(text)
    return max((p.warning for p in policy.phrases if p.warning and _spoken(said, p, policy)), default=0)


def is_final_answer(
    text: str,
    policy: Policy,
    *,
    embedding: Sequence[float] | None = None,
    answers: Sequence[Sequence[float]] = (),
) -> bool:
    """Return whether the operator's words hold one of the policy's final answers.

    Args:
        text: the operator's words.
        policy: the company's policy.
        embedding: the classifier's embedding of `text`, if it gives one.
        answers: embeddings of the policy's final answers.
    """
    said = plain(_NO_REFUSAL.sub("", text))
    if any(p.final_answer and _spoken(said, p, policy) for p in policy.phrases):
        return True
    if embedding is None or not may_answer(text, policy):
        return False
    return any(cosine(embedding, answer) >= policy.final_answer_similarity for answer in answers)


def may_answer(text: str, policy: Policy) -> bool:
    """Return whether the operator's words may be a final answer by their meaning.

    An apology is near a refusal in meaning, and refuses nothing. Without marks of refusals the meaning alone decides.
    """
    return not policy.repeat.refusal_marks or is_refusal(text, policy)


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


def is_refusal(text: str, policy: Policy) -> bool:
    """Return whether the operator's words refuse what was asked, or say that the answer stays as it is."""
    said = plain(_NO_REFUSAL.sub("", text))
    if any(is_heard(said, mark, overlap=policy.overlap) for mark in policy.repeat.refusal_marks):
        return True
    return any(p.final_answer and _spoken(said, p, policy) for p in policy.phrases)


def _spoken(said: str, phrase: Phrase, policy: Policy) -> bool:
    return any(is_heard(said, mark, overlap=policy.overlap) for mark in phrase.spoken_marks)
