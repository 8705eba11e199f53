"""Adding, listing, testing and revoking devices, as whoever installs them does."""

from __future__ import annotations

import configparser
import hashlib
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import segno
from click.testing import CliRunner, Result

from edge_agent.cli import main
from edge_agent.cli.panel import Panel
from edge_agent.domain.device import DeviceKind
from edge_agent.ports import Arrived
from edge_agent.provision import broker, pki
from edge_agent.services import integrations, topics
from edge_agent.services.announcements import Announcement, end, note_unannounced, start
from edge_agent.services.devices import give_test, note_presence, note_result
from edge_agent.settings import Settings, load
from edge_agent.store import announcements, audit, broker_refusals, devices, outbox
from edge_agent.store.broker_refusals import BrokerRefusals
from edge_agent.store.database import Database, open_main, writing
from tests.builders import BOX, START, after, an_alert, an_incident
from tests.fakes import StandingClock
from tests.messages import wrong


@pytest.fixture
def data(tmp_path: Path) -> Path:
    text = f'[paths]\ndata = "{tmp_path}"\nrun = "{tmp_path}/run"\n[mqtt]\nhost = "mamori.local"\n'
    (tmp_path / "settings.toml").write_text(text, encoding="utf-8")
    pki.ensure_authority(tmp_path / "pki", now=datetime.now(UTC))
    return tmp_path


@pytest.fixture
def settings(data: Path) -> Settings:
    return load(data / "settings.toml")


@pytest.fixture
def db(data: Path) -> Database:
    database = open_main(data)
    yield database
    database.close()


def mamori(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["device", *arguments, "--data", str(data)], env={"MAMORI_LANG": "en"})


@pytest.mark.parametrize("kind", [kind.value for kind in DeviceKind])
def test_every_kind_can_be_added_and_gets_an_identity_of_its_own(data: Path, settings: Settings, kind: str) -> None:
    told = json.loads(mamori(data, "add", "one", "--kind", kind).stdout)
    other = json.loads(mamori(data, "add", "other", "--kind", kind).stdout)
    assert (told["user"], told["kind"], told["host"], told["port"]) == ("one", kind, "mamori.local", 8883)
    assert told["password"] != other["password"]
    assert told["topics"] == topics.base(settings.box)
    assert told["ca"] == settings.ca_file.read_text()
    assert broker.devices(settings) == {"one": kind, "other": kind}


def test_an_integration_gets_a_token_of_which_only_a_digest_is_kept(data: Path) -> None:
    told = json.loads(mamori(data, "add", "pbx", "--kind", "integration").stdout)
    assert told["url"] == "https://127.0.0.1:8443/api/v1"
    assert len(told["token"]) >= 43
    kept = b"".join(file.read_bytes() for file in data.rglob("*") if file.is_file())
    assert hashlib.sha256(told["token"].encode()).hexdigest().encode() in kept
    assert told["token"].encode() not in kept


def test_an_integration_may_be_bound_to_seats_of_the_settings_and_nothing_else_may(data: Path, db: Database) -> None:
    with (data / "settings.toml").open("a", encoding="utf-8") as file:
        file.write("[[devices]]\nname='tap'\nmatch='tap'\nchannels=2\n")
        file.write("[[seats]]\nseat='01'\nlabel_ja='1'\nlabel_en='1'\ndevice='tap'\n")
    assert mamori(data, "add", "pbx", "--kind", "integration", "--seat", "01").exit_code == 0
    [pbx] = announcements.integrations(db)
    assert (pbx.name, pbx.seats) == ("pbx", ("01",))
    assert (
        "Seat '99' is not in the settings" in mamori(data, "add", "cti", "--kind", "integration", "--seat", "99").stderr
    )
    assert mamori(data, "add", "panel-2", "--seat", "01").exit_code == 2
    assert devices.find(db, "cti") is devices.find(db, "panel-2") is None
    mamori(data, "revoke", "pbx")
    assert announcements.integrations(db) == []


def test_the_agents_own_kind_cannot_be_given_to_a_device(data: Path) -> None:
    assert mamori(data, "add", "agent-2", "--kind", "agent").exit_code == 2


@pytest.mark.parametrize("own", ["agent", "buttons"])
def test_the_boxs_own_identities_are_neither_replaced_nor_revoked(data: Path, settings: Settings, own: str) -> None:
    broker.add_device(settings, own, own)
    before = (broker.folder(settings) / "passwords").read_text()
    assert "cannot be added" in mamori(data, "add", own).stderr
    assert "There is no device" in mamori(data, "revoke", own).stderr
    assert (broker.folder(settings) / "passwords").read_text() == before
    assert broker.devices(settings) == {own: own}


def test_an_ini_block_says_the_same(data: Path, settings: Settings) -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(mamori(data, "add", "panel-2", "--format", "ini").stdout)
    assert parser["mqtt"]["user"] == "panel-2"
    assert parser["mqtt"]["ca"].split("\n") == settings.ca_file.read_text().strip().split("\n")


def test_the_qr_code_holds_everything_that_is_pasted(data: Path) -> None:
    output = mamori(data, "add", "panel-2", "--qr").stdout
    end = output.rindex("}") + 1
    told = json.loads(output[:end])
    wanted = io.StringIO()
    segno.make(json.dumps(told, separators=(",", ":")), error="l", micro=False).terminal(wanted, compact=True)
    assert output[end:].strip() == wanted.getvalue().strip()


def test_a_list_shows_who_is_there_and_who_is_missing(data: Path, db: Database) -> None:
    for name in ("panel-1", "panel-2", "panel-3"):
        mamori(data, "add", name)
    note_presence(db, {"panel-1": (START, True), "panel-2": (START, True)}, now=START)
    note_presence(db, {"panel-2": (START, False)}, now=after(100))
    command_id = give_test(db, "panel-1", box=BOX, by="it", now=START)
    note_result(db, command_id=command_id, device="panel-1", outcome="done", reason="", now=after(1))
    rows = [line.split("\t") for line in mamori(data, "list").stdout.splitlines()]
    assert [row[:3] for row in rows] == [
        ["panel-1", "panel", "connected"],
        ["panel-2", "panel", "MISSING"],
        ["panel-3", "panel", "not yet connected"],
    ]
    seen = [datetime.fromisoformat(row[3]) if row[3] != "-" else None for row in rows]
    assert seen == [START, START, None]
    assert datetime.fromisoformat(rows[0][4]) == after(1)


def test_a_list_shows_for_which_seats_an_integration_speaks_and_that_it_announces_nothing(
    data: Path, db: Database
) -> None:
    mamori(data, "add", "pbx", "--kind", "integration")
    mamori(data, "add", "panel-1")
    integrations.admit(db, name="pbx", seats=("01", "02"), by="it", now=START)
    told = Announcement(seat="01", by="pbx")
    start(db, told, now=START)
    end(db, told, now=after(60))
    note_unannounced(db, "01", now=after(120))
    panel, pbx = (line.split("\t") for line in mamori(data, "list").stdout.splitlines())
    assert panel[-1] == "-"
    assert pbx[2].startswith("ANNOUNCES NOTHING")
    assert pbx[-1] == "01,02"
    integrations.admit(db, name="pbx", by="it", now=START)
    assert mamori(data, "list").stdout.splitlines()[1].endswith("\tall seats")


def test_revoking_leaves_nothing_but_its_record(data: Path, settings: Settings, db: Database) -> None:
    mamori(data, "add", "panel-2")
    assert mamori(data, "revoke", "panel-2").exit_code == 0
    assert broker.devices(settings) == {}
    assert devices.everything(db) == []
    assert [entry.action for entry in audit.of(db, "panel-2")] == ["device.added", "device.revoked"]
    assert mamori(data, "revoke", "panel-2").exit_code == 1


def test_what_the_broker_has_refused_is_listed(data: Path, db: Database) -> None:
    mamori(data, "add", "panel-2")
    assert mamori(data, "refused").stdout == ""
    with writing(db):
        refused = BrokerRefusals(device="panel-2", attempt="publish", topic="a/b", count=3, last_at=START.isoformat())
        broker_refusals.save(db, refused)
    [row] = mamori(data, "refused").stdout.splitlines()
    device, attempt, count, last, topic = row.split("\t")
    assert (device, attempt, count, topic) == ("panel-2", "publish", "3", "a/b")
    assert datetime.fromisoformat(last) == START


def test_a_test_that_nobody_answers_is_an_error_with_what_to_do(data: Path) -> None:
    mamori(data, "add", "panel-2")
    result = mamori(data, "test", "panel-2", "--seconds", "0")
    assert result.exit_code == 1
    assert "does not answer" in result.stderr
    assert "mamori device list" in result.stderr


# --- the reference panel ------------------------------------------------------------------------------------------


class Told:
    """The reference panel, and what it has printed and sent."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.clock = StandingClock(START)
        self.panel = Panel(BOX, "panel-1", as_json=False, auto=False, now=self.clock.now)
        self._capsys = capsys

    def take(self, topic: str, message: Any) -> list[tuple[str, Any]]:
        payload = message if isinstance(message, str) else json.dumps(message)
        sent = self.panel.take(Arrived(topic=topic, payload=payload.encode(), trace="t1"))
        assert [problem for topic, payload in sent for problem in wrong(topic, payload)] == []
        return [(topic, json.loads(payload)) for topic, payload in sent]

    def shown(self) -> str:
        return self._capsys.readouterr().out


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setenv("MAMORI_LANG", "ja")
    return Told(capsys)


def test_a_panel_shows_an_alert_and_its_words_once_and_says_that_it_has_come(told: Told) -> None:
    alert = an_alert()
    (topic, message), (words_topic, words) = topics.alert_messages(BOX, alert, an_incident(alert=alert), now=START)
    [(receipt, kind)] = told.take(topic, message)
    assert (receipt, kind["kind"]) == (topics.receipt(BOX, "alert-1", "panel-1"), "delivered")
    told.take(words_topic, words)
    shown = told.shown()
    assert "疑い" in shown
    assert "「ただじゃおかないぞ」" in shown
    assert told.take(topic, message) == told.take(words_topic, words) == []
    assert told.shown() == ""
    answered = told.panel.acknowledge_all()
    assert [topic for topic, _ in answered] == [receipt, receipt]
    assert [json.loads(payload)["kind"] for _, payload in answered] == ["seen", "acknowledged"]


@pytest.fixture
def given(db: Database) -> tuple[str, dict[str, Any]]:
    """A test as the agent sends it to panel-1."""
    devices.add(db, name="panel-1", kind=DeviceKind.PANEL, now=START)
    give_test(db, "panel-1", box=BOX, by="it", now=START)
    [row] = outbox.unsent(db)
    return row.topic, json.loads(row.payload)


def test_a_panel_shows_a_test_once_and_says_so(told: Told, given: tuple[str, dict[str, Any]]) -> None:
    [(topic, answer)] = told.take(*given)
    assert topic == topics.result(BOX, given[1]["id"], "panel-1")
    assert (answer["outcome"], answer["reason"]) == ("done", "")
    assert "アラートではありません" in told.shown()


def test_a_replayed_command_is_refused_logged_and_not_shown(
    told: Told, given: tuple[str, dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    told.take(*given)
    told.shown()
    [(_topic, answer)] = told.take(*given)
    assert (answer["outcome"], answer["reason"]) == ("refused", "repeated")
    assert told.shown() == ""
    assert "command.refused device=panel-1 state=repeated" in caplog.text


def test_an_expired_command_is_refused(told: Told, given: tuple[str, dict[str, Any]]) -> None:
    told.clock.move(60)
    [(_topic, answer)] = told.take(*given)
    assert (answer["outcome"], answer["reason"]) == ("refused", "expired")
    assert told.shown() == ""


@pytest.mark.parametrize("payload", ["no json", "[]", "{}", '{"id":"c1","command":"show-test","issued_at":"soon"}'])
def test_a_command_that_cannot_be_read_is_refused(told: Told, payload: str) -> None:
    [(_topic, answer)] = told.take(topics.command(BOX, "panel-1", "show-test"), payload)
    assert (answer["outcome"], answer["reason"]) == ("refused", "unreadable")


def test_the_sign_of_life_is_as_published(told: Told) -> None:
    assert wrong(*told.panel.alive()) == wrong(*told.panel.alive("offline")) == []
