"""An interpolated Witten-Bell n-gram model of words, as the arcs of a backing-off acceptor."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

START, END = "<s>", "</s>"
LEAST_LEFT = 1e-6
"""A history always leaves something to words it was not seen with."""

History = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arc:
    """An arc of the acceptor; no word means backing off. Costs are negative natural logarithms."""

    source: int
    target: int
    word: str | None
    cost: float


@dataclass(frozen=True, slots=True)
class Final:
    """A state in which a sentence may end."""

    state: int
    cost: float


class NGrams:
    """Counts of n-grams and the probabilities that follow from them.

    With c(h) the words seen after a history and t(h) the different ones, p(w|h) = (c(h,w) + t(h) p(w|h')) / (c(h) +
    t(h)), h' being the history without its first word (Witten and Bell 1991, method C). Words of the vocabulary that
    no text has share what the single words leave.
    """

    def __init__(self, vocabulary: Iterable[str], order: int = 3) -> None:
        self.order = order
        self._vocabulary = sorted({*vocabulary, END} - {START})
        self._after: dict[History, Counter[str]] = defaultdict(Counter)
        self._unigram: dict[str, float] = {}

    def add(self, words: Sequence[str], weight: int = 1) -> None:
        """Count a sentence as if it had been said `weight` times."""
        line = [START, *words, END]
        for at in range(1, len(line)):
            for length in range(min(self.order - 1, at) + 1):
                self._after[tuple(line[at - length : at])][line[at]] += weight
        self._unigram = {}

    def probability(self, history: History, word: str) -> float:
        """Return p(word | history)."""
        if not history:
            return self._single(word)
        seen = self._after.get(history)
        if not seen:
            return self.probability(history[1:], word)
        kinds = len(seen)
        return (seen[word] + kinds * self.probability(history[1:], word)) / (seen.total() + kinds)

    def left_over(self, history: History) -> float:
        """Return the share of a seen history's probability that unseen words have."""
        seen = self._after[history]
        return len(seen) / (seen.total() + len(seen))

    def _single(self, word: str) -> float:
        if not self._unigram:
            seen = self._after[()]
            total, kinds = seen.total(), len(seen)
            unseen = kinds / len(self._vocabulary)
            self._unigram = {known: (seen[known] + unseen) / (total + kinds) for known in self._vocabulary}
        return self._unigram[word]

    def longer(self) -> Iterator[tuple[History, str, int]]:
        """Yield every n-gram of two words or more with its count."""
        for history, seen in self._after.items():
            if history:
                for word, count in seen.items():
                    yield history, word, count

    @property
    def vocabulary(self) -> list[str]:
        """The words, sorted, with the end of a sentence among them."""
        return self._vocabulary


class BackingOff:
    """The n-grams that matter most, with back-off weights that make every state sum to one.

    An n-gram is worth its count times what it changes of the log-probability (the weighted difference of Seymore and
    Rosenfeld 1996); the `most` worthiest are kept. Kept probabilities are those of the full model, and what they leave
    is shared as the shorter history says. Fewer n-grams made a smaller graph and, on the development set, a better one.
    """

    def __init__(self, grams: NGrams, most: int) -> None:
        self._grams = grams
        worth = []
        for history, word, count in grams.longer():
            backed_off = grams.probability(history[1:], word) * grams.left_over(history)
            worth.append((count * math.log(grams.probability(history, word) / backed_off), history, word))
        worth.sort(key=lambda item: (-item[0], item[1], item[2]))
        self._after: dict[History, dict[str, float]] = {(START,): {}}
        for _, history, word in worth[:most]:
            self._after.setdefault(history, {})[word] = grams.probability(history, word)
        order = sorted([(), *self._after], key=lambda history: (history != (START,), history))
        self._number = {history: at for at, history in enumerate(order)}
        self._left: dict[History, float] = {}
        for history in sorted(self._after, key=len):
            kept = self._after[history]
            shorter = sum(self.probability(history[1:], word) for word in kept)
            self._left[history] = max(LEAST_LEFT, 1 - sum(kept.values())) / max(LEAST_LEFT, 1 - shorter)

    def probability(self, history: History, word: str) -> float:
        """Return p(word | history)."""
        history = self._state_of(history)
        if not history:
            return self._grams.probability((), word)
        kept = self._after[history]
        return kept[word] if word in kept else self._left[history] * self.probability(history[1:], word)

    def number_of(self, history: History) -> int:
        """Return the acceptor's state of a history."""
        return self._number[history]

    def _state_of(self, history: History) -> History:
        kept = history[max(0, len(history) - self._grams.order + 1) :]
        while kept and kept not in self._after:
            kept = kept[1:]
        return kept

    def acceptor(self) -> Iterator[Arc | Final]:
        """Yield the arcs and final states; state 0 is the start of a sentence."""
        number = self._number
        for history, here in number.items():
            words = self._after[history] if history else self._grams.vocabulary
            for word in words:
                cost = -math.log(self.probability(history, word))
                if word == END:
                    yield Final(here, cost)
                else:
                    yield Arc(here, number[self._state_of((*history, word))], word, cost)
            if history:
                yield Arc(here, number[self._state_of(history[1:])], None, -math.log(self._left[history]))
