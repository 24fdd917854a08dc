"""The forms of connections: what only the operator says, what is wrong in an owner's words, what is kept meanwhile."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from plugins import registry
from plugins.errors import AuthError, ConfigError
from plugins.registry import Listing
from plugins.testing.fakes import Fault
from server.adapters import connections
from server.config import service as config
from server.events import SYSTEM
from tests.adapters.rolodex import KEY, Rolodex
from tests.console.test_connections import NEW, agree, app_of, form, listed, running, service

__all__ = ["running", "service"]

MAXMIND = "/connections/new/enrichment/maxmind"


def test_nobody_at_the_console_names_a_file_of_the_server(desk, db, story, tmp_path):
    """Opening and closing it would drop the locks that SQLite holds on it."""
    owner = desk("owner")
    page = owner.text(MAXMIND)
    assert 'name="file"' not in page
    assert "The operator has to set it" in page
    assert "USHER_ENRICHMENT_MAXMIND_FILE" in page
    refused = owner.post(MAXMIND, {"site": "acme", "file": str(tmp_path / "usher.db")})
    assert refused.status_code == 422
    assert str(tmp_path) not in refused.text
    assert "Look at: Database file." in refused.text
    assert [one.name for one in listed(db, story)] == []


def test_a_file_that_an_owner_named_earlier_is_opened_no_more(desk, db, story, tmp_path):
    version = config.active_of(db, story.site_id)
    fresh = connections.draft(db, version, "enrichment", "maxmind", actor=SYSTEM, checked=False)
    with pytest.raises(ConfigError, match="file: is required"):
        connections.open(db, replace(fresh, config={"file": str(tmp_path / "x.mmdb")}))


def test_what_the_operator_has_set_is_shown_as_set(desk, monkeypatch, tmp_path):
    monkeypatch.setenv("USHER_ENRICHMENT_MAXMIND_FILE", str(tmp_path / "net.mmdb"))
    page = desk("owner").text(MAXMIND)
    assert "Set by the operator" in page
    assert str(tmp_path) not in page


def test_what_is_wrong_is_said_once_in_words_and_without_patterns(desk):
    page = (
        desk("owner")
        .post("/connections/new/notify/webhook", {"site": "acme", "url": "nowhere", "secret": "short"})
        .text
    )
    assert "Nothing was kept. Look at: " in page
    assert page.count("must be an address") == 1
    assert page.count("Signing secret does not look right.") == 1
    assert page.count("such as <code>openssl rand -base64 32</code> gives.") == 1
    assert "[A-Za-z" not in page


def test_a_wrong_key_at_connecting_is_not_told_as_one_that_ended(desk, service):  # noqa: F811 - the fixture
    refused = desk("owner").post(NEW, form(service, api_key="wrong"))
    assert "The service does not accept these credentials." in refused.text
    assert "no longer" not in refused.text


def test_nobody_is_told_that_it_will_be_tried_again_when_it_will_not(desk, db, story, service):  # noqa: F811
    owner = desk("owner")
    service.faults.add(Fault(status=503), on="GET /me", times=9)
    refused = owner.post(NEW, form(service, api_key=KEY))
    assert "does not answer right now. Please try again in a minute." in refused.text
    service.faults.clear()
    owner.post(NEW, form(service, api_key=KEY))
    owner.said()
    service.faults.add(Fault(status=503), on="GET /me", times=9)
    owner.post(f"/connections/{listed(db, story)[0].id}/check")
    assert "does not answer right now. Please try again in a minute." in owner.said()


def test_a_test_of_what_is_broken_says_what_was_found_now(desk, db, story, service):  # noqa: F811
    owner = desk("owner")
    owner.post(NEW, form(service, api_key=KEY))
    (one,) = listed(db, story)
    with db.transaction() as tx:
        connections.failed(tx, one.id, AuthError("401"))
    owner.said()
    service.faults.add(Fault(status=503), on="GET /me", times=9)
    owner.post(f"/connections/{one.id}/check")
    said = owner.said()
    assert "does not answer right now" in said
    assert "no longer accepts" not in said


def test_who_has_connected_with_a_key_is_not_sent_to_sign_in(desk, db, story, service):  # noqa: F811
    owner = desk("owner")
    owner.post(NEW, form(service, api_key=KEY))
    page = f"/connections/{listed(db, story)[0].id}"
    assert "Sign in again" not in owner.text(page)
    owner.post(f"{page}/disconnect")
    agree(owner, owner.post(NEW, app_of(service)))
    assert "Sign in again" in owner.text(f"/connections/{listed(db, story)[0].id}")


def test_the_page_of_what_cannot_be_used_says_why(desk, monkeypatch):
    outside = Listing("crm", "broken", "no_such_module:Acme", "acme 1.0")
    monkeypatch.setattr(registry._here, "_outside", [outside])
    monkeypatch.setattr(registry._here, "_broken", {})
    found = desk("owner").get("/connections/new/crm/broken")
    assert found.status_code == 404
    assert "The adapter crm.broken cannot be used (ModuleNotFoundError" in html.unescape(found.text)


def test_the_crms_page_calls_the_service_as_it_calls_itself(desk, db, story, service, monkeypatch):  # noqa: F811
    monkeypatch.setattr(Rolodex, "title", "RoloDex CRM")
    owner = desk("owner")
    owner.post(NEW, form(service, api_key=KEY))
    assert "tells <strong>RoloDex CRM</strong>" in owner.text("/crm/acme")


def test_how_to_sign_in_is_asked_in_the_open_and_before_what_depends_on_it(desk):
    for kind, choice in (
        ("crm/salesforce", "sign_in"),
        ("calendar/microsoft", "sign_in"),
        ("calendar/google", "write_to"),
    ):
        page = desk("owner").text(f"/connections/new/{kind}")
        shown = page[: page.index("More settings")]
        assert f'<select class="input" id="field-{choice}"' in shown, kind
    page = desk("owner").text("/connections/new/crm/salesforce")
    assert page.index('id="field-sign_in"') < page.index("With a certificate: ")
    assert '<option value="jwt">With a certificate (JWT)</option>' in page
    assert page.index("More settings") < page.index('id="field-private_key"')
    assert not re.search(r'for="field-sign_in">[^<]*<span class="soft">optional', page)


def test_code_in_a_help_is_shown_as_code_and_nothing_else_is_markup(desk, app):
    page = desk("owner").text("/connections/new/crm/webhook")
    assert "such as <code>openssl rand -base64 32</code> gives" in page
    assert "`" not in page[page.index("<main") : page.index("</main>")]
    coded = app.jinja_env.filters["coded"]
    assert coded("a `<b>` & <i>") == "a <code>&lt;b&gt;</code> &amp; &lt;i&gt;"


def test_an_owner_reads_what_is_not_installed_in_words_and_where_the_reason_stands(desk, monkeypatch):
    outside = Listing("notify", "broken", "no_such_module:Acme", "acme 1.0")
    monkeypatch.setattr(registry._here, "_outside", [outside])
    monkeypatch.setattr(registry._here, "_broken", {})
    owner = desk("owner")
    page = owner.text("/connections/choose")
    assert "Not installed" in page
    assert "The operator can install it" in page
    assert "no_such_module" not in page
    assert 'href="/adapters/notify.broken"' in page
    assert "ModuleNotFoundError" in owner.text("/adapters/notify.broken")
