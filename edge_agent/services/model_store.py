"""The models: what the manifest, or the record of whoever installed one, says of them, and whether it is still so."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edge_agent.decoders import toml_reader
from edge_agent.errors import ModelError, Text

MANIFEST = "manifest.toml"
RECORD = "installed.toml"
"""Lies in the folder of every model a person installed."""


class ModelKind(StrEnum):
    """What a model is for."""

    SPEECH = "speech"
    HARASSMENT = "harassment"
    VOICE = "voice"


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


class KnownModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model others publish, by which an archive is recognised.

    Attributes:
        md5: of the archive, as its publisher gives it; empty where none is known, so that a person has to decide.
        bytes: size of the archive; 0 where it is not known.
    """

    name: str
    kind: ModelKind
    archive: str
    licence: str
    md5: str = ""
    bytes: int = 0


class _Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    model: tuple[_Model, ...]
    known: tuple[KnownModel, ...] = ()


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written beside a model that a person installed (`RECORD`).

    Attributes:
        version: digest of what was installed, shortened; pinned by every incident.
        source: where it came from: an archive, a folder or an address.
        digest: SHA-256 of the archive; of a folder, of its files' digests.
        decided_by: who vouched for an unknown one; empty if the product knew its digest.
        at: ISO 8601 time in UTC.
        base: the model it was made from by adding words; else empty.
        files: SHA-256 by file.
    """

    name: str
    kind: ModelKind
    version: str
    licence: str
    source: str
    digest: str
    decided_by: str
    installed_by: str
    at: str
    files: Annotated[dict[str, str], Meta(min_length=1)]
    base: str = ""


_read_manifest = toml_reader(_Manifest)
_read_record = toml_reader(Record)


def find_model(models: Path, name: str, kind: ModelKind, *, installed: Path | None = None) -> InstalledModel:
    """Return the model of that name, shipped or installed by a person in a folder of the folder `installed`.

    Raises:
        ModelError: it is unknown, of another kind, missing or altered.
    """
    if installed is not None and is_installed(installed, name):
        record = read_record(installed / name)
        if record.kind is not kind:
            raise _record_error(
                installed / name,
                f"「{name}」は {record.kind} のモデルで、{kind} には使えません。",
                f"{name!r} is a model for {record.kind}, not for {kind}.",
            )
        for file, digest in record.files.items():
            _check(installed / name / file, digest, _anew(name, record.base))
        return InstalledModel(name=name, kind=kind, version=f"{name} {record.version}", folder=installed / name)
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
            _check(folder / file, digest, _REINSTALL)
        return InstalledModel(name=name, kind=kind, version=f"{name} {model.version}", folder=folder)
    raise _error(manifest, f"モデル「{name}」は載っていません。", f"has no model {name!r}.")


def is_installed(installed: Path, name: str) -> bool:
    """Tell whether a person installed a model of that name, whole or not."""
    try:
        return name == Path(name).name and (installed / name / RECORD).is_file()
    except OSError:
        # No file can have such a name; or somebody who may not look into the box's folders uses what is shipped.
        return False


def shipped_models(models: Path, kind: ModelKind) -> list[InstalledModel]:
    """Return the models the manifest lists, unchecked; raise `ModelError` if it cannot be read."""
    return [
        InstalledModel(name=m.name, kind=m.kind, version=f"{m.name} {m.version}", folder=models / m.folder)
        for m in _read(models / MANIFEST).model
        if m.kind is kind
    ]


def known_models(models: Path) -> tuple[KnownModel, ...]:
    """Return the models of others that the manifest knows; raise `ModelError` if it cannot be read."""
    return _read(models / MANIFEST).known


def read_record(folder: Path) -> Record:
    """Return what is written beside an installed model; raise `ModelError` if it cannot be read."""
    file = folder / RECORD
    try:
        return _read_record(file.read_bytes())
    except OSError as error:
        raise _record_error(
            folder, f"読めません（{error.strerror}）。", f"cannot be read ({error.strerror})."
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _record_error(folder, f"壊れています（詳細: {error}）。", f"is wrong: {error}") from error


def digests_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in a folder but its record, by its path in the folder."""
    out = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and name != RECORD:
            with file.open("rb") as stream:
                out[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return out


def bytes_of(folder: Path) -> int:
    """Return how many bytes a model's files have."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def free_bytes(folder: Path) -> int:
    """Return the bytes that can still be written to a folder's disk."""
    return shutil.disk_usage(folder).free


def _read(manifest: Path) -> _Manifest:
    try:
        return _read_manifest(manifest.read_bytes())
    except OSError as error:
        raise _error(manifest, f"読めません（{error.strerror}）。", f"cannot be read ({error.strerror}).") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _error(manifest, f"誤りがあります: {error}", f"is wrong: {error}") from error


def _check(file: Path, digest: str, remedy: Text) -> None:
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(
            Text(
                f"モデルのファイル {file} を読めません（{error.strerror}）。",
                f"The model file {file} cannot be read ({error.strerror}).",
            ),
            remedy,
        ) from error
    if found != digest:
        raise ModelError(
            Text(
                f"モデルのファイル {file} が壊れているか、書き換えられています（ダイジェスト不一致）。",
                f"The model file {file} is damaged or was altered (its digest is not the recorded one).",
            ),
            remedy,
        )


_REINSTALL = Text(
    "モデルを入れ直してください。リポジトリなら「git checkout models」で元に戻ります。",
    "Install the model again; in a checkout “git checkout models” restores it.",
)


def _anew(name: str, base: str = "") -> Text:
    """Return what to do about a model that a person installed, or that was made of `base` by adding words."""
    if base:
        return Text(
            f"「mamori speech words rebuild --model {base}」で作り直してください。",
            f"Make it anew with “mamori speech words rebuild --model {base}”.",
        )
    return Text(
        f"「mamori speech remove {name}」で削除してから、もう一度入れてください。"
        "使用中なら、先に「mamori speech use」で別のモデルに切り替えます。",
        f"Remove it with “mamori speech remove {name}”, and install it again. "
        "If it is in use, first choose another with “mamori speech use”.",
    )


def _record_error(folder: Path, ja: str, en: str) -> ModelError:
    file = folder / RECORD
    return ModelError(Text(f"モデルの記録 {file}: {ja}", f"Model record {file}: {en}"), _anew(folder.name))


def _error(manifest: Path, ja: str, en: str) -> ModelError:
    return ModelError(
        Text(f"モデル一覧 {manifest}: {ja}", f"Model manifest {manifest}: {en}"),
        Text(
            "設定の models.speech と models.harassment、「mamori speech list」を確認してください。",
            "See models.* in the settings, and “mamori speech list”.",
        ),
    )
