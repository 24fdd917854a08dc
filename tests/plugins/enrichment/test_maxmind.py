"""MaxMind's files, written for the test by another library than the one that reads them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from plugins.enrichment.maxmind import MaxMind
from plugins.errors import ConfigError
from plugins.records import MemoryRecords
from plugins.registry import Registry
from plugins.testing import EnrichmentConformance

GLOBEX, HOME = "8.8.4.4", "9.9.9.9"


def written(file: Path, kind: str, rows: dict[str, dict[str, Any]], version: int = 6) -> Path:
    about = {"database_type": kind, "languages": ["en"], "description": kind}
    writer = MMDBWriter(ip_version=version, ipv4_compatible=version == 6, **about)
    for network, row in rows.items():
        writer.insert_network(IPSet([network]), row)
    writer.to_db_file(str(file))
    return file


def opened(file: Path) -> Any:
    return Registry(discover=list).open("enrichment", "maxmind", {"file": str(file)}, records=MemoryRecords())


def plain(found: Any) -> dict[str, Any]:
    return {name: fact.value for name, fact in found.facts.items()}


class TestMaxMind(EnrichmentConformance):
    adapter = MaxMind
    no_http = "a file on this machine"
    known_ip = GLOBEX

    @pytest.fixture
    def config(self, tmp_path: Path) -> dict[str, Any]:
        where = {"country": {"iso_code": "DE"}, "city": {"names": {"en": "Berlin"}}}
        business = {"user_type": "business", "organization": "Globex", "domain": "globex.com", "isp": "Some Net"}
        home = {"user_type": "residential", "organization": "Some Net", "isp": "Some Net"}
        rows = {f"{GLOBEX}/32": {**where, "traits": business}, f"{HOME}/32": {**where, "traits": home}}
        return {"file": str(written(tmp_path / "enterprise.mmdb", "GeoIP2-Enterprise", rows))}

    def test_a_business_is_named_and_an_access_provider_is_not(self, subject: Any) -> None:
        told = subject.company_by_ip(GLOBEX)
        assert plain(told) == {"name": "Globex", "domain": "globex.com", "country": "DE", "city": "Berlin"}
        assert told.facts["country"].confidence > told.facts["name"].confidence
        assert plain(subject.company_by_ip(HOME)) == {"country": "DE", "city": "Berlin"}
        assert plain(subject.company_by_ip("1.1.1.1")) == {}
        assert plain(subject.company_by_ip("2001:4860:4860::8888")) == {}

    def test_checking_says_which_file_it_is_and_how_old(self, subject: Any) -> None:
        assert subject.check().account.startswith("GeoIP2-Enterprise, 20")
        assert subject.check().warnings == ()


def test_other_files_tell_what_they_know(tmp_path: Path) -> None:
    isp = written(tmp_path / "isp.mmdb", "GeoIP2-ISP", {
        f"{GLOBEX}/32": {"isp": "Net", "organization": "Globex"}, f"{HOME}/32": {"isp": "Net", "organization": "Net"},
    })  # fmt: skip
    asn = written(tmp_path / "asn.mmdb", "GeoLite2-ASN", {f"{GLOBEX}/32": {"autonomous_system_organization": "Net"}})
    domain = written(tmp_path / "domain.mmdb", "GeoIP2-Domain", {f"{GLOBEX}/32": {"domain": "globex.com"}})
    assert plain(opened(isp).company_by_ip(GLOBEX)) == {"name": "Globex"}
    assert plain(opened(isp).company_by_ip(HOME)) == {}
    assert plain(opened(asn).company_by_ip(GLOBEX)) == {}
    assert plain(opened(domain).company_by_ip(GLOBEX)) == {"domain": "globex.com"}


def test_the_domain_of_a_host_name_is_a_guess_since_access_providers_name_their_lines_too(tmp_path: Path) -> None:
    domain = written(tmp_path / "domain.mmdb", "GeoIP2-Domain", {f"{HOME}/32": {"domain": "t-ipconnect.de"}})
    assert opened(domain).company_by_ip(HOME).facts["domain"].confidence < 0.5


@pytest.mark.parametrize(
    "traits",
    [{"user_type": "content_delivery_network"}, {"is_anonymous": True}, {"is_hosting_provider": True}],
)
def test_whoever_only_passes_through_a_network_is_not_taken_for_its_owner(
    tmp_path: Path, traits: dict[str, Any]
) -> None:
    row = {"country": {"iso_code": "DE"}, "traits": {"user_type": "business", "organization": "Globex", **traits}}
    file = written(tmp_path / "enterprise.mmdb", "GeoIP2-Enterprise", {f"{GLOBEX}/32": row})
    assert plain(opened(file).company_by_ip(GLOBEX)) == {"country": "DE"}


def test_a_file_of_the_old_addresses_alone_knows_nothing_of_the_new_ones(tmp_path: Path) -> None:
    country = {f"{GLOBEX}/32": {"country": {"iso_code": "DE"}}}
    file = opened(written(tmp_path / "old.mmdb", "GeoLite2-Country", country, version=4))
    assert plain(file.company_by_ip(GLOBEX)) == {"country": "DE"}
    assert file.company_by_ip("2001:4860:4860::8888").facts == {}


@pytest.mark.parametrize("name", ["usher.db", "linked.mmdb"])
def test_a_database_that_is_in_use_is_never_opened_and_loses_nothing(tmp_path: Path, name: str) -> None:
    ours = tmp_path / "usher.db"
    (tmp_path / "linked.mmdb").symlink_to(ours)
    held = sqlite3.connect(ours, isolation_level=None)
    held.execute("PRAGMA journal_mode=WAL")
    held.execute("CREATE TABLE kept (n)")
    assert opened(tmp_path / name).check().ok is False
    look = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM kept').fetchall()"
    subprocess.run([sys.executable, "-c", look, str(ours)], check=True)
    held.execute("INSERT INTO kept VALUES (1)")
    with sqlite3.connect(ours) as other:
        assert other.execute("SELECT count(*) FROM kept").fetchone() == (1,)
    held.close()


@pytest.mark.parametrize("content", [None, b"", b"no database"])
def test_a_file_that_is_none_is_the_owners_matter(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "x.mmdb"
    if content is not None:
        file.write_bytes(content)
    adapter = opened(file)
    assert adapter.check().ok is False
    with pytest.raises(ConfigError) as caught:
        adapter.company_by_ip(GLOBEX)
    assert caught.value.problems[0][0] == "file"
