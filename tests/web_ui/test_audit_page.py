"""The audit chain on a page: complete, in order, for those who may read it."""

from __future__ import annotations

import pytest

from edge_agent.store import audit
from edge_agent.store.database import writing
from tests.web_ui.conftest import Pages
from web_ui.audit import LISTED


def test_an_auditor_starts_elsewhere_and_reads_who_did_what_from_where(pages: Pages) -> None:
    pages.browser().log_in("supervisor", "wrong password")
    page = pages.browser("auditor").get("/audit/").text
    for shown in ("ログインの失敗", "ログイン", "利用者を登録", "address=127.0.0.1", "supervisor"):
        assert shown in page
    assert page.index("ログインの失敗") < page.index("利用者を登録")


def test_one_persons_entries_are_found_whether_they_acted_or_were_acted_on(pages: Pages) -> None:
    admin = pages.browser("administrator")
    admin.get("/people/viewer")
    admin.post("/people/viewer/role", role="trainer")
    page = pages.browser("auditor").get("/audit/?name=viewer").text
    assert "after=trainer before=viewer" in page
    assert "supervisor" not in page.partition("<tbody>")[2]


def test_the_whole_chain_is_reached_page_by_page(pages: Pages) -> None:
    with writing(pages.main):
        for number in range(2 * LISTED):
            audit.append(pages.main, at=pages.clock.now(), actor="mamori", action="test", subject=f"thing-{number}")
    browser = pages.browser("auditor")
    path, seen = "/audit/", 0
    while path:
        text = browser.get(path).text
        seen += text.partition("<tbody>")[2].count("<tr>")
        link = text.partition('href="/audit/?before=')[2].partition('"')[0]
        path = f"/audit/?before={link}" if link else ""
    assert seen == len(list(audit.entries(pages.main)))


@pytest.mark.parametrize("before", ["-1", "x", "9" * 15, "9" * 40, "１", "1 OR 1=1"])
def test_a_number_that_is_none_does_no_harm(pages: Pages, before: str) -> None:
    assert (
        pages.browser("auditor").get("/audit/", query_string={"before": before, "name": "%' OR 1"}).status_code == 200
    )
