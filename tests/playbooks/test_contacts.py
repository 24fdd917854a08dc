"""What visitors tell about themselves: kept at once, on the lead when there is one, never read out to strangers."""

from __future__ import annotations

from server import events
from server.conversations import service as conversations
from server.leads import service as leads
from server.visitors import service as visitors
from tests.playbooks.chat import Chat
from tests.playbooks.conftest import Opener

NAME = "{id: name, ask: Your name?, save: lead.name}"
SIZE = "{id: size, ask: How many people?, kind: number, save: account.employees}"
MAIL = "{id: mail, ask: Your e-mail?, kind: email}"
BYE = "{id: bye, end: 'Thanks {{ lead.first_name }}, {{ account.name }}!'}"


def test_the_first_address_makes_a_lead_who_learns_what_was_told_before(opened: Opener) -> None:
    chat = opened(f"{NAME}\n{SIZE}\n{MAIL}\n{BYE}")
    chat.say("Grace Hopper")
    chat.say("40")
    assert chat.row.lead_id is None
    assert chat.say("grace@wonka.example") == ["Thanks Grace, !"]
    with chat.db.reading() as tx:
        known = leads.known(tx, chat.row.lead_id)
        lead = leads.get(tx, chat.row.lead_id)
        visitor = visitors.get(tx, chat.row.visitor_id)
        created = [one for one in events.of_conversation(tx, chat.id) if one.name == events.LEAD_CREATED]
    assert (known.lead["email"], known.lead["name"]) == ("grace@wonka.example", "Grace Hopper")
    assert known.account == {"domain": "wonka.example", "employees": 40}
    assert (lead.segment, lead.intent) == ("smb", "high")
    assert visitor.lead_id == lead.id
    assert len(created) == 1


def test_every_value_says_where_it_came_from(opened: Opener) -> None:
    chat = opened(f"{SIZE}\n{MAIL}\n{BYE}")
    chat.say("40, and I am Ida from Globex")
    chat.say("ida@globex.example")
    with chat.db.reading() as tx:
        rows = {row.field: (row.value, row.origin) for row in leads.field_values(tx, chat.row.lead_id)}
    assert rows["employees"] == (40, "conversation")
    assert rows["email"] == ("ida@globex.example", "conversation")
    assert rows["company"] == ("Globex", "conversation")


def test_a_remark_is_kept_without_being_asked_for_but_changes_nothing_told_before(opened: Opener) -> None:
    chat = opened("{id: q, ask: What brings you here?}\n{id: more, ask: Anything else?}\n" + BYE)
    chat.say("We are 250 people, write to ida@globex.example")
    assert chat.memory.values["account.employees"] == 250
    assert chat.memory.values["lead.email"] == "ida@globex.example"
    chat.say("or to boss@globex.example, we are 300 people")
    assert chat.memory.values["account.employees"] == 250
    assert chat.memory.values["lead.email"] == "ida@globex.example"


def test_the_company_of_an_address_is_recognised_and_its_list_entries_count(opened: Opener) -> None:
    chat = opened(
        f"{MAIL}\n{{id: b, branch: [{{when: account.is_target, next: vip}}]}}\n{{id: no, end: No}}\n"
        f"{{id: vip, route: default}}\n{BYE}"
    )
    assert chat.say("hank@eu.globex.example") == ["Thanks , Globex!"]
    assert chat.memory.routed == {"kind": "rep", "target": "grace", "reason": "rule targets"}
    with chat.db.reading() as tx:
        assert leads.get(tx, chat.row.lead_id).owner_rep == "grace"


def test_free_mail_is_nobodys_company(opened: Opener) -> None:
    chat = opened(f"{MAIL}\n{BYE}")
    chat.say("ida@gmail.com")
    with chat.db.reading() as tx:
        assert leads.get(tx, chat.row.lead_id).account_id is None
    assert chat.memory.account is None


def test_a_stranger_who_types_somebodys_address_learns_nothing_about_them(opened: Opener) -> None:
    first = opened(f"{NAME}\n{MAIL}\n{BYE}")
    first.say("Grace Hopper")
    first.say("grace@wonka.example")
    stranger = Chat(first.db, seed="other").open()
    stranger.say("Mallory")
    assert stranger.say("Grace@Wonka.example") == ["Thanks Mallory, !"]
    assert stranger.row.lead_id == first.row.lead_id  # the desk sees one person
    with first.db.reading() as tx:
        assert visitors.get(tx, stranger.row.visitor_id).lead_id is None
    again = Chat(first.db, seed="third").open()
    again.say("rather not say")
    assert "Grace" not in " ".join(again.say("grace@wonka.example"))


def test_a_returning_browser_is_greeted_by_the_name_it_told(opened: Opener) -> None:
    first = opened(f"{NAME}\n{MAIL}\n{{id: hi, say: 'Hello {{{{ lead.first_name }}}}'}}")
    first.say("Grace Hopper")
    first.say("grace@wonka.example")
    with first.db.transaction() as tx:
        conversations.close(tx, conversations.lock(tx, first.id), "", events.SYSTEM)
    second = Chat(first.db, token=first.token).open()
    assert second.id != first.id
    assert second.texts == ["Hello Grace"]


def test_another_address_of_the_same_visitor_is_another_lead(opened: Opener) -> None:
    chat = opened(f"{MAIL}\n{{id: m2, ask: Another?, kind: email, skip_known: false}}\n{BYE}")
    chat.say("ida@globex.example")
    first = chat.row.lead_id
    chat.say("ida@wonka.example")
    assert chat.row.lead_id != first
