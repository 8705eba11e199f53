"""The whole appliance on its real parts: eight calls at once through a paced sound card, a panel and a browser."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from edge_agent.domain.audit import first_break
from edge_agent.provision import demo
from edge_agent.store import audit, receipts
from edge_agent.store.database import open_main
from tests.journeys.floor import Panel, RunningFloor, turns, until

pytestmark = [pytest.mark.journey, pytest.mark.alone]

START_S = 12.0
"""Seconds of the recording before the calls: the floor must be up by then."""
ALERT_WITHIN_S = 2.0
HARASSING = {
    "threat": "threat",
    "abuse": "abuse",
    "excessive-demand": "excessive_demand",
    "sexual": "sexual",
    "exposure": "exposure",
}
CALLS = (*HARASSING, "complaint-angry", "order-calm", "despair")
SEAT = {call: f"{number:02}" for number, call in enumerate(CALLS, start=1)}
CHROMIUM = (
    "--headless",
    # The box's own authority is not among the browser's.
    "--ignore-certificate-errors",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NEW_PASSWORD = "a-longer-sentence-nobody-guesses"


def telling_ends(call: str) -> list[float]:
    """Seconds from the call's first sound to the end of each telling phrase."""
    return [turn["end"] for turn in turns(call) if turn["telling"]]


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFloor]:
    placed = [demo.Placed(start_s=START_S, seat=number, call=call) for number, call in enumerate(CALLS, start=1)]
    length = START_S + max(turns(call)[-1]["end"] for call in CALLS) + 20
    running = RunningFloor(tmp_path_factory.mktemp("floor"), placed, length_s=length)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def panel(floor: RunningFloor) -> Iterator[Panel]:
    listening = floor.panel()
    yield listening
    listening.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM))
        yield started
        started.close()


@pytest.fixture(scope="module")
def page(floor: RunningFloor, browser: Browser) -> Page:
    """The floor page of a new administrator, noting when which alert appears on it."""
    opened = browser.new_page(viewport={"width": 1280, "height": 800}, locale="ja-JP")
    opened.goto(floor.address)
    opened.fill("input[name=name]", "admin")
    opened.fill("input[name=password]", floor.one_time_password())
    opened.click("button[type=submit]")
    opened.fill("input[name=old]", floor.one_time_password())
    opened.fill("input[name=new]", NEW_PASSWORD)
    opened.fill("input[name=again]", NEW_PASSWORD)
    opened.click("button[type=submit]")
    opened.wait_for_selector("[data-seat='01']")
    opened.evaluate(
        """() => {
            window.appeared = {};
            const look = () => document.querySelectorAll(".alert[data-incident]").forEach((alert) => {
                window.appeared[alert.dataset.incident] ??= Date.now() / 1000;
            });
            new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
            look();
        }"""
    )
    return opened


@pytest.fixture(scope="module")
def heard(floor: RunningFloor, panel: Panel, page: Page) -> Panel:
    """The panel after all calls have ended."""
    last = floor.epoch + START_S + max(turns(call)[-1]["end"] for call in CALLS)
    shots = os.environ.get("MAMORI_SHOTS")
    while time.time() < last + 12:
        page.wait_for_timeout(500)
        if shots and floor.epoch + START_S + 44 < time.time() < floor.epoch + START_S + 45:
            page.screenshot(path=Path(shots) / "journey-floor.png")
    return panel


def first_new(panel: Panel, call: str, kind: str) -> tuple[float, dict[str, Any]] | None:
    found = panel.of(seat=SEAT[call], kind=kind, change="new")
    return found[0] if found else None


@pytest.mark.timing
@pytest.mark.parametrize("call", HARASSING)
def test_a_harassing_call_raises_its_alert_on_the_panel_in_time(call: str, floor: RunningFloor, heard: Panel) -> None:
    new = first_new(heard, call, "harassment")
    assert new, f"no alert for {call}"
    at, _message = new
    types = {label for _at, m in heard.of(seat=SEAT[call], kind="harassment") for label in m.get("types", [])}
    assert HARASSING[call] in types
    # Some types ask for a second hit, and a phrase may be misheard: what counts is the phrase that raised it. A threat
    # may be told, unconfirmed, while it is still spoken.
    said = [turn for turn in turns(call) if turn["speaker"] == "customer"]
    in_call = at - floor.epoch - START_S
    assert any(turn["start"] <= in_call <= turn["end"] + ALERT_WITHIN_S for turn in said), (in_call, said)


@pytest.mark.parametrize("call", HARASSING)
def test_a_harassing_call_raises_an_alert_of_its_type(call: str, heard: Panel) -> None:
    assert HARASSING[call] in {
        label for _at, m in heard.of(seat=SEAT[call], kind="harassment") for label in m.get("types", [])
    }


@pytest.mark.timing
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(call, marks=pytest.mark.xfail(reason="the model hears 下着 here at times only", strict=False))
        if call == "sexual"
        else call
        for call in HARASSING
    ],
)
def test_the_alert_is_raised_no_later_than_the_telling_phrase(call: str, floor: RunningFloor, heard: Panel) -> None:
    new = first_new(heard, call, "harassment")
    assert new
    assert new[0] <= floor.epoch + START_S + telling_ends(call)[0] + ALERT_WITHIN_S


@pytest.mark.timing
@pytest.mark.parametrize("call", HARASSING)
def test_the_alert_appears_on_the_page_within_a_second_of_the_panel(call: str, heard: Panel, page: Page) -> None:
    new = first_new(heard, call, "harassment")
    assert new
    at, message = new
    appeared = page.evaluate("window.appeared")
    assert message["alert_id"] in appeared
    assert appeared[message["alert_id"]] - at < 1.0


@pytest.mark.parametrize("call", ["complaint-angry", "order-calm"])
def test_a_complaint_and_an_order_raise_no_alert(call: str, heard: Panel) -> None:
    assert not [m for _at, m in heard.messages if m.get("seat") == SEAT[call] and "incident_state" in m]


def test_a_caller_in_despair_is_shown_as_life_safety_and_not_as_harassment(heard: Panel) -> None:
    assert first_new(heard, "despair", "life_safety")
    assert not heard.of(seat=SEAT["despair"], kind="harassment")


def test_every_alert_came_once_per_revision_and_ended_with_its_call(heard: Panel) -> None:
    revisions = [
        (m["alert_id"], m["revision"], m["incident_state"]) for _at, m in heard.messages if "incident_state" in m
    ]
    assert len(revisions) == len(set(revisions))
    for alert_id in {alert_id for alert_id, _revision, _state in revisions}:
        assert heard.of(alert_id=alert_id, change="end")


def test_every_message_is_as_published(heard: Panel) -> None:
    assert heard.problems == []
    assert [m for _at, m in heard.messages if "quotes" in m]


def test_taking_an_incident_on_the_page_reaches_the_panels_and_the_audit_chain(
    floor: RunningFloor, heard: Panel, page: Page
) -> None:
    _at, message = first_new(heard, "threat", "harassment") or (0, {})
    page.goto(f"{floor.address}/incidents/{message['alert_id']}")
    page.click("form[action$='/take'] button")
    until(lambda: heard.of(alert_id=message["alert_id"], incident_state="taken"), what="the panel to hear of it")
    db = open_main(floor.settings.data)
    try:
        actions = [entry.action for entry in audit.of(db, message["alert_id"])]
        assert "incident.taken" in actions
        assert first_break(audit.entries(db)) is None
    finally:
        db.close()


def test_a_panel_that_says_delivered_is_part_of_the_record(floor: RunningFloor, heard: Panel) -> None:
    _at, message = first_new(heard, "abuse", "harassment") or (0, {})
    base = f"mamori/v1/test/floor1/box1/ack/{message['alert_id']}/panel-1"
    heard.link.send(topic=base, payload=json.dumps({"kind": "delivered"}))
    db = open_main(floor.settings.data)
    try:
        until(lambda: receipts.of(db, message["alert_id"]), what="the receipt")
    finally:
        db.close()


def test_no_word_of_a_call_is_in_the_logs_and_no_audio_on_the_disk(floor: RunningFloor, heard: Panel) -> None:
    quotes = [q for _at, m in heard.messages for q in m.get("quotes", [])]
    assert quotes
    said = floor.said()
    assert not [quote for quote in quotes if quote in said]
    kept = [p for p in floor.data.rglob("*") if p.suffix in {".wav", ".raw", ".flac", ".opus", ".pcm"}]
    assert not kept
