"""A lead that becomes a contact with an opportunity, in Dynamics: QualifyLead, once."""

from __future__ import annotations

from typing import Any

from plugins.crm import Conversion, Kind, Ref
from plugins.crm.dynamics.lengths import LONGEST, cut
from plugins.crm.dynamics.rows import QUALIFIED
from plugins.crm.dynamics.web import SETS, Web, at, bound, key_of, own_id, quoted
from plugins.errors import Permanent

STATUS = 3
"""Of a lead's statuscode: Qualified, as Dynamics comes."""


def convert(web: Web, person: Ref, company: Ref | None, opportunity: str) -> Conversion:
    """What the lead became. One that is qualified already is not qualified again: what came of it is looked up."""
    table, id = key_of(person, Kind.PERSON)
    if table == "contact":
        return _of_contact(web, id, company, opportunity)
    lead = web.get("convert", at("lead", id), params={"$select": "statecode,subject"})
    if lead.get("statecode") != QUALIFIED:
        _qualify(web, id, company, opportunity, lead)
    contact = _made_of(web, "contact", id)
    if contact is None:
        raise Permanent("the qualified lead has no contact", user_message="Dynamics made no contact of this lead.")
    if company:
        account = bound(*key_of(company, Kind.COMPANY))
        web.change("convert", "contact", contact, {"parentcustomerid_account@odata.bind": account})
    deal = _made_of(web, "opportunity", id) if opportunity else None
    if opportunity and deal is None:
        return _of_contact(web, contact, company, opportunity)
    return Conversion(web.ref("contact", contact), company, web.ref("opportunity", deal) if deal else None)


def _qualify(web: Web, id: str, company: Ref | None, opportunity: str, lead: dict[str, Any]) -> None:
    """The opportunity gets the lead's subject as its name: that is set first, so that no answer lost in between makes
    a second one."""
    before: dict[str, Any] = {}
    if opportunity and lead.get("subject") != _name(opportunity):
        before["subject"] = _name(opportunity)
    asked: dict[str, Any] = {
        "CreateAccount": False,
        "CreateContact": True,
        "CreateOpportunity": bool(opportunity),
        "Status": STATUS,
    }
    if company:
        account = key_of(company, Kind.COMPANY)
        before["parentaccountid@odata.bind"] = bound(*account)
        asked["OpportunityCustomerId"] = {"accountid": account[1], "@odata.type": "Microsoft.Dynamics.CRM.account"}
    web.change("convert", "lead", id, before)
    web.call("convert", "POST", f"{at('lead', id)}/Microsoft.Dynamics.CRM.QualifyLead", json=asked)


def _of_contact(web: Web, id: str, company: Ref | None, opportunity: str) -> Conversion:
    """Who is a contact stays one; an opportunity is made unless there is one of that name."""
    person = web.ref("contact", id)
    if not opportunity:
        return Conversion(person, company)
    name = _name(opportunity)
    path, key = SETS["opportunity"]
    wanted = f"_parentcontactid_value eq {id} and name eq {quoted(name)}"
    there = list(web.pages("convert", path, params={"$select": key, "$filter": wanted, "$orderby": "createdon asc"}))
    if there:
        return Conversion(person, company, web.ref("opportunity", str(there[0][key])))
    deal = own_id("opportunity", id, name)
    values: dict[str, Any] = {"name": name, "parentcontactid@odata.bind": bound("contact", id)}
    if company:
        values["customerid_account@odata.bind"] = bound(*key_of(company, Kind.COMPANY))
    else:
        values["customerid_contact@odata.bind"] = bound("contact", id)
    created = web.make("convert", "opportunity", deal, values)
    return Conversion(person, company, web.ref("opportunity", deal, created=created))


def _name(opportunity: str) -> str:
    return cut(opportunity, LONGEST["opportunity"]["name"])


def _made_of(web: Web, table: str, lead: str) -> str | None:
    """The oldest row that came of a lead."""
    path, key = SETS[table]
    params = {"$select": key, "$filter": f"_originatingleadid_value eq {lead}", "$orderby": "createdon asc"}
    return next((str(one[key]) for one in web.pages("convert", path, params=params)), None)
