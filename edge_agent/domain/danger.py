"""An operator asks whether the caller's life is in danger, and the caller says yes.

Whoever works on the telephone is taught to ask it openly. The answer is often one word, which says nothing by itself,
and the words before it may have been misheard: question and answer together say it.

In doubt an answer is no yes: the caller's further words are judged as ever.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edge_agent.domain.likeness import is_heard, plain

if TYPE_CHECKING:
    from edge_agent.domain.policy import Policy

_YES = re.compile(
    r"^(?:[あえうんまぅぁはー]|いや)*(?:はい|ええ|うん|うむ|そう|せや|そや|そげん|んだ|ほうや|ほうじゃ|じゃけえ|だったら|かもしれ|もう(?:いい|ええ|疲|無理))"
)
"""Yes in standard and regional forms, after fillers; so does 「だったら何」 answer."""
_NO = re.compile(
    r"^(?:[あえうんまー])*いえ|いいえ|違[いうっ]|ちが[いうっ]|(?:じゃ|では|や)(?:な[いかく]|あり|ねえ|のう)|わけ(?:な|が|も)|まさか|冗談|"
    r"そこまで|大丈夫|ないです|しません|せえへん|とんでもな"
)


def asks_of_danger(text: str, policy: Policy) -> bool:
    """Return whether an operator's words name dying or self-harm, by the policy's marks."""
    said = plain(text)
    return any(is_heard(said, mark, overlap=policy.overlap) for mark in policy.danger_marks)


def says_yes(text: str) -> bool:
    """Return whether a caller's answer affirms what he was asked."""
    said = plain(text)
    return _YES.match(said) is not None and _NO.search(said) is None
