"""The navigation: which pages there are, and for whom."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, request, url_for

from server.console import here
from server.conversations import service as conversations

MOST_COUNTED = 99


@dataclass(frozen=True)
class Entry:
    """A link of the navigation. `deed`: who sees it (people.rights); on phones only `first` ones are in the bar."""

    page: str
    label: str
    icon: str
    deed: str = ""
    first: bool = False
    or_rep: bool = False  # also for whoever is a rep of team.yml
    only_rep: bool = False

    @property
    def address(self) -> str:
        return url_for(f"console.{self.page}")

    @property
    def current(self) -> bool:
        room = f"console.{self.page.partition('.')[0]}"
        return (request.endpoint or "").startswith((f"{room}.", f"{room}_"))


ENTRIES = (
    Entry("home.show", "Home", "home", first=True),
    Entry("conversations.index", "Conversations", "chat", first=True),
    Entry("leads.index", "Leads", "person", first=True),
    Entry("meetings.index", "Meetings", "calendar", first=True),
    Entry("availability.index", "Availability", "clock", deed="manage_availability", or_rep=True),
    Entry("my_calendar.index", "My calendar", "calendar", only_rep=True),
    Entry("calendars.index", "Calendars", "calendar"),
    Entry("rotation.index", "Rotation", "turns"),
    Entry("crm.index", "CRM", "exchange", deed="see_config"),
    Entry("versions.index", "Site versions", "layers", deed="see_config"),
    Entry("connections.index", "Connections", "plug", deed="see_connections"),
    Entry("alerts.index", "Alerts", "bell", deed="see_connections"),
    Entry("enrichment.index", "Enrichment", "layers", deed="see_connections"),
    Entry("deliveries.index", "Deliveries", "send", deed="see_deliveries"),
    Entry("signed_in.index", "Signed-in visitors", "lock", deed="manage_keys"),
    Entry("users.index", "Users", "key", deed="manage_users"),
    Entry("erasures.index", "Erasures", "erase", deed="erase"),
)


def entries() -> list[Entry]:
    """What the person who asks can go to."""
    rep, connected = bool(here.user().rep), here.has_connected_calendars()
    shown = [entry for entry in ENTRIES if connected or entry.page != "calendars.index"]
    shown = [entry for entry in shown if rep or not entry.only_rep]
    return [entry for entry in shown if not entry.deed or here.may(entry.deed) or (entry.or_rep and rep)]


def waiting() -> int:
    """How many visitors wait for a person, as far as the person who asks sees them."""
    if "usher_waiting" not in g:
        with here.database().reading() as tx:
            found = conversations.latest(
                tx, here.looked_at(), state=conversations.WAITING, limit=MOST_COUNTED, sight=here.sight()
            )
        g.usher_waiting = len(found)
    return int(g.usher_waiting)
