"""Read a shipped graph's weights back into a network, so that a release can be trained on instead of anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from .network import Network
from .training import FROZEN_LAYERS


def load_weights(network: Network, path: Path) -> None:
    """Overwrite the trained layers and the head of ``network`` with those of the graph at ``path``.

    Weights in int8 are multiplied out: they are what the appliance runs, at most half a step off what was trained.
    The frozen layers stay as the encoder came. Raises `ValueError` if the graph lacks a weight.
    """
    graph = onnx.load(path).graph
    tensors = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    trained = {name for name in network.state_dict() if _is_trained(name)}
    found = {name: tensors[name] for name in trained if name in tensors}
    for node in graph.node:
        if node.op_type not in ("MatMul", "MatMulInteger") or node.input[1] not in tensors:
            continue
        # A node is named after its module: /layers.7/q/MatMul_quant, /head/Gemm_MatMul_quant.
        name = ".".join(node.name.strip("/").split("/")[:-1]) + ".weight"
        if name in trained:
            # In the graph a weight maps (in, out), in a network (out, in).
            found[name] = np.ascontiguousarray(_multiplied_out(node, tensors).T)
    if missing := trained - set(found):
        raise ValueError(f"{path} has no weights for {sorted(missing)}")
    network.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in found.items()}, strict=False)


def _is_trained(name: str) -> bool:
    first, *rest = name.split(".")
    return first == "head" or (first == "layers" and int(rest[0]) >= FROZEN_LAYERS)


def _multiplied_out(node: onnx.NodeProto, tensors: dict[str, np.ndarray]) -> np.ndarray:
    weight = tensors[node.input[1]]
    if node.op_type == "MatMul":
        return weight
    stem = node.input[1].removesuffix("_quantized")
    zero, scale = tensors[f"{stem}_zero_point"], tensors[f"{stem}_scale"]
    whole: np.ndarray = (weight.astype(np.float32) - zero.astype(np.float32)) * scale.astype(np.float32)
    return whole
