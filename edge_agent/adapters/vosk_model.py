"""Recognition by Vosk: a model is loaded once and shared by the recognizers of all channels."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vosk

from edge_agent.errors import ModelError, Text
from edge_agent.ports import RATE, Recognised
from edge_agent.services.speech.structure import missing_files

if TYPE_CHECKING:
    from edge_agent.ports import Samples

vosk.SetLogLevel(-1)

UNKNOWN = frozenset({"[unk]", "<unk>"})

_LATIN = re.compile(r"[0-9A-Za-z]")


class VoskModel:
    """A loaded speech model.

    Args:
        folder: the model's folder (am/, conf/, graph/).
        version: name and version, as in the models' manifest.

    Raises:
        ModelError: the folder is incomplete, or Vosk cannot load what is in it.
    """

    def __init__(self, folder: Path, version: str) -> None:
        if missing := missing_files(folder):
            names = ", ".join(missing)
            raise _error(folder, f"ファイルが足りません: {names}", f"is incomplete; missing: {names}")
        try:
            # Always by path: given a name, Vosk would look for a model on the network.
            self._model = vosk.Model(model_path=str(folder))
            # A damaged graph shows only when a recogniser is made of it.
            self.recognizer()
        except Exception as error:
            raise _error(folder, "音声認識エンジンが読み込めません。", "cannot be loaded by the recogniser.") from error
        self.model_version = version

    def recognizer(self) -> VoskRecognizer:
        """Return a recognizer for one channel."""
        return VoskRecognizer(self._model)

    def in_use(self) -> VoskModel:
        """Return the model itself."""
        return self


class VoskRecognizer:
    """Recognises one channel; after each utterance it starts afresh, its clock goes on."""

    def __init__(self, model: vosk.Model) -> None:
        self._kaldi = vosk.KaldiRecognizer(model, RATE)
        self._kaldi.SetWords(True)

    def accept(self, samples: Samples) -> Recognised | None:
        """Take int16 samples at `RATE`; return final words if an utterance ended in them."""
        if self._kaldi.AcceptWaveform(samples.tobytes()):
            return _recognised(self._kaldi.Result())
        return None

    def partial(self) -> str:
        """Return the words of the utterance so far; they may change."""
        # Between two utterances Vosk's answer has no "partial" at all.
        return joined(json.loads(self._kaldi.PartialResult()).get("partial", "").split())

    def flush(self) -> Recognised | None:
        """End the utterance now; return its words if there are any.

        Vosk frees the decoder with it and builds a new one for the next utterance; word times go on.
        """
        return _recognised(self._kaldi.FinalResult())


def joined(tokens: Iterable[str]) -> str:
    """Join a recogniser's tokens: no space between Japanese ones, one between two Latin words."""
    text = ""
    for token in tokens:
        if not _is_word(token):
            continue
        latin = bool(text) and bool(_LATIN.match(text[-1])) and bool(_LATIN.match(token[0]))
        text += f" {token}" if latin else token
    return text


def _is_word(token: str) -> bool:
    """Tell a word from a sound that is none, and from one a damaged list of words has no spelling for: Vosk says ""."""
    return bool(token) and token not in UNKNOWN


def _recognised(answer: str) -> Recognised | None:
    words = [word for word in json.loads(answer).get("result", ()) if _is_word(word["word"])]
    if not words:
        return None
    return Recognised(
        text=joined(word["word"] for word in words),
        start_s=float(words[0]["start"]),
        end_s=float(words[-1]["end"]),
        words=len(words),
        confidence=_confidence(words),
    )


def _confidence(words: list[dict[str, Any]]) -> float:
    letters = sum(len(word["word"]) for word in words)
    return sum(float(word["conf"]) * len(word["word"]) for word in words) / letters


def _error(folder: Path, ja: str, en: str) -> ModelError:
    return ModelError(
        Text(f"音声モデル {folder}: {ja}", f"Speech model {folder} {en}"),
        Text(
            "モデルを入れ直してください。製品に付属するモデルなら、製品を入れ直します。",
            "Install the model again; if it came with the product, the product.",
        ),
    )
