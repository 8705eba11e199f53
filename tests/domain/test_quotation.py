"""What a caller reports or denies is not what he says; what he says himself stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.likeness import plain
from edge_agent.domain.quotation import own_words
from tests.properties import QUICK

REPORTED = [
    ("バカと言われた", "バカ"),
    ("死ねって怒鳴られた", "死ね"),
    ("担当者にバカと言われたんですけど", "バカ"),
    ("そちらの店員さんに「死ね」と言われました", "死ね"),
    ("お前みたいな無能は会社を辞めてしまえと言われました", "無能"),
    ("息子が学校で死ねと言われて帰ってきた", "死ね"),
    ("家に火をつけるって脅されたんです", "火をつける"),
    ("バカとかアホとか言われた", "アホ"),
    ("バカと言われる筋合いはない", "バカ"),
    ("バカとは言われたくない", "バカ"),
    ("掲示板に殺すと書かれています", "殺す"),
    ("店員が役立たずって言ってたんですよ", "役立たず"),
    ("担当者が殺すぞと怒鳴ってきた", "殺すぞ"),
    ("夫がお前殺すぞって怒鳴っていました", "殺すぞ"),
    ("ニュースで土下座しろと言っていました", "土下座"),
    ("隣の人が出ていけって叫んでいたんです", "出ていけ"),
    ("上司はお前なんかクズだと言い放った", "クズ"),
    ("殺すぞというメールが届いたんです", "殺す"),
    ("死ねって書いてあるメールが来た", "死ね"),
    ("壁に死ねと書いてありました", "死ね"),
    ("バカという言葉は失礼でしょう", "バカ"),
    ("泥棒扱いされた", "泥棒"),
    ("人を泥棒扱いするな", "泥棒"),
    ("クズ呼ばわりされて黙ってられるか", "クズ"),
    ("前の人に馬鹿野郎と吐き捨てられました", "馬鹿野郎"),
]
DENIED = [
    ("土下座しろとは言ってない", "土下座"),
    ("殺すなんて言ってません", "殺す"),
    ("土下座しろと言ってるわけじゃない", "土下座"),
    ("バカにしろとは言いません", "バカ"),
    ("クビにしろって言うつもりはない", "クビ"),
    ("死ねって思ってないよ", "死ね"),
    ("土下座までしてもらう必要はない", "土下座"),
    ("あなたを責めるつもりはありません", "責める"),
    ("殺す気はないんです", "殺す"),
]
OWN = [
    ("バカって言ってんだよ", "バカ"),
    ("お前はバカだと言ってるんだ", "バカ"),
    ("死ねって言ったんだよ", "死ね"),
    ("俺が殺すと言ったら殺す", "殺す"),
    ("担当者がバカだと言ってるんだよ", "バカ"),
    ("担当に死ねって言ってやった", "死ね"),
    ("無能って言われるだろお前", "無能"),
    ("お前バカだってよく言われるだろ", "バカ"),
    ("お前、バカって言われたことないの", "バカ"),
    ("バカって言われたいのか", "バカ"),
    ("バカと言われて当然だろ", "バカ"),
    ("バカと言われても仕方ないよな", "バカ"),
    ("だからバカって言われてんだよ", "バカ"),
    ("バカと言われたくなかったらちゃんとやれ", "バカ"),
    ("死ねという言葉がお似合いだ", "死ね"),
    ("責任者を出せと言ってるんです", "責任者"),
    ("無理って言ってないで土下座しろ", "土下座"),
    ("ごちゃごちゃ言ってないで早くしろ", "早くしろ"),
    ("切らせるつもりはないからな", "切らせる"),
    ("このまま帰すつもりはない", "帰す"),
    ("土下座しろと言われないとわからないのか", "土下座"),
]
BESIDE = [
    ("死ねとは言わないが消えてくれ", "死ね", "消えてくれ"),
    ("殺すつもりはないけど痛い目に遭わせるぞ", "殺す", "痛い目に遭わせるぞ"),
    ("死ねと言われました。お前も死ね", "言われ", "お前も死ね"),
    ("ふざけんな馬鹿野郎昨日担当者にアホと言われたんだぞ", "アホ", "ふざけんな馬鹿野郎"),
    ("お前のせいで上司に無能と言われたんだぞクズ", "無能", "クズ"),
]


@pytest.mark.parametrize(("said", "telling"), [*REPORTED, *DENIED])
def test_reported_and_denied_words_are_not_the_callers(said: str, telling: str) -> None:
    assert telling in said
    assert telling not in own_words(said)


@pytest.mark.parametrize(("said", "telling"), OWN)
def test_what_a_caller_says_himself_stays_whole(said: str, telling: str) -> None:
    assert telling in said
    assert plain(own_words(said)) == plain(said)


@pytest.mark.parametrize(("said", "reported", "own"), BESIDE)
def test_an_own_insult_beside_a_quoted_one_stays(said: str, reported: str, own: str) -> None:
    left = own_words(said)
    assert reported not in left
    assert own in left


def test_words_without_any_clause_stay_as_they_are() -> None:
    for said in [
        "",
        "荷物が届かないんですけど",
        "早くしてくださいと何度もお願いしています",
        "はい",
        "お前と話しても無駄だ",
    ]:
        assert own_words(said) == said


@QUICK
@given(st.text(alphabet="バカ死ねと言われたってないお前が担当者に「」。んだよ", max_size=60))
def test_nothing_is_ever_added(said: str) -> None:
    left = own_words(said)
    rest = iter(said)
    assert all(character in rest for character in left)
