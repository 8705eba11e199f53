"""The server behind the pages starts, refuses and stops as a service should."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge_agent.errors import PortInUseError, SettingsError
from edge_agent.provision import pki
from edge_agent.settings import Web
from tests.web_ui.conftest import Pages
from web_ui.serve import make_server

STOPS_WITHIN_S = 5.0
"""2 s on a machine of its own; tests share theirs with others."""
PATIENCE_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def test_a_port_in_use_is_named_with_a_remedy(tmp_path: Path, prepared: Path, taken_port: int) -> None:
    pages = Pages(tmp_path, prepared=prepared, web=Web(port=taken_port))
    with pytest.raises(PortInUseError) as refused:
        make_server(pages.app, pages.settings)
    assert str(taken_port) in refused.value.what.ja
    assert "web.port" in refused.value.remedy.ja
    pages.close()


def test_an_address_that_is_not_this_machines_is_refused(tmp_path: Path, prepared: Path) -> None:
    web = Web(host="192.0.2.1", port=free_port(), certificate="", key="")
    pages = Pages(tmp_path, prepared=prepared, web=web)
    with pytest.raises(SettingsError) as refused:
        make_server(pages.app, pages.settings)
    assert "192.0.2.1" in refused.value.what.en
    pages.close()


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path, prepared: Path) -> None:
    missing = str(tmp_path / "missing.crt")
    pages = Pages(tmp_path, prepared=prepared, web=Web(port=free_port(), certificate=missing, key=missing))
    with pytest.raises(SettingsError) as refused:
        make_server(pages.app, pages.settings)
    assert missing in refused.value.what.en
    pages.close()


def settings_file(folder: Path, *, port: int, certificate: str = "", key: str = "") -> Path:
    file = folder / "mamori.toml"
    file.write_text(
        f"[paths]\ndata = '{folder / 'data'}'\nrun = '{folder / 'run'}'\n"
        f"[web]\nport = {port}\ncertificate = '{certificate}'\nkey = '{key}'\n",
        encoding="utf-8",
    )
    return file


def start(file: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "web_ui.serve", "--settings", str(file)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answering(url: str, process: subprocess.Popen[str], context: ssl.SSLContext | None = None) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5, context=context) as answer:  # noqa: S310
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError(process.communicate()[1])


@pytest.mark.journey
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_stops_cleanly_and_soon(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    process = start(settings_file(tmp_path, port=port))
    assert "ログイン" in answering(f"http://127.0.0.1:{port}/login", process)
    key = tmp_path / "data/secrets/web-session"
    assert key.stat().st_mode & 0o777 == 0o600
    began = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert time.monotonic() - began < STOPS_WITHIN_S
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert "web.stopped" in said


@pytest.mark.journey
def test_a_port_in_use_ends_the_start_with_words_and_exit_code_1(tmp_path: Path, taken_port: int) -> None:
    process = start(settings_file(tmp_path, port=taken_port))
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert f"127.0.0.1:{taken_port}" in said
    assert "web.port" in said
    assert "Traceback" not in said


@pytest.mark.journey
def test_with_a_certificate_the_pages_are_served_over_tls_and_cookies_stay_on_it(tmp_path: Path) -> None:
    pki.ensure_authority(tmp_path / "pki", now=datetime.now(UTC))
    pki.ensure_server(tmp_path / "pki", "web", hosts=["localhost", "127.0.0.1"], now=datetime.now(UTC))
    port = free_port()
    file = settings_file(
        tmp_path, port=port, certificate=str(tmp_path / "pki/web.crt"), key=str(tmp_path / "pki/web.key")
    )
    process = start(file)
    trusted = ssl.create_default_context(cafile=str(tmp_path / "pki/ca.crt"))
    assert "ログイン" in answering(f"https://localhost:{port}/login", process, trusted)
    with urllib.request.urlopen(f"https://localhost:{port}/login", context=trusted) as answer:
        assert "Secure" in answer.headers["Set-Cookie"]
    process.terminate()
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
