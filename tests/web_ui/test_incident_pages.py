"""Dealing with an incident on its page and in the list."""

from __future__ import annotations

from edge_agent.domain.alert import AlertKind
from edge_agent.domain.finding import Label
from edge_agent.domain.policy import Severity
from edge_agent.services import incidents
from edge_agent.store import audit, outbox
from edge_agent.store import incidents as store
from tests.builders import BOX, START
from tests.web_ui.conftest import Pages


def state(pages: Pages, incident_id: str = "alert-1") -> str:
    found = store.find(pages.main, incident_id)
    assert found is not None
    return found.state.value


def test_an_incident_goes_from_open_to_certified_in_the_name_of_whoever_did_it(pages: Pages) -> None:
    pages.alert()
    browser = pages.browser("supervisor")
    browser.get("/")
    for step, after in (("acknowledge", "acknowledged"), ("take", "taken"), ("close", "closed")):
        assert browser.post(f"/incidents/alert-1/{step}").headers["Location"] == "/incidents/alert-1"
        assert state(pages) == after
    assert browser.post("/incidents/alert-1/review", verdict="complaint").status_code == 303
    found = store.find(pages.main, "alert-1")
    assert found is not None
    assert found.reviewed is not None
    assert (found.reviewed.by, found.verdict) == ("supervisor", "complaint")
    page = browser.get("/incidents/alert-1").text
    assert "supervisorさん が「正当な苦情」と判定しました" in page
    assert [e.actor for e in audit.of(pages.main, "alert-1")] == ["mamori", *["supervisor"] * 4]


def test_what_is_done_on_the_page_goes_out_to_the_panels(pages: Pages) -> None:
    pages.alert()
    before = outbox.count_unsent(pages.main)
    pages.browser("supervisor").fetch("/incidents/alert-1/take")
    assert outbox.count_unsent(pages.main) == before + 1


def test_whoever_comes_second_is_told_in_plain_words(pages: Pages) -> None:
    pages.alert()
    pages.browser("supervisor").fetch("/incidents/alert-1/take")
    late = pages.browser("administrator").fetch("/incidents/alert-1/acknowledge")
    assert late.status_code == 409
    assert late.json is not None
    assert "ほかの人がすでに対応" in late.json["remedy"]
    assert state(pages) == "taken"


def test_an_incident_is_not_certified_before_it_is_closed_nor_with_a_made_up_verdict(pages: Pages) -> None:
    pages.alert()
    browser = pages.browser("supervisor")
    browser.get("/")
    assert browser.post("/incidents/alert-1/review", verdict="harassment").status_code == 409
    assert browser.post("/incidents/alert-1/review", verdict="guilty").status_code == 400
    assert browser.post("/incidents/alert-1/review").status_code == 400


def test_a_false_alarm_is_marked_with_its_reason_and_the_review_begins_from_there(pages: Pages) -> None:
    pages.alert()
    browser = pages.browser("supervisor")
    browser.get("/incidents/alert-1")
    assert browser.post("/incidents/alert-1/false-alarm").status_code == 409
    assert browser.post("/incidents/alert-1/false-alarm", cause="other").status_code == 409
    assert state(pages) == "open"
    note = "上司の言葉を伝えただけ"
    assert browser.post("/incidents/alert-1/false-alarm", cause="quotation", note=note).status_code == 303
    assert state(pages) == "closed"
    page = browser.get("/incidents/alert-1").text
    assert "supervisorさん が誤検知と記録しました（理由: 他人の言葉の引用・読み上げ）" in page
    assert note in page
    assert 'value="false_alarm" checked' in page
    assert 'value="quotation" checked' in page
    marked = audit.of(pages.main, "alert-1")[-1]
    assert (marked.actor, marked.action, marked.detail["ruled_out"]) == (
        "supervisor",
        "incident.ruled_out",
        "quotation",
    )
    assert note not in str(marked.detail)
    assert browser.post("/incidents/alert-1/review", verdict="false_alarm").status_code == 303
    found = store.find(pages.main, "alert-1")
    assert found is not None
    assert found.ruled_out == "quotation"
    assert browser.post("/incidents/alert-1/false-alarm", cause="joking").status_code == 409


def test_a_verdict_of_false_alarm_needs_a_reason_too(pages: Pages) -> None:
    pages.alert()
    browser = pages.browser("supervisor")
    browser.get("/incidents/alert-1")
    for step in ("take", "close"):
        browser.post(f"/incidents/alert-1/{step}")
    assert browser.post("/incidents/alert-1/review", verdict="false_alarm").status_code == 409
    assert browser.post("/incidents/alert-1/review", verdict="false_alarm", cause="misheard").status_code == 303
    found = store.find(pages.main, "alert-1")
    assert found is not None
    assert found.ruled_out == "misheard"


def test_an_operators_call_for_help_offers_no_false_alarm(pages: Pages) -> None:
    pages.alert(kind=AlertKind.HELP)
    browser = pages.browser("supervisor")
    assert 'id="false-alarm"' not in browser.get("/incidents/alert-1").text
    assert browser.post("/incidents/alert-1/false-alarm", cause="joking").status_code == 409


def test_one_tap_on_a_colleague_hands_it_over_and_one_of_theirs_takes_it(pages: Pages) -> None:
    pages.person("tanaka")
    pages.alert()
    mine, theirs = pages.browser("supervisor"), pages.browser("tanaka")
    assert 'id="hand-over"' not in mine.get("/incidents/alert-1").text
    mine.post("/incidents/alert-1/take")
    page = mine.get("/incidents/alert-1").text
    assert '<button name="to" value="tanaka" >tanakaさん' in page
    assert 'value="supervisor"' not in page
    assert 'value="operator"' not in page
    assert mine.post("/incidents/alert-1/hand-over", to="operator").status_code == 409
    assert mine.post("/incidents/alert-1/hand-over", to="tanaka").status_code == 303
    page = mine.get("/incidents/alert-1").text
    assert "supervisorさん が tanakaさん に引き継ぎを依頼しています" in page
    assert "引き継がずに続ける" in page
    assert "引き継ぎを依頼 → tanakaさん" in page
    assert "supervisorさん から引き継ぎの依頼です" in theirs.get("/incidents/alert-1").text
    assert theirs.post("/incidents/alert-1/take").status_code == 303
    found = store.find(pages.main, "alert-1")
    assert found is not None
    assert found.taken is not None
    assert (found.taken.by, found.handing_over) == ("tanaka", None)
    assert mine.post("/incidents/alert-1/take").status_code == 409


def test_whoever_may_not_act_hands_nothing_over(pages: Pages) -> None:
    pages.alert()
    pages.browser("supervisor").fetch("/incidents/alert-1/take")
    for role in ("auditor", "consultation_officer"):
        browser = pages.browser(role)
        assert 'id="hand-over"' not in browser.get("/incidents/alert-1").text
        assert browser.post("/incidents/alert-1/hand-over", to="administrator").status_code == 403


def test_an_incident_that_is_not_there_is_not_found(pages: Pages) -> None:
    browser = pages.browser("supervisor")
    assert browser.get("/incidents/alert-9").status_code == 404
    assert browser.fetch("/incidents/alert-9/take").status_code == 404


def test_the_page_shows_facts_reason_criterion_guide_words_receipts_and_who_did_what(pages: Pages) -> None:
    alert = pages.alert(warnings=2)
    incidents.note_receipt(pages.main, alert_id="alert-1", panel="wall-7", kind="delivered", box=BOX, now=START)
    pages.browser("supervisor").fetch("/incidents/alert-1/take")
    page = pages.browser("supervisor").get("/incidents/alert-1").text
    for shown in (
        "1番席",
        "0:12",
        alert.reason.ja,
        alert.guide.ja,
        alert.quotes[0],
        "その" + "お言葉が続くとご案内できかねます",
        "threat（日本語）",
        "製品の既定",
        "2回",
        alert.model_version,
        "wall-7",
        "疑いを検知",
        "対応を開始",
        "supervisorさん",
        "「疑い」",
    ):
        assert shown in page, shown


def test_life_safety_is_never_shown_as_harassment(pages: Pages) -> None:
    pages.alert(kind=AlertKind.LIFE_SAFETY, types=(), severity=Severity.B0, criterion="life-safety-rule")
    page = pages.browser("supervisor").get("/incidents/alert-1").text
    assert "いのちの安全を最優先" in page
    assert "機械による「疑い」" not in page


def test_the_list_keeps_what_is_to_be_done_apart_from_what_is_finished(pages: Pages) -> None:
    pages.alert("alert-1")
    pages.alert("alert-2", call_id="call-2", seat="02")
    browser = pages.browser("supervisor")
    for step in ("take", "close"):
        browser.fetch(f"/incidents/alert-1/{step}")
    open_part, _, finished = browser.get("/incidents/").text.partition("終わった事案</h2>")
    assert "/incidents/alert-2" in open_part
    assert "/incidents/alert-1" in finished


def test_an_unconfirmed_suspicion_says_so_and_a_withdrawn_one_too(pages: Pages) -> None:
    alert = pages.alert(tentative=True)
    page = pages.browser("supervisor").get("/incidents/alert-1").text
    assert "「確認中」の疑いです" in page
    incidents.change_alert(pages.main, alert.withdraw(at_s=14.0), box=BOX, now=START)
    page = pages.browser("supervisor").get("/incidents/alert-1").text
    assert "取り下げられました" in page
    assert "確定した言葉により取り下げ" in page
    assert "「確認中」の疑いです" not in page
    listed = pages.browser("supervisor").get("/incidents/").text
    assert "取り下げ" in listed
    assert "対応が必要な事案はありません" in listed


def test_the_title_of_a_rule_on_repetition_is_shown(pages: Pages) -> None:
    pages.alert(criterion="loop-15", types=(Label.DETENTION,))
    assert "loop-15（日本語）" in pages.browser("supervisor").get("/incidents/alert-1").text
