"""Waiting for the agent to take a speech model: what it did is told, and so is that it did nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_agent.cli import main, speech_follow
from edge_agent.cli.speech_follow import follow
from edge_agent.errors import ModelError
from edge_agent.services import pulse
from edge_agent.settings import Settings
from edge_agent.store import speech as table
from edge_agent.store.database import Database, open_main, writing
from edge_agent.store.speech import SpeechChoice
from tests.speech_models import a_box


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("MAMORI_LANG", "en")
    monkeypatch.setattr(speech_follow, "AGENT_TAKES_S", 0.0)
    settings = a_box(tmp_path)
    settings.run.mkdir()
    return settings


@pytest.fixture
def db(settings: Settings) -> Iterator[Database]:
    db = open_main(settings.data)
    yield db
    db.close()


def agent_lives(settings: Settings, *, last_pulse_s_ago: float = 0.0) -> None:
    file = settings.run / pulse.AGENT
    file.touch()
    at = file.stat().st_mtime - last_pulse_s_ago
    os.utime(file, (at, at))


def noted(db: Database, choice: SpeechChoice) -> None:
    with writing(db):
        table.save(db, choice)


def test_an_agent_that_has_not_switched_in_time_is_an_error(settings: Settings, db: Database) -> None:
    agent_lives(settings)
    noted(db, SpeechChoice(chosen="new", version="new 1", running="old 1"))
    with pytest.raises(ModelError, match=r"has not switched to new 1 within .* still use old 1"):
        follow(db, settings, "new 1")


def test_an_agent_that_has_switched_is_told(
    settings: Settings, db: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    agent_lives(settings)
    noted(db, SpeechChoice(chosen="new", version="new 1", running="new 1"))
    follow(db, settings, "new 1")
    assert "New calls use new 1" in capsys.readouterr().out


def test_an_agent_that_was_killed_is_not_waited_for(
    settings: Settings, db: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    agent_lives(settings, last_pulse_s_ago=60.0)
    follow(db, settings, "new 1")
    assert "from the next start" in capsys.readouterr().out


def listed(settings: Settings, *options: str) -> str:
    (settings.data / "settings.toml").write_text(
        f'[paths]\ndata = "{settings.data}"\nrun = "{settings.run}"\nmodels = "{settings.models_folder}"\n'
        '[models]\nspeech = "shipped"\n'
    )
    result = CliRunner().invoke(main, ["speech", "list", *options, "--data", str(settings.data)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_what_an_agent_used_before_it_ended_is_not_in_use(settings: Settings, db: Database) -> None:
    noted(db, SpeechChoice(running="shipped 1"))
    assert listed(settings) == "* shipped 1\tshipped\nThe agent is not running.\n"
    agent_lives(settings)
    assert "In use by the agent: shipped 1" in listed(settings)


def test_the_list_is_there_for_programs(settings: Settings, db: Database) -> None:
    agent_lives(settings)
    noted(db, SpeechChoice(running="shipped 1", refused="bad 1", reason_ja="壊れています", reason_en="broken"))
    told = json.loads(listed(settings, "--json"))
    assert (told["agent_runs"], told["running"]) == (True, "shipped 1")
    assert [(it["name"], it["shipped"], it["active"]) for it in told["models"]] == [("shipped", True, True)]
    assert told["refused"] == {"version": "bad 1", "reason_ja": "壊れています", "reason_en": "broken"}


def test_both_languages_are_printed_where_none_is_known(
    settings: Settings, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("MAMORI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    noted(db, SpeechChoice())
    assert "* shipped 1\t製品/shipped" in listed(settings)
