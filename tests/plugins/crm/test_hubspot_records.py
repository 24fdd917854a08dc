"""What HubSpot holds after we wrote to it: one record each, whatever happens, and nothing of others undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from plugins.crm import ActivityKind, Company, Kind, Meeting, MeetingStatus, Person, Ref
from plugins.crm.hubspot import HubSpot
from plugins.errors import NotFound, PluginError
from plugins.testing.conformance import at_once
from plugins.testing.crm import ADA, CHAT, DEMO, NOON
from plugins.testing.fakes import Fault
from plugins.testing.fakes.hubspot import KEY, HubSpotFake
from tests.plugins.crm.hubspots import account, hubspot, opened_on, running

__all__ = ["account", "hubspot", "running"]


@pytest.fixture
def ada(hubspot: HubSpot) -> Ref:
    return hubspot.upsert_person(ADA, key="ada")


def only(account: HubSpotFake, type: str) -> dict[str, str]:
    (found,) = account.portal.of(type)
    return found.properties


def test_eight_at_once_with_one_key_make_one_note(account: HubSpotFake, hubspot: HubSpot, ada: Ref) -> None:
    refs = at_once(lambda _: opened_on(account, token=KEY).log_activity(ada, CHAT, key="k1"))
    assert len(set(refs)) == 1
    assert sum(ref.created for ref in refs) == 1
    assert len(account.portal.of("notes")) == 1


def test_eight_at_once_make_one_company_although_the_index_shows_none(account: HubSpotFake, hubspot: HubSpot) -> None:
    account.portal.lagging = True
    company = Company("globex.example", name="Globex")
    refs = at_once(lambda n: opened_on(account, token=KEY).upsert_company(company, key=f"k{n}"))
    assert len(set(refs)) == 1
    assert sum(ref.created for ref in refs) == 1
    assert hubspot.upsert_company(replace(company, industry="Retail"), key="k9") == refs[0]
    assert len(account.portal.of("companies")) == 1


def test_eight_at_once_make_one_meeting_of_one_uid(account: HubSpotFake, ada: Ref) -> None:
    refs = at_once(lambda n: opened_on(account, token=KEY).log_meeting(ada, DEMO, key=f"k{n}"))
    assert len(set(refs)) == 1
    assert len(account.portal.of("meetings")) == 1


def test_a_note_whose_answer_was_lost_is_there_once_for_another_server_too(
    account: HubSpotFake, hubspot: HubSpot, ada: Ref
) -> None:
    hubspot.log_activity(ada, CHAT, key="before")
    account.faults.add(Fault(done=True, drop=True), on="POST .*/notes$", times=1)
    with pytest.raises(PluginError):
        hubspot.log_activity(ada, CHAT, key="k1")
    ref = opened_on(account, token=KEY).log_activity(ada, CHAT, key="k1")
    assert not ref.created
    assert len(account.portal.of("notes")) == 2


def test_a_person_made_at_the_same_moment_by_somebody_else_is_changed_by_the_id_in_the_refusal(
    account: HubSpotFake, hubspot: HubSpot, ada: Ref
) -> None:
    said = f'{{"status": "error", "category": "CONFLICT", "message": "Contact already exists. Existing ID: {ada.id}"}}'
    account.faults.add(Fault(409, said.encode()), on="upsert", times=1)
    assert hubspot.upsert_person(replace(ADA, title="CEO"), key="k1") == ada
    assert only(account, "contacts")["jobtitle"] == "CEO"


def test_a_company_that_others_made_is_taken_the_oldest_first_and_gets_our_key(
    account: HubSpotFake, hubspot: HubSpot
) -> None:
    first, _ = (account.portal.make("companies", {"domain": "globex.example", "name": name}) for name in ("A", "B"))
    ref = hubspot.upsert_company(Company("Globex.example", industry="Retail"), key="k1")
    assert (ref.id, ref.created) == (first.id, False)
    assert (first.properties["usher_key"], first.properties["name"]) == ("globex.example", "A")
    account.portal.lagging = True
    assert hubspot.account_by_domain("globex.example").ref == ref


@pytest.mark.parametrize(
    ("given", "kept", "read"),
    [
        ("Computer Software", "COMPUTER_SOFTWARE", "Computer Software"),
        ("Oil & Energy", "OIL_ENERGY", "Oil Energy"),
        ("Energy", "Energy", "Energy"),
        ("Alchemy", None, None),
    ],
)
def test_an_industry_is_one_of_the_accounts_list_or_left_out(
    account: HubSpotFake, hubspot: HubSpot, given: str, kept: str | None, read: str | None
) -> None:
    account.portal.add_option("companies", "industry", "Energy")
    ref = hubspot.upsert_company(Company("globex.example", name="Globex", industry=given), key="k1")
    assert only(account, "companies").get("industry") == kept
    assert hubspot.companies([ref])[ref.id].industry == read


def test_an_account_without_target_accounts_gets_the_company_without(account: HubSpotFake, hubspot: HubSpot) -> None:
    del account.portal.properties["companies"]["hs_is_target_account"]
    hubspot.upsert_company(Company("globex.example", name="Globex", industry="Alchemy", is_target=True), key="k1")
    assert only(account, "companies")["name"] == "Globex"


def test_a_second_address_finds_the_contact_and_does_not_become_the_first(
    account: HubSpotFake, hubspot: HubSpot, ada: Ref
) -> None:
    account.edit("contacts", ada.id, {"email": "countess@globex.example"})
    assert hubspot.upsert_person(replace(ADA, title="CEO"), key="k1") == ada
    found = only(account, "contacts")
    assert (found["email"], found["hs_additional_emails"]) == ("countess@globex.example", ADA.email)
    assert found["jobtitle"] == "CEO"


def test_none_leaves_and_empty_clears(account: HubSpotFake, hubspot: HubSpot, ada: Ref) -> None:
    hubspot.upsert_person(Person(ADA.email, phone=""), key="k1")
    found = only(account, "contacts")
    assert "phone" not in found
    assert (found["firstname"], found["lastname"], found["jobtitle"]) == ("Ada", "Lovelace", "CTO")


def test_the_rep_who_is_a_user_of_hubspots_owns_the_person_and_others_change_nothing(
    account: HubSpotFake, hubspot: HubSpot
) -> None:
    grace = account.portal.add_owner("Grace@acme.example", "Grace Hopper")
    hubspot.upsert_person(replace(ADA, owner_email="grace@acme.example"), key="k1")
    assert only(account, "contacts")["hubspot_owner_id"] == grace
    assert hubspot.owner_of(ADA.email).email == "Grace@acme.example"
    hubspot.upsert_person(replace(ADA, owner_email="nobody@acme.example"), key="k2")
    assert only(account, "contacts")["hubspot_owner_id"] == grace
    account.portal.owners[grace]["archived"] = True
    assert opened_on(account, token=KEY).owner_of(ADA.email).active is False


def test_a_person_belongs_to_their_company(account: HubSpotFake, hubspot: HubSpot) -> None:
    globex = hubspot.upsert_company(Company("globex.example"), key="k1")
    ada = hubspot.upsert_person(replace(ADA, company_ref=globex), key="k2")
    hubspot.upsert_person(replace(ADA, company_ref=globex), key="k3")
    assert account.portal.tied("contacts", ada.id, "companies") == [globex.id]


@pytest.mark.parametrize(
    ("now", "status", "then"),
    [
        ("lead", "qualified", "salesqualifiedlead"),
        ("lead", "converted", "opportunity"),
        ("customer", "qualified", "customer"),
        ("opportunity", "qualified", "opportunity"),
        ("customer", "new", "customer"),
        ("lead", "claimed", "lead"),
    ],
)
def test_a_lifecycle_stage_never_goes_back(
    account: HubSpotFake, hubspot: HubSpot, ada: Ref, now: str, status: str, then: str
) -> None:
    account.edit("contacts", ada.id, {"lifecyclestage": now})
    hubspot.upsert_person(replace(ADA, status=status), key="k1")
    assert only(account, "contacts")["lifecyclestage"] == then


def test_a_stage_made_by_the_admin_has_its_place_in_the_admins_order(
    account: HubSpotFake, hubspot: HubSpot, ada: Ref
) -> None:
    options = account.portal.properties["contacts"]["lifecyclestage"]["options"]
    options.append({"label": "Pilot", "value": "998877", "hidden": False, "displayOrder": 4.5})
    account.edit("contacts", ada.id, {"lifecyclestage": "998877"})
    hubspot.upsert_person(replace(ADA, fields={"lifecyclestage": "opportunity"}), key="k1")
    assert only(account, "contacts")["lifecyclestage"] == "998877"
    hubspot.upsert_person(replace(ADA, fields={"lifecyclestage": "customer"}), key="k2")
    assert only(account, "contacts")["lifecyclestage"] == "customer"


def test_a_customer_stays_one_and_flags_and_csm_are_told(account: HubSpotFake) -> None:
    account.portal.add_property("companies", "csm", "number")
    joan = account.portal.add_owner("joan@acme.example", "Joan Clarke")
    subject = opened_on(account, token=KEY, csm_property="csm")
    known = Company("globex.example", is_customer=True, is_target=True, csm_email="joan@acme.example")
    subject.upsert_company(known, key="k1")
    subject.upsert_company(Company("globex.example", is_customer=False), key="k2")
    found = subject.account_by_domain("globex.example")
    assert (found.is_customer, found.is_target, found.csm.email) == (True, True, "joan@acme.example")
    assert only(account, "companies")["csm"] == joan


def test_a_note_says_what_happened_as_text_and_not_as_markup(account: HubSpotFake, hubspot: HubSpot, ada: Ref) -> None:
    chat = replace(CHAT, body="<script>alert(1)</script>\nsecond line", url="https://usher.example.com/c/1?a=1&b=2")
    ref = hubspot.log_activity(ada, chat, key="k1")
    body = only(account, "notes")["hs_note_body"]
    assert "<script>" not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;<br>second line" in body
    assert 'href="https://usher.example.com/c/1?a=1&amp;b=2"' in body
    assert account.portal.tied("notes", ref.id, "contacts") == [ada.id]


def test_a_long_conversation_is_cut_to_what_hubspot_takes(account: HubSpotFake, hubspot: HubSpot, ada: Ref) -> None:
    hubspot.log_activity(ada, replace(CHAT, kind=ActivityKind.CHAT, body="word & word " * 9000), key="k1")
    body = only(account, "notes")["hs_note_body"]
    assert 60_000 < len(body) <= 65_536
    assert body.endswith("…")


LIFE = [
    (MeetingStatus.BOOKED, "SCHEDULED"),
    (MeetingStatus.RESCHEDULED, "RESCHEDULED"),
    (MeetingStatus.HELD, "COMPLETED"),
    (MeetingStatus.NO_SHOW, "NO_SHOW"),
    (MeetingStatus.CANCELLED, "CANCELED"),
]


def test_a_meeting_is_one_record_over_its_whole_life(account: HubSpotFake, hubspot: HubSpot, ada: Ref) -> None:
    refs = set()
    for n, (status, outcome) in enumerate(LIFE):
        moved = replace(DEMO, status=status, start=NOON + timedelta(days=n), end=NOON + timedelta(days=n, minutes=30))
        refs.add(hubspot.log_meeting(ada, moved, key=f"m{n}"))
        assert only(account, "meetings")["hs_meeting_outcome"] == outcome
        (ref,) = refs
        assert hubspot.meetings([ref])[ref.id].status == status
    assert account.portal.tied("meetings", ref.id, "contacts") == [ada.id]


def test_a_meeting_that_hubspot_first_hears_of_when_it_was_missed_is_made_then(
    account: HubSpotFake, hubspot: HubSpot, ada: Ref
) -> None:
    ref = hubspot.log_meeting(ada, replace(DEMO, status=MeetingStatus.NO_SHOW), key="m1")
    assert ref.created
    assert only(account, "meetings")["hs_meeting_outcome"] == "NO_SHOW"


def test_a_meeting_is_read_back_as_it_was_told(account: HubSpotFake, hubspot: HubSpot, ada: Ref) -> None:
    account.portal.add_owner("grace@acme.example")
    told = replace(DEMO, description="Goals:\n- a < b", location="Room 1", owner_email="grace@acme.example", zone="UTC")
    ref = hubspot.log_meeting(ada, told, key="m1")
    found: Meeting = hubspot.meetings([ref, Ref(Kind.MEETING, "1")])[ref.id]
    assert found == told


def test_no_meeting_is_kept_for_somebody_who_is_gone(account: HubSpotFake, hubspot: HubSpot) -> None:
    with pytest.raises(NotFound):
        hubspot.log_meeting(Ref(Kind.PERSON, "7"), DEMO, key="m1")
    assert account.portal.of("meetings") == []


def test_a_converted_person_becomes_an_opportunity_of_their_company(
    account: HubSpotFake, hubspot: HubSpot, ada: Ref
) -> None:
    globex = hubspot.upsert_company(Company("globex.example"), key="k1")
    done = hubspot.convert(ada, key="c1", company=globex, opportunity="Globex: 800 seats")
    deal = only(account, "deals")
    assert (deal["dealname"], deal["pipeline"], deal["dealstage"]) == (
        "Globex: 800 seats",
        "default",
        "appointmentscheduled",
    )
    assert account.portal.tied("deals", done.opportunity.id, "companies") == [globex.id]
    assert only(account, "contacts")["lifecyclestage"] == "opportunity"


def test_erasing_takes_what_we_filed_and_the_person_for_good(account: HubSpotFake, hubspot: HubSpot, ada: Ref) -> None:
    ours = hubspot.log_activity(ada, CHAT, key="k1")
    meeting = hubspot.log_meeting(ada, DEMO, key="m1")
    theirs = account.portal.make("notes", {"hs_timestamp": "1772452800000", "hs_note_body": "a rep's own"})
    account.portal.tie("notes", theirs.id, "contacts", ada.id)
    hubspot.erase(ada, key="e1")
    hubspot.erase(ada, key="e1")
    assert account.portal.records["contacts"] == {}
    assert account.portal.find("notes", ours.id) is None
    assert account.portal.find("meetings", meeting.id) is None
    assert account.portal.find("notes", theirs.id) is theirs


def test_people_and_companies_are_read_with_the_fields_asked_for(account: HubSpotFake, hubspot: HubSpot) -> None:
    account.portal.add_property("contacts", "tier")
    told = Person(
        ADA.email, name="Ada Lovelace", country="DE", locale="de-DE", status="disqualified", fields={"tier": "gold"}
    )
    ada = hubspot.upsert_person(told, key="k1")
    found = hubspot.people([ada], fields=["tier"])[ada.id]
    assert (found.name, found.country, found.locale, found.status) == ("Ada Lovelace", "DE", "de-de", "disqualified")
    assert found.fields == {"tier": "gold"}
    assert found.opted_out is None


def test_fields_tell_type_choices_and_who_may_write_them(account: HubSpotFake, hubspot: HubSpot) -> None:
    account.portal.add_property("contacts", "tier", "enumeration", options=("gold", "silver"))
    account.portal.add_property("contacts", "topics", "enumeration", options=("a", "b"), field_type="checkbox")
    account.portal.add_property(
        "contacts", "vip", "enumeration", options=("true", "false"), field_type="booleancheckbox"
    )
    account.portal.properties["contacts"]["topics"]["options"][1]["hidden"] = True
    account.portal.add_property("contacts", "secret_sauce")
    account.portal.properties["contacts"]["secret_sauce"]["hidden"] = True
    found = {field.name: field for field in hubspot.fields_of(Kind.PERSON)}
    assert (found["tier"].type, found["tier"].choices, found["tier"].custom) == ("choice", ("gold", "silver"), True)
    assert (found["topics"].type, found["topics"].choices, found["vip"].type) == ("choices", ("a",), "boolean")
    assert (found["email"].ours, found["email"].required, found["email"].custom) == ("email", True, False)
    assert (found["lastmodifieddate"].type, found["lastmodifieddate"].writable) == ("moment", False)
    assert "secret_sauce" not in found


def test_what_a_company_cannot_be_made_without_is_asked_where_one_may(account: HubSpotFake, hubspot: HubSpot) -> None:
    account.scopes.add("crm.schemas.custom.read")
    required: list[Any] = [field.name for field in hubspot.fields_of(Kind.COMPANY) if field.required]
    assert required == ["name"]


def test_companies_are_found_by_their_whole_name(account: HubSpotFake, hubspot: HubSpot) -> None:
    for name in ("Globex", "globex ", "Globex Energy"):
        account.portal.make("companies", {"name": name.strip()})
    assert len(hubspot.companies_named(" GLOBEX")) == 2
    assert hubspot.companies_named("Initech") == []


def test_a_record_is_opened_where_the_account_shows_it(hubspot: HubSpot) -> None:
    assert hubspot.upsert_person(ADA, key="k1").url == ""
    hubspot.check()
    ref = hubspot.upsert_person(ADA, key="k2")
    assert ref.url == f"https://app.hubspot.com/contacts/145678/record/0-1/{ref.id}"
