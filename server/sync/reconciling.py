"""Compare all that we have told with all that stands there: what is missing, drifted, in conflict, twice (S1-54).

Reads in batches, each outside of any transaction; what was found is kept, the rows of the newest report and the counts
of all. Repairs are deliveries like any other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from typing import Any

from plugins.crm import Capability, Kind, Ref
from plugins.errors import PluginError
from server import clock, events, ids
from server.config import service as config
from server.db import Database
from server.errors import Conflict, NotFound
from server.events import SYSTEM, Actor
from server.leads import service as leads
from server.sync import mapping, reports, store, telling, values
from server.sync.judging import DUPLICATE, REPAIRABLE, Tally, judge, judge_meeting
from server.sync.opened import BUILT_IN, Opened, opened, serving_id, serving_name
from server.sync.ours import COMPANIES, PEOPLE
from server.sync.store import Link, Report

BATCH = 100
WEEKLY, FIRST_MONTH = timedelta(days=7), timedelta(days=31)
UNDER_WAY_FOR = timedelta(hours=2)
ASKED = "asked"
"""In `problem` of a report that waits for the worker."""
MOST_ASKED = 300
"""Leads whose address is looked for there, to find what stands twice."""


def compare(db: Database, site_id: str, *, by: Actor = SYSTEM) -> Report:
    """Look at everything now. Conflict while a comparison of the site is under way; a CRM that fails on the way ends it
    with the problem in the report. UnsupportedFeature for a CRM that cannot be read."""
    return _compare(db, site_id, _begin(db, site_id, by), by)


def ask(db: Database, site_id: str, *, by: Actor) -> str:
    """Have a comparison made by the worker; the id of its report. Conflict while one is under way."""
    return _begin(db, site_id, by, asked=True)


def compare_asked(db: Database) -> None:
    """Make the comparisons that people have asked for."""
    with db.reading() as tx:
        asked = store.asked_for(tx)
    for row in asked:
        with db.transaction() as tx:
            mine = store.begin_asked(tx, row.id, clock.now())
        if mine:
            _compare(db, row.site_id, row.id, Actor("user", name=row.asked_by))


def is_asked(db: Database) -> bool:
    """Whether anybody waits for a comparison."""
    with db.reading() as tx:
        return bool(store.asked_for(tx))


def _compare(db: Database, site_id: str, report_id: str, by: Actor) -> Report:
    tally, problem = Tally(), ""
    try:
        with opened(db, site_id) as at:
            at.look_again()
            _people(db, at, tally)
            _twice_there(db, at, tally)
            _companies(db, at, tally)
            _meetings(db, at, tally)
    except PluginError as failed:
        problem = failed.user_message
    _end(db, site_id, report_id, tally, problem, by)
    with db.reading() as tx:
        return reports.report(tx, site_id, report_id)


def compare_when_due(db: Database) -> None:
    """Weekly in the month after the CRM was connected, for every site whose CRM is somebody else's."""
    for site in config.sites(db):
        version = config.version(db, site.active_version_id) if site.active_version_id else None
        if version is None:
            continue
        with db.reading() as tx:
            serving = serving_id(tx, version)
            since = store.first_link_at(tx, serving)
            last = next((one for one in store.reports(tx, site.id, 20) if one.connection_id == serving), None)
        now = clock.now()
        fresh = since is not None and now - since <= FIRST_MONTH
        due = since is not None and now - max(since, last.started_at if last else since) >= WEEKLY
        if serving != BUILT_IN and fresh and due:
            compare(db, site.id)


def repair(db: Database, site_id: str, report_id: str, *, by: Actor, numbers: Collection[int] | None = None) -> int:
    """Tell the CRM again of these findings (all that can be mended so when none are named), through the outbox; how
    many. NotFound when the report is not the newest, whose findings alone are kept."""
    with db.reading() as tx:
        if store.report(tx, site_id, report_id) is None:
            raise NotFound("There is no such report.")
        found = [row for row in store.findings(tx, report_id) if row.kind in REPAIRABLE and row.repaired_at is None]
    wanted = [row for row in found if numbers is None or row.number in numbers]
    for start in range(0, len(wanted), BATCH):
        with db.transaction() as tx:
            batch = wanted[start : start + BATCH]
            for row in batch:
                _repair(tx, row, report_id)
            store.repaired(tx, report_id, [row.number for row in batch], clock.now())
    if wanted:
        with db.transaction() as tx:
            data = {"findings": len(wanted)}
            events.record(
                tx, events.CRM_REPAIRED, site_id=site_id, subject=("crm_report", report_id), actor=by, data=data
            )
    return len(wanted)


def _repair(tx: Any, row: Any, report_id: str) -> None:
    cause = f"repair:{report_id}:{row.number}"
    if row.subject_kind == "meeting":
        telling.meeting(tx, row.subject_id, cause, again=True)
        return
    lead_ids = [row.subject_id] if row.subject_kind == "lead" else leads.of_account(tx, row.subject_id)[:1]
    for lead_id in lead_ids:
        telling.lead(tx, lead_id, cause, again=True)


def _begin(db: Database, site_id: str, by: Actor, *, asked: bool = False) -> str:
    now = clock.now()
    with db.transaction() as tx:
        last = next(iter(store.reports(tx, site_id, 1)), None)
        if last is not None and last.ended_at is None and now - last.started_at < UNDER_WAY_FOR:
            raise Conflict("A comparison is under way; it is here when it is done.")
        version = config.active_of(tx, site_id)
        row = {"id": ids.new_id("crm_report"), "site_id": site_id, "connection_id": serving_id(tx, version)}
        row["crm"] = serving_name(tx, version)
        name = "" if by == SYSTEM else by.name[:200]
        store.add_report(
            tx, {**row, "started_at": now, "asked_by": name, "counts": {}, "problem": ASKED if asked else ""}
        )
        return str(row["id"])


def _end(db: Database, site_id: str, report_id: str, tally: Tally, problem: str, by: Actor) -> None:
    rows = [
        {"report_id": report_id, "number": number, "site_id": site_id, "repaired_at": None, **row}
        for number, row in enumerate(tally.rows, 1)
    ]
    with db.transaction() as tx:
        values = {"ended_at": clock.now(), "counts": tally.counts(), "problem": problem}
        store.change_report(tx, report_id, values)
        store.drop_findings_but(tx, site_id, report_id)
        store.add_findings(tx, rows)
        about = {"site_id": site_id, "subject": ("crm_report", report_id), "actor": by, "reason": problem}
        events.record(tx, events.CRM_COMPARED, data=tally.counts(), **about)


def _batches(db: Database, site_id: str) -> Iterator[list[str]]:
    """Our leads that can be told of, by hundreds."""
    after = ""
    while True:
        with db.reading() as tx:
            page = leads.reachable(tx, site_id, after=after, limit=BATCH)
        if page:
            yield page
        if len(page) < BATCH:
            return
        after = page[-1]


def _people(db: Database, at: Opened, tally: Tally) -> None:
    crm = at.mapping
    fields, remote = mapping.wanted_fields(crm, PEOPLE), at.by_name(PEOPLE)
    for page in _batches(db, at.version.site_id):
        with db.reading() as tx:
            links = {link.subject_id: link for link in store.links_of(tx, at.connection_id, "lead", page)}
            known = {lead_id: values.known(tx, at.version, lead_id) for lead_id in page}
            _shared(tx, at, links.values(), tally)
        refs = [Ref(Kind.PERSON, link.record_id) for link in links.values() if link.record_id]
        there = at.crm.people(refs, fields=fields) if refs else {}
        tally.ours[PEOPLE] += len(page)
        tally.theirs[PEOPLE] += len(there)
        for lead_id in page:
            link = links.get(lead_id)
            record = there.get(link.record_id) if link is not None else None
            held = mapping.there_in(PEOPLE, record) if record is not None else None
            judge(at, tally, PEOPLE, known[lead_id], ("lead", lead_id), link, held, remote)


def _companies(db: Database, at: Opened, tally: Tally) -> None:
    if not at.can(Capability.COMPANY):
        return
    crm = at.mapping
    fields, remote, seen = mapping.wanted_fields(crm, COMPANIES), at.by_name(COMPANIES), set[str]()
    for page in _batches(db, at.version.site_id):
        with db.reading() as tx:
            known = {one.account_id: one for one in (values.known(tx, at.version, lead_id) for lead_id in page)}
            known = {id: one for id, one in known.items() if one.domain and id not in seen}
            links = {link.subject_id: link for link in store.links_of(tx, at.connection_id, "account", list(known))}
        seen |= known.keys()
        refs = [Ref(Kind.COMPANY, link.record_id) for link in links.values() if link.record_id]
        there = at.crm.companies(refs, fields=fields) if refs else {}
        tally.ours[COMPANIES] += len(known)
        tally.theirs[COMPANIES] += len(there)
        for account_id, one in known.items():
            link = links.get(account_id)
            record = there.get(link.record_id) if link is not None else None
            held = mapping.there_in(COMPANIES, record) if record is not None else None
            judge(at, tally, COMPANIES, one, ("account", account_id), link, held, remote)


def _shared(tx: Any, at: Opened, links: Iterable[Link], tally: Tally) -> None:
    """Records there in which several leads of ours stand, told at the first of them."""
    for link in links:
        ours = [one.subject_id for one in store.linked_to(tx, at.connection_id, "person", link.record_id)]
        if link.record_id and len(ours) > 1 and ours[0] == link.subject_id:
            about = [{"name": "leads", "ours": ours}]
            tally.add(DUPLICATE, ("lead", link.subject_id), link.record_id, link.url, about)


def _twice_there(db: Database, at: Opened, tally: Tally) -> None:
    """Several records there with one address, among the newest of ours: each costs the CRM a question."""
    if not at.can(Capability.FIND):
        return
    with db.reading() as tx:
        newest = leads.latest(tx, [at.version.site_id], limit=MOST_ASKED)
    for lead, known in newest:
        email = known.lead.get("email")
        refs = at.crm.find_by_email(str(email)) if email and lead.email_key else []
        if len(refs) > 1:
            about = [{"name": "records", "theirs": [ref.id for ref in refs], "urls": [ref.url for ref in refs]}]
            tally.add(DUPLICATE, ("lead", lead.id), refs[0].id, refs[0].url, about)


def _meetings(db: Database, at: Opened, tally: Tally) -> None:
    """Meetings that were told: their state and times."""
    if not (at.can(Capability.MEETING) and at.can(Capability.READ)):
        return
    after = ""
    while True:
        with db.reading() as tx:
            page = store.links_after(tx, at.connection_id, at.version.site_id, "meeting", after, BATCH)
            ours = {link.subject_id: telling.meeting_now(tx, at.version, link.subject_id) for link in page}
        there = at.crm.meetings([Ref(Kind.MEETING, link.record_id) for link in page]) if page else {}
        for link in page:
            now = ours[link.subject_id]
            if now is not None:
                judge_meeting(tally, link, now, there.get(link.record_id))
        if len(page) < BATCH:
            return
        after = page[-1].subject_id
