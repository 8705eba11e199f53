"""The measured quality as text for a terminal."""

from __future__ import annotations

import click

from edge_agent.cli.words import languages, say, show
from edge_agent.domain.quality import CallQuality, Figure, GroupError, Quality, UtteranceQuality
from edge_agent.errors import Text

THROUGH = {"text": Text("文字のまま", "as text"), "vosk": Text("音声認識を通して", "through recognition")}
BY = {
    "kind": Text("種類", "kind"),
    "register": Text("話し方", "register"),
    "dialect": Text("方言", "dialect"),
    "age": Text("年代", "age group"),
}


def print_quality(found: Quality, *, current: bool) -> None:
    """Print a measurement; warn if it is not of what is installed."""
    show(
        Text(
            f"判定の品質（{found.measured_at} 測定、95% 信頼区間つき）\n判定モデル {found.classifier}、音声モデル "
            f"{found.speech or '–'}、ポリシー {found.policy}",
            f"Quality of judgement (measured {found.measured_at}, with 95 % intervals)\nclassifier {found.classifier}, "
            f"speech {found.speech or '–'}, policy {found.policy}",
        )
    )
    if not current:
        say(
            Text(
                "注意: この数値は、現在のモデルとポリシーのものではありません。「make evaluate」で測り直してください。",
                "Note: these figures are not of the installed models and policy. Measure anew: “make evaluate”.",
            )
        )
    for utterances in found.utterances:
        _utterances(utterances)
    for calls in found.calls:
        _calls(calls)


def share(figure: Figure) -> str:
    """Return a share in per cent with its interval and what it rests on."""
    return f"{figure.value:6.1%} ({figure.low:.1%}–{figure.high:.1%}, n={figure.count})"


def _utterances(found: UtteranceQuality) -> None:
    _title(
        Text(
            f"発話（{THROUGH[found.through].ja}）{found.lines} 件",
            f"utterances ({THROUGH[found.through].en}), {found.lines}",
        )
    )
    rows = [
        (Text("ハラスメント 適合率", "harassment precision"), found.harassment_precision),
        (Text("ハラスメント 再現率", "harassment recall"), found.harassment_recall),
        (Text("ハラスメント F1", "harassment F1"), found.harassment_f1),
        (Text("10類型 マクロF1", "macro F1 of ten types"), found.macro_f1),
        (Text("安否 再現率", "life safety recall"), found.life_safety_recall),
        (Text("苦情の誤検知", "complaints flagged"), found.complaints_flagged),
        (Text("日常の発話の誤検知", "neutral lines flagged"), found.neutral_flagged),
    ]
    if found.open_dialogue_flagged is not None:
        rows.append((Text("公開対話の誤検知", "open dialogue flagged"), found.open_dialogue_flagged))
    for name, figure in rows:
        _row(name, share(figure))
    _row(Text("誤検知（発話1時間あたり）", "false alarms per hour of talk"), _rate(found.false_alarms_per_hour))
    _title(Text("類型ごと: 件数・適合率・再現率・F1・AP", "by label: lines, precision, recall, F1, AP"))
    for label in found.labels:
        figures = "  ".join(
            f"{f.value:.2f} ({f.low:.2f}–{f.high:.2f})"
            for f in (label.precision, label.recall, label.f1, label.average_precision)
        )
        click.echo(f"  {label.label:18}{label.lines:5}  {figures}")
    _groups(found.groups)
    _title(Text("信頼度: 表示した確率・実際の割合・件数", "reliability: stated, observed, lines"))
    for each in found.reliability:
        click.echo(f"  {each.stated:6.2f} {each.observed:6.2f} {each.lines:6}")


def _calls(found: CallQuality) -> None:
    _title(
        Text(
            f"通話（{THROUGH[found.through].ja}）{found.calls} 件",
            f"calls ({THROUGH[found.through].en}), {found.calls}",
        )
    )
    for name, figure in (
        (Text("正しい類型でアラート", "harassing calls alerted with a right type"), found.right),
        (Text("それ以外の通話での誤アラート", "other calls with a harassment alert"), found.wrong),
        (Text("基準に達した発話までにアラート", "alerted in time"), found.in_time),
        (Text("安否を正しく表示", "life safety shown, no harassment alert"), found.life_safety),
        (Text("危険のない通話で安否を表示", "life safety shown, nobody in danger"), found.life_safety_wrong),
        (Text("苦情として表示", "complaints shown as complaints"), found.complaints),
    ):
        if figure:
            _row(name, share(figure))
    _row(
        Text("誤アラート（顧客の発話1時間あたり）", "false alerts per hour of talk"), _rate(found.false_alarms_per_hour)
    )
    _groups(found.groups)
    for error in found.errors:
        click.echo(f"  ! {error.call}: {error.what}")


def _groups(groups: tuple[GroupError, ...]) -> None:
    _title(Text("内訳: 誤検知・見逃し", "by group: false alarms, misses"))
    for group in groups:
        false = share(group.false_alarms) if group.false_alarms else "–"
        missed = share(group.misses) if group.misses else "–"
        click.echo(f"  {BY[group.by].in_language(languages()[0]):8} {group.group:14} {false:34} {missed}")


def _rate(figure: Figure) -> str:
    return f"{figure.value:6.2f} ({figure.low:.2f}–{figure.high:.2f})"


def _title(text: Text) -> None:
    click.echo()
    show(text)


def _row(name: Text, value: str) -> None:
    click.echo(f"  {value}  {name.in_language(languages()[0])}")
