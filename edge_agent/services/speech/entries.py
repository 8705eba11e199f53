"""What an archive says it holds, looked at before anything of it is written."""

from __future__ import annotations

import stat
import zipfile
from pathlib import PurePosixPath

from edge_agent.errors import ModelError
from edge_agent.services.speech.refusals import UNPACKED, refused

_ENCRYPTED = 0x41
"""An entry's flags for a password, and for the stronger kind of encryption (APPNOTE.TXT 4.4.4)."""


def check_entries(entries: list[zipfile.ZipInfo], source: str) -> None:
    """Raise `ModelError` if an entry would be written elsewhere, is a link, is encrypted, or is there twice."""
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
        if entry.flag_bits & _ENCRYPTED:
            raise refused(
                source, "パスワード付きのアーカイブは読めません。", "is encrypted, which cannot be read.", UNPACKED
            )
    _refuse_twice(entries, source)


def _refuse_twice(entries: list[zipfile.ZipInfo], source: str) -> None:
    """Raise `ModelError` if two entries would be one file, or one a file and the folder of another."""
    files: set[PurePosixPath] = set()
    folders: set[PurePosixPath] = set()
    for entry in entries:
        name = PurePosixPath(entry.filename)
        folders.update(name.parents)
        if entry.is_dir():
            folders.add(name)
        elif name in files:
            raise _twice(entry.filename, source)
        else:
            files.add(name)
    for both in files & folders:
        raise _twice(str(both), source)


def _twice(name: str, source: str) -> ModelError:
    return refused(source, f"同じ名前のファイルが2つ入っています（{name}）。", f"holds a file twice ({name}).")
