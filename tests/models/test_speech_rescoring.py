"""What final words are weighed with once more says the same in Kaldi's form as in the recipe's."""

from __future__ import annotations

import itertools
import math
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

RECIPE = Path(__file__).parents[2] / "models" / "speech" / "recipe"
sys.path.insert(0, str(RECIPE))

from ngram import END, START, BackingOff, NGrams  # noqa: E402
from rescoring import OWN_WORDS, carpa, with_loops  # noqa: E402

from edge_agent.services.speech.own_words import MOST_WORDS  # noqa: E402

WORDS = ["金", "返せ", "今", "すぐ", "東京", "駅"]
NUMBER = {word: at for at, word in enumerate(["<eps>", *WORDS, "[unk]", "#0", START, END])}


class Carpa:
    """Looks n-grams up as Kaldi does (lm/const-arpa-lm.cc): a state's children are sorted, odd ones are states."""

    def __init__(self, data: bytes) -> None:
        assert data.startswith(b"\0B<ConstArpaLm> <LmInfo> ")
        assert data.endswith(b"</LmOverflow> </ConstArpaLm> ")
        at = data.index(b"<LmInfo> ") + 9
        self.begin, self.end, self.unknown, self.order = (
            struct.unpack_from("<i", data, at + 5 * field + 1)[0] for field in range(4)
        )
        at = data.index(b"<LmStates> ") + 11
        assert data[at] == 8
        (size,) = struct.unpack_from("<q", data, at + 1)
        self.numbers = np.frombuffer(data, "<i4", size, at + 9)
        at = data.index(b"<LmUnigram> ") + 12
        (words,) = struct.unpack_from("<i", data, at + 1)
        self.first = np.frombuffer(data, "<i8", words, at + 5)

    def _float(self, bits: int) -> float:
        return float(np.int32(bits).view(np.float32))

    def _child(self, state: int, word: int) -> tuple[int | None, float] | None:
        for place in range(int(self.numbers[state + 2])):
            at = state + 3 + 2 * place
            if self.numbers[at] == word:
                info = int(self.numbers[at + 1])
                if info % 2 == 0:
                    return None, self._float(info)
                inner = state + info // 2
                return inner, self._float(int(self.numbers[inner]))
        return None

    def logarithm(self, history: list[int], word: int) -> float:
        if word >= len(self.first) or not self.first[word]:
            word = self.unknown
        if not history:
            return self._float(int(self.numbers[self.first[word] - 1]))
        state: int | None = int(self.first[history[0]]) - 1
        for one in history[1:]:
            found = self._child(state, one) if state is not None else None
            state = found[0] if found else None
        back = 0.0
        if state is not None:
            if found := self._child(state, word):
                return found[1]
            back = self._float(int(self.numbers[state + 1]))
        return back + self.logarithm(history[1:], word)


@pytest.fixture(scope="module")
def grams() -> NGrams:
    counted = NGrams(WORDS, {"call": 0.8, "aside": 0.2}, order=4)
    for _ in range(3):
        counted.add(["今", "すぐ", "金", "返せ"], "call", 6)
    counted.add(["東京", "駅"], "call", 6)
    counted.add(["今", "東京", "駅", "今", "すぐ", "返せ"], "aside")
    return counted


@pytest.mark.parametrize("most", [3, 8, 100])
def test_every_word_after_every_history_has_the_probability_of_the_recipe(grams: NGrams, most: int) -> None:
    large = BackingOff(grams, most, order=4)
    file = Carpa(carpa(large, NUMBER, "[unk]"))
    assert (file.begin, file.end, file.order) == (NUMBER[START], NUMBER[END], 4)
    for length in range(4):
        for history in itertools.product([START, *WORDS], repeat=length):
            if START in history[1:]:
                continue
            for word in [*WORDS, END]:
                expected = math.log(large.probability(history, word))
                found = file.logarithm([NUMBER[one] for one in history], NUMBER[word])
                assert found == pytest.approx(expected, abs=1e-5)


def test_an_own_word_costs_nothing_of_its_own(grams: NGrams) -> None:
    file = Carpa(carpa(BackingOff(grams, 100, order=4), NUMBER, "[unk]"))
    assert file.logarithm([], len(NUMBER) + 5) == 0
    assert file.logarithm([], NUMBER["[unk]"]) == 0


def test_the_grammar_has_a_loop_for_every_word_a_floor_may_add(grams: NGrams) -> None:
    small = BackingOff(grams, 8)
    alone = small.number_of(())
    free = range(len(NUMBER), len(NUMBER) + OWN_WORDS)
    rows = with_loops(small, NUMBER, free)
    assert OWN_WORDS == MOST_WORDS
    for label in free:
        assert f"{alone} {alone} {label} {label} 0\n" in rows
