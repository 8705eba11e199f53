"""`mamori speech evaluate`: how well a model hears a folder of recordings with transcripts."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from edge_agent.adapters.audio_file import AudioFile
from edge_agent.adapters.vosk_model import VoskModel, VoskRecognizer
from edge_agent.cli.box import DATA, settings_or_shipped
from edge_agent.cli.words import in_languages, say, show
from edge_agent.domain.quality import Figure
from edge_agent.errors import Text
from edge_agent.ports import RATE
from edge_agent.services.speech.choice import active_name, find_speech
from edge_agent.services.speech.evaluation import Figures, Heard, figures
from edge_agent.services.speech.evaluation import evaluate as results_of
from edge_agent.services.speech.recordings import left_out, read_recordings, read_telling, told_left_out
from edge_agent.settings import Settings, share
from edge_agent.store.database import open_main

RECOGNIZERS = 2
"""Made and used at once to find out what one takes."""
WARMED_S = 60.0
"""Seconds of audio each of them hears for it: a recognizer remembers the parts of the graph it has been through."""
TELLING = "firmware_config/policy/telling-words.txt"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--model", "name", help="測るモデル（省略時は使用中のもの） / model (default: the one in use)")
@click.option(
    "--telling",
    "telling_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="判断を左右する言葉の一覧、1行に1つ / list of telling words, one a line (default: the policy's)",
)
@click.option("--json", "as_json", is_flag=True, help="1つのJSON / one JSON object")
@click.option("--errors", is_flag=True, help="誤った録音を並べて表示 / show what was said and heard where they differ")
@DATA
def evaluate(
    *, folder: Path, name: str | None, telling_file: Path | None, as_json: bool, errors: bool, data: Path
) -> None:
    """書き起こしのある録音で、モデルの聞き取りを測る / measure a model on recordings with transcripts."""
    settings = settings_or_shipped(data)
    recordings = read_recordings(folder)
    left = left_out(folder, recordings)
    telling = read_telling(telling_file or share() / TELLING)
    found = find_speech(settings, name or _active(settings))
    before = _memory_mb()
    model = VoskModel(found.folder, found.version)
    loaded = _memory_mb()
    kept = [model.recognizer() for _ in range(RECOGNIZERS)]
    for recognizer in kept:
        _warm(recognizer, [recording.file for recording in recordings])
    each = (_memory_mb() - loaded) / RECOGNIZERS
    results = []
    for result in results_of(recordings, telling, lambda file: _hear(model, file)):
        results.append(result)
        if errors and result.errors:
            say(Text(*[f"{result.recording.file.name}: {result.recording.text} | {result.heard.text}"] * 2))
    measured = figures(results)
    if as_json:
        memory = {"model": round(loaded - before, 1), "recognizer": round(each, 1)}
        out = {
            "model": found.version,
            "memory_mb": memory,
            "conditions": [_rounded(f) for f in measured],
            "left_out": [asdict(it) for it in left],
        }
        click.echo(json.dumps(out, ensure_ascii=False))
        return
    click.echo(found.version)
    for figure in measured:
        _print(figure)
    if left:
        show(told_left_out(left))
    show(
        Text(
            f"メモリー: モデル {loaded - before:.0f} MB、認識器1つにつき {each:.1f} MB",
            f"Memory: model {loaded - before:.0f} MB, {each:.1f} MB for each recognizer",
        )
    )


def _hear(model: VoskModel, file: Path) -> Heard:
    """Recognise a recording block by block, partial words looked at as the appliance does, without its voice gate."""
    source = AudioFile(file)
    recognizer = model.recognizer()
    texts, words, cpu_s = [], 0, 0.0
    for block in source.blocks():
        started = time.process_time()
        said = recognizer.accept(block.customer)
        if said is None:
            recognizer.partial()
        cpu_s += time.process_time() - started
        if said:
            texts.append(said.text)
            words += said.words
    started = time.process_time()
    last = recognizer.flush()
    cpu_s += time.process_time() - started
    if last:
        texts.append(last.text)
        words += last.words
    return Heard(text="".join(texts), words=words, audio_s=source.duration_s, cpu_s=cpu_s)


def _warm(recognizer: VoskRecognizer, files: Sequence[Path]) -> None:
    heard = 0
    for file in files:
        for block in AudioFile(file).blocks():
            recognizer.accept(block.customer)
            heard += len(block.customer)
            if heard >= WARMED_S * RATE:
                return


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


def _print(figure: Figures) -> None:
    parts = [f"{figure.condition:12} {figure.recordings:5} × {figure.audio_s:7.0f} s"]
    if figure.cer:
        parts.append(f"{_label('文字誤り率', 'CER')} {_percent(figure.cer)}")
    if figure.recall:
        found, of = figure.telling - len(figure.missed), figure.telling
        parts.append(f"{_label('判断を左右する言葉', 'telling')} {_percent(figure.recall)} {found}/{of}")
    if figure.false_words:
        f = figure.false_words
        parts.append(f"{_label('無言時の語数/分', 'false words/min')} {f.value:.1f} ({f.low:.1f}–{f.high:.1f})")
    parts.append(f"{_label('処理時間比', 'RTF')} {figure.real_time_factor:.3f}")
    click.echo("  ".join(parts))
    if figure.missed:
        click.echo(f"{'':12} {_label('聞き逃し', 'missed')}: {' '.join(figure.missed)}")


def _label(ja: str, en: str) -> str:
    return in_languages(Text(ja, en), "/")


def _percent(figure: Figure) -> str:
    return f"{100 * figure.value:.1f} % ({100 * figure.low:.1f}–{100 * figure.high:.1f})"


def _rounded(figure: Figures) -> dict[str, object]:
    out: dict[str, object] = {}
    for key, value in asdict(figure).items():
        if isinstance(value, dict):
            out[key] = {name: round(number, 4) for name, number in value.items()}
        else:
            out[key] = round(value, 4) if isinstance(value, float) else value
    return out


def _active(settings: Settings) -> str:
    try:
        if not (settings.data / "mamori.db").exists():
            return settings.models.speech
    except PermissionError:
        name = settings.models.speech
        say(
            Text(
                f"{settings.data} を読む権限がないため、使用中のモデルではなく設定の {name} を測ります。",
                f"{settings.data} may not be read: measured is {name} of the settings, not the model in use.",
            )
        )
        return name
    db = open_main(settings.data)
    try:
        return active_name(db, settings)
    finally:
        db.close()
