"""`mamori duty`: naming who is asked, and marking who is away."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edge_agent.cli import main
from edge_agent.store import audit
from edge_agent.store.database import open_main


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "settings.toml").write_text(f"[paths]\ndata = '{tmp_path}'\nrun = '{tmp_path / 'run'}'\n")
    return tmp_path


def mamori(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, [*arguments, "--data", str(data)], env={"MAMORI_LANG": "en"})


def test_people_are_listed_in_the_order_they_are_asked(data: Path) -> None:
    mamori(data, "duty", "put", "mori", "--level", "L3", "--display-name", "森")
    mamori(data, "duty", "put", "suzuki", "--rank", "2")
    assert mamori(data, "duty", "put", "sato", "--rank", "1", "--shift", "mon-sun 00:00-24:00").exit_code == 0
    assert mamori(data, "duty", "absent", "suzuki").output == "suzuki is marked as away.\n"
    assert mamori(data, "duty", "list").output.splitlines() == [
        "L2\t1\tsato\tsato\tthere\tmon-sun 00:00-24:00",
        "L2\t2\tsuzuki\tsuzuki\tabsent\talways",
        "L3\t0\tmori\t森\tthere\talways",
    ]
    mamori(data, "duty", "back", "suzuki")
    mamori(data, "duty", "remove", "sato")
    assert [line.split("\t")[2:5:2] for line in mamori(data, "duty", "list").output.splitlines()] == [
        ["suzuki", "there"],
        ["mori", "there"],
    ]
    db = open_main(data)
    assert [e.action for e in audit.entries(db)] == [
        *["duty.changed"] * 3,
        "duty.absent",
        "duty.back",
        "duty.removed",
    ]
    db.close()


def test_a_shift_that_cannot_be_read_changes_nothing(data: Path) -> None:
    refused = mamori(data, "duty", "put", "sato", "--shift", "always")
    assert refused.exit_code == 1
    assert "'always'" in refused.output
    assert mamori(data, "duty", "list").output == ""
