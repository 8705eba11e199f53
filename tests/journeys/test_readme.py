"""Every command of the READMEs does what a newcomer would expect of it, in this checkout."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.floor import until

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
NEEDS_A_RUNNING_FLOOR = "panel"

pytestmark = pytest.mark.journey


def commands(readme: str) -> list[str]:
    blocks = BLOCK.findall((ROOT / readme).read_text(encoding="utf-8"))
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#") and not line.startswith(("git clone", "cd "))]


def test_both_readmes_give_the_same_commands() -> None:
    assert commands("README.md") == commands("README.ja.md")
    assert "make run" in commands("README.md")
    assert "make test" in commands("README.md")


def test_make_test_is_what_runs_these_tests() -> None:
    # Running it here would run this test again, without end: what it would do is looked at instead.
    planned = subprocess.run(["make", "-n", "test"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "-m pytest" in planned
    assert "ruff check" in planned
    assert "lint-imports" in planned


@pytest.mark.parametrize("line", [c for c in commands("README.md") if not c.startswith("make ")])
def test_a_command_of_the_readme_works(line: str, demonstration: subprocess.Popen[bytes]) -> None:
    if NEEDS_A_RUNNING_FLOOR in line:
        assert demonstration.poll() is None
        line += " --seconds 3"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    if "--json" in line:
        events = [json.loads(out) for out in done.stdout.splitlines()]
        assert events
    elif NEEDS_A_RUNNING_FLOOR not in line:
        assert done.stdout.strip()


@pytest.mark.timing
def test_make_run_shows_a_page_and_starts_again_within_five_seconds(demonstration: subprocess.Popen[bytes]) -> None:
    trusted = ssl.create_default_context(cafile=str(ROOT / "var/pki/ca.crt"))
    with urllib.request.urlopen("https://127.0.0.1:8443/login", timeout=5, context=trusted) as answer:
        assert answer.status == 200
        assert "Mamori" in answer.read().decode()
    stop(demonstration)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen("https://127.0.0.1:8443/login", timeout=5, context=trusted)
    began = time.monotonic()
    second = start()
    try:
        took = time.monotonic() - began
        assert took < 5.0, f"the second start took {took:.1f} s"
    finally:
        stop(second)


def start() -> subprocess.Popen[bytes]:
    output = tempfile.NamedTemporaryFile(prefix="mamori-run-", delete=False)  # noqa: SIM115 - the process writes on
    process = subprocess.Popen(
        ["make", "run"],
        cwd=ROOT,
        env={**os.environ, "MAMORI_LANG": "en"},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    output.close()

    def running() -> bool:
        said = Path(output.name).read_text(encoding="utf-8", errors="replace")
        assert process.poll() is None, said
        return "Ctrl-C stops everything" in said

    until(running, within_s=120, what="make run")
    return process


def stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        # As Ctrl-C on a terminal does: the whole group in the foreground is told.
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def demonstration() -> Iterator[subprocess.Popen[bytes]]:
    process = start()
    yield process
    stop(process)
