"""Reading the policy pack: checked whole, so that a half-written policy never judges anyone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

import msgspec

from edge_agent.decoders import toml_reader
from edge_agent.domain.finding import HARASSMENT, Label
from edge_agent.domain.policy import (
    Axis,
    Context,
    Criterion,
    EscalationStep,
    Phrase,
    Policy,
    RepeatRule,
    Rights,
    Rise,
    Severity,
    Source,
    Tentative,
    TimeRule,
    TypeName,
)
from edge_agent.errors import PolicyError, Text
from edge_agent.services.policy_file import CriterionTable, PolicyFile, RuleTable

_read = toml_reader(PolicyFile)
LEVELS = ("L2", "L3", "L4")
"""Steps a ladder needs: supervisor, centre manager, head office."""
AXES = ("A0", "A1", "A2", "B0", "B1", "B2", "B3")
WARNINGS = {1: "警告1 / first warning", 2: "警告2 / second warning", 3: "終了 / ending the call"}


def load_policy(path: Path) -> Policy:
    """Read and check a policy pack; raise `PolicyError` naming the path, the place, the reason and a remedy."""
    try:
        file = _read(path.read_bytes())
    except OSError as error:
        raise _error(path, f"読めません（{error.strerror}）。", f"cannot be read ({error.strerror}).") from error
    except msgspec.ValidationError as error:
        raise _error(path, f"誤りがあります: {error}", f"is wrong: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _error(path, f"TOML として読めません: {error}", f"is not valid TOML: {error}") from error
    _check(path, file)
    return _policy(file)


def _check(path: Path, file: PolicyFile) -> None:
    rules: list[RuleTable] = [*file.criterion, file.repeat, *file.time]
    _refuse_doubles(path, "criterion", [c.id for c in file.criterion])
    _refuse_doubles(path, "criterion]], [repeat], [[time", [rule.id for rule in rules])
    _refuse_doubles(path, "phrase", [p.id for p in file.phrase])
    _refuse_doubles(path, "axis", [a.id for a in file.axis])
    _refuse_doubles(path, "type", [t.label.value for t in file.type])
    _refuse_missing(path, "axis", AXES, [a.id for a in file.axis])
    _refuse_missing(path, "type", list(Label), [t.label for t in file.type])
    _refuse_missing(path, "criterion.label", [*HARASSMENT, Label.LIFE_SAFETY], [c.label for c in file.criterion])
    _refuse_missing(path, "ladder", LEVELS, [s.level for s in file.ladder])
    _check_phrases(path, file)
    phrases = {p.id for p in file.phrase}
    for rule in rules:
        _check_rule(path, rule, phrases)
    for criterion in file.criterion:
        _check_criterion(path, criterion)
    _check_early(path, file)
    _check_ladder(path, file)
    if file.pack.review_by <= file.pack.effective_from:
        raise _error(path, "review_by が effective_from より前です。", "review_by is not after effective_from.")


def _check_ladder(path: Path, file: PolicyFile) -> None:
    for earlier, later in zip(file.ladder, file.ladder[1:], strict=False):
        waits = (later.after_red_s - earlier.after_red_s, later.after_amber_s - earlier.after_amber_s)
        if later.level < earlier.level or min(waits) < 0:
            raise _error(
                path,
                f"[[ladder]] {later.level} が {earlier.level} より早く呼ばれます。",
                f"[[ladder]] {later.level} is called before {earlier.level}.",
            )
        if later.level == earlier.level and min(waits) == 0:
            raise _error(
                path,
                f"[[ladder]] {later.level} の2人目が1人目と同時に呼ばれます。",
                f"[[ladder]] the second of {later.level} is called together with the first.",
            )


def _check_phrases(path: Path, file: PolicyFile) -> None:
    spoken = {p.warning for p in file.phrase if p.spoken_marks}
    for warning, name in WARNINGS.items():
        if warning not in spoken:
            raise _error(
                path,
                f"[[phrase]] に {name}（warning = {warning}、spoken_marks つき）がありません。",
                f"[[phrase]] lacks {name} (warning = {warning}, with spoken_marks).",
            )
    if not any(p.final_answer and p.spoken_marks for p in file.phrase):
        raise _error(
            path,
            "[[phrase]] に最終回答（final_answer = true、spoken_marks つき）がありません。",
            "[[phrase]] lacks a final answer (final_answer = true, with spoken_marks).",
        )


def _check_rule(path: Path, rule: RuleTable, phrases: set[str]) -> None:
    where = f"{_table(rule)} {rule.id}"
    if rule.label is Label.COMPLAINT:
        raise _error(
            path,
            f"{where}: 正当な苦情をアラートの基準にはできません。",
            f"{where}: a legitimate complaint cannot be a criterion for an alert.",
        )
    if rule.label is Label.LIFE_SAFETY and not isinstance(rule, CriterionTable):
        raise _error(
            path,
            f"{where}: 安否は言葉だけで判断します。label にはハラスメントの類型を書いてください。",
            f"{where}: life safety is told by words alone; label must be a harassment type.",
        )
    if rule.phrase not in phrases:
        raise _error(
            path,
            f"{where}: phrase「{rule.phrase}」が [[phrase]] にありません。",
            f"{where}: phrase {rule.phrase!r} is not among [[phrase]].",
        )


def _check_criterion(path: Path, criterion: CriterionTable) -> None:
    where = f"[[criterion]] {criterion.id}"
    if criterion.strong < criterion.threshold:
        raise _error(
            path,
            f"{where}: strong が threshold より小さくなっています。",
            f"{where}: strong is below threshold.",
        )
    if criterion.evidence > criterion.hits:
        raise _error(
            path,
            f"{where}: evidence が hits を超えています。{criterion.hits}回の発話では届きません。",
            f"{where}: evidence is above hits, so {criterion.hits} utterances can never reach it.",
        )
    if criterion.label is Label.LIFE_SAFETY and (criterion.hits > 1 or criterion.evidence > criterion.threshold):
        raise _error(
            path,
            f"{where}: 安否は1回の発話で知らせます（hits = 1、evidence は threshold 以下）。",
            f"{where}: life safety is told by one utterance (hits = 1, evidence not above threshold).",
        )


def _check_early(path: Path, file: PolicyFile) -> None:
    lowest = max((c.threshold for c in file.criterion if c.hits == 1), default=0.0)
    if file.tentative.threshold < lowest:
        raise _error(
            path,
            f"[tentative] threshold は、1回で達する基準の threshold（最大 {lowest}）以上にしてください。",
            f"[tentative] threshold is below that of a criterion met by one utterance (highest {lowest}).",
        )
    lowest = min(c.threshold for c in file.criterion)
    if file.context.ambiguous > lowest:
        raise _error(
            path,
            f"[context] ambiguous は基準の threshold（最小 {lowest}）以下にしてください。",
            f"[context] ambiguous is above the threshold of a criterion (lowest {lowest}).",
        )


def _table(rule: RuleTable) -> str:
    return {"CriterionTable": "[[criterion]]", "RepeatTable": "[repeat]", "TimeTable": "[[time]]"}[type(rule).__name__]


def _refuse_doubles(path: Path, table: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise _error(path, f"[[{table}]] に「{name}」が2つあります。", f"[[{table}]] holds {name!r} twice.")


def _refuse_missing(path: Path, table: str, wanted: Iterable[str], there: Iterable[str]) -> None:
    have = set(there)
    for name in wanted:
        if name not in have:
            raise _error(path, f"[[{table}]] に「{name}」がありません。", f"[[{table}]] lacks {str(name)!r}.")


class _Rule(TypedDict):
    """What every rule of the domain takes."""

    id: str
    label: Label
    title: Text
    severity: Severity
    reason: Text
    guide: Text
    phrase: str
    source: Source


def _rule(table: RuleTable) -> _Rule:
    return _Rule(
        id=table.id,
        label=table.label,
        title=table.title.text(),
        severity=Severity[table.severity],
        reason=table.reason.text(),
        guide=table.guide.text(),
        phrase=table.phrase,
        source=table.source,
    )


def _policy(file: PolicyFile) -> Policy:
    repeat, tentative = file.repeat, file.tentative
    return Policy(
        id=file.pack.id,
        version=file.pack.version,
        title=file.pack.title.text(),
        effective_from=file.pack.effective_from.isoformat(),
        review_by=file.pack.review_by.isoformat(),
        axes=tuple(Axis(id=a.id, name=a.name.text(), meaning=a.meaning.text(), source=a.source) for a in file.axis),
        types=tuple(
            TypeName(label=t.label, name=t.name.text(), meaning=t.meaning.text(), source=t.source) for t in file.type
        ),
        criteria=tuple(
            Criterion(
                threshold=c.threshold,
                strong=c.strong,
                hits=c.hits,
                evidence=c.evidence,
                half_life_s=float(c.half_life_s),
                **_rule(c),
            )
            for c in file.criterion
        ),
        repeat=RepeatRule(
            times=repeat.times,
            similarity=repeat.similarity,
            spelling=repeat.spelling,
            demand=repeat.demand,
            refusal_marks=repeat.refusal_marks,
            **_rule(repeat),
        ),
        times=tuple(TimeRule(after_s=float(t.after_s), repeats=t.repeats, **_rule(t)) for t in file.time),
        rise=Rise(after_warning=file.rise.after_warning, highest=Severity[file.rise.highest]),
        context=Context(
            turns=file.context.turns, within_s=float(file.context.within_s), ambiguous=file.context.ambiguous
        ),
        tentative=Tentative(
            on=tentative.on,
            threshold=tentative.threshold,
            least=tentative.least,
            every_s=tentative.every_ms / 1000,
            characters=tentative.characters,
        ),
        rights=Rights(marks=file.rights.marks, strong=file.rights.strong),
        phrases=tuple(
            Phrase(
                id=p.id,
                title=p.title.text(),
                text=p.text.text(),
                spoken_marks=p.spoken_marks,
                warning=p.warning,
                final_answer=p.final_answer,
            )
            for p in file.phrase
        ),
        ladder=tuple(
            EscalationStep(
                level=s.level,
                role=s.role.text(),
                after_red_s=s.after_red_s,
                after_amber_s=s.after_amber_s,
                source=s.source,
            )
            for s in file.ladder
        ),
        reminder_s=file.reminder.every_s,
        complaint_threshold=file.complaint.threshold,
        second_hit=file.complaint.second_hit,
        sure=file.complaint.sure,
        relay_marks=file.relay.marks,
        accommodation_marks=file.accommodation.marks,
        danger_marks=file.danger.marks if file.danger else (),
        overlap=file.spoken.overlap,
        reply_score=file.spoken.reply_score,
        warning_score=file.spoken.warning_score or file.spoken.reply_score,
    )


def _error(path: Path, ja: str, en: str) -> PolicyError:
    return PolicyError(
        Text(f"ポリシー {path}: {ja}", f"Policy {path}: {en}"),
        Text(
            "該当箇所を直し、「mamori policy check ファイル」で確かめてから入れ替えてください。",
            "Correct it there, try it with “mamori policy check FILE”, then put it in place.",
        ),
    )
