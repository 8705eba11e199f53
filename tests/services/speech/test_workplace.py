"""What an installation that was ended leaves is deleted by the next one, and nothing that is in use."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.errors import ModelError
from edge_agent.services.speech.workplace import move_in, move_out, workplace


def a_folder(folder: Path, content: str = "model") -> Path:
    folder.mkdir(parents=True)
    (folder / "file").write_text(content)
    return folder


def names(models: Path) -> list[str]:
    return sorted(folder.name for folder in models.iterdir())


def test_what_ended_runs_have_left_is_deleted(tmp_path: Path) -> None:
    for left in (".bringing-a/brought", ".removed-b/model", ".adding-c/half", "model"):
        a_folder(tmp_path / left)
    with workplace(tmp_path) as place:
        assert names(tmp_path) == sorted([place.name, "model"])
    assert names(tmp_path) == ["model"]


def test_what_another_run_uses_stays(tmp_path: Path) -> None:
    with workplace(tmp_path) as first:
        with workplace(tmp_path) as second:
            assert names(tmp_path) == sorted([first.name, second.name])
        assert names(tmp_path) == [first.name]


def test_a_model_that_was_being_replaced_is_put_back(tmp_path: Path) -> None:
    a_folder(tmp_path / ".old-a/lost", "lost")
    a_folder(tmp_path / ".old-b/replaced", "old")
    a_folder(tmp_path / "replaced", "new")
    with workplace(tmp_path):
        pass
    assert names(tmp_path) == ["lost", "replaced"]
    assert (tmp_path / "lost/file").read_text() == "lost"
    assert (tmp_path / "replaced/file").read_text() == "new"


def test_a_model_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    place = a_folder(tmp_path / "models/model", "old")
    with pytest.raises(FileNotFoundError):
        move_in(tmp_path / "none", place)
    assert (place / "file").read_text() == "old"
    move_in(a_folder(tmp_path / "made", "new"), place)
    assert (place / "file").read_text() == "new"
    assert names(place.parent) == ["model"]


def test_a_model_that_cannot_be_moved_away_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be written"):
        move_out(tmp_path / "none")
