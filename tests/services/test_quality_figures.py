"""Published figures: what they are made of, and that a damaged record is an error and not a figure."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest

from edge_agent.domain.call import Speaker
from edge_agent.domain.finding import Label
from edge_agent.domain.quality import Quality
from edge_agent.errors import QualityError
from edge_agent.services import quality as record
from edge_agent.services.call_figures import JudgedCall, call_quality
from edge_agent.services.held_out import COLUMNS, read_held_out, read_open_dialogue
from edge_agent.services.quality_figures import (
    JudgedLine,
    average_precision,
    redrawn,
    share_of,
    utterance_quality,
)
from edge_agent.services.scripts import CallKind, Script, Turn, read_scripts
from edge_agent.settings import Settings


def line(labels: str, over: str, *, harassment: float = 0.1, scenario: str = "", register: str = "plain",
         open_dialogue: bool = False) -> JudgedLine:  # fmt: skip
    said = frozenset(over.split())
    return JudgedLine(
        labels=frozenset(labels.split()),
        register=register,
        scenario=scenario or f"{labels}/{over}/{register}",
        text="あ" * 30,
        open_dialogue=open_dialogue,
        scores=tuple(0.9 if label.value in said else 0.1 for label in Label),
        over=said,
        harassment=harassment,
    )


def test_what_is_found_missed_and_flagged_wrongly_is_counted_apart() -> None:
    lines = [
        line("abuse", "abuse", harassment=0.9),
        line("threat", "", register="kansai"),
        line("complaint", "abuse", harassment=0.8),
        line("complaint", "complaint"),
        line("", ""),
        line("life_safety", "life_safety"),
        line("", "threat", open_dialogue=True),
        line("", "", open_dialogue=True),
    ]
    found = utterance_quality(lines, through="text")
    assert found.harassment_recall.value == 0.5
    assert found.harassment_precision.value == pytest.approx(1 / 3, abs=1e-4)
    assert found.complaints_flagged.value == 0.5
    assert found.neutral_flagged.value == 0.0
    assert found.neutral_flagged.count == 1
    assert found.life_safety_recall.value == 1.0
    assert found.open_dialogue_flagged is not None
    assert found.open_dialogue_flagged.value == 0.5
    # 8 lines of 30 characters at 300 a minute are 0.8 minutes with two false alarms.
    assert found.false_alarms_per_hour.value == pytest.approx(150)
    kansai = next(group for group in found.groups if group.group == "kansai")
    assert kansai.by == "dialect"
    assert kansai.misses is not None
    assert kansai.misses.value == 1.0
    assert kansai.false_alarms is None
    assert sum(each.lines for each in found.reliability) == len(lines)


def test_a_type_that_is_found_though_it_is_not_the_right_one_lowers_macro_f1_alone() -> None:
    found = utterance_quality([line("abuse", "threat"), line("threat", "threat")], through="text")
    assert found.harassment_f1.value == 1.0
    assert found.macro_f1.value == pytest.approx((0 + 2 / 3) / 2, abs=1e-4)


def test_nothing_to_measure_on_is_an_error() -> None:
    with pytest.raises(ValueError, match="no lines"):
        utterance_quality([], through="text")


@pytest.mark.parametrize(
    ("truth", "scores", "wanted"),
    [
        ([True, False], [0.9, 0.1], 1.0),
        ([False, True], [0.9, 0.1], 0.5),
        ([True, False, True], [0.9, 0.8, 0.7], (1 + 2 / 3) / 2),
        ([False], [0.5], 0.0),
    ],
)
def test_average_precision(truth: list[bool], scores: list[float], wanted: float) -> None:
    assert average_precision(np.array(truth), np.array(scores)) == pytest.approx(wanted)


def test_lines_of_one_scenario_are_redrawn_together_so_the_interval_is_wider() -> None:
    flags = np.array([True, False] * 40)
    apart = share_of(flags, [str(number) for number in range(80)])
    together = share_of(np.sort(flags), [str(number // 20) for number in range(80)])
    assert apart.value == together.value == 0.5
    assert together.high - together.low > apart.high - apart.low


def test_a_figure_lies_within_its_interval() -> None:
    values = np.arange(50) / 50
    found = redrawn(lambda rows: float(values[rows].mean()), [str(number) for number in range(50)])
    assert found.low < found.value < found.high


def script(kind: CallKind, *, types: tuple[Label, ...] = (), first: int | None = None, name: str = "") -> Script:
    turns = (Turn(speaker=Speaker.OPERATOR, text="はい"), Turn(speaker=Speaker.CUSTOMER, text="あの"))
    return Script(
        call_id=name or kind.value, kind=kind, types=types, register="plain", age="40s", first=first, turns=turns
    )


def judged(of: Script, *, types: tuple[str, ...] = (), late: bool = False, life_safety: bool = False) -> JudgedCall:
    return JudgedCall(
        script=of, alerted=bool(types), types=frozenset(types), late=late, life_safety=life_safety,
        complaint=of.kind is CallKind.COMPLAINT, talk_s=360.0,
    )  # fmt: skip


def test_a_call_is_right_only_with_a_right_type_and_nobody_else_is_branded() -> None:
    harassing = script(CallKind.HARASSING, types=(Label.THREAT,), first=1)
    found = call_quality(
        [
            judged(harassing, types=("threat", "abuse")),
            judged(harassing, types=("abuse",)),
            judged(harassing),
            judged(harassing, types=("threat",), late=True),
            judged(script(CallKind.COMPLAINT), types=("abuse",)),
            judged(script(CallKind.ORDINARY), life_safety=True),
            judged(script(CallKind.LIFE_SAFETY, first=1), life_safety=True),
            judged(script(CallKind.LIFE_SAFETY, first=1), life_safety=True, types=("threat",)),
        ],
        through="text",
    )
    assert found.right.value == 0.5
    assert found.wrong.value == 0.5
    assert found.in_time.value == pytest.approx(2 / 3, abs=1e-4)
    assert found.life_safety.value == 0.5
    assert found.life_safety_wrong
    assert found.life_safety_wrong.value == pytest.approx(1 / 6, abs=1e-4)
    assert found.complaints.value == 1.0
    # Two false alerts in four calls of six minutes of talk.
    assert found.false_alarms_per_hour.value == pytest.approx(5.0)
    assert len(found.errors) == 6


HEADER = "\t".join(COLUMNS)


def test_held_out_lines_are_the_customers(tmp_path: Path) -> None:
    file = tmp_path / "lines.tsv"
    file.write_text(
        f"{HEADER}\nabuse threat\tplain\ts-01\tcustomer\tばか\tバカ\n-\tpolite\ts-02\toperator\tはい\t\n",
        encoding="utf-8",
    )
    found = read_held_out(file)
    assert [(each.text, each.heard, each.labels) for each in found] == [("ばか", "バカ", {"abuse", "threat"})]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("labels\ttext\nabuse\tばか\n", "register"),
        (f"{HEADER}\nrude\tplain\ts\tcustomer\tばか\t\n", "rude"),
    ],
)
def test_a_wrong_table_says_where_and_why(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "lines.tsv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(QualityError) as error:
        read_held_out(file)
    assert said in error.value.what.en
    assert str(file) in error.value.what.ja


def test_open_dialogue_is_without_labels(tmp_path: Path) -> None:
    file = tmp_path / "dialogue.tsv"
    file.write_text("dialogue\tspeaker\ttext\n7\tA\tこんにちは\n", encoding="utf-8")
    (found,) = read_open_dialogue(file)
    assert found.open_dialogue
    assert not found.labels


CALL = '[[call]]\nid = "{id}"\nkind = "{kind}"\nregister = "plain"\nage = "40s"\n{more}turns = ["o はい", "c ばか"]\n'


@pytest.mark.parametrize(
    "content",
    [
        "[[call]]\nid = 3\n",
        CALL.format(id="a", kind="ordinary", more="") * 2,
        CALL.format(id="a", kind="harassing", more="first = 1\n"),
        CALL.format(id="a", kind="ordinary", more="first = 1\n"),
        CALL.format(id="a", kind="harassing", more='types = ["abuse"]\nfirst = 0\n'),
        CALL.format(id="a", kind="harassing", more='types = ["abuse"]\nfirst = 2\n'),
        "",
    ],
)
def test_a_script_that_contradicts_itself_is_refused(tmp_path: Path, content: str) -> None:
    if content:
        (tmp_path / "calls.toml").write_text(content, encoding="utf-8")
    with pytest.raises(QualityError):
        read_scripts(tmp_path)


def test_a_script_is_read_with_who_says_what(tmp_path: Path) -> None:
    more = 'types = ["abuse"]\nfirst = 1\nseverity = "B2"\n'
    (tmp_path / "calls.toml").write_text(CALL.format(id="a", kind="harassing", more=more), encoding="utf-8")
    (found,) = read_scripts(tmp_path)
    assert [turn.speaker for turn in found.turns] == [Speaker.OPERATOR, Speaker.CUSTOMER]
    assert found.turns[1].text == "ばか"


@functools.cache
def a_quality() -> Quality:
    lines = [line("abuse", "abuse"), line("complaint", "complaint"), line("", ""), line("life_safety", "life_safety")]
    return Quality(
        measured_at="2026-11-24", classifier="c 1", speech="", policy="p 1", sets={"lines": "0"},
        utterances=(utterance_quality(lines, through="text"),),
        calls=(call_quality([judged(script(CallKind.ORDINARY))], through="text"),),
    )  # fmt: skip


def test_a_measurement_is_read_as_it_was_written(tmp_path: Path) -> None:
    record.write(tmp_path / "quality.json", a_quality())
    assert record.read(tmp_path / "quality.json") == a_quality()


def test_figures_are_of_what_is_installed_or_said_not_to_be() -> None:
    assert a_quality().is_of(classifier="c 1", speech="whatever", policy="p 1")
    assert not a_quality().is_of(classifier="c 2", speech="", policy="p 1")


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff"])
def test_a_missing_or_damaged_record_is_an_error_with_a_remedy(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "quality.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(QualityError) as error:
        record.read(file)
    assert "make evaluate" in error.value.remedy.ja


def test_a_floors_own_measurement_goes_before_the_shipped_one(tmp_path: Path) -> None:
    settings = Settings()
    own = Settings(paths=type(settings.paths)(data=str(tmp_path)))
    record.write(tmp_path / "quality.json", a_quality())
    assert record.load(own).classifier == "c 1"
