"""A speech model tried in a process of its own: one that is broken can end the process that loads it.

That process is `edge_agent.cli.speech_probe`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from edge_agent.errors import ModelError, Text

PROGRAM = "edge_agent.cli.speech_probe"
LONGEST_S = 600.0
"""A large model on a slow disk takes a minute or two; longer than this, it hangs."""


def probe(model: Path, clips: Sequence[Path]) -> list[str]:
    """Return what the model in a folder recognises in each clip.

    Raises:
        ModelError: it does not load, ends its process, or hangs.
    """
    command = [sys.executable, "-m", PROGRAM, str(model), *map(str, clips)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=LONGEST_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise _error(model, "読み込みが終わりません。", "does not finish loading.") from error
    if done.returncode != 0:
        said = (done.stderr.decode(errors="replace").strip().splitlines() or [f"exit {done.returncode}"])[-1]
        ja, told, en = said.partition("\t")
        if told:
            # The process says it whole, of the folder, which may be gone by now; people know the model by its name.
            raise ModelError(Text(ja.replace(str(model), model.name), en.replace(str(model), model.name)), _GET_AFRESH)
        raise _error(
            model,
            f"読み込みまたは認識の途中で、音声認識エンジンが止まりました（詳細: {said[:200]}）。",
            f"stopped the recogniser while it was loaded or tried ({said[:200]}).",
        )
    heard: list[str] = json.loads(done.stdout)
    return heard


_GET_AFRESH = Text("モデルを入手し直して、もう一度入れてください。", "Get the model afresh and install it again.")


def _error(model: Path, ja: str, en: str) -> ModelError:
    return ModelError(Text(f"音声モデル {model.name}: {ja}", f"The speech model {model.name} {en}"), _GET_AFRESH)
