"""Attacks: every route with whatever may be sent to it, and the server with whatever may come down the line."""

from __future__ import annotations

import itertools
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.domain.roles import Role, may
from edge_agent.provision import pki
from edge_agent.services.lockout import ADDRESS_FAILURES
from edge_agent.settings import Web
from edge_agent.store import audit, people
from tests.ports import free_port
from tests.web_ui.conftest import PASSWORD, Browser, Pages
from web_ui import wire
from web_ui.access import ANONYMOUS
from web_ui.rights import right_of
from web_ui.serve import THREADS, Server, make_server

SOURCES = sorted((Path(__file__).parents[2] / "web_ui").glob("*.py"))
PATIENCE_S = 60.0
"""Half of it is what the tests wait for an answer, however busy the machine; the server would wait the whole."""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get")
WORDS = (
    "alert-1",
    "supervisor",
    "administrator",
    "..",
    "../../etc/passwd",
    "%2e%2e%2f",
    "\0",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "{{7*7}}",
    "🎌" * 40,
    "a" * 5000,
    "\r\nSet-Cookie: a=b",
    "-1",
    "1e999",
    "",
)
READS = re.compile(r"""request\.(?:form|args|values)(?:\.get|\.getlist)?[\[(]"([a-z_]+)\"""")
FIELDS = ("csrf_token", *sorted({field for file in SOURCES for field in READS.findall(file.read_text("utf-8"))}))
"""Every field some page reads, those of tomorrow too."""
TYPES = (
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain; charset=utf-99",
    "",
    "\xff",
)
HEADERS = (
    "Authorization",
    "Accept",
    "Accept-Language",
    "Cookie",
    "Host",
    "If-None-Match",
    "If-Modified-Since",
    "Last-Event-ID",
    "Origin",
    "Range",
    "Referer",
    "User-Agent",
    "X-CSRFToken",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-HTTP-Method-Override",
)

word = st.sampled_from(WORDS) | st.text(max_size=60)
latin = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=80)
attack = st.fixed_dictionaries(
    {
        "method": st.sampled_from(METHODS),
        "values": st.lists(word, min_size=3, max_size=3),
        "query": st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=10), word, max_size=3),
        "form": st.dictionaries(st.sampled_from(FIELDS), word, max_size=5),
        "body": st.none() | st.binary(max_size=300),
        "type": st.sampled_from(TYPES),
        "headers": st.dictionaries(st.sampled_from(HEADERS), latin, max_size=4),
        "own_token": st.booleans(),
    }
)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[Pages]:
    made = Pages(tmp_path_factory.mktemp("attacked"), prepared=prepared)
    made.alert()
    yield made
    made.close()


def send(pages: Pages, browser: Browser, endpoint: str, sent: dict[str, Any]) -> int:
    """Send one attack; return the status. The answer is read to its end unless it is the endless stream."""
    rule = next(rule for rule in pages.app.url_map.iter_rules() if rule.endpoint == endpoint)
    path = rule.rule
    for argument, value in zip(sorted(rule.arguments), sent["values"], strict=False):
        path = path.replace(f"<path:{argument}>", quote(value, safe="/")).replace(
            f"<{argument}>", quote(value, safe="")
        )
    form = sent["form"] | ({"csrf_token": browser.token} if sent["own_token"] else {})
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in sent["query"].items())
    answer = browser.client.open(
        f"{path}?{query}",
        method=sent["method"],
        headers=sent["headers"],
        **({"data": form} if sent["body"] is None else {"data": sent["body"], "content_type": sent["type"]}),
    )
    if answer.mimetype != "text/event-stream":
        assert b"Traceback" not in answer.get_data()
    answer.close()
    return answer.status_code


def endpoints(pages: Pages) -> list[str]:
    return sorted({rule.endpoint for rule in pages.app.url_map.iter_rules()})


LEAVING = {"session.logout", "account.end_session"}
"""Whoever does this is a stranger afterwards."""
BY_METHOD = [
    {"values": ["alert-1"] * 3, "form": {}, "body": None, "type": ""},
    {"values": ["01", "supervisor", "..%2f.."], "form": dict.fromkeys(FIELDS, "a" * 5000), "body": None, "type": ""},
    {"values": ["../../etc/passwd"] * 3, "form": dict.fromkeys(FIELDS, "<\0' OR 1=1 --🎌>"), "body": None, "type": ""},
    {"values": ["supervisor"] * 3, "form": {}, "body": b'{"name": [1', "type": "application/json"},
    {"values": ["-1"] * 3, "form": {}, "body": b"\xff" * 70_000, "type": "multipart/form-data; boundary=x"},
]
"""What every route gets with every method of its own: plain, oversized, hostile, malformed, large."""


@pytest.mark.parametrize("role", [None, *Role], ids=lambda role: role.value if role else "stranger")
def test_no_route_breaks_or_opens_with_its_own_methods(pages: Pages, role: Role | None) -> None:
    pages.alert()
    browser = pages.browser()
    if role:
        pages.person("attacker", role=role)
        browser = pages.browser("attacker")
    else:
        browser.get("/login")
    rules = [rule for rule in pages.app.url_map.iter_rules() if rule.endpoint not in LEAVING or role is None]
    # Flask answers the other two by itself.
    tried = [(rule.endpoint, method) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}]
    sent = {"query": dict.fromkeys(FIELDS[1:], "1e999"), "headers": {}, "own_token": True}
    for (endpoint, method), attack_of in itertools.product(tried, BY_METHOD):
        status = send(pages, browser, endpoint, sent | attack_of | {"method": method})
        assert status < 500, (endpoint, method, attack_of)
        right = right_of(pages.app.view_functions[endpoint])
        reaches = endpoint in ANONYMOUS or (role is not None and (right is None or may(role, right)))
        if not reaches:
            assert status in {303, 308, 400, 401, 403, 404, 405, 413, 415}, (endpoint, method, status)
    if role:
        assert len(people.sessions_of(pages.main, "attacker")) == 1, "whoever attacked was put out on the way"


fuzz = settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@fuzz
@given(sent=attack, chosen=st.integers(min_value=0))
def test_nothing_a_stranger_sends_breaks_a_page_or_opens_one(
    attacked: Pages, sent: dict[str, Any], chosen: int
) -> None:
    names = endpoints(attacked)
    endpoint = names[chosen % len(names)]
    browser = attacked.browser()
    if sent["own_token"]:
        browser.get("/login")
    before = len(people.sessions_of(attacked.main, "supervisor"))
    status = send(attacked, browser, endpoint, sent)
    assert status < 500, (endpoint, sent)
    if endpoint not in ANONYMOUS:
        assert status in {303, 308, 400, 401, 403, 404, 405, 413, 415}, (endpoint, status, sent)
    assert len(people.sessions_of(attacked.main, "supervisor")) == before


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_nothing_somebody_sends_breaks_a_page_or_reaches_beyond_their_role(pages: Pages, role: Role) -> None:
    name = f"attacker-{role.value.replace('_', '-')}"
    pages.alert()
    pages.person(name, role=role)
    browser = pages.browser(name)

    @settings(fuzz, max_examples=120)
    @given(sent=attack, chosen=st.integers(min_value=0))
    def send_anything(sent: dict[str, Any], chosen: int) -> None:
        names = [each for each in endpoints(pages) if each not in LEAVING]
        endpoint = names[chosen % len(names)]
        status = send(pages, browser, endpoint, sent)
        assert status < 500, (endpoint, sent)
        right = right_of(pages.app.view_functions[endpoint])
        if right is not None and not may(role, right):
            assert status in {303, 308, 400, 401, 403, 404, 405, 413, 415}, (endpoint, status, sent)
        found = people.find(pages.main, name)
        assert found is not None
        assert found.role is role

    send_anything()
    assert [person.name for person in people.everyone(pages.main) if person.role is Role.ADMINISTRATOR] == [
        "administrator"
    ]


def test_an_administrators_pages_hold_against_anything_too(pages: Pages) -> None:
    pages.alert()
    pages.person("attacked-admin", role=Role.ADMINISTRATOR)
    browser = pages.browser("attacked-admin")

    @settings(fuzz, max_examples=250)
    @given(sent=attack, chosen=st.integers(min_value=0))
    def send_anything(sent: dict[str, Any], chosen: int) -> None:
        names = [each for each in endpoints(pages) if each not in LEAVING]
        endpoint = names[chosen % len(names)]
        assert send(pages, browser, endpoint, sent) < 500, (endpoint, sent)

    send_anything()
    assert len(people.sessions_of(pages.main, "attacked-admin")) == 1, "whoever attacked was put out on the way"


def test_guessing_passwords_ends_at_a_lock_whatever_the_names(pages: Pages) -> None:
    browser = pages.browser()
    statuses = [browser.log_in(f"name-{n}", f"guess number {n}").status_code for n in range(ADDRESS_FAILURES + 5)]
    assert set(statuses) == {403}
    assert "この端末からの失敗" in browser.log_in("supervisor").text
    assert people.sessions_of(pages.main, "supervisor") == []
    assert "address.locked" in [entry.action for entry in audit.entries(pages.main)]


def test_an_address_cannot_be_claimed_by_a_header(pages: Pages) -> None:
    for number in range(ADDRESS_FAILURES):
        browser = pages.browser()
        browser.get("/login")
        form = {"csrf_token": browser.token, "name": f"name-{number}", "password": "wrong"}
        browser.client.post("/login", data=form, headers={"X-Forwarded-For": f"10.0.0.{number}"})
    assert pages.browser().log_in("supervisor").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/static/../serve.py",
        "/static/..%2fserve.py",
        "/static/%2e%2e/%2e%2e/secrets/web-session",
        "/static/....//serve.py",
        "/static//etc/passwd",
        "/static/js/..%5c..%5cserve.py",
        "/static/%00",
        "/incidents/..%2f..%2fetc%2fpasswd",
    ],
)
def test_no_path_leads_out_of_the_static_folder(pages: Pages, path: str) -> None:
    answer = pages.browser("supervisor").get(path)
    # A doubled slash is tidied up first, and then nothing is there.
    assert answer.status_code in {400, 404, 308}
    assert "root:" not in answer.text
    assert "import " not in answer.text


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_a_form_of_another_site_is_refused_over_tls(pages: Pages, origin: str) -> None:
    pages.alert()
    browser = pages.browser("supervisor")
    browser.get("/")
    answer = browser.client.post(
        "/incidents/alert-1/take",
        base_url="https://localhost",
        data={"csrf_token": browser.token},
        headers={"Referer": origin, "Origin": origin},
    )
    assert answer.status_code == 400
    assert "incident.taken" not in [entry.action for entry in audit.of(pages.main, "alert-1")]


class Line:
    """A served box and raw bytes to it."""

    def __init__(self, pages: Pages, port: int, server: Server) -> None:
        self.port = port
        self.server = server
        self.trusted = ssl.create_default_context(cafile=str(pages.settings.data / "pki/ca.crt"))

    def say(self, spoken: bytes, *, more: bytes = b"") -> bytes:
        """Send bytes over TLS; return what comes back until the server hangs up or is silent."""
        heard = b""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S / 2) as plain,
            self.trusted.wrap_socket(plain, server_hostname="localhost") as line,
            suppress(OSError),
        ):
            line.sendall(spoken)
            if more:
                line.sendall(more)
            while part := line.recv(65536):
                heard += part
                if b"\r\n\r\n" in heard:
                    break
        return heard


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> Iterator[Line]:
    port = free_port()
    pages = Pages(tmp_path_factory.mktemp("line"), prepared=prepared, web=Web(port=port))
    pki.ensure_authority(pages.settings.data / "pki", now=datetime.now(UTC))
    pki.ensure_server(pages.settings.data / "pki", "web", hosts=[], now=datetime.now(UTC))
    server = make_server(pages.app, pages.settings)
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield Line(pages, port, server)
    server.stop()
    thread.join()
    pages.close()


@pytest.fixture
def patient(line: Line, monkeypatch: pytest.MonkeyPatch) -> Line:
    """A line that gives up nobody within the test: whoever waits for others waits longer than anybody here does."""
    monkeypatch.setattr(wire, "HANDSHAKE_S", PATIENCE_S)
    monkeypatch.setattr(line.server, "timeout", PATIENCE_S)
    return line


LOG_IN = b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    ("spoken", "statuses"),
    [
        pytest.param(b"GET / HTTP/9.9\r\n\r\n", {b"400", b"505"}, id="a version that is none"),
        pytest.param(b"\x16\x03\x01 nonsense\r\n\r\n", {b"400"}, id="no request at all"),
        pytest.param(b"GET /login HTTP/1.1\r\n\r\n", {b"400"}, id="no host"),
        pytest.param(b"GET /login HTTP/1.1\r\nHost: evil.example\r\n\r\n", {b"400"}, id="a strange host"),
        pytest.param(b"GET /login HTTP/1.1\r\nHost: [\r\n\r\n", {b"400"}, id="a broken host"),
        pytest.param(b"GET http://evil.example/login HTTP/1.1\r\nHost: evil.example\r\n\r\n", {b"400"}, id="a proxy"),
        pytest.param(
            b"GET /login HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
            {b"413", b"431"},
            id="a header",
        ),
        pytest.param(
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", {b"413", b"414"}, id="an address"
        ),
        pytest.param(LOG_IN + b"Content-Length: 100000000\r\n\r\nname=a", {b"413"}, id="a body that is promised large"),
        pytest.param(LOG_IN + b"Content-Length: -1\r\n\r\nname=a", {b"400", b"411", b"413"}, id="a negative length"),
        pytest.param(LOG_IN + b"Content-Length: ten\r\n\r\nname=a", {b"400"}, id="a length in words"),
        pytest.param(
            LOG_IN + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n" + b"a" * 70_000,
            {b"400", b"413"},
            id="a large chunk",
        ),
        pytest.param(
            LOG_IN + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nname\r\n0\r\n\r\n", {b"400", b"403"}, id="a broken chunk"
        ),
    ],
)
def test_a_malformed_or_oversized_request_is_refused_and_the_server_goes_on(
    line: Line, spoken: bytes, statuses: set[bytes]
) -> None:
    heard = line.say(spoken)
    assert heard == b"" or heard.split(b" ", 2)[1] in statuses, heard[:200]
    assert b"Traceback" not in heard
    assert line.say(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/1.1 200")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(rest=st.binary(max_size=400), begins=st.sampled_from([b"", b"GET ", b"POST /login HTTP/1.1\r\n", LOG_IN]))
def test_whatever_comes_down_the_line_brings_no_error_of_ours(line: Line, begins: bytes, rest: bytes) -> None:
    heard = line.say(begins + rest + b"\r\n\r\n")
    assert heard == b"" or not heard.split(b" ", 2)[1].startswith(b"50") or heard.split(b" ", 2)[1] == b"505", heard[
        :200
    ]
    assert PASSWORD.encode() not in heard


def test_connections_that_say_nothing_keep_nobody_waiting(patient: Line) -> None:
    silent = [socket.create_connection(("127.0.0.1", patient.port)) for _ in range(THREADS + 10)]
    half = [socket.create_connection(("127.0.0.1", patient.port)) for _ in range(8)]
    for each in half:
        each.sendall(b"\x16\x03\x01")
    assert patient.say(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/1.1 200")
    for each in (*silent, *half):
        each.close()


@pytest.mark.parametrize("begun", [b"GET /login HTTP/1.1\r\nHost: loc", LOG_IN + b"Content-Length: 20\r\n\r\nname="])
def test_a_device_that_never_finishes_its_requests_takes_no_thread_from_others(patient: Line, begun: bytes) -> None:
    trickling = []
    for _ in range(THREADS + 10):
        plain = socket.create_connection(("127.0.0.1", patient.port), source_address=("127.0.0.2", 0))
        with suppress(OSError):
            trickling.append(patient.trusted.wrap_socket(plain, server_hostname="localhost"))
            trickling[-1].sendall(begun)
        if not trickling or trickling[-1].fileno() < 0 or plain.fileno() >= 0:
            plain.close()
    assert patient.say(b"GET /login HTTP/1.1\r\nHost: localhost\r\n\r\n").startswith(b"HTTP/1.1 200")
    for each in trickling:
        each.close()
