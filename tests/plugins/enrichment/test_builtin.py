"""The built-in enrichment: what it says of addresses, domains, browsers, and of host names when DNS is switched on."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

from plugins.config import Config
from plugins.enrichment.builtin import BuiltinEnrichment
from plugins.fields import validate
from plugins.records import MemoryRecords
from plugins.testing import EnrichmentConformance

PTR = {
    "4.3.2.1.in-addr.arpa.": "gate.globex-energy.co.uk.",
    "5.3.2.1.in-addr.arpa.": "p5b0c1234.dip0.isp.example.",
    "6.3.2.1.in-addr.arpa.": "host-1-2-3-6.isp.example.",
}
SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0"
AGENTS = [
    (f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) {SAFARI}", "mobile", "iOS"),
    (f"Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) {SAFARI}", "tablet", "iOS"),
    (f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {CHROME} Mobile Safari/537.36", "mobile", "Android"),
    (f"Mozilla/5.0 (Linux; Android 13; SM-X700) {CHROME} Safari/537.36", "tablet", "Android"),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "desktop", "Linux"),
]
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


class TestBuiltinEnrichment(EnrichmentConformance):
    adapter = BuiltinEnrichment
    no_http = "judges by lists and DNS, whose failures its own tests hold"
    known_domain = "globex.example"
    known_email = "ada@globex.example"

    @pytest.mark.parametrize(
        ("email", "kind"),
        [
            ("ada@globex.example", "work"),
            ("Info@globex.example", "role"),
            ("vertrieb+web@globex.example", "role"),
            ("ada@gmail.com", "personal"),
            ("info@GMX.de", "personal"),
            ("ada@hey.com", "personal"),
            ("x7k2@privaterelay.appleid.com", "personal"),
            ("x7k2@mozmail.com", "personal"),
            ("shop.x7k2@simplelogin.com", "personal"),
            ("x7k2@ada.anonaddy.com", "personal"),
            ("ada@mailinator.com", "disposable"),
            ("ada@mail.mailinator.com", "disposable"),
            ("ada@bücher.example", "work"),
            ("ada@localhost", "invalid"),
            ("ada@globex.invalid", "invalid"),
        ],
    )
    def test_an_address_is_of_one_type(self, subject: Any, email: str, kind: str) -> None:
        assert subject.person_by_email(email).value("email_type") == kind

    def test_a_work_address_tells_company_domain_and_perhaps_the_name(self, subject: Any) -> None:
        ada = subject.person_by_email("ada.lovelace@mail.acme-analytics.co.uk")
        assert (ada.value("domain"), ada.value("company")) == ("acme-analytics.co.uk", "Acme Analytics")
        assert (ada.value("first_name"), ada.value("last_name")) == ("Ada", "Lovelace")
        assert ada.facts["company"].confidence < 0.5
        assert subject.person_by_email("alovelace7@globex.example").value("name") is None

    def test_a_private_address_tells_no_company(self, subject: Any) -> None:
        ada = subject.person_by_email("ada.lovelace@gmail.com")
        assert (ada.value("company"), ada.value("domain"), ada.value("name")) == (None, None, "Ada Lovelace")
        assert subject.person_by_email("x7k2@passmail.net").value("company") is None
        assert subject.company_by_domain("privaterelay.appleid.com").facts == {}

    def test_a_company_name_is_read_from_its_domain(self, subject: Any) -> None:
        assert subject.company_by_domain("www.Globex-Energy.de").value("name") == "Globex Energy"
        assert subject.company_by_domain("bücher.de").value("name") == "Bücher"

    def test_without_reverse_dns_nobody_is_asked(self, subject: Any) -> None:
        assert subject.company_by_ip("1.2.3.4").facts == {}

    @pytest.mark.parametrize(("agent", "device", "os"), AGENTS)
    def test_a_browser_tells_its_device(self, subject: Any, agent: str, device: str, os: str) -> None:
        seen = subject.device(agent)
        assert (seen.value("device"), seen.value("os"), seen.value("crawler")) == (device, os, False)

    def test_a_crawler_is_no_device(self, subject: Any) -> None:
        seen = subject.device(ROBOT)
        assert (seen.value("crawler"), seen.value("device")) == (True, None)

    def test_nonsense_is_no_device(self, subject: Any) -> None:
        assert subject.device("x" * 100_000).value("device") is None


def test_an_owner_can_say_what_is_free_mail_and_what_is_a_company() -> None:
    config = {"free_domains": "isp.example", "company_domains": ["gmx.de"]}
    subject = _open(config)
    assert subject.person_by_email("ada@isp.example").value("email_type") == "personal"
    assert subject.person_by_email("ada@gmx.de").value("email_type") == "work"
    assert subject.company_by_domain("gmx.de").value("name") == "Gmx"


def test_reverse_dns_names_the_company_behind_a_line_but_not_its_access_provider(name_server: Any) -> None:
    subject = _open({"reverse_dns": True}, name_server)
    company = subject.company_by_ip("1.2.3.4")
    assert (company.value("domain"), company.value("name")) == ("globex-energy.co.uk", "Globex Energy")
    assert company.facts["domain"].confidence < 0.5
    assert [subject.company_by_ip(ip).facts for ip in ("1.2.3.5", "1.2.3.6", "1.2.3.7")] == [{}, {}, {}]
    assert name_server.asked[0] == "4.3.2.1.in-addr.arpa."


def test_a_silent_name_server_costs_the_time_allowed_and_no_more(name_server: Any) -> None:
    name_server.silent = True
    subject = _open({"reverse_dns": True, "check_dns": True, "dns_seconds": 0.1}, name_server)
    began = time.monotonic()
    assert subject.company_by_ip("1.2.3.4").facts == {}
    assert subject.person_by_email("ada@globex.example").value("email_valid") is True
    assert time.monotonic() - began < 3


def test_a_domain_that_takes_no_mail_makes_an_address_invalid(name_server: Any) -> None:
    subject = _open({"check_dns": True}, name_server)
    assert subject.person_by_email("ada@mail.globex.com").value("email_valid") is True
    assert subject.person_by_email("ada@nowhere.globex.com").value("email_valid") is False


class NameServer:
    """A DNS server on loopback that knows PTR and one MX."""

    def __init__(self) -> None:
        self.silent = False
        self.asked: list[str] = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def serve(self) -> None:
        while True:
            packet, peer = self.socket.recvfrom(4096)
            if not packet:
                return
            query = dns.message.from_wire(packet)
            self.asked.append(str(query.question[0].name))
            if not self.silent:
                self.socket.sendto(self.answer(query).to_wire(), peer)

    def answer(self, query: Any) -> Any:
        name, kind = str(query.question[0].name), query.question[0].rdtype.name
        answer = dns.message.make_response(query)
        if kind == "PTR" and name in PTR:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "PTR", PTR[name]))
        elif kind == "MX" and name == "mail.globex.com.":
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", "MX", "10 mx.globex.com."))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    server = NameServer()
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server
    server.socket.sendto(b"", server.socket.getsockname())
    thread.join()
    server.socket.close()


def _open(config: dict[str, Any], name_server: NameServer | None = None) -> BuiltinEnrichment:
    where = {"nameservers": ["127.0.0.1"], "nameserver_port": name_server.port} if name_server else {}
    checked: Config = validate(BuiltinEnrichment.fields, {**config, **where})
    return BuiltinEnrichment(checked, records=MemoryRecords())
