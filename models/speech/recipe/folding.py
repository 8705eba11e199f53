"""A network with the same answers and less to do: what only scales, shifts or turns is part of the matrix beside it.

- The LDA is part of the first layer, whose input becomes 120 numbers wide instead of 220.
- A BatchNorm's scale, which is above zero, is taken through the rectifier into the layer before it; its shift, which
  is the same in every frame, goes through the bypasses and comes out as a bias of the layers behind it.

It is exact but for rounding: a scale s > 0 gives `relu(x) * s = relu(x * s)`, and a shift c that is added to all frames
of a layer's input adds `W c` to its output.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from trunk import BLOCKS, BYPASS, Network

Tensor = torch.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """Matrices and biases as they are written to the file; `last` and `narrow` and `bottleneck` have no bias."""

    first: Tensor
    first_bias: Tensor
    narrow: list[Tensor]
    wide: list[Tensor]
    wide_bias: list[Tensor]
    last: Tensor
    head: Tensor
    head_bias: Tensor
    bottleneck: Tensor
    output: Tensor
    output_bias: Tensor


def folded(network: Network) -> Folded:
    """Return a network's matrices with everything folded; raise `ValueError` if a scale is not above zero."""
    n = copy.deepcopy(network).double()
    for scale in (*n.scales, n.head_scale):
        if not bool((scale > 0).all()):
            raise ValueError("a scale at or below zero cannot be taken through a rectifier")
    first = n.scales[0][:, None] * (n.first @ n.lda_weights)
    first_bias = n.scales[0] * (n.first @ n.lda_bias + n.first_bias)
    carried = n.shifts[0]
    wide, wide_bias = [], []
    for block in range(BLOCKS):
        scale = n.scales[block + 1]
        wide.append(scale[:, None] * n.wide[block])
        wide_bias.append(scale * (n.wide_bias[block] + _spread(n.wide[block], _spread(n.narrow[block], carried))))
        carried = BYPASS * carried + n.shifts[block + 1]
    head_bias = n.head_scale * (n.head_bias + n.head @ (n.last @ carried))
    output_bias = n.output.bias + n.output.weight @ (n.neck_scale * (n.bottleneck @ n.head_shift) + n.neck_shift)
    return Folded(
        first=first, first_bias=first_bias, narrow=list(n.narrow), wide=wide, wide_bias=wide_bias, last=n.last,
        head=n.head_scale[:, None] * n.head, head_bias=head_bias, bottleneck=n.bottleneck,
        output=n.output.weight * n.neck_scale, output_bias=output_bias,
    )  # fmt: skip


def without_lda(first: Tensor, first_bias: Tensor, lda: Tensor, lda_bias: Tensor) -> tuple[Tensor, Tensor]:
    """Return a first layer that does behind the LDA what a folded one does without it.

    Args:
        first: (units, 120), folded.
        first_bias: (units,), folded.
        lda: (220, 120) of full column rank.
        lda_bias: (220,).
    """
    layer = first.double() @ torch.linalg.pinv(lda.double())
    return layer.float(), (first_bias.double() - layer @ lda_bias.double()).float()


def _spread(weights: Tensor, constant: Tensor) -> Tensor:
    """Return what a layer over several frames makes of an input that is the same in all of them."""
    return weights @ constant.repeat(weights.shape[1] // len(constant))
