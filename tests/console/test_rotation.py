"""The rotation page: how everybody stands, who is next, what is in the account, calibrating by hand."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from server import clock, events
from server.config import service as config
from server.events import BOT
from server.routing import ledger
from server.routing import service as routing
from tests.console import story as told

POOL = "/rotation/acme/enterprise"


def give(db, story, pool="enterprise", free=("grace", "linus"), meeting="mtg_none"):
    """A turn as booking gives it."""
    with db.transaction() as tx:
        version = config.active_of(tx, story.site_id)
        picked = routing.pick(tx, version, pool, free)
        trace = routing.pick_trace(pool, picked)
        ledger.give(tx, story.site_id, routing.pool_of(version, pool), picked.rep, meeting, by=BOT, trace=trace)


def rows(page):
    """The text of the cells of each table row."""
    found = re.findall(r"<tr.*?</tr>", page, re.DOTALL)
    return [
        [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)]
        for row in found
    ]


def test_everybody_sees_their_pools_and_who_is_next(desk):
    owner, grace = desk("owner").text("/rotation"), desk("grace").text("/rotation")
    assert all(f"/rotation/acme/{pool}" in owner for pool in ("enterprise", "smb", "success"))
    assert "/rotation/acme/enterprise" in grace
    assert "/rotation/acme/smb" not in grace
    assert ["Enterprise balanced, by month", "Linus Pauling", "Grace Hopper, Linus Pauling", "1", "0.5"] in rows(grace)


def test_a_rep_reads_why_and_how_everybody_stands_but_changes_nothing(desk):
    page = desk("grace").text(POOL)
    assert "furthest below their share" in page
    assert "Nobody gets 3 or more ahead" in page
    assert "Counted by calendar month in Europe/Berlin; this one since Sun 1 Mar 2026." in page
    assert "A turn comes back when its meeting is cancelled or is a no-show." in page
    standing = {row[0]: row[2:5] for row in rows(page) if len(row) == 8}
    assert standing == {
        "Grace Hopper": ["1", "0.5", "0.5 above"],
        "Linus Pauling Next": ["0", "0.5", "0.5 below"],
    }
    assert "Calibrate" not in page
    assert "Make all picks again" not in page


def test_the_next_twenty_are_foretold_with_what_each_has_had_then(desk):
    page = desk("owner").text(POOL)
    turns = re.search(r'<ol class="next-turns">(.*?)</ol>', page, re.DOTALL)[1]
    named = re.findall(r'<span class="strong">(\w+)', turns)
    assert named == ["Linus", "Grace"] * 10
    assert "had 0, share" in turns


def test_a_supervisor_calibrates_by_an_exact_amount_and_everybody_reads_why(desk, db, story):
    supervisor = desk("supervisor")
    supervisor.post(f"{POOL}/calibrate", {"rep": "linus", "amount": "3/2", "reason": "covered the fair"})
    assert "Linus Pauling is calibrated" in supervisor.said()
    page = desk("grace").text(POOL)
    assert "covered the fair" in page
    assert re.search(r'title="exactly 3/2"', page)
    with db.reading() as tx:
        (event,) = events.latest(tx, story.site_id, [events.ROTATION_CALIBRATED])
    assert (event.actor_name, event.reason) == ("Supervisor", "covered the fair")
    assert event.data == {"rep": "linus", "amount": "3/2", "account": "enterprise"}


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"rep": "linus", "amount": "much", "reason": "x"}, "is not a number such as 2, -1 or 1/2"),
        ({"rep": "linus", "amount": "0", "reason": "x"}, "is not a number"),
        ({"rep": "linus", "amount": "1e99999", "reason": "x"}, "is not a number"),
        ({"rep": "linus", "amount": "1", "reason": "  "}, "Say why"),
        ({"rep": "joan", "amount": "1", "reason": "x"}, "joan is not a member"),
    ],
)
def test_what_cannot_be_kept_is_refused_on_the_page_and_nothing_changes(desk, db, story, form, sentence):
    owner = desk("owner")
    assert owner.post(f"{POOL}/calibrate", form).status_code in (303, 422)
    assert sentence in owner.said()
    with db.reading() as tx:
        assert events.latest(tx, story.site_id, [events.ROTATION_CALIBRATED]) == []


def test_a_rep_reads_of_others_turns_no_more_than_that_they_were_given(desk, db, story):
    give(db, story)  # to linus
    with db.transaction() as tx:
        ledger.credit(tx, "mtg_none", ledger.CANCELLED, by=BOT, reason="Kim has no budget")
    assert "Kim has no budget" in desk("supervisor").text(POOL)
    grace = desk("grace").text(POOL)
    assert "Back: cancelled" in grace
    assert "Kim has no budget" not in grace
    assert grace.count(">Meeting</a>") == 1  # her own with Ada


def test_the_account_is_read_page_by_page_and_a_hold_that_came_to_nothing_has_no_link(desk, db, story):
    for number in range(20):
        give(db, story, meeting=f"mtg_{number}")
        with db.transaction() as tx:
            ledger.release(tx, f"mtg_{number}", by=BOT, reason="the hold expired")
    owner = desk("owner")
    first = owner.text(POOL)
    assert ">Meeting</a>" not in first
    more = re.search(r'href="([^"]*before=[^"]*)"', first)[1].replace("&amp;", "&")
    second = owner.text(more)
    assert second.count(">Meeting</a>") == 1
    assert "before=" not in second


def test_all_picks_are_made_again_from_the_account(desk, db, story):
    for number in range(3):
        give(db, story, meeting=f"mtg_{number}")
    assert "Made 4 picks again from the account alone: all the same." in desk("owner").text(f"{POOL}?again=1")
    assert "Made" not in desk("grace").text(f"{POOL}?again=1")


def test_the_meeting_page_shows_the_pick_as_a_table_with_why_somebody_was_not_free(desk, story):
    page = desk("grace").text(f"/meetings/{story.meeting}")
    table = re.search(r'<table class="standing">.*?</table>', page, re.DOTALL)[0]
    named = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<th scope=\"row\".*?</th>", table)]
    assert named[0] == "Grace Hopper (chosen) furthest below the fair share"
    assert named[1] == "Linus Pauling not free: not inside one block of working hours"
    assert re.findall(r'numbers">([^<]*)<', table) == ["0"] * 4


def test_a_lead_is_disqualified_with_a_reason_and_can_still_be_claimed(desk, story):
    grace, dennis = desk("grace"), desk("dennis")
    grace.post(f"/leads/{story.ada}/disqualify", {"reason": "A student project"})
    assert "The lead is disqualified" in grace.said()
    page = dennis.text(f"/leads/{story.ada}")
    assert "Disqualified" in page
    assert "A student project" in page
    assert "Claim this lead" in page
    listed = {show: "Ada Lovelace" in dennis.text(f"/leads?show={show}") for show in ("all", "free", "disqualified")}
    assert listed == {"all": True, "free": False, "disqualified": True}
    assert "Ada Lovelace" not in dennis.text("/")
    dennis.post(f"/leads/{story.zoe}/disqualify", {"reason": " "})
    assert "Say why this lead is not a fit" in dennis.said()


def test_a_newcomer_is_shown_with_what_they_begin_with(desk, db, story):
    with clock.stopped_at(told.TODAY_AT_THREE + timedelta(hours=1)):
        for number in range(5):
            give(db, story, meeting=f"mtg_{number}")
        files = told.folder.load(told.ROOT / "server" / "sample")
        team = files["team.yml"].replace("members: [grace, linus]", "members: [grace, linus, margaret]")
        told.apply(db, "acme", "Margaret joins", team=team)
        page = desk("owner").text(POOL)
    assert re.search(r"Margaret Hamilton.*?</tr>", page, re.DOTALL)
    row = next(row for row in rows(page) if row and row[0].startswith("Margaret"))
    assert row[2:4] == ["3", "3"]


def test_with_what_a_colleague_was_busy_is_for_those_who_look_after_all_meetings(desk, db, story):
    start = told.TODAY_AT_THREE + timedelta(days=1, hours=-6)  # both are free; Linus is next, then Grace
    with db.transaction() as tx:
        version = config.active_of(tx, story.site_id)
        told.book(tx, version, start)
        held = told.booking.hold(tx, version, meeting="demo", start=start, pool="enterprise")
        told.booking.confirm(tx, version, held.id, name="Kim", email="kim@x.example", answers={"goal": "x"})
    seen, hidden = (desk(who).text(f"/meetings/{held.id}") for who in ("supervisor", "grace"))
    assert re.search(
        r'not free: <a href="/meetings/mtg_\w+">another meeting</a>, Tue 3 Mar 2026, 10:00 – 10:\d\d', seen
    )
    assert "not free: busy" in hidden
    assert "another meeting" not in hidden
