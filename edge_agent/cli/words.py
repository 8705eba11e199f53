"""Printing to a terminal in the reader's language."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import TypeVar

import click

from edge_agent.errors import MamoriError, Text

Item = TypeVar("Item")


def languages() -> tuple[str, ...]:
    """Return the languages to print: as ``MAMORI_LANG`` or the locale says, both where it says neither."""
    for variable in ("MAMORI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "").lower()
        if value.startswith("ja"):
            return ("ja",)
        if value.startswith("en"):
            return ("en",)
    return ("ja", "en")


def in_languages(text: Text, between: str = " / ") -> str:
    """Return a text as it is printed: in the reader's language, in both where none is known."""
    return between.join(dict.fromkeys(text.in_language(language) for language in languages()))


def say(text: Text) -> None:
    """Print a line of progress or news on standard error, so that standard output stays for results."""
    click.echo(in_languages(text), err=True)


def say_how_far(what: str, *, over: bool) -> None:
    """Show on standard error how far a long work is, in place of what was shown last.

    Nothing is shown where standard error is no terminal: there each would be a line of its own.

    Args:
        what: the figures; not shorter than those shown before, which they cover.
        over: the work is done, and what comes next begins a new line.
    """
    if sys.stderr.isatty():
        end = "\n" if over else ""
        click.echo(f"\r{what}{end}", nl=False, err=True)


def counted(items: Sequence[Item]) -> Iterator[Item]:
    """Yield items one by one, and show how many are done."""
    total = len(items)
    for done, item in enumerate(items):
        _say_count(done, total)
        yield item
    if items:
        _say_count(total, total)


def _say_count(done: int, total: int) -> None:
    # A line of talk is judged in a few ms: what is shown changes with each per cent, not with each line.
    if done in {0, total} or done * 100 // total != (done - 1) * 100 // total:
        say_how_far(f"{done / total:4.0%} {done:6}/{total}", over=done == total)


def show(text: Text) -> None:
    """Print a result on standard output."""
    click.echo(in_languages(text))


def print_error(error: MamoriError) -> None:
    """Print what is wrong and what to do."""
    for language in languages():
        wrong, todo = ("エラー", "対処") if language == "ja" else ("Error", "Remedy")
        click.echo(f"{wrong}: {error.what.in_language(language)}", err=True)
        click.echo(f"{todo}: {error.remedy.in_language(language)}", err=True)
