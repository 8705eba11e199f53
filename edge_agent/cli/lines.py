"""How the lines are heard, for whoever wires them up."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from edge_agent.cli.box import DATA, settings_of
from edge_agent.cli.words import show
from edge_agent.domain.call import Speaker
from edge_agent.domain.line_trouble import explained
from edge_agent.domain.overload import Overloaded, meaning
from edge_agent.errors import Text
from edge_agent.services.pulse import agent_listens
from edge_agent.store import cards, line_health, live, overload
from edge_agent.store.database import open_live
from edge_agent.store.line_health import LineReport

OLD = Text(
    "edge-agent が動いていません。下は止まる前のものです。「systemctl status edge-agent」で確認してください。",
    "edge-agent is not running: this is how it was before. See “systemctl status edge-agent”.",
)
NOTHING = Text(
    "まだ何も測られていません。edge-agent が動いているかを確認してください。",
    "Nothing has been measured yet. Check that edge-agent is running.",
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON で出力 / print JSON")
@DATA
def lines(*, data: Path, as_json: bool) -> None:
    """回線の音量・異常と、カードの取りこぼしを一覧する / list lines and cards: levels, troubles, losses."""
    run = settings_of(data).run
    with closing(open_live(run)) as db:
        reports, tapped, given_up = line_health.everything(db), cards.everything(db), overload.current(db)
        faults = {status.seat: status.fault for status in live.lines(db) if status.fault is not None}
    if not as_json and (not reports or not agent_listens(run, now=datetime.now(UTC))):
        show(OLD if reports else NOTHING)
    for report in reports:
        if as_json:
            sides = {speaker.value: asdict(report.of(speaker)) for speaker in Speaker}
            fault = faults.get(report.seat)
            told = {"seat": report.seat, **sides, "troubles": [trouble.name for trouble in report.troubles]}
            click.echo(json.dumps(told | {"fault": {"ja": fault.ja, "en": fault.en} if fault else None}))
            continue
        columns = [
            f"{speaker}\t{side.level_dbfs:.0f} dBFS\tpeak {side.peak_dbfs:.0f}\tspeech {side.speech:.0%}"
            f"\tclipped {side.clipped:.2%}"
            for speaker in Speaker
            for side in [report.of(speaker)]
        ]
        _show_line(report, columns, faults.get(report.seat))
    for card in tapped:
        if as_json:
            click.echo(json.dumps({"device": card.name} | asdict(card)))
            continue
        state = "ok" if card.running else "lost"
        lost = f"overruns {card.overruns}\tlosses {card.losses}\tmissing {card.dropped / 10:.1f} s"
        click.echo(f"{card.name}\t{card.card}\t{lost}\t{state}")
    if given_up is not None:
        _show_overload(given_up, as_json=as_json)


def _show_line(report: LineReport, columns: list[str], fault: Text | None) -> None:
    names = [trouble.name for trouble in report.troubles]
    told = [explained(trouble) for trouble in report.troubles]
    if fault is not None and fault not in told:
        # Its card or the network, which is no matter of the audio.
        names, told = ["fault", *names], [fault, *told]
    click.echo("\t".join([report.seat, *columns, ",".join(names) or "ok"]))
    for text in told:
        show(text)


def _show_overload(given_up: Overloaded, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"overload": given_up.stage.word, "resting": given_up.resting}))
    elif told := meaning(given_up):
        show(told.what)
        show(told.remedy)
