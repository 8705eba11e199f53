from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.pipeline.attribution import MOST_PIECES, cut, telling_words


def words_at(text: str, spans: tuple[tuple[int, int], ...]) -> list[str]:
    return [text[start:end] for start, end in spans]


def test_the_words_without_which_nothing_is_left_are_the_telling_ones() -> None:
    text = "昨日頼んだ荷物のことだけどお前殺すぞ早く持って来いよ"
    found = "".join(words_at(text, telling_words(text, lambda words: 0.9 if "殺すぞ" in words else 0.1)))
    assert "殺すぞ" in found
    assert "荷物" not in found


def test_two_telling_places_are_two_stretches() -> None:
    text = "殺すぞって言ってるのがわかんないのかよ本当に家まで行って火をつけるからな"

    def score(words: str) -> float:
        return 0.1 + 0.4 * ("殺すぞ" in words) + 0.4 * ("火をつける" in words)

    assert len(telling_words(text, score)) == 2


def test_an_utterance_of_which_every_part_says_the_same_is_telling_as_a_whole() -> None:
    text = "バカバカバカバカバカバカバカ"
    assert telling_words(text, lambda words: 0.9 if "バカ" in words else 0.0) == ((0, len(text)),)


def test_a_short_word_is_not_cut() -> None:
    assert telling_words("死ね", lambda _words: 0.9) == ((0, 2),)


def test_the_classifier_is_asked_at_most_five_times_more() -> None:
    asked: list[str] = []

    def score(words: str) -> float:
        asked.append(words)
        return 0.5

    telling_words("あ" * 200, score)
    assert len(asked) <= MOST_PIECES + 1


@given(st.text(alphabet="あいうえお漢字殺荷物カタカナabc", max_size=120))
def test_pieces_are_the_text_in_order_and_few(text: str) -> None:
    pieces = cut(text)
    assert "".join(text[start:end] for start, end in pieces) == text
    assert len(pieces) <= MOST_PIECES
    assert all(start < end for start, end in pieces)
