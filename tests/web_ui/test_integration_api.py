"""Calls announced over HTTP, as the telephone system or an operator's own screen does."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.announcement import AnnouncedEnd
from edge_agent.domain.pause import PauseSource
from edge_agent.provision.files import write_private
from edge_agent.services import integrations
from edge_agent.services.announcements import note_unannounced
from edge_agent.services.devices import revoke
from edge_agent.services.lockout import ADDRESS_FAILURES
from edge_agent.services.pulse import AGENT
from edge_agent.store import announcements, audit, pauses
from tests.builders import START, after
from tests.web_ui.conftest import Pages, in_call

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

NUMBER = "090-1234-5678"


class Pbx:
    """A telephone system with a token."""

    def __init__(self, pages: Pages, *seats: str) -> None:
        self.pages = pages
        self.client = pages.app.test_client()
        self.token = integrations.admit(pages.main, name="pbx", seats=seats, by="it", now=START)

    def post(self, path: str, told: dict[str, Any] | bytes, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        fields = {"data": body, "content_type": "application/json", "headers": headers} | options
        return self.client.post(f"/api/v1/seats/{path}", **fields)

    def call(self, event: str, *, seat: str = "01", **more: Any) -> TestResponse:
        return self.post(f"{seat}/call", {"event": event} | more)

    def state(self, seat: str = "01") -> dict[str, Any]:
        answer = self.client.get(f"/api/v1/seats/{seat}", headers={"Authorization": f"Bearer {self.token}"})
        assert answer.status_code == 200
        assert answer.json is not None
        return dict(answer.json)


@pytest.fixture
def pbx(pages: Pages) -> Pbx:
    write_private(pages.settings.caller_key("web"), "6b" * 32)
    alive(pages)
    return Pbx(pages)


def alive(pages: Pages) -> None:
    file = pages.settings.run / AGENT
    file.touch()
    now_s = pages.clock.now().timestamp()
    os.utime(file, (now_s, now_s))


def code(answer: TestResponse) -> tuple[int, str]:
    assert answer.json is not None
    assert {"ja", "en"} == set(answer.json["what"]) == set(answer.json["remedy"]), "in both languages, for programs"
    return answer.status_code, answer.json["error"]


def test_a_call_starts_and_ends_as_announced(pages: Pages, pbx: Pbx) -> None:
    started = pbx.call("started", caller=NUMBER)
    assert started.status_code == 200
    told = announcements.find(pages.main, "01")
    assert told
    assert started.json == {
        "seat": "01",
        "listening": True,
        "line": None,
        "decides": "announcement",
        "call": told.call_id,
        "since": START.isoformat(),
        "caller": True,
        "paused_since": None,
        "paused_until": None,
        "at": START.isoformat(),
    }
    pages.line(in_call("01", told.call_id))
    pages.clock.move(60)
    alive(pages)
    assert pbx.state()["line"] == "in_call"
    ended = pbx.call("ended")
    assert ended.status_code == 200
    assert (ended.json or {})["call"] is None
    told = announcements.find(pages.main, "01")
    assert told
    assert (told.by, told.ended_at, told.end) == ("pbx", after(60), AnnouncedEnd.TOLD)
    pages.clock.move(60)
    note_unannounced(pages.main, "01", now=pages.clock.now())
    assert pbx.state()["decides"] == "line", "a call was heard that nobody announced"


def test_a_number_is_kept_nowhere_and_logged_nowhere(
    pages: Pages, pbx: Pbx, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [pbx.call("started", caller=NUMBER), pbx.call("started", caller=NUMBER), pbx.call("x", caller=NUMBER)]
    answers += [pbx.post("01/call", {"event": "started", NUMBER: "x"}), pbx.call("ended", caller=NUMBER)]
    assert [answer.status_code for answer in answers] == [200, 409, 400, 400, 200]
    told = announcements.find(pages.main, "01")
    assert told
    assert len(told.caller) == 16
    forms = [NUMBER.encode(), NUMBER.replace("-", "").encode(), b"9012345678", b"1234-5678"]
    written = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert {"mamori.db", "mamori.db-wal", "live.db"} <= {file.name for file in written}
    assert any(told.caller.encode() in content for content in written.values()), "the search finds what is there"
    for form in forms:
        assert not [file for file, content in written.items() if form in content]
        assert form.decode() not in caplog.text
        assert not [answer for answer in answers if form in answer.data]


def test_a_second_start_and_an_end_without_a_start_are_answered_and_change_nothing(pages: Pages, pbx: Pbx) -> None:
    assert code(pbx.call("ended")) == (409, "not_started")
    pbx.call("started")
    before = announcements.find(pages.main, "01")
    pages.clock.move(5)
    assert code(pbx.call("started")) == (409, "already_started")
    assert code(pbx.call("started", at="2026-11-23T09:00:00+09:00")) == (409, "too_old")
    assert announcements.find(pages.main, "01") == before


def test_without_the_agent_it_is_kept_and_said_that_nobody_listens(pages: Pages, pbx: Pbx) -> None:
    pages.clock.move(60)
    answer = pbx.call("started")
    assert answer.status_code == 202
    assert answer.json is not None
    assert (answer.json["listening"], answer.json["line"]) == (False, None)
    assert "エージェントが動いていません" in answer.json["note"]["ja"]
    found = announcements.find(pages.main, "01")
    assert found
    assert found.under_way


def test_an_integration_speaks_for_its_own_seats_alone(pages: Pages) -> None:
    pbx = Pbx(pages, "01", "02")
    assert pbx.call("started", seat="02").status_code == 202
    assert code(pbx.call("started", seat="03")) == (403, "not_your_seat")
    assert code(pbx.call("started", seat="99")) == (404, "unknown_seat")
    headers = {"Authorization": f"Bearer {pbx.token}"}
    assert code(pbx.client.get("/api/v1/seats/03", headers=headers)) == (403, "not_your_seat")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic cGJ4OnB3", "Token x"])
def test_without_a_token_nothing_is_told_or_done(pages: Pages, pbx: Pbx, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = pbx.client.post("/api/v1/seats/01/call", json={"event": "started"}, headers=headers)
    assert code(answer) == (401, "no_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Set-Cookie" not in answer.headers
    assert announcements.everything(pages.main) == []


def test_a_wrong_or_revoked_token_is_refused_and_guessing_ends_at_a_lock(pages: Pages, pbx: Pbx) -> None:
    revoke(pages.main, name="pbx", by="it", now=START)
    assert code(pbx.call("started")) == (401, "wrong_token")
    pbx = Pbx(pages)
    right, pbx.token = pbx.token, "guess"
    assert {code(pbx.call("started")) for _ in range(ADDRESS_FAILURES - 1)} == {(401, "wrong_token")}
    pbx.token = right
    answer = pbx.call("started")
    assert code(answer) == (429, "locked")
    assert answer.headers["Retry-After"] == "900"
    assert pages.browser().log_in("supervisor").status_code == 303, "people log in from there all the same"


def test_a_session_is_worth_nothing_where_a_token_is_asked_for(pages: Pages) -> None:
    browser = pages.browser("administrator")
    headers = {"X-CSRFToken": browser.token}
    answer = browser.client.post("/api/v1/seats/01/call", json={"event": "started"}, headers=headers)
    assert code(answer) == (401, "no_token")


@pytest.mark.parametrize(
    ("body", "options", "wanted"),
    [
        (b"", {}, (400, "malformed")),
        (b"{", {}, (400, "malformed")),
        (b"[" * 4000, {}, (400, "malformed")),
        (b'{"event": "started"}', {"content_type": "text/plain"}, (415, "not_json")),
        (b'{"event": "started", "pad": "' + b"x" * 5000 + b'"}', {}, (413, "too_large")),
        (b"x" * 200_000, {}, (413, "too_large")),
    ],
    ids=["empty", "broken", "deep", "not said to be JSON", "large", "huge"],
)
def test_what_cannot_be_read_is_refused_in_json(
    pages: Pages, pbx: Pbx, body: bytes, options: dict[str, Any], wanted: tuple[int, str]
) -> None:
    assert code(pbx.post("01/call", body, **options)) == wanted
    assert announcements.everything(pages.main) == []


def test_an_address_or_method_that_is_none_is_answered_in_json_too(pbx: Pbx) -> None:
    assert code(pbx.post("01/hold", {})) == (404, "unknown_path")
    assert code(pbx.client.get("/api/v1/seats/01/call", headers={"Accept": "text/html"})) == (405, "wrong_method")
    assert code(pbx.client.get("/api/")) == (404, "unknown_path")


def test_an_integration_is_on_the_page_of_devices_with_when_it_was_last_in_use(pages: Pages, pbx: Pbx) -> None:
    browser = pages.browser("supervisor")
    assert "未接続" in browser.get("/devices/").text
    pbx.call("started")
    page = browser.get("/devices/").text
    assert "連携（通話の知らせ）" in page
    assert "利用あり" in page
    assert "▲" not in page


# --- pauses -------------------------------------------------------------------------------------------------------


def test_a_pause_begins_and_ends_as_asked_in_the_integrations_name(pages: Pages, pbx: Pbx) -> None:
    pages.line(in_call("01"))
    began = pbx.post("01/pause", {"event": "started"})
    assert began.status_code == 200
    assert (began.json or {})["paused_until"] == after(300).isoformat()
    [pause] = pauses.everything(pages.main)
    assert (pause.by, pause.source, pause.call_id) == ("integration:pbx", PauseSource.INTEGRATION, "call-1")
    assert pbx.post("01/pause", {"event": "started"}).status_code == 200, "asking again changes nothing"
    ended = pbx.post("01/pause", {"event": "ended"})
    assert (ended.json or {})["paused_since"] is None
    told = [(entry.action, entry.actor, entry.detail["source"]) for entry in audit.of(pages.main, "01")]
    assert told == [
        ("pause.began", "integration:pbx", "integration"),
        ("pause.ended", "integration:pbx", "integration"),
    ]


def test_a_pause_of_another_seat_or_with_a_wrong_word_is_refused(pages: Pages) -> None:
    pbx = Pbx(pages, "01")
    assert code(pbx.post("02/pause", {"event": "started"})) == (403, "not_your_seat")
    assert code(pbx.post("01/pause", {"event": "begin"})) == (400, "malformed")
    assert code(pbx.post("01/pause", {"event": "started", "caller": NUMBER})) == (400, "malformed")
    assert pauses.everything(pages.main) == []


# --- incidents ----------------------------------------------------------------------------------------------------


def test_the_page_of_an_incident_says_how_many_came_from_the_number(pages: Pages, pbx: Pbx) -> None:
    for alert_id in ("alert-1", "alert-2", "alert-3"):
        told = pbx.call("started", caller="+81 90 1234 5678" if alert_id == "alert-2" else NUMBER).json or {}
        life = {"kind": AlertKind.LIFE_SAFETY} if alert_id == "alert-3" else {}
        pages.alert(alert_id, call_id=told["call"], **life)
        pages.clock.move(10)
        pbx.call("ended")
        pages.clock.move(10)
    browser = pages.browser("supervisor")
    assert "この番号から 1 件目" in browser.get("/incidents/alert-1").text
    page = browser.get("/incidents/alert-2").text
    assert "この番号から 2 件目" in page
    assert NUMBER not in page
    assert "この番号から" not in browser.get("/incidents/alert-3").text, "a life in danger is not counted"
