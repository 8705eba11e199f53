"""Whether a caller's words ask for something in so many words, by their form.

Forms are those of spoken Japanese, standard and regional: 「戻してください」「返してえな」「出してけろ」.
What is asked for does not matter here, and asking is nobody's fault: the form only tells a demand from talk about it.
"""

from __future__ import annotations

import re

_END = r"(?=[。、!?！？]|$)"
_GIVE = (
    r"(?:ください|下さい|くださら|下さら|ちょ[うー]だい|頂戴|ほし[くか]|ほしい(?!の[はが])|欲し[くか]|欲しい(?!の[はが])"
    r"|くれ(?!た(?!ら)|て|れば|な(?:かった|いから)|ま(?:した|せん(?!か))|る(?:から|ので|って|ん|予定|けど|そう))"
    r"|もらえ(?!て|た(?!ら)|なかった|ませんでした|る(?:って|ん))|もら(?:いた|わ[なん]|おう|っても?(?:いい|ええ)|う(?:の|まで|しか))"
    r"|いただけ(?!て|た(?!ら)|なかった|ませんでした|る(?:と|ん))|いただ(?:きた|かな|く(?:の|まで|しか))|頂(?:け(?!て|る)|きた))"
)
"""〜ください, 〜くれ, 〜ほしい, 〜もらえない, 〜いただければ; not what was given."""
_REGIONAL = (
    r"(?:えな|えや|けろ|けれ|けさい|けで|けねえ|つか[あー]?さい|くんろ|くんね[えー]|くんない|くだはれ|おくれ|んか"
    r"|よ?[なやよね][おー]?" + _END + ")"
)
"""〜てえな, 〜てけろ, 〜てつかあさい, 〜てくんろ, 〜てんか, 〜てよ."""
_ACTION = (
    r"(?:返し|戻し|直し|出し|替え|換え|払っ|払い戻し|送っ|来|見せ|下げ|引い|まけ|取り消し|外し|消し|調べ|教え|代わっ|決め"
    r"|入れ|乗せ|載せ|使わせ|認め|やり直し|打っ|持って[来き]?|待っ|呼ん|つない)"
)
"""What is done for a caller; other verbs' 〜て at the end of words only goes on telling."""
_FORMS = re.compile(
    f"(?<=[てで])(?:{_GIVE}|{_REGIONAL})|(?<=[をがに]){_GIVE}|{_ACTION}[てで]" + _END + r"|(?:とく|お)くれ"
    r"|お願い(?:します|でき(?:ま|ない)|いたし|したい|や)|頼む(?!か)|頼みま(?!した)|頼んま"
    r"|(?:なら|でき|出来|戻ら)(?:ない(?:ん|の|もの)?(?:です)?か|ませんか|ん[のか](?!と)|へん(?:か|の)|んもん|ん?でしょうか)"
    r"|(?:なん|何|どうに)と?か(?=なら|なりま(?:せん|す)か|なん(?:ない|ねえ)|して|し[ろい]|お願|" + "[。、]?$)"
    + r"|そこを(?=なんとか|何とか|ひとつ|曲げ|頼)"
    # 〜できますよね, 〜できるやろ, 積めんでしょ
    r"|(?:でき|[せけめれえべげ])(?:ます|る|ん)(?:よね|でしょ|やろ|だろ|っしょ)"
    r"|た(?:ら|っちゃ)(?:いい(?!かな|の[にか])|ええ|よか|どう)|れば(?:いい(?!ん)|済む|終わ|よろしい)"
    r"|(?<!それ)(?<!これ)(?<!いつ)(?<!どちら)でも?(?:いい|ええ|よか|結構)(?:[よわじ]|から|けん|けえ|っす|です(?!か(?!ら))|んだ|んで|ので)"
    r"|だけで(?:いい|ええ|よか|結構)|(?<=[てで])(?:いただいて|もらって)(?=、|$)"
    r"|(?:っていうの|ってこと|って[のん]|というの|いうの)は(?:どう(?!いう)|いかが|" + _END + r")"
    r"|(?<!調子は)(?<!その後)(?<!具合は)(?:いかが|どう)(?:です(?!ね|かね)か|でしょうか)"
    # A bargain: 半額でどうですか
    r"|(?:こと|の|円|割|だけ|くらい|ぐらい|分|半額)で、?どう(?:や|だ|じゃ|です|でしょう?)か?(?:な|ね|ろう?)?か?"
    + _END
    + r"|(?:戻|返|直|出|払|使わ|替え|換え|やり直|取り消|送|見せ|下げ|し|さ)[しわいっ]?[せろえ](?:よ|や)?" + _END
    + r"|せんかい|せえや?" + _END
    + r"|よこせ|(?:送|代わ)れ|(?:希望|要求)し(?:ます|て(?:い|お))"
    r"|ご(?:検討|対応|用意)を?(?:いただけ|願)|べき(?:です|だ|でしょ)|のが(?:筋|当然|当たり前)"
)  # fmt: skip
_ACCEPTED = re.compile(
    r"(?:わか(?:りまし|っ)た|分か(?:りまし|っ)た|承知(?:し|いたし)ました|了解(?:です|しました)?|しゃあない|(?:仕方|しょうが)な[いか])"
    r"(?:です)?[わねよなあ]*" + _END
)
_GIVES_WAY = re.compile(
    r"^(?:あ[あー]?、?)?(?:そう(?:です|なんです|でした)か|そうなんですね|そっか|なるほど|了解|わかった).{0,8}$"
    r"|(?:諦|あきら)め(?:ます|る[わよ]?" + _END + r"|ました)|(?:もう|じゃあ|では|なら)、?(?:いい|結構)です" + _END
)
"""Giving way without accepting: 「そうですか、うーん」「じゃあいいです」; who goes on after it has not."""
_REPROACH = re.compile(
    r"(?:最初(?:から|に)|先に|早く|早よ|はよ|早う)[^。、]{0,6}(?:言|教え|連絡し)[っう]?て[^。、!?！？]*"
)
"""What ought to have been done is no demand: 「最初に言ってくださいよ」."""
_TOLD = re.compile(
    r"[^。、]*(?:ください|下さい|くれ|ほしい|欲しい|もらえないか|いただけますか|返せ|しろ)、?(?:と|って|という)"
    r"[^。]{0,4}(?:言[わっういうえ]|頼まれ|画面|出[るたま]|聞[いか]|表示)[^。]*"
)
"""What somebody else asked the caller for: 「払ってくださいと言われました」."""
_CLOSING = re.compile(r"^(?:はい|では|じゃあ|それじゃ)?、?(?:それで|これで)?、?(?:よろしく)?お願い(?:いた)?します。?$")
_WHICH = re.compile(r"(?:どう|どこ|何|誰|いつ|どっち|どちら)[^。、]{0,10}(?:たら|れば)(?:いい|よろしい)")
"""Asking for advice: 「どこに送ればいいですか」."""


def asks_for(text: str) -> bool:
    """Return whether words ask for something; what was asked before the answer is accepted is asked no more."""
    text = _TOLD.sub("", _REPROACH.sub("", _ACCEPTED.split(text)[-1]))
    return not _CLOSING.search(text) and not _WHICH.search(text) and _FORMS.search(text) is not None


def gives_way(text: str) -> bool:
    """Return whether the words accept what was answered, or give way to it, whatever they ask for after it."""
    return _ACCEPTED.search(text) is not None or _GIVES_WAY.search(text) is not None


def accepts(text: str) -> bool:
    """Return whether the words give way to what was answered, and ask for nothing after it."""
    return gives_way(text) and not asks_for(text)
