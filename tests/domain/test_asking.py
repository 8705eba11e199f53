"""A caller's words ask for something by their form, in standard and regional speech."""

from __future__ import annotations

import pytest

from edge_agent.domain.asking import asks_for


@pytest.mark.parametrize(
    "text",
    [
        "三千ポイント戻してください", "無償で直していただけますよね", "返してえな", "出してけろ",
        "なんとかなりませんか", "半分でいいから", "来年の分を先にくれ", "券がほしい",
        "一日くらいでしたら戻せますよね", "わかる。でも三万、返して", "先週お電話したことにしていただくのは",
        "ギフト券でもいいですよ", "帰りに寄ってもらうってのは", "車だけタダで載せてくれんね",
        "払い戻しできるやろ", "そこを頼むわ", "今日どうにか", "一万円でどうですか",
        "議会には黙っとく、ちゅうことでどうや。", "半額で、どうでしょうか",
    ],
)  # fmt: skip
def test_a_request_is_known_by_its_form(text: str) -> None:
    assert asks_for(text)


@pytest.mark.parametrize(
    "text",
    [
        "期限が四日過ぎました", "ありがとうございました", "昨日届いたんですけど", "明日は雨らしいですね",
        "何時からですか", "最初に言ってくださいよ", "早く連絡してくれればよかったのに",
        "お願いしていたんですが、わかりました", "もらったメールを見ました", "友達が貸してくれたんです",
        "しゃあないな", "それでどうなりましたか", "雨のことでどうなるかと思いました", "そっちの天気のほうはどうや",
    ],
)  # fmt: skip
def test_talk_asks_for_nothing(text: str) -> None:
    assert not asks_for(text)
