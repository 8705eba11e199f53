"""Turn lines into batches: ids, targets, and cached states of the frozen layers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np
import numpy.typing as npt
import sentencepiece
import torch

from .corpus import Line
from .network import Network
from .noise import noisy
from .spec import HARASSMENT_LABELS, LABELS, clean, wrap_pieces

OUTPUTS = (*LABELS, "harassment")
"""One logit per label, and one for "any of the ten harassment labels"."""

TRAINING_TOKENS = 96
"""Longer examples (joined lines) are cut here while training: rare, and quadratic."""

PAD_ID = 1

NATIVE_BFLOAT16 = any(torch.cpu.get_capabilities().get(name, False) for name in ("amx_bf16", "avx512_bf16"))
"""Whether this processor multiplies bfloat16 itself: where it is imitated, float32 is eight times as fast."""

LEAST_ALIKE = 0.6
"""Below this share of characters in common a recognised line no longer says what was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A text as the network reads it."""

    text: str
    ids: tuple[int, ...]
    targets: npt.NDArray[np.float32]
    """Shape (13,), in the order of OUTPUTS."""


def targets_of(labels: frozenset[str]) -> npt.NDArray[np.float32]:
    """Return the 13 targets of a set of labels."""
    named = labels | ({"harassment"} if labels & set(HARASSMENT_LABELS) else set())
    return np.array([float(name in named) for name in OUTPUTS], np.float32)


def example_of(text: str, labels: frozenset[str], tokenizer: sentencepiece.SentencePieceProcessor) -> Example:
    """Return the example of an already cleaned text."""
    ids = wrap_pieces(tokenizer.encode(text), max_tokens=TRAINING_TOKENS)
    return Example(text=text, ids=tuple(ids), targets=targets_of(labels))


def variants(
    lines: Sequence[Line],
    tokenizer: sentencepiece.SentencePieceProcessor,
    *,
    count: int,
    seed: int,
    heard: Mapping[str, str] | None = None,
) -> list[list[Example]]:
    """Return ``count`` readings of every line: as written, then as heard, then with imitated errors.

    A line that was not heard (``heard`` has it not by its text), or of which recognition
    left too little to carry its labels, has an imitation in its place.
    """
    rng = random.Random(seed)
    written = [example_of(clean(line.text), line.labels, tokenizer) for line in lines]
    readings = [written]
    for number in range(1, count):
        reading = []
        for line in lines:
            found = understood(line, heard or {}) if number == 1 else None
            text, labels = (found, line.labels) if found else noisy(line, lines, rng)
            reading.append(example_of(text, labels, tokenizer))
        readings.append(reading)
    return readings


def understood(line: Line, heard: Mapping[str, str]) -> str | None:
    """Return what recognition made of a line, cleaned; None if it is too far from the words that earned the labels."""
    found = clean(heard.get(line.text, ""))
    written = clean(line.text)
    if not found or found == written:
        return None
    # SequenceMatcher's ratio: twice the characters in common over all characters.
    alike = SequenceMatcher(None, written, found, autojunk=False).ratio()
    return found if alike >= LEAST_ALIKE else None


def batches(lengths: Sequence[int], chosen: Sequence[int], size: int, rng: random.Random) -> Iterator[list[int]]:
    """Yield the chosen indices in random batches of similar length."""
    order = sorted(chosen, key=lambda index: lengths[index] + rng.random() * 6)
    groups = [order[start : start + size] for start in range(0, len(order), size)]
    rng.shuffle(groups)
    yield from groups


def padded(ids: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask, both (batch, longest)."""
    longest = max(map(len, ids))
    tensor = torch.full((len(ids), longest), PAD_ID, dtype=torch.long)
    mask = torch.zeros((len(ids), longest))
    for row, each in enumerate(ids):
        tensor[row, : len(each)] = torch.tensor(each)
        mask[row, : len(each)] = 1
    return tensor, mask


class LowerStates:
    """States after the frozen layers, float16 in memory: computed once, used each epoch."""

    def __init__(self, network: Network, examples: Sequence[Example], depth: int) -> None:
        self.lengths = [len(example.ids) for example in examples]
        self._states: list[torch.Tensor] = [torch.empty(0)] * len(examples)
        network.eval()
        rng = random.Random(0)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=NATIVE_BFLOAT16):
            for group in batches(self.lengths, range(len(examples)), 64, rng):
                ids, mask = padded([examples[index].ids for index in group])
                states = network.lower(ids, mask, depth).to(torch.float16)
                for row, index in enumerate(group):
                    self._states[index] = states[row, : self.lengths[index]].clone()

    def batch(self, group: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return states (batch, longest, hidden) and mask (batch, longest)."""
        longest = max(self.lengths[index] for index in group)
        hidden = self._states[group[0]].shape[1]
        states = torch.zeros((len(group), longest, hidden))
        mask = torch.zeros((len(group), longest))
        for row, index in enumerate(group):
            states[row, : self.lengths[index]] = self._states[index].float()
            mask[row, : self.lengths[index]] = 1
        return states, mask
