"""Printing to a terminal in the reader's language."""

from __future__ import annotations

import os

import click

from edge_agent.errors import MamoriError, Text


def languages() -> tuple[str, ...]:
    """Return the languages to print: as ``MAMORI_LANG`` or the locale says, both where it says neither."""
    for variable in ("MAMORI_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(variable, "").lower()
        if value.startswith("ja"):
            return ("ja",)
        if value.startswith("en"):
            return ("en",)
    return ("ja", "en")


def say(text: Text) -> None:
    """Print a line of progress or news on standard error, so that standard output stays for results."""
    click.echo(" / ".join(dict.fromkeys(text.in_language(language) for language in languages())), err=True)


def show(text: Text) -> None:
    """Print a result on standard output."""
    click.echo(" / ".join(dict.fromkeys(text.in_language(language) for language in languages())))


def print_error(error: MamoriError) -> None:
    """Print what is wrong and what to do."""
    for language in languages():
        wrong, todo = ("エラー", "対処") if language == "ja" else ("Error", "Remedy")
        click.echo(f"{wrong}: {error.what.in_language(language)}", err=True)
        click.echo(f"{todo}: {error.remedy.in_language(language)}", err=True)
