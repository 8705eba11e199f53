"""What counts as a word that voice activity has taken away."""

from __future__ import annotations

import pytest

from tests.bench.gating import Heard, missing


@pytest.mark.parametrize(
    ("words", "gated", "lost"),
    [
        (("お", "電話", "ありがとう"), "お電話ありがとう", 0),
        (("お", "電話", "ありがとう"), "電話ありがとう", 1),
        (("もう", "お", "電話", "ください"), "電話ください", 2),
        (("はい", "そう", "です"), "ないそうです", 0),
        (("はい",), "", 0),
    ],
)
def test_a_word_is_lost_if_all_that_follows_is_as_it_was(words: tuple[str, ...], gated: str, lost: int) -> None:
    assert missing(words, gated) == lost


def test_a_turn_that_begins_with_another_word_has_changed_and_lost_nothing() -> None:
    turn = Heard(words=("はい", "そう", "です"), gated="ないそうです", script="")
    assert turn.changed
    assert turn.lost == 0
