"""`mamori lines`: how the lines are heard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_agent.cli import main
from edge_agent.domain.call import LineState, Speaker
from edge_agent.domain.line_health import SideLevels
from edge_agent.domain.line_trouble import Trouble, TroubleKind
from edge_agent.domain.overload import Overloaded, Stage
from edge_agent.errors import Text
from edge_agent.services import pulse
from edge_agent.store import cards, line_health, live, overload
from edge_agent.store.cards import CardReport
from edge_agent.store.database import open_live, writing
from edge_agent.store.line_health import LineReport
from edge_agent.store.live import LineStatus


@pytest.fixture
def box(tmp_path: Path) -> Path:
    (tmp_path / "settings.toml").write_text(
        f'[paths]\ndata = "{tmp_path}"\nrun = "{tmp_path / "run"}"\n', encoding="utf-8"
    )
    return tmp_path


def printed(box: Path, *options: str) -> str:
    result = CliRunner().invoke(main, ["lines", "--data", str(box), *options], env={"MAMORI_LANG": "ja"})
    assert result.exit_code == 0, result.output
    return result.output


def heard(box: Path, *, running: bool = True) -> None:
    report = LineReport(
        seat="01",
        customer=SideLevels(level_dbfs=-24.6, rms_dbfs=-25.0, peak_dbfs=-3.0, speech=0.41, clipped=0.004),
        troubles=(Trouble(kind=TroubleKind.CLIPPING, side=Speaker.CUSTOMER),),
    )
    db = open_live(box / "run")
    with writing(db):
        line_health.put(db, report)
    db.close()
    if running:
        (box / "run" / pulse.AGENT).touch()


def gives_up(box: Path, now: Overloaded) -> None:
    db = open_live(box / "run")
    with writing(db):
        overload.put(db, now)
    db.close()


def test_every_line_is_listed_with_its_levels_and_the_remedy(box: Path) -> None:
    heard(box)
    line, remedy = printed(box).splitlines()
    assert line.split("\t")[:6] == ["01", "customer", "-25 dBFS", "peak -3", "speech 41%", "clipped 0.40%"]
    assert line.endswith("clipping:customer")
    assert "お客様側の音が割れています" in remedy
    assert "下げてください" in remedy


def test_every_card_says_what_it_lost(box: Path) -> None:
    db = open_live(box / "run")
    with writing(db):
        cards.put(db, CardReport(name="tap-a", card="mamori_tap_a", running=True, overruns=2, dropped=15, losses=1))
    db.close()
    assert printed(box).splitlines()[-1].split("\t") == [
        "tap-a", "mamori_tap_a", "overruns 2", "losses 1", "missing 1.5 s", "ok",
    ]  # fmt: skip
    told = json.loads(printed(box, "--json"))
    assert (told["device"], told["overruns"], told["running"]) == ("tap-a", 2, True)


def test_a_box_that_cannot_keep_up_says_what_it_gives_up(box: Path) -> None:
    heard(box)
    gives_up(box, Overloaded())
    assert len(printed(box).splitlines()) == 2
    gives_up(box, Overloaded(stage=Stage.FEWER_LINES, resting=("03", "02")))
    what, remedy = printed(box).splitlines()[2:]
    assert "2席の聞き取りを休んでいます" in what
    assert "自動で戻ります" in remedy
    assert json.loads(printed(box, "--json").splitlines()[-1]) == {"overload": "fewer_lines", "resting": ["03", "02"]}


def test_scripts_get_json(box: Path) -> None:
    heard(box)
    told = json.loads(printed(box, "--json"))
    assert (told["seat"], told["troubles"]) == ("01", ["clipping:customer"])
    assert told["customer"]["level_dbfs"] == -24.6
    assert told["operator"]["level_dbfs"] == -120.0


def test_a_box_that_does_not_listen_says_so(box: Path) -> None:
    assert "edge-agent" in printed(box)
    assert printed(box, "--json") == ""


def test_a_fault_of_card_or_network_is_listed_with_the_line_it_silences(box: Path) -> None:
    heard(box)
    gone = Text("サウンドカードが見つかりません。", "The sound card is not there.")
    db = open_live(box / "run")
    with writing(db):
        live.put_line(db, LineStatus(seat="01", state=LineState.FAULT, fault=gone))
    db.close()
    line, first, second = printed(box).splitlines()
    assert line.endswith("fault,clipping:customer")
    assert (first, "割れています" in second) == (gone.ja, True)
    assert json.loads(printed(box, "--json"))["fault"] == {"ja": gone.ja, "en": gone.en}


def test_levels_of_an_agent_that_does_not_run_are_said_to_be_old(box: Path) -> None:
    heard(box, running=False)
    assert "edge-agent が動いていません" in printed(box).splitlines()[0]
