"""Our values that can go to a CRM and come back: every name, what it is called, of which type. No values here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PEOPLE, COMPANIES = "people", "companies"
OPEN = ("answers.", "lead.fields.")
"""Roots under which the site itself makes names: by questions that save there."""
STANDARD: Mapping[str, tuple[str, ...]] = {
    PEOPLE: (
        "name", "first_name", "last_name", "phone", "title", "company", "country", "locale", "status", "source",
        "owner_email",
    ),
    COMPANIES: (
        "name", "industry", "employees", "country", "phone", "is_customer", "is_target", "owner_email", "csm_email",
    ),
}  # fmt: skip
"""What plugins.crm.Person and Company have by name; every other field is called as the CRM calls it."""


@dataclass(frozen=True)
class OurField:
    """`type` as in plugins.crm.RemoteField: text, number, boolean, moment, choices. `comes_back`: it may come from the
    CRM; what we work out ourselves may not."""

    name: str
    title: str
    type: str = "text"
    comes_back: bool = False

    @property
    def record(self) -> str:
        """Where it goes unless the mapping says otherwise."""
        return COMPANIES if self.name.startswith("account.") else PEOPLE


_LEAD = (
    ("name", "Name", "text", True),
    ("first_name", "First name", "text", True),
    ("last_name", "Last name", "text", True),
    ("phone", "Phone", "text", True),
    ("title", "Job title", "text", True),
    ("role", "Role", "text", True),
    ("company", "Company as told", "text", True),
    ("interests", "Interests", "choices", True),
    ("seniority", "Seniority", "text", True),
    ("department", "Department", "text", True),
    ("email_type", "Kind of e-mail address", "text", False),
    ("email_validity", "Whether the e-mail address is valid", "text", False),
    ("locale", "Language", "text", True),
    ("zone", "Time zone", "text", True),
    ("status", "Status", "text", True),
    ("owner", "Owner (e-mail of the rep)", "text", True),
    ("source", "How the lead came", "text", False),
    ("segment", "Segment", "text", False),
    ("intent", "Intent", "text", False),
    ("score", "Score", "number", False),
    ("tier", "Tier", "text", False),
    ("rating", "Rating", "text", False),
)
_ACCOUNT = (
    ("name", "Company name", "text", True),
    ("industry", "Industry", "text", True),
    ("employees", "Employees", "number", True),
    ("country", "Country", "text", True),
    ("tech", "Technology in use", "choices", True),
    ("revenue", "Revenue", "number", True),
    ("website", "Website", "text", True),
    ("is_customer", "Is a customer", "boolean", True),
    ("is_target", "Is a target account", "boolean", True),
    ("owner", "Account owner (e-mail)", "text", True),
    ("csm", "Customer success manager (e-mail)", "text", True),
)
_TOUCH = ("source", "medium", "campaign", "term", "content", "referrer", "landing_page")
_CONVERSATION = (
    ("outcome", "Outcome of the last conversation", "text"),
    ("playbook", "Playbook of the last conversation", "text"),
    ("page", "Page on which it began", "text"),
    ("last_at", "When it was", "moment"),
    ("answers", "Qualification answers with their status", "text"),
    ("url", "Link to the conversation", "text"),
)
_MEETING = (
    ("status", "State of the last meeting", "text"),
    ("type", "Meeting type", "text"),
    ("start", "When it begins", "moment"),
    ("rep", "Who meets", "text"),
    ("url", "Link to the meeting", "text"),
)


def _named() -> dict[str, OurField]:
    fields = [OurField(f"lead.{name}", title, kind, back) for name, title, kind, back in _LEAD]
    fields += [OurField(f"account.{name}", title, kind, back) for name, title, kind, back in _ACCOUNT]
    for touch, title in (("", "last visit"), ("first_", "first visit")):
        fields += [OurField(f"utm.{touch}{name}", f"{_sentence(name)}, {title}") for name in _TOUCH]
    fields += [OurField(f"conversation.{name}", title, kind) for name, title, kind in _CONVERSATION]
    fields += [OurField(f"meeting.{name}", title, kind) for name, title, kind in _MEETING]
    return {field.name: field for field in fields}


def _sentence(name: str) -> str:
    return name.replace("_", " ").capitalize()


NAMED: Mapping[str, OurField] = _named()


def field_of(name: str) -> OurField | None:
    """The field of this name; those under an open root are whatever the site made them."""
    root = next((root for root in OPEN if name.startswith(root) and len(name) > len(root)), None)
    if root:
        return OurField(name, _sentence(name.removeprefix(root).replace("-", " ")), comes_back=root == "lead.fields.")
    return NAMED.get(name)
