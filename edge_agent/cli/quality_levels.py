"""`mamori quality levels`: what stricter or milder criteria would make of scripted calls."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from edge_agent.adapters.onnx_classifier import OnnxClassifier
from edge_agent.cli.listening import SETTINGS, settings_from
from edge_agent.cli.words import say, show
from edge_agent.domain.finding import Label, Scores
from edge_agent.domain.policy import Policy
from edge_agent.errors import Text
from edge_agent.pipeline import script as scripted
from edge_agent.services.levels import Outcome, at_level, best, by_type, cross_checked, moved, outcome
from edge_agent.services.model_store import ModelKind, find_model
from edge_agent.services.policy_pack import load_policy
from edge_agent.services.scripts import read_scripts

LEVELS = (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9)
"""From a probability of 0.6 that is 0.38, 0.45, 0.53, 0.6, 0.67, 0.73 and 0.79."""


class Remembering:
    """A classifier that judges each text once: the calls are the same at every level."""

    def __init__(self, classifier: OnnxClassifier) -> None:
        self._classifier = classifier
        self._known: dict[str, Scores] = {}
        self.model_version = classifier.model_version

    def classify(self, text: str) -> Scores:
        """Return the scores of an utterance."""
        if text not in self._known:
            self._known[text] = self._classifier.classify(text)
        return self._known[text]

    def classify_all(self, texts: Sequence[str]) -> list[Scores]:
        """Return the scores of several utterances."""
        return [self.classify(text) for text in texts]


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
    judged = {}
    for level in LEVELS:
        moved_policy = at_level(policy, dict.fromkeys(_harassment(policy), level))
        judged[level] = [scripted.play(script, classifier, moved_policy) for script in scripts]
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
    for criterion in policy.criteria:
        if by := chosen.get(criterion.label, 0.0):
            values = " ".join(
                f"{name} {value:.2f} → {moved(value, by):.2f}"
                for name, value in (("threshold", criterion.threshold), ("strong", criterion.strong),
                                    ("evidence", criterion.evidence))
            )  # fmt: skip
            click.echo(f"{criterion.id}: {by:+.1f}  {values}")


def _harassment(policy: Policy) -> list[Label]:
    return [criterion.label for criterion in policy.criteria if criterion.label is not Label.LIFE_SAFETY]


def _show(what: Text, found: Outcome) -> None:
    show(
        Text(
            f"{what.ja}: 正しく検知 {found.right}/{found.harassing}、誤ったアラート {found.wrong}/{found.others}",
            f"{what.en}: rightly alerted {found.right}/{found.harassing}, wrongly {found.wrong}/{found.others}",
        )
    )
