"""Marketing automation for those who have none: prospects, enrolments and what happened, kept in our own records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from plugins.adapter import CheckResult
from plugins.emails import fold, stable_id
from plugins.errors import InvalidInput
from plugins.marketing import Capability, Enrolment, EnrolmentState, Marketing, Prospect
from plugins.records import Record, change

PROSPECT, ENROLMENT, EVENT = "marketing.prospect", "marketing.enrolment", "marketing.event"
KEYS_KEPT = 20


class BuiltinMarketing(Marketing):
    """Opting out stops all streams of a person and refuses new ones until they opt in again."""

    name = "builtin"
    title = "Built-in marketing"
    about = "Keeps prospects and stream enrolments in Usher's own database."
    capabilities = frozenset(Capability)

    def check(self) -> CheckResult:
        self.records.list(PROSPECT, limit=1)
        return CheckResult(ok=True, account=self.title)

    def upsert(self, prospect: Prospect, *, key: str) -> str:
        id = stable_id("pro", fold(prospect.email))
        said = {name: value for name, value in asdict(prospect).items() if value is not None}

        def laid_over(there: Record | None) -> Record:
            there = there or {"id": id, "keys": [], "fields": {}}
            if key in there["keys"]:
                return there
            fields = {**there["fields"], **said["fields"]}
            return {**there, **said, "fields": fields, "keys": [*there["keys"], key][-KEYS_KEPT:]}

        now = change(self.records, PROSPECT, id, laid_over).now
        if now.get("opted_out"):
            self._stop_all(id)
        return id

    def enrol(self, enrolment: Enrolment, *, key: str) -> None:
        person = stable_id("pro", fold(enrolment.email))
        known = self.records.get(PROSPECT, person) or {}
        if known.get("opted_out") and enrolment.state is not EnrolmentState.STOPPED:
            raise InvalidInput("this person opted out", field="email")
        value = {"person": person, **asdict(enrolment), "at": enrolment.at.isoformat()}
        change(self.records, ENROLMENT, stable_id("enr", person, enrolment.stream), lambda there: _later(there, value))

    def enrolments(self, email: str) -> list[Enrolment]:
        """Where the person is, in every stream they ever were in."""
        found = self.records.find(ENROLMENT, {"person": stable_id("pro", fold(email))})
        return [_enrolment(record) for record in found]

    def event(self, email: str, name: str, at: datetime, data: Mapping[str, Any], *, key: str) -> None:
        value = {"person": stable_id("pro", fold(email)), "name": name, "at": at.isoformat(), "data": dict(data)}
        self.records.put(EVENT, stable_id("mev", key), value, new=True)

    def erase(self, email: str) -> None:
        """The person with every stream and deed of theirs; one who is gone already is a success."""
        person = stable_id("pro", fold(email))
        for found in self.records.find(ENROLMENT, {"person": person}):
            self.records.delete(ENROLMENT, stable_id("enr", person, found["stream"]))
        for id, found in self._all(EVENT):
            if found["person"] == person:
                self.records.delete(EVENT, id)
        self.records.delete(PROSPECT, person)

    def _all(self, kind: str) -> Iterator[tuple[str, Record]]:
        after = ""
        while rows := self.records.list(kind, after=after):
            yield from rows
            after = rows[-1][0]

    def _stop_all(self, person: str) -> None:
        for found in self.records.find(ENROLMENT, {"person": person}):
            id = stable_id("enr", person, found["stream"])
            change(self.records, ENROLMENT, id, lambda there: {**(there or {}), "state": EnrolmentState.STOPPED.value})


def _later(there: Record | None, value: Record) -> Record:
    """The newer of the two, so that deliveries that overtake each other end in the same place."""
    older = there is not None and datetime.fromisoformat(there["at"]) > datetime.fromisoformat(value["at"])
    return there if older and there is not None else value


def _enrolment(record: Record) -> Enrolment:
    at = datetime.fromisoformat(record["at"])
    return Enrolment(record["email"], record["stream"], EnrolmentState(record["state"]), at)
