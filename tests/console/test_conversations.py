"""The desk's view of a conversation, and a person's part in it."""

from __future__ import annotations

import threading

import pytest

from server import live
from server.config import service as config
from server.conversations import service as conversations
from server.conversations.service import Draft
from tests.console import story as told
from tests.console.story import ATTACK


@pytest.fixture
def frames(story):
    """What the waiting visitor's socket gets."""
    heard = []
    end = live.subscribe(f"conversation:{story.waiting}", heard.append)
    yield heard
    end()


def path(story, deed=""):
    return f"/conversations/{story.waiting}{deed}"


def test_the_transcript_shows_who_said_what_what_was_chosen_and_where_it_is_from(desk, story):
    page = desk("grace").text(f"/conversations/{story.with_ada}")
    assert "Looking at our <strong>plans</strong>?" in page
    assert '<a href="http://localhost:8010/pricing" rel="noopener noreferrer" target="_blank">Prices</a>' in page
    assert 'class="part chosen">Ready to buy' in page
    assert 'class="part">Comparing tools' in page
    assert '<a class="cite" href="http://localhost:8010/pricing"' in page
    assert '<a class="small" href="#m-5">' in page
    assert 'id="m-5"' in page


def test_why_it_went_this_way_shows_every_rule_with_what_it_saw(desk, story):
    page = desk("grace").text(f"/conversations/{story.with_ada}")
    assert "Chosen: <strong>pool enterprise</strong>" in page
    for name, because in (
        ("customers", "globex.example is no customer"),
        ("targets", "nobody said"),
        ("enterprise", "800"),
    ):
        assert name in page
        assert because in page
    assert "<code>account.employees = 800</code>" in page
    assert 'class="rule unknown"' in page


def test_where_the_visitor_came_from_is_shown(desk, story):
    page = desk("grace").text(f"/conversations/{story.with_ada}")
    assert "news / mail / spring" in page
    assert "told by the page" in page


def test_the_meeting_that_came_of_it_is_one_click_away(desk, story):
    assert f'href="/meetings/{story.meeting}"' in desk("grace").text(f"/conversations/{story.with_ada}")


@pytest.mark.parametrize(
    "where", ["/", "/conversations", "/conversations?show=waiting", "{waiting}", "{waiting}/messages"]
)
def test_what_a_visitor_writes_is_text_everywhere(desk, story, where):
    address = where.replace("{waiting}", path(story))
    page = (
        desk("supervisor").get(address).text
        if "messages" not in where
        else desk("supervisor").get(address, query_string={"by": "waiting_rep"}).text
    )
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("field", ["name", "title", "company"])
def test_what_a_lead_says_of_itself_is_text_everywhere(desk, db, story, field):
    with db.transaction() as tx:
        lead = told.lead(tx, story.site_id, "eve@evil.example", **{"name": "Eve", field: ATTACK})
    supervisor = desk("supervisor")
    for where in ("/", "/leads", f"/leads/{lead.id}"):
        assert "<script>alert" not in supervisor.text(where)
        assert "<img src=x" not in supervisor.text(where)


def test_the_bots_links_go_to_web_pages_only(desk, db, story):
    with db.transaction() as tx:
        row = conversations.get(tx, story.waiting)
        told.say(
            tx, row, Draft("bot", "[Click](javascript:alert(1)) **[x](data:text/html,y)** [ok](mailto:a@b.example)")
        )
        told.say(tx, row, Draft("bot", "See", citations=[{"title": "Trap", "url": "javascript:alert(1)"}]))
    page = desk("supervisor").text(path(story))
    assert "javascript:" not in page
    assert "data:text" not in page
    assert 'href="mailto:a@b.example"' in page
    assert '<span class="cite">Trap</span>' in page


CHOICES = {"kind": "choices", "options": [{"id": "a", "label": "A"}], "multi": False}
SLOTS = {"kind": "slots", "suggested": ["2026-03-02T09:00:00Z"]}


@pytest.mark.parametrize(
    ("part", "value"),
    [
        (CHOICES, {"option": {"a": 1}}),
        (CHOICES, {"options": [["a"]]}),
        (CHOICES, {"options": 3}),
        (SLOTS, {"slot": "soon"}),
        (SLOTS, {"slot": ["soon"]}),
        (SLOTS, {"slot": "0001-01-01T00:00:00+14:00"}),
    ],
)
def test_nothing_that_a_browser_says_was_chosen_hides_the_transcript(desk, db, story, part, value):
    with db.transaction() as tx:
        row = conversations.get(tx, story.with_ada)
        told.say(tx, row, Draft("bot", "Choose.", part=part), Draft("visitor", "This one!", value=value))
    assert "This one!" in desk("grace").text(f"/conversations/{story.with_ada}")


def test_a_rep_takes_over_answers_and_gives_back_and_the_visitor_sees_it(desk, db, story, frames):
    dennis = desk("dennis")
    assert "Take over" in dennis.text(path(story))
    dennis.post(path(story, "/take-over"))
    page = dennis.text(path(story))
    assert 'placeholder="Write to the visitor"' in page
    dennis.post(path(story, "/reply"), {"text": "Hello, <b>Dennis</b> here"})
    assert "Hello, &lt;b&gt;Dennis&lt;/b&gt; here" in dennis.text(path(story))
    dennis.post(path(story, "/give-back"))
    assert [frame["t"] for frame in frames] == ["state", "message", "state"]
    assert (frames[0]["state"], frames[0]["agent"]) == ("rep", {"name": "Dennis", "human": True})
    assert (frames[1]["message"]["author"], frames[1]["message"]["text"]) == ("rep", "Hello, <b>Dennis</b> here")
    assert (frames[2]["state"], frames[2]["agent"]) == ("bot", {"name": "Ada", "human": False})
    with db.reading() as tx:
        assert conversations.get(tx, story.waiting).state == "bot"


def test_of_two_who_take_over_at_once_one_gets_the_conversation(app, desk, db, story):
    desks = [desk("dennis"), desk("supervisor")]
    tokens = [one.token() for one in desks]
    start = threading.Barrier(2)

    def take(one, token):
        start.wait()
        one.client.post(path(story, "/take-over"), data={"csrf_token": token})

    threads = [threading.Thread(target=take, args=pair) for pair in zip(desks, tokens, strict=True)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    with db.reading() as tx:
        winner = conversations.get(tx, story.waiting).rep
    assert winner in ("dennis", "supervisor@acme.example")
    loser = desks[1] if winner == "dennis" else desks[0]
    assert f"{winner} is already talking with this visitor." in loser.said()
    assert 'placeholder="Write to the visitor"' not in loser.text(path(story))


def test_whoever_has_not_taken_over_cannot_write(desk, db, story, frames):
    dennis = desk("dennis")
    dennis.post(path(story, "/reply"), {"text": "Hello"})
    assert "Take the conversation over before you answer." in dennis.said()
    assert frames == []


def test_nobody_gives_back_what_another_has(desk, db, story, frames):
    desk("dennis").post(path(story, "/take-over"))
    supervisor = desk("supervisor")
    supervisor.post(path(story, "/reply"), {"text": "Hello"})
    assert "Take the conversation over before you answer." in supervisor.said()


def test_a_reply_from_the_page_swaps_the_transcript_and_an_empty_form(desk, story):
    dennis = desk("dennis")
    dennis.post(path(story, "/take-over"))
    piece = dennis.post(path(story, "/reply"), {"text": "Hello"}, headers={"HX-Request": "true"})
    assert piece.status_code == 200
    assert 'id="transcript"' in piece.text
    assert 'id="composer"' in piece.text
    assert 'hx-swap-oob="true"' in piece.text
    assert "<html" not in piece.text


def test_the_transcript_is_sent_again_only_when_something_was_said(desk, db, story):
    dennis = desk("dennis")
    dennis.post(path(story, "/take-over"))

    def ask(seen, by="rep dennis"):
        return dennis.get(path(story, "/messages"), query_string={"seen": seen, "by": by})

    assert ask(2).status_code == 204
    with db.transaction() as tx:
        told.say(tx, conversations.get(tx, story.waiting), Draft("visitor", "Are you there?"))
    assert "Are you there?" in ask(2).text
    assert "seen=3" in ask(2).text
    assert ask(3, by="bot").headers["HX-Refresh"] == "true"


def test_an_empty_reply_is_nothing(desk, db, story, frames):
    dennis = desk("dennis")
    dennis.post(path(story, "/take-over"))
    dennis.post(path(story, "/reply"), {"text": "   "})
    assert [frame["t"] for frame in frames] == ["state"]


def test_a_reply_that_is_too_long_is_refused_with_the_reason(desk, story):
    dennis = desk("dennis")
    dennis.post(path(story, "/take-over"))
    dennis.post(path(story, "/reply"), {"text": "x" * 4001})
    assert "4,000 characters at most" in dennis.said()


def test_older_conversations_follow_page_by_page_and_none_is_lost(desk, db, story):
    with db.transaction() as tx:
        version = config.active(tx, "acme")
        for n in range(85):  # all at one moment: the clock stands
            visitor = told.visit(tx, story.site_id, f"/page-{n}")
            told.say(tx, told.talk(tx, version, visitor, f"/page-{n}"), Draft("bot", f"greeting {n}."))
    owner, seen, where = desk("owner"), [], "/conversations"
    for _ in range(3):
        page = owner.text(where)
        seen += [line.split("greeting ")[1].split(".")[0] for line in page.splitlines() if "greeting " in line]
        more = page.split('<nav class="pages"')[1:]
        where = more[0].split('href="')[1].split('"')[0].replace("&amp;", "&") if more else ""
    assert where == ""
    assert sorted(map(int, seen)) == list(range(85))


def test_lists_show_the_chosen_site_only(desk, db, story):
    other = told.apply(db, "globex", "Second site")
    with db.transaction() as tx:
        told.say(
            tx, told.talk(tx, other, told.visit(tx, other.site_id, "/shop"), "/shop"), Draft("visitor", "Elsewhere")
        )
    owner = desk("owner")
    assert "All sites" in owner.text("/conversations")
    assert "Elsewhere" in owner.text("/conversations")
    assert (
        owner.post("/site", {"site": "acme"}, headers={"Referer": "http://localhost/conversations"}).location
        == "/conversations"
    )
    assert "Elsewhere" not in owner.text("/conversations")
    owner.post("/site", {"site": "globex"})
    assert "A person please" not in owner.text("/conversations")
    owner.post("/site", {"site": "unheard of"})
    assert "Elsewhere" in owner.text("/conversations")
