"""What any caller with a matter says puts nobody under pressure; what goes beyond it stays."""

from __future__ import annotations

import pytest

from edge_agent.domain.plain_facts import without_plain_facts

FACTS = [
    "写真は撮ってあるからな",
    "動画も撮ってあるんですよ",
    "写真はメールで送ります",
    "録音してるんで",
    "写真は全部撮っとるけえ",
    "お名前を控えさせてもらえますか",
    "担当の方のお名前をいただけますか",
    "あんたの名前、控えさせてもらうで",
    "責任者の名前を教えてください",
    "名前聞いとこか",
    "あなたの名前だけ、控えさせてちょうだい",
    "火ぃ噴いたぞ",
]
BESIDE = [
    ("写真は撮ってあるからな、ネットにばらまくぞ", "、ネットにばらまくぞ"),
    ("お名前を教えてください、家まで行きますから", "、家まで行きますから"),
    ("瓶が割れてたぞ、次はお前の頭だ", "瓶が、次はお前の頭だ"),
    ("電池が破裂したんだよ", "電池が"),
]
PRESSURE = [
    "店員の顔写真は撮ってあるからな",
    "お前の写真撮ったからな",
    "さっきの名札、写真撮ったからね",
    "写真送ってよ",
    "下の名前教えてよ",
    "名前と住所を教えろ",
    "フルネームを言え",
    "店長の名前言いふらしたるで",
    "職員一覧として公開しますね",
    "火をつけるぞ",
    "割れたらどうするかわかってるな",
    "壊れたラジオか",
    "店が爆発したらどうする",
]


@pytest.mark.parametrize("said", FACTS)
def test_evidence_kept_a_name_for_the_record_and_what_broke_say_nothing(said: str) -> None:
    assert without_plain_facts(said) == ""


@pytest.mark.parametrize(("said", "left"), BESIDE)
def test_a_threat_beside_plain_facts_stays(said: str, left: str) -> None:
    assert without_plain_facts(said) == left


@pytest.mark.parametrize("said", PRESSURE)
def test_what_goes_beyond_plain_facts_stays_whole(said: str) -> None:
    assert without_plain_facts(said) == said
