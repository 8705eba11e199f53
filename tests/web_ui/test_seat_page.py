"""An operator's own seat: what is shown, to whom, and what is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.call import LineState
from edge_agent.domain.incident import Incident
from edge_agent.domain.roles import Role
from edge_agent.errors import Text
from edge_agent.services import accounts, buttons, incidents, listening
from edge_agent.store import audit, pauses, people, seatings
from edge_agent.store import incidents as incident_store
from edge_agent.store import live as live_store
from edge_agent.store.database import writing
from tests.builders import BOX, START
from tests.web_ui.conftest import Browser, Pages, in_call, seats
from tests.web_ui.test_button_pages import press_on
from tests.web_ui.test_rights import SECRET, spoken
from web_ui.seat import TOLD

EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
def seated(pages: Pages) -> Browser:
    """The operator's browser, at seat 01; the agent is there."""
    pages.line(in_call())
    pages.watch()
    return sit(pages.browser("operator"))


def sit(browser: Browser, seat: str = "01") -> Browser:
    browser.get("/seat/")
    assert browser.post("/seat/", seat=seat).headers["Location"] == f"/seat/{seat}"
    return browser


def mood(browser: Browser) -> str:
    found = re.search(r'id="fresh" data-mood="([a-z_]+)"', browser.get("/seat/01").text)
    assert found
    return found[1]


def test_an_operator_starts_by_choosing_a_seat_and_then_starts_there(pages: Pages) -> None:
    browser = pages.browser()
    assert browser.log_in("operator").headers["Location"] == "/seat/"
    assert "1番席" in browser.get("/seat/").text
    sit(browser)
    assert browser.get("/seat/").headers["Location"] == "/seat/01"
    assert browser.get("/").headers["Location"] == "/seat/"
    assert [(entry.action, entry.actor) for entry in audit.of(pages.main, "01")] == [("seat.taken", "operator")]


def test_somebody_who_sits_down_takes_the_place_of_whoever_forgot_to_leave(pages: Pages, seated: Browser) -> None:
    pages.person("operator2", role=Role.OPERATOR)
    other = sit(pages.browser("operator2"))
    assert other.get("/seat/01").status_code == 200
    assert seated.get("/seat/01").headers["Location"] == "/seat/?choose="
    assert audit.of(pages.main, "01")[-1].detail == {"from": "", "instead_of": "operator"}


def test_leaving_and_logging_out_free_the_seat(pages: Pages, seated: Browser) -> None:
    seated.get("/seat/01")
    assert seated.post("/seat/leave").status_code == 303
    assert seatings.everything(pages.main) == []
    sit(seated).post("/logout")
    assert seatings.everything(pages.main) == []
    assert [entry.action for entry in audit.of(pages.main, "01")] == ["seat.taken", "seat.left"] * 2


def test_an_operator_sees_no_other_seat_and_hears_of_none(seated: Browser) -> None:
    assert seated.get("/seat/02").headers["Location"] == "/seat/?choose="
    assert seated.get("/seat/02/events", headers=EVENTS).status_code == 404
    assert seated.get("/events", headers=EVENTS).status_code == 403
    assert seated.post("/seat/", seat="99").status_code == 404


def test_an_operator_whose_groups_have_changed_sits_there_no_more(pages: Pages, seated: Browser) -> None:
    operator = people.find(pages.main, "operator")
    assert operator is not None
    with writing(pages.main):
        people.save(pages.main, replace(operator, groups=("west",)))
    assert seated.get("/seat/01").headers["Location"] == "/seat/?choose="
    assert "選べる席がありません" in seated.get("/seat/?choose=").text


@pytest.mark.parametrize("who", ["viewer", "auditor", "trainer", "consultation_officer"])
def test_others_have_no_seat(pages: Pages, who: str) -> None:
    assert pages.browser(who).get("/seat/").status_code == 403


@pytest.mark.usefixtures("seated")
def test_a_supervisor_looks_at_a_page_without_sitting_down(pages: Pages) -> None:
    page = pages.browser("supervisor").get("/seat/01")
    assert "オペレーターの画面を見ています" in page.text
    assert [each.person for each in seatings.everything(pages.main)] == ["operator"]


def test_the_call_is_told_in_calm_words(pages: Pages, seated: Browser) -> None:
    assert mood(seated) == "calm"
    pages.line(in_call(complaint=True))
    assert mood(seated) == "complaint"
    pages.line(live_store.LineStatus(seat="01", state=live_store.LineState.IDLE))
    assert mood(seated) == "idle"
    pages.line(in_call().faulty(Text("抜けました", "unplugged")))
    assert mood(seated) == "fault"
    assert "抜けました" in seated.get("/seat/01").text


def test_while_nobody_listens_no_calm_is_shown(pages: Pages, seated: Browser) -> None:
    pages.tick(now_s=60.0)
    assert mood(seated) == "deaf"


def test_a_suspicion_shows_the_guide_and_the_phrase_and_no_words(pages: Pages, seated: Browser) -> None:
    pages.words(spoken(SECRET))
    phrase = pages.context.policy.phrases[0]
    alert = pages.alert(quotes=(SECRET,), phrase=phrase.id)
    pages.line(in_call(warnings=1))
    text = seated.get("/seat/01").text
    assert mood(seated) == "suspected"
    for shown in (alert.guide.ja, phrase.text.ja, alert.reason.ja, "警告 1回", "スーパーバイザーに知らせています"):
        assert shown in text
    assert SECRET not in text


def test_life_safety_is_never_shown_as_harassment(pages: Pages, seated: Browser) -> None:
    pages.alert(kind=AlertKind.LIFE_SAFETY)
    assert mood(seated) == "life_safety"


def test_what_another_call_was_about_is_not_shown(pages: Pages, seated: Browser) -> None:
    before = pages.alert("alert-before", call_id="call-0")
    pages.alert("alert-elsewhere", seat="02", call_id="call-2")
    text = seated.get("/seat/01").text
    assert mood(seated) == "calm"
    assert before.reason.ja not in text
    assert "alert-elsewhere" not in text


def test_a_press_is_followed_until_somebody_comes(pages: Pages, seated: Browser) -> None:
    press_on(seated, gesture="help")
    text = seated.get("/seat/01").text
    assert "応援を呼んでいます" in text
    assert 'data-light="kept"' in text
    [call] = incidents_called(pages)
    incidents.take(pages.main, call.incident_id, box=BOX, by="supervisor", now=START)
    text = seated.get("/seat/01").text
    assert 'data-light="seen"' in text
    assert "supervisorさん が対応します" in text


def test_an_emergency_offers_no_withdrawal(seated: Browser) -> None:
    press_on(seated, gesture="help")
    assert 'id="withdraw"' in seated.get("/seat/01").text
    press_on(seated, gesture="emergency")
    text = seated.get("/seat/01").text
    assert 'id="withdraw"' not in text
    assert "緊急を知らせています" in text


def test_without_scripts_a_form_presses_and_leads_back(pages: Pages, seated: Browser) -> None:
    seated.get("/seat/01")
    answer = seated.post("/seat/01/press", gesture="help", next="/seat/01")
    assert answer.headers["Location"] == "/seat/01"
    assert "応援要請を出しました" in seated.get("/seat/01").text
    assert len(incidents_called(pages)) == 1


def test_whoever_listens_in_is_named_to_the_operator(pages: Pages, seated: Browser) -> None:
    begun = listening.begin(pages.main, pages.live, in_call(), by="supervisor", now=START)
    assert "supervisorさん がこの通話を聞いています" in seated.get("/seat/01").text
    listening.end(pages.main, pages.live, begun, now=START)
    assert "この通話を聞いています" not in seated.get("/seat/01").text


def test_what_is_monitored_is_told_from_policy_and_settings(tmp_path: Path, prepared: Path) -> None:
    made = Pages(tmp_path, prepared=prepared, seats=seats(1))
    text = sit(made.browser("operator")).get("/seat/01").text
    policy = made.context.policy
    assert f"「{policy.title.ja}」（{policy.version}、{policy.effective_from} から）" in text
    assert "届いてから7日で消します" in text
    assert "通話を言葉ごとに追えるのは 管理者、スーパーバイザー だけ" in text
    made.close()


def test_the_page_speaks_english_completely(pages: Pages, seated: Browser) -> None:
    accounts.set_language(pages.main, name="operator", language="en")
    pages.alert()
    press_on(seated, gesture="help")
    text = seated.get("/seat/01").text
    for own in (r"<script.*?</script>", r'<button name="language".*?</button>', r'lang="ja"[^<]*<', "さん"):
        text = re.sub(own, "", text, flags=re.DOTALL)
    assert re.findall(r"[ぁ-んァ-ヶ一-龠]+", text) == []


def stream(browser: Browser) -> Iterator[bytes]:
    return iter(browser.client.get("/seat/01/events", headers=EVENTS, buffered=False).response)


def test_the_stream_says_that_something_moved_and_never_what(pages: Pages, seated: Browser) -> None:
    wires = stream(seated)
    assert b"event: moved" in next(wires)
    pages.alert(quotes=(SECRET,))
    pages.tick()
    wire = next(wires)
    assert wire == b"event: moved\ndata: {}\n\n"


def test_the_stream_tells_that_a_message_was_sent(pages: Pages, seated: Browser) -> None:
    press_on(seated, gesture="help")
    pages.tick()
    wires = stream(seated)
    next(wires)
    with writing(pages.main):
        pages.main.execute("UPDATE outbox SET sent_at = ?", [START.isoformat()])
    pages.tick()
    assert b"moved" in next(wires)
    assert buttons.light_of(pages.main, "01", box=BOX) == "sent"


def test_the_stream_ends_when_somebody_else_sits_down(pages: Pages, seated: Browser) -> None:
    wires = stream(seated)
    next(wires)
    pages.person("operator2", role=Role.OPERATOR)
    sit(pages.browser("operator2"))
    pages.tick()
    assert [b"gone" in wire for wire in wires] == [True]


def incidents_called(pages: Pages) -> list[Incident]:
    return incident_store.calls_for_help(pages.main, "01")


def test_a_pause_is_begun_shown_and_ended_on_the_seat_page(pages: Pages, seated: Browser) -> None:
    assert mood(seated) == "calm"
    assert 'name="wish" value="begin"' in seated.get("/seat/01").text
    answer = seated.post("/seat/01/pause", wish="begin", next="/seat/01")
    assert answer.headers["Location"] == "/seat/01"
    [pause] = pauses.everything(pages.main)
    # What the agent tells of it, in its own time.
    pages.line(in_call(paused_since=pause.begun_at, paused_until=pause.until))
    assert mood(seated) == "paused"
    shown = seated.get("/seat/01").text
    assert 'name="wish" value="end"' in shown
    assert "一時停止中です" in shown
    seated.post("/seat/01/pause", wish="end", next="/seat/01")
    assert pauses.everything(pages.main) == []
    pages.line(in_call(pause_cut=True))
    assert mood(seated) == "calm"
    assert "一時停止は上限で終了" in seated.get("/seat/01").text


def test_no_pause_is_offered_without_a_call(pages: Pages, seated: Browser) -> None:
    pages.line(replace(in_call(), state=LineState.IDLE, call_id=None, since=None))
    assert 'name="wish"' not in seated.get("/seat/01").text


def test_whoever_was_told_shares_what_the_feed_has_read_and_all_others_see_what_is_newest(
    pages: Pages, seated: Browser
) -> None:
    told = {"Accept": "text/html", TOLD: "yes"}
    pages.line(in_call(warnings=2))
    assert 'data-mood="calm"' in seated.get("/seat/01", headers=told).text
    pages.line(in_call(complaint=True))
    assert mood(seated) == "complaint"
    assert 'data-mood="calm"' in seated.get("/seat/01", headers=told).text
    pages.tick()
    assert 'data-mood="complaint"' in seated.get("/seat/01", headers=told).text
