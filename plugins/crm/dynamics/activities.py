"""What happened with a person, in Dynamics: tasks and phone calls that are done, an appointment for each meeting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from plugins.crm import Activity, ActivityKind, Kind, Meeting, MeetingStatus, Ref
from plugins.crm.dynamics.people import People, by_key
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
_LONGEST = {"subject": 400, "location": 200, "description": 100_000, "category": 250, "subcategory": 250}
_MEETING = (
    "activityid", "subject", "scheduledstart", "scheduledend", "location", "description", "category", "subcategory",
    "statecode", "_ownerid_value",
)  # fmt: skip


class Activities:
    """Each row's key follows from the delivery's key, or from the meeting's own name."""

    def __init__(self, web: Web, people: People) -> None:
        self._web, self._people = web, people

    def log(self, person: Ref, activity: Activity, *, key: str) -> Ref:
        """A task that is done, or a phone call."""
        table = "phonecall" if activity.kind is ActivityKind.CALL else "task"
        id = own_id("activity", key)
        body = "\n\n".join(filter(None, (activity.body, activity.url)))
        values = _cut({"subject": activity.subject or activity.kind.title(), "description": body})
        when = _text(activity.at)
        values |= {"scheduledend": when, "actualend": when, **self._about(person, table)}
        created = self._web.make("log_activity", table, id, values)
        self._web.change("log_activity", table, id, DONE[table])
        return self._web.ref(table, id, created=created)

    def meet(self, person: Ref, meeting: Meeting) -> Ref:
        """The appointment of this meeting, as it stands now."""
        id = own_id("meeting", meeting.uid)
        values = self._written(meeting)
        created = self._web.make("log_meeting", "appointment", id, values | self._about(person, "appointment"))
        state = _STATES[meeting.status]
        self._web.change("log_meeting", "appointment", id, state if created else values | state)
        return self._web.ref("appointment", id, created=created)

    def read(self, refs: Sequence[Ref]) -> dict[str, Meeting]:
        """What is there of these meetings now, by the id of their reference."""
        found: dict[str, Meeting] = {}
        for table, rows in by_key(self._web, "meetings", Kind.MEETING, refs, lambda _: list(_MEETING), ()):
            for one in rows:
                found[self._web.ref(table, one["activityid"]).id] = _meeting_of(one)
        return found

    def erase(self, person: Ref) -> None:
        """What is filed under them, then the person, and the lead that a contact came from."""
        try:
            table, id = key_of(person, Kind.PERSON)
        except NotFound:
            return
        for kind in ("task", "phonecall", "appointment"):
            path, key = SETS[kind]
            params = {"$select": key, "$filter": f"_regardingobjectid_value eq {id}"}
            for one in list(self._web.pages("erase", path, params=params)):
                self._web.delete("erase", kind, str(one[key]))
        self._erase_notes(id)
        for other, key in self._same_person(table, id):
            self.erase(self._web.ref(other, key))
        self._web.delete("erase", table, id)

    def _erase_notes(self, id: str) -> None:
        params = {"$select": "annotationid", "$filter": f"_objectid_value eq {id}"}
        for one in list(self._web.pages("erase", "annotations", params=params)):
            try:
                self._web.call("erase", "DELETE", f"annotations({one['annotationid']})")
            except NotFound:
                continue

    def _same_person(self, table: str, id: str) -> list[tuple[str, str]]:
        """The lead that a contact came from: it holds the same name and address."""
        if table != "contact":
            return []
        params = {"$select": "_originatingleadid_value", "$filter": f"contactid eq {id}"}
        found = [one.get("_originatingleadid_value") for one in self._web.pages("erase", "contacts", params=params)]
        return [("lead", str(one)) for one in found if one]

    def _about(self, person: Ref, table: str) -> dict[str, Any]:
        whose, id = key_of(person, Kind.PERSON)
        return {f"regardingobjectid_{whose}_{table}@odata.bind": bound(whose, id)}

    def _written(self, meeting: Meeting) -> dict[str, Any]:
        texts = {
            "subject": meeting.title,
            "description": "\n\n".join(filter(None, (meeting.description, meeting.url))),
            "location": meeting.location,
            "category": _WORDS[meeting.status],
            "subcategory": f"{meeting.uid} {meeting.zone}",
        }
        values: dict[str, Any] = _cut(texts)
        values |= {"scheduledstart": _text(meeting.start), "scheduledend": _text(meeting.end)}
        if meeting.owner_email:
            values["ownerid@odata.bind"] = bound("systemuser", self._people.owner("log_meeting", meeting.owner_email))
        return values


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


def _cut(texts: Mapping[str, str]) -> dict[str, Any]:
    """Texts no longer than their columns; none where there is nothing to say."""
    return {name: text[: _LONGEST[name]] or None for name, text in texts.items()}
