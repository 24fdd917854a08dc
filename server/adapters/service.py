"""Open the adapter that a site uses for each kind, and carry out deliveries with it."""

from __future__ import annotations

import dataclasses
import inspect
import logging
import typing
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.exc import SQLAlchemyError

from plugins import registry
from plugins.errors import ConfigError, Permanent, PluginError, broke
from plugins.fields import from_environment
from server import settings
from server.adapters import connections, own_calendars
from server.adapters.records import TableRecords
from server.config import service as config
from server.config.schema import Site
from server.config.service import Version
from server.db import Database
from server.errors import NotFound
from server.outbox import service as outbox
from server.outbox.service import Delivery

_log = logging.getLogger("usher.adapters")


class Delivered(dict[str, Any]):
    """What the outside answered, as JSON, and which connection it went through ("" for the built-in adapters)."""

    connection_id = ""


def ai(db: Database, version: Version) -> Any:
    """The site's AI adapter (plugins.ai.AI)."""
    name = version.part(Site).adapters.ai
    return registry.open(
        "ai", name, _environment("ai", name), records=TableRecords(db, version.site_id), private=_near()
    )


def opened(db: Database, version: Version, kind: str, *, seconds: float | None = None, rep: str = "") -> Any:
    """The site's adapter of `kind` (crm, calendar, marketing, notify), or a named one ("enrichment.builtin"): of the
    connection that serves it, a `rep`'s own before the site's, else the built-in one.

    `seconds`: the most that connecting, and an answer, may take, where somebody waits for it. Raises plugins.errors.
    """
    with db.reading() as tx:
        connection = connections.serving(tx, version, kind, rep)
    if connection is not None:
        return connections.open(db, connection, seconds=seconds)
    if kind == "notify":
        said = "Mail is not set up: set USHER_MAIL_TO to smtp or mailbox."
        raise outbox.NotYet("mail is not set up", user_message=said)
    return connections.open_built_in(db, version.site_id, kind.partition(".")[0])


def inbox(db: Database) -> Any:
    """The mailbox that answers to invitations come to (plugins.inbox.Inbox), for all sites: USHER_INBOX names it.

    Raises plugins.errors, also when there is none.
    """
    name = settings.get().inbox
    if not name:
        raise ConfigError("no mailbox is set up", user_message="No mailbox is set up: set USHER_INBOX to imap.")
    return registry.open("inbox", name, _environment("inbox", name), records=TableRecords(db, ""))


def carry_out(db: Database, delivery: Delivery) -> Delivered:
    """Do one delivery: the payload's keys are the parameters of the adapter's method, in their types.

    `{"$result": key}` stands for what the delivery of that key answered, what else stands beside it taking the place
    of what was answered (`"version": ""`). Returns the answer as JSON; raises nothing but plugins.errors, whatever
    goes wrong, with the connection's id on them; the connection is told how it went.
    """
    try:
        return _carried_out(db, delivery)
    except PluginError:
        raise
    except NotFound as error:
        raise Permanent(error.message, adapter=delivery.kind, user_message=error.message) from error
    except SQLAlchemyError:
        raise
    except Exception as error:
        _log.exception("%s.%s broke", delivery.kind, delivery.operation)
        raise broke(error, delivery.kind) from error


def _carried_out(db: Database, delivery: Delivery) -> Delivered:
    with db.reading() as tx:
        version = config.active_of(tx, delivery.site_id)
        connection, payload = _serving(tx, version, delivery)
        _hold_to_account(delivery, connection)
        payload = {name: _resolved(tx, value) for name, value in payload.items()}
    if connection is None:
        return _told(_unconnected(db, version, delivery.kind), delivery, payload)
    with connections.watched(db, connection):
        return _told(connections.open(db, connection), delivery, payload)


def _hold_to_account(delivery: Delivery, connection: connections.Connection | None) -> None:
    """What names a record by its id is for the account that it stands in: `"$at": {connection, account}`, the account
    "" while it was not known."""
    at = delivery.payload.get("$at")
    if at is None:
        return
    if connection is None or connection.id != at["connection"] or at["account"] not in ("", connection.account):
        said = "The account that this record stands in is no longer connected; see to it there by hand."
        raise Permanent("another account is connected", adapter=delivery.kind, user_message=said)


def _serving(tx: Any, version: Version, delivery: Delivery) -> tuple[connections.Connection | None, Mapping[str, Any]]:
    """Through which connection it goes, and its payload for that one. With `"$events_of": rep` it goes to the calendar
    that the rep's events go to now, where they have one of their own; an event is changed through what wrote it."""
    if delivery.kind != own_calendars.KIND:
        payload = {name: value for name, value in delivery.payload.items() if name != "$at"}
        return connections.serving(tx, version, delivery.kind), payload
    payload = {name: value for name, value in delivery.payload.items() if name != "$events_of"}
    if rep := delivery.payload.get("$events_of"):
        connection, calendar = own_calendars.events_of(tx, version, rep)
        return connection, {**payload, "calendar": calendar or payload["calendar"]}
    ref = payload.get("ref")
    earlier = outbox.by_key(tx, ref["$result"]) if isinstance(ref, Mapping) and "$result" in ref else None
    return own_calendars.through(tx, version, (earlier.connection_id if earlier else "") or ""), payload


def _unconnected(db: Database, version: Version, kind: str) -> Any:
    if kind == own_calendars.KIND:
        return connections.open_built_in(db, version.site_id, kind)
    return opened(db, version, kind)


def _told(adapter: Any, delivery: Delivery, payload: Mapping[str, Any]) -> Delivered:
    with adapter.in_use():
        method = getattr(adapter, delivery.operation, None)
        if delivery.operation.startswith("_") or not callable(method):
            raise Permanent(f"{delivery.kind} adapters have no {delivery.operation}")
        answer = Delivered(_as_json(method(**_typed(method, {**payload, "key": delivery.key}))))
        answer.connection_id = adapter.connection_id
        return answer


def _environment(kind: str, name: str) -> dict[str, str]:
    return from_environment(registry.load(kind, name).fields, kind, name, settings.adapter_environment())


def _near() -> list[str]:
    return settings.get().hosts_in_private


def _resolved(tx: Any, value: Any) -> Any:
    if not (isinstance(value, Mapping) and "$result" in value):
        return value
    earlier = outbox.by_key(tx, value["$result"])
    if earlier is None or earlier.state in ("dead", "withdrawn"):
        raise Permanent(
            f"{value['$result']} was never delivered",
            user_message="An earlier delivery that this one builds on has failed; retry that one first.",
        )
    if earlier.state != "done":
        raise outbox.NotYet(f"{value['$result']} is not delivered yet")
    return {**earlier.result, **{name: one for name, one in value.items() if name != "$result"}}


def _typed(method: Any, payload: Mapping[str, Any]) -> dict[str, Any]:
    types = _parameter_types(method.__func__)
    if "key" not in types:
        payload = {name: value for name, value in payload.items() if name != "key"}
    unknown = set(payload) - set(types)
    if unknown:
        raise Permanent(f"{method.__qualname__} has no parameter {', '.join(sorted(unknown))}")
    return {name: types[name].validate_python(value) for name, value in payload.items()}


@lru_cache(maxsize=200)
def _parameter_types(method: Callable[..., Any]) -> dict[str, TypeAdapter[Any]]:
    hints = typing.get_type_hints(method)
    return {p: TypeAdapter(hints.get(p, Any)) for p in inspect.signature(method).parameters if p != "self"}


def _as_json(answer: Any) -> dict[str, Any]:
    if answer is None:
        return {}
    if dataclasses.is_dataclass(answer):
        return dict(TypeAdapter(type(answer)).dump_python(answer, mode="json"))
    return {"answer": TypeAdapter(Any).dump_python(answer, mode="json")}
