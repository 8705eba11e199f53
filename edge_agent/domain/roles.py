"""Who may do what: the rights there are, and which of them each role has.

Rules:
1. A right is named after what a person does; every page and every action of the pages names exactly one.
2. A role has the rights its work needs and no others; a role without an entry has none.
3. The consultation desk belongs to its officer alone: neither supervisors nor whoever runs the box may read there.
4. Only those who lead people certify what an incident was.
5. Groups narrow where a right holds, never widen it: nobody's groups give a right the role does not have.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a person is on the floor."""

    ADMINISTRATOR = "administrator"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    CONSULTATION_OFFICER = "consultation_officer"
    TRAINER = "trainer"
    AUDITOR = "auditor"
    VIEWER = "viewer"
    """A panel on the wall: states of seats, no words."""


class Right(StrEnum):
    """One thing somebody may do on the pages."""

    OWN_ACCOUNT = "own_account"
    """Set one's own password, second factor and language, see and end one's own sessions."""
    SEE_FLOOR = "see_floor"
    """See the states of seats and what needs somebody."""
    FOLLOW = "follow"
    """Have pages move by themselves: be sent what changes of what one sees."""
    READ_WORDS = "read_words"
    """Read what is said in calls, where the floor page or an incident shows it."""
    LISTEN_LIVE = "listen_live"
    """Follow one call word by word while it goes on; shown to the operator and audited."""
    ARRANGE_FLOOR = "arrange_floor"
    """Lay out the floor map."""
    SEE_INCIDENTS = "see_incidents"
    """See incidents: facts, reason, criterion, who did what."""
    ACT_ON_INCIDENTS = "act_on_incidents"
    """Acknowledge, take, hand over, close, mark a false alarm."""
    CERTIFY = "certify"
    """Say what an incident was, in one's own name."""
    SEE_DUTY = "see_duty"
    """See who is on duty and in which order people are asked."""
    MARK_DUTY = "mark_duty"
    """Mark people as away or back."""
    SEE_SEAT = "see_seat"
    """Have an operator's own seat page."""
    PRESS_HELP = "press_help"
    """Call for help from a seat page."""
    CONSULT = "consult"
    """Work at the consultation desk."""
    TRAIN = "train"
    """Prepare and hold exercises."""
    SEE_QUALITY = "see_quality"
    """See how well calls are judged here."""
    READ_AUDIT = "read_audit"
    """Read who did what when."""
    MANAGE_PEOPLE = "manage_people"
    """Add people, change roles and groups, reset passwords, end anybody's session."""
    MANAGE_DEVICES = "manage_devices"
    """Add and revoke panels, lamps and buttons."""
    MANAGE_BOX = "manage_box"
    """Change settings, models and the policy in force."""


_EVERYBODY = frozenset({Right.OWN_ACCOUNT, Right.SEE_QUALITY})
"""How well people are judged is no secret before those it is about."""
_LEADING = frozenset(
    {
        Right.SEE_FLOOR,
        Right.FOLLOW,
        Right.READ_WORDS,
        Right.LISTEN_LIVE,
        Right.ARRANGE_FLOOR,
        Right.SEE_INCIDENTS,
        Right.ACT_ON_INCIDENTS,
        Right.CERTIFY,
        Right.SEE_DUTY,
        Right.MARK_DUTY,
        Right.SEE_SEAT,
        Right.PRESS_HELP,
    }
)

RIGHTS: Mapping[Role, frozenset[Right]] = {
    # The first person on a box, often a supervisor too: leads the floor until others are added.
    Role.ADMINISTRATOR: _EVERYBODY
    | _LEADING
    | {Right.TRAIN, Right.READ_AUDIT, Right.MANAGE_PEOPLE, Right.MANAGE_DEVICES, Right.MANAGE_BOX},
    Role.SUPERVISOR: _EVERYBODY | _LEADING,
    Role.OPERATOR: _EVERYBODY | {Right.SEE_SEAT, Right.PRESS_HELP, Right.SEE_DUTY},
    Role.CONSULTATION_OFFICER: _EVERYBODY
    | {Right.FOLLOW, Right.SEE_INCIDENTS, Right.READ_WORDS, Right.CERTIFY, Right.SEE_DUTY, Right.CONSULT},
    Role.TRAINER: _EVERYBODY | {Right.TRAIN},
    Role.AUDITOR: _EVERYBODY | {Right.FOLLOW, Right.SEE_INCIDENTS, Right.SEE_DUTY, Right.READ_AUDIT},
    Role.VIEWER: frozenset({Right.OWN_ACCOUNT, Right.SEE_FLOOR, Right.FOLLOW}),
}
"""The table; `docs/operations.md` shows it to whoever gives people their roles."""


def may(role: Role, right: Right) -> bool:
    """Return whether somebody of this role has a right."""
    return right in RIGHTS.get(role, frozenset())


def sees_seat(groups: Collection[str], seat_group: str) -> bool:
    """Return whether a person of these groups deals with a seat of that group.

    Somebody without a group deals with the whole floor; a seat without one belongs to nobody's group, and is then
    seen only by those who see the whole floor.
    """
    return not groups or seat_group in groups
