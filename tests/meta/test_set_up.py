"""What `make run` asks of a machine that lacks something."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def poor_machine(tmp_path: Path) -> dict[str, str]:
    """A machine without our packages, and a user who is no administrator."""
    for name, script in {"dpkg-query": "exit 1", "id": "echo 1000", "sudo": "exit 1"}.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"}


@pytest.mark.parametrize("goal", ["run", "test"])
def test_without_rights_the_one_line_that_is_missing_is_printed(goal: str, poor_machine: dict[str, str]) -> None:
    done = subprocess.run(
        ["sh", "firmware_config/install/set-up.sh", goal],
        cwd=ROOT,
        env=poor_machine,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    lines = [line.strip() for line in done.stderr.splitlines() if "apt-get install" in line]
    assert len(lines) == 1
    wanted = (ROOT / "firmware_config/install/packages-run.txt").read_text().split()
    assert lines[0].startswith("sudo apt-get install")
    assert set(wanted) <= set(lines[0].split())


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    packages = tmp_path / "dpkg-query"
    packages.write_text("#!/bin/sh\nprintf 'ii '\n")
    packages.chmod(0o755)
    done = subprocess.run(
        ["sh", "firmware_config/install/set-up.sh", "run"],
        cwd=ROOT,
        env={**os.environ, "PYTHON": str(old), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "3.11" in done.stderr
