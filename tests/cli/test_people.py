"""People administered from the terminal of the box."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_agent.cli import main
from tests.passwords import hash_quickly


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    hash_quickly(monkeypatch)
    (tmp_path / "settings.toml").write_text(
        f"[paths]\ndata = '{tmp_path}'\nrun = '{tmp_path / 'run'}'\n"
        "[[devices]]\nname = 'tap'\nmatch = 'tap'\n"
        "[[seats]]\nseat = '01'\nlabel_ja = '1番席'\nlabel_en = 'Seat 1'\ndevice = 'tap'\n"
        "customer_channel = 0\noperator_channel = 1\ngroup = 'east'\n",
        encoding="utf-8",
    )
    return tmp_path


def mamori(data: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["people", *words, "--data", str(data)], env={"MAMORI_LANG": "en"})


def said(data: Path, *words: str) -> str:
    done = mamori(data, *words)
    assert done.exit_code == 0, done.output
    return done.output


def test_somebody_is_added_moved_unlocked_and_retired(data: Path) -> None:
    assert "One-time password:" in said(data, "add", "sato", "--display-name", "佐藤")
    assert said(data, "list") == "sato\tsupervisor\t*\tfirst-password\t佐藤\n"
    said(data, "group", "sato", "east")
    said(data, "role", "sato", "auditor")
    said(data, "unlock", "sato")
    assert said(data, "list").startswith("sato\tauditor\teast\t")
    assert "New one-time password" in said(data, "reset", "sato")
    assert "Sessions ended: 0" in said(data, "sessions", "sato", "--end")
    said(data, "retire", "sato")
    assert said(data, "list") == ""


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("role", "abe", "viewer"), "Nobody is called 'abe'"),
        (("sessions", "abe"), "Nobody is called 'abe'"),
        (("group", "sato", "north"), "No seat belongs to a group 'north'"),
        (("add", "sato"), "is taken"),
        (("add", "Sato"), "cannot be a log-in name"),
    ],
)
def test_what_cannot_be_is_said_with_a_remedy(data: Path, words: tuple[str, ...], why: str) -> None:
    said(data, "add", "sato")
    done = mamori(data, *words)
    assert done.exit_code == 1
    assert why in done.output
