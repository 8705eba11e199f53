"""How the database of what must survive came to be, step by step; a step that has shipped is never edited."""

from __future__ import annotations

import sqlite_utils

MAIN = sqlite_utils.Migrations("mamori")


@MAIN()
def m001_first_light(db: sqlite_utils.Database) -> None:
    """Incidents, outbox, receipts, audit chain, people and their sessions."""
    db.table("incidents").create(
        {
            "incident_id": str,
            "call_id": str,
            "seat": str,
            "kind": str,
            "state": str,
            "severity": int,
            "revision": int,
            "opened_at": str,
            "record": str,
        },
        pk="incident_id",
        not_null={"state", "opened_at", "record"},
    )
    db.table("incidents").create_index(["opened_at"])
    db.table("outbox").create(
        {"row_id": int, "topic": str, "payload": str, "created_at": str, "sent_at": str, "attempts": int},
        pk="row_id",
        not_null={"topic", "payload", "created_at"},
        defaults={"attempts": 0},
    )
    db.table("outbox").create_index(["sent_at"])
    db.table("receipts").create(
        {"alert_id": str, "panel": str, "kind": str, "at": str}, pk=("alert_id", "panel", "kind")
    )
    db.table("audit").create(
        {
            "sequence": int,
            "at": str,
            "actor": str,
            "action": str,
            "subject": str,
            "detail": str,
            "previous": str,
            "digest": str,
        },
        pk="sequence",
    )
    # The chain shows tampering; these make tampering need more than one careless statement.
    db.execute("CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit is final'); END")
    db.execute("CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'audit is final'); END")
    db.table("people").create(
        {
            "name": str,
            "display_name": str,
            "role": str,
            "password_hash": str,
            "must_change": int,
            "failed": int,
            "locked_until": str,
            "language": str,
        },
        pk="name",
    )
    db.table("sessions").create(
        {"token_hash": str, "person": str, "created_at": str, "last_seen": str, "expires_at": str}, pk="token_hash"
    )


@MAIN()
def m002_speech_models(db: sqlite_utils.Database) -> None:
    """Which speech model somebody chose, and what the agent made of it: one row."""
    db.table("speech").create(
        {
            "row_id": int,
            "chosen": str,
            "version": str,
            "chosen_by": str,
            "chosen_at": str,
            "before": str,
            "before_version": str,
            "running": str,
            "running_at": str,
            "refused": str,
            "refused_at": str,
            "reason_ja": str,
            "reason_en": str,
        },
        pk="row_id",
    )


@MAIN()
def m003_escalation(db: sqlite_utils.Database) -> None:
    """Who is on duty, and for every incident the steps of its ladder."""
    db.table("duty").create(
        {"name": str, "display_name": str, "level": str, "rank": int, "shifts": str, "absent": int}, pk="name"
    )
    db.table("escalation").create(
        {
            "incident_id": str,
            "position": int,
            "level": str,
            "role_ja": str,
            "role_en": str,
            "after_red_s": int,
            "after_amber_s": int,
            "asked_at": str,
            "cause": str,
            "people": str,
            "skipped": int,
            "times": int,
        },
        pk=("incident_id", "position"),
    )


@MAIN()
def m004_groups(db: sqlite_utils.Database) -> None:
    """The groups a person's seats belong to: a JSON list of names, empty for the whole floor."""
    db.table("people").add_column("groups", str, not_null_default="[]")


@MAIN()
def m005_access(db: sqlite_utils.Database) -> None:
    """Where sessions come from, who has retired, and wrong answers counted by address."""
    for column in ("address", "browser"):
        db.table("sessions").add_column(column, str, not_null_default="")
    db.table("sessions").add_column("pending", int, not_null_default=0)
    db.table("people").add_column("retired", int, not_null_default=0)
    db.table("refusals").create(
        {"address": str, "since": str, "failed": int, "locked_until": str}, pk="address", not_null={"since"}
    )


@MAIN()
def m006_second_factors(db: sqlite_utils.Database) -> None:
    """The second factors of those who want one."""
    db.table("second_factors").create(
        {"name": str, "secret": str, "confirmed": int, "last_step": int, "recovery": str},
        pk="name",
        not_null={"secret", "recovery"},
    )


@MAIN()
def m007_devices(db: sqlite_utils.Database) -> None:
    """Devices on the broker, when each was last there, and the commands they were given."""
    db.table("devices").create(
        {"name": str, "kind": str, "added_at": str, "last_seen": str, "connected": int},
        pk="name",
        not_null={"kind", "added_at"},
        defaults={"connected": 0},
    )
    db.table("commands").create(
        {
            "id": str,
            "device": str,
            "name": str,
            "issued_at": str,
            "expires_at": str,
            "outcome": str,
            "reason": str,
            "answered_at": str,
        },
        pk="id",
    )


@MAIN()
def m008_buttons(db: sqlite_utils.Database) -> None:
    """Presses and what is known of every button; who sends a message of the outbox."""
    db.table("presses").create(
        {
            "press_id": str,
            "button": str,
            "seat": str,
            "gesture": str,
            "source": str,
            "at": str,
            "kept_at": str,
            "told": str,
            "effect": str,
            "incident_id": str,
        },
        pk="press_id",
        not_null={"button", "seat", "gesture", "at", "effect"},
    )
    db.table("presses").create_index(["button", "at"])
    db.table("buttons").create(
        {
            "name": str,
            "seat": str,
            "source": str,
            "seen_at": str,
            "worked_at": str,
            "tested_at": str,
            "test_until": str,
            "battery": int,
            "fault": str,
        },
        pk="name",
        not_null={"seat", "source"},
    )
    db.table("outbox").add_column("owner", str, not_null_default="agent")


@MAIN()
def m009_false_alarms(db: sqlite_utils.Database) -> None:
    """Why a suspicion was ruled out, to be counted; reviews from before gave no reason but their verdict."""
    db.table("incidents").add_column("ruled_out", str)
    db.execute(
        "UPDATE incidents SET ruled_out = CASE json_extract(record, '$.verdict')"
        " WHEN 'complaint' THEN 'complaint' WHEN 'false_alarm' THEN 'other' END"
    )


@MAIN()
def m010_seatings(db: sqlite_utils.Database) -> None:
    """Who sits where."""
    db.table("seatings").create({"person": str, "seat": str, "since": str}, pk="person", not_null={"seat", "since"})
    db.table("seatings").create_index(["seat"], unique=True)


@MAIN()
def m011_pauses(db: sqlite_utils.Database) -> None:
    """The pauses under way, one a seat at most."""
    db.table("pauses").create(
        {
            "seat": str,
            "pause_id": str,
            "call_id": str,
            "source": str,
            "by": str,
            "begun_at": str,
            "until": str,
            "keys_until": str,
        },
        pk="seat",
        not_null={"pause_id", "source", "by", "begun_at", "until"},
    )


@MAIN()
def m012_broker_refusals(db: sqlite_utils.Database) -> None:
    """What devices have tried on the broker and were refused."""
    db.table("broker_refusals").create(
        {
            "device": str,
            "attempt": str,
            "topic": str,
            "count": int,
            "last_at": str,
            "recorded": int,
            "recorded_at": str,
        },
        pk=("device", "attempt"),
        not_null={"topic", "count", "last_at", "recorded", "recorded_at"},
    )


@MAIN()
def m013_layout(db: sqlite_utils.Database) -> None:
    """Where each seat is drawn on the floor map, and who saved that last: one row."""
    db.table("layout").create({"seat": str, "across": int, "down": int}, pk="seat", not_null={"across", "down"})
    db.table("layout").create_index(["across", "down"], unique=True)
    db.table("layout_saved").create(
        {"row_id": int, "version": int, "saved_by": str, "saved_at": str}, pk="row_id", not_null={"version", "saved_by"}
    )


@MAIN()
def m014_announced_calls(db: sqlite_utils.Database) -> None:
    """What may announce calls, the newest call announced of every seat, and whose calls incidents came from."""
    db.table("integrations").create(dict.fromkeys(("name", "token_hash", "seats"), str), pk="name")
    told = ("seat", "call_id", "by", "caller", "started_at", "told_at")
    db.table("announced_calls").create(dict.fromkeys((*told, "ended_at", "end"), str), pk="seat", not_null=set(told))
    db.table("incident_callers").create({"incident_id": str, "caller": str}, pk="incident_id", not_null={"caller"})
    db.table("incident_callers").create_index(["caller"])


@MAIN()
def m015_doubted_announcements(db: sqlite_utils.Database) -> None:
    """Since when what is announced of a seat is doubted."""
    db.table("announced_calls").add_column("doubted_at", str)
