"""Which box a command is about: never another than the one that was told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.cli import box
from edge_agent.errors import SettingsError
from edge_agent.settings import Settings


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the records of a box that is set up."""
    settings = tmp_path / "etc/mamori.toml"
    settings.parent.mkdir()
    settings.write_text(f'[paths]\ndata = "{tmp_path / "own"}"\n')
    monkeypatch.setattr(box, "SETTINGS", settings)
    monkeypatch.setattr(box, "FOLDER", tmp_path / "default")
    return tmp_path / "own"


def test_the_settings_beside_the_records_count(own: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "settings.toml").write_text(f'[paths]\ndata = "{other}"\n')
    assert box.settings_of(other).data == other
    assert box.settings_of(own).data == own
    assert box.settings_of(tmp_path / "default").data == own


@pytest.mark.parametrize("find", [box.settings_of, box.settings_or_shipped])
def test_a_mistyped_folder_is_not_taken_for_the_boxs_own(own: Path, find: Callable[[Path], Settings]) -> None:
    mistyped = own.with_name("onw")
    with pytest.raises(SettingsError) as error:
        find(mistyped)
    assert f"--data {mistyped} is no folder of a box's records" in error.value.what.en
    assert "--data" in error.value.remedy.ja
    assert not mistyped.exists()


@pytest.mark.usefixtures("own")
def test_a_machine_that_is_no_box_is_told_so(tmp_path: Path) -> None:
    box.SETTINGS.unlink()
    with pytest.raises(SettingsError, match=r"neither .*mamori\.toml nor .*settings\.toml"):
        box.settings_of(tmp_path / "default")
    assert box.settings_or_shipped(tmp_path / "default").models.speech == "speech-ja-starter"


@pytest.mark.usefixtures("own")
def test_wrong_settings_of_a_box_are_not_passed_over(tmp_path: Path) -> None:
    box.SETTINGS.write_text("[paths\n")
    with pytest.raises(SettingsError, match="not valid TOML"):
        box.settings_or_shipped(tmp_path / "default")
