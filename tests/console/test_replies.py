"""How an invitation was answered by mail stands on the meeting's page."""

from __future__ import annotations

from server.booking import service as booking
from server.booking.replies import read_mailbox
from server.config import service as config
from tests.booking.answers import outlook
from tests.booking.test_replies import Pile


def test_a_meeting_shows_how_its_invitation_was_answered(desk, db, story):
    with db.reading() as tx:
        meeting = booking.get(tx, story.meeting)
        version = config.active_of(tx, meeting.site_id)
        sent = booking.invitation(tx, version, meeting)
    assert read_mailbox(db, lambda: Pile(outlook(sent, meeting.email.lower(), "TENTATIVE"))) == {"noted": 1}
    page = desk("grace").text(f"/meetings/{story.meeting}")
    assert "Answers by mail" in page
    assert "Said maybe: Sorry, I am away" in page
    assert "Invitation answered by mail" in page
