"""The floor page in a real browser, as supervisors see it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FloatRect, Page, expect, sync_playwright

from edge_agent.domain.alert import Alert, AlertChange, AlertKind
from edge_agent.domain.call import LineState, Speaker
from edge_agent.domain.finding import Label
from edge_agent.domain.incident import Verdict
from edge_agent.domain.policy import Policy, Severity
from edge_agent.domain.roles import Role
from edge_agent.errors import Text
from edge_agent.provision import pki
from edge_agent.services import accounts, incidents
from edge_agent.services.policy_pack import load_policy
from edge_agent.settings import Paths, Settings, Web
from edge_agent.store import live
from edge_agent.store.database import open_live, open_main, writing
from edge_agent.store.live import LineStatus, LiveWords
from tests.builders import BOX, MODEL
from tests.ports import free_port
from tests.web_ui.conftest import PASSWORD, seats
from web_ui import create_app
from web_ui.context import EXTENSION, Context
from web_ui.serve import make_server

pytestmark = pytest.mark.journey

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
WITHIN_S = 1.0
"""An alert is on the page this long after its commit at the latest."""


STOPS_WITHIN_S = 5.0
TOUCH_PX = 44
"""Height that a finger hits (WCAG 2.5.5)."""


def for_a_finger(box: FloatRect) -> bool:
    """Whether a place is high enough; the browser gives its height as the difference of floats, so 43.99997 is 44."""
    return round(box["height"], 2) >= TOUCH_PX


class Floor:
    """The served pages of eight seats, and the agent's pen."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.settings = Settings(
            box=BOX,
            paths=Paths(data=str(folder / "data"), run=str(folder / "run")),
            web=Web(port=free_port()),
            seats=seats(8),
            **changes,
        )
        self.policy = load_policy(self.settings.policy_file)
        self.main, self.live = open_main(self.settings.data), open_live(self.settings.run)
        app = create_app(self.settings, self.policy, secret_key=os.urandom(32))
        self.app = app
        self.context: Context = app.extensions[EXTENSION]
        pki.ensure_authority(folder / "data/pki", now=datetime.now(UTC))
        pki.ensure_server(folder / "data/pki", "web", hosts=[], now=datetime.now(UTC))
        self.server = make_server(app, self.settings)
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self.server.serve), threading.Thread(target=self.pulse)]
        for name, shown, role in (("sato", "佐藤 美咲", Role.SUPERVISOR), ("tanaka", "田中 健", Role.SUPERVISOR)):
            accounts.create_person(
                self.main,
                name=name,
                display_name=shown,
                role=role,
                password=PASSWORD,
                must_change=False,
                now=datetime.now(UTC),
            )

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.settings.web.port}"

    def start(self) -> None:
        self.context.feed.start(lambda: None)
        for thread in self.threads:
            thread.start()

    def pulse(self) -> None:
        """Give a sign of life every second, as the agent does with its levels."""
        live_db = open_live(self.settings.run)
        while not self.stopped.wait(1.0):
            with writing(live_db):
                # Another value: SQLite writes nothing where nothing differs.
                live_db.execute("UPDATE lines SET customer_level = -coalesce(customer_level, 0) - 1")
        live_db.close()

    def stop(self) -> None:
        began = time.monotonic()
        self.context.feed.close()
        self.server.stop()
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        self.main.close()
        self.live.close()
        assert time.monotonic() - began < STOPS_WITHIN_S

    def calls(self, seat: str, ago_s: float, *words: tuple[Speaker, str], **changes: object) -> None:
        """Put a seat into a call that began `ago_s` seconds ago."""
        since = datetime.now(UTC) - timedelta(seconds=ago_s)
        status = LineStatus(seat=seat, state=LineState.IDLE).in_call(f"call-{seat}", since)
        with writing(self.live):
            live.put_line(self.live, replace(status, **changes))
            for sequence, (speaker, text) in enumerate(words):
                live.put_words(self.live, spoken(seat, sequence, speaker, text.removesuffix("…"), text[-1] != "…"))

    def line(self, status: LineStatus) -> None:
        with writing(self.live):
            live.put_line(self.live, status)

    def hears(self, seat: str, label: Label, *quotes: str, ago_s: float = 0.0, warnings: int = 0) -> Alert:
        """Commit the incident and mark the words it relied on."""
        alert = suspected(self.policy, seat, label, quotes, warnings)
        incidents.open_incident(self.main, alert, box=BOX, now=datetime.now(UTC) - timedelta(seconds=ago_s))
        with writing(self.live):
            live.mark_telling(self.live, alert.call_id, quotes)
        return alert


def spoken(seat: str, sequence: int, speaker: Speaker, text: str, final: bool = True) -> LiveWords:  # noqa: FBT001, FBT002
    return LiveWords(
        call_id=f"call-{seat}",
        seat=seat,
        sequence=sequence,
        speaker=speaker,
        text=text,
        final=final,
        start_s=float(sequence),
        end_s=sequence + 1.0,
    )


def suspected(policy: Policy, seat: str, label: Label, quotes: tuple[str, ...], warnings: int) -> Alert:
    criterion = next(c for c in policy.criteria if c.label is label)
    life = label is Label.LIFE_SAFETY
    return Alert(
        alert_id=f"alert-{seat}-{label.value}",
        call_id=f"call-{seat}",
        seat=seat,
        kind=AlertKind.LIFE_SAFETY if life else AlertKind.HARASSMENT,
        change=AlertChange.NEW,
        revision=1,
        at_s=72.4,
        types=() if life else (label,),
        severity=Severity(criterion.severity),
        criterion=criterion.id,
        reason=criterion.reason,
        guide=criterion.guide,
        phrase=criterion.phrase,
        quotes=quotes,
        warnings=warnings,
        policy_version=policy.version,
        model_version=MODEL,
    )


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    made = Floor(tmp_path)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(CHROMIUM))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, floor: Floor) -> Iterator[Page]:
    """The floor page of Sato; nothing on it may ever trip over the content security policy or throw."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="ja-JP", timezone_id="Asia/Tokyo")
    opened = context.new_page()
    trouble: list[str] = []
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("console", lambda message: trouble.append(message.text) if "Content Security" in message.text else None)
    log_in(opened, floor, "sato")
    yield opened
    context.close()
    assert not trouble


def log_in(page: Page, floor: Floor, name: str) -> None:
    page.goto(floor.address)
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("[data-seat='01']")


CUSTOMER, OPERATOR = Speaker.CUSTOMER, Speaker.OPERATOR


def busy_floor(floor: Floor) -> None:
    """A floor as on a bad afternoon."""
    floor.calls(
        "01",
        252,
        (CUSTOMER, "先週頼んだ商品がまだ届いていないんですけど"),
        (OPERATOR, "申し訳ございません、お調べいたしますので注文番号をお願いできますか"),
        (CUSTOMER, "えっと番号は…"),
    )
    floor.line(LineStatus(seat="02", state=LineState.IDLE))
    floor.calls(
        "03",
        611,
        (OPERATOR, "ご返金の手続きには三営業日ほどいただいております"),
        (CUSTOMER, "ふざけるな、今すぐ上を出せ"),
        (OPERATOR, "そのお言葉が続くとご案内できかねます"),
        (CUSTOMER, "お前の名前も職場も分かってるからな、夜道に気をつけろよ"),
        warnings=1,
    )
    floor.calls(
        "04",
        388,
        (CUSTOMER, "二回も壊れたものが届くなんてどうなってるんですか"),
        (OPERATOR, "二度もご迷惑をおかけし、誠に申し訳ございません"),
        (CUSTOMER, "返金と、なぜこうなったのか説明をお願いします"),
        complaint=True,
    )
    floor.line(LineStatus(seat="05", state=LineState.IDLE))
    floor.calls(
        "06",
        197,
        (OPERATOR, "お電話ありがとうございます、ご用件をお伺いいたします"),
        (CUSTOMER, "もう疲れました、薬をたくさん飲んで死のうと思って"),
        (OPERATOR, "お話しくださってありがとうございます、今、安全な場所ですか"),
        life_safety=True,
    )
    floor.line(
        LineStatus(seat="07", state=LineState.IDLE).faulty(
            Text(
                "音声機器「tap」から音が届いていません。ケーブルと電源を確認してください。自動でつなぎ直しています。",
                "No audio from device “tap”. Check cable and power. It is reopened by itself.",
            )
        )
    )
    floor.calls(
        "08",
        95,
        (CUSTOMER, "住所変更をお願いしたいんですが"),
        (OPERATOR, "かしこまりました、新しいご住所をお願いいたします"),
        (CUSTOMER, "はい、郵便番号が…"),
    )


def shot(page: Page, tmp_path: Path, name: str, *, whole: bool = False) -> None:
    folder = Path(os.environ.get("MAMORI_SHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=whole)


@pytest.mark.alone
def test_an_alert_is_on_the_page_within_a_second_and_one_tap_acknowledges_it(
    floor: Floor, page: Page, tmp_path: Path
) -> None:
    busy_floor(floor)
    expect(page.locator(".seat[data-seat='08']")).to_have_attribute("data-show", "in_call")
    expect(page.locator(".seat .said")).to_have_count(0)
    quote = "お前の名前も職場も分かってるからな、夜道に気をつけろよ"
    alert = floor.hears("03", Label.THREAT, quote, warnings=1)
    committed = time.monotonic()
    card = page.locator(f"#open .alert[data-incident='{alert.alert_id}']")
    card.wait_for(timeout=5000)
    assert time.monotonic() - committed < WITHIN_S
    expect(card).to_contain_text("威嚇・脅迫の疑い")
    expect(card).to_contain_text(f"「{quote}」")
    expect(card).to_contain_text(alert.reason.ja)
    expect(page.locator(".seat[data-seat='03']")).to_have_attribute("data-show", "suspected")
    expect(page.locator(".seat[data-seat='03'] mark")).to_have_text(quote)

    floor.hears("06", Label.LIFE_SAFETY, "もう疲れました、薬をたくさん飲んで死のうと思って", ago_s=41)
    first = page.locator("#open .alert").first
    expect(first).to_have_attribute("data-kind", "life_safety")
    expect(first).to_contain_text("今、安全な場所ですか")
    expect(first).not_to_contain_text("疑い")
    expect(page.locator(".seat[data-seat='04'] .state")).to_have_text("苦情")
    expect(page.locator(".seat[data-seat='07']")).to_contain_text("ケーブルと電源を確認")
    shot(page, tmp_path, "floor-ja-1280")

    card.get_by_role("button", name="確認").click()
    expect(page.locator(f"#working .alert[data-incident='{alert.alert_id}']")).to_contain_text("佐藤 美咲 が確認")
    shot(page, tmp_path, "floor-ja-1280-acknowledged")


def test_listening_in_is_shown_to_everybody_and_ends_with_its_page(
    browser: Browser, floor: Floor, page: Page, tmp_path: Path
) -> None:
    busy_floor(floor)
    quote = "お前の名前も職場も分かってるからな、夜道に気をつけろよ"
    floor.hears("03", Label.THREAT, quote, warnings=1)
    other = browser.new_page(viewport={"width": 1280, "height": 800}, locale="ja-JP")
    log_in(other, floor, "tanaka")
    seat = page.locator(".seat[data-seat='03']")
    expect(seat.locator(".said")).to_have_text([f"お客様{quote}"])
    seat.get_by_role("button", name="通話を聞く").click()
    expect(seat).to_contain_text("そのお言葉が続くとご案内できかねます")
    expect(seat.get_by_role("button", name="聞くのをやめる")).to_have_attribute("aria-pressed", "true")
    shown = other.locator(".seat[data-seat='03'] .listened")
    expect(shown).to_have_text("聞かれています")
    expect(other.locator(".seat[data-seat='03'] .said")).to_have_count(1)
    shot(page, tmp_path, "floor-ja-1280-listening")

    seat.get_by_role("button", name="聞くのをやめる").click()
    expect(seat.locator(".said")).to_have_count(1)
    expect(shown).to_be_hidden(timeout=10_000)
    page.locator(".seat[data-seat='08'] .listen").click()
    heard = other.locator(".seat[data-seat='08'] .listened")
    expect(heard).to_be_visible()
    page.goto("about:blank")
    expect(heard).to_be_hidden(timeout=10_000)
    other.close()


def test_what_one_supervisor_does_is_seen_by_the_other(browser: Browser, floor: Floor, page: Page) -> None:
    busy_floor(floor)
    alert = floor.hears("03", Label.THREAT, "夜道に気をつけろよ")
    other = browser.new_page()
    log_in(other, floor, "tanaka")
    other.locator(f".alert[data-incident='{alert.alert_id}'] [data-act=take]").click()
    expect(page.locator("#working .alert")).to_contain_text("田中 健 が対応中")
    other.close()


def test_an_incident_is_taken_closed_and_certified_on_its_page(floor: Floor, page: Page, tmp_path: Path) -> None:
    busy_floor(floor)
    alert = floor.hears("03", Label.THREAT, "お前の名前も職場も分かってるからな、夜道に気をつけろよ", warnings=1)
    for panel, kind in (("wall-1", "delivered"), ("wall-1", "seen"), ("tower-2", "delivered")):
        incidents.note_receipt(
            floor.main, alert_id=alert.alert_id, panel=panel, kind=kind, box=BOX, now=datetime.now(UTC)
        )
    page.locator(".seat[data-seat='03'] [data-go]").click()
    expect(page.locator("h1")).to_have_text("威嚇・脅迫の疑い")
    expect(page.locator(".caution")).to_contain_text("「疑い」")
    expect(page.locator("#words")).to_contain_text("夜道に気をつけろよ")
    expect(page.locator("#words")).not_to_contain_text("そのお言葉が続くとご案内できかねます")
    page.click("#listen")
    expect(page.locator("#words")).to_contain_text("そのお言葉が続くとご案内できかねます")
    shot(page, tmp_path, "incident-ja-1280")
    page.click("form[action$='/take'] button")
    expect(page.locator(".head .stage")).to_have_text("対応中")
    page.click("form[action$='/close'] button")
    page.check("input[value=harassment]")
    shot(page, tmp_path, "incident-ja-1280-review")
    page.click("form[action$='/review'] button")
    expect(page.locator(".caution")).to_contain_text("佐藤 美咲 が「カスタマーハラスメントと認定」と判定しました")
    page.goto(f"{floor.address}/incidents/")
    expect(page.locator(".listing")).to_contain_text("検証済み")


def test_a_false_alarm_is_marked_with_its_reason_from_the_floor(floor: Floor, page: Page, tmp_path: Path) -> None:
    busy_floor(floor)
    alert = floor.hears("03", Label.THREAT, "ふざけるな、今すぐ上を出せ")
    link = page.get_by_role("link", name="誤検知")
    expect(link).to_be_visible()
    shot(page, tmp_path, "floor-ja-1280-false-alarm")
    link.click()
    form = page.locator("#false-alarm form")
    expect(form).to_be_visible()
    form.get_by_text("冗談・言い回し").click()
    shot(page, tmp_path, "incident-ja-1280-false-alarm")
    # What others do meanwhile does not take the form away.
    incidents.acknowledge(floor.main, alert.alert_id, box=BOX, by="tanaka", now=datetime.now(UTC))
    form.get_by_role("button").click()
    expect(page.locator(".ruled-out")).to_contain_text("佐藤 美咲 が誤検知と記録しました（理由: 冗談・言い回し）")
    expect(page.locator("input[value=joking]")).to_be_visible()
    shot(page, tmp_path, "incident-ja-1280-ruled-out")
    page.locator("input[value=complaint][name=verdict]").check()
    expect(page.locator("input[value=joking]")).to_be_hidden()
    page.locator("form[action$='/review'] button").click()
    page.goto(f"{floor.address}/quality/")
    expect(page.locator("#outcomes tbody tr")).to_have_text("苦情であり、ハラスメントではない1")
    page.locator("#outcomes").scroll_into_view_if_needed()
    shot(page, tmp_path, "quality-ja-1280-outcomes")


def test_a_page_that_is_cut_off_says_so_loudly_and_recovers(floor: Floor, page: Page, tmp_path: Path) -> None:
    busy_floor(floor)
    expect(page.locator("#cut-off")).to_be_hidden()
    page.context.set_offline(True)
    expect(page.locator("#cut-off")).to_contain_text("接続が切れています", timeout=15_000)
    shot(page, tmp_path, "floor-ja-1280-cut-off")
    floor.hears("03", Label.THREAT, "夜道に気をつけろよ")
    page.context.set_offline(False)
    page.locator("#open .alert").wait_for(timeout=15_000)
    expect(page.locator("#cut-off")).to_be_hidden()


@pytest.mark.parametrize(
    ("name", "width", "height", "language", "scheme"),
    [
        ("floor-en-1280", 1280, 800, "en", "light"),
        ("floor-ja-1024", 1024, 768, "ja", "light"),
        ("floor-en-1024-dark", 1024, 768, "en", "dark"),
        ("floor-ja-1280-dark", 1280, 800, "ja", "dark"),
        ("floor-ja-1920-dark", 1920, 1080, "ja", "dark"),
    ],
)
def test_the_floor_fits_screens_of_every_kind(
    name: str, width: int, height: int, language: str, scheme: str, floor: Floor, page: Page, tmp_path: Path
) -> None:
    busy_floor(floor)
    floor.hears("06", Label.LIFE_SAFETY, "もう疲れました、薬をたくさん飲んで死のうと思って", ago_s=41)
    taken = floor.hears("03", Label.THREAT, "お前の名前も職場も分かってるからな、夜道に気をつけろよ", warnings=1)
    incidents.take(floor.main, taken.alert_id, box=BOX, by="tanaka", now=datetime.now(UTC))
    old = suspected(floor.policy, "05", Label.SEXUAL, ("下着は何色なの",), 1)
    earlier = datetime.now(UTC) - timedelta(minutes=50)
    incidents.open_incident(floor.main, old, box=BOX, now=earlier)
    incidents.take(floor.main, old.alert_id, box=BOX, by="sato", now=earlier)
    incidents.close(floor.main, old.alert_id, box=BOX, by="sato", now=earlier)
    incidents.review(floor.main, old.alert_id, box=BOX, by="sato", verdict=Verdict.HARASSMENT, now=earlier)
    accounts.set_language(floor.main, name="sato", language=language)
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(floor.address)
    page.locator("#working .alert").wait_for()
    # Every seat can be seen without scrolling, and every button is large enough for a finger.
    for seat in page.locator(".seat").all():
        box = seat.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height + 1
    for card in page.locator(".alert").all():
        assert card.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    for button in page.locator("button:visible, .alert a:visible, nav a:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert for_a_finger(box)
    shot(page, tmp_path, name)
    page.goto(f"{floor.address}/incidents/{taken.alert_id}")
    expect(page.locator("html")).to_have_attribute("lang", language)
    shot(page, tmp_path, name.replace("floor", "incident"))
    page.goto(f"{floor.address}/incidents/")
    shot(page, tmp_path, name.replace("floor", "list"))


def test_the_pages_before_the_floor(browser: Browser, floor: Floor, tmp_path: Path) -> None:
    accounts.create_person(
        floor.main,
        name="new",
        display_name="新人 光",
        role=Role.VIEWER,
        password=PASSWORD,
        must_change=True,
        now=datetime.now(UTC),
    )
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(floor.address)
    shot(page, tmp_path, "login-ja")
    page.fill("input[name=name]", "new")
    page.fill("input[name=password]", "not the password")
    page.click("button[type=submit]")
    expect(page.locator(".trouble")).to_contain_text("違います")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator("h1")).to_have_text("パスワードの変更")
    shot(page, tmp_path, "password-ja")
    page.fill("input[name=old]", PASSWORD)
    page.fill("input[name=new]", "another long password")
    page.fill("input[name=again]", "another long password")
    page.click("button[type=submit]")
    page.wait_for_selector("[data-seat='01']")
    page.goto(f"{floor.address}/incidents/nothing")
    shot(page, tmp_path, "problem-ja")
    page.close()
