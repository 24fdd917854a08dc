"""The command `usher`. Errors are one sentence on stderr; exit 2 for wrong usage, 1 for failure."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from server import __version__
from server.cli.plain import plain
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


ROOMS = {
    "adapters": "adapters",
    "apply": "site",
    "check": "site",
    "crm": "crm",
    "diff": "site",
    "doctor": "examining",
    "enrichment-report": "enrichment",
    "erase": "privacy",
    "export": "site",
    "export-person": "privacy",
    "identity-key": "identity_keys",
    "init": "site",
    "pick": "scheduling",
    "rollback": "site",
    "serve": "running",
    "slots": "scheduling",
    "snippet": "site",
    "user": "users",
    "versions": "site",
    "worker": "running",
}
"""Each command and the file it lives in, which is read when the command is asked for: most of a short command's time
would go to what it does not need."""


class Rooms(click.Group):
    """The commands of ROOMS."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(ROOMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ROOMS:
            return None
        room = import_module(f"server.cli.{ROOMS[cmd_name]}")
        return next((one for one in room.COMMANDS if one.name == cmd_name), None)


@click.group(cls=Rooms, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="usher")
def usher() -> None:
    """Usher meets the visitors of a website and walks them to the right salesperson's calendar."""


def _fail(sentence: str, code: int) -> None:
    print(plain(f"usher: {sentence}" if code == 2 else sentence), file=sys.stderr)
    sys.exit(code)
