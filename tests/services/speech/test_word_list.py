"""Many words of a floor in one file."""

from __future__ import annotations

import pytest

from edge_agent.errors import Text, WordError
from edge_agent.services.speech.own_words import Wanted
from edge_agent.services.speech.word_list import read_list


def test_a_list_holds_words_with_readings_and_weight() -> None:
    raw = "\ufeff# 商品\n守ケア\tまもりけあ モリケア\toften\r\n\nマモリン\n守ナビ\tマモリナビ\n".encode()
    assert read_list(raw, "words.tsv", weight="rare") == (
        Wanted(
            surface="守ケア",
            readings=("まもりけあ", "モリケア"),
            weight="often",
            where=Text("words.tsv の 2 行目: ", "words.tsv, line 2: "),
        ),
        Wanted(surface="マモリン", weight="rare", where=Text("words.tsv の 4 行目: ", "words.tsv, line 4: ")),
        Wanted(
            surface="守ナビ",
            readings=("マモリナビ",),
            weight="rare",
            where=Text("words.tsv の 5 行目: ", "words.tsv, line 5: "),
        ),
    )


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"# none\n\n", "holds no words"),
        ("守ケア\tマモリケア\talways\n".encode(), "line 1: 'always' is no weight (rare, usual, often)"),
        ("守ケア,マモリケア\n".encode(), "line 1: there are three columns"),
        ("守ケア\tマモリケア\tモリケア\toften\n".encode(), "line 1: there are three columns"),
        ("守ケア\tマモリケア\n".encode("cp932"), "not written in UTF-8"),
    ],
)
def test_a_list_of_another_form_is_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(WordError) as error:
        read_list(raw, "words.tsv")
    assert reason in error.value.what.en
