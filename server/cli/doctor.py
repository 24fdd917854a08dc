"""What is configured, reachable, missing: `usher doctor`."""

from __future__ import annotations

import smtplib
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from plugins.errors import PluginError
from server import built, ids
from server.adapters import service as adapters
from server.booking import service as booking
from server.cli import doctor_adapters, doctor_calendars, doctor_connections
from server.cli.finding import Finding
from server.config import service as config
from server.db import Database, migrate
from server.errors import UsherError
from server.outbox import service as outbox
from server.people import service as people
from server.routing import service as routing
from server.settings import Settings


def examine(of: Settings) -> list[Finding]:
    """Look at everything that has to be there; nothing is changed."""
    return [*_database(of), _assets(), _mail(of), _address(of), *doctor_adapters.examine(of)]


def _database(of: Settings) -> list[Finding]:
    db = Database(of.database_url)
    where = db.url.render_as_string(hide_password=True)
    try:
        db.check()
    except SQLAlchemyError as error:
        return [
            Finding("FAULT", "database", f"{where} does not answer ({type(error).__name__}); see USHER_DATABASE_URL")
        ]
    if not migrate.is_current(db):
        return [
            Finding(
                "FAULT",
                "database",
                f"{where} answers, but is not up to date; `usher serve` and `usher apply` bring it there",
            )
        ]
    ids.use_key(of.key(), of.old_keys)
    connected = [*doctor_calendars.examine(db), *doctor_connections.examine(db)]
    return [Finding("ok", "database", where), _sites(db), *connected, *_back_room(of, db)]


def _back_room(of: Settings, db: Database) -> list[Finding]:
    return [_people(db), _rotation(db), *_deliveries(db), *mailbox(of, db)]


def _sites(db: Database) -> Finding:
    sites = config.sites(db)
    if not sites:
        return Finding("FAULT", "sites", "none; write a folder with `usher init DIR` and `usher apply DIR`")
    said = ", ".join(
        f"{site.key} (version {config.active(db, site.key).number})" for site in sites if site.active_version_id
    )
    return Finding("ok", "sites", said)


def _people(db: Database) -> Finding:
    with db.reading() as tx:
        owners = [user for user in people.everybody(tx) if user.role == "owner" and user.active]
    if not owners:
        return Finding("FAULT", "people", "nobody can administer this server; `usher user add EMAIL --role owner`")
    return Finding("ok", "people", f"{len(owners)} with the role owner")


def _rotation(db: Database) -> Finding:
    """Every pick of a rep made again from the ledger of turns alone."""
    picks, wrong = 0, []
    for site in config.sites(db):
        if site.active_version_id:
            with db.reading() as tx:
                found = routing.replay_all(tx, config.version(db, site.active_version_id))
            picks += found.picks
            wrong += [f"{site.key}: {one.given} got the turn {one.entry_id}" for one in found.differences]
    if wrong:
        says = f"{len(wrong)} of {picks} picks come out otherwise when made again: {'; '.join(wrong[:3])}"
        return Finding("FAULT", "rotation", says)
    return Finding("ok", "rotation", f"{picks} picks made again from the ledger, all the same")


def _deliveries(db: Database) -> list[Finding]:
    with db.reading() as tx:
        counts = outbox.counts(tx)
    dead, waiting, paused = (counts.get(state, 0) for state in ("dead", "waiting", "paused"))
    if dead or paused:
        said = f"{dead} failed for good, {paused} wait for a broken connection; look in the console under Deliveries"
        return [Finding("note", "deliveries", said)]
    return [Finding("ok", "deliveries", f"{waiting} waiting, none failed")]


def _assets() -> Finding:
    return _tried("widget", lambda: f"built: {built.manifest()['loader']['file']}", "not built; run `make assets`")


def _mail(of: Settings) -> Finding:
    if of.mail_to == "none":
        return Finding("FAULT", "mail", "not set up; set USHER_MAIL_TO to smtp or mailbox")
    if of.mail_to == "mailbox":
        return Finding("ok", "mail", f"into the folder {of.mailbox_dir}")
    where = f"{of.smtp_host}:{of.smtp_port}"
    return _tried("mail", lambda: _greet(of, where), f"the SMTP server {where} does not answer")


def mailbox(of: Settings, db: Database) -> list[Finding]:
    """What is right and wrong with the mailbox for answers to invitations, and with sites that count on one."""
    counting = [key for key, address in _reply_addresses(db) if address]
    if not of.inbox:
        unread = f"{', '.join(counting)} names a mailbox for answers that nobody reads; set USHER_INBOX"
        return [Finding("FAULT", "answers", unread)] if counting else []
    try:
        found = adapters.inbox(db).check()
    except PluginError as error:
        return [Finding("FAULT", "answers", error.user_message)]
    if not found.ok:
        return [Finding("FAULT", "answers", found.message)]
    if not counting:
        unused = f"{found.account} is read, but no site has mail.replies in site.yml: no answer will come there"
        return [Finding("note", "answers", unused)]
    with db.reading() as tx:
        state = booking.mailbox_state(tx)
    last = f"last read {state.read_at:%d %b %Y %H:%M} UTC" if state and state.read_at else "not read yet"
    return [Finding("ok", "answers", f"{found.account} can be read; {last}")]


def _reply_addresses(db: Database) -> list[tuple[str, str]]:
    sites = [site for site in config.sites(db) if site.active_version_id]
    return [(site.key, config.active(db, site.key).site.mail.replies) for site in sites]


def _greet(of: Settings, where: str) -> str:
    server = smtplib.SMTP_SSL if of.smtp_security == "tls" else smtplib.SMTP
    with server(of.smtp_host, of.smtp_port, timeout=5) as smtp:
        smtp.noop()
    return f"SMTP server {where} answers"


def _address(of: Settings) -> Finding:
    if of.public_url.startswith("https://") or "127.0.0.1" in of.public_url or "localhost" in of.public_url:
        return Finding("ok", "address", of.public_url)
    return Finding("note", "address", f"{of.public_url} is not HTTPS: sign-in and chat travel unprotected")


def _tried(what: str, look: Callable[[], str], otherwise: str) -> Finding:
    try:
        return Finding("ok", what, look())
    except (OSError, smtplib.SMTPException, UsherError) as error:
        return Finding("FAULT", what, f"{otherwise} ({error})")
