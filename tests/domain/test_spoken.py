"""Warnings and final answers are heard through recognition errors, and nothing else is taken for one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.domain.likeness import cosine, is_heard, plain, spelled_alike
from edge_agent.domain.policy import Policy
from edge_agent.domain.spoken import is_final_answer, is_refusal, spoken_warning
from edge_agent.services.policy_pack import load_policy
from tests.builders import FINAL_ANSWER, SECOND_WARNING, WARNING, a_policy, scored

SHIPPED = Path(__file__).parents[2] / "firmware_config/policy/mamori.toml"


@pytest.fixture(scope="module")
def shipped() -> Policy:
    return load_policy(SHIPPED)


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ("そのお言葉が続くとご案内できかねます", 1),
        ("そのお言葉が続くとご案内出来兼ねます", 1),
        ("その言葉が続くとご案内できます", 1),  # the end swallowed by recognition
        ("そのようなご発言はお控えください", 1),
        ("恐れ入りますがそのようなお言葉はお控え下さい", 1),
        ("業務外のお話にはお答えしません", 1),
        ("ご発言は記録し関係機関への相談を検討します", 1),
        ("続く場合は通話を終了いたします", 2),
        ("続く場合は通話を修了いたします", 2),
        ("このまま続くようでしたら電話を切らせていただきます", 2),
        ("続く場合はお電話を終了させていただきます", 2),
        ("本日ご案内できることは以上です失礼いたします", 3),
        ("本日ご案内出来る事は以上です", 3),
    ],
)
def test_a_spoken_warning_is_heard_though_misspelled(shipped: Policy, said: str, level: int) -> None:
    assert spoken_warning(said, shipped) == level


@pytest.mark.parametrize(
    "said",
    [
        "お電話ありがとうございます料金窓口の鈴木でございます",
        "番号をご案内できますのでお待ちください",
        "個人情報はご案内できかねます",
        "この症状が続く場合は修理にお出しください",
        "お支払いが続く場合は自動更新となります",
        "手続きを終了いたします",
        "先ほどの通話を終了いたしました",
        "登録を終了いたしますか",
        "雨が続くと届くのが遅れます",
        "お言葉に甘えて確認いたします",
        "お客様のお言葉を担当に伝えます",
        "記録を確認いたしますので少々お待ちください",
        "お電話は録音しております",
        "ご案内は以上です",
        "ほかにご案内できることはございますか",
        "責任者が承ります",
        "電話を一度切ってお待ちいただけますか",
        "あと五分で整理いたします",
        "",
    ],
)
def test_an_ordinary_sentence_of_an_operator_is_no_warning(shipped: Policy, said: str) -> None:
    assert spoken_warning(said, shipped) == 0


def test_two_marks_of_one_warning_are_one_and_the_gravest_is_told() -> None:
    policy = a_policy()
    assert spoken_warning(WARNING, policy) == 1
    assert spoken_warning(f"{WARNING}。{SECOND_WARNING}", policy) == 2
    assert spoken_warning("あと5分で整理いたします", policy) == 0


@pytest.mark.parametrize(
    ("said", "final"),
    [
        ("そのご要求にはお応えいたしかねます", True),
        ("そのご要求にはお応え致しかねます", True),
        ("ご説明は以上と同じです", True),
        ("返金には応じかねますので書面で回答いたします", True),
        ("ご要望をお聞かせください", False),
        ("お答えいたしますので少々お待ちください", False),
        ("ご説明いたします", False),
        ("回答を確認いたします", False),
    ],
)
def test_a_final_answer_is_heard(shipped: Policy, said: str, *, final: bool) -> None:
    assert is_final_answer(said, shipped) is final


def test_the_classifiers_word_is_taken_from_a_score_on() -> None:
    said, policy = "もうこちらから申し上げることはないんです", a_policy(reply_score=0.6)
    assert is_final_answer(said, policy, scores=scored(final_answer=0.6))
    assert not is_final_answer(said, policy, scores=scored(final_answer=0.59))
    assert not is_final_answer(said, policy)
    assert is_final_answer(FINAL_ANSWER, policy, scores=scored(final_answer=0.0))
    assert is_refusal(said, policy, scores=scored(refusal=0.6))
    assert not is_refusal(said, policy, scores=scored(refusal=0.59))
    assert is_refusal(FINAL_ANSWER, policy, scores=scored())


def test_warnings_in_the_operators_own_words_are_counted_one_after_the_other() -> None:
    said, policy = "そういう言い方をされますと、私もつらいんです", a_policy()
    assert spoken_warning(said, policy) == 0
    warns, ends = scored(warning=0.3), scored(ending=0.3)
    assert [spoken_warning(said, policy, scores=warns, before=before) for before in (0, 1, 2)] == [1, 2, 2]
    assert spoken_warning(said, policy, scores=warns, before=1, goes_on=True) == 0, "one warning in two breaths"
    assert spoken_warning(WARNING, policy, before=1, goes_on=True) == 0, "in the policy's own words too"
    assert spoken_warning(SECOND_WARNING, policy, before=1, goes_on=True) == 2, "a graver one"
    assert spoken_warning(said, policy, scores=ends, before=3, goes_on=True) == 0, "the farewell that ends the call"
    assert spoken_warning(said, policy, scores=ends, before=1) == 3
    assert spoken_warning(said, policy, scores=ends) == 0, "an ordinary farewell"
    assert spoken_warning(said, policy, scores=scored(warning=0.29, ending=0.29)) == 0
    assert spoken_warning(WARNING, policy, scores=ends, before=2) == 1, "the policy's own words say which it is"


def test_a_short_mark_must_be_heard_as_it_is() -> None:
    assert is_heard("切電します", "切電", overlap=0.5)
    assert not is_heard("節電します", "切電", overlap=0.5)


def test_a_marks_letters_must_stand_close_together() -> None:
    # All pairs of the mark stand somewhere in both; in the second nowhere near one another.
    assert is_heard(plain("このまま続く場合は通話をえ終了いたします"), "通話を終了いたします", overlap=0.8)
    assert not is_heard(
        plain("通話をお待ちいただいた件ですが今朝ほど終了いたしましたのでまたご連絡いたします"),
        "通話を終了いたします",
        overlap=0.8,
    )


def test_texts_are_compared_by_their_letters() -> None:
    assert plain("ご案内　出来ません。") == plain("御案内できません")
    assert spelled_alike("返金してください", "返金して下さい！") == pytest.approx(1.0)
    assert spelled_alike("返金してください", "天気がいい") == 0.0
    assert spelled_alike("", "返金") == 0.0
    assert cosine((0.0, 0.0), (1.0, 0.0)) == 0.0
    assert cosine((2.0, 0.0), (1.0, 0.0)) == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["その扱いはいたしかねます", FINAL_ANSWER, "どなたでも、いたしかねます。恐れ入ります"])
def test_a_refusal_is_known_by_the_policys_marks(text: str) -> None:
    assert is_refusal(text, a_policy())


@pytest.mark.parametrize(
    "text",
    [
        "お名前を教えていただけませんか",
        "ご住所はお変わりありませんか",
        "確認できませんので、確認してご連絡します",
        "お届けできませんでしたのは当社の手違いです",
        "お電話番号は同じでございますか",
    ],
)
def test_polite_questions_and_excuses_refuse_nothing(text: str) -> None:
    marks = ("いただけません", "変わりません", "できません", "同じでございます")
    assert not is_refusal(text, a_policy(repeat=replace(a_policy().repeat, refusal_marks=marks)))
