"""The command `mamori`, for whoever installs and supports the box."""

from __future__ import annotations

import io
import sys

import click

from edge_agent.cli import appliance, buttons, devices, duty, lines, listening, panel, people, policy, quality, speech
from edge_agent.cli.words import print_error
from edge_agent.errors import MamoriError


class Commands(click.Group):
    """Turns our errors into what is wrong and what to do, in the reader's language."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; an error of ours becomes two sentences and an exit code."""
        try:
            return super().invoke(ctx)
        except MamoriError as error:
            print_error(error)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            # The reader (head, say) has seen enough.
            sys.stderr.close()
            ctx.exit(0)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mamori")
def main() -> None:
    """Find customer harassment on tapped lines, on the premises, and tell people.

    Mamori (守り): コンタクトセンターのカスタマーハラスメントを現場で見つけ、人に知らせます。
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # Japanese everywhere, whatever the locale of a bare machine says.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")


for command in (
    appliance.run,
    appliance.provision,
    appliance.agent,
    appliance.housekeeping,
    buttons.buttons,
    buttons.button,
    buttons.press,
    lines.lines,
    listening.listen,
    listening.transcribe,
    listening.classify,
    panel.panel,
    policy.policy,
    quality.quality,
    devices.device,
    duty.duty,
    people.people,
    speech.speech,
):
    main.add_command(command)
