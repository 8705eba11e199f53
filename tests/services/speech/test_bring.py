"""What comes from a stick or the network is not trusted: it writes into its own folder or not at all."""

from __future__ import annotations

import hashlib
import http.server
import os
import socket
import stat
import threading
import warnings
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from edge_agent.errors import ModelError
from edge_agent.services.speech import bring as bringing
from edge_agent.services.speech.bring import Brought, bring
from tests.fakes import FullDisk
from tests.speech_models import FILES, model_folder, model_zip


def bring_quietly(source: Path | str, into: Path) -> Brought:
    return bring(str(source), into, progress=lambda _done, _total: None)


def refused(source: Path | str, into: Path) -> ModelError:
    with pytest.raises(ModelError) as error:
        bring_quietly(source, into)
    assert error.value.remedy.ja
    assert error.value.remedy.en
    return error.value


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "into"
    folder.mkdir()
    return folder


def in_folder(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_an_archive_is_unpacked_and_its_digests_are_told(tmp_path: Path, into: Path) -> None:
    archive = model_zip(tmp_path / "model.zip")
    brought = bring_quietly(archive, into)
    content = archive.read_bytes()
    assert in_folder(brought.folder) == FILES
    assert brought.name == "vosk-model-test-ja-1.0"
    assert brought.sha256 == hashlib.sha256(content).hexdigest()
    assert brought.md5 == hashlib.md5(content, usedforsecurity=False).hexdigest()
    assert brought.size == len(content)


def test_an_archive_without_a_folder_of_its_own_is_called_like_its_file(tmp_path: Path, into: Path) -> None:
    assert bring_quietly(model_zip(tmp_path / "My-Model.zip", top=""), into).name == "My-Model"


def test_a_folder_on_a_stick_is_copied(tmp_path: Path, into: Path) -> None:
    brought = bring_quietly(model_folder(tmp_path / "stick/vosk-ja").parent, into)
    assert in_folder(brought.folder) == FILES
    assert (brought.name, brought.sha256) == ("vosk-ja", "")


@pytest.mark.parametrize("name", ["../outside", "/outside", "..\\outside", "a/../../outside", "C:/outside"])
def test_an_archive_that_would_write_elsewhere_is_refused(tmp_path: Path, into: Path, name: str) -> None:
    archive = model_zip(tmp_path / "model.zip")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(name, b"evil")
    assert "would write outside" in refused(archive, into).what.en
    assert not list(tmp_path.rglob("outside"))


def test_links_in_an_archive_are_refused(tmp_path: Path, into: Path) -> None:
    archive = model_zip(tmp_path / "model.zip")
    link = zipfile.ZipInfo("model/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr(link, "/etc/passwd")
    assert "link or special file" in refused(archive, into).what.en


def test_links_in_a_folder_are_refused(tmp_path: Path, into: Path) -> None:
    folder = model_folder(tmp_path / "model")
    (folder / "ivector").symlink_to("/etc")
    assert "link or special file" in refused(folder, into).what.en
    assert not list(into.rglob("passwd"))


def test_what_is_larger_than_allowed_is_refused(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(bringing, "LARGEST_MODEL", 10)
    assert "too large" in refused(model_zip(tmp_path / "model.zip"), into).what.en
    assert "too large" in refused(model_folder(tmp_path / "model"), into).what.en
    monkeypatch.setattr(bringing, "LARGEST_ARCHIVE", 10)
    assert "too large" in refused(tmp_path / "model.zip", into).what.en


def test_an_archive_that_is_larger_than_it_says_is_refused(tmp_path: Path, into: Path) -> None:
    archive = model_zip(tmp_path / "model.zip", files=FILES | {"am/final.mdl": b"0" * 100_000})
    content = bytearray(archive.read_bytes())
    # The central directory says 10 bytes where there are 100,000.
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(b"conf/mfcc.conf"))
    first = content.index(b"PK\x01\x02")
    assert first <= at
    content[first + 24 : first + 28] = (10).to_bytes(4, "little")
    archive.write_bytes(bytes(content))
    error = refused(archive, into)
    assert "larger than it says" in error.what.en or "damaged" in error.what.en
    assert sum(len(part) for part in in_folder(into).values()) <= 100_000


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_what_is_no_archive_is_refused(tmp_path: Path, into: Path, content: bytes) -> None:
    archive = tmp_path / "model.zip"
    archive.write_bytes(content)
    error = refused(archive, into)
    assert "may have been cut off" in error.what.en
    assert "File is not" not in error.what.ja
    assert "もう一度コピー" in error.remedy.ja


def test_a_damaged_archive_is_refused(tmp_path: Path, into: Path) -> None:
    archive = model_zip(tmp_path / "model.zip")
    archive.write_bytes(archive.read_bytes().replace(b"weights", b"wEights"))
    assert "a damaged one" in refused(archive, into).what.en


def central(content: bytes) -> int:
    """Return where an archive's list of entries begins."""
    return content.index(b"PK\x01\x02")


def patched(archive: Path, at: int, with_: bytes) -> Path:
    content = bytearray(archive.read_bytes())
    content[at : at + len(with_)] = with_
    archive.write_bytes(bytes(content))
    return archive


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_an_archive_damaged_in_the_middle_is_refused_however_it_is_compressed(
    tmp_path: Path, into: Path, method: int
) -> None:
    archive = tmp_path / "model.zip"
    with zipfile.ZipFile(archive, "w", method) as file:
        file.writestr("am/final.mdl", bytes(range(256)) * 40)
    error = refused(patched(archive, 30 + len("am/final.mdl"), b"\xff" * 40), into)
    assert "a damaged one" in error.what.en


def test_an_archive_whose_names_are_no_text_is_refused(tmp_path: Path, into: Path) -> None:
    archive = model_zip(tmp_path / "model.zip", top="モ")
    archive.write_bytes(archive.read_bytes().replace("モ".encode(), b"\xff\xff\xff"))
    assert "a damaged one" in refused(archive, into).what.en


@pytest.mark.parametrize("where", [b"\xff\xff\xff\x7f", b"\xf0\xff\xff\xff"])
def test_an_archive_whose_list_points_nowhere_is_refused(tmp_path: Path, into: Path, where: bytes) -> None:
    archive = model_zip(tmp_path / "model.zip")
    assert "a damaged one" in refused(patched(archive, central(archive.read_bytes()) + 42, where), into).what.en


def test_an_archive_with_a_password_is_refused_as_such(tmp_path: Path, into: Path) -> None:
    archive = model_zip(tmp_path / "model.zip")
    error = refused(patched(archive, central(archive.read_bytes()) + 8, b"\x01"), into)
    assert "パスワード付き" in error.what.ja
    assert "展開した" in error.remedy.ja


def test_an_archive_compressed_in_an_unknown_way_is_refused_as_such(tmp_path: Path, into: Path) -> None:
    archive = model_zip(tmp_path / "model.zip")
    error = refused(patched(archive, central(archive.read_bytes()) + 10, b"\x63"), into)
    assert "対応していない方式" in error.what.ja


@pytest.mark.parametrize("more", ["am/final.mdl", "./am/final.mdl", "am", "am/final.mdl/x"])
def test_an_archive_that_holds_a_file_twice_is_refused_as_such(tmp_path: Path, into: Path, more: str) -> None:
    archive = model_zip(tmp_path / "model.zip", top="")
    with zipfile.ZipFile(archive, "a") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file.writestr(more, b"again")
    assert "holds a file twice" in refused(archive, into).what.en


def test_what_is_not_there_is_refused(tmp_path: Path, into: Path) -> None:
    error = refused(tmp_path / "none.zip", into)
    assert "none.zip is not there" in error.what.en
    assert "見つかりません" in error.what.ja


@pytest.mark.parametrize("source", ["", "  "])
def test_an_empty_source_is_not_the_current_folder(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.chdir(model_folder(tmp_path / "model"))
    assert "No model is given" in refused(source, into).what.en


def test_a_pipe_or_a_device_is_not_waited_for(tmp_path: Path, into: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for source in (tmp_path / "pipe", (tmp_path / "pipe").as_uri(), "/dev/zero"):
        assert "neither a file nor a folder" in refused(source, into).what.en


def test_a_model_for_which_there_is_too_little_room_is_refused_before_it_is_written(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(bringing, "free_bytes", lambda _folder: 10)
    archive = model_zip(tmp_path / "model.zip", files=FILES | {"am/final.mdl": b"0" * 5_000_000})
    for source in (f"{address}/model.zip", model_folder(tmp_path / "model"), archive):
        error = refused(source, into)
        assert "too little room" in error.what.en
        assert "問題はありません" in error.remedy.ja
    assert "5 MB needed, 0 MB free" in error.what.en
    assert not any(in_folder(into).values())


def test_a_disk_that_is_full_meanwhile_is_told(tmp_path: Path, into: Path) -> None:
    with pytest.raises(ModelError, match="too little room") as error:
        bring(str(model_folder(tmp_path / "model")), into, progress=FullDisk())
    assert "mamori speech remove" in error.value.remedy.ja


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, into: Path) -> None:
    (tmp_path / "photos").mkdir()
    assert "is no speech model" in refused(tmp_path / "photos", into).what.en


def test_two_models_at_once_are_refused(tmp_path: Path, into: Path) -> None:
    model_folder(tmp_path / "stick/one")
    model_folder(tmp_path / "stick/two")
    assert "more than one model" in refused(tmp_path / "stick", into).what.en


OK = b"HTTP/1.1 200 OK\r\n"
RAW = {
    "/no-http.zip": b"220 mail.example ready\r\n\r\n",
    "/no-length.zip": OK + b"Content-Length: many\r\n\r\nPK",
    "/less-than-none.zip": OK + b"Content-Length: -5\r\n\r\nPK",
    "/cut-chunk.zip": OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\nPK",
}


class Server(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        pass

    def do_GET(self) -> None:
        raw = RAW.get(self.path)
        if raw is None:
            super().do_GET()
        else:
            self.wfile.write(raw)
            self.close_connection = True

    def send_header(self, keyword: str, value: str) -> None:
        longer = keyword == "Content-Length" and "cut" in self.path
        super().send_header(keyword, str(2 * int(value)) if longer else value)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    served = tmp_path / "served"
    served.mkdir()
    model_zip(served / "model.zip")
    model_zip(served / "cut.zip")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(served))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_model_is_downloaded_with_progress(address: str, into: Path) -> None:
    seen = []
    brought = bring(f"{address}/model.zip", into, progress=lambda done, total: seen.append((done, total)))
    assert in_folder(brought.folder) == FILES
    assert seen[0][0] == seen[0][1] == brought.size
    assert not (into / "download.zip").exists()


def test_a_model_that_cannot_be_downloaded_is_refused(address: str, into: Path) -> None:
    error = refused(f"{address}/none.zip", into)
    assert "404 File not found" in error.what.en
    assert "404" in error.what.ja


def test_a_server_that_does_not_answer_is_told(into: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        error = refused(f"http://127.0.0.1:{nobody.getsockname()[1]}/model.zip", into)
    assert "cannot be fetched (Connection refused)" in error.what.en
    assert "ネットワーク" in error.remedy.ja


@pytest.mark.parametrize("path", RAW)
def test_an_answer_that_makes_no_sense_is_refused(address: str, into: Path, path: str) -> None:
    assert "its answer is damaged" in refused(address + path, into).what.en


@pytest.mark.parametrize(
    "source",
    [
        "http://[bad",
        "http://",
        "https://mirror.example:abc/x.zip",
        "http://127.0.0.1:1/a model.zip",
        "http://127.0.0.1:1/モデル.zip",
        "file://[bad",
        "file://elsewhere/x.zip",
    ],
)
def test_an_address_that_is_none_is_refused(into: Path, source: str) -> None:
    error = refused(source, into)
    assert "is no valid address" in error.what.en
    assert "アドレスを確かめて" in error.remedy.ja


def test_other_kinds_of_address_are_refused_with_those_that_are_read(into: Path) -> None:
    error = refused("ftp://mirror.example/model.zip", into)
    assert "over ftp://" in error.what.en
    assert "https://" in error.remedy.ja


def test_a_download_that_breaks_off_is_refused(address: str, into: Path) -> None:
    assert "was cut off" in refused(f"{address}/cut.zip", into).what.en


def test_a_file_address_is_read_too(tmp_path: Path, into: Path) -> None:
    archive = model_zip(tmp_path / "model.zip")
    assert in_folder(bring_quietly(archive.as_uri(), into).folder) == FILES
