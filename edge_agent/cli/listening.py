"""Files and lines of text through the same pipeline as the floor: `listen`, `transcribe`, `classify`.

The shapes of their ``--json`` output are contracts, described in docs/listen.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from edge_agent import settings as settings_module
from edge_agent.adapters.audio_file import AudioFile
from edge_agent.adapters.onnx_classifier import OnnxClassifier
from edge_agent.adapters.silero import SileroDetector
from edge_agent.adapters.vosk_model import VoskModel
from edge_agent.cli.words import languages
from edge_agent.domain.alert import Alert, AlertChange, AlertKind
from edge_agent.domain.finding import HARASSMENT, Label, Scores
from edge_agent.pipeline.events import AlertRaised, ComplaintHeard, Event, Heard, Scored
from edge_agent.pipeline.listen import LineListener
from edge_agent.services.model_store import ModelKind, find_model
from edge_agent.services.policy_pack import load_policy
from edge_agent.services.speech.choice import find_speech
from edge_agent.settings import Settings

FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
JSON = click.option("--json", "as_json", is_flag=True, help="1行に1つのJSON / one JSON object a line")
SETTINGS = click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="設定ファイル（省略時は出荷時の設定） / settings file (default: as shipped)",
)


class Unjudged:
    """Stands where a classifier would when words are only to be recognised."""

    model_version = "none"

    def classify(self, text: str) -> Scores:
        """Return scores that say nothing."""
        del text
        return Scores(labels={}, over=(), harassment=0.0, model_version=self.model_version)


@click.command()
@FILE
@JSON
@SETTINGS
def listen(*, file: Path, as_json: bool, settings_file: Path | None) -> None:
    """録音を聴いて判断する（WAV・FLAC・Opus、左が顧客・右がオペレーター） / listen to a recording and judge it."""
    settings = settings_from(settings_file)
    report = Report(as_json=as_json)
    for event in _events(file, settings, _classifier(settings)):
        report.take(event)
    report.summary()


@click.command()
@FILE
@JSON
@SETTINGS
def transcribe(*, file: Path, as_json: bool, settings_file: Path | None) -> None:
    """録音を文字にする（判断はしない） / recognise a recording without judging it."""
    settings = settings_from(settings_file)
    report = Report(as_json=as_json)
    for event in _events(file, settings, Unjudged()):
        if isinstance(event, Heard):
            report.take(event)


@click.command()
@JSON
@SETTINGS
def classify(*, as_json: bool, settings_file: Path | None) -> None:
    """標準入力の1行ごとに、どの類型に当たり得るかを示す / classify each line of standard input."""
    classifier = _classifier(settings_from(settings_file))
    for line in sys.stdin:
        text = line.rstrip("\r\n")
        scores = classifier.classify(text)
        over = [label.value for label in scores.over]
        if as_json:
            _print(
                {
                    "text": text,
                    "labels": _rounded(scores),
                    "over": over,
                    "harassment": round(scores.harassment, 4),
                }
            )
        else:
            click.echo(f"{scores.harassment:6.1%}  {','.join(over) or '-':30}  {text}")


class Report:
    """Prints events as they come, and what they add up to."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._alerts: set[str] = set()
        self._types: list[Label] = []
        self._complaint = False
        self._life_safety = False

    def take(self, event: Event) -> None:
        """Print one event; partial words and the limits of the call are left out."""
        match event:
            case Heard(utterance=utterance) if utterance.final:
                self._print(
                    {
                        "event": "utterance",
                        "start": round(utterance.start_s, 2),
                        "end": round(utterance.end_s, 2),
                        "speaker": utterance.speaker.value,
                        "text": utterance.text,
                    },
                    f"{utterance.start_s:7.2f}  {_who(utterance.speaker.value)}  {utterance.text}",
                )
            case Scored(utterance=utterance, scores=scores):
                shown = ", ".join(f"{label.value} {scores.labels[label]:.2f}" for label in scores.over)
                self._print(
                    {
                        "event": "finding",
                        "at": round(utterance.end_s, 2),
                        "labels": _rounded(scores),
                        "over": [label.value for label in scores.over],
                        "harassment": round(scores.harassment, 4),
                    },
                    f"{'':7}  └ {shown}" if shown else None,
                )
            case AlertRaised():
                self._alert(event)
            case ComplaintHeard(at_s=at_s):
                self._complaint = True
                self._notice(
                    "complaint", at_s, "苦情（正当な申し出）の可能性", "possibly a complaint to be heard", None
                )
            case _:
                pass

    def _alert(self, event: AlertRaised) -> None:
        alert = event.alert
        reason = alert.reason.in_language(languages()[0])
        if alert.kind is AlertKind.LIFE_SAFETY:
            self._life_safety = True
            if alert.change is AlertChange.NEW:
                self._notice("life_safety", alert.at_s, alert.reason.ja, alert.reason.en, alert.criterion)
            return
        if not alert.tentative:
            self._alerts.add(alert.alert_id)
            self._types += [label for label in alert.types if label not in self._types]
        self._print(
            {
                "event": "alert",
                "type": alert.change.value,
                "at": round(alert.at_s, 2),
                "types": [label.value for label in alert.types],
                "severity": alert.severity.name,
                "reason": reason,
                "criterion": alert.criterion,
                "alert_id": alert.alert_id,
                "tentative": alert.tentative,
                "withdrawn": alert.withdrawn,
                "warnings": alert.warnings,
                "warning_level": alert.warning_level,
                "telling": [
                    quote[start:end]
                    for quote, stretches in zip(alert.quotes, alert.telling, strict=False)
                    for start, end in stretches
                ],
            },
            f"{alert.at_s:7.2f}  ■ {alert.change.value:6} {alert.severity.name} "
            f"{','.join(label.value for label in alert.types)}: {reason} [{alert.criterion}]{_unconfirmed(alert)}",
        )

    def summary(self) -> None:
        """Print what the call was; `alerts` counts suspected harassment alone, and none that was withdrawn."""
        types = [label.value for label in HARASSMENT if label in self._types]
        self._print(
            {
                "event": "summary",
                "alerts": len(self._alerts),
                "types": types,
                "complaint": self._complaint,
                "life_safety": self._life_safety,
            },
            f"== アラート/alerts {len(self._alerts)} {','.join(types)}  苦情/complaint {_yes(self._complaint)}"
            f"  安否/life safety {_yes(self._life_safety)}",
        )

    def _notice(self, kind: str, at_s: float, ja: str, en: str, criterion: str | None) -> None:
        reason = ja if languages()[0] == "ja" else en
        self._print(
            {"event": "notice", "kind": kind, "at": round(at_s, 2), "reason": reason, "criterion": criterion},
            f"{at_s:7.2f}  ◇ {kind}: {reason}",
        )

    def _print(self, message: dict[str, Any], line: str | None) -> None:
        if self._as_json:
            _print(message)
        elif line is not None:
            click.echo(line)


def _events(file: Path, settings: Settings, classifier: OnnxClassifier | Unjudged) -> Iterator[Event]:
    source = AudioFile(file)
    speech = find_speech(settings, settings.models.speech)
    numbers = iter(range(1, sys.maxsize))
    listener = LineListener(
        "file",
        VoskModel(speech.folder, speech.version),
        SileroDetector,
        classifier,
        load_policy(settings.policy_file),
        settings,
        new_id=lambda: f"{file.stem}-{next(numbers)}",
        whole_source_is_one_call=True,
    )
    for block in source.blocks():
        yield from listener.feed(block)
    yield from listener.finish()


def _classifier(settings: Settings) -> OnnxClassifier:
    return OnnxClassifier(find_model(settings.models_folder, settings.models.harassment, ModelKind.HARASSMENT).folder)


def settings_from(file: Path | None) -> Settings:
    """Return the settings of a file, or as shipped if none is named."""
    return settings_module.load(file) if file else Settings()


def _rounded(scores: Scores) -> dict[str, float]:
    return {label.value: round(score, 4) for label, score in scores.labels.items()}


def _print(message: dict[str, Any]) -> None:
    click.echo(json.dumps(message, ensure_ascii=False))


def _who(speaker: str) -> str:
    return {"customer": "顧客", "operator": "応対"}[speaker]


def _unconfirmed(alert: Alert) -> str:
    return "  …確認中/unconfirmed" if alert.tentative and not alert.withdrawn else ""


def _yes(value: bool) -> str:  # noqa: FBT001 - a word for a flag
    return "○" if value else "–"
