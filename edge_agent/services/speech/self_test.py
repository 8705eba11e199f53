"""What a speech model must do before it may listen: recognise the clips that come with the product, in Japanese.

The model is tried in a process of its own (`Probe`): a broken one can end the process that loads it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edge_agent.decoders import toml_reader
from edge_agent.errors import ModelError, Text
from edge_agent.services.speech.comparing import errors_between, japanese_share, plain

CLIPS = "speech/self-test/clips.toml"
HIGHEST_CER = 0.40
"""The clips are easy; the share of wrong characters beyond which a model is broken or made for something else."""
LEAST_JAPANESE = 0.7

Probe = Callable[[Path, Sequence[Path]], Sequence[str]]
"""Loads the model of a folder in a process of its own; returns what it recognises in each file.

Raises `ModelError` if the model does not load."""


class Clip(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recording and what is said in it."""

    file: str
    text: str


class _Clips(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    clip: Annotated[tuple[Clip, ...], Meta(min_length=1)]


_read_clips = toml_reader(_Clips)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A self-test that was passed.

    Attributes:
        cer: share of wrong characters, 0 to `HIGHEST_CER`.
        heard: what was recognised, clip by clip.
    """

    cer: float
    heard: tuple[str, ...]


def self_test(model: Path, *, shipped: Path, probe: Probe) -> Passed:
    """Try a model on the clips in the folder of the shipped models; raise `ModelError` saying why it may not listen."""
    clips = _read(shipped / CLIPS)
    heard = tuple(probe(model, [(shipped / CLIPS).parent / clip.file for clip in clips]))
    found = "".join(plain(text) for text in heard)
    if not found:
        raise _refused(model, "自己診断の音声から一語も認識できません。", "recognises no word of the self-test clips.")
    if japanese_share(found) < LEAST_JAPANESE:
        raise _refused(
            model,
            f"日本語のモデルではありません（自己診断の結果: 「{found[:30]}」）。",
            f"is no Japanese model (the self-test gave “{found[:30]}”).",
        )
    said = [plain(clip.text) for clip in clips]
    wrong = sum(errors_between(text, plain(got)) for text, got in zip(said, heard, strict=True))
    cer = wrong / sum(map(len, said))
    if cer > HIGHEST_CER:
        raise _refused(
            model,
            f"自己診断の文字誤り率が {cer:.0%} です（上限 {HIGHEST_CER:.0%}）。",
            f"gets {cer:.0%} of the self-test's characters wrong ({HIGHEST_CER:.0%} at most).",
        )
    return Passed(cer=cer, heard=heard)


def _read(file: Path) -> tuple[Clip, ...]:
    try:
        return _read_clips(file.read_bytes()).clip
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(
            Text(
                f"自己診断の音声 {file} を読めません: {error}", f"The self-test's clips {file} cannot be read: {error}"
            ),
            Text("製品を入れ直してください。", "Install the product again."),
        ) from error


def _refused(model: Path, ja: str, en: str) -> ModelError:
    return ModelError(
        Text(f"音声モデル {model.name}: {ja}", f"The speech model {model.name} {en}"),
        Text(
            "日本語の Vosk モデル（vosk-model-small-ja-0.22 など）を入手し直して、もう一度入れてください。"
            "これまでのモデルはそのまま使われます。",
            "Get a Japanese Vosk model (vosk-model-small-ja-0.22, say) afresh and install that. "
            "The model used so far stays in use.",
        ),
    )
