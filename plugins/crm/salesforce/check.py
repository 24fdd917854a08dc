"""Tries a connection to Salesforce without changing anything: who we are, what was granted, what the org lacks."""

from __future__ import annotations

from plugins.adapter import CheckResult
from plugins.config import Config
from plugins.crm.salesforce.activities import TOLD, wrong_statuses
from plugins.crm.salesforce.fields import demanded, described, unfit, unseen
from plugins.crm.salesforce.rows import ACCOUNT, CONTACT, EVENT, LEAD, TASK
from plugins.crm.salesforce.session import BROWSER, SCOPES, Session, missing_settings
from plugins.crm.salesforce.soql import select
from plugins.crm.salesforce.values import Shape

NEARLY = 0.8
"""From this share of the day's requests on the owner is warned."""
_LOOSE = {
    "person_id_field": "Without an external id field of people, other programs can make the same person beside us.",
    "company_id_field": "Without an external id field of companies, other programs can make the same one beside us.",
    "activity_id_field": "Without an external id field of activities, no activities and meetings are written.",
}
_WHERE = {"person_id_field": (LEAD, CONTACT), "company_id_field": (ACCOUNT,), "activity_id_field": (TASK, EVENT)}


def checked(session: Session, config: Config, shape: Shape) -> CheckResult:
    """The account's name, scopes and warnings; `ok` False with a sentence where settings and org do not fit."""
    wrong = [*missing_settings(config), *wrong_statuses(config)]
    if wrong:
        return CheckResult(ok=False, message="; ".join(f"{name}: {why}" for name, why in wrong))
    found = session.query("check", select(["Id", "Name", "IsSandbox"], "Organization"))
    account = " ".join(f"{row['Name']}{' (sandbox)' * bool(row['IsSandbox'])}" for row in found)
    problems, warnings = _fields(session, config, shape)
    granted, missing = _scopes(session, config)
    if missing:
        problems.insert(0, f"The app lacks the scope {', '.join(missing)}")
    warnings += _usage(session)
    if config.text("login_url").startswith("http:"):
        warnings.append("Secrets are sent without encryption.")
    message = f"{'; '.join(problems)}." if problems else ""
    org = " ".join(row["Id"] for row in found)
    return CheckResult(not problems, account, granted, missing, tuple(warnings), message, org)


def _fields(session: Session, config: Config, shape: Shape) -> tuple[list[str], list[str]]:
    """What is wrong with the fields that the settings name, and what the org demands that we do not have."""
    problems, warnings = [], [said for name, said in _LOOSE.items() if not config[name]]
    asked = (LEAD, CONTACT, ACCOUNT, *((TASK, EVENT) if config["activity_id_field"] else ()))
    there = {sobject: described(session, "check", sobject) for sobject in asked}
    for setting, sobjects in _WHERE.items():
        for sobject in sobjects if config[setting] else ():
            problem = unfit(there[sobject], sobject, config.text(setting), unique=sobject not in (TASK, EVENT))
            problems += [problem] if problem else []
    problems += [
        said for sobject, names in _read(config, shape).items() if (said := unseen(there[sobject], sobject, names))
    ]
    leads = there[LEAD]
    given = [*shape.names[LEAD].values(), "OwnerId", config.text("person_id_field")]
    if lacking := demanded(leads, given):
        warnings.append(
            f"Salesforce demands {', '.join(lacking)} of every new lead: map a value to it, or give it a default there."
        )
    return problems, warnings


def _read(config: Config, shape: Shape) -> dict[str, list[str]]:
    """What every look at a record asks for, by kind: one field that our user may not see makes all of them fail."""
    read = {sobject: shape.columns(sobject, config["changed_fields"] or ()) for sobject in (LEAD, CONTACT, ACCOUNT)}
    read[ACCOUNT] += [shape.csm_field] if shape.csm_field else []
    if config["activity_id_field"]:
        read[EVENT] = [*TOLD, *filter(None, [config.text("meeting_status_field")])]
    return {sobject: [name for name in columns if "." not in name] for sobject, columns in read.items()}


def _scopes(session: Session, config: Config) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was granted and what of the needed is missing; nobody is told missing what Salesforce does not list."""
    granted = session.scopes()
    have = {"refresh_token" if one == "offline_access" else one for one in granted}
    needed = SCOPES if config.text("sign_in") == BROWSER else SCOPES[:1]
    have |= {"api"} if "full" in have else set()
    return granted, tuple(one for one in needed if granted and one not in have)


def _usage(session: Session) -> list[str]:
    if session.usage is None:
        return []
    used, allowed = session.usage
    if used < NEARLY * allowed:
        return []
    return [
        f"{used} of {allowed} requests of the last 24 hours are used up, by all programs of this Salesforce together."
    ]
