"""Which words carried a decision: the utterance is judged again with one piece left out at a time.

The piece without which the label loses most is what the label was seen in. It needs no gradients, works with every
classifier, costs at most `MOST_PIECES` further runs, and is done for alerts only.
"""

from __future__ import annotations

from collections.abc import Callable

MOST_PIECES = 5
"""Pieces an utterance is cut into at most: one run of the classifier each."""
SHARE = 0.5
"""Pieces whose loss is at least this share of the greatest belong to the telling words."""
LEAST_LOSS = 0.05
"""If no piece matters more than this, the whole utterance carried the decision."""


def telling_words(text: str, score_of: Callable[[str], float]) -> tuple[tuple[int, int], ...]:
    """Return the stretches (start, end) of `text` that carried its score, in order and apart from one another.

    Args:
        text: the utterance as judged.
        score_of: probability (0–1) of the label in question for any text.

    The whole text is one stretch if it is too short to cut, or if every part of it can be missed.
    """
    pieces = cut(text)
    if not pieces:
        return ()
    if len(pieces) == 1:
        return tuple(pieces)
    whole = score_of(text)
    losses = [whole - score_of(text[:start] + text[end:]) for start, end in pieces]
    greatest = max(losses)
    if greatest < LEAST_LOSS:
        return ((0, len(text)),)
    telling = [piece for piece, loss in zip(pieces, losses, strict=True) if loss >= SHARE * greatest]
    return _joined(telling)


def cut(text: str, most: int = MOST_PIECES) -> list[tuple[int, int]]:
    """Return `text` in at most `most` pieces of like length, cut where words begin if such a place is near.

    Recognised Japanese has no spaces; a word mostly begins where kana end and a kanji or katakana begins.
    """
    count = min(most, max(1, len(text) // 3))
    cuts = [0]
    for number in range(1, count):
        ideal = round(number * len(text) / count)
        reach = max(1, len(text) // count // 2)
        near = [
            at
            for at in range(max(cuts[-1] + 1, ideal - reach), min(len(text), ideal + reach + 1))
            if _begins_word(text, at)
        ]
        at = min(near, key=lambda place: abs(place - ideal), default=ideal)
        if at > cuts[-1]:
            cuts.append(at)
    return list(zip(cuts, [*cuts[1:], len(text)], strict=True)) if text else []


def _begins_word(text: str, at: int) -> bool:
    return _kind(text[at - 1]) != _kind(text[at]) and _kind(text[at]) != "hiragana"


def _kind(character: str) -> str:
    if "\u3041" <= character <= "\u309f":
        return "hiragana"
    if "\u30a0" <= character <= "\u30ff":
        return "katakana"
    return "latin" if character.isascii() else "kanji"


def _joined(pieces: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    joined: list[tuple[int, int]] = []
    for start, end in pieces:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return tuple(joined)
