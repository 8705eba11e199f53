"""`mamori quality`: how well the installed models and policy judge, and measuring it anew."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from edge_agent.adapters.audio_file import AudioFile
from edge_agent.adapters.onnx_classifier import OnnxClassifier
from edge_agent.adapters.silero import SileroDetector
from edge_agent.adapters.vosk_model import VoskModel
from edge_agent.cli.listening import SETTINGS, settings_from
from edge_agent.cli.quality_levels import levels
from edge_agent.cli.quality_words import print_quality
from edge_agent.cli.words import counted, say
from edge_agent.domain.finding import Label, Scores
from edge_agent.domain.quality import Quality
from edge_agent.errors import Text
from edge_agent.pipeline import script as scripted
from edge_agent.services import quality as record
from edge_agent.services.call_figures import call_quality
from edge_agent.services.held_out import HeldOutLine, read_held_out, read_open_dialogue
from edge_agent.services.model_store import InstalledModel, ModelKind, find_model
from edge_agent.services.policy_pack import load_policy
from edge_agent.services.quality_figures import JudgedLine, utterance_quality
from edge_agent.services.scripts import Script, read_scripts
from edge_agent.settings import Settings


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="JSON で / as JSON")
@SETTINGS
@click.pass_context
def quality(ctx: click.Context, *, as_json: bool, settings_file: Path | None) -> None:
    """判定の品質を表示する・測り直す / show or measure how well calls are judged."""
    if ctx.invoked_subcommand:
        return
    settings = settings_from(settings_file)
    found = record.load(settings)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
        return
    print_quality(found, current=is_current(found, settings))


quality.add_command(levels)


def is_current(found: Quality, settings: Settings) -> bool:
    """Return whether the figures are of the models and the policy that are installed now."""
    speech, classifier = _installed(settings)
    policy = load_policy(settings.policy_file)
    return found.is_of(classifier=classifier.version, speech=speech.version, policy=f"{policy.id} {policy.version}")


@quality.command()
@click.option(
    "--lines",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    multiple=True,
    help="ラベル付きの表 / tables",
)
@click.option("--calls", type=click.Path(path_type=Path, file_okay=False), required=True, help="台本 / scripts")
@click.option("--audio", type=click.Path(path_type=Path, file_okay=False), help="台本の録音 / recordings of scripts")
@click.option("--dialogue", type=click.Path(path_type=Path, dir_okay=False), help="公開対話の表 / open dialogue")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="書き出し先 / where to write")
@SETTINGS
def measure(
    *,
    lines: tuple[Path, ...],
    calls: Path,
    audio: Path | None,
    dialogue: Path | None,
    out: Path | None,
    settings_file: Path | None,
) -> None:
    """学習に使っていない発話と通話で測る / measure on lines and calls that were not trained on."""
    settings = settings_from(settings_file)
    speech, installed = _installed(settings)
    policy = load_policy(settings.policy_file)
    classifier = OnnxClassifier(installed.folder)
    written = [line for table in lines for line in read_held_out(table)]
    scripts = read_scripts(calls)
    others = read_open_dialogue(dialogue) if dialogue else []
    say(Text(f"発話 {len(written) + len(others)} 件", f"{len(written) + len(others)} lines"))
    utterances = [
        utterance_quality(judged(classifier, [(line, line.text) for line in [*written, *others]]), through="text")
    ]
    if heard := [(line, line.heard) for line in written if line.heard]:
        utterances.append(utterance_quality(judged(classifier, heard), through="vosk"))
    say(Text(f"通話 {len(scripts)} 件（文字）", f"{len(scripts)} calls as text"))
    played = [scripted.play(script, classifier, policy) for script in counted(scripts)]
    found = [call_quality(played, through="text")]
    spoken = [script for script in scripts if audio and recording(audio, script).is_file()]
    if audio and spoken:
        say(Text(f"通話 {len(spoken)} 件（音声）", f"{len(spoken)} calls as audio"))
        model = VoskModel(speech.folder, speech.version)
        through = [
            scripted.hear_recording(
                script, AudioFile(recording(audio, script)), model, SileroDetector, classifier, policy, settings,
                ends=scripted.read_ends(recording(audio, script).with_suffix(".json")),
            )
            for script in counted(spoken)
        ]  # fmt: skip
        found.append(call_quality(through, through="vosk"))
    result = Quality(
        measured_at=datetime.now(UTC).date().isoformat(),
        classifier=installed.version,
        speech=speech.version if spoken else "",
        policy=f"{policy.id} {policy.version}",
        sets={"lines": _digest(lines), "calls": _digest(sorted(calls.glob("*.toml")))},
        utterances=tuple(utterances),
        calls=tuple(found),
    )
    target = out or record.measured_here(settings)
    record.write(target, result)
    print_quality(result, current=True)
    say(Text(f"{target} に書きました。", f"Written to {target}."))


def judged(classifier: OnnxClassifier, lines: Sequence[tuple[HeldOutLine, str]]) -> list[JudgedLine]:
    """Return lines with what the classifier says of each text."""
    return [_judged(line, text, classifier.classify(text)) for line, text in counted(lines)]


def _judged(line: HeldOutLine, text: str, scores: Scores) -> JudgedLine:
    return JudgedLine(
        labels=line.labels,
        register=line.register,
        scenario=line.scenario,
        text=text,
        open_dialogue=line.open_dialogue,
        scores=tuple(scores.labels[label] for label in Label),
        over=frozenset(label.value for label in scores.over),
        harassment=scores.harassment,
    )


def recording(folder: Path, script: Script) -> Path:
    """Return where the recording of a script lies."""
    return folder / f"{script.call_id}.opus"


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _installed(settings: Settings) -> tuple[InstalledModel, InstalledModel]:
    return (
        find_model(settings.models_folder, settings.models.speech, ModelKind.SPEECH),
        find_model(settings.models_folder, settings.models.harassment, ModelKind.HARASSMENT),
    )
