"""Who may do what."""

from __future__ import annotations

import pytest

from edge_agent.domain.roles import RIGHTS, Right, Role, may, sees_seat


def test_every_role_has_its_rights_and_every_right_has_a_role() -> None:
    assert set(RIGHTS) == set(Role)
    assert frozenset().union(*RIGHTS.values()) == set(Right)


@pytest.mark.parametrize("role", Role)
def test_everybody_looks_after_their_own_account(role: Role) -> None:
    assert may(role, Right.OWN_ACCOUNT)


def test_the_consultation_desk_is_closed_to_supervisors_and_to_whoever_runs_the_box() -> None:
    assert {role for role in Role if may(role, Right.CONSULT)} == {Role.CONSULTATION_OFFICER}


@pytest.mark.parametrize("right", [Right.MANAGE_PEOPLE, Right.MANAGE_DEVICES, Right.MANAGE_BOX])
def test_only_administrators_manage_the_box(right: Right) -> None:
    assert {role for role in Role if may(role, right)} == {Role.ADMINISTRATOR}


@pytest.mark.parametrize("right", [Right.READ_WORDS, Right.LISTEN_LIVE, Right.SEE_INCIDENTS])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.TRAINER])
def test_words_of_callers_are_not_for_panels_operators_and_trainers(role: Role, right: Right) -> None:
    assert not may(role, right)


def test_an_auditor_reads_who_did_what_but_moves_nothing_and_reads_no_words() -> None:
    assert may(Role.AUDITOR, Right.READ_AUDIT)
    for right in (Right.READ_WORDS, Right.ACT_ON_INCIDENTS, Right.CERTIFY, Right.MANAGE_PEOPLE):
        assert not may(Role.AUDITOR, right)


def test_only_those_who_lead_follow_a_call_and_only_operators_and_those_call_for_help() -> None:
    leading = {Role.ADMINISTRATOR, Role.SUPERVISOR}
    assert {role for role in Role if may(role, Right.LISTEN_LIVE)} == leading
    assert {role for role in Role if may(role, Right.PRESS_HELP)} == leading | {Role.OPERATOR}


def test_groups_narrow_the_floor_and_no_group_is_the_whole_of_it() -> None:
    assert sees_seat((), "")
    assert sees_seat((), "east")
    assert sees_seat(("east",), "east")
    assert not sees_seat(("east",), "west")
    assert not sees_seat(("east",), "")
