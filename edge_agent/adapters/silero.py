"""Voice activity by Silero VAD, whose weights come with the product; one network serves the channels of all lines.

It takes several frames of a channel at a time: 0.08 ms a frame for three, where a run for every frame takes twice that.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from edge_agent.errors import ModelError, Text
from edge_agent.services.model_store import ModelKind, find_model
from edge_agent.settings import share

if TYPE_CHECKING:
    from edge_agent.ports import Samples

NAME = "silero-vad"
"""The network, as the models' manifest calls it."""
FRAME = 512
LEAD = 64
"""Samples before a frame that the network is given with it."""
STATE = (1, 1, 128)
FULL_SCALE = 32768.0
QUIET_RMS = 33.0
"""Root mean square below which a frame is line noise (−60 dBFS).

Speech on a telephone line lies at −15 to −40 dBFS (ITU-T P.56 active level −26 dBov), idle noise below −65 dBFS.
"""
SETTLED = 15
"""Frames (0.5 s) of silence after which the network's memory is that of silence.

Measured on the demonstration calls: until then a network that has just been reset misses up to half of the speech;
from then on further silence changes nothing, so that it need not be asked about it.
"""

_Wave = npt.NDArray[np.float32]


class SileroDetector:
    """A voice detector for one channel; raises `ModelError` if the product's network is missing or altered."""

    frame_samples = FRAME

    def __init__(self) -> None:
        self._network = _network()
        self._state = self._network.settled
        self._tail: _Wave = np.zeros(LEAD, np.float32)
        self._quiet = SETTLED

    def probabilities(self, frames: Samples) -> list[float]:
        """Return for each row, a frame of `frame_samples` samples, the probability (0–1) that it holds speech."""
        waves = frames.astype(np.float32)
        quiet = np.einsum("ij,ij->i", waves, waves) < QUIET_RMS * QUIET_RMS * FRAME
        asked = []
        for number, is_quiet in enumerate(quiet.tolist()):
            self._quiet = self._quiet + 1 if is_quiet else 0
            if self._quiet <= SETTLED:
                asked.append(number)
        stream = np.concatenate((self._tail, waves.reshape(-1) / FULL_SCALE))
        self._tail = stream[-LEAD:]
        answers = [0.0] * len(frames)
        if asked:
            heard, self._state = self._network.run(
                np.stack([stream[number * FRAME : number * FRAME + LEAD + FRAME] for number in asked]), self._state
            )
            for number, probability in zip(asked, heard, strict=True):
                answers[number] = probability
        return answers

    def reset(self) -> None:
        """Forget what was heard; as after a while of silence."""
        self._state = self._network.settled
        self._tail = np.zeros(LEAD, np.float32)
        self._quiet = SETTLED


class _Network:
    """The loaded network; may be used by several threads at a time."""

    def __init__(self) -> None:
        file = find_model(share() / "models", NAME, ModelKind.VOICE).folder / "model.onnx"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has no common class for its errors
            raise ModelError(
                Text(
                    f"音声区間検出のモデル {file} を読み込めません。",
                    f"The voice activity model {file} cannot be loaded.",
                ),
                Text("製品を入れ直してください。", "Install the product again."),
            ) from error
        nothing = np.zeros(STATE, np.float32)
        _, self.settled = self.run(np.zeros((SETTLED, LEAD + FRAME), np.float32), (nothing, nothing))

    def run(self, frames: _Wave, state: tuple[Any, Any]) -> tuple[list[float], tuple[Any, Any]]:
        """Return the probabilities of consecutive frames, and the network's memory after them."""
        hidden, cell = state
        heard, hidden, cell = self._session.run(None, {"input": frames, "h": hidden, "c": cell})
        return heard.tolist(), (hidden, cell)


@lru_cache(maxsize=1)
def _network() -> _Network:
    return _Network()
