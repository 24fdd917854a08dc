"""The page of one meeting: look, move, cancel, without a script."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.web.test_booking import first_start, hold, meet


@pytest.fixture
def path(client):
    """The page of a booked meeting."""
    made = meet(client, hold(client, first_start(client)).json["hold"]["token"], zone="America/New_York", locale="de")
    return made.json["meeting"]["manage_url"].removeprefix("http://usher.test")


def starts(html):
    return re.findall(r'name="start" value="([^"]+)"', html)


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
    assert client.post(f"{path}/cancel", data={"reason": "ill\x00"}).status_code == 422
    assert "Ihr Termin ist gebucht." in client.get(path).text
