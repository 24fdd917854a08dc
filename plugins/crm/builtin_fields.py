"""Fields of the built-in CRM's people and companies: those with a name of ours, and some for what sites learn."""

from __future__ import annotations

from collections.abc import Mapping

from plugins.crm import Kind, RemoteField


def _standard(*rows: tuple[str, str, str]) -> tuple[RemoteField, ...]:
    return tuple(RemoteField(name, title, kind, ours=name) for name, title, kind in rows)


def _further(*rows: tuple[str, str, str]) -> tuple[RemoteField, ...]:
    return tuple(RemoteField(name, title, kind, custom=True) for name, title, kind in rows)


FIELDS: Mapping[Kind, tuple[RemoteField, ...]] = {
    Kind.PERSON: (
        RemoteField("email", "E-mail address", required=True, ours="email"),
        *_standard(
            ("name", "Name", "text"),
            ("first_name", "First name", "text"),
            ("last_name", "Last name", "text"),
            ("phone", "Phone", "text"),
            ("title", "Job title", "text"),
            ("company", "Company", "text"),
            ("country", "Country", "text"),
            ("locale", "Language", "text"),
            ("status", "Status", "text"),
            ("source", "Source", "text"),
            ("owner_email", "Owner", "text"),
            ("opted_out", "Wants no mail", "boolean"),
        ),
        *_further(
            ("score", "Score", "number"),
            ("tier", "Tier", "text"),
            ("rating", "Rating", "text"),
            ("segment", "Segment", "text"),
            ("intent", "Intent", "text"),
            ("need", "Need", "text"),
            ("utm_source", "Source of the last visit", "text"),
            ("utm_campaign", "Campaign of the last visit", "text"),
            ("first_source", "Source of the first visit", "text"),
            ("qualification", "Qualification", "text"),
            ("last_conversation", "Last conversation", "text"),
        ),
    ),
    Kind.COMPANY: (
        RemoteField("domain", "Domain", required=True, ours="domain"),
        *_standard(
            ("name", "Name", "text"),
            ("industry", "Industry", "text"),
            ("employees", "Employees", "number"),
            ("country", "Country", "text"),
            ("phone", "Phone", "text"),
            ("is_customer", "Is a customer", "boolean"),
            ("is_target", "Is a target account", "boolean"),
            ("owner_email", "Owner", "text"),
            ("csm_email", "Customer success manager", "text"),
        ),
        *_further(("tech", "Technology", "text"), ("revenue", "Revenue", "number"), ("website", "Website", "text")),
    ),
}
