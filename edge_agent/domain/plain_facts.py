"""Words that any caller with a matter says, and that put nobody under pressure by themselves.

They are left out before words are weighed, like named rights; an own threat or insult beside them still counts.

1. Evidence kept or handed in: 「写真は撮ってあるからな」「録音してます」. Pictures of people are none, nor a picture
   asked for.
2. The name of whoever is responsible, asked once: 「お名前を控えさせて」「担当の名前を教えて」. A given name, or a name
   together with an address, is another question.
3. What has happened to a thing: 「火を噴いたぞ」「割れてたぞ」. Only what is past or still so: nothing is announced
   by it.
"""

from __future__ import annotations

import re

_ENDING = (
    r"(?:ある|あり|おい|おき|おく|いる|い|ます|まし|まへん|ません|です|でし|とい|とく|とる|と[っん]|てん?|で|た|だ|る|っ|す|し|"
    r"さ?せ|と|お|く|け|き|ま|ください|下さい|くれる?|もら[うえいお]?|もろ|ほしい|頂[けき]?|いただ[けき]|いただこ|くださ|とこ|ちょうだい|頂戴|くれ|なさい|言う|いう|いわはる|ん|か|や|え|う|"
    r"でしょう|もええ|もいい|もよろしい|から|けど|けん|けえ|ので|のに|ねん|わ|よ|ね|な|ぞ|ぜ|さ|が|の)*?"
    r"(?:から|けど|けん|けえ|ので|のに|ねん|し|わ|よ|ね|な|ぞ|ぜ|で|ども)?(?:(?=[。、!?！？\s])|$|(?<=から)(?![なねよ])|(?<=けど)(?![なねよ])|(?<=ので)(?![なねよ])|(?<=けん)(?![なねよ])|(?<=けえ)(?![なねよの])|(?<=ぞ))"
)
"""Endings up to the end of the clause: half a clause is never taken."""
_PEOPLE_SHOWN = re.compile(
    r"名札|顔|声|ナンバー|車の番号|自宅|家の|部屋|裸|水着|下着|土下座|謝罪|お前|おまえ|おめ|あんた|あなた|てめえ|君|女|店員|職員|社員|担当|運転手|"
    r"[員子娘人者]の|講師|先生|バイト|ネット|サイト|拡散|晒|さら[すし]|流[しすせ]|公開|配信"
)
"""Beside these a picture or recording may be the pressure itself."""
AROUND = 14
"""Characters before a picture or recording in which they are looked for."""
_EVIDENCE = re.compile(
    r"(?:写真|動画|画像|録音|録画|証拠|スクショ|記録|控え|レシート|領収書|伝票|現物|ビデオ)"
    r"(?:も|は|を|なら|で|に|とか|やったら)?(?:全部|ぜんぶ|ちゃんと|きちんと|何枚も|一応|もう|すでに|いっぱい|今|すぐ|あとで|後で|"
    r"メールで|こっちで|手元に|こちらに|、)*"
    r"(?:(?:撮っ|録っ|とっ|取っ|残し|保存し|保管し|持っ|し|残っ|揃っ|そろっ)(?:て|と)|(?:撮り|録り|残し|保存し|持って)ま|撮っ?[たる]|あ[りる]"
    r"|お?送り(?:し|いたし)?ま|送る|送っ[たと]|送ら(?:せて|してもら)|添付し|添え|[つ付]け(?:ろ|て|た)|出せ|出し)"
    + _ENDING
)
_NAME = re.compile(
    r"(?<!下の)(?<!下)(?<!本当の)(?<!フル)(?<!さんの)(?<!供の)(?<!家族の)(?<!園の)(?<!校の)"
    r"(?:ご?担当(?:者|の方|の人)?|責任者|上司|あなた|あんた|おたく|そちら|受けた方|さっきの人|前の人)?(?:さん|様)?の?お?名前"
    r"(?:だけ)?(?:を|は|も|くらい|ぐらい|、)?(?:ちゃんと|もう一度|もう一回|もういっぺん|先に|一応|念のため|、)*"
    r"(?:教え|聞かせ|聞い|控え|伺|うかが|頂け|頂き|いただけ|いただき|頂戴|ちょうだい|お願い|言うて|言って|言い|言え|名乗|メモ|なんて|何て|何と|何です|何や)"
    + _ENDING
)
_BROKEN = re.compile(
    r"(?:火(?:が|を|ぃ|ー)?(?:噴|吹|ふ)い|火花(?:が|も)?(?:出|散っ|飛ん)|煙(?:が|も)?(?:出|上がっ|噴い|吹い)|発火し|爆発し|破裂し|焦げ|割れ|壊れ|"
    r"折れ|溶け|とけ|漏れ|欠け|曲がっ|外れ|剥がれ|はがれ|落ち|破れ|裂け|潰れ|つぶれ|へこん|ひび入っ)"
    r"(?:ちゃっ|ちまっ|てしまっ|てしもう|しもう|よっ|とっ|てい?|まし|てまし)?(?:た|だ|てん|てる|とる|とん)(?!ら|い|ろ|り|め)"
    r"(?:ん|の|や|だ|じゃ|です|から|けど|わ|よ|ね|な|ぞ|ぜ|で|が|さ|けえ|けん)*(?:(?=[。、!?！？\s])|$|(?<=ぞ)|(?<=けど)|(?<=から))"
)


def without_plain_facts(text: str) -> str:
    """Return the text without evidence kept, names asked for the record and things that broke."""
    for facts in (_NAME, _BROKEN):
        text = facts.sub("", text)
    return _EVIDENCE.sub(_kept_if_of_people, text)


def _kept_if_of_people(evidence: re.Match[str]) -> str:
    before = evidence.string[max(0, evidence.start() - AROUND) : evidence.start()]
    return evidence[0] if _PEOPLE_SHOWN.search(before) else ""
