"""Fine-tune the upper half of the encoder on states cached from the frozen lower half."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sentencepiece
import torch
from sklearn.metrics import average_precision_score
from torch.nn import functional

from .corpus import Line
from .examples import NATIVE_BFLOAT16, OUTPUTS, Example, LowerStates, batches, example_of, padded
from .network import Network
from .spec import LABELS, clean

FROZEN_LAYERS = 6
NEUTRAL_SHARE = 0.45
"""More neutral lines than this in the first stage and the heads collapse to "nothing"."""

LEAST_MACRO_AP = 0.35
"""Below this on the development part the heads have collapsed: stop, do not ship."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One pass of training."""

    epochs: int
    rate: float
    """Peak learning rate of the encoder; the head learns ``HEAD_RATE`` times as fast."""
    neutral_share: float | None
    """Share of neutral lines per epoch; None takes all of them."""


HEAD_RATE = 8
FIRST = Stage(epochs=5, rate=2e-4, neutral_share=NEUTRAL_SHARE)
SECOND = Stage(epochs=2, rate=1.2e-4, neutral_share=None)
THIRD = Stage(epochs=3, rate=1.5e-4, neutral_share=0.6)
PLAN = ((FIRST, SECOND), (THIRD,))
"""Stages by the noise they learn from: each group hears the lines damaged anew."""
_BATCH = 32
_SMOOTHING = 0.04


class Readings:
    """The readings of the training lines, with the frozen layers' states of each: every seed learns from the same."""

    def __init__(self, network: Network, lines: Sequence[Line], examples: list[list[Example]]) -> None:
        self.lines = lines
        self.examples = examples
        self.states = [LowerStates(network, each, FROZEN_LAYERS) for each in examples]


class Trainer:
    """Takes one network through a group of stages."""

    def __init__(self, network: Network, readings: Readings, *, seed: int) -> None:
        torch.manual_seed(seed)
        self._network = network
        self._rng = random.Random(seed)
        self._readings = readings.examples
        self._states = readings.states
        self._neutral = [index for index, line in enumerate(readings.lines) if not line.labels]
        self._labelled = [index for index, line in enumerate(readings.lines) if line.labels]
        rate = np.mean([example.targets for example in self._readings[0]], axis=0)
        weight = np.sqrt(np.clip((1 - rate) / np.clip(rate, 0.01, None), 1, 8))
        self._positive_weight = torch.tensor(weight, dtype=torch.float32)
        self._epoch = 0

    def run(self, stage: Stage) -> None:
        """Train one stage with linear warm-up and decay."""
        network = self._network
        trained = [*network.layers[FROZEN_LAYERS:].parameters()]
        for parameter in network.parameters():
            parameter.requires_grad = False
        for parameter in (*trained, *network.head.parameters()):
            parameter.requires_grad = True
        optimizer = torch.optim.AdamW(
            [{"params": trained}, {"params": [*network.head.parameters()]}],
            lr=stage.rate, weight_decay=0.01, fused=True,
        )  # fmt: skip
        steps = stage.epochs * (len(self._chosen(stage)) // _BATCH + 1)
        step = 0
        for _ in range(stage.epochs):
            network.train()
            began, losses = time.monotonic(), []
            reading = self._epoch % len(self._readings)
            self._epoch += 1
            states = self._states[reading]
            for group in batches(states.lengths, self._chosen(stage), _BATCH, self._rng):
                pace = min(1.0, (step + 1) / (0.1 * steps)) * max(0.02, 1 - step / steps)
                for part, factor in zip(optimizer.param_groups, (1, HEAD_RATE), strict=True):
                    part["lr"] = stage.rate * factor * pace
                losses.append(self._step(optimizer, states, self._readings[reading], group))
                step += 1
            print(f"  epoch {self._epoch} reading {reading} loss {np.mean(losses):.4f} "
                  f"{time.monotonic() - began:.0f} s", flush=True)  # fmt: skip

    def _step(
        self,
        optimizer: torch.optim.Optimizer,
        states: LowerStates,
        examples: Sequence[Example],
        group: Sequence[int],
    ) -> float:
        lower, mask = states.batch(group)
        targets = torch.tensor(np.stack([examples[index].targets for index in group]))
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=NATIVE_BFLOAT16):
            logits = self._network.upper(lower, mask, FROZEN_LAYERS)
        loss = functional.binary_cross_entropy_with_logits(
            logits.float(),
            targets * (1 - _SMOOTHING) + _SMOOTHING / 2,
            pos_weight=self._positive_weight,
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    def _chosen(self, stage: Stage) -> list[int]:
        neutral = self._neutral
        if stage.neutral_share is not None:
            most = len(self._labelled) * stage.neutral_share / (1 - stage.neutral_share)
            neutral = self._rng.sample(neutral, min(len(neutral), int(most)))
        return [*self._labelled, *neutral]


def logits_of(network: Network, tokenizer: sentencepiece.SentencePieceProcessor, lines: Sequence[Line]) -> np.ndarray:
    """Return float32 logits (lines, 13) of the lines as written."""
    network.eval()
    examples = [example_of(clean(line.text), line.labels, tokenizer) for line in lines]
    logits = np.zeros((len(lines), len(OUTPUTS)), np.float32)
    lengths = [len(example.ids) for example in examples]
    with torch.no_grad():
        for group in batches(lengths, range(len(lines)), 64, random.Random(0)):
            ids, mask = padded([examples[index].ids for index in group])
            lower = network.lower(ids, mask, FROZEN_LAYERS)
            logits[group] = network.upper(lower, mask, FROZEN_LAYERS).numpy()
    return logits


def mean_embedding(
    network: Network, tokenizer: sentencepiece.SentencePieceProcessor, lines: Sequence[Line]
) -> torch.Tensor:
    """Return the mean embedding (hidden,) of lines."""
    network.eval()
    total = torch.zeros(network.centre.shape)
    with torch.no_grad():
        for line in lines:
            example = example_of(clean(line.text), line.labels, tokenizer)
            total += network.pooled(*padded([example.ids]))[0]
    return total / len(lines)


def macro_average_precision(scores: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean average precision over the twelve labels that occur."""
    return float(
        np.mean(
            [
                average_precision_score(targets[:, column], scores[:, column])
                for column in range(len(LABELS))
                if targets[:, column].any()
            ]
        )
    )
