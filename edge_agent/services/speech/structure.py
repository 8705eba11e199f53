"""What a Vosk model's folder must hold, whatever the model was trained on."""

from __future__ import annotations

import re
from pathlib import Path

from edge_agent.errors import Text
from edge_agent.services.speech.refusals import refused

NEEDED = ("am/final.mdl", "conf/mfcc.conf", "conf/model.conf")
GRAPHS = (("graph/HCLG.fst",), ("graph/HCLr.fst", "graph/Gr.fst"))
"""A model has its whole graph in one file, or in two that are joined while it listens."""
HIGHEST_RATE = 16_000
"""What lines carry; a model for more would wait for sounds that never come."""
KALDI_RATE = 16_000
"""Kaldi's own sample rate where a configuration names none (feat/feature-window.h)."""
_RATE = re.compile(r"^\s*--sample[-_]frequency\s*=\s*([^\s#]*)", re.MULTILINE | re.IGNORECASE)
"""Kaldi reads blanks, capitals and underscores its own way (util/parse-options.cc); here all of them count."""


def missing_files(folder: Path) -> list[str]:
    """Return which of a Vosk model's files a folder lacks; for the graph any of its forms will do."""
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if not any(all((folder / name).is_file() for name in graph) for graph in GRAPHS):
        missing.append(GRAPHS[0][0])
    return missing


def check_structure(folder: Path, source: str) -> None:
    """Raise `ModelError` unless a folder has a Vosk model's files and listens at a rate that lines carry."""
    if missing := missing_files(folder):
        names = ", ".join(missing)
        raise refused(source, f"ファイルが足りません: {names}", f"is incomplete; missing: {names}")
    text = (folder / "conf/mfcc.conf").read_text(encoding="utf-8", errors="replace")
    # Of several, Kaldi takes the last.
    told = [*_RATE.findall(text)][-1:] or [str(KALDI_RATE)]
    if not 0 < _number(told[0]) <= HIGHEST_RATE:
        raise refused(
            source,
            f"{told[0]} Hz 用のモデルです。電話の音声には {HIGHEST_RATE} Hz 以下のモデルが要ります。",
            f"is made for {told[0]} Hz; lines need one for {HIGHEST_RATE} Hz or less.",
            Text(
                f"{HIGHEST_RATE} Hz 以下の日本語のモデル（vosk-model-small-ja-0.22 など）を指定してください。"
                "使用中のモデルはそのままです。",
                f"Give a Japanese model for {HIGHEST_RATE} Hz or less (vosk-model-small-ja-0.22, say). "
                "The model used so far stays in use.",
            ),
        )


def _number(told: str) -> float:
    try:
        return float(told)
    except ValueError:
        return 0
