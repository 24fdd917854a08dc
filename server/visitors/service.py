"""Meet a visitor again by the token only their browser has, and keep what they looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Select

from server import clock, events, ids
from server.visitors import consent, identity, store
from server.visitors.consent import Consent, recorded
from server.visitors.store import Visitor

SESSION_REST = timedelta(minutes=30)
MOST_ATTRIBUTES = 50
UTM = ("source", "medium", "campaign", "term", "content")

__all__ = [
    "Arrival", "Consent", "Visitor", "arrive", "attribution", "by_token", "come_back", "get", "join_lead", "known",
    "newcomer", "of_lead", "pages_of", "recorded", "see_page", "set_attributes", "share_lead", "visits_over", "welcome",
]  # fmt: skip


@dataclass(frozen=True)
class Arrival:
    """A visitor as they arrive. `page`, `visit` and `data` are as docs/protocol.md has them."""

    device: str
    locale: str
    zone: str
    seed: str
    page: Mapping[str, Any]
    visit: Mapping[str, Any]
    data: Mapping[str, Any]
    consent: Consent = field(default_factory=Consent)


def arrive(tx: Connection, site_id: str, token: str | None, arrival: Arrival) -> tuple[Visitor, str | None]:
    """The visitor of this token, or a new one with a new token; their session and page are recorded if they may be."""
    known = by_token(tx, site_id, token)
    if known:
        return come_back(tx, known, arrival), None
    new_token = ids.new_token()
    row = newcomer(site_id, new_token, arrival)
    store.add(tx, row)
    return welcome(tx, site_id, row["id"], arrival), new_token


def by_token(tx: Connection, site_id: str, token: str | None) -> Visitor | None:
    """The anonymous visitor whose browser holds this secret."""
    return store.by_token(tx, site_id, ids.digest(token)) if token else None


def newcomer(site_id: str, token: str, arrival: Arrival) -> dict[str, Any]:
    """The row of somebody who was never here."""
    now = clock.now()
    return {
        "id": ids.new_id("visitor"),
        "site_id": site_id,
        "token_digest": ids.digest(token),
        "seed": arrival.seed[:64],
        "first_seen_at": now,
        "last_seen_at": now,
        "device": arrival.device,
        "locale": arrival.locale,
        "zone": arrival.zone,
        "visits": _count(arrival.visit) if arrival.consent.recorded else 1,
        **arrival.consent.columns(),
        "attributes": _merged({}, arrival.data),
    }


def welcome(tx: Connection, site_id: str, visitor_id: str, arrival: Arrival) -> Visitor:
    """Note that somebody is here for the first time, and the pages they saw if they may be kept."""
    events.record(
        tx,
        events.VISITOR_FIRST_SEEN,
        site_id=site_id,
        subject=("visitor", visitor_id),
        actor=events.Actor("visitor", visitor_id),
        data={"path": _text(arrival.page, "path")},
    )
    if arrival.consent.recorded:
        _see_pages(tx, site_id, visitor_id, arrival)
    return get(tx, visitor_id)


def come_back(tx: Connection, known: Visitor, arrival: Arrival) -> Visitor:
    """A visitor is here again: what their browser tells now, and the page they are on if it may be kept."""
    consent.keep(tx, known, arrival.consent)
    values = {
        "last_seen_at": clock.now(),
        "device": arrival.device,
        "locale": arrival.locale,
        "zone": arrival.zone,
        "visits": max(known.visits, _count(arrival.visit)) if arrival.consent.recorded else 1,
        "attributes": _merged(known.attributes, arrival.data),
    }
    store.change(tx, known.id, values)
    if arrival.consent.recorded:
        _see_pages(tx, known.site_id, known.id, arrival)
    return get(tx, known.id)


def known(tx: Connection, site_id: str, token: str) -> Visitor | None:
    """The visitor of this token, anonymous or signed in; nothing is written."""
    if found := by_token(tx, site_id, token):
        return found
    return identity.of_session(tx, site_id, token)


def get(tx: Connection, visitor_id: str) -> Visitor:
    """The visitor; they always exist where we hold their id."""
    found = store.get(tx, visitor_id)
    if found is None:
        raise LookupError(visitor_id)
    return found


def see_page(tx: Connection, visitor: Visitor, page: Mapping[str, Any], data: Mapping[str, Any] | None = None) -> None:
    """The visitor went to another page without leaving (single-page applications); kept only if it may be."""
    if data:
        store.change(tx, visitor.id, {"attributes": _merged(visitor.attributes, data)})
    session = store.latest_session(tx, visitor.id) if recorded(visitor) else None
    if session is None:
        return
    last = store.latest_page_view(tx, session.id)
    if last is not None and last.path == str(page.get("path", "")):
        return
    if last is not None and last.seconds is None:
        store.finish_page_view(tx, last.id, {"seconds": int((clock.now() - last.at).total_seconds())})
    store.add_page_views(tx, [_page_view(visitor.site_id, visitor.id, session.id, (last.seq if last else 0) + 1, page)])
    store.touch_session(tx, session.id, clock.now())


def set_attributes(tx: Connection, visitor: Visitor, attributes: Mapping[str, Any]) -> None:
    """Keep data that the page gives about its user. It is unverified: nothing is opened or merged because of it."""
    store.change(tx, visitor.id, {"attributes": _merged(visitor.attributes, attributes)})
    events.record(
        tx,
        events.VISITOR_IDENTIFIED,
        site_id=visitor.site_id,
        subject=("visitor", visitor.id),
        actor=events.Actor("visitor", visitor.id),
        data={"names": sorted(attributes)[:MOST_ATTRIBUTES]},
    )


def join_lead(tx: Connection, visitor_id: str, lead_id: str) -> None:
    """From now on this browser's doings belong to that lead."""
    store.change(tx, visitor_id, {"lead_id": lead_id, "knows_lead": True})


def share_lead(tx: Connection, lead_id: str, but: str = "") -> None:
    """Somebody else turned out to be this lead, or says so: what it holds is said to no anonymous visitor any more."""
    store.close_lead_to_strangers(tx, lead_id, but)


def attribution(tx: Connection, visitor_id: str) -> dict[str, Any]:
    """First and last touch: source, medium, campaign, referrer, landing page."""
    first, last = store.first_session(tx, visitor_id), store.latest_session(tx, visitor_id)
    return {"first": _touch(first), "last": _touch(last)} if first and last else {}


def pages_of(tx: Connection, visitor_id: str, limit: int = 50) -> Sequence[Any]:
    """The pages a visitor saw, newest first."""
    return store.page_views_of(tx, visitor_id, limit)


def visits_over(
    tx: Connection, among: Select[tuple[str]], *, since: datetime, until: datetime, limit: int = 500
) -> list[tuple[Any, list[Any]]]:
    """Visits of these leads that ended between the two moments, each (with its `lead_id`) with the pages seen."""
    over = store.sessions_over(tx, among, since, until, limit)
    seen = store.pages_in(tx, [one.id for one in over]) if over else ()
    return [(one, [page for page in seen if page.session_id == one.id]) for one in over]


def of_lead(tx: Connection, lead_id: str) -> Sequence[Visitor]:
    """The browsers a lead was seen with."""
    return store.of_lead(tx, lead_id)


def _see_pages(tx: Connection, site_id: str, visitor_id: str, arrival: Arrival) -> None:
    session, now = store.latest_session(tx, visitor_id), clock.now()
    if session is None or now - session.last_at > SESSION_REST:
        session_id = ids.new_id("session")
        store.add_session(tx, _session(site_id, visitor_id, session_id, arrival))
        seen = _before(arrival)
        rows = [_page_view(site_id, visitor_id, session_id, n, page) for n, page in enumerate([*seen, arrival.page], 1)]
        store.add_page_views(tx, rows)
        return
    see_page(tx, get(tx, visitor_id), arrival.page)


def _before(arrival: Arrival) -> list[Mapping[str, Any]]:
    """The pages seen before the present one; a browser may name the present one last among them."""
    pages = arrival.visit.get("pages")
    seen = [page for page in pages if isinstance(page, Mapping)] if isinstance(pages, list) else []
    if seen and _text(seen[-1], "path") == _text(arrival.page, "path"):
        seen.pop()
    return seen[-20:]


def _session(site_id: str, visitor_id: str, session_id: str, arrival: Arrival) -> dict[str, Any]:
    utm = arrival.page.get("utm") or {}
    referrer = _text(arrival.page, "referrer")
    source = str(utm.get("source") or urlsplit(referrer).hostname or "direct")
    touch = {name: str(utm.get(name) or "")[:200] for name in UTM} | {"source": source[:200]}
    return {
        "id": session_id,
        "visitor_id": visitor_id,
        "site_id": site_id,
        "started_at": clock.now(),
        "last_at": clock.now(),
        "referrer": referrer,
        "landing_path": _text(arrival.page, "path"),
        "device": arrival.device,
        **touch,
    }


def _page_view(site_id: str, visitor_id: str, session_id: str, seq: int, page: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": ids.new_id("page_view"),
        "session_id": session_id,
        "visitor_id": visitor_id,
        "site_id": site_id,
        "seq": seq,
        "at": clock.now(),
        "path": _text(page, "path"),
        "title": _text(page, "title"),
        "seconds": _whole(page, "seconds"),
        "scroll_percent": _whole(page, "scroll"),
        "words": _whole(page, "words"),
    }


def _merged(known: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Flat attributes of simple values; too many or too long ones are left out."""
    kept = {
        str(k)[:60]: v[:500] if isinstance(v, str) else v
        for k, v in new.items()
        if isinstance(v, str | int | float | bool | None)
    }
    return dict(list({**known, **kept}.items())[:MOST_ATTRIBUTES])


def _count(visit: Mapping[str, Any]) -> int:
    return max(1, min(_whole(visit, "count") or 1, 100_000))


def _whole(values: Mapping[str, Any], name: str) -> int | None:
    value = values.get(name)
    return int(max(0, min(value, 10_000_000))) if isinstance(value, int | float) and value == value else None


def _text(values: Mapping[str, Any], name: str) -> str:
    return str(values.get(name) or "")[:2000]


def _touch(session: Any) -> dict[str, str]:
    return {name: getattr(session, name) for name in (*UTM, "referrer", "landing_path")}
