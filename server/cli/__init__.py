"""The command `usher`. Errors are one sentence on stderr; exit 2 for wrong usage, 1 for failure."""

from __future__ import annotations

import sys

import click

from server import __version__
from server.cli import adapters, crm, enrichment, identity_keys, privacy, running, scheduling, site, users
from server.errors import UsherError
from server.settings import BadSetting


def main() -> None:
    """Run a command; whatever goes wrong becomes one sentence and an exit code."""
    try:
        code = usher(standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "usher"
        _fail(f"{error.format_message()} See `{command} --help`.", 2)
    except click.exceptions.Abort:
        _fail("Stopped.", 130)
    except click.ClickException as error:
        _fail(error.format_message(), 1)
    except UsherError as error:
        _fail(error.message, 1)
    except BadSetting as error:
        _fail(str(error), 1)
    except OSError as error:
        _fail(f"{error.filename or 'The system'}: {error.strerror or error}.", 1)
    sys.exit(code if isinstance(code, int) else 0)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="usher")
def usher() -> None:
    """Usher meets the visitors of a website and walks them to the right salesperson's calendar."""


for room in (site, running, users, scheduling, adapters, identity_keys, privacy, crm, enrichment):
    for command in room.COMMANDS:
        usher.add_command(command)


def _fail(sentence: str, code: int) -> None:
    print(f"usher: {sentence}" if code == 2 else sentence, file=sys.stderr)
    sys.exit(code)
