"""What changes in HubSpot reaches us: by looking, though its index lags, and by its calls, which come twice."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from plugins.crm import Change, Company, Kind, Ref
from plugins.crm.hubspot import HubSpot
from plugins.errors import PermissionDenied
from plugins.testing.crm import ADA
from plugins.testing.fakes.hubspot import KEY, HubSpotFake
from plugins.testing.fakes.hubspot.sign_in import CLIENT_SECRET
from tests.plugins.crm.hubspots import NOW, account, hubspot, opened_on, running

__all__ = ["account", "hubspot", "running"]
HOOK = "https://usher.example.com/v1/hooks/con_1"


def all_since(subject: HubSpot, cursor: str, limit: int = 200) -> tuple[list[Change], str]:
    told, more = [], True
    while more:
        page = subject.changes(cursor, limit=limit)
        told += page.items
        cursor, more = page.cursor, page.more
    return told, cursor


def told(subject: HubSpot, account: HubSpotFake, events: Iterable[Any] | None = None) -> list[Change]:
    call = account.told_by(HOOK, NOW, events=None if events is None else list(events))
    call = replace(call, secret=CLIENT_SECRET)
    return [change for message in subject.hear(call).messages for change in subject.told(message.data)]


def test_more_changes_of_one_moment_than_a_page_holds_are_all_told_once(account: HubSpotFake, hubspot: HubSpot) -> None:
    start = hubspot.changes().cursor
    made = [account.portal.make("contacts", {"email": f"p{n}@globex.example"}) for n in range(450)]
    for one in made:
        one.changed, one.properties["lastmodifieddate"] = made[0].changed, made[0].properties["lastmodifieddate"]
    seen, cursor = all_since(hubspot, start)
    assert sorted(change.ref.id for change in seen) == sorted(one.id for one in made)
    assert hubspot.changes(cursor).items == ()


def test_no_page_is_asked_for_by_number_so_ten_thousand_are_no_end(account: HubSpotFake, hubspot: HubSpot) -> None:
    start = hubspot.changes().cursor
    for n in range(230):
        account.portal.make("contacts", {"email": f"p{n}@globex.example"})
    seen, _ = all_since(hubspot, start, limit=100)
    assert len(seen) == 230
    bodies = [asked.json() for asked in account.asked if asked.path.endswith("/search")]
    assert {body["after"] for body in bodies} == {""}


def test_what_the_index_shows_late_is_told_all_the_same(account: HubSpotFake, hubspot: HubSpot) -> None:
    start = hubspot.changes().cursor
    account.portal.lagging = True
    late = account.portal.make("contacts", {"email": "late@globex.example"})
    early = account.portal.make("contacts", {"email": "early@globex.example"})
    account.portal.catch_up()
    hidden = account.portal._index["contacts"].pop(late.id)
    seen, cursor = all_since(hubspot, start)
    assert [change.ref.id for change in seen] == [early.id]
    account.portal._index["contacts"][late.id] = hidden
    seen, cursor = all_since(hubspot, cursor)
    assert [change.ref.id for change in seen] == [late.id]
    assert hubspot.changes(cursor).items == ()


def test_what_lies_in_the_bin_is_told_once_and_what_lay_there_before_is_not(
    account: HubSpotFake, hubspot: HubSpot
) -> None:
    made = [account.portal.make("contacts", {"email": f"p{n}@globex.example"}) for n in range(125)]
    for one in made[:115]:
        account.portal.archive("contacts", one.id)
        one.changed -= timedelta(days=1)
    start = hubspot.changes().cursor
    globex = account.portal.make("companies", {"domain": "globex.example"})
    for one in made[118:]:
        account.portal.archive("contacts", one.id)
    account.portal.archive("companies", globex.id)
    seen, cursor = all_since(hubspot, start, limit=4)
    gone = [change.ref.id for change in seen if change.deleted]
    assert gone == [*(one.id for one in made[118:]), globex.id]
    assert hubspot.changes(cursor).items == ()


def test_a_record_that_changes_while_we_look_is_told_and_hides_no_other(account: HubSpotFake, hubspot: HubSpot) -> None:
    start = hubspot.changes().cursor
    made = [account.portal.make("contacts", {"email": f"p{n}@globex.example"}) for n in range(6)]
    first = hubspot.changes(start, limit=3)
    account.edit("contacts", made[0].id, {"jobtitle": "CEO"})
    seen, _ = all_since(hubspot, first.cursor, limit=3)
    assert {change.ref.id for change in [*first.items, *seen]} == {one.id for one in made}
    assert [change.values["title"] for change in seen if change.ref.id == made[0].id] == ["CEO"]


def test_changes_of_people_and_companies_come_in_one_order_by_our_names(account: HubSpotFake, hubspot: HubSpot) -> None:
    grace = account.portal.add_owner("grace@acme.example")
    start = hubspot.changes().cursor
    ada = hubspot.upsert_person(ADA, key="k1")
    globex = hubspot.upsert_company(Company("globex.example", name="Globex"), key="k2")
    account.edit("companies", globex.id, {"lifecyclestage": "customer", "hubspot_owner_id": grace})
    account.edit("contacts", ada.id, {"hs_lead_status": "UNQUALIFIED"})
    seen, _ = all_since(hubspot, start, limit=1)
    assert [change.ref for change in seen] == [globex, ada]
    assert seen[0].values["is_customer"] is True
    assert seen[0].values["owner_email"] == "grace@acme.example"
    assert seen[1].values["status"] == "disqualified"


def test_the_signature_is_judged_over_the_address_as_hubspot_decodes_it(account: HubSpotFake, hubspot: HubSpot) -> None:
    account.note("contact.deletion", "151")
    address = f"{HOOK}?a=%3A%2F%40&b=%20%25&c=d"
    call = replace(account.told_by(address, NOW), secret=CLIENT_SECRET)
    assert len(hubspot.hear(call).messages) == 1
    with pytest.raises(PermissionDenied):
        hubspot.hear(replace(call, url=f"{address}&d=1"))


def test_the_client_secret_of_the_settings_is_what_counts(account: HubSpotFake) -> None:
    subject = opened_on(account, client_id="an app", client_secret="another secret")
    account.note("contact.deletion", "151")
    with pytest.raises(PermissionDenied):
        subject.hear(replace(account.told_by(HOOK, NOW), secret=CLIENT_SECRET))
    assert subject.hear(account.told_by(HOOK, NOW, secret="another secret")).messages


def test_without_a_secret_nobody_is_believed(account: HubSpotFake, hubspot: HubSpot) -> None:
    account.note("contact.deletion", "151")
    with pytest.raises(PermissionDenied):
        hubspot.hear(account.told_by(HOOK, NOW, secret=""))


def test_another_attempt_at_an_event_has_the_same_name_and_an_equal_event_id_alone_does_not(
    account: HubSpotFake, hubspot: HubSpot
) -> None:
    one = account.note("contact.propertyChange", "151", propertyName="jobtitle", propertyValue="CEO")
    other = {**one, "objectId": 152}
    call = account.told_by(HOOK, NOW, events=[one, {**one, "attemptNumber": 3}, other])
    names = [message.id for message in hubspot.hear(replace(call, secret=CLIENT_SECRET)).messages]
    assert names[0] == names[1] != names[2]


def test_events_of_another_account_with_the_same_app_are_left_out(account: HubSpotFake, hubspot: HubSpot) -> None:
    hubspot.check()
    mine = account.note("contact.deletion", "151")
    foreign = {**mine, "portalId": 1}
    assert [change.ref.id for change in told(hubspot, account, [foreign, mine])] == ["151"]


@pytest.mark.parametrize(
    ("source", "by", "ours"),
    [("INTEGRATION", "9393361", True), ("INTEGRATION", "1", False), ("CRM_UI", "userId:1", False)],
)
def test_what_our_app_changed_itself_is_ours(
    account: HubSpotFake, hubspot: HubSpot, source: str, by: str, ours: bool
) -> None:
    ada = account.portal.make("contacts", {"email": ADA.email})
    account.edit("contacts", ada.id, {"jobtitle": "CEO"}, source=source, by=by)
    (change,) = told(hubspot, account)
    assert (change.ref, change.ours, dict(change.values)) == (Ref(Kind.PERSON, ada.id), ours, {"title": "CEO"})


def test_changed_properties_speak_our_language(account: HubSpotFake) -> None:
    grace, joan = account.portal.add_owner("grace@acme.example"), account.portal.add_owner("joan@acme.example")
    account.portal.add_property("companies", "csm", "number")
    subject = opened_on(account, token=KEY, csm_property="csm")
    ada = account.portal.make("contacts", {"email": ADA.email})
    globex = account.portal.make("companies", {"domain": "globex.example"})
    account.edit("contacts", ada.id, {"hubspot_owner_id": grace, "hs_lead_status": "UNQUALIFIED", "phone": ""})
    account.edit("companies", globex.id, {"lifecyclestage": "customer", "numberofemployees": "800", "csm": joan})
    account.edit("companies", globex.id, {"hs_is_target_account": "true"})
    values = [dict(change.values) for change in told(subject, account)]
    assert values == [
        {"owner_email": "grace@acme.example"}, {"status": "disqualified"}, {"phone": None},
        {"is_customer": True}, {"employees": 800}, {"csm_email": "joan@acme.example"}, {"is_target": True},
    ]  # fmt: skip


def test_new_restored_and_deleted_people_are_told_apart(account: HubSpotFake, hubspot: HubSpot) -> None:
    ada = account.portal.make("contacts", {"email": ADA.email, "jobtitle": "CTO"})
    account.note("contact.creation", ada.id)
    account.note("object.restore", ada.id)
    account.note("contact.privacyDeletion", "77")
    changes = told(hubspot, account)
    assert [(change.ref.id, change.deleted) for change in changes] == [
        (ada.id, False), (ada.id, False), ("77", True),
    ]  # fmt: skip
    assert changes[0].values["title"] == "CTO"


MERGED = [("contacts", True), ("contacts", False), ("companies", True), ("companies", False)]
"""Of which kind, and whether the merge makes a new record."""


def pair(account: HubSpotFake, type: str) -> tuple[str, str]:
    """Two records of one and the same."""
    marks = [{"email": f"{n}@globex.example"} if type == "contacts" else {"domain": "globex.example"} for n in "ab"]
    first, other = (account.portal.make(type, mark).id for mark in marks)
    return first, other


@pytest.mark.parametrize(("type", "new"), MERGED)
def test_a_call_about_a_merge_tells_every_record_where_it_went(
    account: HubSpotFake, hubspot: HubSpot, type: str, new: bool
) -> None:
    first, other = pair(account, type)
    kept = account.portal.merge(type, first, other, new=new).id
    ids = {"primaryObjectId": int(first), "mergedObjectIds": [int(other)], "newObjectId": int(kept)}
    account.note(f"{'contact' if type == 'contacts' else 'company'}.merge", first, **ids)
    now, *gone = told(hubspot, account)
    assert (now.ref.id, now.deleted) == (kept, False)
    assert {change.ref.id for change in gone} == ({first, other} if new else {other})
    assert {(change.became.id, change.deleted) for change in gone if change.became} == {(kept, True)}


@pytest.mark.parametrize(("type", "new"), MERGED)
def test_a_look_tells_what_was_merged_with_the_record_that_it_went_into(
    account: HubSpotFake, hubspot: HubSpot, type: str, new: bool
) -> None:
    first, other = pair(account, type)
    gone = account.portal.make(type, {"domain": "other.example"} if type == "companies" else {"email": "c@x.example"})
    start = hubspot.changes().cursor
    kept = account.portal.merge(type, first, other, new=new).id
    account.portal.archive(type, gone.id)
    seen, _ = all_since(hubspot, start)
    became = {change.ref.id: change.became and change.became.id for change in seen if change.deleted}
    assert became == {**({first: kept} if new else {}), other: kept, gone.id: None}


@pytest.mark.parametrize(("type", "new"), MERGED)
def test_who_was_merged_is_read_by_the_former_id(account: HubSpotFake, hubspot: HubSpot, type: str, new: bool) -> None:
    first, other = pair(account, type)
    kept = account.portal.merge(type, first, other, new=new).id
    kind, read = (Kind.PERSON, hubspot.people) if type == "contacts" else (Kind.COMPANY, hubspot.companies)
    found = read([Ref(kind, id) for id in (first, other, "77")])
    assert set(found) == {first, other}
    assert found[first] == found[other] == read([Ref(kind, kept)])[kept]


@pytest.mark.parametrize("what", ["deal.creation", "object.associationChange", "contact.associationChange"])
def test_what_does_not_concern_people_and_companies_tells_nothing(
    account: HubSpotFake, hubspot: HubSpot, what: str
) -> None:
    account.note(what, "151")
    assert told(hubspot, account) == []


def test_a_signature_over_other_words_is_not_believed_by_a_prefix(account: HubSpotFake, hubspot: HubSpot) -> None:
    account.note("contact.deletion", "151")
    call = replace(account.told_by(HOOK, NOW), secret=CLIENT_SECRET)
    cut = {**call.headers, "X-HubSpot-Signature-v3": call.headers["X-HubSpot-Signature-v3"][:10]}
    with pytest.raises(PermissionDenied):
        hubspot.hear(replace(call, headers=cut))
    for stamp in ("", "soon", "9" * 15, "9" * 40, str(round((NOW - timedelta(minutes=6)).timestamp() * 1000))):
        with pytest.raises(PermissionDenied):
            hubspot.hear(replace(call, headers={**call.headers, "X-HubSpot-Request-Timestamp": stamp}))
    assert json.loads(call.body)
