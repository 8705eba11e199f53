"""Whether a caller's words ask for something in so many words, by their form.

Forms are those of spoken Japanese, standard and regional: 「戻してください」「返してえな」「出してけろ」「半分でいいから」. What is
asked for does not matter here, and asking is nobody's fault: the form only tells a demand from talk about it.
"""

from __future__ import annotations

import re

_END = r"(?=$|[。、!?！？])"
_FORMS = re.compile(
    # 〜てください, 〜てくれ, 〜てもらえない, 〜ていただければ, 〜てほしい, 〜てちょうだい
    r"(?<=[てで])(?:ください|下さい|くださら|下さら|くれ(?!た|て|ま(?:した|す)|る(?:から|ので|って|そう))|もらえ|もらいた|もらわ[なん]|もらおう"
    r"|もらう(?:の|まで|わけに)|いただけ|いただきた|いただかな|いただく(?:の|まで|わけに)|頂け|頂きた|ほし[いくか]|欲し[いくか]|ちょうだい|頂戴"
    # 〜てえな, 〜てけろ, 〜てつかあさい, 〜てくんろ, 〜てんか, 〜てよ
    r"|えな|えや|けろ|けで|けねえ|つか[あー]?さい|くんろ|くんねえ|くんない|んか|[やなよ]" + _END + ")"
    r"|[てで]" + _END
    + r"|(?<=[をがに])(?:ください|下さい|くれ(?!た|て|ま)|ほし[いく]|欲し[いく]|ちょうだい|頼む)"
    r"|お願い(?:し[まてた]|いたし|でき|したい|や|" + _END + r")|頼む|頼みま|頼んで"
    r"|(?:なら|でき|出来)(?:ない(?:ん|の|です)?か|ませんか|ん[のか]|へんか|へんの|ん?でしょうか)|なんとか|どうにか|そこを"
    # 〜できますよね, 〜できるやろ, 積めるでしょ
    r"|(?:でき|[せけめれえべげ])(?:ます|る|ん)(?:よね|でしょ|やろ|だろ|っしょ)"
    r"|た(?:ら|っちゃ)(?:いい|ええ|よか|どう)|れば(?:いい|よか|済む|終わ|よろしい)"
    r"|(?:だけ)?(?:で(?:も)?|に)(?:いい|ええ|よか|結構)(?:[よわでやんのじ]|から|けん|けえ|っす|です|んだ|ので)"
    r"|(?:っていうの|ってこと|って[のん]|というの|いうの)は(?:どう|いかが|" + _END + r")|(?:いかが|どう)(?:です|でしょう)"
    r"|(?:戻|返|直|出|払|使わ|替え|換え|やり直|取り消)[しわいっ]?[せろえ](?=$|[。、!?！？よや])"
)  # fmt: skip

_ACCEPTED = re.compile(
    r"(?:わか(?:りまし|っ)た|分か(?:りまし|っ)た|承知(?:し|いたし)ました|了解(?:です|しました)?|しゃあない|(?:仕方|しょうが)な(?:い|か))(?:です)?[わねよなあ]*"
    + _END
)
_REPROACH = re.compile(
    r"(?:最初(?:から|に)|先に|早く|早よ|はよ|早う)[^。、]{0,6}(?:言|教え|連絡し)[っう]?て[^。、!?！？]*"
)
"""What ought to have been done is no demand: 「最初に言ってくださいよ」."""


def asks_for(text: str) -> bool:
    """Return whether words ask for something; what was asked before the answer is accepted is asked no more."""
    return _FORMS.search(_REPROACH.sub("", _ACCEPTED.split(text)[-1])) is not None
