"""Why a severity: the grade of a rule met, and its reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edge_agent.domain.finding import Label
from edge_agent.domain.policy import Criterion, RepeatRule, Severity, TimeRule
from edge_agent.errors import Text

if TYPE_CHECKING:
    from edge_agent.domain.finding import Finding
    from edge_agent.domain.policy import Policy, Rule

_WARNED = {
    1: Text("警告1の後", "after warning 1"),
    2: Text("警告2の後", "after warning 2"),
    3: Text("通話終了を告げた後", "after the end of the call was announced"),
}


def graded(rule: Rule, warning_level: int, policy: Policy) -> Severity:
    """Return the axis-B grade of a rule met after that spoken warning.

    Words that go on after warnings are graver. Repeating a demand is not made graver by a warning about words, and
    life safety has no grade to rise.
    """
    rise = policy.rise
    if not isinstance(rule, Criterion) or rule.label is Label.LIFE_SAFETY or warning_level < rise.after_warning:
        return rule.severity
    return max(rule.severity, min(Severity(min(rule.severity + 1, Severity.B3)), rise.highest))


def explained(rule: Rule, findings: Sequence[Finding], *, warning_level: int, at_s: float) -> Text:
    """Return the rule's reason with what makes it so grave: how often within what time, after which warning."""
    grounds: list[Text] = []
    if isinstance(rule, RepeatRule | TimeRule):
        count = len(findings)
        grounds.append(Text(f"最終回答の後も要求が{count}回", f"demanded again {_times(count)} after the final answer"))
    if isinstance(rule, TimeRule):
        minutes = int(at_s // 60)
        grounds.append(Text(f"通話開始から{minutes}分", f"{minutes} min into the call"))
    if isinstance(rule, Criterion):
        if len(findings) > 1:
            span = max(1, round(findings[-1].at_s - findings[0].at_s))
            grounds.append(Text(f"{span}秒間に{len(findings)}回", f"{len(findings)} times within {span} s"))
        if warning_level and rule.label is not Label.LIFE_SAFETY:
            grounds.append(_WARNED[warning_level])
    if not grounds:
        return rule.reason
    ja, en = "、".join(ground.ja for ground in grounds), ", ".join(ground.en for ground in grounds)
    return Text(f"{rule.reason.ja}（{ja}）", f"{rule.reason.en} ({en})")


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
