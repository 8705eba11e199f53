"""The second factor on the pages: turned on with a telephone, asked for at the log-in, lost and taken away."""

from __future__ import annotations

import re

import pyotp

from edge_agent.store import second_factors
from tests.web_ui.conftest import PASSWORD, Browser, Pages


def secret_of(text: str) -> str:
    return re.findall(r"<code>([A-Z2-7 ]+)</code>", text)[0].replace(" ", "")


def now(pages: Pages, secret: str) -> str:
    return pyotp.TOTP(secret).at(pages.clock.now())


def turn_on(pages: Pages, browser: Browser) -> tuple[str, list[str]]:
    browser.get("/account/second-factor/")
    scan = browser.post("/account/second-factor/begin", password=PASSWORD)
    assert "<svg" in scan.text
    assert scan.headers["Cache-Control"] == "no-store"
    secret = secret_of(scan.text)
    shown = browser.post("/account/second-factor/confirm", code=now(pages, secret))
    pages.clock.move(60)
    return secret, re.findall(r"<code>([a-z0-9-]+)</code>", shown.text)


def test_it_is_turned_on_and_then_asked_for(pages: Pages) -> None:
    secret, codes = turn_on(pages, pages.browser("supervisor"))
    assert len(codes) == 8
    browser = pages.browser()
    assert browser.log_in("supervisor", next="/incidents/").headers["Location"] == "/login/code?next=/incidents/"
    for path in ("/", "/incidents/", "/account/", "/account/second-factor/"):
        assert browser.get(path).headers["Location"].startswith("/login")
    before = browser.client.get_cookie("__Host-mamori")
    browser.get("/login/code")
    assert browser.post("/login/code", code="123").status_code == 403
    entered = browser.post("/login/code", code=now(pages, secret), next="/incidents/")
    assert entered.headers["Location"] == "/incidents/"
    after = browser.client.get_cookie("__Host-mamori")
    assert before is not None
    assert after is not None
    assert before.value != after.value
    assert browser.get("/incidents/").status_code == 200


def test_without_a_password_there_is_no_asking_for_a_code(pages: Pages) -> None:
    browser = pages.browser()
    browser.get("/login")
    assert browser.get("/login/code").headers["Location"] == "/login"
    assert browser.post("/login/code", code="123456").headers["Location"] == "/login"


def test_a_wrong_code_or_password_leaves_it_off(pages: Pages) -> None:
    browser = pages.browser("supervisor")
    browser.get("/account/second-factor/")
    assert browser.post("/account/second-factor/confirm", code="123456").status_code == 403
    assert browser.post("/account/second-factor/begin", password="wrong").status_code == 403
    secret = secret_of(browser.post("/account/second-factor/begin", password=PASSWORD).text)
    wrong = browser.post("/account/second-factor/confirm", code="12")
    assert wrong.status_code == 403
    assert secret_of(wrong.text) == secret
    assert not second_factors.confirmed(pages.main, "supervisor")


def test_whoever_has_lost_the_telephone_gets_in_by_a_recovery_code_and_turns_it_off(pages: Pages) -> None:
    _, codes = turn_on(pages, pages.browser("supervisor"))
    browser = pages.browser()
    browser.log_in("supervisor")
    browser.get("/login/code")
    assert browser.post("/login/code", code=codes[3]).headers["Location"] == "/"
    browser.get("/account/second-factor/")
    assert browser.post("/account/second-factor/end", password=PASSWORD).headers["Location"] == "/account/"
    assert pages.browser().log_in("supervisor").headers["Location"] == "/"


def test_an_administrator_takes_it_away_and_sees_no_secret(pages: Pages) -> None:
    secret, _ = turn_on(pages, pages.browser("supervisor"))
    admin = pages.browser("administrator")
    assert secret not in admin.get("/people/supervisor").text
    assert admin.post("/people/supervisor/second-factor/end").status_code == 303
    assert pages.browser().log_in("supervisor").headers["Location"] == "/"


def test_a_changed_password_keeps_one_in_and_the_second_factor_on(pages: Pages) -> None:
    browser = pages.browser("supervisor")
    turn_on(pages, browser)
    browser.get("/password")
    new = "another long password"
    assert browser.post("/password", old=PASSWORD, new=new, again=new).headers["Location"] == "/"
    assert browser.get("/").status_code == 200
    assert pages.browser().log_in("supervisor", new).headers["Location"].startswith("/login/code")
