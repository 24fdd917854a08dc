"""Find a lead, for the house or through the person asking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select

from server.errors import NotFound
from server.leads import store
from server.leads.store import Lead
from server.people.rights import Sight


def get(tx: Connection, lead_id: str) -> Lead:
    """The lead; NotFound."""
    found = store.get(tx, lead_id)
    if found is None:
        raise NotFound("There is no such lead.")
    return found


def visible(tx: Connection, lead_id: str, sight: Sight) -> Lead:
    """The lead, asked for through the person asking; NotFound when it is not theirs to see."""
    found = store.get_visible(tx, lead_id, sight)
    if found is None:
        raise NotFound("There is no such lead.")
    return found


def ids_visible(sight: Sight) -> Select[tuple[str]]:
    """A query for the leads a person sees, to be part of a room's query for what belongs to them."""
    return store.ids_visible(sight)


def lock(tx: Connection, lead_id: str) -> Lead:
    """The lead, nobody else's until the transaction ends; NotFound."""
    found = store.lock(tx, lead_id)
    if found is None:
        raise NotFound("There is no such lead.")
    return found


def ids_reachable(site_id: str) -> Select[tuple[str]]:
    """A query for the site's leads whose address is known, to be part of a room's query for what is theirs."""
    return store.ids_reachable(site_id)


def reachable(tx: Connection, site_id: str, *, after: str = "", limit: int = 200) -> list[str]:
    """Ids of the site's leads whose address is known, in their order; `after` is the last one seen."""
    return store.reachable(tx, site_id, after, limit)


def of_account(tx: Connection, account_id: str) -> list[str]:
    """Ids of the company's leads whose address is known, the newest first."""
    return store.of_account(tx, account_id)


def by_email(tx: Connection, site_id: str, email_key: str) -> Lead | None:
    """The site's lead with this address (as leads.email_key has it)."""
    return store.by_email(tx, site_id, email_key)


def account(tx: Connection, account_id: str) -> Row[Any] | None:
    """The company."""
    return store.account(tx, account_id)


def account_by_domain(tx: Connection, site_id: str, domain: str) -> Row[Any] | None:
    """The site's company of this domain."""
    return store.account_by_domain(tx, site_id, domain.strip().rstrip(".").casefold())


def values_of(tx: Connection, subject_id: str) -> Sequence[Row[Any]]:
    """Every value of a lead alone, or of a company, with its origin."""
    return store.values_of(tx, [subject_id])
