"""A policy pack is taken whole or refused with the place, the reason and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.domain.finding import HARASSMENT, Label
from edge_agent.domain.policy import Policy, Severity
from edge_agent.errors import PolicyError
from edge_agent.services.policy_pack import load_policy

SHIPPED = Path(__file__).parents[2] / "firmware_config/policy/mamori.toml"
TEXT = SHIPPED.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shipped() -> Policy:
    return load_policy(SHIPPED)


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def block(table: str, key: str) -> str:
    """Return the text of the [[table]] that holds the line `key`."""
    blocks = [part.split("\n\n")[0] + "\n" for part in TEXT.split(f"[[{table}]]\n")[1:]]
    [found] = [part for part in blocks if f"\n{key}\n" in f"\n{part}"]
    return f"[[{table}]]\n{found}"


def refused(tmp_path: Path, text: str) -> PolicyError:
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as error:
        load_policy(file)
    assert str(file) in error.value.what.ja
    assert str(file) in error.value.what.en
    assert "mamori policy check" in error.value.remedy.ja
    assert "mamori policy check" in error.value.remedy.en
    return error.value


def test_the_shipped_pack_watches_every_type_and_no_complaint(shipped: Policy) -> None:
    assert {criterion.label for criterion in shipped.criteria} == {*HARASSMENT, Label.LIFE_SAFETY}
    assert {type_name.label for type_name in shipped.types} == set(Label)
    assert [axis.id for axis in shipped.axes] == ["A0", "A1", "A2", "B0", "B1", "B2", "B3"]
    assert [step.level for step in shipped.ladder] == ["L2", "L2", "L3", "L4"]
    assert [(step.after_red_s, step.after_amber_s) for step in shipped.ladder][:3] == [(0, 0), (30, 60), (60, 120)]


def test_the_shipped_pack_takes_a_threat_at_once_and_never_warns_a_caller_in_despair(shipped: Policy) -> None:
    threat = shipped.rule("threat-immediate")
    assert (threat.hits, threat.severity) == (1, Severity.B3)
    despair = shipped.rule("life-safety")
    assert shipped.phrase(despair.phrase).warning == 0


def test_the_shipped_pack_counts_repetition_and_time_gently(shipped: Policy) -> None:
    assert (shipped.repeat.times, shipped.repeat.severity, shipped.repeat.label) == (3, Severity.B1, Label.DETENTION)
    assert [rule.after_s for rule in shipped.times] == [900, 1800, 2700]
    assert {rule.severity for rule in shipped.times} == {Severity.B1}
    assert len({rule.id for rule in shipped.rules}) == len(shipped.criteria) + 4
    assert shipped.tentative.threshold > max(c.threshold for c in shipped.criteria if c.immediate)


def test_a_policy_of_an_earlier_release_is_still_read(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(
        changed("reply_score = 0.5\nwarning_score = 0.3\n", "final_answer_similarity = 0.5\n"), encoding="utf-8"
    )
    policy = load_policy(file)
    assert (policy.reply_score, policy.warning_score) == (0.5, 0.5)


def test_every_text_of_the_shipped_pack_is_in_both_languages(shipped: Policy) -> None:
    texts = [shipped.title]
    for criterion in shipped.rules:
        texts += [criterion.title, criterion.reason, criterion.guide]
    for phrase in shipped.phrases:
        texts += [phrase.title, phrase.text]
    for named in [*shipped.types, *shipped.axes]:
        texts += [named.name, named.meaning]
    for text in texts:
        assert not text.ja.isascii(), text
        assert text.en.isascii(), text


def test_what_is_not_in_the_pack_is_a_key_error(shipped: Policy) -> None:
    for look_up in (shipped.rule, shipped.phrase):
        with pytest.raises(KeyError):
            look_up("nothing")


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        pytest.param(
            changed("threshold = 0.85\nstrong", "treshold = 0.85\nstrong"),
            "$.criterion[1]",
            "treshold",
            id="unknown key",
        ),
        pytest.param(TEXT + "\n[extra]\nx = 1\n", "extra", "unknown field", id="unknown table"),
        pytest.param(changed('label = "threat"', 'label = "treat"'), "$.type[1].label", "'treat'", id="unknown type"),
        pytest.param(
            changed('label = "threat"\ntitle', 'label = "treat"\ntitle'),
            "$.criterion[1].label",
            "'treat'",
            id="unknown label",
        ),
        pytest.param(
            changed('id = "sexual-immediate"', 'id = "threat-immediate"'),
            "[[criterion]]",
            "holds 'threat-immediate' twice",
            id="double criterion",
        ),
        pytest.param(
            changed('id = "limit"', 'id = "refusal"'), "[[phrase]]", "holds 'refusal' twice", id="double phrase"
        ),
        pytest.param(changed('id = "A1"', 'id = "A0"'), "[[axis]]", "holds 'A0' twice", id="double axis"),
        pytest.param(
            changed('label = "authority"\nname', 'label = "abuse"\nname'),
            "[[type]]",
            "holds 'abuse' twice",
            id="double type",
        ),
        pytest.param(
            changed("after_red_s = 30", "after_red_s = 0"),
            "[[ladder]]",
            "second of L2 is called together with the first",
            id="double step",
        ),
        pytest.param(changed('level = "L2"', 'level = "L3"'), "[[ladder]]", "L2 is called before L3", id="step back"),
        pytest.param(changed('level = "L4"', 'level = "L5"'), "[[ladder]]", "lacks 'L4'", id="missing step"),
        pytest.param(TEXT.replace(block("ladder", 'level = "L3"'), ""), "[[ladder]]", "lacks 'L3'", id="step left out"),
        pytest.param(TEXT.replace(block("axis", 'id = "B3"'), ""), "[[axis]]", "lacks 'B3'", id="missing axis"),
        pytest.param(
            TEXT.replace(block("type", 'label = "offsite"'), ""), "[[type]]", "lacks 'offsite'", id="missing type"
        ),
        pytest.param(
            TEXT.replace(block("criterion", 'id = "offsite-demand"'), ""),
            "criterion.label",
            "lacks 'offsite'",
            id="missing criterion",
        ),
        pytest.param(
            changed("\nwarning = 2\n", "\nwarning = 1\n"), "[[phrase]]", "second warning", id="missing warning"
        ),
        pytest.param(
            changed("\nwarning = 3\n", "\n"),
            "[[phrase]]",
            "ending the call",
            id="unheard ending",
        ),
        pytest.param(
            changed('label = "abuse"\ntitle', 'label = "complaint"\ntitle').replace(
                "[complaint]",
                block("criterion", 'id = "abuse-repeated"').replace("abuse-repeated", "abuse-again") + "\n[complaint]",
            ),
            "[[criterion]] abuse-repeated",
            "complaint cannot be a criterion",
            id="complaint as criterion",
        ),
        pytest.param(
            changed('second_hit = ["excessive_demand"', 'second_hit = ["life_safety"'),
            "complaint",
            "life_safety is no harassment type",
            id="second hit of life safety",
        ),
        pytest.param(
            changed('phrase = "limit"', 'phrase = "limits"'), "authority-repeated", "'limits'", id="unknown phrase"
        ),
        pytest.param(
            changed("threshold = 0.73\nstrong = 0.97\n", "threshold = 0.73\nstrong = 0.3\n"),
            "[[criterion]] abuse-repeated",
            "strong is below threshold",
            id="strong below threshold",
        ),
        pytest.param(
            changed("hits = 2\nevidence = 0.93", "hits = 2\nevidence = 2.5"),
            "[[criterion]] abuse-repeated",
            "evidence is above hits",
            id="evidence out of reach",
        ),
        pytest.param(
            changed("hits = 1\nevidence = 0.45\n", "hits = 2\nevidence = 0.45\n"),
            "[[criterion]] life-safety",
            "told by one utterance",
            id="life safety at the second time",
        ),
        pytest.param(changed("half_life_s = 60", "half_life_s = 0"), "half_life_s", ">= 1", id="no half-life"),
        pytest.param(
            TEXT.replace("final_answer = true\n", ""), "[[phrase]]", "lacks a final answer", id="no final answer"
        ),
        pytest.param(
            changed('id = "loop-15-min"', 'id = "threat-immediate"'),
            "[[time]]",
            "holds 'threat-immediate' twice",
            id="one id for two rules",
        ),
        pytest.param(
            changed('id = "repeat-after-final-answer"\nlabel = "detention"', 'id = "again"\nlabel = "complaint"'),
            "[repeat] again",
            "complaint cannot be a criterion",
            id="complaint as repetition",
        ),
        pytest.param(
            changed('id = "loop-15-min"\nlabel = "detention"', 'id = "loop-15-min"\nlabel = "life_safety"'),
            "[[time]] loop-15-min",
            "life safety is told by words alone",
            id="life safety by time",
        ),
        pytest.param(changed("after_s = 900", "after_s = 5"), "$.time[0].after_s", ">= 60", id="a loop of seconds"),
        pytest.param(
            changed("on = true\nthreshold = 0.92", "on = true\nthreshold = 0.3"),
            "[tentative]",
            "below that of a criterion",
            id="hasty",
        ),
        pytest.param(
            changed("ambiguous = 0.35", "ambiguous = 0.9"), "[context]", "above the threshold", id="no vagueness"
        ),
        pytest.param(changed("turns = 2", "turns = 9"), "$.context.turns", "<= 4", id="too many turns"),
        pytest.param(changed("overlap = 0.75", "overlap = 0.2"), "$.spoken.overlap", ">= 0.5", id="hears anything"),
        pytest.param(changed('"訴えてやる", ', '"訴", '), "$.rights.marks[0]", "regex", id="one character of a right"),
        pytest.param(changed("[rise]", "[raise]"), "raise", "unknown field", id="renamed table"),
        pytest.param(
            changed("after_red_s = 900", "after_red_s = 10"), "[[ladder]] L4", "called before L3", id="ladder backwards"
        ),
        pytest.param(
            changed("2027-04-01", "2026-04-01"), "review_by", "not after effective_from", id="review too early"
        ),
        pytest.param(
            changed("threshold = 0.45", "threshold = 1.5"), "$.criterion[0].threshold", "<= 1.0", id="no probability"
        ),
        pytest.param(changed('severity = "B3"', 'severity = "B4"'), "severity", "B[0-3]", id="unknown severity"),
        pytest.param(changed('source = "published"', 'source = "hearsay"'), "source", "hearsay", id="unknown source"),
        pytest.param(
            changed('spoken_marks = ["業務外のお話"]', 'spoken_marks = [""]'),
            "spoken_marks[0]",
            "regex",
            id="empty mark",
        ),
        pytest.param(changed('"ヨメテル"', '" "'), "$.relay.marks[1]", "regex", id="blank relay mark"),
        pytest.param(changed('ja = "警告1", en = "first warning"', 'ja = "警告1"'), "title", "`en`", id="one language"),
        pytest.param(TEXT[: len(TEXT) // 2] + "\n[[[", "TOML", "", id="half a file"),
        pytest.param("", "", "pack", id="empty file"),
    ],
)
def test_a_wrong_pack_is_refused_with_place_and_reason(tmp_path: Path, text: str, place: str, reason: str) -> None:
    error = refused(tmp_path, text)
    assert place in error.what.en
    assert reason in error.what.en
    assert place in error.what.ja


def test_a_pack_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="No such file"):
        load_policy(tmp_path / "nothing.toml")
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PolicyError, match="not valid TOML"):
        load_policy(tmp_path / "bytes.toml")
