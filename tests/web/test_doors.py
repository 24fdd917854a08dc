"""Assets, config and errors: what a page gets before anybody opens the chat, and when something is wrong."""

from __future__ import annotations

import gzip
import json

import pytest
from sqlalchemy import func, select

from server import settings
from server.visitors.tables import visitors
from tests.web.conftest import ORIGIN


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A folder as `make assets` leaves it."""
    folder = tmp_path / "assets"
    folder.mkdir()
    names = ("loader", "pinned", "panel", "booking")
    manifest = {name: {"file": f"{name}-0123456789.js", "sri": f"sha384-{name}"} for name in names}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for name in manifest:
        file = folder / f"{name}-0123456789.js"
        file.write_text(f"// {name}")
        file.with_name(file.name + ".br").write_bytes(b"brotli of " + name.encode())
        file.with_name(file.name + ".gz").write_bytes(b"gzip of " + name.encode())
    monkeypatch.setenv("USHER_ASSETS_DIR", str(folder))
    return folder


@pytest.fixture
def page(built, app):
    return app.test_client()


def test_the_loader_is_short_lived_and_the_rest_lasts_for_ever(page):
    loader, panel = page.get("/w.js"), page.get("/assets/panel-0123456789.js")
    assert loader.text == "// loader"
    assert "max-age=300" in loader.headers["Cache-Control"]
    assert "immutable" in panel.headers["Cache-Control"]
    assert panel.headers["Access-Control-Allow-Origin"] == "*"


def test_a_page_from_before_the_last_build_still_gets_its_parts(page):
    answer = page.get("/assets/panel-aaaaaaaaaa.js")
    assert (answer.text, answer.headers["Cache-Control"]) == ("// panel", "no-cache")


def test_pages_pinned_to_an_earlier_build_get_that_build_as_long_as_it_is_kept_and_else_no_other(page, built):
    (built / "pinned-aaaaaaaaaa.js").write_text("// pinned earlier")
    (built / "panel-aaaaaaaaaa.js").write_text("// panel earlier")
    for name in ("pinned", "panel"):
        answer = page.get(f"/assets/{name}-aaaaaaaaaa.js")
        assert answer.text == f"// {name} earlier"
        assert "immutable" in answer.headers["Cache-Control"]
    gone = page.get("/assets/pinned-bbbbbbbbbb.js")
    assert gone.status_code == 410
    assert "usher snippet --pinned" in gone.text


def test_programs_can_ask_for_the_loaders_addresses_and_the_integrity_hash(page):
    assert page.get("/loader.json").json == {
        "latest": {"src": "http://usher.test/w.js"},
        "pinned": {"src": "http://usher.test/assets/pinned-0123456789.js", "integrity": "sha384-pinned"},
    }


def test_the_config_is_sent_packed_to_who_can_unpack_it_and_says_so(page):
    plain = page.get("/v1/sites/acme/config", headers={"Origin": ORIGIN})
    packed = page.get("/v1/sites/acme/config", headers={"Origin": ORIGIN, "Accept-Encoding": "br, gzip"})
    assert (plain.headers.get("Content-Encoding"), packed.headers["Content-Encoding"]) == (None, "gzip")
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) <= 1500
    assert {"Accept-Encoding", "Origin"} <= {
        one.strip() for one in ", ".join(packed.headers.getlist("Vary")).split(",")
    }
    tag = {"If-None-Match": packed.headers["ETag"], "Origin": ORIGIN, "Accept-Encoding": "gzip"}
    assert page.get("/v1/sites/acme/config", headers=tag).status_code == 304


@pytest.mark.parametrize(
    ("accepts", "encoding"), [("br, gzip", "br"), ("gzip", "gzip"), ("", None), ("br;q=0, gzip", "gzip")]
)
def test_files_come_packed_as_the_browser_likes(page, accepts, encoding):
    answer = page.get("/w.js", headers={"Accept-Encoding": accepts})
    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.headers["Vary"] == "Accept-Encoding"


def test_what_has_not_changed_is_not_sent_again(page):
    tag = page.get("/w.js").headers["ETag"]
    assert page.get("/w.js", headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    "name", ["../settings.py", "%2e%2e/settings.py", "manifest.json", "nothing.js", "loader-0123456789.js.br"]
)
def test_nothing_but_the_widgets_files_is_given_out(page, name):
    assert page.get(f"/assets/{name}").status_code == 404


def test_an_unbuilt_widget_is_one_sentence(app, tmp_path, monkeypatch):
    monkeypatch.setenv("USHER_ASSETS_DIR", str(tmp_path / "nowhere"))
    settings.get.cache_clear()
    answer = app.test_client().get("/w.js")
    assert answer.status_code == 503
    assert "make assets" in answer.text


def test_the_config_is_small_and_cached_and_only_for_the_sites_own_pages(page):
    answer = page.get("/v1/sites/acme/config", headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {playbook["id"] for playbook in answer.json["playbooks"]} >= {"pricing", "blog", "home"}
    assert answer.json["panel"] == "/assets/panel-0123456789.js"
    tag = {"If-None-Match": answer.headers["ETag"], "Origin": ORIGIN}
    assert page.get("/v1/sites/acme/config", headers=tag).status_code == 304
    assert page.get("/v1/sites/acme/config", headers={"Origin": "https://evil.example"}).status_code == 403
    assert page.get("/v1/sites/nobody/config").status_code == 404


def test_two_hundred_page_views_leave_no_row(page, app):
    for _ in range(200):
        page.get("/w.js")
        page.get("/v1/sites/acme/config", headers={"Origin": ORIGIN})
    with app.extensions["usher_db"].reading() as tx:
        assert tx.execute(select(func.count()).select_from(visitors)).scalar_one() == 0


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("DELETE", "/v1/slots", 405), ("PUT", "/w.js", 405), ("GET", "/nothing", 404)],
)
def test_programs_get_the_one_error_shape(page, method, path, status):
    answer = page.open(path, method=method, headers={"Accept": "application/json"})
    assert answer.status_code == status
    assert set(answer.json["error"]) >= {"code", "message"}


def test_people_get_a_page(page):
    answer = page.get("/nothing", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.content_type.startswith("text/html")
    assert "There is nothing at this address." in answer.text


def test_a_body_that_is_too_large_is_refused(page):
    answer = page.post("/v1/holds", data=b"x" * 300_000, content_type="application/json")
    assert answer.status_code in (413, 422)


def test_a_fault_of_ours_shows_no_trace(app):
    @app.get("/v1/broken")
    def broken():
        raise RuntimeError("secret detail")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = app.test_client().get("/v1/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json["error"]["code"] == "fault"


def test_the_server_says_that_it_is_alive(page):
    assert page.get("/healthz").json["ok"] is True
