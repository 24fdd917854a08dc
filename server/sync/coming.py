"""Take over what changed at the CRM: find whose record it is, see what it holds now, and learn what is new.

A change only says where to look: what counts is what the record holds when we look, so that messages which come twice,
late or in another order do no harm. People whom we do not know stay the CRM's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from plugins.crm import Capability, Change, Kind, Ref
from plugins.emails import ascii_domain
from plugins.errors import PluginError, Transient
from server.db import Connection, Database
from server.leads import service as leads
from server.sync import learning, linking, looking, mapping, store
from server.sync.linking import APART
from server.sync.opened import Opened
from server.sync.ours import COMPANIES, PEOPLE

AT_ONCE = 100
MOST_LOOKS = 3
"""So often a record is looked at again because we were writing to it at that moment."""
ON = {Kind.PERSON: PEOPLE, Kind.COMPANY: COMPANIES}
SUBJECTS = {Kind.PERSON: "lead", Kind.COMPANY: "account"}
Failed = dict[Ref, PluginError]
_log = logging.getLogger("usher.sync")


@dataclass(frozen=True)
class Whose:
    """A record of theirs that is one of ours. `link` as it was before we looked, None when it is not linked yet."""

    ref: Ref
    id: str
    link: Any = None

    @property
    def kind(self) -> str:
        return SUBJECTS[self.ref.kind]


def take(db: Database, at: Opened, changes: Sequence[Change]) -> Failed:
    """Learn from these, oldest first. Returns what could not be taken over, by record; raises plugins.errors where the
    CRM cannot be asked at all."""
    failed: Failed = {}
    changes = [one for one in changes if one.ref.kind in ON]
    if not at.can(Capability.READ):
        for change in sorted(changes, key=lambda one: one.at):
            _try(failed, change.ref, lambda change=change: _take_said(db, at, change))
        return failed
    newest = {(change.ref.kind, change.ref.id): change for change in changes}
    for some in _by_hundreds(list(newest.values())):
        _take_held(db, at, some, failed)
    return failed


def reread(db: Database, at: Opened, whose: Sequence[Whose]) -> Failed:
    """Learn from what these records hold, whatever changed."""
    failed: Failed = {}
    _look_at(db, at, whose, failed)
    return failed


def _take_held(db: Database, at: Opened, changes: Sequence[Change], failed: Failed) -> None:
    """Those of ours, by what they hold now."""
    with db.reading() as tx:
        found = [(change, one) for change in changes for one in _whose(tx, at, change)]
    ends = _ends(changes)
    for change, one in found:
        if change.became is not None:
            _try(failed, change.ref, lambda one=one: linking.follow(db, at, one, ends[_key(one.ref)]))
    _look_at(db, at, [one for change, one in found if change.became is None], failed)


def _ends(changes: Sequence[Change]) -> dict[tuple[Kind, str], Ref]:
    """Which record each of those that went into another stands in at last: that one may have gone into a third."""
    became = {_key(change.ref): change.became for change in changes if change.became is not None}
    ends = {}
    for key, end in became.items():
        seen = {key}
        while _key(end) in became and _key(end) not in seen:
            seen.add(_key(end))
            end = became[_key(end)]
        ends[key] = end
    return ends


def _key(ref: Ref) -> tuple[Kind, str]:
    return ref.kind, ref.id


def _look_at(db: Database, at: Opened, whose: Sequence[Whose], failed: Failed) -> None:
    held = _held(at, whose)
    for one in whose:
        _try(failed, one.ref, lambda one=one: _learn(db, at, one, held.get((one.ref.kind, one.ref.id))))


def _learn(db: Database, at: Opened, one: Whose, record: Any) -> None:
    """Learn from the record; look again where we have written to it since we looked."""
    for _ in range(MOST_LOOKS):
        if record is None:
            linking.gone(db, at, one)
            return
        if learning.from_record(db, at, one, record):
            return
        with db.reading() as tx:
            one = replace(one, link=store.link(tx, at.connection_id, one.kind, one.id))
        record = _held(at, [one]).get((one.ref.kind, one.ref.id))
    said = "We were writing to this record all the time; it is looked at again."
    raise Transient(said, adapter="crm", operation="changes", user_message=said)


def _take_said(db: Database, at: Opened, change: Change) -> None:
    """A CRM that cannot be read: what its message says, unless a younger one came before."""
    with db.reading() as tx:
        whose = list(_whose(tx, at, change))
    for one in whose:
        if change.deleted:
            linking.gone(db, at, one)
        elif not change.ours:
            learning.from_message(db, at, one, change)


def _whose(tx: Connection, at: Opened, change: Change) -> Iterator[Whose]:
    """Ours that stand in this record; else the one whom the change names by e-mail or domain, if it stands nowhere."""
    kind = SUBJECTS[change.ref.kind]
    links = [
        one
        for one in store.linked_to(tx, at.connection_id, change.ref.kind.value, change.ref.id)
        if one.subject_kind == kind and one.site_id == at.version.site_id
    ]
    for one in links:
        yield Whose(change.ref, one.subject_id, one)
    if links or change.deleted:
        return
    named = _named(tx, at, change)
    link = store.link(tx, at.connection_id, kind, named) if named else None
    if named and (link is None or not (link.record_id or link.by == APART)):
        yield Whose(change.ref, named, link)


def _named(tx: Connection, at: Opened, change: Change) -> str:
    site_id = at.version.site_id
    if change.ref.kind is Kind.PERSON:
        email = change.values.get("email")
        lead = leads.by_email(tx, site_id, leads.email_key(str(email))) if email else None
        return lead.id if lead is not None else ""
    domain = change.values.get("domain")
    usable = bool(domain) and looking.DOMAIN in at.mapping.match
    account = leads.account_by_domain(tx, site_id, ascii_domain(str(domain))) if usable else None
    return account.id if account is not None else ""


def _held(at: Opened, whose: Sequence[Whose]) -> Mapping[tuple[Kind, str], Any]:
    held: dict[tuple[Kind, str], Any] = {}
    for kind, read in ((Kind.COMPANY, "companies"), (Kind.PERSON, "people")):
        refs = list({one.ref.id: one.ref for one in whose if one.ref.kind is kind}.values())
        fields = mapping.wanted_fields(at.mapping, ON[kind])
        for some in _by_hundreds(refs):
            found = getattr(at.crm, read)(some, fields=fields)
            held |= {(kind, id): record for id, record in found.items()}
    return held


def _by_hundreds(some: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return [some[start : start + AT_ONCE] for start in range(0, len(some), AT_ONCE)]


def _try(failed: Failed, ref: Ref, deed: Any) -> None:
    """One record that cannot be taken over holds up no other; a CRM that cannot be asked does."""
    try:
        deed()
    except PluginError as problem:
        if problem.stops or problem.retry_after:
            raise
        failed[ref] = problem
    except SQLAlchemyError:
        raise
    except Exception as error:  # noqa: BLE001 - one faulty change must not stop all others
        _log.exception("%s %s of the CRM could not be taken over", ref.kind, ref.id)
        said = "This change could not be taken over."
        failed[ref] = Transient(type(error).__name__, adapter="crm", operation="changes", user_message=said)
