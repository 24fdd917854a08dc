"""Carry out a delivery to the CRM: look at what stands there, say what is ours to say, remember where it stands.

The payload is what we knew when the delivery was queued; what is said is what we know when it goes out, so a late
delivery never brings an old value back. Told and linked is one step before the delivery counts as done: said twice is
harmless, told and forgotten would take our own words for somebody else's.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy.exc import SQLAlchemyError

from plugins.crm import Activity, Capability, Company, Kind, Meeting, Person, Ref
from plugins.errors import NotFound as Gone
from plugins.errors import Permanent, PluginError, Transient, broke
from server import clock
from server.adapters import service as adapters
from server.adapters.service import Delivered
from server.db import Database
from server.errors import NotFound
from server.outbox.service import Delivery
from server.sync import agreeing, fates, learning, looking, mapping, store, values
from server.sync.fates import Fate
from server.sync.looking import Look
from server.sync.opened import BUILT_IN, Opened, confirm, opened
from server.sync.ours import COMPANIES, PEOPLE
from server.sync.schema import Crm
from server.sync.values import Known

CLAIMED_FOR = timedelta(minutes=2)
"""So long one worker alone makes a company that the CRM does not have; two people of it may come at once."""
_ACTIVITY, _MEETING = TypeAdapter(Activity), TypeAdapter(Meeting)
_log = logging.getLogger("usher.sync")


_APART = {"skipped": "A person has taken this apart from its record in the CRM; nothing is told until it is connected."}


class _BeingTold(Exception):
    """Another worker is making the same company at this moment; nothing is wrong with the CRM."""


@dataclass(frozen=True)
class Task:
    """A delivery with what it is about, and the CRM opened for it."""

    db: Database
    at: Opened
    delivery: Delivery
    known: Known

    @property
    def crm(self) -> Crm:
        return self.at.mapping


def carry_out(db: Database, delivery: Delivery) -> Delivered:
    """Do one delivery, of whatever kind: those to the CRM about our leads here, all others by their adapter."""
    step = _STEPS.get(delivery.operation) if delivery.kind == "crm" else None
    lead_id = _lead_of(delivery) if step else ""
    if step is None or not lead_id:
        if delivery.kind == "crm":
            confirm(db, delivery.site_id)
        return adapters.carry_out(db, delivery)
    try:
        with opened(db, delivery.site_id) as at:
            with db.reading() as tx:
                known = values.known(tx, at.version, lead_id)
            answer = Delivered(step(Task(db, at, delivery, known)))
            answer.connection_id = "" if at.connection_id == BUILT_IN else at.connection_id
            return answer
    except _BeingTold:
        said = "Another delivery is telling of this company at this moment."
        raise Transient(said, adapter="crm", operation=delivery.operation, user_message=said) from None
    except PluginError:
        raise
    except NotFound as error:
        raise Permanent(error.message, adapter="crm", user_message="We do not know this lead any more.") from error
    except SQLAlchemyError:
        raise
    except Exception as error:
        _log.exception("crm.%s broke", delivery.operation)
        raise broke(error, "crm") from error


def _person(task: Task) -> dict[str, Any]:
    """The person as we know them now; `{"skipped"}` where the rules say that nobody is made there."""
    if not task.known.email:
        return {"skipped": "There is no e-mail address to recognise the person by."}
    link = _link(task, "lead", task.known.lead_id)
    if link is not None and link.by == looking.APART:
        return dict(_APART)
    look = looking.person(task.at, task.known.email, link)
    if look.ref is None and task.crm.people.new == "never" and task.at.can(Capability.FIND):
        return {"skipped": f"{look.because} The mapping makes nobody there."}
    found = _fates(task, PEOPLE, look, link)
    company = _company_ref(task, look)
    said = fates.writes(found)
    ref = look.ref
    if ref is None or ((said or company) and task.crm.people.known != "never"):
        record = {"email": look.email or task.known.email, **mapping.as_record(PEOPLE, said)}
        _announce(task, "lead", task.known.lead_id, look, said)
        ref = task.at.crm.upsert_person(Person(**record, company_ref=company), key=_key(task, said))
    by = look.by if look.ref is not None and look.by != looking.LINKED else link.by if link else "created"
    _remember(task, "lead", task.known.lead_id, ref, by or "created", found)
    learning.from_look(task.db, task.at, "lead", task.known.lead_id, look, said if look.ref is not None else None)
    return _answer(ref, found)


def _company(task: Task) -> dict[str, Any]:
    """The company, made by one worker at a time."""
    if not task.at.can(Capability.COMPANY):
        return {"skipped": "The connected CRM keeps no companies."}
    known = task.known
    if not known.domain:
        return {"skipped": "The lead's address is no company's."}
    link = _link(task, "account", known.account_id)
    if link is not None and link.by == looking.APART:
        return dict(_APART)
    look = looking.company(task.at, known.domain, str(known.get("account.name") or ""), link)
    if look.ref is None and task.crm.companies.new == "never":
        return {"skipped": f"{look.because} The mapping makes no companies there."}
    if look.ref is None:
        _claim(task, known.account_id)
    found = _fates(task, COMPANIES, look, link)
    said, ref = fates.writes(found), look.ref
    if look.by == looking.NAME and ref is not None:
        found = []
    elif ref is None or (said and task.crm.companies.known != "never"):
        _announce(task, "account", known.account_id, look, said)
        ref = task.at.crm.upsert_company(
            Company(domain=known.domain, **mapping.as_record(COMPANIES, said)), key=_key(task, said)
        )
    by = look.by if look.ref is not None and look.by != looking.LINKED else link.by if link else "created"
    _remember(task, "account", known.account_id, ref, by or "created", found)
    written = fates.writes(found) if look.ref is not None else None
    learning.from_look(task.db, task.at, "account", known.account_id, look, written)
    return _answer(ref, found)


def _activity(task: Task) -> dict[str, Any]:
    if not task.at.can(Capability.ACTIVITY):
        return {"skipped": "The connected CRM keeps no activities."}
    activity = _ACTIVITY.validate_python(task.delivery.payload["activity"])
    key = task.delivery.key
    ref = _about(task, lambda person: task.at.crm.log_activity(person, activity, key=key))
    if isinstance(ref, Ref) and task.delivery.subject_kind == "conversation":
        until = key.rpartition(":")[2]
        _put(task, "conversation", task.delivery.subject_id, ref, "created", {"until": until})
    return _answer(ref, ()) if isinstance(ref, Ref) else ref


def _meeting(task: Task) -> dict[str, Any]:
    if not task.at.can(Capability.MEETING):
        return {"skipped": "The connected CRM keeps no meetings."}
    meeting = _MEETING.validate_python(task.delivery.payload["meeting"])
    ref = _about(task, lambda person: task.at.crm.log_meeting(person, meeting, key=task.delivery.key))
    if isinstance(ref, Ref):
        told = {"status": meeting.status.value, "start": meeting.start.isoformat(), "end": meeting.end.isoformat()}
        _put(task, "meeting", task.delivery.subject_id, ref, "created", told)
    return _answer(ref, ()) if isinstance(ref, Ref) else ref


_STEPS: Mapping[str, Callable[[Task], dict[str, Any]]] = {
    "upsert_person": _person,
    "upsert_company": _company,
    "log_activity": _activity,
    "log_meeting": _meeting,
}


def _about(task: Task, log: Callable[[Ref], Ref]) -> Ref | dict[str, Any]:
    """Log it with the person, who is told of first where this CRM does not know them (it may be another than before).
    One who was deleted or joined with another there is looked for once more."""
    link = _link(task, "lead", task.known.lead_id)
    if link is not None and link.by == looking.APART:
        return dict(_APART)
    if link is not None and link.record_id:
        try:
            return log(Ref(Kind.PERSON, link.record_id, link.url))
        except Gone:
            with task.db.transaction() as tx:
                store.drop_link(tx, task.at.connection_id, "lead", task.known.lead_id)
    first: Any = SimpleNamespace(**{**task.delivery._mapping, "key": f"{task.delivery.key}:person"[:200]})
    told = _person(Task(task.db, task.at, first, task.known))
    return told if "skipped" in told else log(Ref(Kind.PERSON, told["id"], told["url"]))


def _fates(task: Task, on: str, look: Look, link: Any) -> list[Fate]:
    return mapping.fates_of(
        task.crm,
        on,
        task.known.values,
        there=look.there if look.ref is not None else None,
        told=agreeing.confirmed(link, look.there) if link is not None else {},
        remote=task.at.by_name(on),
        makes_fields=task.at.crm.makes_fields,
    )


def _company_ref(task: Task, look: Look) -> Ref | None:
    """The company to file the person under; None to leave it: somebody there has said where they belong."""
    if look.company is not None or not task.at.can(Capability.COMPANY):
        return None
    link = _link(task, "account", task.known.account_id) if task.known.account_id else None
    if link is not None and link.record_id:
        return Ref(Kind.COMPANY, link.record_id, link.url)
    if task.known.domain:
        return None
    named = looking.named_company(task.at, str(task.known.get("lead.company") or ""))
    return named[0] if len(named) == 1 else None


def _claim(task: Task, account_id: str) -> None:
    """Ours to make, or _BeingTold."""
    now = clock.now()
    claim = {**_row(task, "account", account_id), "url": task.delivery.key, "at": now, "told": {}}
    with task.db.transaction() as tx:
        if store.add_link_if_new(tx, claim) or store.take_claim(tx, claim, now - CLAIMED_FOR):
            return
        there = store.link(tx, task.at.connection_id, "account", account_id)
    if there is None or not there.record_id:
        raise _BeingTold


def _remember(task: Task, kind: str, id: str, ref: Ref, by: str, found: Iterable[Fate]) -> None:
    """Where it stands and what both sides now agree on; what others wrote stays theirs."""
    link = _link(task, kind, id)
    agreed = {fate.mapped.theirs: fate.ours for fate in found if fate.is_written or fate.why == fates.SAME}
    known = link.told if link is not None and link.record_id in ("", ref.id) else {}
    _put(task, kind, id, ref, by, {**known, **agreed})


def _key(task: Task, said: Mapping[str, Any]) -> str:
    """The same for the same words said again: another try may know more than the first, which perhaps arrived."""
    digest = hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()
    return f"{task.delivery.key[:180]}:{digest[:12]}"


def _announce(task: Task, kind: str, id: str, look: Look, said: Mapping[str, Any]) -> None:
    """What is about to be written, so that it is known for ours when it comes back before, or without, an answer."""
    link = _link(task, kind, id)
    if not task.at.can(Capability.READ):
        return
    told = agreeing.confirmed(link, look.there if look.ref is not None else None) if link is not None else {}
    row = {**_row(task, kind, id), "url": "", "at": clock.now(), "told": told, "saying": dict(said)}
    kept = ("record_id", "by", "url", "record_kind", "at")
    with task.db.transaction() as tx:
        store.put_link(tx, {**row, **({name: link._mapping[name] for name in kept} if link is not None else {})})


def _put(task: Task, kind: str, id: str, ref: Ref, by: str, told: Mapping[str, Any]) -> None:
    row = {**_row(task, kind, id), "record_kind": ref.kind.value, "record_id": ref.id, "url": ref.url, "by": by}
    with task.db.transaction() as tx:
        store.put_link(tx, {**row, "at": clock.now(), "told": dict(told), "saying": {}})


def _row(task: Task, kind: str, id: str) -> dict[str, Any]:
    ids = {"connection_id": task.at.connection_id, "subject_kind": kind, "subject_id": id}
    return {**ids, "site_id": task.known.site_id, "record_kind": kind, "record_id": "", "by": ""}


def _link(task: Task, kind: str, id: str) -> Any:
    with task.db.reading() as tx:
        return store.link(tx, task.at.connection_id, kind, id)


def _answer(ref: Ref, found: Iterable[Fate]) -> dict[str, Any]:
    """What the delivery's page shows: where it stands, what was said, what was left and why."""
    kept = {
        fate.mapped.theirs: fate.because
        for fate in found
        if fate.what == fates.REFUSE or fate.why in (fates.HUMAN_EDIT, fates.CRM_FIRST)
    }
    said = fates.writes(found)
    about = {"kind": ref.kind.value, "id": ref.id, "url": ref.url, "created": ref.created}
    return {**about, **({"told": said} if said else {}), **({"left": kept} if kept else {})}


def _lead_of(delivery: Delivery) -> str:
    """Our lead that the delivery is about; "" for what others queued."""
    marked = delivery.payload.get("person")
    link = marked.get(mapping.LINK) if isinstance(marked, Mapping) else None
    if link:
        return str(link[1])
    ordered = delivery.order_key.partition(":")
    return ordered[2] if ordered[0] == "lead" and delivery.operation.startswith("upsert_") else ""
