"""What a reader sees of a mail: dates as at home, sentences as they begin there, an invitation of fair size."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from pydantic import TypeAdapter

from plugins.notify import Mail
from plugins.notify.message import compose
from server.booking import service as booking
from server.booking.invitations import links
from server.booking.invitations.mail_texts import LABELS, TEXTS
from server.events import Actor
from tests.booking.conftest import ADA, GOAL, MEETINGS, NINE, SITE
from tests.booking.itip_rules import check
from tests.booking.test_meetings import deliveries, mails

HOUR = timedelta(hours=1)
CHOICE = """notice_minutes: 0, pool: sales,
     locations: [{kind: video}, {kind: phone}, {kind: in_person, address: "Main Street 1, Berlin; ring twice"}]"""


@pytest.fixture
def db(sqlite_db):
    """What is written is the same on both databases."""
    return sqlite_db


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en-GB", "Tuesday, 3 March 2026, 08:00 – 08:30"),
        ("en-US", "Tuesday, March 3, 2026, 8:00\u202fAM"),
        ("de-AT", "Dienstag, 3. März 2026, 08:00"),
        ("en", "Tuesday, 3 March 2026, 08:00"),
        ("en-XX", "Tuesday, 3 March 2026, 08:00"),
        ("pt-BR", "Tuesday, 3 March 2026, 08:00"),
    ],
)
def test_a_visitor_reads_dates_as_at_home(db, version, book, locale, written):
    meeting = book(who=ADA | {"locale": locale, "zone": "Europe/London"})
    assert written in deliveries(db, meeting, "notify")[0].payload["mail"]["text"]


def test_an_english_mail_goes_on_with_a_capital(db, version, book):
    assert "\n\nYour meeting is booked." in deliveries(db, book(), "notify")[0].payload["mail"]["text"]


@pytest.mark.parametrize(
    "zone", ["Europe/London", "America/New_York", "Asia/Kolkata", "UTC", "Australia/Lord_Howe", "Africa/Casablanca"]
)
def test_an_invitation_tells_the_zone_in_few_words(db, version, book, zone):
    meeting = book(who=ADA | {"zone": zone})
    (_, _, _, ics), *_ = mails(db, meeting)
    event = next(iter(Calendar.from_ical(ics).walk("VEVENT")))
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (meeting.start_at, meeting.end_at)
    for component in Calendar.from_ical(ics).walk("VTIMEZONE"):
        told = component.to_tz()
        assert meeting.start_at.astimezone(told).utcoffset() == meeting.start_at.astimezone(ZoneInfo(zone)).utcoffset()
        assert len(component.to_ical()) < 1_400


def test_every_kind_of_mail_is_written_in_every_language():
    kinds = {language: set(texts) for language, texts in TEXTS.items()}
    assert set(kinds) == set(LABELS) == {"en", "de", "fr", "es"}
    assert len({frozenset(some) for some in [*kinds.values()]}) == 1
    assert len({frozenset(labels) for labels in LABELS.values()}) == 1
    for texts in TEXTS.values():
        for subject, sentence in texts.values():
            filled = f"{subject} {sentence}".format(meeting="m", rep="r", visitor="v", who="w", start="s")
            assert "{" not in filled


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
def test_places_are_told_to_each_reader_in_their_words(db, apply, book, language):
    version = apply(meetings=MEETINGS.replace("notice_minutes: 0, pool: sales, location: {kind: phone}", CHOICE))
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="intro", start=NINE)
        told = ADA | {"locale": language, "phone": "+49 30 1234567", "place": "phone"}
        meeting = booking.confirm(tx, version, held.id, **told)
    to_visitor, to_rep = (one.payload["mail"]["text"] for one in deliveries(db, meeting, "notify")[:2])
    calls = {"en": "We call you", "de": "Wir rufen Sie an", "fr": "Nous vous appelons", "es": "Le llamamos"}
    assert f"{calls[language]}: +49 30 1234567" in to_visitor
    assert "You call: +49 30 1234567" in to_rep


def test_a_video_meeting_is_in_the_reps_own_room_and_another_kind_is_not(db, apply):
    version = apply(meetings=MEETINGS.replace("notice_minutes: 0, pool: sales, location: {kind: phone}", CHOICE))
    seen = {}
    for place, start in (("video", NINE), ("in_person", NINE + HOUR), ("", NINE + 2 * HOUR)):
        with db.transaction() as tx:
            held = booking.hold(tx, version, meeting="intro", start=start, rep="grace")
            meeting = booking.confirm(tx, version, held.id, **ADA, place=place)
        seen[place] = links.place(version, meeting)
    assert seen["video"].url == seen[""].url == "https://meet.example/grace"
    assert seen["in_person"].text == "Main Street 1, Berlin; ring twice"


def test_the_links_add_the_same_meeting_to_google_and_outlook(db, version, book):
    meeting = book(who=ADA | {"name": "Ada & Bob + Zoë #1 100%", "zone": "Asia/Kathmandu"})
    shown = booking.shown(version, meeting)
    google, outlook = urlsplit(shown["google_url"]), urlsplit(shown["outlook_url"])
    assert (google.hostname, google.path) == ("calendar.google.com", "/calendar/render")
    assert (outlook.hostname, outlook.path) == ("outlook.office.com", "/calendar/0/deeplink/compose")
    given, wanted = (dict(parse_qsl(one.query, strict_parsing=True)) for one in (google, outlook))
    title = "Product demo: Ada & Bob + Zoë #1 100%, Acme Analytics"
    assert (given["action"], given["text"], wanted["subject"]) == ("TEMPLATE", title, title)
    assert (given["dates"], given["ctz"]) == ("20260303T080000Z/20260303T083000Z", "Asia/Kathmandu")
    assert (wanted["startdt"], wanted["enddt"]) == ("2026-03-03T08:00:00Z", "2026-03-03T08:30:00Z")
    assert (wanted["path"], wanted["rru"]) == ("/calendar/action/compose", "addevent")
    assert given["details"] == wanted["body"] == shown["manage_url"]
    assert given["location"] == wanted["location"] == "https://meet.example/grace"
    assert "+" not in google.query + outlook.query  # Outlook shows it as a plus, not as a space


def test_a_colleague_who_takes_over_at_the_same_time_is_told_so(db, apply, book):
    version = apply(site=SITE.replace("hello@acme.example", "hello@acme.example, replies: meet@acme.example"))
    meeting = book()
    sent = len(mails(db, meeting))
    with db.transaction() as tx:
        after = booking.reassign(tx, version, meeting.id, "linus", by=Actor("user", "usr_1"))
    told = mails(db, after, sent)
    assert sorted((to, method, subject) for to, subject, method, _ in told) == [
        ("Ada@globex.example", "REQUEST", "Now with Linus Pauling: Product demo"),
        ("grace@acme.example", "CANCEL", "Off your calendar: Product demo with Ada Byron"),
        ("linus@acme.example", "REQUEST", "New meeting: Product demo with Ada Byron"),
    ]
    for _, _, method, text in told:
        assert check(text, method).value("SEQUENCE") == "1"
    reminders = [
        one.payload["mail"]["subject"] for one in deliveries(db, after, "notify", "waiting") if "reminder" in one.key
    ]
    assert all("Linus Pauling" in subject for subject in reminders)


WITHDRAWN = {
    "en": ("Withdrawn (Tue, 3 Mar, 09:00)", "was moved to a time when Grace", "Grace Hopper hands your meeting"),
    "de": ("Aufgehoben (Di., 3. März, 09:00)", "auf eine Zeit verschoben, zu der Grace", "Grace Hopper gibt Ihren"),
    "fr": ("Retiré (mar. 3 mars, 09:00)", "déplacé à une heure où Grace", "Grace Hopper confie votre"),
    "es": ("Retirada (mar, 3 mar, 9:00)", "pasado a una hora en la que Grace", "Grace Hopper pasa su"),
}


@pytest.mark.parametrize("language", WITHDRAWN)
@pytest.mark.parametrize("moved", [True, False])
def test_a_withdrawn_invitation_speaks_of_the_old_meeting_and_says_why(db, version, book, language, moved):
    subject, *why = WITHDRAWN[language]
    meeting = book(who=ADA | {"zone": "Europe/Berlin", "locale": language})
    book(NINE + HOUR, who=ADA | {"email": "bob@globex.example"}, rep="grace")
    sent, by = len(deliveries(db, meeting, "notify")), Actor("user", "usr_1")
    with db.transaction() as tx:
        if moved:
            after = booking.reschedule(tx, version, meeting.id, NINE + HOUR, by=by)
        else:
            after = booking.reassign(tx, version, meeting.id, "linus", by=by)
    assert (meeting.rep, after.rep) == ("grace", "linus")
    told = [one.payload["mail"] for one in deliveries(db, after, "notify")[sent:]]
    withdrawn = [one for one in told if one.get("calendar", {}).get("method") == "CANCEL"]
    (mail,) = [one for one in withdrawn if one["to"] == meeting.email]
    assert mail["subject"].startswith(subject)
    assert why[0 if moved else 1] in mail["text"]
    assert "https://meet.example/grace" in mail["text"]
    assert "Linus" not in mail["text"]
    assert not re.search("10.00", mail["text"])  # the new time
    for one in withdrawn:
        event = check(one["calendar"]["ics"], "CANCEL")
        read = next(iter(Calendar.from_ical(one["calendar"]["ics"]).walk("VEVENT")))
        assert (read["DTSTART"].dt, read["DTEND"].dt) == (NINE, NINE + HOUR / 2)
        assert (event.value("LOCATION"), event.value("SEQUENCE")) == ("https://meet.example/grace", "1")
        assert event.value("UID") == meeting.uid
    assert len(withdrawn) == 2  # the visitor and Grace


def test_a_colleague_who_replaces_one_of_several_hosts_is_told_of_without_a_new_time(db, version, book):
    meeting = book(meeting="panel")
    sent = len(mails(db, meeting))
    with db.transaction() as tx:
        after = booking.reassign(tx, version, meeting.id, "margaret", by=Actor("user", "usr_1"), leaving="linus")
    assert sorted((to, method, subject) for to, subject, method, _ in mails(db, after, sent)) == [
        ("Ada@globex.example", "REQUEST", "Changed: Panel with Grace Hopper"),
        ("grace@acme.example", "REQUEST", "Changed: Panel with Ada Byron"),
        ("linus@acme.example", "CANCEL", "Off your calendar: Panel with Ada Byron"),
        ("margaret@acme.example", "REQUEST", "New meeting: Panel with Ada Byron"),
    ]


def test_an_owner_who_had_no_time_hears_in_the_sites_language_who_meets_the_account(db, apply):
    version = apply(site=SITE.replace("zone: Europe/Berlin", "zone: Europe/Berlin\nlocale: de"))
    with db.transaction() as tx:
        held = booking.hold(tx, version, meeting="demo", start=NINE, rep="linus", passed_over="grace")
        meeting = booking.confirm(tx, version, held.id, **ADA, **GOAL)
    [word] = [one.payload["mail"] for one in deliveries(db, meeting, "notify") if "passed_over" in one.key]
    assert (word["to"], word["subject"]) == (
        "grace@acme.example", "Linus Pauling trifft Ihren Kunden: Produktvorführung mit Ada Byron",
    )  # fmt: skip
    assert f"/meetings/{meeting.id}" in word["text"]


def test_a_rep_gets_no_reminder(db, version, book):
    reminders = [
        one.payload["mail"]["to"] for one in deliveries(db, book(NINE + HOUR), "notify") if "reminder" in one.key
    ]
    assert set(reminders) == {"Ada@globex.example"}


def test_an_invitation_arrives_as_a_part_with_its_method_and_as_a_file(db, version, book):
    meeting = book(who=ADA | {"name": "Zoë"})
    mail = TypeAdapter(Mail).validate_python(deliveries(db, meeting, "notify")[0].payload["mail"])
    raw = compose(mail, key="k", from_address="hello@acme.example").as_bytes()
    read = message_from_bytes(raw, policy=default)
    alternatives, file = read.iter_parts()
    assert read.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in alternatives.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    part = list(alternatives.iter_parts())[-1]
    assert (part.get_param("method"), part.get_content_charset()) == ("REQUEST", "utf-8")
    assert (file.get_content_type(), file.get_filename()) == ("application/ics", "invite.ics")
    assert file.get_content().decode() == part.get_payload(decode=True).decode() == mail.calendar.ics
