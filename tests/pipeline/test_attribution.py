from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.call import Speaker
from edge_agent.domain.finding import Label, Scores
from edge_agent.pipeline.attribution import MOST_PIECES, cut, telling_words
from edge_agent.pipeline.conversation import Conversation
from edge_agent.pipeline.events import AlertRaised
from edge_agent.pipeline.voice import Words
from edge_agent.ports import RATE
from edge_agent.services.policy_pack import load_policy
from edge_agent.settings import Settings


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


class _Keyword:
    """A classifier that knows one word."""

    model_version = "keyword"

    def classify(self, text: str) -> Scores:
        score = 0.95 if "殺すぞ" in text else 0.01
        return Scores(
            labels={label: score if label is Label.THREAT else 0.0 for label in Label},
            over=(),
            harassment=score,
            model_version=self.model_version,
        )


def test_an_alert_says_which_words_of_its_quote_carried_it() -> None:
    call = Conversation(
        call_id="c", seat="01", origin=0, classifier=_Keyword(), policy=load_policy(Settings().policy_file),
        new_id=lambda: "a",
    )  # fmt: skip
    text = "昨日頼んだ荷物のことだけど早く持って来ないとお前殺すぞ"
    events = call.say(Speaker.CUSTOMER, Words(number=0, start=0, end=RATE, text=text, final=True))
    (alert,) = [event.alert for event in events if isinstance(event, AlertRaised)]
    (stretches,) = alert.telling
    said = "".join(alert.quotes[0][start:end] for start, end in stretches)
    assert "殺すぞ" in said
    assert "荷物" not in said
