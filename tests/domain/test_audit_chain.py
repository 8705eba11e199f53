from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.domain.audit import GENESIS, AuditEntry, first_break, sealed
from tests.properties import QUICK

WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
FACTS = st.tuples(WORDS, WORDS, WORDS, st.dictionaries(WORDS, WORDS, max_size=3))
FIELDS = ["sequence", "at", "actor", "action", "subject", "detail", "previous", "digest"]


def chain(facts: list[tuple[str, str, str, dict[str, str]]]) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for second, (actor, action, subject, detail) in enumerate(facts):
        last = entries[-1] if entries else None
        at = f"2026-11-23T01:00:{second:02}+00:00"
        entries.append(sealed(last, at=at, actor=actor, action=action, subject=subject, detail=detail))
    return entries


CHAINS = st.lists(FACTS, min_size=2, max_size=8).map(chain)


@QUICK
@given(st.lists(FACTS, max_size=8).map(chain))
def test_a_chain_as_written_is_whole(entries: list[AuditEntry]) -> None:
    assert first_break(entries) is None
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    if entries:
        assert entries[0].previous == GENESIS


@QUICK
@given(CHAINS, st.data())
def test_an_altered_entry_is_found_where_it_is(entries: list[AuditEntry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    field = data.draw(st.sampled_from(FIELDS))
    entry = entries[place]
    was = getattr(entry, field)
    now = {"sequence": 99, "detail": {**entry.detail, "x": "9"}}.get(field, f"{was}!")
    if now == was:  # the detail held just that
        now = {}
    entries[place] = replace(entry, **{field: now})
    assert first_break(entries) == place + 1


@QUICK
@given(CHAINS, st.data())
def test_a_removed_entry_is_found_unless_it_was_the_last(entries: list[AuditEntry], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(entries) - 2))
    del entries[place]
    assert first_break(entries) == place + 1


@QUICK
@given(CHAINS, st.data())
def test_an_inserted_entry_is_found_even_if_it_is_sealed_rightly(
    entries: list[AuditEntry], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(entries) - 1))
    before = entries[place - 1] if place else None
    forged = sealed(before, at="2026", actor="forger", action="x", subject="y", detail={})
    entries.insert(place, forged)
    # The forged entry itself fits; the true one after it does not any more.
    assert first_break(entries) == place + 2


@QUICK
@given(CHAINS, st.data())
def test_two_entries_that_changed_places_are_found(entries: list[AuditEntry], data: st.DataObject) -> None:
    one = data.draw(st.integers(0, len(entries) - 2))
    other = data.draw(st.integers(one + 1, len(entries) - 1))
    entries[one], entries[other] = entries[other], entries[one]
    assert first_break(entries) == one + 1


@QUICK
@given(CHAINS, st.data())
def test_an_entry_sealed_anew_after_a_change_breaks_the_one_after_it(
    entries: list[AuditEntry], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(entries) - 2))
    before = entries[place - 1] if place else None
    old = entries[place]
    forged = sealed(before, at=old.at, actor=old.actor + "!", action=old.action, subject=old.subject, detail=old.detail)
    entries[place] = forged
    assert first_break(entries) == place + 2


def test_the_order_in_which_details_are_named_does_not_matter() -> None:
    one = sealed(None, at="t", actor="a", action="b", subject="c", detail={"x": "1", "y": "2"})
    other = sealed(None, at="t", actor="a", action="b", subject="c", detail={"y": "2", "x": "1"})
    assert one.digest == other.digest


@pytest.mark.parametrize(
    ("one", "other"),
    [(("ab", "c"), ("a", "bc")), (('a","b', "c"), ("a", 'b","c'))],
)
def test_facts_cannot_slide_from_one_field_into_the_next(one: tuple[str, str], other: tuple[str, str]) -> None:
    first, second = (
        sealed(None, at="t", actor=actor, action=action, subject="s", detail={}) for actor, action in (one, other)
    )
    assert first.digest != second.digest
