"""Windows on the booking core: `usher slots` and `usher pick` solve problems given as JSON (docs/availability.md)."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

import click

from server.booking import rota
from server.booking.availability import form
from server.cli.terminal import database
from server.config import service as config
from server.errors import Invalid
from server.routing import service as routing


@click.command()
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--who", is_flag=True, help="Also say who can take each slot.")
@click.option("--explain", metavar="START", default=None, help="Say of each rep why this start is open or not.")
@click.option(
    "--repeat", type=click.IntRange(1, 100_000), default=None, help="Compute N times; the median goes to stderr."
)
def slots(file: TextIO, who: bool, explain: str | None, repeat: int | None) -> None:
    """Solve slot problems given as JSON (docs/availability.md)."""
    problem = _json(file)
    print(json.dumps(form.solve_slots(problem, who=who, explain=explain)))
    if repeat:
        print(f"median of {repeat}: {form.median_ms(problem, repeat):.3f} ms", file=sys.stderr)


@click.command()
@click.argument("file", type=click.File("r", encoding="utf-8"), required=False)
@click.option("--next", "following", type=click.IntRange(1, 1000), default=1, help="Also say who would get the next N.")
@click.option("--site", metavar="KEY", default=None, help="Instead of FILE: a pool of this site, as it stands now.")
@click.option("--pool", metavar="ID", default=None, help="The pool of team.yml.")
def pick(file: TextIO | None, following: int, site: str | None, pool: str | None) -> None:
    """Solve rota problems given as JSON, or say whose turn it is in a pool (docs/availability.md)."""
    if file is not None and not (site or pool):
        print(json.dumps(rota.solve_pick(_json(file), following)))
    elif file is None and site and pool:
        print(json.dumps(_whose_turn(site, pool, following)))
    else:
        raise Invalid("Give a FILE with rota problems, or --site KEY and --pool ID for a pool as it stands now.")


def _whose_turn(site: str, pool: str, following: int) -> dict[str, Any]:
    """The pool's own account, all members taken to be free; writes nothing."""
    with database().reading() as tx:
        version = config.active(tx, site)
        picks = routing.simulate(tx, version, pool, routing.members(version, pool), following)
    return rota.foretold(picks, following)


def _json(file: TextIO) -> Any:
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{file.name} is not JSON: {error}.") from None


COMMANDS = (slots, pick)
