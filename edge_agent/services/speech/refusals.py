"""Why a model is not brought in, said in words: what was wrong with it, its source or the disk, and what to do."""

from __future__ import annotations

import errno
import http.client
import lzma
import os
import shutil
import ssl
import struct
import urllib.error
import zipfile
import zlib
from pathlib import Path

from edge_agent.errors import ModelError, Text
from edge_agent.services.model_store import free_bytes

FAILURES = (
    OSError,
    http.client.HTTPException,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    OverflowError,
    RuntimeError,
)
"""What reading a source can raise: zipfile passes on whatever its decompressors and decoders make of damaged bytes."""

FETCH_AGAIN = Text(
    "配布元から取り直した zip か、展開したフォルダーを指定してください。使用中のモデルはそのままです。",
    "Give a zip fetched afresh from its publisher, or its unpacked folder. The model used so far stays in use.",
)
_COPY_AGAIN = Text(
    "もう一度コピーするかダウンロードし直して、zip か、展開したフォルダーを指定してください。"
    "使用中のモデルはそのままです。",
    "Copy or fetch it again, and give the zip or its unpacked folder. The model used so far stays in use.",
)
_CHECK_PLACE = Text(
    "名前と場所を確かめてください。USB メモリーなら、つながって（マウントされて）いるかも確かめてください。",
    "Check its name and place; if it is on a stick, whether that is mounted.",
)
_CHECK_RIGHTS = Text(
    "管理者の権限（sudo）で実行するか、読めるように権限を変えてください。",
    "Run this with sudo, or let it be read.",
)
_CHECK_ADDRESS = Text(
    "アドレスを確かめてください。空白や日本語は「%20」のような形で書きます。"
    "zip を USB メモリーで運んで指定することもできます。",
    "Check the address; blanks and letters beyond ASCII are written like “%20”. A zip brought on a stick will do too.",
)
_CHECK_NETWORK = Text(
    "アドレスとネットワークを確かめてください。zip を USB メモリーで運んで指定することもできます。",
    "Check the address and the network. A zip brought on a stick will do too.",
)
UNPACKED = Text("展開したフォルダーを指定してください。", "Unpack it and give the folder.")
OTHER_SOURCE = Text(
    "zip、展開したフォルダー、または https:// か http:// のアドレスを指定してください。",
    "Give a zip, an unpacked folder, or an address that begins with https:// or http://.",
)
_MAKE_ROOM = Text(
    "取り込み元に問題はありません。使用中のモデルと追加した言葉はそのままです。"
    "使わないモデルを「mamori speech list」で確かめて「mamori speech remove」で"
    "削除するなどして空きを作り、もう一度実行してください。",
    "Nothing is wrong with the source, and the models and added words are as they were. "
    "Make room (“mamori speech list” and “mamori speech remove” for models nobody uses) and try again.",
)
_LET_WRITE = Text(
    "管理者の権限（sudo）で実行してください。それでも書けなければ、フォルダーの所有者と、ディスクが読み取り専用に"
    "なっていないかを確かめてください。使用中のモデルはそのままです。",
    "Run this with sudo. If that does not help, see who owns the folder and whether the disk is read-only. "
    "The model used so far stays in use.",
)

_FULL = {errno.ENOSPC, errno.EDQUOT}
_UNREAD = {
    errno.ENOENT: ("見つかりません。", "is not there.", _CHECK_PLACE),
    errno.ENOTDIR: ("見つかりません。", "is not there.", _CHECK_PLACE),
    errno.ENAMETOOLONG: ("名前が長すぎます。", "has, or holds, too long a name.", _CHECK_PLACE),
    errno.EACCES: ("読む権限がありません。", "may not be read.", _CHECK_RIGHTS),
    errno.EPERM: ("読む権限がありません。", "may not be read.", _CHECK_RIGHTS),
    errno.EIO: ("媒体から読み取れません。", "cannot be read off its medium.", _COPY_AGAIN),
}
_UNWRITTEN = {
    errno.EROFS: ("ディスクが読み取り専用です", "the disk is read-only"),
    errno.EACCES: ("権限がありません", "not permitted"),
    errno.EPERM: ("権限がありません", "not permitted"),
    errno.EEXIST: ("同じ名前の、フォルダーではないものがあります", "something that is no folder has its name"),
    errno.ENOTDIR: ("途中にフォルダーではないものがあります", "something on the way to it is no folder"),
}


def refused(source: str, ja: str, en: str, remedy: Text = FETCH_AGAIN) -> ModelError:
    """Return the error for something that is not brought in."""
    return ModelError(Text(f"モデル {source}: {ja}", f"Model {source} {en}"), remedy)


def unreadable(source: str, error: Exception) -> ModelError:
    """Return the error for one of `FAILURES`, met while a source was read."""
    if isinstance(error, urllib.error.HTTPError):
        return refused(
            source,
            f"サーバーから取得できません（応答コード {error.code}）。",
            f"is not given by the server (it answers {error.code} {error.reason}).",
            _CHECK_ADDRESS,
        )
    if isinstance(error, urllib.error.URLError):
        reason = getattr(error.reason, "strerror", None) or error.reason
        ja = f"サーバーにつながりません（詳細: {reason}）。"
        return refused(source, ja, f"cannot be fetched ({reason}).", _CHECK_NETWORK)
    if isinstance(error, http.client.HTTPException | TimeoutError | ConnectionError | ssl.SSLError):
        return refused(
            source,
            "サーバーの応答が途中で切れたか、壊れています。",
            "was cut off by the server, or its answer is damaged.",
            _CHECK_NETWORK,
        )
    if isinstance(error, OSError) and error.errno is not None:
        return _unreadable_file(source, error)
    if isinstance(error, NotImplementedError):
        return refused(
            source, "対応していない方式で圧縮されています。", "is compressed in a way that is not known here.", UNPACKED
        )
    return refused(
        source,
        "zip ではないか、壊れています。途中で切れたのかもしれません。",
        "is no zip archive, or a damaged one; it may have been cut off.",
        _COPY_AGAIN,
    )


def _unreadable_file(source: str, error: OSError) -> ModelError:
    if error.errno in _FULL:
        return no_room(source)
    if error.errno in _UNREAD:
        return refused(source, *_UNREAD[error.errno])
    if error.errno == errno.EROFS:
        return cannot_write(Path(error.filename or source), error)
    reason = error.strerror
    return refused(source, f"読めません（詳細: {reason}）。", f"cannot be read ({reason}).", _COPY_AGAIN)


def no_room(what: str, *, needed: int = 0, free: int = 0) -> ModelError:
    """Return the error for a full disk; `needed` and `free` in bytes, 0 and 0 where it showed only while writing."""
    ja = f"（必要 {needed / 1e6:.0f} MB、空き {free / 1e6:.0f} MB）" if needed else ""
    en = f" ({needed / 1e6:.0f} MB needed, {free / 1e6:.0f} MB free)" if needed else ""
    return ModelError(
        Text(f"{what}: ディスクの空きが足りません{ja}。", f"{what}: too little room on the disk{en}."),
        _MAKE_ROOM,
    )


def cannot_write(folder: Path, error: OSError, *, needed: int = 0) -> ModelError:
    """Return the error for a folder of models that does not take what is to be written, `needed` bytes if known."""
    number, reason = _why(error)
    if number in _FULL:
        return no_room(str(folder), needed=needed, free=free_bytes(folder) if needed else 0)
    ja, en = _UNWRITTEN.get(number, (f"詳細: {reason}", reason))
    return ModelError(
        Text(
            f"モデルのフォルダー {folder} に書き込めません（{ja}）。",
            f"The folder of models {folder} cannot be written ({en}).",
        ),
        _LET_WRITE,
    )


def _why(error: OSError) -> tuple[int, str]:
    """Return an error's number, 0 if it has none, and its reason."""
    if not isinstance(error, shutil.Error):
        return error.errno or 0, str(error.strerror)
    # copytree gathers what went wrong as texts, without their numbers.
    reason = str(error.args[0][0][-1] if error.args and isinstance(error.args[0], list) else error)
    return next((number for number in (*_FULL, *_UNWRITTEN) if os.strerror(number) in reason), 0), reason


def wrong_address(address: str) -> ModelError:
    """Return the error for what looks like an address and is none."""
    return refused(address, "アドレスとして正しくありません。", "is no valid address.", _CHECK_ADDRESS)


def nothing_given() -> ModelError:
    """Return the error for a source that is empty: the current folder is not meant by it."""
    return ModelError(
        Text("入れるモデルが指定されていません（空の文字です）。", "No model is given: what was given is empty."),
        OTHER_SOURCE,
    )
