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
from contextlib import suppress
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import pytest

from edge_agent.errors import PortInUseError, SettingsError
from edge_agent.provision import pki
from edge_agent.settings import Web
from tests.ports import free_port
from tests.web_ui.conftest import Pages
from web_ui.redirect import Redirect
from web_ui.serve import make_server

STOPS_WITHIN_S = 5.0
"""2 s on a machine of its own; tests share theirs with others."""
PATIENCE_S = 60.0


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def test_a_port_in_use_is_named_with_a_remedy(tmp_path: Path, prepared: Path, taken_port: int) -> None:
    pages = Pages(tmp_path, prepared=prepared, web=Web(port=taken_port))
    certify(pages.settings.data)
    with pytest.raises(PortInUseError) as refused:
        make_server(pages.app, pages.settings)
    assert str(taken_port) in refused.value.what.ja
    assert "web.port" in refused.value.remedy.ja
    pages.close()


def test_an_address_that_is_not_this_machines_is_refused(tmp_path: Path, prepared: Path) -> None:
    pages = Pages(tmp_path, prepared=prepared, web=Web(host="192.0.2.1", port=free_port()))
    certify(pages.settings.data)
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


def settings_file(folder: Path, *, port: int, redirect: int = 0) -> Path:
    certify(folder / "data")
    file = folder / "mamori.toml"
    file.write_text(
        f"[paths]\ndata = '{folder / 'data'}'\nrun = '{folder / 'run'}'\n"
        f"[web]\nport = {port}\nredirect_port = {redirect}\n",
        encoding="utf-8",
    )
    return file


def certify(data: Path) -> None:
    now = datetime.now(UTC)
    pki.ensure_authority(data / "pki", now=now)
    pki.ensure_server(data / "pki", "web", hosts=["mamori.local"], now=now)


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "data/pki/ca.crt"))


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


@pytest.mark.alone
@pytest.mark.journey
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_stops_cleanly_and_soon(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    process = start(settings_file(tmp_path, port=port))
    assert "ログイン" in answering(f"https://127.0.0.1:{port}/login", process, trusting(tmp_path))
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
def test_the_pages_are_served_over_tls_alone_and_plain_http_only_leads_there(tmp_path: Path) -> None:
    port, redirect = free_port(), free_port()
    process = start(settings_file(tmp_path, port=port, redirect=redirect))
    assert "ログイン" in answering(f"https://localhost:{port}/login", process, trusting(tmp_path))
    with urllib.request.urlopen(f"https://localhost:{port}/login", context=trusting(tmp_path)) as answer:
        assert all("Secure" in cookie for cookie in answer.headers.get_all("Set-Cookie"))
    plain = HTTPConnection("127.0.0.1", redirect, timeout=PATIENCE_S)
    plain.request("GET", "/incidents/?a=b")
    led = plain.getresponse()
    assert (led.status, led.headers["Location"]) == (301, f"https://127.0.0.1:{port}/incidents/")
    assert led.read() == b""
    plain.close()
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as spoken:
        spoken.sendall(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with suppress(ConnectionError):
            assert b"200 OK" not in spoken.recv(65536)
    process.terminate()
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0


def test_the_certificate_is_found_where_the_box_keeps_it(tmp_path: Path, prepared: Path) -> None:
    pages = Pages(tmp_path, prepared=prepared, web=Web(port=free_port()))
    with pytest.raises(SettingsError) as refused:
        make_server(pages.app, pages.settings)
    assert "mamori provision" in refused.value.remedy.ja
    certify(pages.settings.data)
    make_server(pages.app, pages.settings).stop()
    pages.close()


def ask(method: str, host: str, path: str) -> tuple[str, dict[str, str]]:
    said: list[tuple[str, dict[str, str]]] = []
    redirect = Redirect(own=frozenset({"localhost", "mamori.local"}), port=8443)
    environ = {"REQUEST_METHOD": method, "HTTP_HOST": host, "PATH_INFO": path, "QUERY_STRING": "secret=1"}
    assert b"".join(redirect(environ, lambda status, headers: said.append((status, dict(headers))))) == b""
    return said[0]


@pytest.mark.parametrize(
    ("host", "path", "location"),
    [
        ("localhost:8080", "/", "https://localhost:8443/"),
        ("MAMORI.local", "/incidents/a", "https://mamori.local:8443/incidents/a"),
        ("192.168.1.20:8080", "", "https://192.168.1.20:8443/"),
        ("[::1]:8080", "//evil.example/", "https://[::1]:8443/evil.example/"),
        ("localhost", "/\r\nSet-Cookie: a=b", "https://localhost:8443/%0D%0ASet-Cookie%3A%20a%3Db"),
    ],
)
def test_plain_http_leads_to_the_pages_of_this_box_and_nowhere_else(host: str, path: str, location: str) -> None:
    status, headers = ask("GET", host, path)
    assert status.startswith("301")
    assert headers["Location"] == location


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "", "[", "localhost@evil.example"])
def test_plain_http_gives_a_strange_name_no_answer(host: str) -> None:
    status, headers = ask("GET", host, "/")
    assert status.startswith("400")
    assert "Location" not in headers


def test_a_form_sent_in_the_clear_is_not_sent_on() -> None:
    status, headers = ask("POST", "localhost", "/login")
    assert status.startswith("405")
    assert "Location" not in headers
