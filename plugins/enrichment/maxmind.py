"""A MaxMind database file (.mmdb) on this machine: nothing about the visitor leaves it."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import maxminddb

from plugins.adapter import CheckResult
from plugins.enrichment import Capability, Enrichment, Facts
from plugins.enrichment.asking import facts
from plugins.enrichment.domains import public_ip
from plugins.errors import ConfigError, Permanent
from plugins.fields import Field

SOURCE = "MaxMind"
PLACE, COMPANY, NETWORK = 0.9, 0.6, 0.4
BUSINESS = frozenset({"business", "college", "government", "library", "military", "school"})
"""`user_type` of the Enterprise database for which the organization is who the visitor works for."""
PASSED_ON = ("is_anonymous", "is_hosting_provider")
"""`traits` of an address whose visitors come from elsewhere: by a VPN, a proxy, Tor, a hoster's machine."""
OLD_DAYS = 30
"""MaxMind's licence wants a database replaced within 30 days of the next."""


class MaxMind(Enrichment):
    """Any of GeoIP Enterprise, ISP, Domain, City and Country, and GeoLite ASN, City and Country: what it is says the
    file itself. The network's name alone (ASN) is nobody's company."""

    name = "maxmind"
    title = "MaxMind database"
    about = "Looks addresses up in a database file: company, domain and country, as far as the file knows them."
    capabilities = frozenset({Capability.COMPANY_BY_IP})
    local = True
    fields = (
        Field("file", "Database file", required=True, help="Path of the .mmdb file on the server.", operators=True),
    )

    def check(self) -> CheckResult:
        about = self._database.metadata()
        built = datetime.fromtimestamp(about.build_epoch, UTC)
        old = (self.http.now() - built).days
        stale = (f"The file is {old} days old: fetch a newer one.",) if old > OLD_DAYS else ()
        return CheckResult(ok=True, account=f"{about.database_type}, {built:%Y-%m-%d}", warnings=stale)

    def company_by_ip(self, ip: str) -> Facts:
        try:
            if ":" in public_ip(ip) and self._database.metadata().ip_version == 4:
                return Facts()
            row = self._database.get(ip)
        except (maxminddb.InvalidDatabaseError, OSError) as error:
            raise Permanent(f"the database file cannot be read: {error}") from error
        if not isinstance(row, dict):
            return Facts()
        traits = row.get("traits") or {}
        values = {
            "country": (row.get("country") or {}).get("iso_code"),
            "city": ((row.get("city") or {}).get("names") or {}).get("en"),
        }
        sure = {**facts(SOURCE, PLACE, values).facts}
        return Facts({**facts(SOURCE, COMPANY if traits else NETWORK, _company(row, traits)).facts, **sure})

    def close(self) -> None:
        if "_database" in self.__dict__:
            self._database.close()
        super().close()

    @cached_property
    def _database(self) -> Any:
        file = Path(self.config.text("file"))
        try:
            return maxminddb.open_database(_named_as_one(file))
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            said = f"{file} is no MaxMind database that can be read."
            problem = ConfigError(str(error), problems=(("file", "cannot be read"),), user_message=said)
            raise problem.at("enrichment.maxmind", "open") from error


def _named_as_one(file: Path) -> Path:
    """ValueError for anything else, before it is opened: closing a file drops every lock this process holds on it, and
    a database of ours would be lost. What is inside, maxminddb looks at."""
    there = file.resolve()
    if there.suffix != ".mmdb" or not there.is_file():
        raise ValueError(f"{there} is no file that ends in .mmdb")
    return there


def _company(row: dict[str, Any], traits: dict[str, Any]) -> dict[str, Any]:
    """The Domain database knows the host name of any line, an access provider's customers as well: it is a guess."""
    if traits:
        if traits.get("user_type") not in BUSINESS or any(map(traits.get, PASSED_ON)):
            return {}
        return {"name": traits.get("organization"), "domain": traits.get("domain")}
    if "domain" in row:
        return {"domain": row["domain"]}
    if row.get("organization") and row.get("organization") != row.get("isp"):
        return {"name": row["organization"]}
    return {}
