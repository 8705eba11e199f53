"""Who gets in, and who may do what."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge_agent.domain.roles import Right, Role
from tests.web_ui.conftest import PASSWORD, Browser, Pages
from web_ui.access import ANONYMOUS, local_path
from web_ui.headers import SECURITY
from web_ui.rights import needs

HTML = {"Accept": "text/html"}
JSON = {"Accept": "application/json"}


def test_every_route_but_log_in_and_what_is_the_same_for_everybody_needs_a_session(pages: Pages) -> None:
    pages.alert()
    looked_at = 0
    for rule in pages.app.url_map.iter_rules():
        if rule.endpoint in ANONYMOUS:
            continue
        path = rule.rule.replace("<incident_id>", "alert-1")
        for method in rule.methods or ():
            browser = pages.browser()
            browser.get("/login")
            for headers in (HTML, JSON):
                form = {"csrf_token": browser.token}
                sent = headers | {"X-CSRFToken": browser.token}
                answer = browser.client.open(path, method=method, data=form, headers=sent)
                refused = answer.status_code == 401 or (
                    answer.status_code == 303 and answer.headers["Location"].startswith("/login")
                )
                assert refused, (method, path, answer.status_code)
                looked_at += 1
    assert looked_at > 30
    assert {
        "static",
        "session.login",
        "session.code",
        "shell.manifest",
        "shell.worker",
        "shell.offline",
        "shell.reach",
    } == ANONYMOUS


def test_a_made_up_or_old_session_is_nobody(pages: Pages) -> None:
    browser = pages.browser("supervisor")
    assert browser.get("/").status_code == 200
    pages.clock.move(12 * 3600)
    assert browser.get("/").status_code == 303
    stranger = pages.browser()
    stranger.client.set_cookie("__Host-mamori", "x" * 43)
    assert stranger.get("/").status_code == 303


def test_the_session_cookie_is_out_of_reach_of_scripts_and_of_other_sites(pages: Pages) -> None:
    browser = pages.browser()
    answer = browser.log_in("supervisor")
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("__Host-mamori="))
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    token = cookie.partition("=")[2].partition(";")[0]
    assert len(token) >= 43
    assert token not in {row["token_hash"] for row in pages.main.table("sessions").rows}


@pytest.mark.parametrize("step", ["acknowledge", "take", "close", "review"])
def test_an_auditor_looks_but_does_not_act(pages: Pages, step: str) -> None:
    pages.alert()
    browser = pages.browser("auditor")
    page = browser.get("/incidents/alert-1")
    assert page.status_code == 200
    assert f"/{step}" not in page.text
    assert browser.fetch(f"/incidents/alert-1/{step}").status_code == 403
    assert browser.post(f"/incidents/alert-1/{step}").status_code == 403


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ADMINISTRATOR])
def test_supervisors_and_administrators_act(pages: Pages, role: Role) -> None:
    pages.alert()
    assert pages.browser(role.value).fetch("/incidents/alert-1/acknowledge").status_code == 200


@pytest.mark.parametrize("path", ["/login", "/logout", "/language", "/password", "/incidents/alert-1/take"])
def test_nothing_is_done_for_a_form_that_did_not_come_from_our_page(pages: Pages, path: str) -> None:
    pages.alert()
    browser = pages.browser("supervisor")
    for token in ("", "forged"):
        browser.token = token
        answer = browser.post(path, name="supervisor", password=PASSWORD, language="en")
        assert answer.status_code == 400
        assert "読み込み直して" in answer.text
    assert browser.fetch("/incidents/alert-1/take", token="").status_code == 400
    assert browser.get("/").status_code == 200


def test_the_token_of_somebody_elses_page_is_worth_nothing(pages: Pages) -> None:
    pages.alert()
    own, other = pages.browser("supervisor"), pages.browser("administrator")
    own.get("/")
    other.get("/")
    assert own.fetch("/incidents/alert-1/take", token=other.token).status_code == 400


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080"])
def test_a_name_that_is_not_ours_gets_no_answer(pages: Pages, host: str) -> None:
    assert pages.browser().get("/login", headers=HTML | {"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "192.168.1.20"])
def test_our_own_names_and_addresses_get_one(pages: Pages, host: str) -> None:
    assert pages.browser().get("/login", headers=HTML | {"Host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/login", "/", "/nothing", "/static/base.css", "/incidents/", "/alive"])
def test_every_answer_carries_the_security_headers(pages: Pages, path: str) -> None:
    answer = pages.browser("supervisor").get(path)
    for name, value in SECURITY.items():
        assert answer.headers[name] == value
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == ("no-cache" if path == "/static/base.css" else "no-store")
    answer.close()


@pytest.mark.parametrize("path", ["/login", "/", "/incidents/", "/incidents/alert-1", "/password"])
def test_no_page_holds_script_or_style_of_its_own_or_from_elsewhere(pages: Pages, path: str) -> None:
    pages.alert()
    text = pages.browser("supervisor" if path != "/login" else None).get(path).text
    assert "<style" not in text
    assert " style=" not in text
    assert " onclick=" not in text
    assert "https://" not in text
    assert "http://" not in text
    for script in text.split("<script")[1:]:
        assert "src=" in script.partition(">")[0] or 'type="application/json"' in script.partition(">")[0]


def test_words_of_a_caller_cannot_become_part_of_the_page(pages: Pages) -> None:
    nasty = "</script><script>alert(1)</script>"
    pages.alert(quotes=(nasty,))
    browser = pages.browser("supervisor")
    for path in ("/", "/incidents/", "/incidents/alert-1"):
        assert nasty not in browser.get(path).text


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/\n/evil", "", None]
)
def test_nobody_is_sent_to_another_site_after_log_in(pages: Pages, wanted: str | None) -> None:
    with pages.app.test_request_context("/"):
        assert local_path(wanted) == "/"
        assert local_path("/incidents/alert-1") == "/incidents/alert-1"


def too_large(browser: Browser) -> int:
    return browser.post("/login", name="x" * 100_000).status_code


def missing(browser: Browser) -> int:
    return browser.get("/incidents/nothing").status_code


def wrong_method(browser: Browser) -> int:
    return browser.client.put("/", headers=HTML | {"X-CSRFToken": browser.token}).status_code


@pytest.mark.parametrize(("ask", "status"), [(too_large, 413), (missing, 404), (wrong_method, 405)])
def test_bad_requests_are_refused_in_plain_words(pages: Pages, ask: Callable[[Browser], int], status: int) -> None:
    browser = pages.browser("supervisor")
    browser.get("/")
    assert ask(browser) == status


def test_what_breaks_inside_shows_no_traceback_and_logs_no_words(
    pages: Pages, caplog: pytest.LogCaptureFixture
) -> None:
    browser = pages.browser("supervisor")

    @needs(Right.SEE_FLOOR)
    def breaks() -> str:
        msg = "夜道に気をつけろ"
        raise ValueError(msg)

    pages.app.view_functions["floor.page"] = breaks
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "edge-web のログ" in answer.text
    assert "Traceback" not in answer.text
    assert "夜道" not in answer.text + caplog.text
    assert "ValueError" in caplog.text


def test_the_access_log_knows_pages_but_neither_ids_nor_queries(pages: Pages, caplog: pytest.LogCaptureFixture) -> None:
    pages.alert()
    browser = pages.browser("supervisor")
    caplog.set_level("INFO")
    browser.get("/incidents/alert-1?secret=words")
    assert "component=incidents.page" in caplog.text
    assert "secret" not in caplog.text
    assert "alert-1" not in caplog.text
