"""Who is asking, about which site, and what they may see: what every page starts from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import current_app, g, request, session
from flask_login import current_user

from server.booking import service as booking
from server.booking.schema import Meetings
from server.config import service as config
from server.config.service import Version
from server.db import Database
from server.errors import Invalid
from server.people import service as people
from server.people.rights import EVERYTHING, Sight
from server.people.service import User
from server.routing.team import Team

PIECE = "HX-Request"


@dataclass(frozen=True)
class SiteHere:
    """A site that has an active version."""

    id: str
    key: str
    version: Version

    @property
    def name(self) -> str:
        return self.version.site.name

    @property
    def zone(self) -> str:
        return self.version.site.zone


def database() -> Database:
    """The app's database."""
    db: Database = current_app.extensions["usher_db"]
    return db


def user() -> User:
    """Who is signed in; the gate has seen to it that somebody is."""
    found: User = current_user.user
    return found


def may(deed: str) -> bool:
    """Whether the person who asks may do it."""
    return people.may(user(), deed)


def need(deed: str) -> None:
    """Forbidden unless the person who asks may do it."""
    people.need(user(), deed)


def rep() -> str:
    """The id in team.yml of the person who asks. Invalid when they have none."""
    found = user().rep
    if not found:
        raise Invalid("Your user has no rep id; an owner can set it under Users.")
    return found


def speaker() -> str:
    """Under which name the person who asks talks with visitors: their rep id, else their e-mail."""
    return user().rep or user().email


def sight(all_of: str = "see_all_conversations") -> Sight:
    """What the person who asks sees: everything with the right `all_of`, else what is theirs."""
    return EVERYTHING if may(all_of) else Sight(rep=user().rep or "", queues=_queues(user().rep))


def sites() -> list[SiteHere]:
    """All sites, by key."""
    if "usher_sites" not in g:
        db = database()
        active = [row for row in config.sites(db) if row.active_version_id]
        g.usher_sites = [SiteHere(row.id, row.key, config.version(db, row.active_version_id or "")) for row in active]
    found: list[SiteHere] = g.usher_sites
    return found


def has_connected_calendars() -> bool:
    """Whether any site's calendars are somebody else's, and so may be silent."""
    if "usher_calendars" not in g:
        with database().reading() as tx:
            g.usher_calendars = any(booking.has_connected_calendars(tx, site.version) for site in sites())
    return bool(g.usher_calendars)


def chosen() -> SiteHere | None:
    """The site the person looks at; None for all of them."""
    wanted = session.get("site")
    return next((site for site in sites() if site.key == wanted), None)


def looked_at() -> list[str]:
    """Ids of the sites whose things are listed."""
    one = chosen()
    return [one.id] if one else [site.id for site in sites()]


def site_of(site_id: str) -> SiteHere | None:
    """The site a thing belongs to."""
    return next((site for site in sites() if site.id == site_id), None)


def zone_of(site_id: str) -> str:
    """The clock on which a site's times are shown: that of who asks, as a rep of the site, else the site's."""
    site = site_of(site_id)
    own = site.version.part(Team).reps_by_id.get(user().rep or "") if site else None
    return own.zone if own else site.zone if site else "UTC"


def rep_name(site_id: str, rep: str | None) -> str:
    """A rep as people call them; their id when team.yml does not know them any more."""
    site = site_of(site_id)
    known = site.version.part(Team).reps_by_id.get(rep or "") if site else None
    return known.name if known else rep or ""


def meeting_name(site_id: str, kind: str) -> str:
    """A meeting type as people call it."""
    site = site_of(site_id)
    known = site.version.part(Meetings).by_id.get(kind) if site else None
    return known.name.in_locale(site.version.site.locale).text if known and site else kind


def reps() -> list[tuple[str, str]]:
    """(id, name) of the reps of the sites looked at, by name."""
    seen = [site for site in sites() if site.id in looked_at()]
    found = {rep.id: rep.name for site in seen for rep in site.version.part(Team).reps}
    return sorted(found.items(), key=lambda pair: pair[1])


def moment_given(name: str) -> datetime | None:
    """An ISO moment from the address, in UTC; None when there is none or it is not one."""
    try:
        found = datetime.fromisoformat(request.args.get(name, ""))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def is_piece() -> bool:
    """Whether htmx asks for a piece of a page."""
    return PIECE in request.headers


def address() -> str:
    """Where the request comes from; proxies are believed as far as the settings say."""
    return request.remote_addr or ""


def _queues(rep: str | None) -> tuple[str, ...]:
    """Queues and pools that name the rep, in all sites."""
    teams = [site.version.part(Team) for site in sites()] if rep else []
    pools = {pool.id for team in teams for pool in team.pools if rep in pool.members}
    return (*pools, *(queue.id for team in teams for queue in team.queues if rep in queue.members))
