"""What is offered, what is refused and why, and that nothing is imported before it is used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from typing import Any

import pytest

from plugins.crm import CRM, Person, Ref
from plugins.crm.builtin import BuiltinCRM
from plugins.errors import ConfigError, Transient
from plugins.fields import Field
from plugins.records import MemoryRecords
from plugins.registry import BUILT_IN, CONTRACTS, Listing, Registry

GOOD = """
from plugins.crm import CRM, Capability, Kind, Ref
from plugins.fields import Field

class Acme(CRM):
    name = "{name}"
    title = "Acme"
    api_version = {version}
    fields = (Field("token", "Token", required=True, secret=True),)

    def check(self): ...
    def upsert_person(self, person, *, key):
        return Ref(Kind.PERSON, self.config.secret("token"))
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for module in [name for name in sys.modules if name.startswith("outside_")]:
        del sys.modules[module]


def offer(site: Path, distribution: str, name: str, code: str, kind: str = "crm", target: str = "Acme") -> None:
    """Install a distribution with one adapter, the way pip leaves it behind."""
    module = f"outside_{distribution}"
    (site / f"{module}.py").write_text(code)
    info = site / f"{distribution}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[usher.{kind}]\n{name} = {module}:{target}\n")


def registry(site: Path, **options: Any) -> Registry:
    def discover() -> list[EntryPoint]:
        points = [point for found in distributions(path=[str(site)]) for point in found.entry_points]
        return [point for point in points if point.group.removeprefix("usher.") in CONTRACTS]

    return Registry(discover=discover, **options)


def listed(found: Registry, name: str) -> list[Listing]:
    return [item for item in found.listings("crm") if item.name == name]


def code(name: str = "acme", version: tuple[int, int] = (1, 0)) -> str:
    return GOOD.format(name=name, version=version)


def test_an_installed_adapter_is_listed_unimported_and_opens(site: Path) -> None:
    offer(site, "acme", "acme", code())
    found = registry(site)
    assert listed(found, "acme") == [Listing("crm", "acme", "outside_acme:Acme", "acme 1.0")]
    assert "outside_acme" not in sys.modules
    adapter = found.open("crm", "acme", {"token": "t"}, records=MemoryRecords())
    assert adapter.upsert_person(Person("ada@globex.example"), key="k").id == "t"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import no_such_library", "no_such_library"),
        ("raise SystemError('bad day')", "bad day"),
        ("import sys; sys.exit('not licensed')", "SystemExit: not licensed"),
        ("Acme = 3", "no subclass"),
        (code().replace("(1, 0)", "'1.0'"), "gives '1.0' as api_version, not a pair such as (1, 0)"),
        (code().replace("(1, 0)", "(1,)"), "not a pair such as (1, 0)"),
        ("from plugins.calendar import Calendar as Acme", "no subclass"),
        ("", "Acme"),
        (code(name="other"), "calls itself 'other'"),
        (code(version=(2, 0)), "API 2.0"),
        (code(version=(1, 99)), "API 1.99"),
        (code().replace("def upsert_person", "def other"), "lacks upsert_person"),
        (code().replace('title = "Acme"', "capabilities = {Capability.FIND}"), "does not define find_by_email"),
    ],
)
def test_a_broken_adapter_is_listed_with_its_reason_and_stops_nobody(site: Path, text: str, why: str) -> None:
    offer(site, "acme", "acme", text)
    found = registry(site)
    with pytest.raises(ConfigError, match="acme") as caught:
        found.open("crm", "acme", {"token": "t"}, records=MemoryRecords())
    assert why in str(caught.value)
    assert why in caught.value.user_message
    assert why in listed(found, "acme")[0].problem
    assert found.open("crm", "builtin", {}, records=MemoryRecords()).name == "builtin"


def test_two_distributions_with_one_name_are_both_named_and_neither_runs(site: Path) -> None:
    offer(site, "acme", "acme", code())
    offer(site, "rival", "acme", code())
    found = registry(site)
    assert [item.problem for item in listed(found, "acme")] == ["acme 1.0 and rival 1.0 both offer crm.acme"] * 2
    with pytest.raises(ConfigError, match="rival"):
        found.load("crm", "acme")
    assert "outside_acme" not in sys.modules


def test_an_outside_adapter_cannot_take_the_place_of_ours(site: Path) -> None:
    offer(site, "evil", "builtin", code(name="builtin"))
    found = registry(site)
    assert found.load("crm", "builtin") is BuiltinCRM
    assert [item.problem for item in listed(found, "builtin")] == ["", "the name builtin is taken: built-in"]


def test_only_allowed_adapters_run_in_production(site: Path) -> None:
    offer(site, "acme", "acme", code())
    found = registry(site, allow=["crm.other"])
    assert "not on the list" in listed(found, "acme")[0].problem
    with pytest.raises(ConfigError, match="not on the list"):
        found.load("crm", "acme")
    found.allow = ["crm.acme"]
    assert found.load("crm", "acme").name == "acme"


def test_an_unknown_adapter_is_told_with_those_there_are(site: Path) -> None:
    with pytest.raises(ConfigError, match="there are: builtin") as caught:
        registry(site).load("crm", "hubspto")
    assert caught.value.adapter == "crm.hubspto"


def test_wrong_settings_are_told_with_the_adapter(site: Path) -> None:
    offer(site, "acme", "acme", code())
    with pytest.raises(ConfigError) as caught:
        registry(site).open("crm", "acme", {"tokn": "s3cret"}, records=MemoryRecords())
    assert caught.value.adapter == "crm.acme"
    assert [name for name, _ in caught.value.problems] == ["tokn", "token"]
    assert "s3cret" not in str(caught.value)


def test_a_registered_class_goes_first_until_it_is_taken_back(site: Path) -> None:
    class Fake(CRM):
        name = "builtin"
        fields = (Field("x", "X"),)

        def upsert_person(self, person: Person, *, key: str) -> Ref:
            raise AssertionError

    found = registry(site)
    found.register(Fake)
    assert found.load("crm", "builtin") is Fake
    assert listed(found, "builtin")[0].origin == "registered"
    found.unregister(Fake)
    assert found.load("crm", "builtin") is BuiltinCRM


def test_listing_in_a_fresh_process_imports_no_adapter() -> None:
    modules = sorted(path.partition(":")[0] for path in BUILT_IN.values())
    script = "import sys; from plugins import registry; registry.listings(); print(*set(sys.argv) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script, *modules], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(("kind", "name"), BUILT_IN)
def test_every_adapter_of_ours_loads_and_says_what_it_is(kind: str, name: str) -> None:
    adapter = Registry(discover=list).load(kind, name)
    assert adapter.kind == kind
    assert adapter.title
    assert adapter.about


class Caller(BuiltinCRM):
    name = "caller"
    fields = (Field("ca_file", "Authorities"),)


def test_an_adapter_reaches_only_private_hosts_that_were_named_and_trusts_its_own_authorities() -> None:
    found = Registry(discover=list)
    found.register(Caller)
    plain = found.open("crm", "caller", {}, records=MemoryRecords())
    with pytest.raises(ConfigError, match="not public"):
        plain.http.call("find", "GET", "http://127.0.0.1:9/")
    wrong = found.open("crm", "caller", {"ca_file": "/no/such"}, records=MemoryRecords(), private=["127.0.0.1"])
    named = found.open("crm", "caller", {}, records=MemoryRecords(), private=["127.0.0.1"])
    with pytest.raises(Transient):
        named.http.call("find", "GET", "http://127.0.0.1:9/")
    with pytest.raises(ConfigError, match="/no/such"):
        wrong.http.call("find", "GET", "https://127.0.0.1:9/")
