"""The command that looks at everything that has to be there."""

from __future__ import annotations

import click

from server import settings
from server.cli import doctor
from server.cli.terminal import out


@click.command("doctor")
def examine() -> int:
    """Say what is configured, reachable and missing."""
    findings = doctor.examine(settings.get())
    for finding in findings:
        out.print(f"{finding.mark} {finding.what}: {finding.says}")
    return 1 if any(finding.is_fault for finding in findings) else 0


COMMANDS = (examine,)
