"""What comes from a stick or the network is not trusted: it writes into its own folder or not at all."""

from __future__ import annotations

import hashlib
import http.server
import stat
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from edge_agent.errors import ModelError
from edge_agent.services.speech import bring as bringing
from edge_agent.services.speech.bring import Brought, bring
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
    assert "larger than it says" in error.what.en or "cannot be read" in error.what.en
    assert sum(len(part) for part in in_folder(into).values()) <= 100_000


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut off"])
def test_what_is_no_archive_is_refused(tmp_path: Path, into: Path, content: bytes) -> None:
    archive = tmp_path / "model.zip"
    archive.write_bytes(content)
    assert "cannot be read" in refused(archive, into).what.en


def test_a_damaged_archive_is_refused(tmp_path: Path, into: Path) -> None:
    archive = model_zip(tmp_path / "model.zip")
    archive.write_bytes(archive.read_bytes().replace(b"weights", b"wEights"))
    assert "Bad CRC" in refused(archive, into).what.en


def test_what_is_not_there_is_refused(tmp_path: Path, into: Path) -> None:
    assert "No such file" in refused(tmp_path / "none.zip", into).what.en


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path, into: Path) -> None:
    (tmp_path / "photos").mkdir()
    assert "is no speech model" in refused(tmp_path / "photos", into).what.en


def test_two_models_at_once_are_refused(tmp_path: Path, into: Path) -> None:
    model_folder(tmp_path / "stick/one")
    model_folder(tmp_path / "stick/two")
    assert "more than one model" in refused(tmp_path / "stick", into).what.en


class Server(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        pass

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
    assert "cannot be read (File not found)" in refused(f"{address}/none.zip", into).what.en


def test_a_download_that_breaks_off_is_refused(address: str, into: Path) -> None:
    assert "was cut off" in refused(f"{address}/cut.zip", into).what.en


def test_a_file_address_is_read_too(tmp_path: Path, into: Path) -> None:
    archive = model_zip(tmp_path / "model.zip")
    assert in_folder(bring_quietly(archive.as_uri(), into).folder) == FILES
