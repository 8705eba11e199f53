"""The one ONNX graph the appliance runs: quantized encoder, n-gram table, calibration.

Inputs ``input_ids`` (1, tokens) and ``ngram_ids`` (ngrams,), both int64; outputs
``probabilities`` (12,) in the order of ``spec.LABELS``, ``harassment`` (1,), ``embedding``
(384,), of length 1, by whose scalar product two utterances are known to ask for the same, and
``replies`` (4,) in the order of ``replies.REPLIES``, which means something for operators' words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import sentencepiece
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process

from .calibration import Calibration
from .linear import NgramModel
from .network import Network
from .reply_head import ReplyHead
from .spec import clean, ngram_buckets, wrap_pieces

OPSET = 17
ENCODER_LOGITS = "encoder_logits"
NGRAM_LOGITS = "ngram_logits"
EMBEDDING = "embedding"
REPLIES = "replies"


def export_encoder(network: Network, path: Path) -> None:
    """Write the fp32 encoder: ``input_ids`` (1, tokens) to ``encoder_logits`` (1, 13) and its embedding."""
    network.eval()
    torch.onnx.export(
        network,
        (torch.tensor([[0, 5, 6, 7, 2]]),),
        path,
        input_names=["input_ids"],
        output_names=[ENCODER_LOGITS, "embedding_row"],
        dynamic_axes={"input_ids": {1: "tokens"}},
        opset_version=OPSET,
        dynamo=False,
    )


def quantize(fp32: Path, int8: Path, *, left_in_fp32: Sequence[str]) -> None:
    """Quantize the weights to 7 bits per channel; activations to 8 at run time.

    With 8 bits for the weights, sums of two products overflow 16 bits on processors without VNNI, which add them so:
    the same graph then answers otherwise on another machine. With 7 they do not.
    ``left_in_fp32`` are fragments of node names (``layers.4/fo``), found by a sweep.
    """
    prepared = int8.with_suffix(".prepared.onnx")
    quant_pre_process(fp32, prepared, skip_symbolic_shape=True)
    names = [
        node.name for node in onnx.load(prepared).graph.node if any(fragment in node.name for fragment in left_in_fp32)
    ]
    quantize_dynamic(
        prepared, int8, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True, nodes_to_exclude=names
    )
    prepared.unlink()


def with_ngrams(encoder: Path, ngrams: NgramModel, path: Path) -> None:
    """Add the n-gram half; both halves' logits (1, 13) are outputs, for calibration."""
    model = onnx.load(encoder)
    _append(model, *_ngram_nodes(ngrams))
    model.graph.input.append(helper.make_tensor_value_info("ngram_ids", TensorProto.INT64, ["ngrams"]))
    del model.graph.output[:]
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, len(ngrams.bias)])
        for name in (ENCODER_LOGITS, NGRAM_LOGITS)
    )
    _save(model, path)


def with_calibration(uncalibrated: Path, calibration: Calibration, path: Path) -> None:
    """Turn both halves' logits into probabilities inside the graph."""
    model = onnx.load(uncalibrated)
    _append(model, *_calibration_nodes(calibration))
    del model.graph.output[:]
    model.graph.output.extend(
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [12]),
            helper.make_tensor_value_info("harassment", TensorProto.FLOAT, [1]),
            helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, [None]),
        ]
    )
    _save(model, path)


def with_replies(path: Path, head: ReplyHead) -> None:
    """Add what operators' words do to a finished graph; what it had of this before is replaced."""
    model = onnx.load(path)
    kept = [node for node in model.graph.node if not node.output[0].startswith(REPLIES)]
    tensors = [tensor for tensor in model.graph.initializer if not tensor.name.startswith(REPLIES)]
    outputs = [output for output in model.graph.output if output.name != REPLIES]
    for field, values in ((model.graph.node, kept), (model.graph.initializer, tensors), (model.graph.output, outputs)):
        del field[:]
        field.extend(values)
    nodes = [
        *_summed_ngrams(REPLIES),
        helper.make_node("MatMul", ["embedding_row", f"{REPLIES}_weights"], [f"{REPLIES}_by_meaning"]),
        helper.make_node("Add", [f"{REPLIES}_scaled", f"{REPLIES}_by_meaning"], [f"{REPLIES}_evidence"]),
        helper.make_node("Add", [f"{REPLIES}_evidence", f"{REPLIES}_bias"], [f"{REPLIES}_logits"]),
        helper.make_node("Sigmoid", [f"{REPLIES}_logits"], [f"{REPLIES}_row"]),
        helper.make_node("Reshape", [f"{REPLIES}_row", "flat"], [REPLIES]),
    ]
    constants = {f"{REPLIES}_weights": head.weights, f"{REPLIES}_bias": head.bias[None]}
    _append(model, nodes, _initializers(constants | _ngram_constants(REPLIES, head.table)))
    model.graph.output.append(helper.make_tensor_value_info(REPLIES, TensorProto.FLOAT, [len(head.bias)]))
    _save(model, path)


def session(path: Path) -> onnxruntime.InferenceSession:
    """Open a graph as the appliance does: one thread, no spinning."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(
    graph: onnxruntime.InferenceSession,
    tokenizer: sentencepiece.SentencePieceProcessor,
    texts: Iterable[str],
) -> list[npt.NDArray[np.float32]]:
    """Run texts one by one; returns each output stacked, (texts, width)."""
    wanted = {each.name for each in graph.get_inputs()}
    results = []
    for text in texts:
        cleaned = clean(text)
        feeds = {
            "input_ids": np.array([wrap_pieces(tokenizer.encode(cleaned))], np.int64),
            "ngram_ids": np.array(ngram_buckets(cleaned), np.int64),
        }
        feeds = {name: value for name, value in feeds.items() if name in wanted}
        results.append([np.ravel(value) for value in graph.run(None, feeds)])
    return [np.stack(each) for each in zip(*results, strict=True)]


def _ngram_nodes(ngrams: NgramModel) -> tuple[list[Any], list[Any]]:
    nodes = [*_summed_ngrams("ngram"), helper.make_node("Add", ["ngram_scaled", "ngram_bias"], [NGRAM_LOGITS])]
    return nodes, _initializers({"ngram_bias": ngrams.bias[None]} | _ngram_constants("ngram", ngrams.table))


def _summed_ngrams(name: str) -> list[Any]:
    """Return the nodes from ``ngram_ids`` to the weights of a table (`linear`) for a text of unit length."""
    return [
        helper.make_node("Gather", [f"{name}_table", "ngram_ids"], [f"{name}_rows16"], axis=0),
        helper.make_node("Cast", [f"{name}_rows16"], [f"{name}_rows"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", [f"{name}_rows", f"{name}_axis"], [f"{name}_sum"], keepdims=1),
        helper.make_node("Split", [f"{name}_sum", f"{name}_widths"], [f"{name}_raw", f"{name}_square"], axis=1),
        helper.make_node("Add", [f"{name}_square", f"{name}_tiny"], [f"{name}_square_safe"]),
        helper.make_node("Sqrt", [f"{name}_square_safe"], [f"{name}_norm"]),
        helper.make_node("Div", [f"{name}_raw", f"{name}_norm"], [f"{name}_scaled"]),
    ]


def _ngram_constants(name: str, table: npt.NDArray[np.float16]) -> dict[str, npt.NDArray[Any]]:
    return {
        f"{name}_table": table,
        f"{name}_widths": np.array([table.shape[1] - 1, 1], np.int64),
        f"{name}_axis": np.array([0], np.int64),
        f"{name}_tiny": np.array([[1e-6]], np.float32),
    }


def _calibration_nodes(calibration: Calibration) -> tuple[list[Any], list[Any]]:
    """One affine map per output, then one more over the strongest harassment label."""
    nodes = [
        helper.make_node("Mul", [ENCODER_LOGITS, "encoder_weight"], ["calibrated_encoder"]),
        helper.make_node("Mul", [NGRAM_LOGITS, "ngram_weight"], ["calibrated_ngrams"]),
        helper.make_node("Add", ["calibrated_encoder", "calibrated_ngrams"], ["evidence"]),
        helper.make_node("Add", ["evidence", "offset"], ["calibrated"]),
        helper.make_node("Split", ["calibrated", "label_widths"],
                         ["harassment_labels", "other_labels", "any_own"], axis=1),
        helper.make_node("Concat", ["harassment_labels", "other_labels"], ["label_logits"], axis=1),
        helper.make_node("Sigmoid", ["label_logits"], ["label_rows"]),
        helper.make_node("Reshape", ["label_rows", "flat"], ["probabilities"]),
        helper.make_node("ReduceMax", ["harassment_labels"], ["strongest"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["strongest", "strongest_weight"], ["any_from_labels"]),
        helper.make_node("Mul", ["any_own", "own_weight"], ["any_from_own"]),
        helper.make_node("Add", ["any_from_labels", "any_from_own"], ["any_evidence"]),
        helper.make_node("Add", ["any_evidence", "any_offset"], ["any_logit"]),
        helper.make_node("Sigmoid", ["any_logit"], ["any_row"]),
        helper.make_node("Reshape", ["any_row", "flat"], ["harassment"]),
        helper.make_node("Reshape", ["embedding_row", "flat"], [EMBEDDING]),
    ]  # fmt: skip
    constants = {
        "encoder_weight": calibration.encoder_weight[None],
        "ngram_weight": calibration.ngram_weight[None],
        "offset": calibration.offset[None],
        "label_widths": np.array([10, 2, 1], np.int64),
        "flat": np.array([-1], np.int64),
        "own_weight": np.array([[calibration.any_own_weight]], np.float32),
        "strongest_weight": np.array([[calibration.any_strongest_weight]], np.float32),
        "any_offset": np.array([[calibration.any_offset]], np.float32),
    }
    return nodes, _initializers(constants)


def _initializers(constants: dict[str, npt.NDArray[Any]]) -> list[Any]:
    return [numpy_helper.from_array(value, name) for name, value in constants.items()]


def _append(model: Any, nodes: list[Any], initializers: list[Any]) -> None:  # noqa: ANN401
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(initializers)


def _save(model: Any, path: Path) -> None:  # noqa: ANN401
    onnx.checker.check_model(model)
    onnx.save(model, path)
