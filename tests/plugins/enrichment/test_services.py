"""Every service that knows companies or people, against its like on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from plugins.enrichment.apollo import Apollo
from plugins.enrichment.asking import country_code
from plugins.enrichment.clearbit import Clearbit
from plugins.enrichment.ipinfo import IPinfo
from plugins.enrichment.pdl import PeopleDataLabs
from plugins.enrichment.sixsense import SixSense
from plugins.enrichment.zoominfo import ZoomInfo
from plugins.errors import AuthError, InvalidInput, PermissionDenied, QuotaExhausted, RateLimited, Retry
from plugins.testing import EnrichmentConformance
from plugins.testing.fakes import Fake, Fault, apollo, clearbit, ipinfo, pdl, sixsense, zoominfo
from plugins.testing.table import Means

GLOBEX, PROVIDER = "8.8.4.4", "9.9.9.9"
ADA = "ada@globex.example"
NEVER = "it answers with the status that fits"


def plain(found: Any) -> dict[str, Any]:
    return {name: fact.value for name, fact in found.facts.items()}


class Service(EnrichmentConformance):
    """One fake for a class: nothing in it changes but its faults."""

    __test__ = False
    service: ClassVar[type[Fake]]
    error_in_200 = NEVER

    @pytest.fixture(scope="class")
    @classmethod
    def _one(cls) -> Iterator[Any]:
        with cls.service() as fake:
            cls.fill(fake)
            yield fake

    @pytest.fixture
    def fake(self, _one: Any) -> Any:
        _one.faults.clear()
        return _one

    @staticmethod
    def fill(fake: Any) -> None:
        raise NotImplementedError


class TestIPinfo(Service):
    __test__ = True
    adapter = IPinfo
    service = ipinfo.IPinfoFake
    known_ip = GLOBEX

    @staticmethod
    def fill(fake: ipinfo.IPinfoFake) -> None:
        where = {"geo": {"country_code": "DE", "city": "Berlin"}}
        company = {"name": "Globex", "domain": "globex.example", "type": "business"}
        fake.networks[GLOBEX] = {"ip": GLOBEX, "company": company, "as": {"type": "isp", "name": "Some Net"}, **where}
        fake.networks[PROVIDER] = {"ip": PROVIDER, "as": {"type": "isp", "name": "Some Net"}, **where}
        fake.networks["1.1.1.1"] = {"ip": "1.1.1.1", "geo": {"country_code": "AU"}}

    @pytest.fixture
    def config(self, fake: Any) -> dict[str, Any]:
        return {"token": ipinfo.TOKEN, "base_url": fake.url}

    def test_the_company_is_named_and_an_access_provider_is_not_taken_for_one(self, subject: Any) -> None:
        assert plain(subject.company_by_ip(GLOBEX)) == {
            "name": "Globex", "domain": "globex.example", "country": "DE", "city": "Berlin",
        }  # fmt: skip
        assert plain(subject.company_by_ip(PROVIDER)) == {"country": "DE", "city": "Berlin"}
        assert plain(subject.company_by_ip("8.8.8.8")) == {}

    @pytest.mark.parametrize("how", ["is_anonymous", "is_hosting", "is_mobile", "is_satellite"])
    def test_whoever_only_passes_through_a_network_is_not_taken_for_its_owner(
        self, subject: Any, fake: ipinfo.IPinfoFake, how: str
    ) -> None:
        owner = {"name": "Globex", "domain": "globex.example", "type": "business"}
        core = {"ip": "9.9.9.10", "geo": {"country_code": "DE"}, "as": owner, "is_anonymous": False}
        fake.networks["9.9.9.10"] = core
        assert plain(subject.company_by_ip("9.9.9.10"))["name"] == "Globex"
        fake.networks["9.9.9.10"] = {**core, how: True}
        assert plain(subject.company_by_ip("9.9.9.10")) == {"country": "DE"}

    def test_an_unknown_token_has_to_be_replaced_and_a_plan_without_it_says_so(
        self, config: dict[str, Any], records: Any, subject: Any, fake: Any
    ) -> None:
        with pytest.raises(AuthError):
            self.opened({**config, "token": "another"}, records).company_by_ip(GLOBEX)
        lacks = b'{"status": 403, "error": {"title": "Forbidden", "message": "Your token does not have access."}}'
        fake.faults.add(Fault(status=403, body=lacks), times=1)
        with pytest.raises(PermissionDenied):
            subject.company_by_ip(GLOBEX)

    def test_the_free_plan_tells_the_country_alone(self, config: dict[str, Any], records: Any) -> None:
        lite = self.opened({**config, "plan": "lite"}, records)
        assert plain(lite.company_by_ip(GLOBEX)) == {"country": "DE"}


class TestPdl(Service):
    __test__ = True
    adapter = PeopleDataLabs
    service = pdl.PdlFake
    known_ip, known_domain, known_email = GLOBEX, "globex.com", ADA

    @staticmethod
    def fill(fake: pdl.PdlFake) -> None:
        company = {"name": "globex", "website": "globex.com", "industry": "energy", "employee_count": 812,
                   "location": {"country": "germany", "locality": "berlin"}}  # fmt: skip
        fake.companies["globex.com"] = {**company, "likelihood": 9}
        fake.addresses[GLOBEX] = {**company, "confidence": "high"}
        fake.people[ADA] = {
            "likelihood": 8,
            "data": {"full_name": "ada lovelace", "first_name": "ada", "last_name": "lovelace", "job_title": "cto",
                     "job_title_levels": ["cxo"], "job_title_role": "engineering", "job_company_name": "globex",
                     "job_company_website": "globex.com", "location_country": "united kingdom", "work_email": True},
        }  # fmt: skip
        seen = {"full_name": "grace hopper", "job_title": True, "job_title_levels": True, "job_title_role": True,
                "job_company_name": True, "job_company_website": True, "location_country": True}  # fmt: skip
        fake.people["grace@globex.example"] = {"likelihood": 8, "data": seen}
        hidden = {"industry": True, "employee_count": True, "website": True, "location": True}
        fake.companies["initech.com"] = {"display_name": "Initech", **hidden, "likelihood": 9}
        fake.hosters.add(PROVIDER)
        fake.people["vague@globex.example"] = {"likelihood": 2, "data": {"full_name": "somebody else"}}

    @pytest.fixture
    def config(self, fake: Any) -> dict[str, Any]:
        return {"key": pdl.KEY, "base_url": fake.url}

    def test_a_person_comes_with_title_seniority_and_department(self, subject: Any) -> None:
        told = subject.person_by_email(" Ada@globex.example ")
        assert plain(told) == {
            "name": "Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace", "title": "cto", "seniority": "cxo",
            "department": "engineering", "company": "Globex", "domain": "globex.com", "country": "GB",
        }  # fmt: skip
        assert (told.facts["title"].confidence, told.cost) == (0.8, 1)

    def test_a_weak_match_is_none_and_costs_nothing(self, subject: Any) -> None:
        assert subject.person_by_email("vague@globex.example").facts == {}

    def test_a_company_is_known_by_domain_and_by_address(self, subject: Any) -> None:
        by_domain, by_ip = subject.company_by_domain("www.globex.com"), subject.company_by_ip(GLOBEX)
        assert plain(by_domain) == plain(by_ip)
        assert plain(by_domain)["employees"] == 812
        assert (by_domain.facts["name"].confidence, by_ip.facts["name"].confidence) == (0.9, 0.8)

    def test_what_the_plan_withholds_is_not_told(self, subject: Any) -> None:
        assert plain(subject.person_by_email("grace@globex.example")) == {"name": "Grace Hopper"}
        assert plain(subject.company_by_domain("initech.com")) == {"name": "Initech"}

    def test_an_address_that_it_does_not_look_up_is_nobodys(self, subject: Any, fake: pdl.PdlFake) -> None:
        assert subject.company_by_ip(PROVIDER).facts == {}
        fake.faults.add(Fault(status=400, body=b'{"error": {"message": "Request was missing parameters"}}'), times=1)
        with pytest.raises(InvalidInput):
            subject.company_by_ip(GLOBEX)

    def test_spent_credits_are_the_owners_matter_and_do_not_come_back_by_themselves(
        self, subject: Any, fake: pdl.PdlFake
    ) -> None:
        before, fake.credits = fake.credits, 0
        with pytest.raises(QuotaExhausted) as caught:
            subject.person_by_email(ADA)
        fake.credits = before
        assert (caught.value.retry, caught.value.retry_after) == (Retry.NEVER, None)


class TestApollo(Service):
    __test__ = True
    adapter = Apollo
    service = apollo.ApolloFake
    known_domain, known_email = "globex.com", ADA
    means = {("company_by_domain", "200 with {}"): Means(None, "Apollo says so that it knows no such company")}

    @staticmethod
    def fill(fake: apollo.ApolloFake) -> None:
        globex = {"name": "Globex", "primary_domain": "globex.com", "industry": "energy", "country": "Germany",
                  "estimated_num_employees": 800, "technology_names": ["Python", "Kafka"],
                  "annual_revenue": 2.5e8}  # fmt: skip
        fake.companies["globex.com"] = globex
        fake.people[ADA] = {"name": "Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace", "title": "CTO",
                            "seniority": "c_suite", "departments": ["engineering"], "organization": globex,
                            "country": "Germany"}  # fmt: skip

    @pytest.fixture
    def config(self, fake: Any) -> dict[str, Any]:
        return {"key": apollo.KEY, "base_url": fake.url}

    def test_companies_and_people_come_with_what_apollo_knows(self, subject: Any) -> None:
        company = plain(subject.company_by_domain("globex.com"))
        assert (company["employees"], company["tech"], company["revenue"]) == (800, ["Kafka", "Python"], 250_000_000)
        person = plain(subject.person_by_email(ADA))
        assert (person["title"], person["seniority"], person["department"]) == ("CTO", "c_suite", "engineering")

    def test_who_is_not_known_comes_as_nothing(self, subject: Any) -> None:
        assert subject.person_by_email("nobody@globex.com").facts == {}
        assert subject.company_by_domain("initech.com").facts == {}

    @pytest.mark.parametrize("body", [b"{}", b'{"person": null}'])
    def test_nobody_is_told_without_a_person_too(self, subject: Any, fake: Any, body: bytes) -> None:
        fake.faults.add(Fault(status=200, body=body), times=1)
        assert subject.person_by_email(ADA).facts == {}

    def test_spent_credits_are_the_owners_matter(self, subject: Any, fake: apollo.ApolloFake) -> None:
        before, fake.credits = fake.credits, 0
        with pytest.raises(QuotaExhausted):
            subject.person_by_email(ADA)
        with pytest.raises(QuotaExhausted):
            subject.company_by_domain("globex.com")
        fake.credits = before
        fake.faults.add(Fault(status=422, body=b'{"error": "domain is required"}'), times=1)
        with pytest.raises(InvalidInput):
            subject.company_by_domain("globex.com")

    def test_a_plan_without_it_says_so(self, subject: Any, fake: Any) -> None:
        fake.faults.add(Fault(status=403, body=b'{"error_code": "API_INACCESSIBLE"}'), times=1)
        with pytest.raises(PermissionDenied) as caught:
            subject.person_by_email(ADA)
        assert "plan" in caught.value.user_message


class TestSixSense(Service):
    __test__ = True
    adapter = SixSense
    service = sixsense.SixSenseFake
    known_ip = GLOBEX

    @staticmethod
    def fill(fake: sixsense.SixSenseFake) -> None:
        company = {"name": "Globex", "domain": "globex.com", "country": "Germany", "employee_count": "812"}
        fake.companies[GLOBEX] = {"company_match": "Match", **company}
        fake.companies[PROVIDER] = {"company_match": "Non-actionable Match", **company}
        fake.companies["9.9.9.10"] = {"company_match": "No Match", "name": "", "geoIP_country": "Germany"}
        fake.companies["9.9.9.11"] = company

    @pytest.fixture
    def config(self, fake: Any) -> dict[str, Any]:
        return {"token": sixsense.TOKEN, "base_url": fake.url}

    def test_a_match_names_the_company_and_any_other_nobody(self, subject: Any) -> None:
        told = subject.company_by_ip(GLOBEX)
        assert plain(told) == {"name": "Globex", "domain": "globex.com", "country": "DE", "employees": 812}
        assert told.facts["name"].confidence == 0.8
        for other in (PROVIDER, "9.9.9.10", "9.9.9.11", "8.8.8.8"):
            assert subject.company_by_ip(other).facts == {}


class TestClearbit(Service):
    __test__ = True
    adapter = Clearbit
    service = clearbit.ClearbitFake
    known_ip, known_domain, known_email = GLOBEX, "globex.com", ADA

    @staticmethod
    def fill(fake: clearbit.ClearbitFake) -> None:
        globex = {"name": "Globex", "domain": "globex.com", "category": {"industry": "Energy"},
                  "metrics": {"employees": 812}, "geo": {"countryCode": "DE"}, "tech": ["python"]}  # fmt: skip
        fake.companies["globex.com"] = fake.addresses[GLOBEX] = globex
        fake.people[ADA] = {"name": {"fullName": "Ada Lovelace", "givenName": "Ada", "familyName": "Lovelace"},
                            "employment": {"title": "CTO", "seniority": "executive", "role": "it"}}  # fmt: skip
        fake.looking.add("slow.com")
        for ip, kind in (("9.9.9.1", "education"), ("9.9.9.2", "government"), ("9.9.9.3", "isp"), ("9.9.9.4", "wifi")):
            fake.addresses[ip], fake.kinds[ip] = globex, kind
        fake.companies["globexmail.com"] = fake.addresses["9.9.9.5"] = {**globex, "emailProvider": True}

    @pytest.fixture
    def config(self, fake: Any) -> dict[str, Any]:
        hosts = {"company_url": "company", "person_url": "person", "reveal_url": "reveal"}
        return {"key": clearbit.KEY, **{name: f"{fake.url}/{path}" for name, path in hosts.items()}}

    def test_companies_are_known_by_domain_and_address_and_people_by_email(self, subject: Any) -> None:
        assert plain(subject.company_by_domain("globex.com")) == plain(subject.company_by_ip(GLOBEX))
        assert plain(subject.person_by_email(ADA))["seniority"] == "executive"

    def test_schools_and_authorities_are_employers_and_access_and_mail_providers_are_not(self, subject: Any) -> None:
        named = [subject.company_by_ip(f"9.9.9.{n}").value("name") for n in (1, 2, 3, 4, 5)]
        assert named == ["Globex", "Globex", None, None, None]
        assert subject.company_by_domain("globexmail.com").facts == {}

    def test_while_it_is_still_looking_the_answer_is_pending(self, subject: Any) -> None:
        assert subject.company_by_domain("slow.com").pending


class TestZoomInfo(Service):
    __test__ = True
    adapter = ZoomInfo
    service = zoominfo.ZoomInfoFake
    known_domain, known_email = "globex.com", ADA

    @staticmethod
    def fill(fake: zoominfo.ZoomInfoFake) -> None:
        fake.known["companies"]["globex.com"] = {
            "name": "Globex", "website": "https://www.globex.com/", "primaryIndustry": ["Energy"], "employeeCount": 812,
            "country": "Germany", "revenue": 250_000,
        }  # fmt: skip
        fake.known["contacts"][ADA] = {
            "firstName": "Ada", "lastName": "Lovelace", "jobTitle": "CTO", "managementLevel": ["C-Level"],
            "jobFunction": {"name": "Software", "department": "Engineering"},
            "company": {"id": 7, "name": "Globex", "website": "www.globex.com", "ticker": "NYSE: GLX"},
        }  # fmt: skip
        fake.known["contacts"]["grace@globex.example"] = {"jobFunction": [{"name": "Software", "department": None}]}

    @pytest.fixture
    def config(self, fake: Any) -> dict[str, Any]:
        return {"client_id": zoominfo.CLIENT, "client_secret": zoominfo.SECRET, "base_url": f"{fake.url}/gtm",
                "token_url": f"{fake.url}/token"}  # fmt: skip

    def test_companies_and_people_come_with_what_zoominfo_knows(self, subject: Any) -> None:
        company = plain(subject.company_by_domain("globex.com"))
        assert company == {
            "name": "Globex", "domain": "globex.com", "industry": "Energy", "employees": 812, "country": "DE",
            "revenue": 250_000_000,
        }  # fmt: skip
        person = plain(subject.person_by_email(ADA))
        assert person == {
            "name": "Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace", "title": "CTO",
            "seniority": "C-Level", "department": "Engineering", "company": "Globex", "domain": "globex.com",
        }  # fmt: skip
        assert plain(subject.person_by_email("grace@globex.example")) == {"department": "Software"}

    @pytest.mark.parametrize("about", ['"error": {"code": "PFAPI0011"}', '"errors": [{"code": "PFAPI0011"}]'])
    def test_spent_credits_are_the_owners_matter_however_it_says_so(
        self, subject: Any, fake: zoominfo.ZoomInfoFake, about: str
    ) -> None:
        before, fake.credits = fake.credits, 0
        with pytest.raises(QuotaExhausted):
            subject.person_by_email(ADA)
        with pytest.raises(QuotaExhausted):
            subject.company_by_domain("globex.com")
        fake.credits = before
        fake.faults.add(Fault(status=400, body=f"{{{about}}}".encode()), on="enrich", times=2)
        with pytest.raises(QuotaExhausted):
            subject.person_by_email(ADA)
        assert subject.check().ok is False

    def test_a_question_about_the_word_for_it_is_answered(self, subject: Any) -> None:
        assert subject.person_by_email("LIMIT_EXCEEDED@globex.example").facts == {}

    def test_a_token_that_has_ended_is_replaced_without_a_word(self, subject: Any, fake: zoominfo.ZoomInfoFake) -> None:
        subject.person_by_email(ADA)
        fake.expire()
        assert subject.person_by_email(ADA).facts

    def test_a_wrong_secret_is_told_so(self, config: dict[str, Any], records: Any) -> None:
        wrong = self.opened({**config, "client_secret": "another"}, records)
        assert wrong.check().ok is False
        with pytest.raises(AuthError):
            wrong.person_by_email(ADA)

    def test_a_full_bucket_is_a_limit(self, subject: Any, fake: Any) -> None:
        fake.faults.add(Fault(status=429, headers={"X-RateLimit-Rejected-Bucket": "minute"}), on="enrich", times=1)
        with pytest.raises(RateLimited) as caught:
            subject.person_by_email(ADA)
        assert caught.value.vendor_code == "minute"


@pytest.mark.parametrize(
    ("said", "code"),
    [("germany", "DE"), ("DE", "DE"), ("de", "DE"), ("united states", "US"), ("", ""), ("Atlantis", ""), ("EU", "")],
)
def test_a_country_is_known_by_code_and_by_name(said: str, code: str) -> None:
    assert country_code(said) == code
