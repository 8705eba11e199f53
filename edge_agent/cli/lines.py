"""How the lines are heard, for whoever wires them up."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from edge_agent.cli.box import DATA, settings_of
from edge_agent.cli.words import show
from edge_agent.domain.call import Speaker
from edge_agent.domain.line_trouble import explained
from edge_agent.errors import Text
from edge_agent.store import line_health
from edge_agent.store.database import open_live

NOTHING = Text(
    "まだ何も測られていません。edge-agent が動いているかを確認してください。",
    "Nothing has been measured yet. Check that edge-agent is running.",
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON で出力 / print JSON")
@DATA
def lines(*, data: Path, as_json: bool) -> None:
    """回線の音量・発話・音割れと、配線の異常を一覧する / list the lines' levels and what is wrong with their wiring."""
    with closing(open_live(settings_of(data).run)) as db:
        reports = line_health.everything(db)
    if not reports and not as_json:
        show(NOTHING)
    for report in reports:
        if as_json:
            sides = {speaker.value: asdict(report.of(speaker)) for speaker in Speaker}
            told = {"seat": report.seat, **sides, "troubles": [trouble.name for trouble in report.troubles]}
            click.echo(json.dumps(told))
            continue
        columns = [
            f"{speaker}\t{side.level_dbfs:.0f} dBFS\tpeak {side.peak_dbfs:.0f}\tspeech {side.speech:.0%}"
            f"\tclipped {side.clipped:.2%}"
            for speaker in Speaker
            for side in [report.of(speaker)]
        ]
        wrong = ",".join(trouble.name for trouble in report.troubles) or "ok"
        click.echo("\t".join([report.seat, *columns, wrong]))
        for trouble in report.troubles:
            show(explained(trouble))
