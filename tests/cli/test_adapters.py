"""`usher adapters`: what is installed, what one needs, whether it works, and the beginning of a new one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plugins import quality, registry
from plugins.registry import BUILT_IN, Listing
from plugins.testing.fakes import Fault
from server import ids, settings
from server.adapters import connections
from server.cli import adapters, doctor_adapters
from server.cli.terminal import database
from server.config import service as config
from server.events import SYSTEM
from server.settings import Settings
from tests.adapters import rolodex
from tests.cli.test_commands import usher  # noqa: F401 - a fixture
from tests.plugins.testing.ledger import TOKEN, FakeLedger, Ledger


@pytest.fixture
def ledger():
    """A CRM that is installed beside ours, with its service."""
    registry.register(Ledger)
    with FakeLedger() as fake:
        yield fake
    registry.unregister(Ledger)


def test_all_adapters_are_listed_and_those_of_one_kind(usher):  # noqa: F811
    everything = usher("adapters", "list")
    assert everything.code == 0
    names = [line.split()[0] for line in everything.out.splitlines()[1:]]
    assert names == sorted(f"{kind}.{name}" for kind, name in BUILT_IN)
    some = usher("adapters", "list", "--kind", "inbox").out.splitlines()[1:]
    assert [line.split()[0] for line in some] == ["inbox.imap"]


def test_an_adapter_is_shown_in_words_as_yaml_as_schema_and_as_a_page(usher, ledger):  # noqa: F811
    text = usher("adapters", "show", "ledger").out
    assert "Ledger (crm.ledger), registered, API 1.0" in text
    assert "USHER_CRM_LEDGER_TOKEN" in text
    schema = json.loads(usher("adapters", "show", "crm.ledger", "--format", "json-schema").out)
    assert set(schema["properties"]) == {"url", "token"}
    assert "# token:" in usher("adapters", "show", "ledger", "--format", "yaml").out
    assert "| `token` | `USHER_CRM_LEDGER_TOKEN` |" in usher("adapters", "show", "ledger", "--format", "md").out


def test_a_name_of_several_or_of_none_is_told(usher):  # noqa: F811
    several = usher("adapters", "show", "builtin")
    assert (several.code, "calendar.builtin, crm.builtin" in several.err) == (1, True)
    none = usher("adapters", "show", "crm.hubspto")
    assert none.err.startswith("There is no adapter crm.hubspto.")


def test_checking_says_as_whom_it_works_or_why_not(usher, ledger, monkeypatch):  # noqa: F811
    monkeypatch.setenv("USHER_CRM_LEDGER_URL", ledger.url)
    missing = usher("adapters", "check", "crm.ledger")
    assert (missing.code, "token is required" in missing.err) == (1, True)
    monkeypatch.setenv("USHER_CRM_LEDGER_TOKEN", "another one")
    near = usher("adapters", "check", "crm.ledger")
    assert (near.code, near.out) == (1, "")
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")
    settings.get.cache_clear()
    refused = usher("adapters", "check", "crm.ledger")
    assert refused.code == 1
    assert "Ledger does not work with these settings: The service no longer accepts our sign-in." in refused.err
    monkeypatch.setenv("USHER_CRM_LEDGER_TOKEN", TOKEN)
    works = usher("adapters", "check", "crm.ledger")
    assert (works.code, works.out) == (0, "Ledger works, as Acme.\n")
    assert usher("adapters", "check").code == 2
    assert usher("adapters", "check", "--connection", "con_nothing").code == 1


def test_a_connection_is_tried_with_its_own_settings(usher, ledger, monkeypatch):  # noqa: F811
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")
    monkeypatch.setenv("USHER_CRM_LEDGER_TOKEN", "that of the environment, which is another one")
    settings.get.cache_clear()
    usher("init", "site")
    assert usher("apply", "site", "--no-tests").code == 0
    db = database()
    given = connections.Given({"url": ledger.url}, {"token": TOKEN})
    version = config.active(db, config.sites(db)[0].key)
    fresh = connections.draft(db, version, "crm", "ledger", given=given, actor=SYSTEM)
    made = connections.connect(db, fresh, actor=SYSTEM)
    works = usher("adapters", "check", "--connection", made.id)
    assert (works.code, works.out) == (0, "Ledger works, as Acme.\n")
    assert usher("adapters", "check", made.id).out == "Ledger works, as Acme.\n"
    assert usher("adapters", "check", "con_nothing").err == "There is no such connection.\n"
    ledger.faults.add(Fault(401, b"{}"))
    both = usher("adapters", "check", "ledger", "--connection", made.id)
    assert (both.code, "Leave ledger out: a connection knows its adapter." in both.err) == (2, True)
    refused = usher("adapters", "check", "--connection", made.id)
    assert (refused.code, "The service no longer accepts our sign-in." in refused.err) == (1, True)


def test_doctor_opens_the_secrets_of_connections(usher, monkeypatch):  # noqa: F811
    with rolodex.offered(), rolodex.RolodexFake() as fake:
        _doctor_with_a_key(usher, monkeypatch, fake)


def _doctor_with_a_key(usher, monkeypatch, fake):  # noqa: F811
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")
    settings.get.cache_clear()
    usher("init", "site")
    assert usher("apply", "site", "--no-tests").code == 0
    db = database()
    given = connections.Given({"base_url": fake.url}, {"api_key": rolodex.KEY})
    version = config.active(db, config.sites(db)[0].key)
    fresh = connections.draft(db, version, "calendar", "keyed", given=given, actor=SYSTEM)
    connections.connect(db, fresh, actor=SYSTEM)
    monkeypatch.setattr(ids, "_key", b"")
    assert "ok calendar.keyed: answers as robot@service.example" in usher("doctor").out


def test_a_new_adapter_is_written_once_and_only_by_a_name(usher, tmp_path: Path):  # noqa: F811
    done = usher("adapters", "new", "acme", "--kind", "crm", "--into", tmp_path / "here")
    assert (done.code, (tmp_path / "here" / "usher_acme" / "adapter.py").exists()) == (0, True)
    again = usher("adapters", "new", "acme", "--kind", "crm", "--into", tmp_path / "here")
    assert (again.code, "already and not empty" in again.err) == (1, True)
    for name in ("Acme", "9lives", "class", "a", "a-b", "../x"):
        assert usher("adapters", "new", "--kind", "crm", "--", name).code == 1
    assert usher("adapters", "new", "acme", "--kind", "fax").code == 2


def test_a_new_adapter_gets_no_name_that_is_taken(usher, tmp_path: Path):  # noqa: F811
    refused = usher("adapters", "new", "hubspot", "--kind", "crm", "--into", tmp_path / "here")
    assert (refused.code, "There is a crm adapter hubspot already (built-in)" in refused.err) == (1, True)
    assert not (tmp_path / "here").exists()
    assert usher("adapters", "new", "hubspot", "--kind", "notify", "--into", tmp_path / "here").code == 0


def test_doctor_says_who_may_run_because_it_is_installed(monkeypatch):
    outside = Listing("crm", "acme", "no_such_module:Acme", "acme 1.0")
    monkeypatch.setattr(registry._here, "_outside", [outside])
    try:
        [broken, open_] = doctor_adapters.examine(Settings(public_url="https://chat.acme.example"))
        assert "No module named 'no_such_module'" in broken.says
        assert "crm.acme (acme 1.0) may run because it is installed" in open_.says
        [refused] = doctor_adapters.examine(
            Settings(public_url="https://chat.acme.example", allowed_adapters="crm.other")
        )
        assert "not on the list" in refused.says
        assert len(doctor_adapters.examine(Settings(public_url="http://localhost:8000"))) == 1
    finally:
        registry.allow(None)


def test_quality_is_read_without_importing_the_adapter(tmp_path: Path, monkeypatch):
    package = tmp_path / "acme_quality_of" / "quality"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "crm.acme.json").write_text('{"run": {"done": ["a"], "left_out": {"b": "no fake"}}}')
    monkeypatch.syspath_prepend(tmp_path)
    listing = Listing("crm", "acme", "acme_quality_of.adapter:Acme", "acme 1.0")
    assert adapters.quality_of(listing).tier is quality.Tier.SILVER
    for broken in ("", "[]", '{"run": 7}', "nonsense"):
        (package / "crm.acme.json").write_text(broken)
        assert adapters.quality_of(listing).tier is quality.Tier.UNPROVEN


def test_variables_that_look_like_settings_and_are_none_are_named(usher, ledger, monkeypatch):  # noqa: F811
    monkeypatch.setenv("USHER_PRIVATE_HOSTS", "127.0.0.1")
    settings.get.cache_clear()
    for name, value in (("URL", ledger.url), ("TOKEN", TOKEN), ("TOKENN", "x"), ("COLOUR", "red")):
        monkeypatch.setenv(f"USHER_CRM_LEDGER_{name}", value)
    monkeypatch.setenv("USHER_CRM_LEDGER_EU_URL", "https://another.example")
    registry.register(type("LedgerEu", (Ledger,), {"name": "ledger_eu"}))
    try:
        done = usher("adapters", "check", "ledger")
        said = [one.says for one in doctor_adapters.examine(settings.get()) if one.what == "adapter crm.ledger"]
    finally:
        registry.unregister(registry.load("crm", "ledger_eu"))
    expected = [
        "USHER_CRM_LEDGER_COLOUR is no setting.",
        "USHER_CRM_LEDGER_TOKENN is no setting; did you mean USHER_CRM_LEDGER_TOKEN?",
    ]
    assert (done.code, said) == (0, expected)
    warnings = [line.removeprefix("  warning: ") for line in done.out.splitlines() if "is no setting" in line]
    assert warnings == expected
