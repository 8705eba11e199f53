"""Measure a model folder: ``python -m models.harassment.recipe.evaluate --data DIR --model DIR``.

Runs the graph as the appliance does, one text at a time on one thread, over the held-out
part of corpus, seed and dialogue (the same split as ``build.py``, so the corpus must be
the one the model was built from), and prints Markdown tables. ``--fp32 FILE`` adds how
often quantization changed a decision. ``--unknown FOLDER`` measures on all customers' lines of a
folder instead: those of authors of whom the model has learnt nothing. ``--against DIR`` adds
the figures of another model on the same lines, and the gain in F1 over it. ``--replies FOLDER``
measures what the model says of operators' lines instead, from ``--reply-score`` on.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import sentencepiece

from . import graph, report
from .build import HERE, read_lines
from .corpus import Line, read_corpus
from .manifest import read_thresholds
from .replies import Reply, read_replies
from .spec import HARASSMENT_LABELS, LABELS


def main() -> None:
    """Print the figures of one model."""
    arguments = _arguments()
    if arguments.replies is not None:
        _print_replies(arguments.model, read_replies(arguments.replies), arguments.reply_score)
        return
    lines = measured_lines(arguments)
    scored = _measured(arguments.model, lines)
    if arguments.fp32 is not None:
        _print_flips(scored, _by_graph(arguments.fp32, arguments.model, lines))
    if arguments.against is not None:
        other = _measured(arguments.against, lines)
        value, low, high = report.gain(scored, other)
        print(f"F1 of harassment: {value:+.3f} ({low:+.3f} to {high:+.3f}) against {arguments.against}.")
    if arguments.errors:
        _print_errors(scored)


def _measured(model: Path, lines: Sequence[Line]) -> report.Scored:
    """Run a model's graph text by text, print its figures, and return what it said."""
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(model / "tokenizer.model"))
    session = graph.session(model / "model.onnx")
    graph.run(session, tokenizer, [line.text for line in lines[:50]])  # warm up before timing

    milliseconds: list[float] = []
    outputs = []
    for line in lines:
        began = time.perf_counter()
        outputs.append(graph.run(session, tokenizer, [line.text]))
        milliseconds.append((time.perf_counter() - began) * 1e3)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    probabilities, harassment, *_ = (np.concatenate(each) for each in zip(*outputs, strict=True))
    scored = report.Scored(
        lines=lines, probabilities=probabilities, harassment=harassment[:, 0], thresholds=read_thresholds(model)
    )
    print(report.as_text(scored))
    p50, p95 = np.percentile(milliseconds, [50, 95])
    print(f"Latency per text, one thread: p50 {p50:.1f} ms, p95 {p95:.1f} ms; "
          f"peak memory of this process {memory:.0f} MB (libraries of the recipe included).")  # fmt: skip
    return scored


def _print_replies(model: Path, replies: Sequence[Reply], from_: float) -> None:
    """Print how well what operators' lines do is told, by the policy's `reply_score`."""
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(model / "tokenizer.model"))
    *_, told = graph.run(graph.session(model / "model.onnx"), tokenizer, [reply.text for reply in replies])
    print(report.reply_table(replies, told, from_))


def _by_graph(file: Path, model: Path, lines: Sequence[Line]) -> report.Scored:
    """Return what another graph says with a model's tokenizer and thresholds."""
    tokenizer = sentencepiece.SentencePieceProcessor(model_file=str(model / "tokenizer.model"))
    probabilities, harassment, *_ = graph.run(graph.session(file), tokenizer, [line.text for line in lines])
    return report.Scored(
        lines=lines, probabilities=probabilities, harassment=harassment[:, 0], thresholds=read_thresholds(model)
    )


def measured_lines(arguments: argparse.Namespace) -> list[Line]:
    """Return the lines to measure on; raise `SystemExit` if it is not said on which."""
    if arguments.unknown is not None:
        return [line for line in read_corpus(arguments.unknown) if line.speaker == "customer"]
    if arguments.data is None:
        raise SystemExit("--data DIR (held-out part) or --unknown FOLDER (all lines of a folder) is needed")
    return read_lines(arguments.data, arguments.corpus, arguments.hold_out).test


def _print_flips(quantized: report.Scored, exact: report.Scored) -> None:
    apart = np.abs(quantized.probabilities - exact.probabilities)
    print(f"Quantization changed {(exact.flagged != quantized.flagged).mean():.2%} of the flag decisions, "
          f"{(exact.said != quantized.said).mean():.2%} of the label decisions; largest difference "
          f"{apart.max():.2f}, mean {apart.mean():.4f}.")  # fmt: skip


def _print_errors(scored: report.Scored) -> None:
    """Print wrongly flagged lines and missed ones: for whoever extends the corpus."""
    for line, row, flagged in zip(scored.lines, scored.probabilities, scored.flagged, strict=True):
        if flagged == line.harassing:
            continue
        top = int(row[: len(HARASSMENT_LABELS)].argmax())
        what = "FALSE ALARM" if flagged else "MISSED"
        print(f"{what}\t{LABELS[top]} {row[top]:.2f}\t{line.source}\t{' '.join(sorted(line.labels))}\t{line.text}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="seed and open dialogue")
    parser.add_argument("--unknown", type=Path, help="folder of lines by authors the model does not know")
    parser.add_argument("--corpus", type=Path, default=HERE.parent / "corpus")
    parser.add_argument("--model", type=Path, default=HERE.parent / "ja-starter")
    parser.add_argument("--fp32", type=Path, help="the unquantized graph in the work folder")
    parser.add_argument("--against", type=Path, help="folder of another model, to compare with")
    parser.add_argument("--hold-out", nargs="*", default=(), help="the sources the model was built without")
    parser.add_argument("--replies", type=Path, help="folder of operators' lines the model does not know")
    parser.add_argument("--reply-score", type=float, default=0.5, help="as the policy's [spoken] reply_score")
    parser.add_argument("--errors", action="store_true", help="list what it got wrong")
    return parser.parse_args()


if __name__ == "__main__":
    main()
