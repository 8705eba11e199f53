"""Checking a policy pack before it is put in place."""

from __future__ import annotations

from pathlib import Path

import click

from edge_agent.cli.words import show
from edge_agent.errors import Text
from edge_agent.services.policy_pack import load_policy


@click.group()
def policy() -> None:
    """対応ポリシー / the company's policy pack."""


@policy.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def check(*, file: Path) -> None:
    """ポリシーファイルを点検する / check a policy file."""
    checked = load_policy(file)
    counts = (len(checked.types), len(checked.criteria), len(checked.phrases), len(checked.ladder))
    show(
        Text(
            f"{file}: 問題ありません。{checked.title.ja} 版 {checked.version}"
            f"（類型 {counts[0]}、基準 {counts[1]}、言葉 {counts[2]}、通知の段階 {counts[3]}）",
            f"{file}: good. {checked.title.en}, version {checked.version} "
            f"({counts[0]} types, {counts[1]} criteria, {counts[2]} phrases, {counts[3]} steps of the ladder)",
        )
    )
