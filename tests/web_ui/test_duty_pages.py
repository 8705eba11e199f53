"""Who is asked, on the pages: the roster, an incident's ladder, and the floor."""

from __future__ import annotations

from datetime import UTC

from edge_agent.services import duty, incidents
from edge_agent.services.escalation import escalate
from edge_agent.store import audit
from edge_agent.store import duty as store
from tests.builders import BOX, START, a_policy, after
from tests.web_ui.conftest import Pages
from web_ui.floor_state import read_floor


def on_duty(pages: Pages, name: str, *, level: str = "L2", rank: int = 0, shift: str | None = None) -> None:
    shifts = duty.read_shifts([shift] if shift else [])
    duty.put(pages.main, name=name, display_name=None, level=level, rank=rank, shifts=shifts, by="t", now=START)


def goes_up(pages: Pages, seconds: float = 0) -> None:
    escalate(pages.main, policy=a_policy(), box=BOX, now=after(seconds), zone=UTC)


def test_the_floor_shows_who_is_asked_until_somebody_answers(pages: Pages) -> None:
    on_duty(pages, "supervisor")
    pages.alert()
    goes_up(pages)
    floor = read_floor(pages.main, pages.live, settings=pages.settings, policy=a_policy())
    assert floor.incidents[0].asked is not None
    assert floor.incidents[0].asked.ja == "supervisorさん"
    incidents.acknowledge(pages.main, "alert-1", box=BOX, by="supervisor", now=START)
    floor = read_floor(pages.main, pages.live, settings=pages.settings, policy=a_policy())
    assert floor.incidents[0].asked is None


def test_without_a_roster_the_floor_shows_the_role(pages: Pages) -> None:
    pages.alert()
    goes_up(pages)
    floor = read_floor(pages.main, pages.live, settings=pages.settings, policy=a_policy())
    assert floor.incidents[0].asked is not None
    assert floor.incidents[0].asked.en == "L2 (English)"


def test_the_stream_tells_a_page_that_the_next_person_is_asked(pages: Pages) -> None:
    pages.alert()
    pages.watch()
    before = pages.context.feed.last_id
    goes_up(pages)
    pages.tick()
    subscribed = pages.context.feed.subscribe(before, limit=9)
    assert subscribed is not None
    _, missed = subscribed
    assert missed is not None
    assert any(b"event: incident" in wire and "L2（日本語）".encode() in wire for wire in missed)


def test_an_incidents_page_shows_who_was_asked_and_its_timeline_too(pages: Pages) -> None:
    on_duty(pages, "supervisor")
    pages.alert()
    goes_up(pages)
    page = pages.browser("auditor").get("/incidents/alert-1").text
    assert "知らせる順番" in page
    assert "<b>supervisorさん</b> に知らせました" in page
    assert "当番に知らせた" in page


def test_a_supervisor_marks_a_colleague_as_away_and_back_again(pages: Pages) -> None:
    on_duty(pages, "supervisor", shift="mon-sun 00:00-24:00")
    browser = pages.browser("administrator")
    page = browser.get("/duty/").text
    assert "supervisorさん を不在にする" in page
    assert "在席" in page
    assert "月-日 00:00-24:00" in page
    assert browser.post("/duty/supervisor/absent").headers["Location"] == "/duty/"
    page = browser.get("/duty/").text
    assert "supervisorさん を不在にしました" in page
    assert "supervisorさん を在席に戻す" in page
    assert browser.post("/duty/supervisor/back").status_code == 303
    assert not store.everyone(pages.main)[0].absent
    assert [(e.actor, e.action) for e in audit.of(pages.main, "supervisor")][-2:] == [
        ("administrator", "duty.absent"),
        ("administrator", "duty.back"),
    ]


def test_an_auditor_sees_the_roster_and_changes_nothing(pages: Pages) -> None:
    on_duty(pages, "supervisor")
    viewer = pages.browser("auditor")
    page = viewer.get("/duty/").text
    assert "supervisorさん" in page
    assert "不在にする" not in page
    assert viewer.post("/duty/supervisor/absent").status_code == 403
    assert not store.everyone(pages.main)[0].absent


def test_someone_who_is_not_in_the_roster_gets_a_plain_answer(pages: Pages) -> None:
    browser = pages.browser("supervisor")
    browser.get("/duty/")
    answer = browser.post("/duty/nobody/absent")
    assert answer.status_code == 409
    assert "当番表にありません" in answer.text


def test_an_empty_roster_says_what_happens_then(pages: Pages) -> None:
    assert "当番表は空です" in pages.browser("auditor").get("/duty/").text
