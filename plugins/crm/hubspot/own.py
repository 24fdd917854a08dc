"""The one property of our own in a HubSpot account, whose values are unique: what makes a repeated write harmless."""

from __future__ import annotations

from typing import Any

from plugins.crm.hubspot.api import VERSION, Api, path
from plugins.errors import ConfigError, Conflict, InvalidInput, NotFound, PermissionDenied

PROPERTIES = f"/crm/properties/{VERSION}"
KEPT = "hubspot.property"
KINDS = ("notes", "meetings", "companies", "deals")


class OwnProperty:
    """On notes, meetings, companies and deals. HubSpot takes no keys with its calls; but it refuses a second record
    with the same value here, whoever sends it, whenever, and from however many processes. No list of ours could do
    that, and people in HubSpot can see it. `records` only remember that it has been looked at."""

    def __init__(self, api: Api, name: str) -> None:
        self._api, self.name = api, name

    def ready(self, kind: str) -> str:
        """Its name, after having seen once that it is there and unique, or made it. ConfigError when it cannot be."""
        if self._api.records.get(KEPT, self._place(kind)) is None and not self.look(kind):
            self._make(kind)
            self.look(kind)
        return self.name

    def look(self, kind: str) -> bool:
        """Whether it is there. ConfigError when it is, but takes the same value twice."""
        try:
            found = self._api.call("own_property", "GET", path(PROPERTIES, kind, self.name))
        except NotFound:
            self._api.records.delete(KEPT, self._place(kind))
            return False
        if not found.get("hasUniqueValue"):
            raise self._unfit(kind, "exists there, but its values are not unique. Delete it or name another")
        self._api.records.put(KEPT, self._place(kind), {"unique": True})
        return True

    def _make(self, kind: str) -> None:
        try:
            groups = self._api.call("own_property", "GET", path(PROPERTIES, kind, "groups"))["results"]
            self._api.call("own_property", "POST", path(PROPERTIES, kind), json=self._as_asked(groups), repeatable=True)
        except Conflict:
            return  # somebody else was faster
        except (PermissionDenied, InvalidInput, NotFound) as error:
            raise self._unfit(kind, "is missing, and the connected account may not make it") from error

    def _as_asked(self, groups: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "name": self.name,
            "label": "Usher key",
            "description": "Written by Usher, so that nothing is recorded twice. Please leave it as it is.",
            "groupName": groups[0]["name"],
            "type": "string",
            "fieldType": "text",
            "hasUniqueValue": True,
        }

    def _unfit(self, kind: str, why: str) -> ConfigError:
        said = f"HubSpot needs a property {self.name} (single-line text, unique values) on {kind}. It {why}."
        return ConfigError(f"{kind}.{self.name}: {why}", problems=(("key_property", said),), user_message=said)

    def _place(self, kind: str) -> str:
        return f"{kind}.{self.name}"
