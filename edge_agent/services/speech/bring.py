"""Getting a model onto the box: from an archive, a folder or an address, into a folder of its own beside the others.

What comes in is not trusted: nothing may be written outside the folder, no link is followed, and sizes are counted as
they are written, whatever the archive says of them.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import re
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

from edge_agent.errors import ModelError
from edge_agent.services.model_store import free_bytes
from edge_agent.services.speech.entries import check_entries
from edge_agent.services.speech.refusals import (
    FAILURES,
    OTHER_SOURCE,
    no_room,
    nothing_given,
    refused,
    unreadable,
    wrong_address,
)

Progress = Callable[[int, int], None]
"""Told bytes done and bytes in all (0: not known)."""

LARGEST_ARCHIVE = 4 << 30
LARGEST_MODEL = 8 << 30
MOST_FILES = 1_000
SCHEMES = ("https", "http")
CHUNK = 1 << 20
TIMEOUT_S = 30.0
SIGN = "am/final.mdl"
"""A model's folder is the one that holds this file."""
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


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
    if not source.strip():
        raise nothing_given()
    try:
        address = _ADDRESS.match(source)
        if address is None:
            return _local(Path(source), into, source, progress)
        if address[1].lower() == "file":
            return _local(_path_of(source), into, source, progress)
        if address[1].lower() not in SCHEMES:
            raise refused(
                source,
                f"{address[1]}:// からは取得できません。",
                f"cannot be fetched over {address[1]}://.",
                OTHER_SOURCE,
            )
        archive = into / "download.zip"
        _download(source, archive, progress)
        brought = _archive(archive, into, source, progress, name=PurePosixPath(_split(source).path).name)
        archive.unlink()
    except FAILURES as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise unreadable(source, error) from error
    return brought


def _split(address: str) -> urllib.parse.SplitResult:
    try:
        return urllib.parse.urlsplit(address)
    except ValueError as error:
        raise wrong_address(address) from error


def _path_of(address: str) -> Path:
    """Return the path that a file:// address names: opened as a path, what is no regular file is seen beforehand."""
    parts = _split(address)
    if parts.netloc not in {"", "localhost"}:
        raise wrong_address(address)
    return Path(urllib.request.url2pathname(parts.path))


def _local(path: Path, into: Path, source: str, progress: Progress) -> Brought:
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        return _folder(path, into, source, progress)
    if not stat.S_ISREG(mode):
        # A pipe or a device would be waited for, or read without end.
        raise refused(source, "ファイルでもフォルダーでもありません。", "is neither a file nor a folder.", OTHER_SOURCE)
    return _archive(path, into, source, progress, name=path.name)


def _see_room(into: Path, needed: int, source: str) -> None:
    free = free_bytes(into)
    if needed > free:
        raise no_room(source, needed=needed, free=free)


def _download(address: str, file: Path, progress: Progress) -> None:
    with _answer(address) as answer, file.open("xb") as out:
        told = answer.headers.get("Content-Length") or "0"
        if not told.isascii() or not told.isdigit():
            raise http.client.HTTPException(told)
        expected = int(told)
        if expected > LARGEST_ARCHIVE:
            raise _too_large(address)
        _see_room(file.parent, expected, address)
        got = _copy(answer, out, limit=LARGEST_ARCHIVE, source=address, progress=progress, total=expected)
    if expected and got != expected:
        raise refused(address, "途中で切れました。", "was cut off.")


def _answer(address: str) -> http.client.HTTPResponse:
    if not _split(address).hostname:
        raise wrong_address(address)
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "mamori"})  # noqa: S310 - scheme checked by bring
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310 - see above
    except (ValueError, http.client.InvalidURL) as error:
        raise wrong_address(address) from error
    return answer


def _archive(archive: Path, into: Path, source: str, progress: Progress, *, name: str) -> Brought:
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
        if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > LARGEST_MODEL:
            raise _too_large(source)
        check_entries(entries, source)
        total, done = sum(entry.file_size for entry in entries), 0
        _see_room(into, total, source)
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
    return Brought(
        folder=folder,
        name=folder.name if folder != unpacked else name.removesuffix(".zip"),
        source=source,
        size=size,
        md5=md5.hexdigest(),
        sha256=sha256.hexdigest(),
    )


def _folder(path: Path, into: Path, source: str, progress: Progress) -> Brought:
    folder = _model_folder(path, source)
    files: list[tuple[Path, int]] = []
    for parent, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            there = Path(parent) / name
            facts = there.lstat()
            if not stat.S_ISREG(facts.st_mode) and not stat.S_ISDIR(facts.st_mode):
                raise refused(
                    source,
                    f"リンクまたは特殊なファイルが入っています（{there.relative_to(folder)}）。",
                    f"holds a link or special file ({there.relative_to(folder)}).",
                )
            if stat.S_ISREG(facts.st_mode):
                files.append((there.relative_to(folder), facts.st_size))
    total, done = sum(size for _, size in files), 0
    if len(files) > MOST_FILES or total > LARGEST_MODEL:
        raise _too_large(source)
    _see_room(into, total, source)
    copy = into / "unpacked"
    for name_, size in files:
        target = copy / name_
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name_, target, follow_symlinks=False)
        done += size
        progress(done, total)
    return Brought(folder=copy, name=folder.resolve().name, source=source)


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


def _too_large(source: str) -> ModelError:
    gib = LARGEST_MODEL >> 30
    return refused(
        source,
        f"大きすぎるか、中身が申告より大きくなっています（上限 {gib} GiB、{MOST_FILES} ファイル）。",
        f"is too large, or larger than it says ({gib} GiB and {MOST_FILES} files at most).",
    )
