"""A small company's Monday, told through the real services: what the console tests look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from plugins.errors import Permanent
from server import clock, events
from server.adapters import connections
from server.booking import service as booking
from server.config import folder
from server.config import service as config
from server.conversations import service as conversations
from server.conversations.service import Change, Draft, Kept, Start
from server.db import Connection, Database
from server.leads import service as leads
from server.leads.values import FieldValue
from server.outbox import service as outbox
from server.people import service as people
from server.settings import ROOT
from server.sync import service as sync
from server.visitors import keys
from server.visitors import service as visitors
from server.visitors.service import Arrival

TODAY_AT_THREE = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
ROLES = {"owner": "", "marketing": "", "supervisor": "", "grace": "rep", "dennis": "rep"}
ATTACK = "<script>alert('x')</script><img src=x onerror=alert(1)>"
SECRET_LINK = "https://usher.example/m/Zx81secretTokenOfTheVisitor"

LOOKED_AT = (
    ("customers", "no", "globex.example is no customer", {"account.domain": "globex.example"}),
    ("targets", "unknown", "nobody said whether it is a target", {"account.is_target": None}),
    ("enterprise", "yes", "800 is at least 500", {"account.employees": 800, "segment": "enterprise"}),
)
ROUTING_TRACE = {
    "decision": "routing",
    "chosen": "pool enterprise",
    "looked_at": [dict(zip(("name", "answer", "because", "saw"), one, strict=True)) for one in LOOKED_AT],
}


@dataclass(frozen=True)
class Story:
    """Ids of what happened."""

    site_id: str
    ada: str  # lead, owned by grace
    zoe: str  # lead, free
    owned_by_linus: str  # lead
    with_ada: str  # conversation with the bot, about to book
    waiting: str  # conversation waiting in the queue `sdr`, where dennis is
    of_linus: str  # conversation that only linus and those who see all may see
    meeting: str  # of ada with grace, today at 15:00 UTC
    block: str  # of grace, a Thursday off
    second_block: str
    dead: str  # delivery
    done: str  # delivery
    key: str  # with which the site signs who is signed in
    connection: str  # a calendar that nobody has signed in to yet
    report: str  # of a comparison with the CRM, which has not heard of anybody
    users: dict[str, people.User]


def tell(db: Database) -> Story:
    """Everything in `Story`."""
    users = {name: _user(db, name) for name in ROLES}
    version = apply(db, "acme", "First version")
    with db.transaction() as tx:
        ada, with_ada = _ada_talks(tx, version)
        waiting = _somebody_waits(tx, version)
        zoe = _zoe_asked(tx, version)
        linus, of_linus = _linus_has_one(tx, version)
        meeting = book(tx, version, TODAY_AT_THREE, with_ada)
        block, second = (_day_off(tx, version.site_id, day) for day in (5, 12))
        dead, done = _deliveries(tx, version.site_id)
    key = keys.add(db, version.site_id, users["owner"].actor)[0].id
    told = (ada, zoe, linus, with_ada, waiting, of_linus, meeting, block, second, dead, done)
    report = sync.compare(db, version.site_id, by=users["owner"].actor).id
    return Story(version.site_id, *told, key, _prepared(db, version, users["owner"].actor), report, users)


def _prepared(db: Database, version: config.Version, by: events.Actor) -> str:
    """A CalDAV server whose settings the owner has kept for later."""
    given = connections.Given({"url": "https://dav.example/", "user": "usher"}, {"password": "not shown to anybody"})
    fresh = connections.draft(db, version, "calendar", "caldav", given=given, actor=by)
    return connections.keep_draft(db, fresh, actor=by).id


def apply(db: Database, key: str, note: str, **changed: str) -> config.Version:
    """The sample site folder as a site's next version; `changed` replaces files (`playbooks__pricing`: a path)."""
    files = folder.load(ROOT / "server" / "sample")
    files["site.yml"] = files["site.yml"].replace("key: acme", f"key: {key}")
    for name, text in changed.items():
        files[name.replace("__", "/") + ".yml"] = text
    return config.apply(db, files, author="owner@acme.example", note=note)


def visit(tx: Connection, site_id: str, path: str, **more: Any) -> visitors.Visitor:
    """A visitor who came from a campaign."""
    page = {"url": f"http://localhost:8010{path}", "path": path, "title": path, "referrer": "https://news.example/",
            "query": {}, "utm": {"source": "news", "medium": "mail", "campaign": "spring"}}  # fmt: skip
    seen = {"count": 2, "pages": [{"path": "/", "seconds": 12}]}
    return visitors.arrive(tx, site_id, None, Arrival("desktop", "en", "Europe/Berlin", "s", page, seen, more))[0]


def talk(tx: Connection, version: config.Version, visitor: Any, path: str, lead_id: str | None = None) -> Any:
    """A conversation that the playbook of the page opened."""
    about = Start(version.site_id, visitor.id, version.id, "pricing", "en", "Europe/Berlin", path, lead_id)
    return conversations.start(tx, about)[0]


def say(tx: Connection, conversation: Any, *drafts: Draft) -> None:
    """Said one after the other."""
    conversations.say(tx, conversations.lock(tx, conversation.id), drafts)


def lead(tx: Connection, site_id: str, email: str, **told: Any) -> Any:
    """A lead who said these things in the chat."""
    found, _ = leads.meet(tx, site_id, email=email, source="chat", actor=events.BOT)
    values = [FieldValue(name, value, "conversation", "playbook pricing") for name, value in told.items()]
    return leads.learn(tx, found, [FieldValue("email", email, "conversation", "playbook pricing"), *values])


def book(tx: Connection, version: config.Version, start: datetime, conversation_id: str | None = None) -> str:
    """Ada's demo with whoever of the enterprise pool is free; after 15:00 UTC that is Grace only."""
    held = booking.hold(tx, version, meeting="demo", start=start, pool="enterprise", conversation_id=conversation_id)
    told = {
        "name": "Ada Lovelace",
        "email": "ada@globex.example",
        "answers": {"goal": "Reports"},
        "zone": "America/New_York",
    }
    return str(booking.confirm(tx, version, held.id, **told).id)


def _day_off(tx: Connection, site_id: str, day: int) -> str:
    first = datetime(2026, 3, day)
    wanted = booking.OwnTime("away", "Europe/Berlin", first, first + timedelta(days=1), title="Skiing")
    return booking.add_own_time(tx, site_id, "grace", wanted, by=events.SYSTEM)


def _user(db: Database, name: str) -> people.User:
    role = ROLES[name] or name
    rep = name if role == "rep" else None
    return people.add(db, email=f"{name}@acme.example", name=name.title(), password=PASSWORD, role=role, rep=rep)


def _ada_talks(tx: Connection, version: config.Version) -> tuple[str, str]:
    ada = lead(tx, version.site_id, "ada@globex.example", name="Ada Lovelace", title="Head of Data", company="Globex")
    account = leads.account_for(tx, version.site_id, "globex.example")
    leads.join_account(tx, ada.id, account)
    leads.learn_account(tx, account, [
        FieldValue("employees", 800, "conversation", "playbook pricing"),
        FieldValue("employees", 650, "enrichment", "builtin", 60),
    ])  # fmt: skip
    visitor = visit(tx, version.site_id, "/pricing", plan="team")
    visitors.join_lead(tx, visitor.id, ada.id)
    here = talk(tx, version, visitor, "/pricing", ada.id)
    options = [{"id": "compare", "label": "Comparing tools"}, {"id": "buy", "label": "Ready to buy"}]
    say(
        tx,
        here,
        Draft("bot", "Looking at our **plans**? [Prices](/pricing) are public.", name="Ada"),
        Draft("bot", "What brings you here?", name="Ada", part={"kind": "choices", "options": options, "multi": False}),
        Draft("visitor", "Ready to buy", value={"option": "buy"}),
        Draft(
            "bot", "Up to 50 people pay 49 € a month.", name="Ada", citations=[{"title": "Plans", "url": "/pricing"}]
        ),
        Draft("visitor", "We are 800 people"),
    )
    size = Kept("size", "size", "number", 800, "met", message_seq=5)
    conversations.write(tx, [Change(conversations.lock(tx, here.id), kept=[size])])
    events.record(
        tx,
        events.LEAD_ROUTED,
        site_id=version.site_id,
        subject=("lead", ada.id),
        conversation_id=here.id,
        actor=events.BOT,
        reason="rule enterprise",
        version_id=version.id,
        trace=ROUTING_TRACE,
    )
    leads.assign(tx, ada.id, "grace", kind="routed", actor=events.BOT, reason="rule enterprise")
    leads.place(tx, ada.id, segment="enterprise", intent="high")
    leads.enrol(tx, ada.id, "long-term", actor=events.BOT, reason="everyone is enrolled at once")
    conversations.keep_state(tx, here, queue="enterprise")
    return ada.id, here.id


def _somebody_waits(tx: Connection, version: config.Version) -> str:
    here = talk(tx, version, visit(tx, version.site_id, "/product"), "/product")
    say(tx, here, Draft("bot", "Hello!", name="Ada"), Draft("visitor", f"A person please {ATTACK}"))
    conversations.keep_state(tx, here, state=conversations.WAITING, queue="sdr", waiting_since=clock.now())
    return str(here.id)


def _zoe_asked(tx: Connection, version: config.Version) -> str:
    zoe = lead(tx, version.site_id, "zoe@initech.example", name="Zoë Löwe", company="Initech")
    visitor = visit(tx, version.site_id, "/blog/post")
    visitors.join_lead(tx, visitor.id, zoe.id)
    here = talk(tx, version, visitor, "/blog/post", zoe.id)
    say(tx, here, Draft("visitor", "Only reading"), Draft("bot", "Enjoy!", name="Ada"))
    conversations.close(tx, conversations.get(tx, here.id), "nurture", events.BOT)
    return str(zoe.id)


def _linus_has_one(tx: Connection, version: config.Version) -> tuple[str, str]:
    kim = lead(tx, version.site_id, "kim@hooli.example", name="Kim Park", company="Hooli")
    leads.assign(tx, kim.id, "linus", kind="routed", actor=events.BOT, reason="rule rest")
    here = talk(tx, version, visit(tx, version.site_id, "/security"), "/security", kim.id)
    say(tx, here, Draft("visitor", "Is it safe?"), Draft("bot", "Yes.", name="Ada"))
    return str(kim.id), str(here.id)


class _Refusing:
    """An outside that refuses mail and takes everything else."""

    def __call__(self, delivery: Any) -> dict[str, Any]:
        if delivery.kind == "notify":
            raise Permanent("550", user_message="The mail server does not know this address.")
        return {"id": "crm-1", "access_token": "opensesame"}


def _deliveries(tx: Connection, site_id: str) -> tuple[str, str]:
    mail = {"to": "ada@globex.example", "subject": "Your meeting", "text": f"To move it: {SECRET_LINK}"}
    outbox.queue(tx, site_id=site_id, kind="notify", operation="send_mail", payload={"mail": mail}, key="mail-1")
    record = {"email": "ada@globex.example", "api_key": "hush"}
    outbox.queue(
        tx, site_id=site_id, kind="crm", operation="upsert_person", payload=record, key="crm-1", subject=("lead", "x")
    )
    return outbox.by_key(tx, "mail-1").id, outbox.by_key(tx, "crm-1").id


def deliver(db: Database) -> None:
    """Let the outbox do its round: the mail fails, the CRM takes the record."""
    outbox.deliver_due(db, _Refusing())
