"""What is wrong with a line's audio is told when it lasts, ends by itself, and says what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

import pytest

from edge_agent.domain.call import Speaker
from edge_agent.domain.line_health import BOTH_SIDES_S, Limits, LineHealth, LineSecond, SideLevels
from edge_agent.domain.line_trouble import Trouble, TroubleKind, explained
from tests.builders import WARNING, a_policy

CUSTOMER, OPERATOR = Speaker.CUSTOMER, Speaker.OPERATOR
TALK = SideLevels(level_dbfs=-25.0, rms_dbfs=-25.0, peak_dbfs=-10.0, speech=0.6, hum_hz=None)
QUIET = SideLevels(level_dbfs=-62.0, rms_dbfs=-62.0, peak_dbfs=-55.0)
DEAD = SideLevels(level_dbfs=-90.0, rms_dbfs=-90.0, peak_dbfs=-80.0)
CLIPPED = SideLevels(level_dbfs=-6.0, rms_dbfs=-6.0, peak_dbfs=0.0, speech=1.0, clipped=0.02, hum_hz=None)
FLAT = SideLevels(rms_dbfs=-14.0, peak_dbfs=-6.0, speech=0.8, ceiling_dbfs=-6.5, headroom_db=0.9, hum_hz=None)
SOFT = SideLevels(rms_dbfs=-30.0, peak_dbfs=-18.0, speech=0.6, ceiling_dbfs=-20.0, headroom_db=4.0, hum_hz=None)
LOUD = SideLevels(rms_dbfs=-25.0, speech=0.6, speech_dbfs=-24.0, hum_hz=None)
FAINT = SideLevels(rms_dbfs=-55.0, speech=0.3, speech_dbfs=-52.0, hum_hz=None)
HUM = SideLevels(level_dbfs=-45.0, rms_dbfs=-45.0, peak_dbfs=-40.0, hum_hz=50, hum_dbfs=-46.0)
GREETING = "お電話ありがとうございます山田が承ります"


def a_line(**limits: int) -> LineHealth:
    return LineHealth(limits=Limits(**limits), phrases=["まもり商事でございます"])


def hears(
    line: LineHealth,
    seconds: int,
    customer: SideLevels = TALK,
    operator: SideLevels = TALK,
    *,
    likeness: float | None = 0.1,
    in_call: bool | None = None,
) -> None:
    for _ in range(seconds):
        line.hear(LineSecond(customer=customer, operator=operator, likeness=likeness, in_call=in_call))


def names(line: LineHealth) -> list[str]:
    return [trouble.name for trouble in line.troubles]


# --- no audio ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("customer", "operator", "name"), [(DEAD, TALK, "customer"), (TALK, DEAD, "operator")])
def test_a_side_never_heard_in_a_call_is_a_fault_and_ends_when_it_is_heard(
    customer: SideLevels, operator: SideLevels, name: str
) -> None:
    line = a_line(no_audio_s=30)
    line.call_started()
    hears(line, 29, customer, operator)
    assert names(line) == []
    hears(line, 1, customer, operator)
    assert names(line) == [f"no_audio:{name}"]
    assert [trouble.is_fault for trouble in line.troubles] == [True]
    hears(line, 1)
    assert names(line) == []


def test_a_person_who_says_nothing_on_a_line_that_works_is_no_fault() -> None:
    line = a_line(no_audio_s=30)
    line.call_started()
    hears(line, 300, QUIET, TALK)
    assert names(line) == []


def test_a_side_lost_in_the_middle_of_a_call_is_a_fault_later_than_one_never_heard() -> None:
    line = a_line(no_audio_s=30, lost_audio_s=60)
    line.call_started()
    hears(line, 5)
    hears(line, 59, DEAD, TALK)
    assert names(line) == []
    hears(line, 1, DEAD, TALK)
    assert names(line) == ["no_audio:customer"]


def test_where_people_mute_for_long_a_side_that_falls_silent_can_be_no_fault() -> None:
    line = a_line(lost_audio_s=0)
    line.call_started()
    hears(line, 5)
    hears(line, 3000, DEAD, TALK)
    assert names(line) == []


def test_silence_between_calls_is_no_fault_and_the_end_of_a_call_ends_one() -> None:
    line = a_line(no_audio_s=30)
    hears(line, 100, DEAD, DEAD)
    assert names(line) == []
    line.call_started()
    hears(line, 40, DEAD, TALK)
    line.call_ended()
    assert names(line) == []
    # What was heard in one call does not speak for the next.
    line.call_started()
    hears(line, 30, DEAD, TALK)
    assert names(line) == ["no_audio:customer"]


def test_a_call_the_source_tells_of_is_faulty_when_neither_side_is_heard() -> None:
    line = a_line(no_audio_s=30)
    hears(line, 30, DEAD, DEAD, likeness=None, in_call=True)
    assert names(line) == ["no_audio"]
    hears(line, 1, DEAD, DEAD, likeness=None, in_call=False)
    assert names(line) == []


# --- clipping --------------------------------------------------------------------------------------------


def test_a_side_that_clips_is_told_until_it_no_longer_does() -> None:
    line = a_line()
    hears(line, 1, CLIPPED, TALK)
    assert names(line) == ["clipping:customer"]
    hears(line, 100, QUIET, TALK)  # silence says nothing of it
    assert names(line) == ["clipping:customer"]
    hears(line, 10)
    assert names(line) == []


def test_a_few_samples_at_full_scale_are_no_clipping() -> None:
    line = a_line()
    loud = SideLevels(level_dbfs=-12.0, rms_dbfs=-12.0, peak_dbfs=0.0, speech=1.0, clipped=0.0001, hum_hz=None)
    hears(line, 100, loud, loud)
    assert names(line) == []


def test_a_side_clipped_before_the_box_is_told_by_its_loudest_seconds_alone() -> None:
    line = a_line()
    hears(line, 2, FLAT, TALK)
    assert names(line) == []
    hears(line, 5, SOFT, TALK)  # what does not reach the ceiling says nothing
    hears(line, 1, FLAT, TALK)
    assert names(line) == ["overdriven:customer"]
    hears(line, 9, SOFT, TALK)
    assert names(line) == ["overdriven:customer"]
    hears(line, 1, SOFT, TALK)  # none that reached it is left
    assert names(line) == []


def test_a_side_clipped_at_full_scale_is_told_of_that_alone() -> None:
    line = a_line()
    hears(line, 10, replace(CLIPPED, ceiling_dbfs=-0.1, headroom_db=0.5), TALK)
    assert names(line) == ["clipping:customer"]


def test_one_loud_sound_with_a_flat_top_is_no_clipping() -> None:
    line = a_line()
    hears(line, 2, FLAT, TALK)
    hears(line, 100, replace(FLAT, ceiling_dbfs=-10.0, headroom_db=3.5), TALK)
    assert names(line) == []


# --- too quiet ---------------------------------------------------------------------------------------------------


def test_a_side_that_speaks_faintly_for_long_is_told_until_a_call_proves_it_loud_enough() -> None:
    line = a_line()
    line.call_started()
    hears(line, 19, FAINT, SideLevels())
    assert names(line) == []
    hears(line, 1, FAINT, SideLevels())
    assert names(line) == ["quiet:customer"]
    line.call_ended()
    assert names(line) == ["quiet:customer"]
    line.call_started()
    hears(line, 2, LOUD, SideLevels())
    assert names(line) == ["quiet:customer"]
    hears(line, 1, LOUD, SideLevels())
    assert names(line) == []


def test_short_calls_add_up() -> None:
    line = a_line()
    for _ in range(4):
        line.call_started()
        hears(line, 5, SideLevels(), FAINT)
        line.call_ended()
    assert names(line) == ["quiet:operator"]


def test_whoever_was_loud_in_a_call_may_murmur_in_it() -> None:
    line = a_line()
    line.call_started()
    hears(line, 3, LOUD, LOUD)
    hears(line, 100, FAINT, SideLevels())
    assert names(line) == []


def test_the_echo_of_the_other_side_and_voices_between_calls_are_no_faint_speech() -> None:
    line = a_line()
    hears(line, 100, FAINT, FAINT)
    line.call_started()
    hears(line, 100, FAINT, LOUD)
    assert names(line) == []


# --- hum ---------------------------------------------------------------------------------------------------------


def test_hum_is_told_after_five_quiet_seconds_and_is_over_after_ten_clean_ones() -> None:
    line = a_line()
    hears(line, 4, QUIET, HUM)
    hears(line, 20)  # while they speak it cannot be told
    assert names(line) == []
    hears(line, 1, QUIET, HUM)
    assert names(line) == ["hum:operator"]
    hears(line, 9, QUIET, QUIET)
    assert names(line) == ["hum:operator"]
    hears(line, 1, QUIET, QUIET)
    assert names(line) == []


def test_faint_hum_disturbs_nobody() -> None:
    faint = SideLevels(level_dbfs=-66.0, rms_dbfs=-66.0, peak_dbfs=-60.0, hum_hz=50, hum_dbfs=-66.0)
    line = a_line()
    hears(line, 50, faint, faint)
    assert names(line) == []


# --- cross-talk and swapped channels -----------------------------------------------------------------------------


def test_sides_that_carry_the_same_voice_are_cross_talk_until_they_no_longer_do() -> None:
    line = a_line()
    hears(line, 5, likeness=0.9)
    hears(line, 60, QUIET, QUIET, likeness=None)
    assert names(line) == []
    hears(line, 1, likeness=0.9)
    assert names(line) == ["cross_talk"]
    hears(line, 7, likeness=0.1)
    assert names(line) == ["cross_talk"]
    hears(line, 1, likeness=0.1)
    assert names(line) == []


def calls(line: LineHealth, number: int, *, greeted_on: Speaker, text: str = GREETING) -> None:
    for _ in range(number):
        line.call_started()
        line.read(greeted_on, text, a_policy())
        hears(line, BOTH_SIDES_S)
        line.call_ended()


def test_operators_phrases_on_the_customers_side_call_after_call_are_swapped_channels() -> None:
    line = a_line()
    calls(line, 2, greeted_on=CUSTOMER)
    assert names(line) == []
    calls(line, 1, greeted_on=CUSTOMER)
    assert names(line) == ["swapped"]


def test_swapped_channels_are_over_when_the_wires_are_swapped_back() -> None:
    line = a_line()
    calls(line, 6, greeted_on=CUSTOMER)
    calls(line, 2, greeted_on=OPERATOR)
    assert names(line) == ["swapped"]
    calls(line, 4, greeted_on=OPERATOR)
    assert names(line) == []


@pytest.mark.parametrize("text", ["まもり商事でございます", WARNING])
def test_the_floors_own_greeting_and_the_policys_warnings_count_too(text: str) -> None:
    line = a_line()
    calls(line, 3, greeted_on=CUSTOMER, text=text)
    assert names(line) == ["swapped"]


def test_a_customer_who_speaks_like_an_operator_now_and_then_is_not_swapped() -> None:
    line = a_line()
    for _ in range(10):
        calls(line, 1, greeted_on=CUSTOMER)
        calls(line, 4, greeted_on=OPERATOR)
    assert names(line) == []


def test_a_phrase_heard_on_both_sides_is_cross_talk_and_says_nothing_of_swapping() -> None:
    line = a_line()
    for first, second in product((CUSTOMER, OPERATOR), repeat=2):
        if first is second:
            continue
        for _ in range(5):
            line.read(first, GREETING)
            hears(line, 3)
            line.read(second, GREETING)
            hears(line, BOTH_SIDES_S)
    assert names(line) == []


def test_on_a_line_that_leaks_nothing_is_said_of_swapping() -> None:
    line = a_line()
    for _ in range(10):
        hears(line, 10, likeness=0.9)
        calls(line, 1, greeted_on=CUSTOMER)
        hears(line, 10, likeness=0.9)
    assert names(line) == ["cross_talk"]


# --- words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TroubleKind)
@pytest.mark.parametrize("side", [None, *Speaker])
def test_every_trouble_says_what_to_do_in_both_languages(kind: TroubleKind, side: Speaker | None) -> None:
    said = explained(Trouble(kind=kind, side=side, hertz=50))
    assert re.search(r"ください。$", said.ja)
    assert re.search(r"(Check|[Ss]ee whether|Swap|Turn|Mains hum).*\.$", said.en)
    assert "{" not in said.ja + said.en
