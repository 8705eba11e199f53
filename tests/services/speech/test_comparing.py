"""What was said against what was heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.services.speech.comparing import errors_between, japanese_share, plain, ratio


@pytest.mark.parametrize(
    ("written", "also"),
    [
        ("三十分、待たされました。", "30分 待たされました"),
        ("ＳＮＳに書く！", "snsに書く"),
        ("四千円", "4,000円"),
        ("一万二千五", "12005"),
        ("〇九〇一二三四", "0901234"),
        ("バカ", "馬鹿"),
        ("お待ち下さい", "おまちください".replace("まち", "待ち")),
        ("オマエ", "おまえ"),
    ],
)
def test_spellings_of_the_same_words_compare_equal(written: str, also: str) -> None:
    assert plain(written) == plain(also)


def test_other_words_stay_different() -> None:
    assert plain("荷物") != plain("着物")
    assert plain("コーヒー") == "こーひー"


@given(st.text("あいう", max_size=6), st.text("あいう", max_size=6))
def test_errors_are_the_fewest_changes(one: str, other: str) -> None:
    def fewest(left: str, right: str) -> int:
        if not left or not right:
            return len(left) + len(right)
        if left[0] == right[0]:
            return fewest(left[1:], right[1:])
        return 1 + min(fewest(left[1:], right), fewest(left, right[1:]), fewest(left[1:], right[1:]))

    assert errors_between(one, other) == fewest(one, other)


def test_the_share_of_japanese_tells_languages_apart() -> None:
    assert japanese_share("夜道に気をつけろ") == 1
    assert japanese_share("watch your step") == 0
    assert japanese_share("") == 0


def test_a_ratio_has_an_interval_that_holds_it() -> None:
    figure = ratio([(1, 10), (3, 10), (0, 10), (2, 10)], lambda it: it[0], lambda it: it[1])
    assert figure is not None
    assert figure.value == pytest.approx(0.15)
    assert 0 <= figure.low < 0.15 < figure.high <= 0.3


def test_nothing_said_has_no_ratio() -> None:
    assert ratio([(0, 0)], lambda it: it[0], lambda it: it[1]) is None
