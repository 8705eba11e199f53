"""`mamori quality levels`: the shipped classifier and policy on calls of one's own."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from edge_agent.cli import main

CALLS = """
[[call]]
id = "threat"
kind = "harassing"
register = "plain"
age = "40s"
types = ["threat"]
first = 1
turns = ["o お待たせしました。", "c 今からそっちに行ってお前を殴ってやるからな"]

[[call]]
id = "order"
kind = "ordinary"
register = "polite"
age = "30s"
turns = ["o お電話ありがとうございます。", "c 昨日お願いした荷物の届く日を教えてください"]
"""


def levels(folder: Path) -> Result:
    return CliRunner().invoke(main, ["quality", "levels", "--calls", str(folder)], env={"MAMORI_LANG": "en"})


def test_calls_are_judged_at_every_level_by_type_and_in_all(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(CALLS, encoding="utf-8")
    result = levels(tmp_path)
    assert result.exit_code == 0, result.output
    threats = [line.split() for line in result.stdout.splitlines() if line.startswith("threat ")]
    assert [row[1] for row in threats] == ["-0.9", "-0.6", "-0.3", "+0.0", "+0.3", "+0.6", "+0.9"]
    assert {tuple(row[2:]) for row in threats} == {("1/1", "0")}
    assert "policy as it is: rightly alerted 1/1, wrongly 0/1" in result.stdout
    assert "%" not in result.stderr, "how far it is, is for terminals"
    # Nothing goes wrong, so nothing is moved.
    assert "→" not in result.stdout


def test_a_folder_without_calls_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    result = levels(tmp_path)
    assert result.exit_code != 0
    assert "no scripted calls" in result.output
