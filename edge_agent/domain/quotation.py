"""Words that are not the speaker's own: reported (「バカと言われた」) or denied (「土下座しろとは言ってない」).

Such clauses are left out before words are weighed; what remains is judged as it is. So the rule needs no list of
insults, and an own insult beside a quoted one still counts.

It is conservative: in doubt a clause stays.

1. Reported: the speaker was told so (passive, past), or somebody named as a third party said so, or the words are what
   a message, film or notice says. Words in quotation marks are reported unless the speaker says that he says them.
2. Denied: the speaker says that he does not say, ask or mean it.
3. Kept: what the speaker says himself (「バカって言ってんだよ」), and reports that only serve to insult
   (「無能って言われるだろ」「言われたいのか」「言われて当然だ」).
4. A clause reaches back to punctuation, to the end of a sentence, to the person it is ascribed to, or `REACH`
   characters, whichever is nearest.
"""

from __future__ import annotations

import re
import unicodedata

REACH = 30
"""Characters a reported clause reaches back at most."""
LEAST = 2
"""Characters a reported clause has at least."""

_AS = r"(?:とか|とまで|とも|などと|なんて|だの|と|って)(?:は|も)?"
_THIRD = (
    r"(?:店員|店の人|店の方|担当者?|係の人|係の方|社員|スタッフ|従業員|店長|上司|責任者|前の人|さっきの人|別の人|受付|配達員|"
    r"配達の人|ドライバー|運転手|業者|職員|オペレーター|相手|向こう|隣の?人|部屋の人|住人|住民|近所の?人|息子|娘|主人|旦那|夫|妻|嫁|家内|母|父|"
    r"親|祖母|祖父|兄|姉|弟|妹|子ども|子供|孫|友達|友人|知人|同僚|先生|客|犯人|男の人|女の人|男|女|その人|あの人|あいつ|彼|"
    r"彼女|テレビ|ニュース|ドラマ|映画|漫画|ネット|掲示板|警察|役所)(?:さん|たち|の方|の人)?"
)
_OWN = re.compile(r"(?:俺|おれ|私|わたし|僕|ぼく|わし|うち)ら?(?:は|が|も)")
_PASSIVE = re.compile(
    _AS + r".{0,6}?"
    r"(?:言わ|いわ|怒鳴ら|どなら|罵ら|ののしら|脅さ|おどさ|罵倒さ|侮辱さ|要求さ|命令さ|呼ば|迫ら|書か|書き込ま|叫ば|凄ま|すごま|"
    r"笑わ|返さ|吐き捨てら|告げら|脅迫さ|恫喝さ|威嚇さ|注意さ)れ"
    r"(?:た(?!い|こと[がはも]?[なあ]|ら(?!しい)|くな(?:かったら|けりゃ|ければ|いなら|いんだったら))"
    r"|て(?!も|ん|い?る(?:だろ|ぞ|んだろ|んじゃ|よ)|当然|当たり前|仕方|育)"
    r"|ながら|まし(?!たら)|ちゃっ(?!たら)|る(?:筋合い|覚え|いわれ|のは|なんて))"
)
_TREATED = re.compile(
    r"(?:呼ばわり|よばわり|扱い)(?:"
    r"さ?れ(?:た(?!い|ら|こと)|て(?!も|ん|当然|当たり前|仕方)|まし)|す(?:るな|るの|るんです)|しない(?:で|ください))"
)
_ACTIVE = re.compile(
    _THIRD
    + r".{0,6}?(?:が|は|も|から|で)(?P<said>.{1,"
    + str(REACH)
    + r"}?)"
    + _AS
    + r".{0,4}?(?:"
    + r"(?:言っ|いっ|怒鳴っ|どなっ|喚い|わめい|言い放っ|言いやがっ|書い|しゃべっ)"
    + r"(?:た(?!ら|い|んだ|だろ|よな)"
    + r"|て(?:た|て|い(?:た|て|まし)|き(?:た|て|まし)|まし|あ(?:った|る|りまし)|帰|切|出て|行っ|逃げ))"
    + r"|叫ん(?:だ|で(?:た|て|る(?:んです|ので|の)|い(?:た|て|まし|る(?:んです|ので|の))))"
    + r"|(?:言い|怒鳴り|叫び)まし|言うんです|おっしゃ(?:った|いまし)|吐き捨て(?:た|まし))"
)
_MESSAGE = re.compile(
    _AS + r"(?:(?:メール|電話|手紙|書き込み|張り紙|貼り紙|落書き|コメント|留守電|メッセージ)(?:が|も)"
    r"|(?:怒鳴る|叫ぶ|わめく|言う|いう)(?:声|の)が(?:聞こえ|し)|(?:いう|言う|ゆう|書かれた|書いてある|書いてあった|書いてあ)"
    r"(?:言葉|ことば|せりふ|セリフ|台詞|メール|手紙|はがき|ハガキ|文字|張り紙|貼り紙|落書き|ニュース|記事|動画|歌|曲|映画|ドラマ|本|小説|漫画|"
    r"タイトル|書き込み|コメント|口コミ|留守電|電話が|声が|噂|の?は(?:失礼|ひどい|あんまり|言い過ぎ|言いすぎ)|りまし))"
    r"(?!.{0,6}(?:似合|ぴったり|ふさわし|送ってや|送るぞ|書いてや|流してや|流すぞ|覚え))"
)
_NOT = r"(?:ない|ません|ございません|なかった|ねえ|ねー)(?!で)"
_DENIED = re.compile(
    _AS + r"(?:(?:そういう|そんな|こういう)(?:こと|の)(?:を|は)|一言も|ひとことも|一度も|誰も)?(?:"
    r"(?:言って|いって|申して|思って|要求して|頼んで|お願いして)い?" + _NOT + r"|(?:言い|いい|申し)ません"
    r"|言わ(?:ない|ねえ)(?!と|の?か|なら)"
    r"|(?:言う|いう|言ってる|言っている|言いたい)(?:つもり|わけ|気|の|ん)(?:は|も|では|じゃ)?(?:ない|なく|ありません|ございません|なかった)"
    r")"
)
_UNMEANT = re.compile(
    r"(?:殺す|殴る|脅す|脅かす|責める|傷つける|危害を加える|暴れる|晒す|さらす|クビにする|辞めさせる|怒鳴る|嫌がらせ(?:を)?する|"
    r"土下座(?:を|まで)?(?:させる|してもらう|してほしい|しろという|して欲しい)?)"
    r"(?:つもり|気|わけ|必要|意図|こと)(?:は|も|では|じゃ|など|なんて|までは)?(?:ない|なく|ありません|ございません|毛頭)"
)
_MARKED = re.compile(
    r"[」』](?:と|って|とか|などと|なんて|だの)(?!.{0,4}(?:言って(?:る|ん|い|や)|言っと|言うぞ|言うから|言いた|思って|思う|言わせ))"
)
_BOUNDARY = re.compile(
    r"[。、.,!?！？\s「『]|(?:です|ます|でした|ました|ません)(?:が|けど|ので|よ|ね)?|けれど|けど|ので|のに|くせに|からな|からね|"
    r"だろう?|んだよ|ぞ|ぜ|るよ|てくれ|てください|やがれ|野郎|" + _THIRD + r"(?:に|から|が|は|も)"
)
_BRACKETS = {"」": "「", "』": "『"}


def own_words(text: str) -> str:
    """Return the words that are the speaker's own: the text without reported and denied clauses."""
    text = unicodedata.normalize("NFKC", text)
    for _ in range(text.count("と") + text.count("って") + text.count("扱い") + text.count("ない") + 4):
        clause = _clause(text)
        if clause is None:
            break
        text = text[: clause[0]] + text[clause[1] :]
    return text


def _clause(text: str) -> tuple[int, int] | None:
    """Return start and end of the first reported or denied clause, None if there is none."""
    found = [
        (_reach_back(text, match.start()), match.end())
        for pattern in (_PASSIVE, _TREATED, _MESSAGE, _DENIED, _MARKED)
        for match in pattern.finditer(text)
    ]
    found += [(match.start(), match.end()) for match in _UNMEANT.finditer(text)]
    found += [
        (max(match.start("said"), _reach_back(text, match.end("said"))), match.end())
        for match in _ACTIVE.finditer(text)
        if not _OWN.search(match["said"])
    ]
    return min(((start, end) for start, end in found if end - start > LEAST), default=None)


def _reach_back(text: str, end: int) -> int:
    """Return where the clause that ends at `end` begins."""
    if end and text[end - 1] in _BRACKETS:
        opening = text.rfind(_BRACKETS[text[end - 1]], 0, end)
        return max(opening, 0)
    first = max(0, end - REACH)
    starts = [match.end() for match in _BOUNDARY.finditer(text, first, end) if match.end() <= end - LEAST]
    return max(starts, default=first)
