"""What set-up leaves behind: devices known to the pages, and one key of the callers' handles for both processes."""

from __future__ import annotations

import stat
from contextlib import closing
from pathlib import Path

from edge_agent.domain.device import DeviceKind, Presence
from edge_agent.provision import appliance, broker
from edge_agent.settings import Mqtt, Paths, Settings
from edge_agent.store import devices
from edge_agent.store.database import open_main
from tests.builders import BOX


def test_the_first_panel_and_those_of_an_older_version_are_known_after_the_start(tmp_path: Path) -> None:
    paths = Paths(data=str(tmp_path / "data"), run=str(tmp_path / "run"))
    settings = Settings(box=BOX, paths=paths, mqtt=Mqtt(port=18883))
    broker.add_device(settings, "wall-1", "wallboard")
    for _ in range(2):
        appliance.set_up(settings, say=lambda _text: None)
    copies = [settings.caller_key(process) for process in ("agent", "web")]
    first = copies[0].read_text()
    assert len(bytes.fromhex(first)) == 32
    assert [file.read_text() for file in copies] == [first, first], "both name a caller by the same handle"
    assert {stat.S_IMODE(file.stat().st_mode) for file in copies} == {0o600}
    copies[0].unlink()
    appliance.set_up(settings, say=lambda _text: None)
    assert copies[0].read_text() == first, "a handle stays the same for as long as the box has a copy"
    with closing(open_main(settings.data)) as db:
        known = {device.name: (device.kind, device.presence) for device in devices.everything(db)}
    assert known == {
        "panel-1": (DeviceKind.PANEL, Presence.NEVER),
        "wall-1": (DeviceKind.WALLBOARD, Presence.NEVER),
    }
