"""Every device has an identity and rights of its own, and nothing else gets in."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from edge_agent.errors import ProvisionError
from edge_agent.provision import broker
from edge_agent.settings import Mqtt, Paths, Settings
from tests.builders import BOX

BASE = "mamori/v1/tokyo/f1/box1"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(box=BOX, paths=Paths(data=str(tmp_path)), mqtt=Mqtt(port=18883))


def passwords(settings: Settings) -> dict[str, str]:
    text = (broker.folder(settings) / "passwords").read_text()
    return dict(line.split(":", 1) for line in text.splitlines())


def test_devices_are_added_listed_and_revoked(settings: Settings) -> None:
    broker.add_device(settings, "agent", "agent")
    broker.add_device(settings, "panel-1", "panel")
    assert broker.devices(settings) == {"agent": "agent", "panel-1": "panel"}
    assert set(passwords(settings)) == {"agent", "panel-1"}
    broker.revoke_device(settings, "panel-1")
    assert broker.devices(settings) == {"agent": "agent"}
    assert set(passwords(settings)) == {"agent"}
    assert "panel-1" not in (broker.folder(settings) / "acl").read_text()
    assert not (settings.data / "secrets/mqtt-panel-1").exists()


def test_a_password_is_kept_hashed_for_the_broker_and_plain_for_its_device_alone(settings: Settings) -> None:
    password = broker.add_device(settings, "panel-1", "panel")
    assert (settings.data / "secrets/mqtt-panel-1").read_text().strip() == password
    files = [file for file in settings.data.rglob("*") if file.is_file()]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert [file.name for file in files if password in file.read_text()] == ["mqtt-panel-1"]
    assert passwords(settings)["panel-1"].startswith("$7$")


def test_a_device_that_is_there_keeps_its_password_and_the_others_theirs(settings: Settings) -> None:
    broker.ensure_device(settings, "agent", "agent")
    before = passwords(settings)
    file = broker.ensure_device(settings, "agent", "agent")
    first = file.read_text()
    assert passwords(settings) == before
    assert broker.add_device(settings, "panel-1", "panel") not in first
    assert passwords(settings)["agent"] == before["agent"]
    assert broker.add_device(settings, "agent", "agent") != first.strip()
    assert passwords(settings)["agent"] != before["agent"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("panel 1", "panel"),
        ("Panel", "panel"),
        ("panel-1\n", "panel"),
        ("panel:1", "panel"),
        ("../panel", "panel"),
        ("", "panel"),
        ("x" * 33, "panel"),
        ("box", "panel"),
        ("panel-1", "administrator"),
    ],
)
def test_a_name_that_could_mean_something_else_is_refused(settings: Settings, name: str, kind: str) -> None:
    with pytest.raises(ProvisionError, match="cannot be added"):
        broker.add_device(settings, name, kind)
    assert broker.devices(settings) == {}


def test_a_device_nobody_has_added_cannot_be_revoked(settings: Settings) -> None:
    with pytest.raises(ProvisionError, match="There is no device 'panel-9'"):
        broker.revoke_device(settings, "panel-9")


def rights(settings: Settings, known: dict[str, str]) -> dict[str, set[str]]:
    """Return the lines of everybody's block by name."""
    blocks = [block.splitlines() for block in broker.acl(settings, known).strip().split("\n\n")]
    return {lines[0].removeprefix("user "): {line.removeprefix("topic ") for line in lines[1:]} for lines in blocks}


SHOWN = {
    f"read {BASE}/status",
    f"read {BASE}/health",
    f"read {BASE}/line/+/state",
    f"read {BASE}/alert/+",
}


def shows(name: str) -> set[str]:
    """Return the rights of everything that shows alerts."""
    return SHOWN | {
        f"read {BASE}/escalation/+",
        f"read {BASE}/alert/+/{name}",
        f"read {BASE}/escalation/+/{name}",
        f"read {BASE}/buttons/status",
        f"read {BASE}/buttons/health",
        f"read {BASE}/cmd/{name}/+",
        f"write {BASE}/ack/+/{name}",
        f"write {BASE}/result/+/{name}",
        f"write {BASE}/device/{name}/alive",
    }


def test_each_kind_gets_just_its_rights(settings: Settings) -> None:
    known = {"agent": "agent", "panel-1": "panel", "panel-2": "panel", "wall-1": "wallboard", "desk-1": "lamp"}
    known |= {"buttons": "buttons", "button-03": "button", "home": "home-assistant", "pbx": "integration"}
    known |= {"console-1": "console"}
    assert rights(settings, known) == {
        "agent": {
            f"write {BASE}/status",
            f"write {BASE}/health",
            f"write {BASE}/line/+/state",
            f"write {BASE}/alert/+",
            f"write {BASE}/words/+",
            f"write {BASE}/escalation/+",
            f"write {BASE}/alert/+/+",
            f"write {BASE}/words/+/+",
            f"write {BASE}/escalation/+/+",
            f"write {BASE}/lamp/+/state",
            f"write {BASE}/cmd/+/+",
            f"write {BASE}/result/+/box",
            f"read {BASE}/cmd/box/+/+",
            f"read {BASE}/lamp/+/status",
            f"read {BASE}/ack/+/+",
            f"read {BASE}/device/+/alive",
            f"read {BASE}/result/+/+",
            f"readwrite {BASE}/ask/+/+",
            f"write {BASE}/answer/+/+",
            "readwrite homeassistant/+/mamori_tokyo_f1_box1/+/config",
            "read homeassistant/status",
        },
        "buttons": {
            f"write {BASE}/buttons/status",
            f"write {BASE}/buttons/health",
            f"write {BASE}/alert/+",
            f"write {BASE}/escalation/+",
            f"write {BASE}/alert/+/+",
            f"write {BASE}/escalation/+/+",
            f"write {BASE}/button/+/led",
            f"read {BASE}/device/+/alive",
            f"read {BASE}/ack/+/+",
            f"read {BASE}/button/+",
            f"read {BASE}/button/+/events/rpc",
            f"read {BASE}/button/+/online",
        },
        "panel-1": shows("panel-1") | {f"read {BASE}/words/+", f"read {BASE}/words/+/panel-1"},
        "panel-2": shows("panel-2") | {f"read {BASE}/words/+", f"read {BASE}/words/+/panel-2"},
        "wall-1": shows("wall-1"),
        "desk-1": {
            f"read {BASE}/status",
            f"read {BASE}/lamp/desk-1/state",
            f"write {BASE}/lamp/desk-1/status",
        },
        "button-03": {
            f"write {BASE}/button/button-03",
            f"write {BASE}/button/button-03/events/rpc",
            f"write {BASE}/button/button-03/online",
            f"read {BASE}/button/button-03/led",
            f"read {BASE}/buttons/status",
        },
        "console-1": {
            f"read {BASE}/status",
            f"read {BASE}/health",
            f"read {BASE}/buttons/status",
            f"read {BASE}/buttons/health",
            f"read {BASE}/result/+/box",
            f"write {BASE}/cmd/box/+/console-1",
            f"write {BASE}/device/console-1/alive",
        },
        "home": SHOWN
        | {
            "read homeassistant/+/mamori_tokyo_f1_box1/+/config",
            "write homeassistant/status",
            f"write {BASE}/device/home/alive",
        },
        "pbx": {f"write {BASE}/ask/pbx/+", f"read {BASE}/answer/pbx/+", f"read {BASE}/status"},
    }


def test_rights_are_written_anew_at_every_start_so_that_a_newer_version_may_change_them(settings: Settings) -> None:
    broker.add_device(settings, "panel-1", "panel")
    acl = broker.folder(settings) / "acl"
    before = acl.read_text()
    acl.write_text("user panel-1\ntopic read #\n")
    broker.write_configuration(settings, user="mamori")
    assert acl.read_text() == before


def test_the_brokers_configuration_is_filled_in_and_listens_on_loopback_alone(settings: Settings) -> None:
    text = broker.write_configuration(settings, user="mamori").read_text()
    assert "{" not in "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert "\nlistener 18883 127.0.0.1\n" in text
    assert "\nallow_anonymous false\n" in text
    assert f"\ncafile {settings.data.resolve()}/pki/ca.crt\n" in text
    assert "\nuser mamori\n" in text


def test_a_broker_that_panels_find_by_name_listens_on_every_address(tmp_path: Path) -> None:
    settings = Settings(paths=Paths(data=str(tmp_path)), mqtt=Mqtt(host="mamori.local"))
    assert "\nlistener 8883 0.0.0.0\n" in broker.write_configuration(settings, user="mamori").read_text()


def test_a_machine_without_mosquitto_is_told_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_args, **_options: None)
    with pytest.raises(ProvisionError) as refused:
        broker.add_device(settings, "agent", "agent")
    assert "apt-get install mosquitto" in refused.value.remedy.ja
    assert broker.devices(settings) == {}


def test_telling_a_broker_that_does_not_run_does_no_harm(settings: Settings) -> None:
    broker.reload(settings)
    broker.add_device(settings, "agent", "agent")
    (broker.folder(settings) / "mosquitto.pid").write_text("no number")
    broker.reload(settings)
