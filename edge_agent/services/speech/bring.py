"""Getting a model onto the box: from an archive, a folder or an address, into a folder of its own beside the others.

What comes in is not trusted: nothing may be written outside the folder, no link is followed, and sizes are counted as
they are written, whatever the archive says of them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from edge_agent.errors import ModelError, Text

Progress = Callable[[int, int], None]
"""Told bytes done and bytes in all (0: not known)."""

LARGEST_ARCHIVE = 4 << 30
LARGEST_MODEL = 8 << 30
MOST_FILES = 1_000
SCHEMES = ("https", "http", "file")
CHUNK = 1 << 20
TIMEOUT_S = 30.0
SIGN = "am/final.mdl"
"""A model's folder is the one that holds this file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What was brought.

    Attributes:
        folder: the model's folder, inside the one it was brought into.
        name: name of its own folder in the archive, or of the source.
        source: where it came from.
        size: bytes of the archive; 0 for a folder.
        md5: of the archive, hex; empty for a folder.
        sha256: of the archive, hex; empty for a folder.
    """

    folder: Path
    name: str
    source: str
    size: int = 0
    md5: str = ""
    sha256: str = ""


def bring(source: str, into: Path, *, progress: Progress) -> Brought:
    """Copy, unpack or download a model into an empty folder.

    Raises:
        ModelError: it cannot be read, is no model's archive, is too large, or would write somewhere else.
    """
    scheme = urllib.parse.urlsplit(source).scheme
    try:
        if scheme in SCHEMES and "://" in source:
            archive = into / "download.zip"
            _download(source, archive, progress)
            brought = _archive(archive, into, source, progress)
            archive.unlink()
            return brought
        path = Path(source)
        if path.is_dir():
            return _folder(path, into, progress)
        return _archive(path, into, source, progress)
    except (OSError, zipfile.BadZipFile, urllib.error.URLError, RuntimeError, NotImplementedError, EOFError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        # RuntimeError is what zipfile raises for an archive with a password.
        reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
        raise refused(source, f"読めません（{reason}）。", f"cannot be read ({reason}).") from error


def _download(address: str, file: Path, progress: Progress) -> None:
    request = urllib.request.Request(address, headers={"User-Agent": "mamori"})  # noqa: S310 - scheme checked by bring
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer, file.open("xb") as out:  # noqa: S310 - see above
        expected = int(answer.headers.get("Content-Length") or 0)
        got = _copy(answer, out, limit=LARGEST_ARCHIVE, source=address, progress=progress, total=expected)
    if expected and got != expected:
        raise refused(address, "途中で切れました。", "was cut off.")


def _archive(archive: Path, into: Path, source: str, progress: Progress) -> Brought:
    size = archive.stat().st_size
    if size > LARGEST_ARCHIVE:
        raise _too_large(source)
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with archive.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            md5.update(chunk)
            sha256.update(chunk)
    unpacked = into / "unpacked"
    unpacked.mkdir()
    with zipfile.ZipFile(archive) as file:
        entries = file.infolist()
        _check_entries(entries, source)
        total, done = sum(entry.file_size for entry in entries), 0
        for entry in entries:
            target = unpacked / entry.filename
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with file.open(entry) as content, target.open("xb") as out:
                left = min(entry.file_size, LARGEST_MODEL - done)
                done += _copy(content, out, limit=left, source=source, progress=lambda _done, _total: None)
            progress(done, total)
    folder = _model_folder(unpacked, source)
    name = folder.name if folder != unpacked else _stem(source)
    return Brought(
        folder=folder, name=name, source=source, size=size, md5=md5.hexdigest(), sha256=sha256.hexdigest()
    )  # fmt: skip


def _check_entries(entries: list[zipfile.ZipInfo], source: str) -> None:
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > LARGEST_MODEL:
        raise _too_large(source)
    for entry in entries:
        name = PurePosixPath(entry.filename)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if name.is_absolute() or ".." in name.parts or "\\" in entry.filename or ":" in entry.filename:
            raise refused(
                source,
                f"フォルダーの外に書き込もうとしています（{entry.filename}）。",
                f"would write outside its folder ({entry.filename}).",
            )
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            raise refused(
                source,
                f"リンクまたは特殊なファイルが入っています（{entry.filename}）。",
                f"holds a link or special file ({entry.filename}).",
            )


def _folder(path: Path, into: Path, progress: Progress) -> Brought:
    folder = _model_folder(path, str(path))
    files: list[tuple[Path, int]] = []
    for parent, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            there = Path(parent) / name
            facts = there.lstat()
            if not stat.S_ISREG(facts.st_mode) and not stat.S_ISDIR(facts.st_mode):
                raise refused(
                    str(path),
                    f"リンクまたは特殊なファイルが入っています（{there.relative_to(folder)}）。",
                    f"holds a link or special file ({there.relative_to(folder)}).",
                )
            if stat.S_ISREG(facts.st_mode):
                files.append((there.relative_to(folder), facts.st_size))
    total, done = sum(size for _, size in files), 0
    if len(files) > MOST_FILES or total > LARGEST_MODEL:
        raise _too_large(str(path))
    copy = into / "unpacked"
    for name_, size in files:
        target = copy / name_
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name_, target, follow_symlinks=False)
        done += size
        progress(done, total)
    return Brought(folder=copy, name=folder.resolve().name, source=str(path))


def _model_folder(root: Path, source: str) -> Path:
    """Return the folder that is the model: the one given, or one at most two levels down."""
    for pattern in (SIGN, f"*/{SIGN}", f"*/*/{SIGN}"):
        found = sorted(root.glob(pattern))
        if len(found) > 1:
            raise refused(source, "モデルが2つ以上入っています。", "holds more than one model.")
        if found:
            return found[0].parent.parent
    raise refused(
        source,
        f"音声モデルではありません（{SIGN} がありません）。",
        f"is no speech model ({SIGN} is missing).",
    )


def _copy(content: IO[bytes], out: IO[bytes], *, limit: int, source: str, progress: Progress, total: int = 0) -> int:
    done = 0
    while chunk := content.read(CHUNK):
        done += len(chunk)
        if done > limit:
            raise _too_large(source)
        out.write(chunk)
        progress(done, total)
    return done


def _stem(source: str) -> str:
    return PurePosixPath(urllib.parse.urlsplit(source).path).name.removesuffix(".zip")


def _too_large(source: str) -> ModelError:
    gib = LARGEST_MODEL >> 30
    return refused(
        source,
        f"大きすぎるか、中身が申告より大きくなっています（上限 {gib} GiB、{MOST_FILES} ファイル）。",
        f"is too large, or larger than it says ({gib} GiB and {MOST_FILES} files at most).",
    )


def refused(source: str, ja: str, en: str) -> ModelError:
    """Return the error for something that is not brought in."""
    return ModelError(
        Text(f"モデル {source}: {ja}", f"Model {source} {en}"),
        Text(
            "配布元から取り直した zip か、展開したフォルダーを指定してください。使用中のモデルはそのままです。",
            "Give a zip fetched afresh from its publisher, or its unpacked folder. The model used so far stays in use.",
        ),
    )
