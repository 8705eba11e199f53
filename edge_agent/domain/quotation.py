"""Words that are not the speaker's own: reported (「バカと言われた」) or denied (「土下座しろとは言ってない」).

Such clauses are left out before words are weighed; what remains is judged as it is. So the rule needs no list of
insults, and an own insult beside a quoted one still counts.

It is conservative: in doubt a clause stays.

1. Reported: the speaker was told so (passive, past); the verb's form says that somebody else said so (「言ってきた」,
   「言わはった」, 「言いよった」) or that the speaker witnessed it (「と怒鳴っていた」); somebody named as a third
   party said so, or somebody suffered it (「晒されて困ってる」); or the words are what a message, film or notice
   says (`saying`). Words in quotation marks are reported unless the speaker says that he says them.
2. Denied: the speaker says that he does not say, ask, want or mean it. A past fear (「殺されるかと思った」) is
   none now, and who calls himself a fool insults nobody.
3. Kept: what the speaker says himself (「バカって言ってんだよ」「俺が言ってた」), and reports that only serve to insult
   (「無能って言われるだろ」「お前のことバカって言ってたぞ」「言われて当然だ」).
4. Where the caller is telling what somebody else did or said (`reporting`: the operator has asked for it, or he was
   quoting harassment just before), a quoting particle needs no verb and a quotation may have several clauses.
5. A clause reaches back to punctuation, to the end of a sentence, to the person it is ascribed to, or `REACH`
   characters, whichever is nearest.
"""

from __future__ import annotations

import re
import unicodedata

from edge_agent.domain.saying import (
    AS,
    ASKED,
    AT_LISTENER,
    BARE_PASSIVE,
    BEGUN,
    CITED,
    COMPLAINED,
    HEARSAY,
    INSISTS,
    INVITES,
    MESSAGE,
    NARRATED,
    PASSIVE,
    PERSON,
    REACH,
    READ_OUT,
    SAID_BY,
    SPEAKER_SAYS,
    SUFFERED,
    TRAILING,
    VICTIM,
)

LEAST = 2
"""Characters a reported clause has at least."""
BEFORE = 12
"""Characters before a clause in which its speaker or its target may be named."""

_OWN = re.compile(r"(?:俺|おれ|オレ|私|わたし|僕|ぼく|わし|うち)ら?(?:は|が|も)")
_LISTENER = re.compile(r"お前|おまえ|おめえ|てめえ|てめぇ|貴様|あんた|あなた|おのれ|そっち|おたく|お宅")
_ABOUT_LISTENER = re.compile(r"(?:お前|おまえ|てめえ|貴様|あんた|あなた|君)(?:ら|たち)?のこと")
_TREATED = re.compile(
    r"(?<!同じ)(?<!特別)(?<!一般)(?:呼ばわり|よばわり|扱い)(?:"
    r"さ?れ(?:た(?!い|ら|こと)|て(?!も|ん|当然|当たり前|仕方)|まし)|す(?:るな|るの|るんです)|しない(?:で|ください))"
)
_ACTIVE = re.compile(
    PERSON + r".{0,6}?(?:が|は|も|から|で|(?<=さん)の|(?<=人)の|さん、)(?P<said>.{1," + str(REACH) + r"}?)"
    "(?:" + AS + r"|(?<=[ぞろけせ])(?=言|ゆう|怒鳴)).{0,4}?(?:" + SAID_BY + ")"
)
_END = r"(?=[けがでよわしばた、。]|$)"
_NO = rf"(?:ない|なく|なかった|ねえ|ねー|ありません|ございません|あらへん|なか{_END}|毛頭)"
_NOT = rf"(?:ない|ません|ございません|なかった|ねえ|ねー|へん|まへん|なか{_END}|らん{_END})(?!で|か)"
_DENIED = re.compile(
    AS + r"(?:(?:そういう|そんな|こういう)(?:こと|の)(?:を|は)|一言も|ひとことも|一度も|誰も)?(?:"
    r"(?:言って|いって|言うて|ゆうて|申して|思って|思うて|要求して|頼んで|お願いして)い?"
    + _NOT
    + r"|(?:言い|いい|申し)ません"
    rf"|(?:言っ|言う|ゆう)と(?:らん{_END}|りません|らへん)(?!か|のか)|言わ(?:ない|ねえ|へん|ん{_END})(?!と|の?か|なら)"
    r"|(?:言う|いう|言ってる|言っている|言うてる|言うとる|言っとる|言いたい|言いたか|思ってる|思うてる)"
    r"(?:つもり|わけ|気|タイプ|人間|キャラ|性格|柄|の|ん)(?:は|も|では|じゃ|や)?"
    + _NO
    + r"|(?:いう)?(?:話|こと)(?:では|じゃ|や)"
    + _NO
    + ")"
)
_HARM = (
    r"(?:殺す|殺し|殴る|殴り込?みに行く|殴り|脅す|脅かす|責める|傷つける|危害を加える|暴れる|晒す|さらす|クビにする|首にする|"
    r"辞めさせる|怒鳴る|怒鳴り込む|文句を?言う|困らせる|いじめる|訴える|裁判(?:に|を|まで)?する|警察(?:に|を|まで)?(?:言う|行く|呼ぶ)|"
    r"弁護士(?:を|まで)?(?:立てる|頼む)|嫌がらせ(?:を)?する|(?:喧嘩|けんか)(?:を)?(?:する|売る)|押しかける|長電話(?:を)?する|"
    r"土下座(?:を|まで)?(?:させる|してもらう|してほしい|しろという|して欲しい)?)"
)
_UNMEANT = re.compile(
    "(?:"
    + _HARM
    + r"(?:つもり|気|わけ|必要|意図|こと)(?:は|も|では|じゃ|や|など|なんて|までは|さらさら)*"
    + _NO
    + r"|[^。、!?]{1,12}(?:たい|たか|ほしい|欲しい|てもらおう|させよう)(?:という|って|っちゅう|とか)?"
    r"(?:わけ|ん|の|つもり)(?:では|じゃ|や)"
    + _NO
    + r"|(?:土下座|謝罪|お詫び|弁償|クビ|首|菓子折り|手土産|慰謝料|お金|金)(?:なんか|なんて|まで|とか|なんぞ|は|も|を)*"
    r"(?:しなくて|せんで|せえへんで|出さなくて|もらわなくて|いら[なん]|要ら[なん]|いりません|要りません)(?:も)?(?:いい|ええ|よか|結構|い)?)"
)
_FEARED = re.compile(
    r"[^。、!?]{1,14}(?:[くぐすつぬぶむる]|(?<![おこごそぞとどのほぼもよろょ])う|れた|した|んだ)(?:ん(?:じゃ|や)?ない)?"
    r"か(?:と|て|っち)思(?:っ[たて]|うた|うて|いまし|わされ)"
    r"|[^。、!?]{1,14}(?:なる|れる|死ぬ)とこ(?:ろ)?(?:だった|でした|やった|じゃった)|(?:頭|気)(?:が|も)?(?:おかしく|変に|狂い)(?:なり)?そう"
)
_I = r"(?:俺|おれ|私|わたし|僕|わし|わい|うち|自分)"
_FOOL = r"(?:バカ|ばか|馬鹿|アホ|あほ|阿呆|間抜け|まぬけ|ドジ|どんくさ|のろま|ボケ|ぼけ)"
_SELF = re.compile(
    rf"{_I}(?:って|は|も|が|ほんと|ほんま|本当に|、|の方が)*{_FOOL}(?:だ(?!と)|や|じゃ|です|で|な|い|とる)"
    rf"|{_FOOL}(?:だ|や|じゃ|です|な|よ|ね|あ|の|ー)*(?:{_I}(?:って|は|も|。|、|ら|!|$)|[、 ]{_I}(?:。|、|!|$))"
)
_QUOTE = r"(?:「[^「」]*」|『[^『』]*』)"
_MARKED = re.compile(
    _QUOTE + r"(?:[、と]?" + _QUOTE + r")*"
    r"(?:と|って|いうて|言うて|ゆうて|とか|などと|なんて|だの|とまで|との|や?て|だって|だと|、?(?=言い?(?:まし|ます)|言われ|言った|言うた))"
    r"(?!.{0,4}(?:言って(?:る|ん|いる|います|や|お)|言っと[くけ]|言うぞ|言うから|言いた|思って|思う|言わせ|言えば|言える|申し上げる|言い続け))"
    r"|(?:(?<=。)|^)" + _QUOTE + "(?:" + _QUOTE + r")*(?:。|\.\.)"
)
_QUOTED = re.compile(
    _QUOTE + r"(?!(?:なん)?だよ|なんだ|(?:と|って).{0,4}(?:言って(?:る|ん|いる|います|や|お)|言うぞ|言うから|言わせ))"
)
_BOUNDARY = re.compile(
    r"[。、.,!?！？\s「『]|(?:です|ます|でした|ました|ません)(?:が|けど|ので|よ|ね)?|けれど|けど|ので|のに|くせに|からな|からね|"
    r"だろう?|んだよ|ぞ|ぜ|るよ|てくれ|てください|やがれ|野郎|" + PERSON + r"(?:に|から|が|は|も)"
)
_SENTENCE = re.compile(
    r"[。!?！？]|けれど|けど|ので|のに|(?:です|ました)が|話では[ねさ]?、?|"
    r"(?:昨日|きのう|一昨日|おととい|さっき|先週|先月|今朝|この前|こないだ|この間|前に)(?=[^、]{0,8}(?:に|から|が))|"
    + PERSON
    + r"(?:から|が|は|(?<!ネット)(?<!女)(?<!板)に(?!手|会|何))、?"
)
"""What a quotation of several clauses cannot reach back over."""
_AGENT = re.compile(PERSON + r"(?:に|から)、(?!.*(?:お前ら|おまえら|んだよ|からな|だな、))[^。!?！？]*$")
"""Who said it, named before a quotation of several clauses: 「お客様から、…、…、と言われた」."""
_SUBJECT = re.compile(PERSON + r"(?:が|から)、[^。!?！？]*$")
"""Who says it, named before a quoting particle without a verb: 「女将が、それくらい流しなさい、って」."""
_ALSO_VERBS = ("て", "ち")
"""Particles that end verbs too, and quote only where somebody is known to be telling."""
_OF_SOMEBODY = {PASSIVE: _AGENT, TRAILING: _SUBJECT}


def own_words(text: str, *, reporting: bool = False) -> str:
    """Return the words that are the speaker's own: the text without reported and denied clauses.

    `reporting`: the speaker is telling what somebody else did or said.
    """
    left = said = unicodedata.normalize("NFKC", text)
    reporting = reporting or MESSAGE.search(said) is not None
    while (clause := _clause(left, reporting=reporting)) is not None:
        left = left[: clause[0]] + left[clause[1] :]
    return text if left == said else left


def complains_for(text: str) -> bool:
    """Return whether the speaker tells what was done to somebody who told him so, or is about to tell of somebody."""
    said = unicodedata.normalize("NFKC", text)
    return COMPLAINED.search(said) is not None or BEGUN.search(said) is not None


def asks_for_report(text: str) -> bool:
    """Return whether an operator's words ask what has happened or what somebody said."""
    return INVITES.search(text) is not None


def _clause(text: str, *, reporting: bool) -> tuple[int, int] | None:
    """Return start and end of the first reported or denied clause, None if there is none."""
    whole = [_MARKED, _UNMEANT, _FEARED, _SELF]
    ending = [
        (PASSIVE, ()), (_TREATED, ()), (CITED, ()), (_DENIED, ()),
        (SUFFERED, (_OWN,)), (NARRATED, (SPEAKER_SAYS, AT_LISTENER)), (BARE_PASSIVE, (AT_LISTENER,)),
        (VICTIM, (AT_LISTENER,)), (TRAILING, (INSISTS,)),
    ]  # fmt: skip
    if reporting:
        whole.append(_QUOTED)
        ending += [(HEARSAY, (SPEAKER_SAYS, AT_LISTENER)), (ASKED, (AT_LISTENER,))]
    found = [(match.start(), match.end()) for pattern in whole for match in pattern.finditer(text)]
    found += [match.span("said") for match in READ_OUT.finditer(text)]
    for pattern, kept in ending:
        for match in pattern.finditer(text):
            named = pattern in _OF_SOMEBODY and _OF_SOMEBODY[pattern].search(text, 0, match.start()) is not None
            if pattern is TRAILING and not reporting and (not named or _in_doubt(text, match)):
                continue
            several = named or (reporting and pattern is not _DENIED)
            start = _reach_back(text, match.start(), several=several)
            end = match.end() + (BEFORE if pattern is TRAILING else 0)
            if not any(sign.search(text, max(0, start - BEFORE), end) for sign in kept):
                found.append((start, match.end()))
    found += [
        (max(match.start("said"), _reach_back(text, match.end("said"))), match.end())
        for match in _ACTIVE.finditer(text)
        if not _OWN.search(match["said"]) and not _ABOUT_LISTENER.search(match["said"])
    ]
    return min(((start, end) for start, end in found if end - start > LEAST), default=None)


def _in_doubt(text: str, particle: re.Match[str]) -> bool:
    """Return whether a particle may be a verb's ending, or what it quotes may be meant for the listener."""
    return particle[0] in _ALSO_VERBS or _LISTENER.search(text, 0, particle.start()) is not None


def _reach_back(text: str, end: int, *, several: bool = False) -> int:
    """Return where the quotation that ends at `end` begins; it may have `several` clauses."""
    reach, boundary = (2 * REACH, _SENTENCE) if several else (REACH, _BOUNDARY)
    first = max(0, end - reach)
    starts = [match.end() for match in boundary.finditer(text, first, end) if match.end() <= end - LEAST]
    return max(starts, default=first)
