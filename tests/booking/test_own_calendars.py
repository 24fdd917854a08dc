"""Calendars of a rep's own: several that block, one that gets the events, beside reps who use the site's."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from plugins import registry
from plugins.calendar import Capability, EventRef, Watch
from plugins.errors import AuthError, Transient
from server import clock, settings
from server.adapters import connections, own_calendars
from server.adapters import service as adapters
from server.booking import service as booking
from server.booking.connected import told_store, watching
from server.errors import Invalid, SlotTaken
from server.events import Actor
from server.outbox import service as outbox
from tests.booking.conftest import ADA, CONNECTED, GOAL, NINE, TEAM
from tests.booking.wall import WallCalendar

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
GRACE = Actor("user", "grace", "Grace")
WORK, FAMILY, CLUB = "work", "family", "club"
DOWN = "The calendar service is down."


class Other(WallCalendar):
    """A second service, which only tells when somebody is busy."""

    name = "other"
    title = "Club calendar"
    capabilities = frozenset()


@pytest.fixture(autouse=True)
def services(wall, monkeypatch):
    monkeypatch.setenv("USHER_SECRET_KEY", "a key for tests only")
    settings.get.cache_clear()
    registry.register(Other)
    Other.wall = wall
    for name in (WORK, FAMILY, CLUB):
        wall.write(name, NINE - DAY, NINE - DAY + HOUR)
    yield
    registry.unregister(Other)
    monkeypatch.undo()
    settings.get.cache_clear()


@pytest.fixture
def opener(db):
    return partial(connections.open, db)


@pytest.fixture
def own(db):
    """A rep connects a service and chooses among its calendars."""

    def run(version, rep, blocking, events="", name="wall"):
        by = Actor("user", rep, rep)
        made = connections.connect(db, connections.draft(db, version, "calendar", name, rep=rep, actor=by), actor=by)
        assert booking.settle_first(db, version, made, actor=by) == ""
        with db.transaction() as tx:
            booking.choose_calendars(tx, version, made.id, blocking, events, actor=by)
        return made

    return run


@pytest.fixture
def book(db, opener):
    def run(version, meeting="deep-dive", start=NINE, who=ADA, **more):
        with db.transaction() as tx:
            held = booking.hold(tx, version, meeting=meeting, start=start, **more)

        def confirm():
            with db.transaction() as tx:
                return booking.confirm(tx, version, held.id, **who, **(GOAL if meeting == "demo" else {}))

        return booking.with_calendars_read(db, confirm, opener)

    return run


def deliver(db):
    while outbox.deliver_due(db, partial(adapters.carry_out, db)):
        pass


def minutes(db, version, rep):
    with db.reading() as tx:
        found = booking.slots(
            tx, version, meeting="deep-dive", reps=[rep], start=NINE, end=NINE + DAY, zone="Europe/Berlin"
        )
    return [(one - NINE) // MINUTE for one in found.starts]


def there(wall, calendar):
    """The UIDs of our events that stand in a calendar."""
    standing = [one for one in wall.entries.values() if one.calendar == calendar and not one.gone]
    return [one.uid for one in standing if not one.uid.startswith("event-")]


def sent(db, meeting):
    with db.reading() as tx:
        rows = outbox.of_subject(tx, "meeting", meeting.id)
    return [(row.operation, row.state, row.connection_id or "") for row in rows if row.kind == "calendar"]


def reason(db, version, rep, start=NINE):
    with db.reading() as tx:
        asked = booking.ask(tx, version, "deep-dive", None, [rep])
        return booking.why_not(tx, version, asked, start)[rep].because


def test_a_rep_with_a_calendar_of_their_own_beside_one_whom_usher_keeps(db, apply, wall, opener, own):
    version = apply(team=TEAM)
    own(version, "grace", [WORK], WORK)
    assert minutes(db, version, "grace") == []
    assert minutes(db, version, "linus") == [0, 30, 60, 90, 120]
    wall.write(WORK, NINE, NINE + HOUR)
    assert booking.read_ahead(db, version, opener) == 1
    assert minutes(db, version, "grace") == [60, 90, 120]
    with db.reading() as tx:
        assert {one.rep: one.own for one in booking.calendar_states(tx, version)} == {"grace": True}
        assert booking.has_connected_calendars(tx, version)


def test_all_calendars_block_and_one_that_fails_keeps_the_rep_out_and_is_named(db, apply, wall, opener, own, monday):

    version = apply(team=TEAM)
    own(version, "grace", [WORK, FAMILY], WORK)
    own(version, "grace", [CLUB], name="other")
    wall.write(FAMILY, NINE, NINE + 30 * MINUTE)
    wall.write(CLUB, NINE + 2 * HOUR, NINE + 3 * HOUR)
    assert booking.read_ahead(db, version, opener) == 3
    assert minutes(db, version, "grace") == [30, 60]
    assert "Wall calendar (family)" in reason(db, version, "grace")
    wall.down = {CLUB}
    booking.read_ahead(db, version, opener)
    assert minutes(db, version, "grace") == []
    assert reason(db, version, "grace") == f"Club calendar (club): {DOWN}"
    with db.reading() as tx:
        states = {one.calendar: (one.state, one.gets_events) for one in booking.calendar_states(tx, version)}
    assert states == {WORK: ("ok", True), FAMILY: ("ok", False), CLUB: ("failing", False)}
    with pytest.raises(SlotTaken) as refusal, db.transaction() as tx:
        booking.hold(tx, version, meeting="deep-dive", start=NINE + 30 * MINUTE, rep="grace")
    assert refusal.value.extra["reason"] == "calendar"
    wall.down = set()
    monday.advance(MINUTE)
    booking.read_ahead(db, version, opener, due=True)
    assert minutes(db, version, "grace") == [30, 60]


def test_a_newly_chosen_calendar_keeps_the_rep_out_until_it_is_read(db, apply, opener, own):
    version = apply(team=TEAM)
    made = own(version, "grace", [WORK], WORK)
    booking.read_ahead(db, version, opener)
    assert minutes(db, version, "grace")
    with db.transaction() as tx:
        booking.choose_calendars(tx, version, made.id, [WORK, FAMILY], WORK, actor=GRACE)
    assert minutes(db, version, "grace") == []
    assert "has not been read yet" in reason(db, version, "grace")
    with db.transaction() as tx:
        booking.choose_calendars(tx, version, made.id, [WORK], WORK, actor=GRACE)
    assert minutes(db, version, "grace"), "what was read of the others still holds"


def test_what_is_not_there_or_cannot_be_written_is_not_chosen(db, apply, own):
    version = apply(team=TEAM)
    made, feed = own(version, "grace", [WORK], WORK), own(version, "grace", [CLUB], name="other")
    for one, blocking, events in ((made, [WORK, "hers"], WORK), (made, [WORK], "hers"), (feed, [CLUB], CLUB)):
        with pytest.raises(Invalid), db.transaction() as tx:
            booking.choose_calendars(tx, version, one.id, blocking, events, actor=GRACE)


def test_before_booking_all_calendars_of_the_chosen_rep_are_read_and_the_next_rep_takes_over(
    db, apply, wall, opener, own, book
):
    version = apply(team=TEAM)
    own(version, "grace", [WORK, FAMILY], WORK)
    booking.read_ahead(db, version, opener)
    wall.write(FAMILY, NINE, NINE + HOUR)
    wall.asked.clear()
    made = book(version, who=ADA)
    assert (made.rep, set(wall.asked)) == ("linus", {WORK, FAMILY})


def test_events_go_to_the_own_calendar_and_from_one_service_to_another(db, apply, wall, opener, own, book):
    version = apply(site=CONNECTED, team=TEAM)
    mine = own(version, "grace", [WORK], WORK)
    booking.read_ahead(db, version, opener)
    made = book(version, rep="grace")
    deliver(db)
    assert (there(wall, WORK), there(wall, "grace@acme.example")) == ([made.uid], [])
    assert sent(db, made) == [("create", "done", mine.id)]
    with db.transaction() as tx:
        booking.reassign(tx, version, made.id, "linus", by=GRACE)
    deliver(db)
    assert (there(wall, WORK), there(wall, "linus@acme.example")) == ([], [made.uid])


def test_while_one_reps_connection_is_broken_only_their_events_wait(db, apply, wall, opener, own, book, monkeypatch):
    version = apply(site=CONNECTED, team=TEAM)
    mine = own(version, "grace", [WORK], WORK)
    booking.read_ahead(db, version, opener)
    hers = book(version, rep="grace")
    with db.transaction() as tx:
        connections.failed(tx, mine.id, AuthError("401"))
        booking.distrust_calendars(tx, version, mine.id, "sign in again")
    assert minutes(db, version, "grace") == []
    his = book(version, rep="linus", start=NINE + HOUR, who={**ADA, "email": "bob@globex.example"})
    deliver(db)
    assert sent(db, hers) == [("create", "paused", mine.id)]
    assert [state for _, state, _ in sent(db, his)] == ["done"]
    with db.transaction() as tx:
        booking.reassign(tx, version, hers.id, "margaret", by=GRACE)
    deliver(db)
    assert there(wall, "margaret@acme.example") == [hers.uid], "the new host waits for nobody"
    with db.transaction() as tx:
        connections.worked(tx, mine.id)
    deliver(db)
    assert there(wall, WORK) == []
    assert {state for _, state, _ in sent(db, hers)} == {"done"}
    assert booking.read_ahead(db, version, opener) == 4
    assert minutes(db, version, "grace")


def test_a_rep_who_changes_calendars_finds_what_lies_ahead_in_the_new_one(db, apply, wall, opener, own, book):
    version = apply(site=CONNECTED, team=TEAM)
    booking.read_ahead(db, version, opener)
    made = book(version, rep="grace")
    deliver(db)
    assert there(wall, "grace@acme.example") == [made.uid]
    mine = own(version, "grace", [WORK, FAMILY], WORK)
    deliver(db)
    assert (there(wall, WORK), there(wall, "grace@acme.example")) == ([made.uid], [])
    with db.transaction() as tx:
        booking.choose_calendars(tx, version, mine.id, [WORK], FAMILY, actor=GRACE)
        assert booking.resettle(tx, version, ["grace"]) == 0, "it is under way already"
    deliver(db)
    assert (there(wall, FAMILY), there(wall, WORK)) == ([made.uid], [])
    booking.follow(db, version, opener)
    wall.move(wall.id_of(made.uid), NINE + HOUR, NINE + 2 * HOUR)
    booking.follow(db, version, opener)
    with db.reading() as tx:
        assert booking.get(tx, made.id).start_at == NINE + HOUR
    connections.disconnect(db, mine.id, actor=GRACE)
    with db.transaction() as tx:
        assert booking.resettle(tx, version, ["grace"]) == 1
    deliver(db)
    assert there(wall, "grace@acme.example") == [made.uid]
    assert there(wall, FAMILY) == [made.uid], "nothing is written to what has ended"
    assert {state for _, state, _ in sent(db, made)} == {"done"}
    with db.transaction() as tx:
        assert booking.resettle(tx, version, ["grace"]) == 0
        assert booking.get(tx, made.id).status == "rescheduled"


def test_what_waited_for_a_calendar_that_has_ended_goes_to_the_next(db, apply, wall, opener, own, book):
    version = apply(site=CONNECTED, team=TEAM)
    mine = own(version, "grace", [WORK], WORK)
    booking.read_ahead(db, version, opener)
    made = book(version, rep="grace")
    with db.transaction() as tx:
        connections.failed(tx, mine.id, AuthError("401"))
    deliver(db)
    assert sent(db, made) == [("create", "paused", mine.id)]
    connections.disconnect(db, mine.id, actor=GRACE)
    with db.transaction() as tx:
        booking.resettle(tx, version, ["grace"])
    deliver(db)
    assert (there(wall, WORK), there(wall, "grace@acme.example")) == ([], [made.uid])


def test_an_own_feed_blocks_beside_the_sites_calendar_which_keeps_the_events(db, apply, wall, opener, own, book):
    version = apply(site=CONNECTED, team=TEAM)
    own(version, "grace", [CLUB], name="other")
    wall.write(CLUB, NINE, NINE + 30 * MINUTE)
    wall.write("grace@acme.example", NINE + 2 * HOUR, NINE + 3 * HOUR)
    booking.read_ahead(db, version, opener)
    assert minutes(db, version, "grace") == [30, 60]
    made = book(version, rep="grace", start=NINE + HOUR)
    deliver(db)
    assert there(wall, "grace@acme.example") == [made.uid]


def test_one_connection_that_hangs_holds_up_no_other_and_one_that_is_broken_is_not_asked(db, apply, wall, opener, own):
    version = apply(site=CONNECTED, team=TEAM)
    own(version, "grace", [WORK], WORK)
    mine = own(version, "linus", [FAMILY], FAMILY)
    wall.hanging = {"margaret@acme.example", "joan@acme.example"}
    assert booking.read_ahead(db, version, opener, seconds=0.5) == 2
    with db.transaction() as tx:
        connections.failed(tx, mine.id, AuthError("401"))
    wall.asked.clear()
    booking.read_ahead(db, version, opener, only={"grace", "linus"})
    assert wall.asked == [WORK]
    assert minutes(db, version, "linus") == []


class Calling(WallCalendar):
    """A service that calls when something changes, and makes video links a while after the event."""

    name = "calling"
    title = "Calling calendar"
    capabilities = frozenset({*WallCalendar.capabilities, Capability.WATCH, Capability.VIDEO})
    open_watches: dict[str, str] = {}
    link = ""

    def watch(self, calendar, callback, secret):
        assert callback.startswith("https://usher.example/v1/hooks/con_")
        assert secret
        id = f"watch-{len(self.wall.log)}-{len(self.open_watches)}-{calendar}"
        self.open_watches[id] = calendar
        return Watch(id, clock.now() + timedelta(days=7))

    def unwatch(self, watch):
        self.open_watches.pop(watch.id)

    def told(self, data):
        return data["watch"]

    def video(self, ref: EventRef):
        if not type(self).link:
            raise Transient("not yet")
        return EventRef(ref.calendar, ref.id, ref.version, video_url=type(self).link)


@pytest.fixture
def calling(wall, monkeypatch):
    monkeypatch.setenv("USHER_PUBLIC_URL", "https://usher.example")
    settings.get.cache_clear()
    Calling.wall, Calling.open_watches, Calling.link = wall, {}, ""
    registry.register(Calling)
    yield Calling
    registry.unregister(Calling)


def test_calls_are_asked_for_renewed_and_ended_and_a_service_that_refuses_is_left_alone_for_an_hour(
    db, apply, opener, own, calling, monday, monkeypatch
):
    version = apply(team=TEAM)
    mine = own(version, "grace", [WORK, FAMILY], WORK, name="calling")
    assert booking.keep_watches(db, version, opener) == 2
    first = set(calling.open_watches)
    assert booking.keep_watches(db, version, opener) == 0
    monday.advance(timedelta(days=6, hours=13))
    assert booking.keep_watches(db, version, opener) == 2
    assert len(calling.open_watches) == 2
    assert not first & set(calling.open_watches)
    with db.transaction() as tx:
        booking.choose_calendars(tx, version, mine.id, [WORK], WORK, actor=GRACE)
    booking.keep_watches(db, version, opener)
    assert list(calling.open_watches.values()) == [WORK]
    refused = []

    def refuse(self, *about):
        refused.append(about)
        raise AuthError("no")

    monkeypatch.setattr(calling, "watch", refuse)
    with db.transaction() as tx:
        booking.choose_calendars(tx, version, mine.id, [WORK, FAMILY], WORK, actor=GRACE)
    for _ in range(3):
        assert booking.keep_watches(db, version, opener) == 0
    assert len(refused) == 1
    monday.advance(watching.RETRY_AFTER)
    booking.keep_watches(db, version, opener)
    assert len(refused) == 2


def test_a_call_has_that_rep_read_at_once_and_one_of_a_connection_that_ended_is_in_nobodys_way(
    db, apply, wall, opener, own, calling
):
    version = apply(team=TEAM)
    mine, ended = (own(version, rep, [WORK], WORK, name="calling") for rep in ("grace", "linus"))
    booking.read_ahead(db, version, opener)
    booking.keep_watches(db, version, opener)
    hers = next(row.watch_id for row in watches(db, version) if row.connection_id == mine.id)
    wall.write(WORK, NINE, NINE + HOUR)
    with db.transaction() as tx:
        connections.keep_message(tx, ended, "m0", {"watch": "gone"})
        connections.keep_message(tx, mine, "m1", {"watch": hers})
        connections.keep_message(tx, mine, "m2", {"watch": "nobody's"})
    connections.disconnect(db, ended.id, actor=GRACE)
    assert booking.told_of_calendars(db)
    changed = booking.hear_calendars(db, opener)
    assert changed == {version.site_id: {"grace"}}
    assert not booking.told_of_calendars(db)
    booking.read_changed(db, version, changed[version.site_id], opener)
    assert minutes(db, version, "grace") == [60, 90, 120]


def watches(db, version):
    with db.reading() as tx:
        return told_store.watches(tx, version.site_id)


def test_who_connects_again_is_told_which_calendars_are_gone(db, apply, wall, own):
    version = apply(team=TEAM)
    made = own(version, "grace", [WORK, FAMILY], WORK)
    for id, entry in list(wall.entries.items()):
        if entry.calendar == FAMILY:
            del wall.entries[id]
    said = booking.settle_first(db, version, made, actor=GRACE)
    assert said == "No longer there, and so no longer blocking your time: family."
    with db.reading() as tx:
        assert own_calendars.choice_of(connections.get(tx, made.id)).blocking == (WORK,)


def test_a_link_that_comes_late_goes_into_the_invitation_or_after_it(
    db, apply, wall, opener, own, book, calling, monday
):
    version = apply(team=TEAM)
    own(version, "linus", [WORK], WORK, name="calling")
    booking.read_ahead(db, version, opener)
    made = book(version, rep="linus")
    heed(db, version)
    assert [row.not_before > clock.now() for row in mails(db, made, "visitor:booked")] == [True]
    calling.link = "https://video.example/1"
    monday.advance(timedelta(seconds=20))
    heed(db, version)
    with db.reading() as tx:
        now = booking.get(tx, made.id)
        assert booking.place(version, now).url == calling.link
    before, after = mails(db, made, "visitor:booked")
    assert (before.state, after.state) == ("withdrawn", "waiting")
    assert calling.link in after.payload["mail"]["text"]
    assert f"LOCATION:{calling.link}" in after.payload["mail"]["calendar"]["ics"]
    calling.link = ""
    late = book(version, rep="linus", start=NINE + HOUR, who={**ADA, "email": "bob@globex.example"})
    heed(db, version)
    monday.advance(timedelta(minutes=2))
    with db.transaction() as tx:
        tx.exec_driver_sql("UPDATE deliveries SET state = 'done' WHERE kind = 'notify' AND state = 'waiting'")
    calling.link = "https://video.example/2"
    heed(db, version)
    (linked,) = mails(db, late, "visitor:linked")
    assert linked.payload["mail"]["subject"].startswith("The link for Deep dive")
    assert calling.link in linked.payload["mail"]["html"]


def heed(db, version):
    """The outbox, and what is made of its answers, until nothing is left."""
    seen = set()
    while True:
        deliver(db)
        with db.transaction() as tx:
            rows = [row for row in outbox.latest(tx) if row.kind == "calendar" and row.state == "done"]
            fresh = [row for row in rows if row.id not in seen]
            for row in fresh:
                booking.heed_event(tx, version, row.subject_id, row.operation, row.key, row.result or {})
        seen |= {row.id for row in fresh}
        if not fresh:
            return


def mails(db, meeting, name):
    with db.reading() as tx:
        rows = outbox.of_subject(tx, "meeting", meeting.id)
    return [row for row in rows if row.kind == "notify" and f":{name}" in row.key]


def test_who_has_no_calendars_at_all_is_told_so(db, apply, own, monkeypatch):
    version = apply(team=TEAM)
    monkeypatch.setattr(WallCalendar, "calendars", lambda self: [])
    by = Actor("user", "grace", "Grace")
    fresh = connections.draft(db, version, "calendar", "wall", rep="grace", actor=by)
    made = connections.connect(db, fresh, actor=by)
    assert booking.settle_first(db, version, made, actor=by) == "This account has no calendars."
    with db.reading() as tx:
        assert own_calendars.choice_of(connections.get(tx, made.id)).blocking == ()
    assert minutes(db, version, "grace"), "what is not chosen blocks nobody"
