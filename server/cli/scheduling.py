"""Windows on the booking core: `usher slots` and `usher pick` solve problems given as JSON (docs/availability.md)."""

from __future__ import annotations

import json
import sys
from typing import Any, TextIO

import click

from server.booking import rota
from server.booking.availability import form
from server.errors import Invalid


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
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--next", "following", type=click.IntRange(1, 1000), default=1, help="Also say who would get the next N.")
def pick(file: TextIO, following: int) -> None:
    """Solve rota problems given as JSON (docs/availability.md)."""
    print(json.dumps(rota.solve_pick(_json(file), following)))


def _json(file: TextIO) -> Any:
    try:
        return json.load(file)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{file.name} is not JSON: {error}.") from None


COMMANDS = (slots, pick)
