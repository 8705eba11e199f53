"""The pure parts of the classifier's recipe: what it reads, splits, damages, and hashes."""

from __future__ import annotations

import random
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from edge_agent.adapters import onnx_classifier
from edge_agent.domain.finding import HARASSMENT, Label, Reply

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from models.harassment.recipe import corpus, noise, replies, spec, thresholds  # noqa: E402
from models.harassment.recipe.corpus import Line, Part  # noqa: E402
from models.harassment.recipe.held_out import table  # noqa: E402

CORPUS = ROOT / "models" / "harassment" / "corpus"

TEXTS = [
    "",
    "。、！？",
    "お前 、 聞い てる の か 。",
    "ｶﾞｽ臭いんですけど①番の部屋",
    "SNS に 晒す ぞ",
    "call me back  please",
    "死ぬほど困ってるんだよ…",
    "「土下座しろ」って言われた(ほんとに)",
    "\u3000全角　スペース\tとタブ\n",
    "𠮷野家の名前",
    "㍿の社長を出せ！！",
]


def line(text: str, *labels: str, scenario: str = "", source: str = "test") -> Line:
    return Line(text=text, labels=frozenset(labels), source=source, scenario=scenario)


@pytest.mark.parametrize("text", TEXTS)
def test_the_appliance_reads_a_text_exactly_as_training_did(text: str) -> None:
    cleaned = spec.clean(text)
    assert onnx_classifier.clean(text) == cleaned
    assert onnx_classifier.ngram_buckets(
        cleaned, orders=spec.NGRAM_ORDERS, buckets=spec.NGRAM_BUCKETS
    ) == spec.ngram_buckets(cleaned)


def test_the_recipe_and_the_appliance_name_the_same_labels_in_the_same_order() -> None:
    assert tuple(Label) == spec.LABELS
    assert HARASSMENT == spec.HARASSMENT_LABELS


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("お前 、 聞い てる の か 。", "お前聞いてるのか"),
        ("ｶﾞｽが①番で！", "ガスが1番で"),
        ("hello,  world です", "hello worldです"),
        ("コーヒー〜を々", "コーヒーを々"),
        ("…！？", ""),
    ],
)
def test_punctuation_and_the_spaces_of_recognition_are_taken_out(written: str, heard: str) -> None:
    assert spec.clean(written) == heard


def test_hashing_of_ngrams_never_changes() -> None:
    # Fixed values: the weights in the table belong to these buckets.
    assert spec.ngram_buckets("殺す") == [0x3501, 0x3A26, 0xBEF5]
    assert len(spec.ngram_buckets("あああ")) == 3
    assert spec.ngram_buckets("") == []


def test_a_long_text_keeps_its_end_marker_when_it_is_cut() -> None:
    ids = spec.wrap_pieces(range(10, 500))
    assert len(ids) == spec.MAX_TOKENS
    assert (ids[0], ids[1], ids[-1]) == (spec.BOS_ID, 10, spec.EOS_ID)


def test_a_misspelt_label_is_refused_with_its_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "style.tsv").write_text(
        "labels\tregister\tscenario\tspeaker\ttext\n"
        "abuse\tplain\ta\tcustomer\tふざけるな\n"
        "thraet\tplain\ta\tcustomer\t殴るぞ\n",
        encoding="utf-8",
    )
    with pytest.raises(ValueError, match=r"style\.tsv:3.*thraet"):
        corpus.read_corpus(tmp_path)


def test_a_dash_means_that_no_label_applies(tmp_path: Path) -> None:
    (tmp_path / "style.tsv").write_text(
        "labels\tregister\tscenario\tspeaker\ttext\n"
        "-\tplain\ta\toperator\tかしこまりました\n"
        "complaint abuse\tplain\ta\tcustomer\t壊れてるぞ馬鹿\n",
        encoding="utf-8",
    )
    first, second = corpus.read_corpus(tmp_path)
    assert (first.labels, first.kind) == (frozenset(), "neutral")
    assert (second.labels, second.kind) == ({"complaint", "abuse"}, "harassment")


@pytest.mark.parametrize("folder", [CORPUS, CORPUS / "waiting"])
def test_the_corpus_itself_is_well_formed(folder: Path) -> None:
    lines = corpus.read_corpus(folder)
    assert {label for each in lines for label in each.labels} == set(spec.LABELS)
    assert {each.speaker for each in lines} <= {"customer", "operator"}


def test_near_duplicates_are_found_and_others_are_not() -> None:
    texts = [
        "今すぐここに来て土下座して謝れよ",
        "商品がまだ届かないんですけど",
        "今すぐここに来て土下座して謝れ",
        "はい",
        "はい。",
    ]
    assert set(corpus.near_duplicates(texts)) == {(0, 2), (3, 4)}


def test_the_prefix_filter_finds_what_comparing_every_pair_finds() -> None:
    rng = random.Random(3)  # noqa: S311 - a repeatable draw
    texts = ["".join(rng.choice("あいう") for _ in range(rng.randrange(4, 14))) for _ in range(120)]

    def shingles(text: str) -> set[str]:
        return {text[i : i + 5] for i in range(len(text) - 4)} or {text}

    expected = {
        (left, right)
        for right in range(len(texts))
        for left in range(right)
        for a, b in [(shingles(texts[left]), shingles(texts[right]))]
        if len(a & b) / len(a | b) > corpus.NEAR_DUPLICATE_JACCARD
    }
    assert expected
    assert set(corpus.near_duplicates(texts)) == expected


def test_a_scenario_and_its_near_duplicates_never_cross_the_split() -> None:
    lines = [
        line(f"場面{scenario}の{number}番目の言い方はこうですよ{scenario * 7919}", scenario=f"s{scenario}")
        for scenario in range(80)
        for number in range(3)
    ]
    copy = line("場面5の0番目の言い方はこうですよ39595。", scenario="elsewhere", source="other")
    parts = corpus.split([*lines, copy])
    home = {each.scenario: part for part, members in parts.items() for each in members}
    assert sum(map(len, parts.values())) == len(lines) + 1
    for part, members in parts.items():
        assert all(home[each.scenario] is part for each in members)
    assert home["elsewhere"] is home["s5"]
    assert all(parts[part] for part in Part)


def test_a_held_out_line_that_training_saw_is_dropped() -> None:
    kept = corpus.without_seen(
        [line("よろしくお願いします"), line("温泉のある宿がいいです")], [line("よろしくお願いします。")]
    )
    assert [each.text for each in kept] == ["温泉のある宿がいいです"]


def test_noise_is_repeatable_and_never_loses_a_label() -> None:
    lines = [
        line("お前の家に今から行って殴ってやるからな、待ってろ", "threat"),
        line("注文した商品がまだ届かないんですけど", "complaint"),
        line("予約の確認をお願いします"),
    ]

    def damaged() -> list[tuple[str, frozenset[str]]]:
        rng = random.Random(7)  # noqa: S311 - a repeatable draw
        return [noise.noisy(each, lines, rng) for _ in range(200) for each in lines]

    readings = damaged()
    assert readings == damaged()
    for original, (text, labels) in zip(lines * 200, readings, strict=True):
        assert text
        assert labels >= original.labels
        assert spec.clean(text) == text


def test_a_labelled_line_is_only_nibbled_at_but_a_neutral_one_may_be_cut_anywhere() -> None:
    text = "あいうえおかきくけこさしすせそたちつてと"
    rng = random.Random(1)  # noqa: S311 - a repeatable draw
    labelled = {len(noise._cut(text, labelled=True, rng=rng)) for _ in range(300)}
    neutral = {len(noise._cut(text, labelled=False, rng=rng)) for _ in range(300)}
    assert min(labelled) >= 14
    assert min(neutral) == 3


def test_thresholds_rise_until_complaints_and_neutral_lines_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    targets = np.zeros((1000, 13), np.float32)
    targets[:300, 0] = 1
    targets[300:600, 10] = 1
    probabilities = np.full((1000, 12), 0.01, np.float32)
    probabilities[:300, 0] = rng.uniform(0.4, 1.0, 300)
    probabilities[300:600, 3] = rng.uniform(0.0, 0.75, 300)  # angry complaints look like another type
    harassment = probabilities.max(1)
    harassment[600:800] = rng.uniform(0.0, 0.9, 200)  # look-alikes
    dialogue = np.arange(1000) >= 800
    chosen = thresholds.choose(probabilities, harassment, targets, dialogue, budget(complaint=0.05, neutral=0.15))
    flagged = thresholds.decide(probabilities, harassment, chosen)[:, :10].any(1)
    assert flagged[300:600].mean() <= 0.05
    assert flagged[600:800].mean() <= 0.15
    assert chosen.harassment == pytest.approx(0.76, abs=0.03)  # and not a step higher than needed
    assert chosen.labels[11] == pytest.approx(0.2)


def test_open_dialogue_has_a_budget_of_its_own() -> None:
    targets = np.zeros((400, 13), np.float32)
    harassment = np.linspace(0, 1, 400, dtype=np.float32)
    dialogue = np.arange(400) % 2 == 0
    generous = budget(neutral=1.0, dialogue=0.1)
    chosen = thresholds.choose(np.zeros((400, 12), np.float32), harassment, targets, dialogue, generous)
    assert (harassment[dialogue] >= chosen.harassment).mean() <= 0.1
    assert chosen.harassment == pytest.approx(0.9, abs=0.02)


def budget(**shares: float) -> thresholds.Budget:
    given = {
        "complaint": 1.0, "neutral": 1.0, "dialogue": 1.0, "life_safety": 1.0, "life_safety_dialogue": 1.0,
        "least": 0.4, "least_life_safety": 0.2,
    }  # fmt: skip
    return thresholds.Budget(**given | shares)


def test_a_threshold_never_falls_below_its_floor() -> None:
    targets = np.zeros((10, 13), np.float32)
    targets[:5, 10] = 1
    probabilities = np.full((10, 12), 0.9, np.float32)
    chosen = thresholds.choose(probabilities, probabilities[:, 0], targets, np.zeros(10, bool), budget())
    assert chosen.harassment == pytest.approx(0.4)
    assert chosen.labels[11] == pytest.approx(0.2)


def test_a_line_counts_as_a_whole_and_is_then_named_by_its_likeliest_type_at_least() -> None:
    chosen = thresholds.Thresholds(labels=np.full(12, 0.5, np.float32), harassment=0.8)
    probabilities = np.zeros((3, 12), np.float32)
    probabilities[0, [1, 11]] = 0.7, 0.6  # a threat, but the line as a whole is doubtful
    probabilities[1, [4, 6]] = 0.3, 0.4  # certainly harassment, of no certain type
    probabilities[2, [0, 2, 3]] = 0.9, 0.6, 0.4
    said = thresholds.decide(probabilities, np.array([0.79, 0.8, 0.95], np.float32), chosen)
    named = [{spec.LABELS[column] for column in np.flatnonzero(row)} for row in said]
    assert named == [{"life_safety"}, {"exposure"}, {"abuse", "excessive_demand"}]


def test_the_appliance_counts_labels_as_the_thresholds_were_chosen() -> None:
    rng = np.random.default_rng(2)
    probabilities, harassment = rng.uniform(size=(300, 12)), rng.uniform(size=300)
    chosen = thresholds.Thresholds(labels=rng.uniform(0.3, 0.9, 12), harassment=0.5)
    expected = thresholds.decide(probabilities, harassment, chosen)
    by_label = dict(zip(Label, chosen.labels, strict=True))
    for row, stated, wanted in zip(probabilities, harassment, expected, strict=True):
        found = onnx_classifier.counted(dict(zip(Label, row, strict=True)), stated, by_label, chosen.harassment)
        assert [label in found for label in Label] == wanted.tolist()


def test_the_held_out_table_is_the_test_part_of_the_corpus_that_nothing_is_trained_on() -> None:
    held_out = Path(__file__).parents[2] / "models/harassment/heldout/split.tsv"
    assert table(held_out.parents[1] / "corpus") == held_out.read_text(encoding="utf-8")


def test_what_operators_reply_is_read_and_named_as_the_appliance_names_it(tmp_path: Path) -> None:
    (tmp_path / "some.tsv").write_text("acts\tregister\tscenario\ttext\nfinal\tpolite\tA-1\t変わりません\n", "utf-8")
    [line] = replies.read_replies(tmp_path)
    assert line.targets == (1, 1, 0, 0), "who gives the final answer refuses too"
    assert tuple(field.name for field in fields(Reply)) == replies.REPLIES
    (tmp_path / "some.tsv").write_text("acts\tregister\tscenario\ttext\nno\tpolite\tA-1\t変わりません\n", "utf-8")
    with pytest.raises(ValueError, match="line 2"):
        replies.read_replies(tmp_path)


def test_every_line_of_operators_is_well_formed_and_none_is_there_twice() -> None:
    lines = replies.read_replies(CORPUS.parent / "replies")
    assert len(lines) > 4000
    assert len({line.text for line in lines}) == len(lines)
