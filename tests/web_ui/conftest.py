"""A box with its pages: real databases in a folder of its own, a clock that stands, people of every role."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jinja2.bccache import Bucket, BytecodeCache

from edge_agent.domain.alert import Alert
from edge_agent.domain.roles import Role
from edge_agent.services import accounts, incidents
from edge_agent.settings import Paths, Seat, Settings
from edge_agent.store import live
from edge_agent.store.database import open_live, open_main, writing
from edge_agent.store.live import LineStatus, LiveWords
from tests.builders import BOX, START, a_policy, an_alert
from tests.fakes import StandingClock
from tests.passwords import hash_quickly
from web_ui import create_app
from web_ui.context import EXTENSION, Context

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

PASSWORD = "a long enough password"


class _Memory(BytecodeCache):
    """Templates compiled once for all apps of a test run."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = _Memory()


def seats(count: int) -> tuple[Seat, ...]:
    return tuple(
        Seat(
            seat=f"{number:02}",
            label_ja=f"{number}番席",
            label_en=f"Seat {number}",
            device="tap",
            customer_channel=2 * number - 2,
            operator_channel=2 * number - 1,
        )
        for number in range(1, count + 1)
    )


class Pages:
    """The pages of one box, used like a browser, and the agent's side of its databases."""

    def __init__(self, folder: Path, *, prepared: Path | None = None, **changes: Any) -> None:
        if prepared:
            shutil.copytree(prepared, folder, dirs_exist_ok=True)
        fields: dict[str, Any] = {
            "box": BOX,
            "paths": Paths(data=str(folder / "data"), run=str(folder / "run")),
            "seats": seats(3),
        }
        self.settings = Settings(**(fields | changes))
        self.clock = StandingClock(START)
        self.main = open_main(self.settings.data)
        self.live = open_live(self.settings.run)
        self.app = create_app(self.settings, a_policy(), secret_key=b"k" * 32, clock=self.clock)
        self.context: Context = self.app.extensions[EXTENSION]
        self.app.jinja_env.bytecode_cache = COMPILED
        if not prepared:
            for role in Role:
                self.person(role.value, role=role)

    def person(self, name: str, *, role: Role = Role.SUPERVISOR, must_change: bool = False) -> None:
        accounts.create_person(
            self.main,
            name=name,
            display_name=f"{name}さん",
            role=role,
            password=PASSWORD,
            must_change=must_change,
            now=self.clock.now(),
        )

    def browser(self, name: str | None = None) -> Browser:
        browser = Browser(self.app.test_client())
        if name:
            assert browser.log_in(name).status_code == 303
        return browser

    def alert(self, alert_id: str = "alert-1", **changes: Any) -> Alert:
        alert = an_alert(alert_id, **changes)
        incidents.open_incident(self.main, alert, box=BOX, now=self.clock.now())
        return alert

    def line(self, status: LineStatus) -> None:
        with writing(self.live):
            live.put_line(self.live, status)

    def words(self, *words: LiveWords) -> None:
        with writing(self.live):
            for one in words:
                live.put_words(self.live, one)

    def tick(self, now_s: float = 0.0) -> None:
        self.context.feed.tick(self._watching[0], self._watching[1], now_s=now_s)
        self.context.feed.look_at_sessions(self.main)

    def watch(self) -> None:
        """Open the connections the feed's thread would hold."""
        self._watching = (open_main(self.settings.data), open_live(self.settings.run))
        self.tick()

    def close(self) -> None:
        for database in (self.main, self.live, *getattr(self, "_watching", ())):
            database.close()
        self.context.close()


class Browser:
    """A client that carries the token of the page it has seen last."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.token = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        answer = self.client.get(path, **{"headers": {"Accept": "text/html"}} | options)
        if answer.mimetype == "text/html" and (found := re.search(r'name="csrf-token" content="([^"]+)"', answer.text)):
            self.token = found[1]
        return answer

    def post(self, path: str, **form: str) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token} | form, headers={"Accept": "text/html"})

    def fetch(self, path: str, *, token: str | None = None) -> TestResponse:
        headers = {"Accept": "application/json", "X-CSRFToken": self.token if token is None else token}
        return self.client.post(path, headers=headers)

    def log_in(self, name: str, password: str = PASSWORD, **form: str) -> TestResponse:
        self.get("/login")
        answer = self.post("/login", name=name, password=password, **form)
        self.get("/login", follow_redirects=True)
        return answer


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    hash_quickly(monkeypatch)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Databases with one person of every role, to be copied."""
    folder = tmp_path_factory.mktemp("prepared")
    with pytest.MonkeyPatch.context() as monkeypatch:
        hash_quickly(monkeypatch)
        Pages(folder).close()
    return folder


@pytest.fixture
def pages(tmp_path: Path, prepared: Path) -> Iterator[Pages]:
    made = Pages(tmp_path, prepared=prepared)
    yield made
    made.close()


def in_call(seat: str = "01", call_id: str = "call-1", **changes: Any) -> LineStatus:
    return replace(LineStatus(seat=seat, state=live.LineState.IDLE).in_call(call_id, START), **changes)
