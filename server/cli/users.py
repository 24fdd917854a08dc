"""Commands about the people who sign in to the console."""

from __future__ import annotations

import sys

import click

from server import ids
from server.cli.terminal import database, out
from server.people import service as people


@click.group()
def user() -> None:
    """People who may sign in to the console."""


@user.command("add")
@click.argument("email")
@click.option("--name", default="", help="How the person is called; left out: the part before the @.")
@click.option("--role", default="rep", show_default=True, type=click.Choice(people.ROLES))
@click.option("--rep", default="", help="The person's id in team.yml.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of making one.")
def add_user(email: str, name: str, role: str, rep: str, password_stdin: bool) -> None:
    """Let a person sign in; prints the password unless it was given."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else ids.new_token()[:20]
    added = people.add(
        database(), email=email, name=name or email.split("@")[0], role=role, rep=rep or None, password=password
    )
    out.print(f"{added.email} may sign in as {role}." + ("" if password_stdin else f" Password: {password}"))


COMMANDS = (user,)
