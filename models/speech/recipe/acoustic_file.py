"""Write the trained network as Kaldi's binary `final.mdl`, and read its weights back to train on from a release.

Transition model, nnet3 with a log-softmax, no i-vector. What `folding.py` can fold has no component of its own.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from folding import folded, without_lda
from kaldi_binary import Writer
from topology import LOG_PROBS, NAMES, OUTPUTS, TRIPLES
from trunk import BLOCKS, BYPASS, CEPSTRA, CONTEXT, Network, read_components

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Array = npt.NDArray[np.float32]


MOST_APART = 1e-3
"""How far rounding may move a logit; they are some tens at most."""


def _array(tensor: torch.Tensor) -> Array:
    out: Array = tensor.detach().float().numpy()
    return out


class ModelFile:
    """The nnet3 part in the making: components in their order, and the nodes that join them."""

    def __init__(self) -> None:
        self.out = Writer()
        self._nodes = [f"input-node name=input dim={CEPSTRA}"]
        self._components: list[tuple[str, str, Callable[[], None]]] = []

    def component(self, name: str, kind: str, source: str, body: Callable[[], None]) -> str:
        """Add a component that hears `source`; return its name."""
        self._components.append((name, kind, body))
        self._nodes.append(f"component-node name={name} component={name} input={source}")
        return name

    def _pairs(self, **values: Array) -> None:
        for name, value in values.items():
            self.out.tokens(f"<{name}>")
            (self.out.matrix if value.ndim == 2 else self.out.vector)(value)

    def affine(self, name: str, source: str, weights: Array, bias: Array | None = None) -> str:
        """Add a matrix and a bias (zero if none is given)."""
        shift = np.zeros(len(weights), np.float32) if bias is None else bias

        def body() -> None:
            self.out.tokens("<LearningRate>")
            self.out.number(0.001)
            self._pairs(LinearParams=weights, BiasParams=shift)
            for token, value in (("<RankIn>", 20), ("<RankOut>", 80), ("<UpdatePeriod>", 4)):
                self.out.tokens(token)
                self.out.integer(value)
            for token, number in (("<NumSamplesHistory>", 2000.0), ("<Alpha>", 4.0)):
                self.out.tokens(token)
                self.out.number(number)

        return self.component(name, "NaturalGradientAffineComponent", source, body)

    def tdnn(self, name: str, source: str, offsets: tuple[int, ...], weights: Array, bias: Array) -> str:
        """Add a matrix over several frames."""

        def body() -> None:
            out = self.out
            out.tokens("<LearningRate>")
            out.number(0.001)
            out.tokens("<TimeOffsets>")
            out.integers(offsets)
            self._pairs(LinearParams=weights, BiasParams=bias)
            out.tokens("<OrthonormalConstraint>")
            out.number(0.0)
            out.tokens("<UseNaturalGradient>")
            out.flag(True)
            out.tokens("<NumSamplesHistory>")
            out.number(2000.0)
            out.tokens("<AlphaInOut>")
            out.number(4.0)
            out.number(4.0)
            out.tokens("<RankInOut>")
            out.integer(20)
            out.integer(80)

        return self.component(name, "TdnnComponent", source, body)

    def nonlinear(self, name: str, kind: str, source: str, size: int) -> str:
        """Add a component of a size and empty statistics."""

        def body() -> None:
            self.out.tokens("<Dim>")
            self.out.integer(size)
            for token in ("<ValueAvg>", "<DerivAvg>"):
                self.out.tokens(token)
                self.out.vector([])
            self.out.tokens("<Count>")
            self.out.wide(0.0)
            self.out.tokens("<OderivRms>")
            self.out.vector([])
            for token in ("<OderivCount>", "<NumDimsSelfRepaired>", "<NumDimsProcessed>"):
                self.out.tokens(token)
                self.out.wide(0.0)

        return self.component(name, kind, source, body)

    def added(self, name: str, source: str, size: int) -> str:
        """Add a component that passes a sum on."""

        def body() -> None:
            self.out.tokens("<Dim>")
            self.out.integer(size)
            self.out.tokens("<BackpropScale>")
            self.out.number(1.0)

        return self.component(name, "NoOpComponent", source, body)

    def finish(self, source: str) -> None:
        """Write the nodes and the components."""
        self._nodes.append(f"output-node name=output input={source} objective=linear")
        out = self.out
        out.tokens("<Nnet3>")
        out.raw(b"\n" + ("\n".join(self._nodes) + "\n\n").encode())
        out.tokens("<NumComponents>")
        out.integer(len(self._components))
        for name, kind, body in self._components:
            out.tokens("<ComponentName>", name, f"<{kind}>")
            body()
            out.tokens(f"</{kind}>")
        out.tokens("</Nnet3>", "<LeftContext>")
        out.integer(CONTEXT)
        out.tokens("<RightContext>")
        out.integer(CONTEXT)
        out.tokens("<Priors>")
        out.vector([])


def write_transitions(out: Writer) -> None:
    """Write the transition model: SIL of one state, every other phone of two."""
    out.tokens("<TransitionModel>", "<Topology>")
    out.integers(range(1, len(NAMES) + 1))
    out.integers([-1, 0, *[1] * (len(NAMES) - 1)])
    out.integer(2)
    silence = [(0, [(0, 1 / 2), (1, 1 / 2)]), (-1, [])]
    phone = [(0, [(0, 1 / 3), (1, 1 / 3), (2, 1 / 3)]), (1, [(1, 1 / 2), (2, 1 / 2)]), (-1, [])]
    for states in (silence, phone):
        out.integer(len(states))
        for pdf_class, arcs in states:
            out.integer(pdf_class)
            out.integer(len(arcs))
            for target, probability in arcs:
                out.integer(target)
                out.number(probability)
    out.tokens("</Topology>", "<Triples>")
    out.integer(len(TRIPLES))
    for triple in TRIPLES:
        for value in triple:
            out.integer(value)
    out.tokens("</Triples>", "<LogProbs>")
    out.vector(LOG_PROBS)
    out.tokens("</LogProbs>", "</TransitionModel>")


def model_bytes(network: Network, blank_bias: float) -> bytes:
    """Return `final.mdl`; `blank_bias` is taken from the log-probability of blank, which CTC makes too likely."""
    model = ModelFile()
    write_transitions(model.out)
    n = folded(network)
    frames = "Append(Offset(input, -1), input, Offset(input, 1))"
    size = len(n.first_bias)
    x = model.affine("tdnn1.affine", frames, _array(n.first), _array(n.first_bias))
    x = model.nonlinear("tdnn1.relu", "RectifiedLinearComponent", x, size)
    for block in range(BLOCKS):
        name = f"tdnnf{block + 2}"
        down, up = network.offsets[block]
        y = model.tdnn(f"{name}.linear", x, down, _array(n.narrow[block]), np.zeros(0, np.float32))
        y = model.tdnn(f"{name}.affine", y, up, _array(n.wide[block]), _array(n.wide_bias[block]))
        y = model.nonlinear(f"{name}.relu", "RectifiedLinearComponent", y, size)
        x = model.added(f"{name}.noop", f"Sum(Scale({BYPASS}, {x}), {y})", size)
    x = model.affine("prefinal-l", x, _array(n.last))
    x = model.affine("prefinal.affine", x, _array(n.head), _array(n.head_bias))
    x = model.nonlinear("prefinal.relu", "RectifiedLinearComponent", x, size)
    x = model.affine("prefinal.linear", x, _array(n.bottleneck))
    x = model.affine("output.affine", x, _array(n.output), _array(n.output_bias))
    x = model.nonlinear("output.log-softmax", "LogSoftmaxComponent", x, OUTPUTS)
    bias = np.zeros(OUTPUTS, np.float32)
    bias[0] = -blank_bias
    x = model.component("output.blank", "FixedBiasComponent", x, lambda: model._pairs(Bias=bias))  # noqa: SLF001
    model.finish(x)
    return model.out.bytes()


def load_weights(network: Network, *paths: Path) -> None:
    """Fill a network with weights saved by `training.py` or of a released `final.mdl`; several give their mean.

    Rounds that were trained on from one another lie in one valley.
    """
    found = [released_weights(network, path) if path.suffix == ".mdl" else torch.load(path) for path in paths]
    network.load_state_dict({name: torch.stack([each[name] for each in found]).mean(0) for name in found[0]})


def released_weights(network: Network, path: Path) -> dict[str, torch.Tensor]:
    """Return the weights of a file of `model_bytes` by their names in a network, without the bias of blank.

    What was folded stays so: scales are 1 and shifts 0. What is fixed is the network's. Raises `ValueError` for a file
    of releases before 0.8.0, which held scales of their own.
    """
    components = read_components(path)
    if "tdnn1.bn.scale" in components:
        raise ValueError(f"{path} is of a release before 0.8.0: read it by the recipe of its day")
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    for name, value in weights.items():
        if "scale" in name:
            value.fill_(1.0)
        elif "shift" in name:
            value.fill_(0.0)

    def affine(component: str, matrix: str, bias: str = "") -> None:
        weights[matrix] = components[component].weights
        if bias:
            weights[bias] = components[component].bias

    affine("tdnn1.affine", "first", "first_bias")
    weights["first"], weights["first_bias"] = without_lda(
        weights["first"], weights["first_bias"], network.lda_weights, network.lda_bias
    )
    for block in range(BLOCKS):
        name = f"tdnnf{block + 2}"
        affine(f"{name}.linear", f"narrow.{block}")
        affine(f"{name}.affine", f"wide.{block}", f"wide_bias.{block}")
    affine("prefinal-l", "last")
    affine("prefinal.affine", "head", "head_bias")
    affine("prefinal.linear", "bottleneck")
    affine("output.affine", "output.weight", "output.bias")
    return weights


def check(network: Network, path: Path, trunk: Path) -> None:
    """Raise `ValueError` if a file written by `model_bytes` does not answer as the network does it was made of."""
    other = Network(read_components(trunk))
    load_weights(other, path)
    frames = 10 * torch.randn((1, 200, CEPSTRA), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        apart = float((network.eval()(frames) - other.eval()(frames)).abs().max())
    if apart > MOST_APART:
        raise ValueError(f"{path} answers otherwise than the network: logits differ by {apart:.4f}")


def main() -> None:
    """Write `final.mdl` from trained weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", type=Path)
    parser.add_argument("--trunk", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--blank-bias", type=float, default=1.0)
    chosen = parser.parse_args()
    network = Network(read_components(chosen.trunk))
    load_weights(network, chosen.weights)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_bytes(model_bytes(network, chosen.blank_bias))
    check(network, chosen.out, chosen.trunk)


if __name__ == "__main__":
    main()
