"""Yes to the question whether a life is in danger is talk of it, however few words it takes."""

from __future__ import annotations

import pytest

from edge_agent.domain.call import Speaker
from edge_agent.domain.danger import asks_of_danger, says_yes
from edge_agent.domain.finding import Label
from edge_agent.domain.judgement import Assessment, hear
from edge_agent.domain.record import CallRecord
from tests.builders import a_policy, said, scored

POLICY = a_policy(danger_marks=("命を絶", "死にたい"))
ASKED = "おしまいとおっしゃるのは、命を絶つという意味でしょうか。"


def heard(*turns: tuple[Speaker, str]) -> tuple[CallRecord, list[Assessment]]:
    record, told = CallRecord(call_id="call-1"), []
    for sequence, (speaker, text) in enumerate(turns):
        utterance = said(text, sequence=sequence, at_s=5.0 * sequence + 5, speaker=speaker)
        record, assessment = hear(record, utterance, scored(), POLICY)
        told += [assessment] if assessment else []
    return record, told


@pytest.mark.parametrize(
    "answer",
    [
        "そうなのよ", "はい", "ええ、もう決めました", "うん", "あー、んだ", "せやねん", "そげんです", "だったら何",
        "もう疲れました",
        "そうかもしれません", "はい、間違いありません", "はい、もう生きていたくないです",
        "はい、もう大丈夫じゃないです",
        "はい、そこまで追い詰められてます", "そうだよ、冗談じゃないよ", "うん、もう意味ないです",
    ],
)  # fmt: skip
def test_yes_in_one_word_is_talk_of_dying(answer: str) -> None:
    record, [assessment] = heard((Speaker.OPERATOR, ASKED), (Speaker.CUSTOMER, answer))
    assert assessment.life_safety
    assert assessment.findings[-1].label is Label.LIFE_SAFETY
    assert record.life_safety


@pytest.mark.parametrize(
    "answer",
    [
        "いいえ、そういう意味では", "違いますよ", "うん、違う違う", "まさか", "はい、そうではありません",
        "そうじゃない",
        "そんなわけないだろ", "ええ、大丈夫です", "契約のことを聞いています", "いえ", "ええ加減にせえよ",
        "せやから金返せ言うてるやろ",
        "そうだよ、お前を殺すって言ってんだよ", "だったら責任者出せ", "んだから返金しろって", "はい、死にません",
        "うん、死ぬ気はない",
        "はい、思っていません", "ええ、そんなつもりはありません", "はあ?",
    ],
)  # fmt: skip
def test_no_and_everything_else_is_not(answer: str) -> None:
    assert heard((Speaker.OPERATOR, ASKED), (Speaker.CUSTOMER, answer))[1] == []


THREAT, DESPAIR = {Label.THREAT: 1.0}, {Label.LIFE_SAFETY: 1.0}
THREATENED = {Label.THREAT: 0.98}
DOUBTFUL = {Label.LIFE_SAFETY: 0.8}
CALM: dict[Label, float] = {}


@pytest.mark.parametrize(
    ("signs", "told"),
    [
        ((DOUBTFUL, THREATENED), ["life_safety"]),
        ((DOUBTFUL, CALM, THREATENED), ["life_safety", "threat"]),
        ((DOUBTFUL, THREAT), ["life_safety", "threat"]),
        ((DOUBTFUL, THREAT | DOUBTFUL), ["life_safety"]),
        ((DESPAIR, THREAT), ["life_safety"]),
        ((DOUBTFUL, CALM, CALM, CALM, THREAT), ["life_safety", "threat"]),
        ((DESPAIR, CALM, CALM, CALM, THREAT), ["life_safety"]),
        ((DOUBTFUL, CALM, DOUBTFUL, CALM, CALM, CALM, THREAT), ["life_safety"]),
    ],
)
def test_a_single_doubtful_sign_silences_harassment_that_is_not_very_sure_for_a_while(
    signs: tuple[dict[Label, float], ...], told: list[str]
) -> None:
    record, heard_labels = CallRecord(call_id="call-1"), []
    for sequence, labels in enumerate(signs):
        utterance = said("お湯が出なくて震えています", sequence=sequence, at_s=5.0 * sequence + 5)
        record, assessment = hear(record, utterance, scored(labels), POLICY)
        heard_labels += [assessment.criterion.label.value] if assessment else []
    assert heard_labels == told
    assert record.life_safety


def test_an_operator_who_asks_about_the_danger_makes_it_certain() -> None:
    record = CallRecord(call_id="call-1", life_safety=True, met=("life-safety-rule",))
    record, _ = hear(record, said(ASKED, speaker=Speaker.OPERATOR), scored(), POLICY)
    for sequence in range(1, 5):
        record, _ = hear(record, said("ええと、それはですね", sequence=sequence, at_s=5.0 * sequence), scored(), POLICY)
    assert record.in_danger
    assert hear(record, said("殺すぞ", sequence=9, at_s=60.0), scored(THREAT), POLICY)[1] is None


def test_backchannels_calm_nobody() -> None:
    record = CallRecord(call_id="call-1", life_safety=True)
    for sequence in range(5):
        record, _ = hear(record, said("うん", sequence=sequence, at_s=5.0 * sequence + 5), scored(), POLICY)
    assert record.in_danger


def test_what_an_operator_asks_next_is_another_question() -> None:
    turns = [
        (Speaker.OPERATOR, ASKED),
        (Speaker.OPERATOR, "お電話番号はお変わりありませんか"),
        (Speaker.CUSTOMER, "はい"),
    ]
    assert heard(*turns)[1] == []
    told = [(Speaker.OPERATOR, ASKED), (Speaker.OPERATOR, "お聞かせください"), (Speaker.CUSTOMER, "はい")]
    assert len(heard(*told)[1]) == 1


@pytest.mark.parametrize(
    "named",
    [
        "画面の部品を傷つけてしまったということですか",
        "データが消えてしまったいきさつを教えていただけますか",
        "自殺の場合は三年間の免責がございますがよろしいですか",
        "死にたいなどとおっしゃらないでください、ご住所はどちらですか",
        "今、死にたいのか、とおっしゃいましたか",
        "命を絶対に守りますがよろしいですか",
        "死にたいというお話は伺いました",
    ],
)
def test_words_that_name_dying_in_passing_ask_nothing(named: str) -> None:
    policy = a_policy(danger_marks=("ご自分を傷つけ", "消えてしまいたい", "自殺", "死にたい", "命を絶"))
    assert not asks_of_danger(named, policy)


def test_only_the_next_words_are_the_answer() -> None:
    turns = [(Speaker.OPERATOR, ASKED), (Speaker.CUSTOMER, "保険の番号は"), (Speaker.CUSTOMER, "はい")]
    assert heard(*turns)[1] == []


def test_a_yes_to_something_else_is_none() -> None:
    assert heard((Speaker.OPERATOR, "ご住所はお変わりありませんか"), (Speaker.CUSTOMER, "そうなのよ"))[1] == []
    assert not asks_of_danger("お掛け金の確認でございますね", POLICY)


def test_the_question_may_be_in_other_words_around_the_mark() -> None:
    assert asks_of_danger("命を絶つと言う意味でしょうか", POLICY)
    assert asks_of_danger("死にたいというお気持ちなのでしょうか", POLICY)


def test_a_policy_without_such_words_asks_nothing() -> None:
    assert not asks_of_danger(ASKED, a_policy())
    assert says_yes("はい")
