"""People administered on the pages, and everybody's own account."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from edge_agent.domain.roles import Role
from edge_agent.store import audit, people
from tests.web_ui.conftest import PASSWORD, Pages, seats

NEW = "another long password"


def once(text: str) -> str:
    return re.findall(r"<code>([a-z0-9-]+)</code>", text)[0]


def test_an_administrator_adds_somebody_who_logs_in_with_the_password_shown_once(pages: Pages) -> None:
    admin = pages.browser("administrator")
    assert "supervisor" in admin.get("/people/").text
    shown = admin.post("/people/", name="sato", display_name="佐藤 美咲", role="operator")
    assert shown.headers["Cache-Control"] == "no-store"
    password = once(shown.text)
    assert password not in admin.get("/people/sato").text
    newcomer = pages.browser()
    assert newcomer.log_in("sato", password).headers["Location"] == "/password"
    created = audit.of(pages.main, "sato")[0]
    assert (created.actor, created.action) == ("administrator", "person.created")


@pytest.mark.parametrize(("name", "why"), [("supervisor", "すでに使われています"), ("Mr X", "使えません")])
def test_a_name_that_cannot_be_is_said_on_the_form(pages: Pages, name: str, why: str) -> None:
    admin = pages.browser("administrator")
    admin.get("/people/")
    answer = admin.post("/people/", name=name, role="operator")
    assert answer.status_code == 403
    assert why in answer.text


def test_a_role_that_is_none_is_refused(pages: Pages) -> None:
    admin = pages.browser("administrator")
    admin.get("/people/")
    assert admin.post("/people/", name="sato", role="god").status_code == 400
    assert admin.post("/people/supervisor/role", role="god").status_code == 400


def test_another_role_holds_at_once(pages: Pages) -> None:
    admin, supervisor = pages.browser("administrator"), pages.browser("supervisor")
    admin.get("/people/supervisor")
    assert admin.post("/people/supervisor/role", role="trainer").status_code == 303
    assert supervisor.get("/").headers["Location"].startswith("/login")
    assert pages.browser("supervisor").get("/incidents/").status_code == 403


def test_groups_are_given_and_taken_on_the_page(tmp_path: Path, prepared: Path) -> None:
    first, second, third = seats(3)
    grouped = (msgspec.structs.replace(first, group="east"), msgspec.structs.replace(second, group="west"), third)
    pages = Pages(tmp_path, prepared=prepared, seats=grouped)
    admin = pages.browser("administrator")
    page = admin.get("/people/supervisor").text
    assert 'value="east"' in page
    assert 'value="west"' in page
    assert admin.post("/people/supervisor/groups", group="east").status_code == 303
    assert "2番席" not in pages.browser("supervisor").get("/").text
    assert admin.post("/people/supervisor/groups", group="north").status_code == 403
    assert admin.post("/people/supervisor/groups").status_code == 303
    assert "2番席" in pages.browser("supervisor").get("/").text
    pages.close()


def test_a_new_password_unlocks_and_ends_the_old_sessions(pages: Pages) -> None:
    admin, supervisor = pages.browser("administrator"), pages.browser("supervisor")
    for _ in range(5):
        pages.browser().log_in("supervisor", "wrong password")
    assert "ロック中" in admin.get("/people/supervisor").text
    password = once(admin.post("/people/supervisor/password").text)
    assert supervisor.get("/").status_code == 303
    assert pages.browser().log_in("supervisor", PASSWORD).status_code == 403
    assert pages.browser().log_in("supervisor", password).headers["Location"] == "/password"


def test_the_last_administrator_cannot_go(pages: Pages) -> None:
    admin = pages.browser("administrator")
    admin.get("/people/administrator")
    answer = admin.post("/people/administrator/retire")
    assert answer.status_code == 403
    assert "最後の管理者" in answer.text
    assert admin.get("/people/").status_code == 200


def test_whoever_retires_is_out(pages: Pages) -> None:
    admin, viewer = pages.browser("administrator"), pages.browser("viewer")
    admin.get("/people/viewer")
    assert admin.post("/people/viewer/retire").headers["Location"] == "/people/"
    assert viewer.get("/").status_code == 303
    assert admin.get("/people/viewer").status_code == 403
    assert "viewer</a>" not in admin.get("/people/").text


def test_a_session_is_listed_with_its_place_and_ended_by_its_person(pages: Pages) -> None:
    tablet, desk = pages.browser("supervisor"), pages.browser("supervisor")
    text = desk.get("/account/").text
    assert text.count("127.0.0.1") == 2
    assert text.count("この端末</span>") == 1
    ends = re.findall(r'action="(/account/sessions/[0-9a-f]+/end)"', text)
    desk_cookie = desk.client.get_cookie("__Host-mamori")
    assert desk_cookie is not None
    assert desk_cookie.value not in text
    for end in ends:
        if desk.post(end).status_code == 303 and tablet.get("/").status_code == 303:
            break
    assert tablet.get("/").headers["Location"].startswith("/login")


def test_all_others_are_ended_with_one_tap(pages: Pages) -> None:
    others = [pages.browser("supervisor") for _ in range(2)]
    desk = pages.browser("supervisor")
    desk.get("/account/")
    desk.post("/account/sessions/others/end")
    assert desk.get("/account/").status_code == 200
    assert all(other.get("/").status_code == 303 for other in others)


def test_nobody_ends_the_session_of_somebody_else(pages: Pages) -> None:
    admin, supervisor = pages.browser("administrator"), pages.browser("supervisor")
    session = people.sessions_of(pages.main, "administrator")[0].session_id
    supervisor.get("/account/")
    assert supervisor.post(f"/account/sessions/{session}/end").status_code == 403
    assert supervisor.post("/people/administrator/sessions/end").status_code == 403
    assert admin.get("/").status_code == 200


def test_an_administrator_ends_one_session_or_all(pages: Pages) -> None:
    admin = pages.browser("administrator")
    browsers = [pages.browser("supervisor") for _ in range(3)]
    wanted = people.sessions_of(pages.main, "supervisor")[0].session_id
    admin.get("/people/supervisor")
    assert admin.post("/people/supervisor/sessions/end", session=wanted).status_code == 303
    assert sum(browser.get("/").status_code == 200 for browser in browsers) == 2
    admin.post("/people/supervisor/sessions/end")
    assert all(browser.get("/").status_code == 303 for browser in browsers)
    assert [e.actor for e in audit.of(pages.main, "supervisor") if e.action == "session.revoked"] == [
        "administrator"
    ] * 2


def test_a_log_in_takes_no_token_over_and_ends_the_session_it_replaces(pages: Pages) -> None:
    planted = "x" * 43
    browser = pages.browser()
    browser.client.set_cookie("__Host-mamori", planted)
    browser.log_in("supervisor")
    first = browser.client.get_cookie("__Host-mamori")
    assert first is not None
    assert first.value != planted
    pages.clock.move(1)
    browser.get("/password")
    browser.post("/login", name="administrator", password=PASSWORD)
    old = pages.browser()
    old.client.set_cookie("__Host-mamori", first.value)
    assert old.get("/").status_code == 303


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_people_are_administered_by_administrators_alone(pages: Pages, role: Role) -> None:
    browser = pages.browser(role.value)
    page = browser.get("/account/")
    assert page.status_code == 200
    assert "/people/" not in page.text
    assert browser.get("/people/").status_code == 403
    assert browser.post("/people/", name="mallory", role="administrator").status_code == 403
    assert browser.post(f"/people/{role.value}/role", role="administrator").status_code == 403
