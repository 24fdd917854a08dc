"""Users of a HubSpot account who own records: by e-mail when we write, by id when we read."""

from __future__ import annotations

from typing import Any

from plugins.crm import Owner
from plugins.crm.hubspot.api import VERSION, Api, path
from plugins.emails import fold
from plugins.errors import InvalidInput, NotFound

OWNERS = f"/crm/owners/{VERSION}"


class Owners:
    """Asks once for each person; lives as long as the adapter is open."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._ids: dict[str, str] = {}
        self._found: dict[str, Owner | None] = {}

    def id_of(self, email: str | None) -> str | None:
        """What to write for this rep: "" clears, None leaves as it is, also when they are no user of HubSpot's."""
        if not email:
            return email
        if email not in self._ids:
            told = self._api.call("owners", "GET", OWNERS, params={"email": email, "limit": 1})
            self._ids[email] = next((str(one["id"]) for one in told["results"] if _same(one, email)), "")
        return self._ids[email] or None

    def by_id(self, id: str | None) -> Owner | None:
        """Who that is, also when they have left; None for nobody."""
        if not id:
            return None
        if id not in self._found:
            self._found[id] = self._ask(id, archived=False) or self._ask(id, archived=True)
        return self._found[id]

    def email_of(self, id: str | None) -> str | None:
        """The e-mail address behind an owner's id."""
        owner = self.by_id(id)
        return owner.email if owner else None

    def _ask(self, id: str, *, archived: bool) -> Owner | None:
        try:
            found = self._api.call("owners", "GET", path(OWNERS, id), params={"archived": str(archived).lower()})
        except NotFound:
            return None
        name = " ".join(filter(None, (found.get("firstName"), found.get("lastName"))))
        return Owner(id=str(found["id"]), email=found.get("email", ""), name=name, active=not found.get("archived"))


def _same(found: dict[str, Any], email: str) -> bool:
    try:
        return fold(found.get("email") or "") == fold(email)
    except InvalidInput:
        return False
