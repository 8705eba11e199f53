"""The classifier as shipped: what it says of typical utterances, and what it refuses to load."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnxruntime import InferenceSession

from edge_agent.adapters.onnx_classifier import OnnxClassifier
from edge_agent.domain.finding import HARASSMENT, Label
from edge_agent.errors import ModelError

pytestmark = pytest.mark.real

MODEL = Path(__file__).parents[2] / "models" / "harassment" / "ja-starter"


@pytest.fixture(scope="module")
def classifier() -> OnnxClassifier:
    return OnnxClassifier(MODEL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "model"
    shutil.copytree(MODEL, copy)
    return copy


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("ふざけるなこの役立たず馬鹿じゃないのか", Label.ABUSE),
        ("今からそっちに行ってぶん殴ってやるからな", Label.THREAT),
        ("土下座して謝れ慰謝料百万円払え", Label.EXCESSIVE_DEMAND),
        ("俺は市会議員の知り合いだぞ特別扱いしろ", Label.AUTHORITY),
        ("納得するまでこの電話切らせないからな", Label.DETENTION),
        ("今すぐ家まで謝りに来い", Label.OFFSITE),
        ("お前の名前をネットに晒してやる", Label.EXPOSURE),
        ("お姉さん今日の下着は何色なの", Label.SEXUAL),
        ("外国人じゃ話にならない日本人に代われ", Label.DISCRIMINATION),
        ("何時に仕事終わるの出口で待ってるから", Label.INTRUSION),
        ("もう死にたいんです薬をたくさん飲みました", Label.LIFE_SAFETY),
    ],
)
def test_a_telling_utterance_is_over_its_threshold(classifier: OnnxClassifier, said: str, label: Label) -> None:
    scores = classifier.classify(said)
    assert label in scores.over
    if label in HARASSMENT:
        assert scores.harassment >= classifier.harassment_threshold


@pytest.mark.parametrize(
    "said",
    [
        "注文した商品がまだ届かないんですけどどうなってるんですか",
        "もう三回も電話してるんだよいい加減にしてくれよ返金してほしい",
        "責任者の方に代わっていただけますか",
        "消費生活センターに相談させてもらいます",
        "死ぬほど困ってるんですよ早く直してください",
        "殺虫剤の在庫はありますか",
        "はい",
        "ありがとうございましたよろしくお願いします",
        "山田と申します住所変更をお願いしたいんですが",
    ],
)
def test_complaints_orders_and_look_alike_words_are_not_flagged(classifier: OnnxClassifier, said: str) -> None:
    assert not set(classifier.classify(said).over) & {*HARASSMENT, Label.LIFE_SAFETY}


def test_spaces_and_punctuation_change_nothing(classifier: OnnxClassifier) -> None:
    spaced = classifier.classify("お前 の 名前 を 、 ネット に 晒し て やる 。")
    assert spaced == classifier.classify("お前の名前をネットに晒してやる")


def test_nothing_said_scores_nothing(classifier: OnnxClassifier) -> None:
    scores = classifier.classify(" 。…！ ")
    assert set(scores.labels) == set(Label)
    assert set(scores.labels.values()) == {0.0}
    assert (scores.over, scores.harassment) == ((), 0.0)


def test_a_very_long_utterance_is_judged_too(classifier: OnnxClassifier) -> None:
    scores = classifier.classify("予約の確認をお願いしたいんですけれども" * 60)
    assert all(0 <= score <= 1 for score in scores.labels.values())


def test_each_text_of_several_is_judged_alone(classifier: OnnxClassifier) -> None:
    texts = ["はい", "殺してやる"]
    assert classifier.classify_all(texts) == [classifier.classify(text) for text in texts]


def test_scores_name_the_model_they_came_from(classifier: OnnxClassifier) -> None:
    assert classifier.model_version.startswith("harassment-ja-starter ")
    assert classifier.classify("はい").model_version == classifier.model_version


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.model", "model.toml"])
def test_a_missing_file_is_named_with_its_remedy(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name) as caught:
        OnnxClassifier(folder)
    assert "ja-starter" in caught.value.remedy.en


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.model"])
def test_a_single_changed_byte_is_refused(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match="damaged or altered"):
        OnnxClassifier(folder)


@pytest.mark.parametrize(
    "change", [("[thresholds]", "[thresholds"), ("abuse =", "abuze ="), ("max_tokens", "max_token")]
)
def test_a_mistyped_description_is_refused(folder: Path, change: tuple[str, str]) -> None:
    path = folder / "model.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    with pytest.raises(ModelError, match=r"model\.toml"):
        OnnxClassifier(folder)


class Embedding:
    """The shipped graph with an output for the meaning of what was said."""

    def __init__(self, graph: InferenceSession) -> None:
        self._graph = graph

    def get_outputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name=name) for name in ("probabilities", "harassment", "embedding")]

    def run(self, names: list[str], inputs: dict[str, Any]) -> list[Any]:
        assert names[-1] == "embedding"
        return [*self._graph.run(names[:-1], inputs), np.array([0.6, 0.8], np.float32)]


def test_a_model_may_give_the_meaning_of_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *given, **named: Embedding(InferenceSession(*given, **named))
    )
    scores = OnnxClassifier(MODEL).classify("返金してください")
    assert scores.embedding == pytest.approx((0.6, 0.8))


class Replies(Embedding):
    """The shipped graph with another output for what an operator replies."""

    width = 4

    def get_outputs(self) -> list[SimpleNamespace]:
        names = ("probabilities", "harassment", "replies")
        return [SimpleNamespace(name=name, shape=[self.width]) for name in names]

    def run(self, names: list[str], inputs: dict[str, Any]) -> list[Any]:
        assert names[-1] == "replies"
        return [*self._graph.run(names[:-1], inputs), np.array([0.9, 0.7, 0.1, 0.2], np.float32)]


class FewReplies(Replies):
    width = 2


def test_a_model_may_say_what_an_operators_words_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *given, **named: Replies(InferenceSession(*given, **named))
    )
    reply = OnnxClassifier(MODEL).classify("これ以上のご案内はできません").reply
    found = (reply.refusal, reply.final_answer, reply.warning, reply.ending)
    assert found == pytest.approx((0.9, 0.7, 0.1, 0.2))


def test_a_model_whose_replies_are_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *given, **named: FewReplies(InferenceSession(*given, **named))
    )
    with pytest.raises(ModelError, match="replies"):
        OnnxClassifier(MODEL)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("恐れ入りますが、それは致しかねます", "refusal"),
        ("何度お話しいただいても、お答えは変わりません", "final_answer"),
        ("そのような言い方はおやめください", "warning"),
        ("これ以上続けられませんので、お電話を終わりにします", "ending"),
    ],
)
def test_the_shipped_model_knows_what_operators_reply(classifier: OnnxClassifier, said: str, kind: str) -> None:
    reply = classifier.classify(said).reply
    assert getattr(reply, kind) > 0.5
    assert classifier.classify("はい、荷物の番号をお願いいたします").reply.refusal < 0.5


def test_a_meaning_has_length_one_or_there_is_none(classifier: OnnxClassifier) -> None:
    embedding = classifier.classify("返金してください").embedding
    assert embedding is None or sum(value**2 for value in embedding) == pytest.approx(1.0, abs=0.01)
    assert classifier.classify("。").embedding is None
