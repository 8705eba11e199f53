"""The encoder as a torch module: post-LN BERT, erf-GELU, mean pooling, a linear head."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from .encoder_file import EncoderFile

EMBEDDING_LAYER = 6
"""The layer whose mean says what a line is about: the highest that training leaves as the encoder came."""

_EPSILON = 1e-12
"""multilingual-e5-small's own ``layer_norm_eps``."""


class Layer(nn.Module):
    """One transformer layer; dropout only on the two residual branches."""

    def __init__(self, hidden: int, heads: int, feed_forward: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(hidden, hidden)
        self.k = nn.Linear(hidden, hidden)
        self.v = nn.Linear(hidden, hidden)
        self.ao = nn.Linear(hidden, hidden)
        self.aln = nn.LayerNorm(hidden, eps=_EPSILON)
        self.fi = nn.Linear(hidden, feed_forward)
        self.fo = nn.Linear(feed_forward, hidden)
        self.oln = nn.LayerNorm(hidden, eps=_EPSILON)
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """Map states (batch, length, hidden); bias (batch, 1, 1, length) hides padding."""
        batch, length, hidden = states.shape
        size = hidden // self.heads

        def split(linear: nn.Linear) -> torch.Tensor:
            projected: torch.Tensor = linear(states)
            return projected.view(batch, length, self.heads, size).transpose(1, 2)

        attention = split(self.q) @ split(self.k).transpose(-1, -2) / math.sqrt(size)
        if bias is not None:
            attention = attention + bias
        context = torch.softmax(attention, -1) @ split(self.v)
        context = context.transpose(1, 2).reshape(batch, length, hidden)
        states = self.aln(states + self.dropout(self.ao(context)))
        inner = self.fo(functional.gelu(self.fi(states)))
        mixed: torch.Tensor = self.oln(states + self.dropout(inner))
        return mixed


class Network(nn.Module):
    """Pruned e5-small with one logit per label and one for "any harassment"."""

    def __init__(
        self,
        encoder: EncoderFile,
        kept: list[int],
        *,
        outputs: int,
        positions: int,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        hidden = encoder.hidden
        self.word = nn.Embedding(len(kept), hidden)
        self.position = nn.Embedding(positions, hidden)
        self.norm = nn.LayerNorm(hidden, eps=_EPSILON)
        self.layers = nn.ModuleList(
            Layer(hidden, encoder.heads, encoder.feed_forward, dropout) for _ in range(encoder.layers)
        )
        self.centre = nn.Buffer(torch.zeros(hidden))
        """Mean of the embeddings of ordinary lines: what all lines share says nothing of their likeness."""
        self.head_dropout = nn.Dropout(2 * dropout)
        self.head = nn.Linear(hidden, outputs)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)
        self._load(encoder, kept, positions)

    def lower(self, ids: torch.Tensor, mask: torch.Tensor, depth: int) -> torch.Tensor:
        """Run embeddings and the first ``depth`` layers: the part that stays frozen."""
        states: torch.Tensor = self.norm(self.word(ids) + self.position.weight[: ids.shape[1]][None])
        for layer in self.layers[:depth]:
            states = layer(states, _bias(mask, states.dtype))
        return states

    def upper(self, states: torch.Tensor, mask: torch.Tensor, depth: int) -> torch.Tensor:
        """Run the layers from ``depth`` on and the head: logits (batch, outputs)."""
        bias = _bias(mask, states.dtype)
        for layer in self.layers[depth:]:
            states = layer(states, bias)
        weight = mask.to(states.dtype)[..., None]
        pooled = (states * weight).sum(1) / weight.sum(1)
        logits: torch.Tensor = self.head(self.head_dropout(pooled))
        return logits

    def forward(self, input_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (batch, outputs) and embeddings (batch, hidden, of length 1) of unpadded ids (batch, length)."""
        states: torch.Tensor = self.norm(self.word(input_ids) + self.position.weight[: input_ids.shape[1]][None])
        pooled = states
        for depth, layer in enumerate(self.layers, start=1):
            states = layer(states, None)
            if depth == EMBEDDING_LAYER:
                pooled = states.mean(1)
        logits: torch.Tensor = self.head(states.mean(1))
        return logits, functional.normalize(pooled - self.centre, dim=-1)

    def pooled(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the embeddings (batch, hidden) of padded ids, neither centred nor scaled."""
        states = self.lower(ids, mask, EMBEDDING_LAYER)
        weight = mask[..., None]
        mean: torch.Tensor = (states * weight).sum(1) / weight.sum(1)
        return mean

    def _load(self, encoder: EncoderFile, kept: list[int], positions: int) -> None:
        tensors = {name: torch.from_numpy(value) for name, value in encoder.tensors.items()}
        with torch.no_grad():
            self.word.weight.copy_(tensors["emb.word"][kept])
            # Every token has type 0: folding it in saves the graph a lookup.
            self.position.weight.copy_(tensors["emb.pos"][:positions] + tensors["emb.type"][0])
            self.norm.weight.copy_(tensors["emb.ln.w"])
            self.norm.bias.copy_(tensors["emb.ln.b"])
            for index, layer in enumerate(self.layers):
                for name in ("q", "k", "v", "ao", "fi", "fo", "aln", "oln"):
                    part = getattr(layer, name)
                    part.weight.copy_(tensors[f"l{index}.{name}.w"])
                    part.bias.copy_(tensors[f"l{index}.{name}.b"])


def _bias(mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return (1.0 - mask.to(dtype))[:, None, None, :] * -1e4
