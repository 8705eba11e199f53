"""The page that publishes how well calls are judged."""

from __future__ import annotations

import re

from edge_agent.domain.false_alarm import Cause, FalseAlarm
from edge_agent.services import incidents
from edge_agent.services import quality as record
from tests.builders import BOX, START
from tests.services.test_quality_figures import a_quality
from tests.web_ui.conftest import Pages


def test_it_counts_what_people_ruled_out_by_reason(pages: Pages) -> None:
    for name, cause in (("alert-1", Cause.MISHEARD), ("alert-2", Cause.MISHEARD), ("alert-3", Cause.JOKING)):
        pages.alert(name)
        incidents.rule_out(pages.main, name, FalseAlarm(cause=cause, by="sato", at=START), box=BOX)
    text = pages.browser("operator").get("/quality/").text.partition('id="outcomes"')[2]
    rows = re.findall(r'<th scope="row">([^<]+)</th><td class="number">(\d+)</td>', text)
    assert rows == [("音声認識の聞き間違い", "2"), ("冗談・言い回し", "1")]


def test_the_figures_are_shown_with_their_intervals_and_that_they_are_of_other_models(pages: Pages) -> None:
    pages.person("sv")
    record.write(record.measured_here(pages.settings), a_quality())
    shown = pages.browser("sv").get("/quality/").get_data(as_text=True)
    assert "判定の品質" in shown
    assert "n=1" in shown
    assert "make evaluate" in shown
    assert "<circle" in shown


def test_a_damaged_record_is_told_and_not_an_error_page(pages: Pages) -> None:
    pages.person("sv")
    record.measured_here(pages.settings).write_text("junk", encoding="utf-8")
    answer = pages.browser("sv").get("/quality/")
    assert answer.status_code == 200
    assert "make evaluate" in answer.get_data(as_text=True)


def test_nobody_sees_it_without_logging_in(pages: Pages) -> None:
    assert pages.browser().get("/quality/").status_code in {303, 401}
