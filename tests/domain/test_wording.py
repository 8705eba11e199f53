"""Which words bear on judgement: neither quotes nor named rights, and vague ones only with what came before."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.finding import HARASSMENT, Label
from edge_agent.domain.wording import Turn, bearing_words, in_context, tempered, turns_before, vague
from edge_agent.services.policy_pack import load_policy
from tests.builders import a_policy, scored
from tests.properties import QUICK

POLICY = a_policy()
SHIPPED = load_policy(Path(__file__).parents[2] / "firmware_config/policy/mamori.toml")
PROBABILITIES = st.floats(0, 1, allow_nan=False)
SCORES = st.fixed_dictionaries({}, optional=dict.fromkeys(Label, PROBABILITIES))


def turn(end_s: float, text: str = "ことば", **labels: float) -> Turn:
    return Turn(text=text, end_s=end_s, labels={Label(name): score for name, score in labels.items()})


def test_a_quoted_insult_does_not_count_and_the_complaint_about_it_does() -> None:
    said = "担当者にバカと言われた"
    whole = scored({Label.ABUSE: 0.9, Label.COMPLAINT: 0.8})
    left = tempered(said, whole, scored({Label.ABUSE: 0.05}), POLICY)
    assert bearing_words(said, POLICY) == "担当者に"
    assert left.labels[Label.ABUSE] == 0.05
    assert left.labels[Label.COMPLAINT] == 0.8


def test_talk_of_dying_counts_also_when_somebody_else_has_said_it() -> None:
    whole = scored({Label.LIFE_SAFETY: 0.9})
    assert tempered("息子に死にたいと言われた", whole, scored(), POLICY).labels[Label.LIFE_SAFETY] == 0.9


@pytest.mark.parametrize("said", ["訴えるからな", "弁護士を呼ぶ", "消費者センターに言うぞ"])
def test_a_right_alone_is_no_threat_however_the_classifier_takes_it(said: str) -> None:
    whole = scored({Label.THREAT: 0.96, Label.EXPOSURE: 0.7})
    left = tempered(said, whole, scored({Label.THREAT: 0.1}), POLICY)
    assert left.labels[Label.THREAT] == 0.1
    assert left.labels[Label.EXPOSURE] == 0.0


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("警察に通報してやるからな", ""),
        ("それで出来なかったら訴えるからな。裁判でも何でもやるぞ。", "それで出来なかったら。。"),
        ("弁護士に相談して消費者センターにも言いますから", ""),
        ("口コミに正直に書かせてもらうよ", ""),
        ("訴えるぞばかやろう", "ばかやろう"),
        ("お前ら全員ぶっ殺して訴えるからな", "お前ら全員ぶっ殺して"),
        ("弁護士つけてお前を殺すからな", "お前を殺すからな"),
        ("訴えるぞこの野郎家族もただじゃおかない", "この野郎家族もただじゃおかない"),
        ("消費者センターに言うからな覚えとけ", "覚えとけ"),
    ],
)
def test_a_named_right_ends_with_its_verb_and_no_other_word_goes_with_it(said: str, left: str) -> None:
    assert bearing_words(said, SHIPPED) == left


def test_other_words_beside_a_right_count_when_the_threat_is_very_strong() -> None:
    said = "訴えるし家族もただで済むと思うな"
    strong = tempered(said, scored({Label.THREAT: 0.98, Label.ABUSE: 0.98}), scored({Label.THREAT: 0.4}), POLICY)
    weaker = tempered(said, scored({Label.THREAT: 0.9}), scored({Label.THREAT: 0.4}), POLICY)
    assert strong.labels[Label.THREAT] == 0.98
    assert strong.labels[Label.ABUSE] == 0.0
    assert weaker.labels[Label.THREAT] == 0.4


def test_a_right_beside_a_few_letters_stays_a_right() -> None:
    left = tempered("訴えるからな", scored({Label.THREAT: 0.99}), scored(), POLICY)
    assert left.labels[Label.THREAT] == 0.0


def test_harmless_words_beside_a_right_leave_it_a_right_however_strongly_it_is_taken() -> None:
    said = "それで出来なかったら訴えるからな何でもやるぞ"
    left = tempered(said, scored({Label.THREAT: 0.99}), scored({Label.THREAT: 0.1}), POLICY)
    assert left.labels[Label.THREAT] == 0.1


@QUICK
@given(SCORES, SCORES)
def test_leaving_words_out_never_makes_anything_worse(whole: dict[Label, float], rest: dict[Label, float]) -> None:
    left = tempered("担当者にバカと言われた", scored(whole), scored(rest), POLICY)
    for label in HARASSMENT:
        assert left.labels[label] <= scored(whole).labels[label]
    for label in (Label.COMPLAINT, Label.LIFE_SAFETY):
        assert left.labels[label] == scored(whole).labels[label]


def test_vague_words_are_judged_with_the_turns_before_them() -> None:
    alone = scored({Label.THREAT: 0.4})
    left = in_context(alone, scored({Label.THREAT: 0.9}), [turn(5, threat=0.3)], POLICY)
    assert vague(alone, POLICY) == (Label.THREAT,)
    assert left.labels[Label.THREAT] == 0.9


def test_a_harmless_word_after_a_harassing_line_is_no_second_one() -> None:
    for alone in (scored({Label.ABUSE: 0.05}), scored({Label.ABUSE: 0.3})):
        left = in_context(alone, scored({Label.ABUSE: 0.99}), [turn(5, abuse=0.9)], POLICY)
        assert left.labels == alone.labels


def test_words_that_hint_at_nothing_stay_harmless_whatever_came_before() -> None:
    alone = scored({Label.THREAT: 0.19})
    assert in_context(alone, scored({Label.THREAT: 0.99}), [turn(5)], POLICY).labels == alone.labels


def test_only_the_last_two_turns_of_the_last_seconds_belong_to_new_words() -> None:
    turns = [turn(1), turn(12), turn(30), turn(38)]
    assert [t.end_s for t in turns_before(turns, start_s=40, policy=POLICY)] == [30, 38]
    assert [t.end_s for t in turns_before(turns, start_s=55, policy=POLICY)] == [38]
    assert turns_before(turns, start_s=90, policy=POLICY) == ()


def test_a_policy_may_switch_context_off() -> None:
    policy = a_policy(context=type(POLICY.context)(turns=0, within_s=20.0, ambiguous=0.2))
    assert turns_before([turn(1)], start_s=2, policy=policy) == ()
