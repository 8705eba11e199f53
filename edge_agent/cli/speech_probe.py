"""The process in which a speech model is tried: `python -m edge_agent.cli.speech_probe MODEL CLIP…`.

It prints what it recognises in the clips as one JSON list; started by `edge_agent.adapters.speech_probe`.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from edge_agent.adapters.audio_file import AudioFile
from edge_agent.adapters.vosk_model import VoskModel
from edge_agent.errors import MamoriError


def main(arguments: list[str]) -> int:
    """Print what the model recognises in each clip; return 1 and print the reason if it does not load."""
    # A broken model may end this process, which must then leave nothing on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder, *clips = map(Path, arguments)
    try:
        model = VoskModel(folder, folder.name)
        heard = [_recognised(model, AudioFile(clip)) for clip in clips]
    except MamoriError as error:
        sys.stderr.write(f"{error.what.ja}\t{error.what.en}\n")
        return 1
    sys.stdout.write(json.dumps(heard))
    return 0


def _recognised(model: VoskModel, source: AudioFile) -> str:
    recognizer = model.recognizer()
    said = [recognizer.accept(block.customer) for block in source.blocks()]
    return "".join(words.text for words in [*said, recognizer.flush()] if words is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
