"""Which company a lead belongs to, and why: by the domain of the address (never free mail), by the company's name, as
the CRM has it, or because a person said so, which stands (S1-11, S4-01, S4-02)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from plugins.enrichment.domains import company_domain
from server import clock, events
from server.errors import Conflict, Invalid, NotFound
from server.events import SYSTEM, Actor
from server.leads import store
from server.leads.finding import get
from server.leads.names import name_key
from server.leads.store import Lead
from server.leads.values import resolve

DOMAIN, NAME, CRM, HUMAN = "domain", "name", "crm", "human"
SURE = {DOMAIN: 95, CRM: 90, NAME: 75}
LIKE_SURE = 40
"""Percent. A name that is only like another is for a person to judge; one that several have, too."""
MOST = 8
SHORTEST = 3
"""Letters that a name needs, to look for names like it."""


@dataclass(frozen=True)
class Suggestion:
    """A company that the lead may belong to."""

    account_id: str
    domain: str
    name: str
    sure: int
    because: str


def connect(tx: Connection, lead_id: str, *, listed: Iterable[tuple[str, str]] = ()) -> str:
    """Join the lead to the company its address names, else to the only one of the name it told; the account's id, ""
    when there is none. `listed`: names and domains that segments.yml knows. What stands already is left alone."""
    lead = get(tx, lead_id)
    if lead.account_id or lead.account_by == HUMAN:
        return lead.account_id or ""
    domain = company_domain((lead.email_key or "").rpartition("@")[2])
    if domain:
        return join(tx, lead, account_for(tx, lead.site_id, domain), DOMAIN, f"The e-mail address is at {domain}.")
    told = _told_company(tx, lead)
    found = _of_name(tx, lead.site_id, told, listed)
    if len(found) != 1:
        return ""
    return join(tx, lead, found[0], NAME, f"It is the only company called {told}.")


def join(tx: Connection, lead: Lead, account_id: str, by: str, because: str) -> str:
    """The lead works there, unless a person has said otherwise; the id of where it works now."""
    values = {"account_id": account_id, "account_by": by, "account_sure": SURE[by], "account_because": because}
    if not store.join_unless_human(tx, lead.id, values):
        return get(tx, lead.id).account_id or ""
    if lead.account_id != account_id:
        _record(tx, events.LEAD_CONNECTED, lead, account_id, SYSTEM, because)
    return account_id


def connect_by_hand(tx: Connection, lead_id: str, account_id: str, *, actor: Actor) -> None:
    """A person says where the lead works; nothing but a person changes it again. NotFound for another site's."""
    lead, account = _locked(tx, lead_id), store.account(tx, account_id)
    if account is None or account.site_id != lead.site_id:
        raise NotFound("There is no such company.")
    because = f"{actor.name or 'Somebody'} said so."
    _decide(tx, lead, {"account_id": account_id, "account_sure": 100, "account_because": because})
    _record(tx, events.LEAD_CONNECTED, lead, account_id, actor, because)


def connect_new_by_hand(tx: Connection, lead_id: str, domain: str, *, actor: Actor) -> str:
    """The same with a company that nobody has come from yet; Invalid for what is no company's domain."""
    found = company_domain(domain.strip().removeprefix("https://").removeprefix("www.").strip("/"))
    if "." not in found:
        raise Invalid("Give a company's domain, such as globex.com; free mail is nobody's.", field="domain")
    account_id = account_for(tx, get(tx, lead_id).site_id, found)
    connect_by_hand(tx, lead_id, account_id, actor=actor)
    return account_id


def disconnect_by_hand(tx: Connection, lead_id: str, *, actor: Actor) -> None:
    """A person says that the lead does not work there; nothing joins it to a company by itself any more."""
    lead = _locked(tx, lead_id)
    if lead.account_id is None:
        raise Conflict("This lead is connected with no company.")
    because = f"{actor.name or 'Somebody'} took it out of its company."
    _decide(tx, lead, {"account_id": None, "account_sure": None, "account_because": because})
    _record(tx, events.LEAD_DISCONNECTED, lead, lead.account_id, actor, because)


def suggestions(tx: Connection, lead: Lead, search: str = "") -> Sequence[Suggestion]:
    """Companies that a person may connect the lead with, the likeliest first; `search` in names and domains."""
    if search.strip():
        found = store.accounts_like(tx, lead.site_id, search.strip(), name_key(search), MOST)
        return _shown(
            tx, [(row.id, SURE[NAME] if row.name_key == name_key(search) else LIKE_SURE, "") for row in found]
        )
    return [one for one in _shown(tx, list(_likely(tx, lead))) if one.account_id != lead.account_id][:MOST]


def account_for(tx: Connection, site_id: str, domain: str) -> str:
    """Id of the site's account of this domain, made if need be."""
    folded = domain.strip().rstrip(".").casefold()
    found = store.account_by_domain(tx, site_id, folded)
    if found is None:
        row = {"id": store.new_account_id(), "site_id": site_id, "domain": folded, "created_at": clock.now()}
        store.add_account_if_new(tx, row)
        found = store.account_by_domain(tx, site_id, folded)
    return str(found.id) if found else ""


def _likely(tx: Connection, lead: Lead) -> Iterator[tuple[str, int, str]]:
    domain = company_domain((lead.email_key or "").rpartition("@")[2])
    there = store.account_by_domain(tx, lead.site_id, domain) if domain else None
    if there is not None:
        yield there.id, SURE[DOMAIN], f"The e-mail address is at {domain}."
    key = name_key(_told_company(tx, lead))
    same = store.accounts_named(tx, lead.site_id, key, MOST) if key else []
    for row in same:
        many = f"; {len(same)} companies are" if len(same) > 1 else ""
        yield row.id, SURE[NAME] // len(same) if many else SURE[NAME], f"It is called so{many}."
    if len(key) >= SHORTEST:
        for row in store.accounts_like(tx, lead.site_id, "", key, MOST):
            if row.name_key != key:
                yield row.id, LIKE_SURE, "The name is like the one told."


def _shown(tx: Connection, found: Sequence[tuple[str, int, str]]) -> list[Suggestion]:
    best = {id: (sure, because) for id, sure, because in sorted(found, key=lambda one: one[1])}
    told = store.values_of(tx, list(best)) if best else []
    shown = []
    for id, (sure, because) in best.items():
        account = store.account(tx, id)
        name = resolve(row for row in told if row.subject_id == id).get("name") or ""
        if account is not None:
            shown.append(Suggestion(id, account.domain, str(name), sure, because))
    return sorted(shown, key=lambda one: (-one.sure, one.domain))


def _of_name(tx: Connection, site_id: str, told: str, listed: Iterable[tuple[str, str]]) -> list[str]:
    key = name_key(told)
    if not key:
        return []
    found = [row.id for row in store.accounts_named(tx, site_id, key, 2)]
    domains = {domain.casefold() for name, domain in listed if name_key(name) == key}
    return list(dict.fromkeys([*found, *(account_for(tx, site_id, domain) for domain in sorted(domains))]))


def _told_company(tx: Connection, lead: Lead) -> str:
    return str(resolve(store.values_of(tx, [lead.id])).get("company") or "")


def _locked(tx: Connection, lead_id: str) -> Lead:
    found = store.lock(tx, lead_id)
    if found is None:
        raise NotFound("There is no such lead.")
    return found


def _decide(tx: Connection, lead: Lead, values: dict[str, Any]) -> None:
    store.change(tx, lead.id, {**values, "account_by": HUMAN, "changed_at": clock.now()})


def _record(tx: Connection, name: str, lead: Lead, account_id: str, actor: Actor, because: str) -> None:
    about = {"site_id": lead.site_id, "subject": ("lead", lead.id), "actor": actor, "reason": because}
    events.record(tx, name, data={"account": account_id, "before": lead.account_id}, **about)
