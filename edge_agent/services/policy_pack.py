"""Reading the policy pack: checked whole, so that a half-written policy never judges anyone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edge_agent.domain.finding import HARASSMENT, Label
from edge_agent.domain.policy import Axis, Criterion, EscalationStep, Phrase, Policy, Severity, Source, TypeName
from edge_agent.errors import PolicyError, Text

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,47}\Z")]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Seconds = Annotated[int, Meta(ge=0, le=86_400)]
Mark = Annotated[str, Meta(pattern=r"\S\S")]
"""Words looked for in speech: an empty mark or a single character would be found everywhere."""

LEVELS = ("L2", "L3", "L4")
"""Steps a ladder needs: supervisor, centre manager, head office."""
AXES = ("A0", "A1", "A2", "B0", "B1", "B2", "B3")
WARNINGS = {1: "警告1 / first warning", 2: "警告2 / second warning", 3: "終了 / ending the call"}


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the pack: a key it does not know is an error."""


class _Words(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ja: Annotated[str, Meta(min_length=1)]
    en: Annotated[str, Meta(min_length=1)]

    def text(self) -> Text:
        return Text(self.ja, self.en)


class _Pack(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Id
    version: Annotated[str, Meta(min_length=1)]
    title: _Words
    effective_from: dt.date
    review_by: dt.date


class _Axis(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Id
    name: _Words
    meaning: _Words
    source: Source


class _Type(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    label: Label
    name: _Words
    meaning: _Words
    source: Source


class _Criterion(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Id
    label: Label
    title: _Words
    threshold: Share
    strong: Share
    hits: Annotated[int, Meta(ge=1, le=20)]
    window_s: Seconds
    severity: Annotated[str, Meta(pattern=r"^B[0-3]\Z")]
    reason: _Words
    guide: _Words
    phrase: Id
    source: Source


class _Phrase(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Id
    title: _Words
    text: _Words
    spoken_marks: tuple[Mark, ...] = ()
    warning: Annotated[int, Meta(ge=0, le=3)] = 0


class _Step(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    level: Annotated[str, Meta(pattern=r"^L[1-5]\Z")]
    role: _Words
    after_red_s: Seconds
    after_amber_s: Seconds
    source: Source


class _Complaint(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    threshold: Share


class _Relay(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    marks: Annotated[tuple[Mark, ...], Meta(min_length=1)]


class _File(_Part, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pack: _Pack
    axis: tuple[_Axis, ...]
    type: tuple[_Type, ...]
    criterion: tuple[_Criterion, ...]
    phrase: tuple[_Phrase, ...]
    ladder: tuple[_Step, ...]
    complaint: _Complaint
    relay: _Relay


def load_policy(path: Path) -> Policy:
    """Read and check a policy pack; raise `PolicyError` naming the path, the place, the reason and a remedy."""
    try:
        file = msgspec.toml.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise _error(path, f"読めません（{error.strerror}）。", f"cannot be read ({error.strerror}).") from error
    except msgspec.ValidationError as error:
        raise _error(path, f"誤りがあります: {error}", f"is wrong: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _error(path, f"TOML として読めません: {error}", f"is not valid TOML: {error}") from error
    _check(path, file)
    return _policy(file)


def _check(path: Path, file: _File) -> None:
    _refuse_doubles(path, "criterion", [c.id for c in file.criterion])
    _refuse_doubles(path, "phrase", [p.id for p in file.phrase])
    _refuse_doubles(path, "axis", [a.id for a in file.axis])
    _refuse_doubles(path, "type", [t.label.value for t in file.type])
    _refuse_doubles(path, "ladder", [s.level for s in file.ladder])
    _refuse_missing(path, "axis", AXES, [a.id for a in file.axis])
    _refuse_missing(path, "type", list(Label), [t.label for t in file.type])
    _refuse_missing(path, "criterion.label", [*HARASSMENT, Label.LIFE_SAFETY], [c.label for c in file.criterion])
    _refuse_missing(path, "ladder", LEVELS, [s.level for s in file.ladder])
    spoken = {p.warning for p in file.phrase if p.spoken_marks}
    for warning, name in WARNINGS.items():
        if warning not in spoken:
            raise _error(
                path,
                f"[[phrase]] に {name}（warning = {warning}、spoken_marks つき）がありません。",
                f"[[phrase]] lacks {name} (warning = {warning}, with spoken_marks).",
            )
    phrases = {p.id for p in file.phrase}
    for criterion in file.criterion:
        where = f"[[criterion]] {criterion.id}"
        if criterion.label is Label.COMPLAINT:
            raise _error(
                path,
                f"{where}: 正当な苦情をアラートの基準にはできません。",
                f"{where}: a legitimate complaint cannot be a criterion for an alert.",
            )
        if criterion.phrase not in phrases:
            raise _error(
                path,
                f"{where}: phrase「{criterion.phrase}」が [[phrase]] にありません。",
                f"{where}: phrase {criterion.phrase!r} is not among [[phrase]].",
            )
        if criterion.strong < criterion.threshold:
            raise _error(
                path,
                f"{where}: strong が threshold より小さくなっています。",
                f"{where}: strong is below threshold.",
            )
    for earlier, later in zip(file.ladder, file.ladder[1:], strict=False):
        if later.after_red_s < earlier.after_red_s or later.after_amber_s < earlier.after_amber_s:
            raise _error(
                path,
                f"[[ladder]] {later.level} が {earlier.level} より早く呼ばれます。",
                f"[[ladder]] {later.level} is called before {earlier.level}.",
            )
    if file.pack.review_by <= file.pack.effective_from:
        raise _error(path, "review_by が effective_from より前です。", "review_by is not after effective_from.")


def _refuse_doubles(path: Path, table: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise _error(path, f"[[{table}]] に「{name}」が2つあります。", f"[[{table}]] holds {name!r} twice.")


def _refuse_missing(path: Path, table: str, wanted: Iterable[str], there: Iterable[str]) -> None:
    have = set(there)
    for name in wanted:
        if name not in have:
            raise _error(path, f"[[{table}]] に「{name}」がありません。", f"[[{table}]] lacks {str(name)!r}.")


def _policy(file: _File) -> Policy:
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
                id=c.id,
                label=c.label,
                title=c.title.text(),
                threshold=c.threshold,
                strong=c.strong,
                hits=c.hits,
                window_s=float(c.window_s),
                severity=Severity[c.severity],
                reason=c.reason.text(),
                guide=c.guide.text(),
                phrase=c.phrase,
                source=c.source,
            )
            for c in file.criterion
        ),
        phrases=tuple(
            Phrase(id=p.id, title=p.title.text(), text=p.text.text(), spoken_marks=p.spoken_marks, warning=p.warning)
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
        complaint_threshold=file.complaint.threshold,
        relay_marks=file.relay.marks,
    )


def _error(path: Path, ja: str, en: str) -> PolicyError:
    return PolicyError(
        Text(f"ポリシー {path}: {ja}", f"Policy {path}: {en}"),
        Text(
            "該当箇所を直し、「mamori policy check ファイル」で確かめてから入れ替えてください。",
            "Correct it there, try it with “mamori policy check FILE”, then put it in place.",
        ),
    )
