"""An interpolated Witten-Bell n-gram model of words, as the arcs of a backing-off acceptor."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

START, END = "<s>", "</s>"

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

    def prune(self, least: int) -> None:
        """Forget the longest n-grams that were counted less than `least` times."""
        for history in [history for history in self._after if len(history) == self.order - 1]:
            kept = Counter({word: count for word, count in self._after[history].items() if count >= least})
            if kept:
                self._after[history] = kept
            else:
                del self._after[history]

    def probability(self, history: History, word: str) -> float:
        """Return p(word | history)."""
        if not history:
            return self._single(word)
        seen = self._after.get(history)
        if not seen:
            return self.probability(history[1:], word)
        kinds = len(seen)
        return (seen[word] + kinds * self.probability(history[1:], word)) / (seen.total() + kinds)

    def _single(self, word: str) -> float:
        if not self._unigram:
            seen = self._after[()]
            total, kinds = seen.total(), len(seen)
            unseen = kinds / len(self._vocabulary)
            self._unigram = {known: (seen[known] + unseen) / (total + kinds) for known in self._vocabulary}
        return self._unigram[word]

    def _state_of(self, history: History) -> History:
        kept = history[max(0, len(history) - self.order + 1) :]
        while kept and kept not in self._after:
            kept = kept[1:]
        return kept

    def acceptor(self) -> Iterator[Arc | Final]:
        """Yield the arcs and final states; state 0 is the start of a sentence."""
        histories = sorted(self._after, key=lambda history: (history != (START,), history))
        number = {history: at for at, history in enumerate(histories)}
        for history in histories:
            here = number[history]
            words = self._after[history] if history else self._vocabulary
            for word in words:
                cost = -math.log(self.probability(history, word))
                if word == END:
                    yield Final(here, cost)
                else:
                    yield Arc(here, number[self._state_of((*history, word))], word, cost)
            if history:
                seen = self._after[history]
                kinds = len(seen)
                target = number[self._state_of(history[1:])]
                yield Arc(here, target, None, -math.log(kinds / (seen.total() + kinds)))
