"""Whether a HubSpot connection works, which account it is, and what it may do."""

from __future__ import annotations

from plugins.adapter import CheckResult
from plugins.crm.hubspot.api import ACCOUNT, SCOPES, VERSION, Api, objects
from plugins.crm.hubspot.own import KINDS, OwnProperty
from plugins.crm.hubspot.owners import OWNERS
from plugins.errors import ConfigError, PermissionDenied

TRIED = {
    "crm.objects.contacts.read": objects("contacts"),
    "crm.objects.companies.read": objects("companies"),
    "crm.objects.owners.read": OWNERS,
}
"""What a service key's rights are tried on: nobody but HubSpot's own pages lists them."""


def check(api: Api, own: OwnProperty) -> CheckResult:
    """Reads a little of everything and writes nothing."""
    details = api.call("check", "GET", f"/account-info/{VERSION}/details")
    kept = {name: details.get(name) for name in ("portalId", "timeZone", "uiDomain")}
    api.records.put(*ACCOUNT, kept)
    granted = api.scopes()
    missing = [scope for scope in SCOPES if scope not in granted] if granted else _refused(api)
    warnings = [] if missing else _property_warnings(api, own, granted)
    account = f"{kept['uiDomain']} {kept['portalId']}"
    if missing:
        said = f"The connected account does not let us: {', '.join(missing)}."
        return CheckResult(False, account, tuple(granted), tuple(missing), (), said)
    further = [f"Without {scope} {why}." for scope, why in _FURTHER.items() if granted and scope not in granted]
    portal = str(kept["portalId"])
    return CheckResult(True, account, tuple(granted), (), (*warnings, *further), account_id=portal)


_FURTHER = {"crm.objects.deals.write": "converted leads become no deals"}


def _refused(api: Api) -> list[str]:
    refused = []
    for scope, address in TRIED.items():
        try:
            api.call("check", "GET", address, params={"limit": 1})
        except PermissionDenied:
            refused.append(scope)
    return refused


def _property_warnings(api: Api, own: OwnProperty, granted: list[str]) -> list[str]:
    """What stands in the way of our own property; ConfigError when it is there and of the wrong kind."""
    missing = []
    for kind in KINDS:
        try:
            if not own.look(kind):
                missing.append(kind)
        except PermissionDenied:
            continue  # deals, where they are not granted
    if not missing:
        return []
    if granted and not set(granted) >= {"crm.schemas.contacts.write", "crm.schemas.companies.write"}:
        said = f"Make a property {own.name} (single-line text, unique values) on {', '.join(missing)}."
        raise ConfigError(said, problems=(("key_property", said),), user_message=said)
    return [f"The property {own.name} will be made on {', '.join(missing)} when it is first needed."]
