"""The page of one meeting: look, move, cancel, without a script."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

import pytest

from server import clock
from server.booking import service as booking
from server.config import service as config
from server.events import SYSTEM
from server.routing.team import Team
from server.sections import SECTIONS
from tests.web.test_booking import first_start, hold, meet


@pytest.fixture
def path(client):
    """The page of a booked meeting."""
    made = meet(client, hold(client, first_start(client)).json["hold"]["token"], zone="America/New_York", locale="de")
    return made.json["meeting"]["manage_url"].removeprefix("http://usher.test")


def starts(page):
    return re.findall(r'name="start" value="([^"]+)"', page)


def test_it_says_when_in_the_visitors_zone_and_language(client, path):
    html = client.get(path).text
    assert 'lang="de"' in html
    assert "America/New_York" in html
    assert "Montag, 2. März 2026" in html
    assert "Ihr Termin ist gebucht." in html


def test_the_present_time_is_not_offered_as_another_one(client):
    start = first_start(client)
    made = meet(client, hold(client, start).json["hold"]["token"]).json["meeting"]
    offered = starts(client.get(made["manage_url"].removeprefix("http://usher.test") + "/reschedule").text)
    assert offered
    assert start not in offered


def test_it_moves_the_meeting_to_another_open_time(client, path):
    choices = starts(client.get(f"{path}/reschedule").text)
    moved = client.post(f"{path}/reschedule", data={"start": choices[5]}, follow_redirects=True)
    assert moved.status_code == 200
    assert "Ihr Termin wurde verschoben" in moved.text


def test_a_time_lost_meanwhile_shows_what_is_open_now(client, path):
    start = starts(client.get(f"{path}/reschedule").text)[5]
    while hold(client, start).status_code == 201:
        pass
    lost = client.post(f"{path}/reschedule", data={"start": start})
    assert lost.status_code == 409
    assert "Jemand war schneller" in lost.text
    assert start not in starts(lost.text)
    assert starts(lost.text)


@pytest.mark.parametrize(
    ("start", "status", "says"),
    [
        ("2026-03-01T09:00:00Z", 409, "Diese Zeit ist schon vorbei."),
        ("2026-03-04T14:07:00Z", 409, "Diese Zeit kann nicht gebucht werden."),  # off the grid
        ("2026-03-07T23:00:00Z", 409, "Diese Zeit kann nicht gebucht werden."),  # a closed day
        ("2027-12-01T14:00:00Z", 409, "Diese Zeit kann nicht gebucht werden."),  # beyond the dates
        ("2026-03-02T08:05:00Z", 409, "Diese Zeit ist zu bald."),
        ("soon", 422, "Bitte wählen Sie eine der gezeigten Zeiten."),
        ("2026-03-02T09:00:00", 422, "Bitte wählen Sie eine der gezeigten Zeiten."),
    ],
)
def test_a_time_that_could_never_be_booked_is_refused_for_its_own_reason(client, path, start, status, says):
    refused = client.post(f"{path}/reschedule", data={"start": start, "seen": "0"})
    assert refused.status_code == status
    assert says in refused.text
    assert "Jemand war schneller" not in refused.text
    assert starts(refused.text)


@pytest.mark.parametrize(
    ("accepted", "says"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "Dieser Link ist ungültig."),
        ("fr", "Ce lien n'est pas valide."),
        ("es-MX", "Este enlace no es válido."),
        ("pt", "This link is not valid."),
    ],
)
def test_a_wrong_link_is_refused_in_the_browsers_language(client, path, accepted, says):
    headers = {"Accept": "text/html", "Accept-Language": accepted}
    answer = client.get(path[:-3] + "xyz", headers=headers)
    assert (answer.status_code, says in html.unescape(answer.text)) == (404, True)


def test_it_is_cancelled_once_and_says_so(client, path):
    assert "wirklich" in client.get(f"{path}/cancel").text or "absagen?" in client.get(f"{path}/cancel").text
    for _ in range(2):
        done = client.post(f"{path}/cancel", data={"reason": "ill"}, follow_redirects=True)
        assert "Dieser Termin wurde abgesagt." in done.text
    assert "Anderen Termin wählen" not in client.get(path).text


def test_the_invitation_is_a_file(client, path):
    answer = client.get(f"{path}/invite.ics")
    assert answer.content_type.startswith("text/calendar")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "METHOD:PUBLISH" in answer.text
    client.post(f"{path}/cancel")
    assert "STATUS:CANCELLED" in client.get(f"{path}/invite.ics").text


@pytest.mark.parametrize("rest", ["", "/reschedule", "/cancel", "/invite.ics"])
def test_a_link_that_was_changed_is_a_friendly_404(client, path, rest):
    answer = client.get(path[:-3] + "xyz" + rest, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "This link is not valid" in answer.text


@pytest.mark.parametrize(
    "start", ["", "soon", "2026-03-02T09:00:00", "0001-01-01T00:00:00+14:00", "2026-03-02T09:00:30Z"]
)
def test_an_odd_time_is_refused_and_nothing_moves(client, path, start):
    before = client.get(path).text
    assert 400 <= client.post(f"{path}/reschedule", data={"start": start}).status_code < 500
    assert client.get(path).text == before


@pytest.mark.parametrize("query", ["zone=Mars", "zone=../etc", "from=never", "from=9999-12-31", "told=<script>"])
def test_odd_words_in_the_address_break_nothing(client, path, query):
    for page in (path, f"{path}/reschedule"):
        answer = client.get(f"{page}?{query}")
        assert answer.status_code == 200
        assert "<script>" not in answer.text


def test_a_past_meeting_cannot_be_changed(client, path, monday):
    monday.advance(timedelta(days=30))
    assert "Anderen Termin wählen" not in client.get(path).text
    assert client.post(f"{path}/cancel").status_code == 410


def test_the_page_allows_no_script_and_is_kept_by_nobody(client, path):
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "<script" not in client.get(path).text


def test_a_reason_that_no_database_can_store_is_refused_and_nothing_is_cancelled(client, path):
    answer = client.post(f"{path}/cancel", data={"reason": "ill\x00"}, headers={"Accept": "text/html"})
    assert (answer.status_code, "Damit können wir nichts anfangen." in answer.text) == (422, True)
    assert "Ihr Termin ist gebucht." in client.get(path).text


def test_when_it_was_moved_or_cancelled_elsewhere_the_page_says_so_and_shows_it_as_it_is(client, path):
    page = client.get(f"{path}/reschedule").text
    assert 'name="seen" value="0"' in page
    choices = starts(page)
    client.post(f"{path}/reschedule", data={"start": choices[3], "seen": "0"})
    late = client.post(f"{path}/reschedule", data={"start": choices[5], "seen": "0"})
    assert late.status_code == 409
    assert "wurde inzwischen geändert" in late.text
    late = client.post(f"{path}/cancel", data={"seen": "0"})
    assert (late.status_code, "wurde inzwischen geändert" in late.text) == (409, True)
    client.post(f"{path}/cancel", data={"seen": "1"})
    gone = client.post(f"{path}/reschedule", data={"start": choices[5], "seen": "1"})
    assert (gone.status_code, "Dieser Termin wurde abgesagt." in gone.text) == (410, True)


def test_a_meeting_that_cannot_be_changed_offers_no_times(client, path, monday):
    client.post(f"{path}/cancel")
    for page in ("reschedule", "cancel"):
        answer = client.get(f"{path}/{page}")
        assert answer.status_code == 410
        assert "Dieser Termin wurde abgesagt." in answer.text
        assert starts(answer.text) == []


def test_the_page_says_when_it_has_begun_and_when_it_has_passed(client, monday):
    start = first_start(client)
    made = meet(client, hold(client, start).json["hold"]["token"]).json["meeting"]
    page = made["manage_url"].removeprefix("http://usher.test")
    monday.advance(datetime.fromisoformat(start) - clock.now())
    assert "Your meeting has begun." in client.get(page).text
    monday.advance(timedelta(hours=1))
    assert "This meeting has passed." in client.get(page).text
    assert client.get(f"{page}/reschedule").status_code == 410


def test_a_second_meeting_at_the_same_time_is_refused_in_the_visitors_words(client):
    first = first_start(client)
    made = meet(client, hold(client, first).json["hold"]["token"], locale="fr").json["meeting"]
    page = made["manage_url"].removeprefix("http://usher.test")
    other = starts(client.get(f"{page}/reschedule").text)[4]
    meet(client, hold(client, other).json["hold"]["token"], locale="fr")
    refused = client.post(f"{page}/reschedule", data={"start": other, "seen": "0"})
    assert refused.status_code == 409
    assert "Vous avez un autre rendez-vous à cette heure." in refused.text
    assert starts(refused.text)


def test_later_days_follow_and_lead_back_and_a_zone_keeps_the_days(client, path):
    page = client.get(f"{path}/reschedule").text
    later = re.search(r'href="([^"]+from=[^"]+)"', page)[1].replace("&amp;", "&")
    second = client.get(later).text
    assert min(starts(second)) > max(starts(page))
    assert "Frühere Tage" in second
    assert "Frühere Tage" not in page
    day = re.search(r"from=(\d{4}-\d\d-\d\d)", later)[1]
    assert f'name="from" value="{day}"' in second
    tokyo = client.get(f"{path}/reschedule?zone=Asia/Tokyo&from={day}").text
    assert "<option selected>Asia/Tokyo" in tokyo


def test_a_rep_who_has_left_keeps_nobody_from_moving_the_meeting(client, app):
    db = app.extensions["usher_db"]
    with db.transaction() as tx:
        version = config.active(tx, "acme")
        held = booking.hold(tx, version, meeting="demo", start=datetime(2026, 3, 4, 14, tzinfo=UTC), rep="joan")
        meeting = booking.confirm(tx, version, held.id, name="Ada", email="ada@x.example", answers={"goal": "x"})
    team = version.files["team.yml"].replace("    name: Joan Clarke\n", "    name: Joan Clarke\n    active: false\n")
    config.apply(db, version.files | {"team.yml": team}, author="tests", sections=SECTIONS)
    page = f"/m/{booking.token_of(meeting.id)}/reschedule"
    choices = starts(client.get(page).text)
    assert client.post(page, data={"start": choices[0], "seen": "0"}).status_code == 303
    with db.reading() as tx:
        assert booking.get(tx, meeting.id).rep != "joan"


def test_where_no_time_is_open_the_page_says_what_to_do(client, app, path):
    db = app.extensions["usher_db"]
    with db.transaction() as tx:
        version = config.active(tx, "acme")
        for rep in version.part(Team).reps:
            now = datetime(2026, 3, 2)
            wanted = booking.OwnTime("away", rep.zone, now, now + timedelta(days=300))
            booking.add_own_time(tx, version.site_id, rep.id, wanted, by=SYSTEM)
    page = client.get(f"{path}/reschedule").text
    assert "Im Moment ist keine Zeit frei." in page
    assert starts(page) == []
