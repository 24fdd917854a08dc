"""Rows of Dynamics' tables as they are read: which columns of them, and those of given keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plugins.crm import Kind, Ref
from plugins.crm.dynamics.web import SETS, Web, key_of
from plugins.errors import NotFound

COLUMNS = {
    "email": "emailaddress1",
    "first_name": "firstname",
    "last_name": "lastname",
    "phone": "telephone1",
    "title": "jobtitle",
    "country": "address1_country",
}
"""Our name → their column, for leads and contacts alike."""
OF_LEADS = {"company": "companyname"}
MERGED = ("merged", "_masterid_value")
QUALIFIED = 1
AT_ONCE = 20
"""Rows that are asked for by key in one filter."""
_SEEN = ("fullname", "donotbulkemail", "statecode", "statuscode", "createdon", "modifiedon", "_ownerid_value", *MERGED)
OWNER = "owninguser($select=systemuserid,fullname,internalemailaddress,isdisabled,applicationid)"
Columns = Callable[[str], Sequence[str]]
"""Table → the columns that are read of it."""


@dataclass(frozen=True)
class Row:
    """A row of a table, as it was read."""

    table: str
    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.data[SETS[self.table][1]])

    @property
    def is_open(self) -> bool:
        return self.data.get("statecode") == 0

    @property
    def became_a_contact(self) -> bool:
        return self.table == "lead" and self.data.get("statecode") == QUALIFIED

    @property
    def merged_into(self) -> str:
        """Key of the row that this one was merged into, "" for others. Merging deactivates it (merge-table-rows of the
        Web API's guide): one that somebody activated again is a row of its own."""
        merged = self.data.get("merged") and not self.is_open
        return str(self.data.get("_masterid_value") or "") if merged else ""


def by_key(
    web: Web, operation: str, kind: Kind, refs: Sequence[Ref], columns: Columns, fields: Sequence[str]
) -> Iterator[Row]:
    """The rows of these references, table by table; what none of ours looks like is left out."""
    keys: dict[str, list[str]] = {}
    for ref in refs:
        try:
            table, id = key_of(ref, kind)
        except NotFound:
            continue
        keys.setdefault(table, []).append(id)
    for table, ids in keys.items():
        yield from rows_of(web, operation, table, ids, [*columns(table), *fields])


def rows_of(
    web: Web, operation: str, table: str, ids: Iterable[str], columns: Sequence[str], *, by: str = ""
) -> Iterator[Row]:
    """The rows of a table that have one of these keys, or one of them in the column `by`."""
    path, key = SETS[table]
    wanted = list(dict.fromkeys(ids))
    for first in range(0, len(wanted), AT_ONCE):
        these = " or ".join(f"{by or key} eq {id}" for id in wanted[first : first + AT_ONCE])
        params = {"$select": ",".join(dict.fromkeys(columns)), "$filter": these, **expanded(table)}
        for one in web.pages(operation, path, params=params):
            yield Row(table, one)


def expanded(table: str) -> dict[str, str]:
    """Whose it is, for tables whose owner we ask for."""
    return {"$expand": OWNER} if table in ("lead", "contact", "account") else {}


def columns_of(table: str) -> list[str]:
    """The columns of people that we read."""
    of_leads = [*OF_LEADS.values(), "leadsourcecode", "_parentcontactid_value"] if table == "lead" else []
    return [SETS[table][1], *COLUMNS.values(), *of_leads, *_SEEN]
