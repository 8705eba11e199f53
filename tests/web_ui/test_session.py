"""Coming and going."""

from __future__ import annotations

from edge_agent.store import audit, people
from tests.web_ui.conftest import PASSWORD, Pages

NEW = "another long password"


def test_the_right_password_leads_to_the_page_that_was_asked_for(pages: Pages) -> None:
    pages.alert()
    browser = pages.browser()
    first = browser.get("/incidents/alert-1")
    assert first.headers["Location"] == "/login?next=/incidents/alert-1"
    answer = browser.log_in("supervisor", next="/incidents/alert-1")
    assert answer.headers["Location"] == "/incidents/alert-1"
    assert browser.get("/incidents/alert-1").status_code == 200


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(pages: Pages) -> None:
    browser = pages.browser()
    answers = [browser.log_in(name, "not the password") for name in ("supervisor", "nobody")]
    assert {answer.status_code for answer in answers} == {403}
    shown = [answer.text.partition('role="alert">')[2].partition("</form>")[0] for answer in answers]
    assert "パスワードが違います" in answers[0].text
    assert "パスワードが違います" in answers[1].text
    assert PASSWORD not in "".join(shown)


def test_after_five_wrong_passwords_the_right_one_has_to_wait(pages: Pages) -> None:
    browser = pages.browser()
    for _ in range(5):
        browser.log_in("supervisor", "not the password")
    locked = browser.log_in("supervisor")
    assert locked.status_code == 403
    assert "ロックされています" in locked.text
    pages.clock.move(301)
    assert browser.log_in("supervisor").status_code == 303


def test_a_given_password_has_to_be_changed_before_anything_else(pages: Pages) -> None:
    pages.person("new", must_change=True)
    browser = pages.browser()
    assert browser.log_in("new").headers["Location"] == "/password"
    for path in ("/", "/incidents/"):
        assert browser.get(path).headers["Location"] == "/password"
    assert browser.get("/events", headers={"Accept": "text/event-stream"}).status_code == 403
    browser.get("/password")
    assert browser.post("/password", old=PASSWORD, new=NEW, again="something else").status_code == 403
    assert browser.post("/password", old=PASSWORD, new="short", again="short").status_code == 403
    assert browser.post("/password", old=PASSWORD, new=NEW, again=NEW).status_code == 303
    assert browser.get("/").status_code == 200
    assert pages.browser().log_in("new", NEW).headers["Location"] == "/"


def test_changing_the_password_ends_the_other_sessions(pages: Pages) -> None:
    here, elsewhere = pages.browser("supervisor"), pages.browser("supervisor")
    here.get("/password")
    assert here.post("/password", old=PASSWORD, new=NEW, again=NEW).status_code == 303
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 303


def test_a_session_that_has_been_ended_is_worth_nothing(pages: Pages) -> None:
    browser = pages.browser("supervisor")
    browser.get("/")
    token = browser.client.get_cookie("__Host-mamori")
    assert token is not None
    assert browser.post("/logout").headers["Location"] == "/login"
    browser.client.set_cookie("__Host-mamori", token.value)
    assert browser.get("/").status_code == 303
    assert "session.ended" in [entry.action for entry in audit.entries(pages.main)]


def test_a_log_in_brings_a_new_form_token(pages: Pages) -> None:
    browser = pages.browser()
    browser.get("/login")
    before = browser.token
    browser.log_in("supervisor")
    browser.get("/")
    browser.token, after = before, browser.token
    assert before != after
    assert browser.post("/logout").status_code == 400


def test_pages_are_japanese_until_somebody_chooses_english_and_stay_english(pages: Pages) -> None:
    browser = pages.browser("supervisor")
    assert 'lang="ja"' in browser.get("/").text
    assert browser.post("/language", language="en", next="/incidents/").headers["Location"] == "/incidents/"
    assert '<html lang="en">' in browser.get("/incidents/").text
    found = people.find(pages.main, "supervisor")
    assert found is not None
    assert found.language == "en"
    assert '<html lang="en">' in pages.browser("supervisor").get("/").text


def test_the_log_in_page_speaks_the_language_chosen_on_it(pages: Pages) -> None:
    browser = pages.browser()
    assert "ログイン名" in browser.get("/login").text
    assert browser.get("/login?language=en").status_code == 303
    assert "Log-in name" in browser.get("/login").text
    assert browser.get("/login?language=xx").status_code == 200
