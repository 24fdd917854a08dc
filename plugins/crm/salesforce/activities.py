"""What happened with a person: tasks that are done, and one event for a meeting's whole life."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plugins.config import Config
from plugins.crm import Activity, Meeting, MeetingStatus
from plugins.crm.salesforce.errors import CONVERTED, Names
from plugins.crm.salesforce.people import users, went_into
from plugins.crm.salesforce.rows import CONTACT, EVENT, LEAD, TASK, Rows, Written, sobject_of
from plugins.crm.salesforce.session import Session
from plugins.crm.salesforce.soql import at_moment, field_name, moment
from plugins.crm.salesforce.values import cut, owner_email, pairs
from plugins.emails import stable_id
from plugins.errors import Conflict, NotFound, UnsupportedFeature

SUBJECT, LOCATION, DESCRIPTION = 255, 255, 32_000
"""The longest texts Salesforce takes there; the rest is cut off, with a mark."""
_TASK: Names = {"Subject": "subject", "Description": "body", "ActivityDate": "at", "WhoId": "person"}
_EVENT: Names = {
    "Subject": "title", "Description": "description", "Location": "location", "StartDateTime": "start",
    "EndDateTime": "end", "WhoId": "person", "OwnerId": "owner_email",
}  # fmt: skip
TOLD = ("Subject", "Description", "Location", "StartDateTime", "EndDateTime", "OwnerId")
"""What is read of an event, beside the fields that the settings name."""
FREE = (MeetingStatus.CANCELLED,)
"""Meetings that take nobody's time (ShowAs)."""


class Activities:
    """`field`: the external id field of activities, which makes a repeated write the same record."""

    def __init__(self, session: Session, rows: Rows, config: Config) -> None:
        self._session, self._rows = session, rows
        self._field = config.text("activity_id_field")
        self._done = config.text("task_status")
        self._subjects = pairs(config["meeting_subjects"] or ())
        self._status_field = config.text("meeting_status_field")
        self._statuses = pairs(config["meeting_status_values"] or ())

    def log(self, person: str, activity: Activity, key: str) -> Written:
        """A task that is done, on the day it happened."""
        told = "\n\n".join(part for part in (activity.body, activity.url) if part)
        body = {
            "Subject": cut(activity.subject, SUBJECT), "Description": cut(told, DESCRIPTION) or None,
            "ActivityDate": moment(activity.at)[:10], "Status": self._done, "Priority": "Normal",
        }  # fmt: skip
        return self._filed("log_activity", TASK, stable_id("act", key), person, body, _TASK)

    def meet(self, person: str, meeting: Meeting) -> Written:
        """The event of this meeting, brought up to date. Salesforce's events have no status: it is told in the subject,
        by whether it takes time, and in a field of the org's if it has one."""
        status = meeting.status.value
        told = "\n\n".join(part for part in (meeting.description, meeting.url) if part)
        body = {
            "Subject": cut(self._subject(status, meeting.title), SUBJECT),
            "Description": cut(told, DESCRIPTION) or None,
            "Location": cut(meeting.location or meeting.url, LOCATION) or None,
            "StartDateTime": moment(meeting.start), "EndDateTime": moment(meeting.end),
            "ShowAs": "Free" if meeting.status in FREE else "Busy",
        }  # fmt: skip
        if self._status_field and status in self._statuses:
            body[field_name(self._status_field)] = self._statuses[status]
        if owner := self._user(meeting.owner_email):
            body["OwnerId"] = owner
        return self._filed("log_meeting", EVENT, meeting.uid, person, body, _EVENT)

    def columns(self) -> list[str]:
        """What to ask for, so that `meeting_of` can read it."""
        mine = [field_name(name) for name in (self._field, self._status_field) if name]
        return ["Id", *TOLD, "Owner.Email", "Owner.Name", "Owner.IsActive", *mine]

    def meeting_of(self, row: Mapping[str, Any]) -> Meeting:
        """An event in our words. Salesforce keeps no zone with it: UTC."""
        status, title = self._status_of(row)
        return Meeting(
            uid=str(row.get(self._field) or ""),
            start=at_moment(row["StartDateTime"]), end=at_moment(row["EndDateTime"]),
            zone="UTC", title=title, status=status, description=row.get("Description") or "",
            location=row.get("Location") or "", owner_email=owner_email(row) or "",
        )  # fmt: skip

    def _filed(
        self, operation: str, sobject: str, mark: str, person: str, body: dict[str, Any], names: Names
    ) -> Written:
        """Written under the person: with a lead as WhoId there is no WhatId, and a contact brings its account along.
        A lead that was converted meanwhile is the contact that it became, and who was merged is who was kept."""
        if not self._field:
            raise UnsupportedFeature(
                "no activity_id_field",
                user_message="Activities and meetings need an external id field on Salesforce's activities.",
            )
        if sobject_of(person) not in (LEAD, CONTACT):
            raise NotFound(f"{person} is no lead or contact")

        who: str = person
        while True:
            try:
                return self._rows.upsert(operation, sobject, self._field, mark, {**body, "WhoId": who}, names)
            except (Conflict, NotFound) as refused:
                if isinstance(refused, Conflict) and refused.vendor_code != CONVERTED:
                    raise
                before, who = who, went_into(self._session, operation, who)
                if not who:
                    raise NotFound(f"{before} is gone, and went into no other") from refused

    def _user(self, email: str) -> str:
        found = self._session.query("log_meeting", users([email])) if email else []
        return str(found[0]["Id"]) if found else ""

    def _subject(self, status: str, title: str) -> str:
        pattern = self._subjects.get(status, "{title}")
        return pattern.replace("{title}", title)

    def _status_of(self, row: Mapping[str, Any]) -> tuple[MeetingStatus, str]:
        subject, said = str(row.get("Subject") or ""), row.get(self._status_field) if self._status_field else None
        by_subject: MeetingStatus | None = None
        for status, pattern in self._subjects.items():
            before, _, after = pattern.partition("{title}")
            if (before or after) and subject.startswith(before) and subject.endswith(after):
                by_subject = MeetingStatus(status)
                subject = subject[len(before) : len(subject) - len(after)]
                break
        back = {theirs: MeetingStatus(ours) for ours, theirs in self._statuses.items()}
        return (back.get(str(said)) or by_subject or MeetingStatus.BOOKED), subject


def wrong_statuses(config: Config) -> list[tuple[str, str]]:
    """Settings that name a status there is not."""
    known = {status.value for status in MeetingStatus}
    allowed = f"allowed are {', '.join(sorted(known))}, each with = and what Salesforce has for it"
    settings: dict[str, Callable[[str], bool]] = {"meeting_subjects": lambda theirs: "{title}" in theirs}
    return [
        (name, allowed)
        for name in ("meeting_subjects", "meeting_status_values")
        for ours, theirs in pairs(config[name] or ()).items()
        if ours not in known or not settings.get(name, bool)(theirs)
    ]
