"""An operator asks whether the caller's life is in danger, and the caller says yes.

Whoever works on the telephone is taught to ask it openly. The answer is often one word, which says nothing by itself,
and the words before it may have been misheard: question and answer together say it.

In doubt an answer is no yes, and the caller's further words are judged as ever: a yes keeps harassment from being told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edge_agent.domain.likeness import plain

if TYPE_CHECKING:
    from edge_agent.domain.policy import Policy

_QUESTION = re.compile(
    r"(?:です|ます|でしょう|しょう|る|い|た|の|ん)か(?:$|[。、?？\s])|[?？]|(?:意味|お気持ち|こと)(?:です|でしょう|なの|でござい)"
)
_NO_QUESTION = re.compile(
    r"おっしゃらないで|言わないで|お控え|脅|命を絶対|(?:死にたいの|死にた|殺)か、?と(?:おっしゃ|言)"
    r"|(?<!ご)自殺(?:の場合|された場合|防止|対策|の?免責|者)|死にた(?:いのか|くな(?:け|るほど))"
)
"""Words that name dying in passing, or what the caller has said of somebody else."""
_YES = re.compile(
    r"^(?:[あえうんまぅぁはー]|いや)*?(?:はい(?!は[いー]|って|何)|ええ(?!加減|かげん|から|い|っ|わ)|うん(?!ざり|こ|と|ち|にゃ|ね)|うむ"
    r"|そう(?!やって|や?ない|は|言われ|い[うっ]た?(?:話|意味|の|こ)|したら|して|とは|か(?!も)|ちゃう|なら|じゃ|でねえ|だろ"
    r"|で(?!す(?!か)|しょう|ござ|あ|もし|したら))"
    r"|[せそ]や(?!から|かて|けど|な[いかく]|ない)|そげん(?!こ)|んだ(?!から|ども|けど)|んです|そだ(?!ろ)"
    r"|ほうや(?!から|けど)|ほう(?:よ|です|じゃ(?!け))|ほじゃ(?!け)|(?:その|おっしゃる)(?:通り|とおり|つもり)|本気|もちろん"
    r"|だったら(?:何|なん|どう)|かもしれ|もう(?:いい|ええ|疲|無理|嫌|いや|限界))"
)
"""Yes in standard and regional forms, after fillers; so does 「だったら何」 answer.

Not what goes on into a reason (「せやから」)."""
_NO = re.compile(
    r"^(?:[あえうんまー])*いえ|いいえ|(?<!間)違[いうっ]|ちが[いうっ]|ちゃう"
    r"|(?:そう|意味|わけ|つもり|こと|ん|の|気)(?:じゃ|では|でわ|や|と)(?:は)?(?:な[いかく]|あり|ねえ|のう)"
    r"|(?:気|つもり|わけ|こと)(?:なんか|なんて|など|とか|は|も|が)*(?:な[いかく]|ありません|あらへん|ねえ)"
    r"|まさか|冗談(?:です|だよ|や)|そこまで(?:は|じゃ|では)|大丈夫(?!じゃ|では|や)|とんでもな"
    r"|死(?:なない|なん|にません|んだりは?し)"
    r"|(?:考え|思っ|思う|言っ|言う)(?:て|と)(?:は|い|お)?(?:い|り)?(?:ない|ません|へん|らん|りません|りゃせん)"
)
_FOR_THE_LISTENER = re.compile(
    r"(?:お前|おまえ|あんた|てめえ|そっち)(?:が|を|ら|も)|殺す|責任者|上司|返金|返せ|切る(?:から|ぞ)"
)
"""Such words answer something else."""


def asks(text: str) -> bool:
    """Return whether an operator's words ask something."""
    return _QUESTION.search(text) is not None


def asks_of_danger(text: str, policy: Policy) -> bool:
    """Return whether an operator asks about dying or self-harm, by the policy's marks as they are.

    Marks of other phrases may be misspelled. Other words hold the letters of these (「部分を傷つけ」).
    """
    said = plain(text)
    return any(plain(mark) in said for mark in policy.danger_marks) and asks(text) and not _NO_QUESTION.search(text)


def says_yes(text: str) -> bool:
    """Return whether a caller's answer affirms what he was asked."""
    said = plain(text)
    if re.match(r"[はえうんあいー]{1,3}[?？]", text.strip()):
        return False
    return _YES.match(said) is not None and not _NO.search(said) and not _FOR_THE_LISTENER.search(said)
