"""What happened with a person, in Dynamics: tasks and phone calls that are done, an appointment for each meeting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from plugins.crm import Activity, ActivityKind, Kind, Meeting, MeetingStatus, Ref
from plugins.crm.dynamics.following import standing
from plugins.crm.dynamics.lengths import LONGEST, fitted, linked, parts
from plugins.crm.dynamics.people import People
from plugins.crm.dynamics.rows import Row, by_key, columns_of
from plugins.crm.dynamics.web import SETS, Web, bound, key_of, own_id
from plugins.errors import InvalidInput, NotFound

DONE = {"task": {"statecode": 1, "statuscode": 5}, "phonecall": {"statecode": 1, "statuscode": 2}}
_STATES = {
    MeetingStatus.BOOKED: {"statecode": 3, "statuscode": 5},
    MeetingStatus.RESCHEDULED: {"statecode": 3, "statuscode": 5},
    MeetingStatus.HELD: {"statecode": 1, "statuscode": 3},
    MeetingStatus.CANCELLED: {"statecode": 2, "statuscode": 4},
    MeetingStatus.NO_SHOW: {"statecode": 2, "statuscode": 4},
}
"""Dynamics has no "no show": it is a cancelled appointment whose category says so."""
_WORDS = {
    MeetingStatus.BOOKED: "Booked",
    MeetingStatus.RESCHEDULED: "Rescheduled",
    MeetingStatus.HELD: "Held",
    MeetingStatus.CANCELLED: "Cancelled",
    MeetingStatus.NO_SHOW: "No-show",
}
_MEETING = (
    "activityid", "subject", "scheduledstart", "scheduledend", "location", "description", "category", "subcategory",
    "statecode", "_ownerid_value",
)  # fmt: skip
_FILED = {
    "task": "_regardingobjectid_value",
    "phonecall": "_regardingobjectid_value",
    "appointment": "_regardingobjectid_value",
    "annotation": "_objectid_value",
}
"""Table of what is filed under a person → the column that says so."""


class Activities:
    """Each row's key follows from the delivery's key, or from the meeting's own name."""

    def __init__(self, web: Web, people: People) -> None:
        self._web, self._people = web, people

    def log(self, person: Ref, activity: Activity, *, key: str) -> Ref:
        """A task that is done, or a phone call; of a text that is too long for it all stands in notes."""
        table = "phonecall" if activity.kind is ActivityKind.CALL else "task"
        id = own_id("activity", key)
        subject, most = activity.subject or activity.kind.title(), LONGEST[table]["description"]
        body, when = linked(activity.body, activity.url, most), _text(activity.at)
        values = fitted(table, {"subject": subject, "description": body or None})
        values |= {"scheduledend": when, "actualend": when, **self._about("log_activity", person, table)}
        created = self._web.make("log_activity", table, id, values)
        if not body.startswith(activity.body):
            self._note(table, id, subject, activity.body)
        self._web.change("log_activity", table, id, DONE[table])
        return self._web.ref(table, id, created=created)

    def meet(self, person: Ref, meeting: Meeting) -> Ref:
        """The appointment of this meeting, as it stands now."""
        id = own_id("meeting", meeting.uid)
        values = self._written(meeting)
        about = self._about("log_meeting", person, "appointment")
        created = self._web.make("log_meeting", "appointment", id, values | about)
        state = _STATES[meeting.status]
        self._web.change("log_meeting", "appointment", id, state if created else values | state)
        return self._web.ref("appointment", id, created=created)

    def read(self, refs: Sequence[Ref]) -> dict[str, Meeting]:
        """What is there of these meetings now, by the id of their reference."""
        rows = by_key(self._web, "meetings", Kind.MEETING, refs, lambda _: _MEETING, ())
        return {self._web.ref(row.table, row.id).id: _meeting_of(row.data) for row in rows}

    def erase(self, person: Ref) -> None:
        """The person with what is filed under them, and all other rows of theirs. The one that we were told of goes
        last: an erasure that breaks off finds its way again from there."""
        try:
            told = key_of(person, Kind.PERSON)
            whose = standing(self._web, "erase", person)
        except NotFound:
            return
        for table, id in dict.fromkeys([*(one for one in self._of_person(*whose) if one != told), told]):
            self._erase(table, id)

    def _of_person(self, table: str, id: str) -> list[tuple[str, str]]:
        """All rows that went into this one, and this one at the end: they hold the same name and address."""
        found = [(table, id)]
        for kind, key in found:
            found += [one for one in self._went_into(kind, key) if one not in found]
        return found[::-1]

    def _went_into(self, table: str, id: str) -> list[tuple[str, str]]:
        """The rows that were merged into one and not activated again, and the lead that a contact came from."""
        path = SETS[table][0]
        wanted = {"$select": ",".join(columns_of(table)), "$filter": f"_masterid_value eq {id}"}
        rows = [Row(table, one) for one in self._web.pages("erase", path, params=wanted)]
        found = [(table, row.id) for row in rows if row.merged_into]
        if table == "contact":
            params = {"$select": "_originatingleadid_value", "$filter": f"contactid eq {id}"}
            leads = [one.get("_originatingleadid_value") for one in self._web.pages("erase", path, params=params)]
            found += [("lead", str(one)) for one in leads if one]
        return found

    def _erase(self, table: str, id: str) -> None:
        for kind, whose in _FILED.items():
            path, key = SETS[kind]
            params = {"$select": key, "$filter": f"{whose} eq {id}"}
            for one in list(self._web.pages("erase", path, params=params)):
                self._web.delete("erase", kind, str(one[key]))
        self._web.delete("erase", table, id)

    def _note(self, table: str, id: str, subject: str, text: str) -> None:
        """All of a text under an activity, in as many notes as it takes."""
        pieces = list(parts(text, LONGEST["annotation"]["notetext"]))
        for number, piece in enumerate(pieces, 1):
            title = f"{subject} ({number}/{len(pieces)})" if pieces[1:] else subject
            values = fitted("annotation", {"subject": title, "notetext": piece})
            values[f"objectid_{table}@odata.bind"] = bound(table, id)
            self._web.make("log_activity", "annotation", own_id("note", id, str(number)), values)

    def _about(self, operation: str, person: Ref, table: str) -> dict[str, Any]:
        whose, id = standing(self._web, operation, person)
        return {f"regardingobjectid_{whose}_{table}@odata.bind": bound(whose, id)}

    def _written(self, meeting: Meeting) -> dict[str, Any]:
        most = LONGEST["appointment"]["description"]
        texts = {
            "subject": meeting.title,
            "description": linked(meeting.description, meeting.url, most),
            "location": meeting.location,
            "category": _WORDS[meeting.status],
            "subcategory": f"{meeting.uid} {meeting.zone}",
        }
        values = fitted("appointment", {name: text or None for name, text in texts.items()})
        values |= {"scheduledstart": _text(meeting.start), "scheduledend": _text(meeting.end)}
        return values | self._people.owned_by("log_meeting", meeting.owner_email)


def _meeting_of(row: Mapping[str, Any]) -> Meeting:
    uid, _, zone = str(row.get("subcategory") or "").partition(" ")
    states = {word: status for status, word in _WORDS.items()}
    by_state = {1: MeetingStatus.HELD, 2: MeetingStatus.CANCELLED}
    status = states.get(str(row.get("category") or ""), MeetingStatus.BOOKED)
    if row.get("statecode") in by_state and status in (MeetingStatus.BOOKED, MeetingStatus.RESCHEDULED):
        status = by_state[row["statecode"]]
    return Meeting(
        uid=uid,
        start=moment(row.get("scheduledstart")),
        end=moment(row.get("scheduledend")),
        zone=zone or "UTC",
        title=str(row.get("subject") or ""),
        status=status,
        description=str(row.get("description") or ""),
        location=str(row.get("location") or ""),
    )


def moment(text: Any) -> datetime:
    """A moment as Dataverse writes it."""
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")).astimezone(UTC)


def _text(at: datetime) -> str:
    if at.tzinfo is None:
        raise InvalidInput("times need a zone", field="at")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
