"""Conversations: the list, one of them live, and a person's part in it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from server import events, live
from server.booking import service as booking
from server.console import here, transcript
from server.conversations import frames
from server.conversations import service as conversations
from server.db import Connection
from server.leads import service as leads
from server.playbooks import service as playbooks
from server.visitors import service as visitors

bp = Blueprint("conversations", __name__, url_prefix="/conversations")

A_PAGE = 40
MOST_MESSAGES = 500
SHOWS = ("all", "waiting", "mine")


@bp.get("")
def index() -> ResponseReturnValue:
    """What was said last, newest first; `?show=waiting|mine`, `?before=` goes on."""
    show = request.args.get("show", "all")
    only: dict[str, Any] = {"waiting": {"state": conversations.WAITING}, "mine": {"rep": here.speaker()}}.get(show, {})
    with here.database().reading() as tx:
        found = conversations.latest(
            tx, here.looked_at(), limit=A_PAGE + 1, before=request.args.get("before"), sight=here.sight(), **only
        )
        people = {row.lead_id: leads.known(tx, row.lead_id).lead for row, _ in found if row.lead_id}
    more = url_for(".index", show=show, before=found[A_PAGE - 1][0].id) if len(found) > A_PAGE else None
    return render_template("conversations/index.html", found=found[:A_PAGE], people=people, show=show, more=more)


@bp.get("/<conversation_id>")
def show(conversation_id: str) -> ResponseReturnValue:
    """All of one conversation: transcript, answers, visitor, lead, and why what happened happened."""
    with here.database().reading() as tx:
        talk = _talk(tx, conversation_id)
        row = talk["conversation"]
        happened = events.of_conversation(tx, row.id)
        about = {
            "answers": conversations.answers_of(tx, row.id),
            "visitor": visitors.get(tx, row.visitor_id),
            "pages": visitors.pages_of(tx, row.visitor_id, 20),
            "attribution": visitors.attribution(tx, row.visitor_id),
            "lead": leads.known(tx, row.lead_id) if row.lead_id else None,
            "meetings": booking.of_conversation(tx, row.id),
            "events": happened,
            "decisions": [event for event in happened if event.trace],
            "company": playbooks.company_of(row),
            "least": talk["site"].version.site.enrichment.least_confidence if talk["site"] else 0,
        }
    return render_template("conversations/show.html", **talk, **about)


@bp.get("/<conversation_id>/messages")
def messages(conversation_id: str) -> ResponseReturnValue:
    """The transcript for htmx; 204 while it is as the page has it (`?seen=`). When somebody else speaks now (`?by=`)
    the whole page is out of date."""
    with here.database().reading() as tx:
        talk = _talk(tx, conversation_id)
    if request.args.get("by") != talk["by"]:
        return Response(status=204, headers={"HX-Refresh": "true"})
    if request.args.get("seen") == str(talk["conversation"].seq):
        return Response(status=204)
    return render_template("conversations/_messages.html", **talk)


@bp.post("/<conversation_id>/take-over")
def take_over(conversation_id: str) -> ResponseReturnValue:
    """Speak oneself from now on; the visitor sees who."""
    _may_speak_in(conversation_id)
    user = here.user()
    conversations.take_over(here.database(), conversation_id, here.speaker(), user.actor)
    _tell(conversation_id, frames.state_frame(conversations.REP, {"name": user.name, "human": True}))
    return redirect(url_for(".show", conversation_id=conversation_id), 303)


@bp.post("/<conversation_id>/reply")
def reply(conversation_id: str) -> ResponseReturnValue:
    """Say something to the visitor."""
    _may_speak_in(conversation_id)
    text = request.form.get("text", "").strip()
    if text:
        said = conversations.reply(here.database(), conversation_id, text, here.speaker(), here.user().actor)
        _tell(conversation_id, frames.message_frame(said))
    if not here.is_piece():
        return redirect(url_for(".show", conversation_id=conversation_id), 303)
    with here.database().reading() as tx:
        return render_template("conversations/_replied.html", **_talk(tx, conversation_id))


@bp.post("/<conversation_id>/give-back")
def give_back(conversation_id: str) -> ResponseReturnValue:
    """Let the playbook go on."""
    row = _may_speak_in(conversation_id)
    conversations.give_back(here.database(), conversation_id, here.user().actor)
    site = here.site_of(row.site_id)
    name = site.version.site.brand.agent_name if site else ""
    _tell(conversation_id, frames.state_frame(conversations.BOT, {"name": name, "human": False}))
    return redirect(url_for(".show", conversation_id=conversation_id), 303)


def _may_speak_in(conversation_id: str) -> Any:
    here.need("reply")
    with here.database().reading() as tx:
        return conversations.visible(tx, conversation_id, here.sight())


def _tell(conversation_id: str, frame: dict[str, Any]) -> None:
    """To the visitor's socket, after the commit."""
    live.publish(f"conversation:{conversation_id}", frame)


def _talk(tx: Connection, conversation_id: str) -> dict[str, Any]:
    """What the transcript and the composer show."""
    row = conversations.visible(tx, conversation_id, here.sight())
    said = conversations.messages(tx, row.id, max(0, row.seq - MOST_MESSAGES), MOST_MESSAGES)
    site = here.site_of(row.site_id)
    origin, zone = (site.version.site.origins[0], here.zone_of(site.id)) if site else ("", "UTC")
    return {
        "conversation": row,
        "site": site,
        "zone": zone,
        "lines": transcript.lines(said, origin, zone),
        "by": f"{row.state} {row.rep}".strip(),
    }
