"""Every page for everybody: axe finds nothing serious in either language, light or dark, and the keyboard is enough."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from edge_agent.domain.device import DeviceKind
from edge_agent.domain.false_alarm import Cause, FalseAlarm
from edge_agent.domain.finding import Label
from edge_agent.domain.incident import Verdict
from edge_agent.domain.roles import Role
from edge_agent.services import accounts, devices, incidents
from edge_agent.settings_buttons import Button
from edge_agent.settings_lamps import Lamp
from edge_agent.store import incidents as store
from tests.builders import BOX
from tests.web_ui.conftest import PASSWORD
from tests.web_ui.test_floor_journey import Floor, browser, busy_floor, log_in
from web_ui.access import OPEN

__all__ = ["browser"]
pytestmark = pytest.mark.journey

NO_PAGE = {"live.alive", "live.events", "arrange.saved", "lines.now", "seat.events", "integration.state"} | OPEN
"""What answers a script, not a person; the offline page is looked at by itself."""
GRAVE = {"serious", "critical"}
QUOTE = "お前の名前も職場も分かってるからな、夜道に気をつけろよ"


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(
        tmp_path,
        buttons=(Button(name="desk-01", seat="01", kind="virtual"), Button(name="desk-02", seat="02", kind="mqtt")),
        lamps=(Lamp(name="tower-1", kind="patlite-http", address="10.0.0.9"), Lamp(name="desk-2", kind="esphome")),
    )
    now = datetime.now(UTC)
    for name, role in (("chief", Role.ADMINISTRATOR), ("wall", Role.VIEWER)):
        accounts.create_person(
            made.main, name=name, display_name=name, role=role, password=PASSWORD, must_change=False, now=now
        )
    devices.register(made.main, name="panel-1", kind=DeviceKind.PANEL, by="it", now=now)
    busy_floor(made)
    made.hears("03", Label.THREAT, QUOTE, warnings=1)
    made.hears("06", Label.LIFE_SAFETY, "もう疲れました", ago_s=41)
    over = made.hears("01", Label.ABUSE, "ばか", ago_s=90)
    why = FalseAlarm(cause=Cause.QUOTATION, by="sato", at=now)
    incidents.rule_out(made.main, over.alert_id, why, box=BOX)
    incidents.review(made.main, over.alert_id, box=BOX, by="sato", verdict=Verdict.FALSE_ALARM, now=now)
    made.start()
    yield made
    made.stop()


def grave(page: Page, where: str) -> list[str]:
    """Return what axe finds serious or critical on a page, one line for each place."""
    found = Axe().run(page).response["violations"]
    return [
        f"{where}: {each['id']} {node['target']} {node['html'][:90]} {[m['message'] for m in node['any']][:1]}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]


def paths_of(floor: Floor) -> list[str]:
    """Return every page of the app: of each incident state one, and of each person one."""
    values = {"incidents.page": [{"incident_id": each.incident_id} for each in store.recent(floor.main, 9)]}
    values["staff.page"] = [{"name": "sato"}]
    values["seat.own"] = [{"seat": "03"}, {"seat": "06"}]
    urls = floor.app.url_map.bind("localhost")
    return [
        urls.build(rule.endpoint, chosen)
        for rule in floor.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint not in NO_PAGE
        for chosen in values.get(rule.endpoint, [{}])
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_axe_finds_nothing_serious_on_any_page(browser: Browser, floor: Floor, language: str, scheme: str) -> None:
    for name in ("chief", "wall"):
        accounts.set_language(floor.main, name=name, language=language)
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{floor.address}/login?language={language}")
    found = grave(page, "/login")
    page.fill("input[name=name]", "chief")
    page.fill("input[name=password]", "not the password")
    page.click("button[type=submit]")
    page.wait_for_selector(".trouble")
    found += grave(page, "/login refused")
    page.goto(f"{floor.address}/offline")
    found += grave(page, "/offline")
    log_in(page, floor, "chief")
    looked_at = 0
    for path in paths_of(floor):
        page.goto(f"{floor.address}{path}")
        if path == "/":
            page.locator("#open .alert").first.wait_for()
        page.evaluate("document.querySelectorAll('main details').forEach((closed) => (closed.open = true))")
        found += grave(page, path)
        looked_at += 1
    page.goto(f"{floor.address}/")
    page.locator("#arrange").click()
    page.locator(".spot").first.wait_for()
    page.keyboard.press("ArrowRight")
    page.locator("#arranging [data-leave]").click()
    found += grave(page, "/ arranging")
    page.locator("[data-choices] button").last.click()
    for menu in page.locator(".menu summary").all():
        menu.click()
        found += grave(page, "/ menu")
    page.goto(f"{floor.address}/incidents/nothing")
    found += grave(page, "problem")
    context.close()
    assert looked_at > 15
    assert not found, "\n".join(sorted(set(found)))


def test_an_alert_is_dealt_with_by_the_keyboard_alone(browser: Browser, floor: Floor) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(floor.address)
    page.keyboard.type("sato")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.locator("#open .alert").first.wait_for()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{floor.address}/#content")
    first = page.locator("#open .alert").first
    incident = first.get_attribute("data-incident")
    button = first.locator("[data-act=acknowledge]")
    press_until_focused(page, button.evaluate_handle("e => e"))
    outline = button.evaluate("e => getComputedStyle(e).outlineStyle + getComputedStyle(e).outlineWidth")
    assert outline != "none0px"
    assert not outline.startswith("none")
    page.keyboard.press("Enter")
    expect(page.locator(f"#working .alert[data-incident='{incident}']")).to_be_visible()
    context.close()


def press_until_focused(page: Page, wanted: object) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("e => document.activeElement === e", wanted):
            return
    raise AssertionError("not reached by the Tab key")
