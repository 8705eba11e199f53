"""An n-gram model of words, as the arcs of a backing-off acceptor."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Discount:
    """What is taken of n-grams seen once, twice and more often, and given to those that were not."""

    once: float
    twice: float
    more: float

    def of(self, count: int) -> float:
        """Return what an n-gram seen `count` times gives."""
        return (0.0, self.once, self.twice, self.more)[min(count, 3)]


USUAL_DISCOUNT = _Discount(once=0.5, twice=0.8, more=1.1)
"""Where a text is too small to tell: the order of those of large ones."""


class KneserNey:
    """Modified Kneser-Ney n-grams of one order, interpolated, over what single words leave (Chen and Goodman 1998).

    The longest n-grams count as often as they were seen, shorter ones as the words they were seen after; those that
    begin a sentence can follow nothing and count as seen. The discounts come from how many n-grams were seen once to
    four times.
    """

    def __init__(self, counts: Mapping[int, Mapping[History, Counter[str]]], order: int) -> None:
        """Take counts by the length of the history, up to `order` - 1."""
        self._after = [
            counts[length] if length == order - 1 else _continuations(counts, length) for length in range(order)
        ]
        self._discounts = [_discount(after) for after in self._after]
        self._left = [
            {history: self._left_of(seen, discount) for history, seen in after.items()}
            for after, discount in zip(self._after, self._discounts, strict=True)
        ]

    def probability(self, history: History, word: str, single: float) -> float:
        """Return p(word | history), `single` being the probability of the word without a history."""
        seen = self._after[len(history)].get(history)
        shorter = self.probability(history[1:], word, single) if history else single
        if not seen:
            return shorter
        total, left = self._left[len(history)][history]
        count = seen.get(word, 0)
        return (count - self._discounts[len(history)].of(count)) / total + left * shorter

    @staticmethod
    def _left_of(seen: Counter[str], discount: _Discount) -> tuple[int, float]:
        total = seen.total()
        return total, sum(discount.of(count) for count in seen.values()) / total


def _continuations(counts: Mapping[int, Mapping[History, Counter[str]]], length: int) -> dict[History, Counter[str]]:
    after: dict[History, Counter[str]] = defaultdict(Counter)
    for history, seen in counts[length + 1].items():
        for word in seen:
            after[history[1:]][word] += 1
    after.update({history: seen for history, seen in counts[length].items() if history[:1] == (START,)})
    return after


def _discount(after: Mapping[History, Counter[str]]) -> _Discount:
    times = Counter(count for seen in after.values() for count in seen.values() if count <= 4)
    if not all(times[count] for count in (1, 2, 3, 4)):
        return USUAL_DISCOUNT
    share = times[1] / (times[1] + 2 * times[2])
    return _Discount(
        once=1 - 2 * share * times[2] / times[1],
        twice=max(0.0, 2 - 3 * share * times[3] / times[2]),
        more=max(0.0, 3 - 4 * share * times[4] / times[3]),
    )


class NGrams:
    """Counts of the words of several kinds of text, and the probabilities that follow from them.

    An n-gram's probability is the kinds' share of those of `KneserNey` models of its own order: one that is backed off
    to must say what follows the shorter history as a whole, and the lower orders of a longer model do not. Single
    words are interpolated after Witten and Bell (1991, method C): those of the vocabulary that no text has share what
    the others leave.
    """

    def __init__(self, vocabulary: Iterable[str], shares: Mapping[str, float], order: int = 3) -> None:
        """Take the vocabulary and the shares (together 1) that n-grams of each kind of text have."""
        self.order = order
        self._vocabulary = sorted({*vocabulary, END} - {START})
        self._shares = dict(shares)
        self._singles: Counter[str] = Counter()
        self._counts = {
            kind: {length: defaultdict[History, Counter[str]](Counter) for length in range(order)} for kind in shares
        }
        self._models: dict[tuple[str, int], KneserNey] = {}
        self._single: dict[str, float] = {}

    def add(self, words: Sequence[str], kind: str, weight: int = 1) -> None:
        """Count a sentence of a kind; `weight` is how often its single words count."""
        line = [START, *words, END]
        counts = self._counts[kind]
        for at in range(1, len(line)):
            self._singles[line[at]] += weight
            for length in range(min(self.order - 1, at) + 1):
                counts[length][tuple(line[at - length : at])][line[at]] += 1
        self._models, self._single = {}, {}

    def probability(self, history: History, word: str) -> float:
        """Return p(word | history)."""
        single = self._alone(word)
        if not history:
            return single
        return sum(
            share * self._model(kind, len(history) + 1).probability(history, word, single)
            for kind, share in self._shares.items()
        )

    def longer(self) -> Iterator[tuple[History, dict[str, float]]]:
        """Yield every history of a word or more with how often each word was seen after it, by the kinds' shares."""
        for length in range(1, self.order):
            seen: dict[History, dict[str, float]] = defaultdict(dict)
            for kind, share in self._shares.items():
                for history, words in self._counts[kind][length].items():
                    for word, count in words.items():
                        seen[history][word] = seen[history].get(word, 0.0) + share * count
            yield from seen.items()

    @property
    def vocabulary(self) -> list[str]:
        """The words, sorted, with the end of a sentence among them."""
        return self._vocabulary

    def _model(self, kind: str, order: int) -> KneserNey:
        if (kind, order) not in self._models:
            self._models[kind, order] = KneserNey(self._counts[kind], order)
        return self._models[kind, order]

    def _alone(self, word: str) -> float:
        if not self._single:
            total, kinds = self._singles.total(), len(self._singles)
            unseen = kinds / len(self._vocabulary)
            self._single = {known: (self._singles[known] + unseen) / (total + kinds) for known in self._vocabulary}
        return self._single[word]


def _left_over(known: Iterable[float], shorter: Iterable[float]) -> float:
    """Return the weight of backing off that makes all sum to one, from the probabilities of the words that do not."""
    return max(LEAST_LEFT, 1 - sum(known)) / max(LEAST_LEFT, 1 - sum(shorter))


class BackingOff:
    """The n-grams that matter most, with back-off weights that make every state sum to one.

    An n-gram is worth its count times what it changes of the log-probability (the weighted difference of Seymore and
    Rosenfeld 1996); the `most` worthiest are kept. Kept probabilities are those of the full model, and what they leave
    is shared as the shorter history says. Fewer n-grams made a smaller graph and, on the development set, a better one.
    """

    def __init__(self, grams: NGrams, most: int, order: int = 3) -> None:
        self.order = order
        self._grams = grams
        worth = []
        for history, seen in grams.longer():
            if len(history) >= order:
                continue
            known = {word: grams.probability(history, word) for word in seen}
            shorter = {word: grams.probability(history[1:], word) for word in seen}
            left = _left_over(known.values(), shorter.values())
            for word, count in seen.items():
                worth.append((count * math.log(known[word] / (left * shorter[word])), history, word, known[word]))
        worth.sort(key=lambda item: (-item[0], item[1], item[2]))
        self._after: dict[History, dict[str, float]] = {(START,): {}}
        for _, history, word, probability in worth[:most]:
            self._after.setdefault(history, {})[word] = probability
        order = sorted([(), *self._after], key=lambda history: (history != (START,), history))
        self._number = {history: at for at, history in enumerate(order)}
        self._left: dict[History, float] = {}
        for history in sorted(self._after, key=len):
            kept = self._after[history]
            self._left[history] = _left_over(kept.values(), [self.probability(history[1:], word) for word in kept])

    def probability(self, history: History, word: str) -> float:
        """Return p(word | history)."""
        history = self._state_of(history)
        if not history:
            return self._grams.probability((), word)
        kept = self._after[history]
        return kept[word] if word in kept else self._left[history] * self.probability(history[1:], word)

    def perplexity(self, sentences: Iterable[Sequence[str]]) -> float:
        """Return how many words the model hesitates between on average; words it does not know are passed over."""
        known, cost, count = set(self.vocabulary), 0.0, 0
        for words in sentences:
            line = [START, *words, END]
            for at in range(1, len(line)):
                if line[at] in known:
                    cost -= math.log(self.probability(tuple(line[max(0, at - self.order + 1) : at]), line[at]))
                    count += 1
        return math.exp(cost / max(1, count))

    def longer(self) -> Iterator[tuple[History, str, float]]:
        """Yield every kept n-gram of two words or more with its probability."""
        for history, kept in self._after.items():
            for word, probability in kept.items():
                yield history, word, probability

    def backs(self) -> Iterator[tuple[History, float]]:
        """Yield every history that is a state with the weight of backing off from it."""
        yield from self._left.items()

    @property
    def vocabulary(self) -> list[str]:
        """The words, sorted, with the end of a sentence among them."""
        return self._grams.vocabulary

    def number_of(self, history: History) -> int:
        """Return the acceptor's state of a history."""
        return self._number[history]

    def _state_of(self, history: History) -> History:
        kept = history[max(0, len(history) - self.order + 1) :]
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


def grammar_rows(grams: BackingOff, number: Mapping[str, int], *, back: int) -> Iterator[str]:
    """Yield the acceptor as text for OpenFst, words by their `number`; backing off takes `back` and gives nothing."""
    for item in grams.acceptor():
        if not isinstance(item, Arc):
            yield f"{item.state} {item.cost:.6g}\n"
        elif item.word:
            label = number[item.word]
            yield f"{item.source} {item.target} {label} {label} {item.cost:.6g}\n"
        else:
            yield f"{item.source} {item.target} {back} 0 {item.cost:.6g}\n"
