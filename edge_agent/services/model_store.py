"""The installed models: what the manifest says of them, and whether they are still what it says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edge_agent.errors import ModelError, Text

MANIFEST = "manifest.toml"


class ModelKind(StrEnum):
    """What a model is for."""

    SPEECH = "speech"
    HARASSMENT = "harassment"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledModel:
    """A model whose files are whole.

    Attributes:
        version: name and version, pinned by every incident.
    """

    name: str
    kind: ModelKind
    version: str
    folder: Path


class _Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    kind: ModelKind
    version: str
    folder: str
    licence: str
    files: Annotated[dict[str, str], Meta(min_length=1)]


class _Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    model: tuple[_Model, ...]


def find_model(models: Path, name: str, kind: ModelKind) -> InstalledModel:
    """Return the model of that name; raise `ModelError` if it is unknown, of another kind, missing or altered."""
    manifest = models / MANIFEST
    for model in _read(manifest).model:
        if model.name != name:
            continue
        if model.kind is not kind:
            raise _error(
                manifest,
                f"「{name}」は {model.kind} のモデルで、{kind} には使えません。",
                f"{name!r} is a model for {model.kind}, not for {kind}.",
            )
        folder = models / model.folder
        for file, digest in model.files.items():
            _check(folder / file, digest)
        return InstalledModel(name=name, kind=kind, version=f"{name} {model.version}", folder=folder)
    raise _error(manifest, f"モデル「{name}」は載っていません。", f"has no model {name!r}.")


def _read(manifest: Path) -> _Manifest:
    try:
        return msgspec.toml.decode(manifest.read_bytes(), type=_Manifest)
    except OSError as error:
        raise _error(manifest, f"読めません（{error.strerror}）。", f"cannot be read ({error.strerror}).") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _error(manifest, f"誤りがあります: {error}", f"is wrong: {error}") from error


def _check(file: Path, digest: str) -> None:
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            Text(
                f"モデルのファイル {file} を読めません（{error.strerror}）。",
                f"The model file {file} cannot be read ({error.strerror}).",
            ),
            _REINSTALL,
        ) from error
    if found != digest:
        raise ModelError(
            Text(
                f"モデルのファイル {file} が壊れているか、書き換えられています（ダイジェスト不一致）。",
                f"The model file {file} is damaged or was altered (its digest differs from the manifest).",
            ),
            _REINSTALL,
        )


_REINSTALL = Text(
    "モデルを入れ直してください。リポジトリなら「git checkout models」で元に戻ります。",
    "Install the model again; in a checkout “git checkout models” restores it.",
)


def _error(manifest: Path, ja: str, en: str) -> ModelError:
    return ModelError(
        Text(f"モデル一覧 {manifest}: {ja}", f"Model manifest {manifest}: {en}"),
        Text("設定の models.speech と models.harassment を確認してください。", "See models.* in the settings."),
    )
