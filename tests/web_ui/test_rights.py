"""Every page names its right, and each role gets what its work needs and no more."""

from __future__ import annotations

import json
import queue
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from edge_agent.domain.call import Speaker
from edge_agent.domain.roles import Right, Role, may
from edge_agent.services import seating
from edge_agent.store import people
from edge_agent.store.database import writing
from edge_agent.store.live import LiveWords
from tests.builders import START
from tests.web_ui.conftest import Pages, in_call, seats
from web_ui.access import ANONYMOUS, by_token
from web_ui.feed import Subscriber
from web_ui.rights import right_of
from web_ui.sight import Sight

SECRET = "夜道に気をつけろよ"
START_OF = re.compile(r'id="start">(.+?)</script>', re.DOTALL)
"""What a page is given to begin with."""


def test_every_route_of_the_app_names_its_right(pages: Pages) -> None:
    nameless = {
        rule.endpoint
        for rule in pages.app.url_map.iter_rules()
        if rule.endpoint not in ANONYMOUS
        and not by_token(rule.endpoint)
        and right_of(pages.app.view_functions[rule.endpoint]) is None
    }
    assert not nameless, "add @needs(Right.…) below the route"


@pytest.mark.parametrize("role", Role)
def test_no_route_opens_without_the_right_it_names(pages: Pages, role: Role) -> None:
    browser = pages.browser(role.value)
    browser.get("/login", follow_redirects=True)
    looked_at = 0
    for rule in pages.app.url_map.iter_rules():
        if rule.endpoint in ANONYMOUS or by_token(rule.endpoint):
            continue
        right = right_of(pages.app.view_functions[rule.endpoint])
        assert right is not None
        if may(role, right):
            continue
        values = dict.fromkeys(rule.arguments, "x")
        path = pages.app.url_map.bind("localhost").build(rule.endpoint, values, method=None)
        for method in rule.methods or ():
            sent = {"Accept": "application/json", "X-CSRFToken": browser.token}
            answer = browser.client.open(path, method=method, headers=sent)
            assert answer.status_code == 403, (method, path)
            looked_at += 1
    assert looked_at or role is Role.ADMINISTRATOR


def test_a_route_of_programs_opens_for_nobody_who_is_logged_in_but_has_no_token(pages: Pages) -> None:
    browser = pages.browser("administrator")
    rules = [rule for rule in pages.app.url_map.iter_rules() if by_token(rule.endpoint)]
    assert len(rules) >= 2
    for rule in rules:
        path = pages.app.url_map.bind("localhost").build(rule.endpoint, {"seat": "01"}, method=None)
        for method in rule.methods or ():
            answer = browser.client.open(path, method=method, headers={"X-CSRFToken": browser.token})
            assert answer.status_code == 401, (method, path)


def test_a_route_that_names_no_right_is_closed_to_everybody(pages: Pages) -> None:
    pages.app.view_functions["quality.page"] = lambda: "open"
    assert pages.browser("administrator").get("/quality/").status_code == 403


@pytest.mark.parametrize(
    ("role", "start"),
    [
        (Role.ADMINISTRATOR, "/"),
        (Role.SUPERVISOR, "/"),
        (Role.VIEWER, "/wall/"),
        (Role.CONSULTATION_OFFICER, "/incidents/"),
        (Role.AUDITOR, "/incidents/"),
        (Role.TRAINER, "/quality/"),
    ],
)
def test_everybody_starts_where_they_may_be(pages: Pages, role: Role, start: str) -> None:
    browser = pages.browser()
    assert browser.log_in(role.value).headers["Location"] == start
    assert browser.get(start).status_code == 200
    if start not in {"/", "/wall/"}:
        assert browser.get("/").headers["Location"] == start


def spoken(text: str, *, call_id: str = "call-1", seat: str = "01") -> LiveWords:
    return LiveWords(
        call_id=call_id,
        seat=seat,
        sequence=0,
        speaker=Speaker.CUSTOMER,
        text=text,
        final=True,
        start_s=0.0,
        end_s=1.0,
    )


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR])
def test_whoever_may_not_read_words_is_sent_none(pages: Pages, role: Role) -> None:
    pages.line(in_call())
    pages.words(spoken(SECRET))
    pages.alert(quotes=(SECRET,), telling=(((0, 2),),))
    browser = pages.browser(role.value)
    looked_at = 0
    for path, right in (("/", "see_floor"), ("/incidents/", "see_incidents"), ("/incidents/alert-1", "see_incidents")):
        if may(role, Right(right)):
            answer = browser.get(path)
            assert answer.status_code == 200
            assert SECRET not in answer.text
            looked_at += 1
    assert looked_at
    stream = browser.client.get("/events", headers={"Accept": "text/event-stream"}, buffered=False)
    assert SECRET.encode() not in next(iter(stream.response))
    stream.close()


@pytest.fixture
def grouped(tmp_path: Path, prepared: Path) -> Iterator[Pages]:
    """Seat 01 belongs to the group east, seat 02 to west; the supervisor looks after east."""
    first, second, third = seats(3)
    groups = (msgspec.structs.replace(first, group="east"), msgspec.structs.replace(second, group="west"), third)
    made = Pages(tmp_path, prepared=prepared, seats=groups)
    made.line(in_call("01", "call-1"))
    made.line(in_call("02", "call-2"))
    made.words(spoken(SECRET, call_id="call-2", seat="02"))
    made.alert("alert-1")
    made.alert("alert-2", seat="02", call_id="call-2", quotes=(SECRET,))
    supervisor = people.find(made.main, "supervisor")
    assert supervisor is not None
    with writing(made.main):
        people.save(made.main, replace(supervisor, groups=("east",)))
    yield made
    made.close()


def test_a_supervisor_sees_the_seats_of_their_groups_alone(grouped: Pages) -> None:
    browser = grouped.browser("supervisor")
    for path in ("/", "/incidents/"):
        page = browser.get(path).text
        assert "1番席" in page
        assert "2番席" not in page
        assert "alert-2" not in page
        assert SECRET not in page
    assert "2番席" in grouped.browser("administrator").get("/").text


@pytest.mark.parametrize("step", ["acknowledge", "take", "close"])
def test_an_incident_of_another_group_is_not_there(grouped: Pages, step: str) -> None:
    browser = grouped.browser("supervisor")
    assert browser.get("/incidents/alert-1").status_code == 200
    assert browser.get("/incidents/alert-2").status_code == 404
    assert browser.fetch(f"/incidents/alert-2/{step}").status_code == 404


def test_the_stream_carries_what_its_person_sees(grouped: Pages) -> None:
    grouped.watch()
    east = Sight(seats=frozenset({"01"}))
    connected = grouped.context.feed.subscribe(None, limit=9, sight=east)
    whole = grouped.context.feed.subscribe(None, limit=9)
    assert connected is not None
    assert whole is not None
    before = grouped.context.feed.last_id
    grouped.words(spoken("注文の件です"), spoken("別の席です", call_id="call-2", seat="02"))
    grouped.alert("alert-3")
    grouped.alert("alert-4", seat="02", call_id="call-2")
    grouped.tick()
    assert {seat for seat, _ in arrived(connected[0])} == {"01"}
    assert {seat for seat, _ in arrived(whole[0])} == {"01", "02"}
    again = grouped.context.feed.subscribe(before, limit=9, sight=east)
    assert again is not None
    assert again[1]
    assert not any("別の席です" in wire.decode() or "alert-4" in wire.decode() for wire in again[1])


def test_without_the_right_to_words_or_seats_neither_comes(grouped: Pages) -> None:
    grouped.watch()
    panel = grouped.context.feed.subscribe(None, limit=9, sight=Sight(words=False))
    auditor = grouped.context.feed.subscribe(None, limit=9, sight=Sight(words=False, cards=False))
    assert panel is not None
    assert auditor is not None
    grouped.words(spoken(SECRET))
    grouped.alert("alert-3", quotes=(SECRET,))
    grouped.tick()
    for subscriber, names in ((panel[0], {"incident", "seat"}), (auditor[0], {"incident"})):
        events = arrived(subscriber)
        assert {name for _, name in events} == names


@pytest.mark.parametrize("role", [role for role in Role if may(role, Right.SEE_FLOOR)])
def test_who_sits_where_is_seen_by_those_who_may_see_who_is_on_duty_and_never_on_the_wall(
    pages: Pages, role: Role
) -> None:
    seating.sit_down(pages.main, person="operator", seat="01", now=START)
    browser = pages.browser(role.value)
    shown = {path: json.loads(START_OF.split(browser.get(path).text)[1]) for path in ("/", "/wall/")}
    stream = browser.client.get("/events", headers={"Accept": "text/event-stream"}, buffered=False)
    streamed = "operatorさん" in next(iter(stream.response)).decode()
    stream.close()
    named = {path: [seat["sitter"] for seat in start["floor"]["seats"]] for path, start in shown.items()}
    known = may(role, Right.SEE_DUTY)
    assert named == {"/": ["operatorさん" if known else "", "", ""], "/wall/": ["", "", ""]}
    assert streamed is known
    assert not any(seat["sits"] for seat in shown["/wall/"]["floor"]["seats"])


def test_somebody_who_sits_down_comes_to_the_floor_page_and_nameless_to_the_wall(pages: Pages) -> None:
    pages.watch()
    floor = pages.context.feed.subscribe(None, limit=9)
    wall = pages.context.feed.subscribe(None, limit=9, sight=Sight().on_the_wall())
    assert floor is not None
    assert wall is not None
    seating.sit_down(pages.main, person="operator", seat="01", now=START)
    pages.tick()
    told = [json.loads(one[0].get(0.0).decode().rpartition("data: ")[2]) for one in (floor, wall)]
    assert [(seat["seat"], seat["sits"], seat["sitter"]) for seat in told] == [
        ("01", "operator", "operatorさん"),
        ("01", "", ""),
    ]


@pytest.mark.parametrize("role", Role)
def test_the_menu_leads_to_the_lines_where_they_may_be_seen(pages: Pages, role: Role) -> None:
    menu = pages.browser(role.value).get("/account/").text.partition("<nav")[2].partition("</nav>")[0]
    assert ('href="/lines/"' in menu) is may(role, Right.SEE_FLOOR)


def arrived(subscriber: Subscriber) -> list[tuple[str, str]]:
    """Return seat and name of what waits, and see that no secret is in it."""
    events = []
    with suppress(queue.Empty):
        while (wire := subscriber.get(0.0)) is not None:
            fields = dict(line.split(": ", 1) for line in wire.decode().strip().splitlines())
            assert SECRET not in fields["data"]
            events.append((json.loads(fields["data"])["seat"], fields["event"]))
    return events


def test_a_stream_ends_when_the_role_of_its_person_changes(pages: Pages) -> None:
    browser = pages.browser("supervisor")
    stream = iter(browser.client.get("/events", headers={"Accept": "text/event-stream"}, buffered=False).response)
    next(stream)
    supervisor = people.find(pages.main, "supervisor")
    assert supervisor is not None
    with writing(pages.main):
        people.save(pages.main, replace(supervisor, role=Role.VIEWER))
    for subscriber in pages.context.feed._subscribers:
        subscriber.put(None)
    assert list(stream) == []
