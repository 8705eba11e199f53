"""`mamori quality levels`: what stricter or milder criteria would make of scripted calls."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import click

from edge_agent.adapters.onnx_classifier import OnnxClassifier
from edge_agent.cli.listening import SETTINGS, settings_from
from edge_agent.cli.words import counted, say, show
from edge_agent.domain.finding import HARASSMENT
from edge_agent.errors import Text
from edge_agent.pipeline import script as scripted
from edge_agent.ports import Classifier
from edge_agent.services.call_figures import JudgedCall
from edge_agent.services.levels import Outcome, at_level, best, by_type, cross_checked, outcome
from edge_agent.services.model_store import ModelKind, find_model
from edge_agent.services.policy_pack import load_policy
from edge_agent.services.scripts import read_scripts

LEVELS = (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9)
"""From a probability of 0.6 that is 0.38, 0.45, 0.53, 0.6, 0.67, 0.73 and 0.79."""


class Remembering:
    """A classifier that judges each text once: the calls are the same at every level."""

    def __init__(self, classifier: Classifier) -> None:
        self.model_version = classifier.model_version
        self.classify = cache(classifier.classify)


@click.command()
@click.option(
    "--calls", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True, help="台本 / scripts"
)
@click.option(
    "--weight", type=click.FloatRange(min=0.1, max=10), default=1.0, show_default=True,
    help="誤ったアラート1件は見逃し何件分か / missed calls one wrong alert is worth",
)  # fmt: skip
@SETTINGS
def levels(*, calls: Path, weight: float, settings_file: Path | None) -> None:
    """基準を厳しく・緩くしたら通話がどうなるか / what other levels of the criteria would make of calls."""
    settings = settings_from(settings_file)
    policy = load_policy(settings.policy_file)
    installed = find_model(settings.models_folder, settings.models.harassment, ModelKind.HARASSMENT)
    classifier = Remembering(OnnxClassifier(installed.folder))
    scripts = read_scripts(calls)
    say(Text(f"通話 {len(scripts)} 件 × {len(LEVELS)} 段", f"{len(scripts)} calls at {len(LEVELS)} levels"))
    moved = {level: at_level(policy, dict.fromkeys(HARASSMENT, level)) for level in LEVELS}
    judged: dict[float, list[JudgedCall]] = {level: [] for level in LEVELS}
    for script in counted(scripts):
        for level in LEVELS:
            judged[level].append(scripted.play(script, classifier, moved[level]))
    show(Text("類型  段  見つけた/該当  誤り", "type  level  found/of that type  wrong"))
    for row in by_type(judged):
        click.echo(f"{row.label.value:17s} {row.level:+.1f} {row.found:4d}/{row.among:<4d} {row.wrong:3d}")
    chosen = best(judged, weight=weight)
    _show(Text("今のポリシー", "policy as it is"), outcome(judged, {}))
    _show(Text("選んだ段（この通話で）", "levels chosen, on these calls"), outcome(judged, chosen))
    _show(
        Text("選んだ段（選ぶのに使わない通話で）", "levels chosen, on calls not chosen by"),
        cross_checked(judged, weight=weight),
    )
    for now, then in zip(policy.criteria, at_level(policy, chosen).criteria, strict=True):
        if then != now:
            click.echo(f"{now.id}: {chosen[now.label]:+.1f}  threshold {now.threshold:.2f} → {then.threshold:.2f} "
                       f"strong {now.strong:.2f} → {then.strong:.2f} evidence {now.evidence:.2f} → {then.evidence:.2f}"
            )  # fmt: skip


def _show(what: Text, found: Outcome) -> None:
    show(
        Text(
            f"{what.ja}: 正しく検知 {found.right}/{found.harassing}、誤ったアラート {found.wrong}/{found.others}",
            f"{what.en}: rightly alerted {found.right}/{found.harassing}, wrongly {found.wrong}/{found.others}",
        )
    )
