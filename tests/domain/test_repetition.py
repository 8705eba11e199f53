"""A demand is repeated only after it has been answered; time counts only with it, and never in a relayed call."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_agent.domain.call import Speaker
from edge_agent.domain.finding import Label
from edge_agent.domain.judgement import Assessment, hear
from edge_agent.domain.policy import Severity
from edge_agent.domain.record import CallRecord
from tests.builders import FINAL_ANSWER, a_policy, said, scored

POLICY = a_policy()
REFUND, APOLOGY, THANKS = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
DEMAND = {Label.COMPLAINT: 0.9}


class Talk:
    """A call, said turn by turn."""

    def __init__(self) -> None:
        self.record = CallRecord(call_id="call-1")
        self.told: list[Assessment] = []
        self._at = 0.0
        self._sequence = 0

    def wait(self, minutes: float) -> Talk:
        self._at += minutes * 60
        return self

    def customer(
        self,
        text: str = "返金してくださいと申し上げています",
        meaning: tuple[float, ...] | None = REFUND,
        labels: dict[Label, float] | None = None,
    ) -> Talk:
        return self._say(Speaker.CUSTOMER, text, DEMAND if labels is None else labels, meaning)

    def operator(self, text: str = FINAL_ANSWER, *, start_s: float | None = None) -> Talk:
        return self._say(Speaker.OPERATOR, text, {}, None, start_s=start_s)

    @property
    def at_s(self) -> float:
        return self._at

    def _say(
        self,
        speaker: Speaker,
        text: str,
        labels: dict[Label, float],
        meaning: tuple[float, ...] | None,
        *,
        start_s: float | None = None,
    ) -> Talk:
        self._at += 5
        utterance = said(text, at_s=self._at, sequence=self._sequence, speaker=speaker)
        if start_s is not None:
            utterance = replace(utterance, start_s=start_s, end_s=start_s + 2)
        self._sequence += 1
        self.record, assessment = hear(self.record, utterance, scored(labels, meaning), POLICY)
        self.told += [assessment] if assessment else []
        return self

    @property
    def ids(self) -> list[str]:
        return [assessment.criterion.id for assessment in self.told]


def test_the_third_repetition_after_the_final_answer_is_told() -> None:
    talk = Talk().customer("返金してください").operator()
    talk.customer("お金を戻してほしい").customer("代金を返してくれ")
    assert talk.told == []
    talk.customer("支払った分をお返し願えますか")
    [assessment] = talk.told
    assert assessment.criterion.id == "repeat"
    assert (assessment.types, assessment.severity) == ((Label.DETENTION,), Severity.B1)
    assert [finding.quote for finding in assessment.findings] == [
        "お金を戻してほしい",
        "代金を返してくれ",
        "支払った分をお返し願えますか",
    ]
    assert "最終回答の後も要求が3回" in assessment.reason.ja
    assert "demanded again 3 times after the final answer" in assessment.reason.en


def test_a_demand_may_be_repeated_as_often_as_one_likes_before_it_is_answered() -> None:
    talk = Talk()
    for _ in range(10):
        talk.customer()
    assert talk.operator().told == []


def test_different_demands_after_the_final_answer_are_no_repetition() -> None:
    talk = Talk().customer().operator()
    talk.customer(meaning=APOLOGY).customer(meaning=THANKS).customer().customer("謝ってくださいませんか", APOLOGY)
    assert talk.told == []


def test_a_demand_that_comes_up_only_after_the_answer_needs_one_more() -> None:
    talk = Talk().operator().customer().customer().customer()
    assert talk.told == []
    assert talk.customer().ids == ["repeat"]


def test_a_demand_reworded_step_by_step_is_still_the_same() -> None:
    between, far = (1.0, 0.7, 0.0), (0.5, 1.0, 0.0)
    talk = Talk().customer(meaning=REFUND).operator()
    assert talk.customer(meaning=between).customer(meaning=far).told == []
    assert talk.customer(meaning=REFUND).ids == ["repeat"]


def test_a_demand_like_none_before_it_is_another_one() -> None:
    talk = Talk().customer(meaning=REFUND).operator().customer(meaning=REFUND)
    assert talk.customer(meaning=THANKS).customer(meaning=APOLOGY).customer(meaning=THANKS).told == []


def reworded(talk: Talk, *, refused: str, times: int = 3) -> Talk:
    """Let the caller ask three times for one thing in words that mean something else each time."""
    for number, text in enumerate(
        ("券が駄目なら手で引いてください", "では店長の券ということで", "あすその券で払いますから")[:times]
    ):
        meaning = (APOLOGY, THANKS, (0.0, -1.0, 0.0))[number]
        talk.customer(text, meaning).operator(refused)
    return talk


def test_a_demand_reworded_beyond_likeness_is_known_by_being_refused_again() -> None:
    talk = reworded(Talk().customer("この券を使わせてください").operator(), refused="その扱いはいたしかねます")
    [assessment] = talk.told
    assert assessment.criterion.id == "repeat"
    assert [finding.quote for finding in assessment.findings] == [
        "券が駄目なら手で引いてください",
        "では店長の券ということで",
        "あすその券で払いますから",
    ]
    assert assessment.at_s == talk.record.repetition.demands[-1].at_s


def test_the_same_demand_need_not_be_refused_in_the_same_words() -> None:
    talk = reworded(Talk().customer("この券を使わせてください").operator(), refused=FINAL_ANSWER)
    assert talk.ids == ["repeat"]


def test_reworded_demands_that_are_helped_are_no_repetition() -> None:
    assert reworded(Talk().customer("この券を使わせてください").operator(), refused="ただいまお調べします").told == []


def test_what_was_refused_before_the_final_answer_does_not_count() -> None:
    talk = reworded(Talk().customer("この券を使わせてください"), refused="その扱いはいたしかねます")
    assert talk.operator().customer("使わせてほしい券なんです", THANKS).told == []


def test_whatever_is_refused_again_is_the_demand_again() -> None:
    """Who asks for points, then vouchers, then half of it wants the same; only the operator's words tell."""
    talk = Talk().customer("返金してください").operator()
    for text in ("ポイントでもいいからさ", "じゃあ次回の割引"):
        talk.customer(text, None, {}).operator("その扱いはいたしかねます")
    assert talk.told == []
    assert talk.customer("半分だけでも返してください", None, {}).ids == ["repeat"]


def test_an_answer_that_refuses_nothing_leaves_a_demand_uncounted() -> None:
    talk = Talk().customer("この券を使わせてください").operator()
    for number in range(3):
        talk.customer(f"券が駄目なら{number}円引いてください", None, DEMAND).operator("お調べいたします")
        talk.customer("ほかの日でもいいのでしょうか", None, {}).operator("はい、かまいません")
    assert talk.told == []


def test_a_demand_in_two_breaths_and_a_backchannel_between_are_one_refused_demand() -> None:
    talk = Talk().customer("この券を使わせてください").operator()
    for meaning in (APOLOGY, THANKS):
        talk.customer("券の分を引いてくださいよ", meaning).operator("はい")
        talk.customer("急いでいるものですから", None, {}).operator("お気持ちはわかりますが").operator("いたしかねます")
    assert talk.customer("券のことですけれども", (0.0, -1.0, 0.0)).ids == ["repeat"]


def test_thanks_and_backchannels_are_no_demand() -> None:
    talk = Talk().customer().operator()
    for _ in range(6):
        talk.customer("わかりましたありがとうございます", THANKS, {})
        talk.customer("だから", REFUND)
    assert talk.told == []


def test_without_embeddings_demands_are_compared_by_spelling() -> None:
    talk = Talk().customer("全額返金してください", None).operator()
    talk.customer("だから全額返金してください", None).customer("全額返金してくださいよ", None)
    assert talk.customer("とにかく全額返金してください", None).ids == ["repeat"]
    other = Talk().customer("全額返金してください", None).operator()
    for text in ("責任者と話をさせてほしい", "いつ届くのか教えて", "説明書が入っていなかった"):
        other.customer(text, None)
    assert other.told == []


def test_a_call_that_goes_in_circles_is_told_at_15_30_and_45_minutes() -> None:
    talk = Talk().customer().operator().customer().customer()
    assert talk.wait(15).customer().ids == ["loop-15"]
    assert talk.customer().ids == ["loop-15"]
    assert talk.wait(15).customer().ids == ["loop-15", "loop-30"]
    assert talk.wait(15).customer().ids == ["loop-15", "loop-30", "loop-45"]
    assert {assessment.severity for assessment in talk.told} == {Severity.B1}
    assert "通話開始から45分" in talk.told[-1].reason.ja
    assert "45 min into the call" in talk.told[-1].reason.en


def test_a_long_call_that_does_not_go_in_circles_is_told_nothing() -> None:
    talk = Talk().customer().operator()
    talk.wait(50).customer(meaning=APOLOGY).wait(30).customer(meaning=THANKS)
    assert talk.told == []
    silent = Talk().customer().wait(90).customer().customer()
    assert silent.told == []


def test_when_much_time_has_passed_at_once_only_the_longest_is_told() -> None:
    talk = Talk().customer().operator().customer().wait(50).customer().customer()
    assert talk.ids == ["loop-45", "repeat"]
    assert {"loop-15", "loop-30", "loop-45"} <= set(talk.record.met)


@pytest.mark.parametrize("words", ["電話リレーサービスです", "耳が聞こえにくいのでもう一度お願いします"])
def test_neither_counts_in_a_relayed_call_or_with_consideration(words: str) -> None:
    talk = Talk().customer(words, THANKS, {}).customer().operator()
    for _ in range(6):
        talk.wait(10).customer()
    assert talk.told == []
    assert talk.record.unhurried


def test_an_operator_cannot_ask_for_consideration_in_the_callers_place() -> None:
    talk = Talk().operator("耳が聞こえにくいのでしょうか").customer().operator().customer().customer().customer()
    assert talk.ids == ["repeat"]


def test_a_caller_in_despair_is_not_reported_for_repeating() -> None:
    talk = Talk().customer().operator().customer(labels={Label.LIFE_SAFETY: 1.0})
    for _ in range(6):
        talk.wait(10).customer()
    assert talk.ids == ["life-safety-rule"]


def test_what_is_asked_for_again_need_not_be_refused_each_time() -> None:
    talk = Talk().customer("延滞料をなしにしていただけませんか", None, {}).operator()
    talk.customer("延滞料の一日分だけでも引いてください", None, {}).operator("いたしかねます")
    talk.customer("じゃあ次の料金と相殺でお願いします", None, {}).operator("お調べいたします")
    assert talk.ids == []
    assert talk.customer("延滞料は半分でいいですから", None, {}).ids == ["repeat"]


def test_what_is_granted_is_no_repeated_demand() -> None:
    talk = Talk().customer("券を使わせてください", None, {}).operator()
    others = (
        "券の裏の番号を読んでください",
        "期限がいつか調べてもらえませんか",
        "新しい券を送ってほしい",
        "使える店を教えて",
    )
    for other in others:
        talk.customer(other, None, {}).operator("はい、かしこまりました")
    assert talk.told == []


def test_who_accepts_the_answer_asks_no_more() -> None:
    talk = Talk().customer("単価を見直してください", None, {}).operator()
    for again in ("もう一度単価を検討してもらえませんか", "単価の根拠を出してください"):
        talk.customer(again, None, {}).operator("いたしかねます")
    assert talk.customer("最初に言ってくださいよ。単価が動かないのはわかりました", None, {}).told == []
    assert talk.customer("でも単価は上げてください", None, {}).ids == ["repeat"]


def test_who_gives_way_has_asked_for_nothing() -> None:
    talk = Talk().customer("返金してください").operator()
    for text in ("そうですか、うーん", "そうなんですね、残念"):
        talk.customer(text, None, {}).operator("その扱いはいたしかねます")
    assert talk.customer("納得いかないなあ", None, DEMAND).told == []
    talk = reworded(Talk().customer("この券を使わせてください").operator(), refused="その扱いはいたしかねます", times=2)
    assert talk.customer("わかりました。もう二度と買いません", APOLOGY).told == []


def test_of_the_times_counted_two_are_demands_by_their_own_words() -> None:
    talk = Talk().customer("返金してください").operator()
    for text in ("ポイントとかさ、あるじゃない", "次回の割引とかね"):
        talk.customer(text, None, {}).operator("その扱いはいたしかねます")
    assert talk.customer("納得いかないんですよ", None, DEMAND).operator("その扱いはいたしかねます").told == []
    assert talk.customer("誠意が見えないですよね", None, DEMAND).ids == ["repeat"]


def test_an_operator_who_is_heard_late_refuses_what_was_said_before() -> None:
    talk = Talk().customer("この券を使わせてください").operator()
    talk.customer("店長の券ということで払います", APOLOGY)
    begun_s = talk.at_s + 1
    talk.customer("ちなみに駐車場はありますか", THANKS, {})
    talk.operator("その扱いはいたしかねます", start_s=begun_s)
    assert [demand.text for demand in talk.record.repetition.demands if demand.refused] == [
        "店長の券ということで払います"
    ]


def test_a_refusal_in_two_breaths_refuses_one_demand() -> None:
    talk = Talk().customer("この券を使わせてください").operator()
    talk.customer("券が駄目なら手で引いてください", APOLOGY).operator("お調べいたします")
    talk.customer("では店長の券ということで払います", THANKS).operator("その扱いはいたしかねます").operator(
        FINAL_ANSWER
    )
    refused = [demand.text for demand in talk.record.repetition.demands if demand.refused]
    assert refused == ["では店長の券ということで払います"]


def test_what_is_asked_for_after_giving_way_counts_only_once_it_is_refused() -> None:
    def talk() -> Talk:
        call = Talk().customer().operator().customer().operator().customer().operator()
        return call.customer("納得はしませんが、わかりました。再発防止は書面でください", APOLOGY)

    assert talk().operator("はい、書面をお出しします").customer("ありがとうございます", THANKS, {}).told == []
    assert len(talk().operator("書面はお出しできません").customer().told) == 1
