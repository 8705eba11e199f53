"""The pure parts of the recipe of the starter speech model: sounds, texts, words, language model."""

import math
import random
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

RECIPE = Path(__file__).resolve().parents[2] / "models" / "speech" / "recipe"
# The recipe is a folder of scripts with an environment of its own, not a package of the appliance.
sys.path.insert(0, str(RECIPE))

from distance import edit_distance  # noqa: E402
from lexicon import Lexicon, spelled, spellings  # noqa: E402
from ngram import Arc, BackingOff, Final, NGrams  # noqa: E402
from phones import KANA, PHONES, Word, comparable, join_nodes, phones_of_kana, spoken_kana  # noqa: E402
from synthesis import jobs, pick, voice_of  # noqa: E402
from text_sources import (  # noqa: E402
    Line,
    Part,
    corpus_lines,
    fill,
    kinds_of_speech,
    part_of,
    read_slots,
    sentences,
    template_lines,
    usual,
    usual_word,
)
from topology import LAST_TRANSITION, NAMES, TRANSITIONS, TRIPLES, in_position  # noqa: E402
from voices import WHOLE, Voice, kokoro_tempo, parse_voice, slurs  # noqa: E402


def test_every_sound_of_the_kana_table_is_a_phone_of_the_model() -> None:
    assert len(PHONES) == len(set(PHONES)) == 39
    assert {phone for phones in KANA.values() for phone in phones} <= set(PHONES)


@pytest.mark.parametrize(
    ("kana", "phones"),
    [
        ("ドゲザ", "d o g e z a"),
        ("キョーワ", "ky o: w a"),
        ("ガッコー", "g a q k o:"),
        ("シンダ", "sh i N d a"),
        ("フォーム", "f o: m u"),
        ("ティッシュ", "t i q sh u"),
        ("ヴァイオリン", "b a i o r i N"),
    ],
)
def test_a_reading_becomes_the_sounds_a_caller_makes(kana: str, phones: str) -> None:
    assert phones_of_kana(kana) == phones.split()


def test_a_dictionary_reading_is_said_with_long_vowels() -> None:
    assert spoken_kana("チョウメ") == "チョーメ"
    assert spoken_kana("テイネイ") == "テーネー"
    assert spoken_kana("オモウ") == "オモー"
    assert spoken_kana("クウキ") == "クウキ"


def test_a_vowel_lengthened_over_a_border_joins_the_word_before_it() -> None:
    words = join_nodes([("行く", "イク"), ("でしょ", "デショ’"), ("う", "ー"), ("。", "。")])
    assert words == [Word("行く", ("i", "k", "u")), Word("でしょう", ("d", "e", "sh", "o:"))]


def test_spellings_of_one_sound_compare_equal() -> None:
    assert comparable(["o:"]) == comparable(["o", "u"])
    assert comparable(["e:"]) == comparable(["e", "i"])
    assert comparable(["o:"]) != comparable(["o"])


def test_a_transcript_spells_a_telling_word_one_way() -> None:
    assert usual("馬鹿にするな") == "バカにするな"
    assert usual("エスエヌエスに晒す") == usual("ＳＮＳに晒す") == "SNSに晒す"


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        *(("ばか", "バカ"), ("ばかばかしい", "バカバカしい"), ("ばかばか", "バカバカ"), ("ばからしい", "バカらしい")),
        *(
            ("くそったれ", "クソったれ"),
            ("下手くそ", "下手クソ"),
            ("くず", "クズ"),
            ("ドアホ", "ドあほ"),
            ("アホ", "あほ"),
        ),
        *(("おまえ", "お前"), ("致し", "いたし"), ("出来", "でき"), ("出来る", "できる")),
    ],
)
def test_a_word_is_shown_in_one_spelling(word: str, shown: str) -> None:
    assert usual_word(word) == shown


@pytest.mark.parametrize(
    "word",
    [
        *("ばかり", "名ばかり", "ばかし", "やばかっ", "そばかす", "しばか", "やくそく", "尽くそ"),
        *("紙くず", "くずれ", "くず餅", "ドアホン", "アホウドリ", "一致", "出来事", "出来上がり"),
    ],
)
def test_a_word_that_only_looks_like_an_insult_stays_as_it_is(word: str) -> None:
    assert usual_word(usual(word)) == word


@pytest.mark.parametrize(
    "text", ["先月買ったばかりです", "よくそんなことが言えますね", "住所が一致しません", "ドアホンが鳴らない"]
)
def test_no_insult_is_put_into_a_sentence_that_has_none(text: str) -> None:
    assert usual(text) == text


def test_the_shipped_model_knows_words_that_only_look_like_an_insult() -> None:
    words = (RECIPE.parent / "ja-starter" / "graph" / "words.txt").read_text(encoding="utf-8").splitlines()
    known = {row.split(" ")[0] for row in words}
    assert {"ばかり", "ばっかり", "一致", "約束", "ドア", "バカ", "クソ", "クズ"} <= known
    assert not {"バカり", "一いたし", "ドあほン", "なクソ", "尽クソ", "無クソ", "亡クソ"} & known


def test_sentences_end_where_the_caller_stops() -> None:
    assert sentences("ふざけるな！金返せよ。 早く") == ["ふざけるな!", "金返せよ。", "早く"]


def test_a_scenario_stays_in_its_part_whatever_is_added() -> None:
    parts = [part_of(f"scenario-{number}") for number in range(2000)]
    assert parts[:3] == [part_of(f"scenario-{number}") for number in range(3)]
    assert 40 < parts.count("test") < 130
    assert 40 < parts.count("dev") < 130


def test_every_slot_of_every_template_can_be_filled() -> None:
    slots = read_slots(RECIPE / "text" / "slots")
    lines = template_lines(RECIPE / "text")
    assert len(lines) > 500
    rng = random.Random(1)  # noqa: S311 - no secret
    for line in lines:
        assert not set("{}") & set(fill(line.text, slots, rng))


def test_no_sentence_is_spoken_twice_while_there_are_others() -> None:
    lines = [
        Line(text=f"{speaker}{number}", source="call", speaker=speaker, part="test")
        for speaker in ("customer", "operator")
        for number in range(30)
    ]
    # No chat is kept for the test: its turns fall to the callers.
    picked = [line.text for line in pick(lines, random.Random(1), 40)]  # noqa: S311
    assert len(set(picked)) == 40
    assert sum(text.startswith("operator") for text in picked) == 10


def test_a_slot_nobody_wrote_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill("{知らない}ですか", {}, random.Random(0))  # noqa: S311 - no secret


CALLS = {"call": 1.0}


def test_a_word_that_follows_many_is_likelier_after_a_new_one_than_a_word_that_follows_one() -> None:
    grams = NGrams(["今", "すぐ", "金", "返せ", "東京", "都", "駅"], CALLS, order=2)
    for before in ("今", "すぐ", "金"):
        grams.add([before, "返せ"], "call")
        grams.add(["東京", "都"], "call")
    # 「返せ」 and 「都」 were said as often; only the second never without 「東京」 before it.
    assert grams.probability((), "返せ") == grams.probability((), "都")
    assert grams.probability(("今",), "都") < grams.probability(("東京",), "返せ")


def test_probabilities_after_every_history_sum_to_one() -> None:
    grams = NGrams(["金", "返せ", "土下座", "しろ"], {"call": 0.8, "aside": 0.2})
    for _ in range(3):
        grams.add(["金", "返せ"], "call", 6)
    grams.add(["土下座", "しろ"], "aside")
    for history in [(), ("<s>",), ("金",), ("<s>", "金"), ("土下座", "しろ"), ("しろ", "金")]:
        total = sum(grams.probability(history, word) for word in ["金", "返せ", "土下座", "しろ", "</s>"])
        assert total == pytest.approx(1)


def test_what_callers_say_is_likelier_than_what_they_do_not() -> None:
    grams = NGrams(["金", "返せ", "紺屋"], CALLS)
    grams.add(["金", "返せ"], "call")
    grams.add(["金", "返せ"], "call")
    assert grams.probability(("<s>", "金"), "返せ") > 0.5
    assert grams.probability(("<s>", "金"), "紺屋") < 0.1
    assert grams.probability((), "紺屋") > 0


def test_the_acceptor_gives_a_sentence_the_cost_of_its_probability() -> None:
    counted = NGrams(["金", "返せ"], CALLS)
    counted.add(["金", "返せ"], "call")
    counted.add(["返せ"], "call")
    grams = BackingOff(counted, most=100)
    items = list(grams.acceptor())
    arcs = {(item.source, item.word): item for item in items if isinstance(item, Arc)}
    finals = {item.state: item.cost for item in items if isinstance(item, Final)}
    first = arcs[0, "金"]
    second = arcs[first.target, "返せ"]
    expected = grams.probability(("<s>",), "金") * grams.probability(("<s>", "金"), "返せ")
    expected *= grams.probability(("金", "返せ"), "</s>")
    assert first.cost + second.cost + finals[second.target] == pytest.approx(-math.log(expected))


@pytest.mark.parametrize("most", [0, 1, 3, 100])
def test_what_is_left_out_is_reached_by_backing_off_and_all_sums_to_one(most: int) -> None:
    words = ["金", "返せ", "今", "すぐ"]
    counted = NGrams(words, CALLS)
    for _ in range(3):
        counted.add(["今", "金", "返せ"], "call")
    counted.add(["今", "すぐ", "返せ"], "call")
    grams = BackingOff(counted, most)
    for history in [(), ("<s>",), ("今",), ("今", "金"), ("すぐ", "返せ"), ("返せ", "今")]:
        probabilities = [grams.probability(history, word) for word in [*words, "</s>"]]
        assert min(probabilities) > 0
        assert sum(probabilities) == pytest.approx(1)
    kept = [item for item in grams.acceptor() if isinstance(item, Arc) and item.word]
    longer = [item for item in kept if item.source != grams.number_of(())]
    assert len(longer) <= most


def test_the_ngrams_that_matter_most_are_kept() -> None:
    counted = NGrams(["金", "返せ", "今"], CALLS)
    for _ in range(50):
        counted.add(["金", "返せ"], "call")
    counted.add(["金", "今"], "call")
    grams = BackingOff(counted, most=3)
    assert grams.probability(("金",), "返せ") == pytest.approx(counted.probability(("金",), "返せ"))


def test_a_word_keeps_the_ways_it_is_usually_said() -> None:
    lexicon = Lexicon()
    lexicon.hear([Word("私", ("w", "a"))], 100)
    lexicon.hear([Word("私", ("w", "a", "t"))], 20)
    lexicon.hear([Word("私", ("x",))], 1)
    lexicon.add("私", ["y"])
    lexicon.add("土下座", ["d", "o"])
    ways = lexicon.pronunciations()
    assert ways["私"] == {("w", "a"): 0.0, ("w", "a", "t"): pytest.approx(math.log(5))}
    assert ways["土下座"] == {("d", "o"): 0.0}


def test_transition_ids_follow_the_order_kaldi_counts_in() -> None:
    expected = 1
    for name in NAMES:
        ids = TRANSITIONS[name]
        own = [ids.loop, ids.leave] if name == "SIL" else [
            ids.loop, ids.to_blank, ids.leave, ids.blank_loop, ids.blank_leave,
        ]  # fmt: skip
        assert own == list(range(expected, expected + len(own)))
        expected += len(own)
    assert expected - 1 == LAST_TRANSITION
    assert sorted(TRIPLES) == TRIPLES


def test_phones_know_their_place_in_the_word() -> None:
    assert in_position(("o",)) == ("o_S",)
    assert in_position(("k", "a", "n", "e")) == ("k_B", "a_I", "n_I", "e_E")


def test_a_voice_is_written_as_it_is_read() -> None:
    for text in ["kokoro:0.2,0.5,0.3,0,-0.4:speed=1.1,pitch=0.9", "openjtalk:speed=1.2,halftone=-2,formant=1.05"]:
        assert str(parse_voice(text)) == text
    assert parse_voice("openjtalk:speed=1.2") == Voice(engine="openjtalk", speed=1.2)


@pytest.mark.parametrize("text", ["", "espeak:speed=1", "kokoro:1,0:speed=1", "openjtalk:volume=3"])
def test_what_is_no_voice_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="voice"):
        parse_voice(text)


def test_distance_counts_the_changes_between_two_transcripts() -> None:
    assert edit_distance("金返せ", "金を返して") == 3
    assert edit_distance("", "土下座") == 3
    assert edit_distance("同じ", "同じ") == 0


SHIPPED = RECIPE.parent / "ja-starter"


def test_the_shipped_table_of_sounds_says_what_the_recipe_says() -> None:
    table = tomllib.loads((SHIPPED / "graph/sounds.toml").read_text(encoding="utf-8"))
    assert table["kana"] == {kana: " ".join(phones) for kana, phones in KANA.items()}
    assert table["sounds"] == {
        name: [ids.loop, ids.leave, ids.to_blank, ids.blank_loop, ids.blank_leave]
        for name, ids in TRANSITIONS.items()
        if name != "SIL"
    }
    assert table["weights"]["often"] < table["weights"]["usual"] < table["weights"]["rare"]
    labels = dict(row.rsplit(" ", 1) for row in (SHIPPED / "graph/words.txt").read_text(encoding="utf-8").splitlines())
    assert "[unk]" in labels
    assert "<own>" not in labels


def test_perplexity_is_the_number_of_words_that_are_as_likely() -> None:
    grams = NGrams(["金", "今"], CALLS, order=2)
    grams.add(["金"], "call")
    grams.add(["今"], "call")
    model = BackingOff(grams, most=0)
    assert model.perplexity([["金"], ["今", "知らない"]]) == pytest.approx(
        math.exp(-(2 * math.log(model.probability((), "金")) + 2 * math.log(model.probability((), "</s>"))) / 4)
    )


@pytest.mark.parametrize(("tempo", "pitch"), [(0.8, 1.0), (1.1, 1.0), (1.3, 0.95), (1.5, 0.82)])
def test_kokoro_speaks_no_faster_than_it_says_whole_and_is_hastened_by_the_rest(tempo: float, pitch: float) -> None:
    spoken, factor = kokoro_tempo(tempo, pitch, WHOLE)
    assert spoken <= WHOLE
    assert factor >= 1
    assert spoken * factor * pitch == pytest.approx(tempo)
    assert kokoro_tempo(tempo, pitch, math.inf) == (pytest.approx(tempo / pitch), 1.0)


@pytest.mark.parametrize("part", ["train", "dev", "test"])
def test_a_sentence_is_said_whole_unless_a_part_asks_for_sounds_left_out(part: Part) -> None:
    voice = voice_of("kokoro", part, np.random.default_rng(1))
    assert parse_voice(str(voice)).fastest == voice.fastest == WHOLE
    assert not any(slurs(voice, seed) for seed in range(20))
    slurring = voice_of("kokoro", part, np.random.default_rng(1), fastest=math.inf)
    assert slurring == replace(voice, fastest=math.inf)


def test_a_fast_sentence_loses_sounds_and_a_slow_one_does_not() -> None:
    fast = Voice(engine="kokoro", weights=(1, 0, 0, 0, 0), speed=1.3)
    assert slurs(fast, 3)
    assert slurs(replace(fast, speed=1.0, pitch=0.82), 3)
    assert not slurs(replace(fast, speed=1.0), 3)


def test_slurred_sentences_are_the_fast_ones_of_the_part_they_belong_to(tmp_path: Path) -> None:
    text = tmp_path / "text"
    (text / "slots").mkdir(parents=True)
    (text / "customer-x.txt").write_text("\n".join(f"これは{number}番目の話です" for number in range(400)))
    folders = {"text": text, "corpus": tmp_path / "none", "data": tmp_path / "none"}
    whole = {job.name[-5:]: job for job in jobs("kokoro", "train", 100, 1, folders)}
    slurred = list(jobs("kokoro", "slurred", 100, 1, folders))
    assert 20 < len(slurred) < len(whole) == 100
    for job in slurred:
        assert job.text == whole[job.name[-5:]].text
        assert replace(job.voice, fastest=WHOLE) == whole[job.name[-5:]].voice
        assert slurs(job.voice, int(job.name[-5:]))


def test_telling_words_are_in_their_sentences_and_each_word_of_the_list_is_tried_four_times() -> None:
    rows = [row.split("\t") for row in (RECIPE / "telling.tsv").read_text(encoding="utf-8").splitlines()]
    assert all(word in sentence for word, sentence in rows)
    assert len({sentence for _, sentence in rows}) == len(rows)
    listed = (RECIPE.parents[2] / "firmware_config/policy/telling-words.txt").read_text(encoding="utf-8").splitlines()
    tried = [word for word, _ in rows]
    assert all(tried.count(word) >= 4 for word in listed if word and not word.startswith("#"))


@pytest.mark.parametrize("name", ["telling", "general"])
def test_no_text_of_the_recipe_has_a_sentence_that_is_tried(name: str) -> None:
    known = {line.text for line in template_lines(RECIPE / "text")}
    known |= {line.text for line in corpus_lines(RECIPE.parents[1] / "harassment" / "corpus")}
    known = {text.strip("。、.?!") for text in known}
    rows = (RECIPE / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    assert not [row for row in rows if usual(row.split("\t")[1]).strip("。、.?!") in known]


def test_kinds_of_speech_tell_operators_from_callers() -> None:
    kinds = kinds_of_speech(RECIPE / "text", RECIPE.parents[1] / "harassment" / "corpus")
    assert set(kinds.values()) == {"operator", "standard", "other", "template"}


@pytest.mark.parametrize(
    ("surface", "kana", "kept"),
    [
        ("わたし", "ワタシ", "私"),
        ("頃", "コロ", "ころ"),
        ("頃", "ゴロ", "頃"),
        ("子供", "コドモ", "子ども"),
        ("犬", "イヌ", "犬"),
    ],
)
def test_a_word_has_one_spelling_where_it_is_said_as_that_is(surface: str, kana: str, kept: str) -> None:
    assert spelled(Word(surface, tuple(phones_of_kana(kana)))).surface == kept


def test_a_spelling_that_is_kept_is_no_other_words_other_spelling() -> None:
    assert not set(spellings()) & set(spellings().values())
