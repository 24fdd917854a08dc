"""Signing in and out: sessions, cookies, rates, and where one lands."""

from __future__ import annotations

import pytest

from server import events
from server.people import service as people
from tests.console.conftest import Desk
from tests.console.story import PASSWORD

SESSION = "usher_console"


def test_a_rep_signs_in_and_is_greeted(desk):
    visitor = desk()
    assert visitor.get("/leads?search=x").location == "/sign-in?next=/leads?search%3Dx"
    done = visitor.sign_in(" Grace@ACME.example ", next="/leads?search=x")
    assert (done.status_code, done.location) == (303, "/leads?search=x")
    assert "Hello, Grace" in visitor.text("/")
    assert visitor.get("/sign-in?next=/meetings").location == "/meetings"


@pytest.mark.parametrize(("email", "password"), [("grace@acme.example", "wrong"), ("nobody@acme.example", PASSWORD)])
def test_wrong_words_get_one_answer(desk, email, password):
    visitor = desk()
    refused = visitor.sign_in(email, password)
    assert refused.status_code == 401
    assert "The e-mail address or the password is not right." in refused.text
    assert password not in refused.text
    assert visitor.get("/").status_code == 302


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/%0d%0aSet-Cookie:x=1\r\nX: y",
        "javascript:alert(1)",
        "evil.example",
        "/\t/evil.example",
        "",
    ],
)
def test_after_signing_in_nobody_is_sent_to_a_foreign_place(desk, address):
    visitor = desk()
    assert visitor.sign_in("grace@acme.example", next=address).location == "/"
    assert visitor.get("/sign-in", query_string={"next": address}).location == "/"


def test_what_a_session_held_before_is_forgotten_at_the_sign_in(desk):
    visitor = desk()
    visitor.get("/sign-in")
    with visitor.client.session_transaction() as session:
        session["site"] = "planted"
        planted = session["csrf_token"]
    visitor.sign_in("grace@acme.example")
    with visitor.client.session_transaction() as session:
        assert "site" not in session
        assert session.get("csrf_token") != planted


def test_a_cookie_of_before_the_sign_in_opens_nothing(app, desk):
    visitor = desk()
    visitor.get("/sign-in")
    before = visitor.client.get_cookie(SESSION).value
    visitor.sign_in("grace@acme.example")
    other = app.test_client()
    other.set_cookie(SESSION, before)
    assert other.get("/").status_code == 302


def test_the_cookie_is_for_the_server_only(app, desk):
    cookie = desk().sign_in("grace@acme.example").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    app.config["SESSION_COOKIE_SECURE"] = True
    secure = Desk(app)
    page = secure.client.get("/sign-in", base_url="https://localhost")
    assert "Secure" in page.headers["Set-Cookie"]


def test_over_https_a_post_from_a_foreign_page_is_refused_and_ours_is_not(app):
    client = app.test_client()
    page = client.get("/sign-in", base_url="https://localhost")
    assert page.headers["Referrer-Policy"] == "same-origin"
    from tests.console.conftest import TOKEN

    form = {"csrf_token": TOKEN.search(page.text)[1], "email": "grace@acme.example", "password": PASSWORD}

    def post(referrer):
        return client.post(
            "/sign-in", base_url="https://localhost", data=form, headers={"Referer": referrer}
        ).status_code

    assert post("https://evil.example/") == 400
    assert post("https://localhost/sign-in") == 303


def test_guessing_one_persons_password_is_stopped_also_from_many_addresses(app):
    def guess(n, email="grace@acme.example"):
        visitor = Desk(app)
        visitor.client.environ_base = {"REMOTE_ADDR": f"192.0.2.{n}"}
        return visitor.sign_in(email, "a wrong guess").status_code

    assert [guess(n) for n in range(9)] == [401] * 8 + [429]
    assert guess(10, "GRACE@acme.example") == 429
    assert guess(11, "dennis@acme.example") == 401


def test_guessing_from_one_address_is_stopped_whoever_is_guessed(app):
    statuses = [Desk(app).sign_in(f"person{n}@acme.example", "a wrong guess").status_code for n in range(21)]
    assert statuses == [401] * 20 + [429]


def test_signing_in_rightly_is_never_counted(app):
    assert [Desk(app).sign_in("grace@acme.example").status_code for _ in range(25)] == [303] * 25


def test_whoever_signs_out_is_out(desk):
    grace = desk("grace")
    assert grace.post("/sign-out").location == "/sign-in"
    assert grace.get("/").status_code == 302


def test_signing_out_everywhere_ends_the_other_browser(desk):
    here, there = desk("grace"), desk("grace")
    assert here.post("/account/sign-out-everywhere").status_code == 303
    assert here.get("/").status_code == there.get("/").status_code == 302


def test_a_new_password_keeps_this_browser_and_ends_the_others(desk):
    here, there = desk("grace"), desk("grace")
    here.post("/account/password", {"old": PASSWORD, "new": "another good one"})
    assert "Your password is changed" in here.said()
    assert there.get("/").status_code == 302
    assert desk().sign_in("grace@acme.example").status_code == 401
    assert desk().sign_in("grace@acme.example", "another good one").status_code == 303


def test_a_wrong_old_password_changes_nothing_and_says_so(desk):
    grace = desk("grace")
    grace.post("/account/password", {"old": "no idea", "new": "another good one"})
    assert "Your present password is not right." in grace.said()
    assert desk().sign_in("grace@acme.example").status_code == 303


def test_a_user_who_is_shut_out_is_out_at_once(desk, db, story):
    grace = desk("grace")
    assert grace.get("/").status_code == 200
    people.deactivate(db, story.users["grace"].id, events.SYSTEM)
    assert grace.get("/").status_code == 302
    assert desk().sign_in("grace@acme.example").status_code == 401


def test_a_piece_of_a_page_sends_whoever_is_out_to_the_sign_in(desk, story):
    found = desk().get(f"/conversations/{story.waiting}/messages", headers={"HX-Request": "true"})
    assert (found.status_code, found.headers["HX-Redirect"]) == (401, "/sign-in")


def test_visitors_files_carry_no_cookie(app):
    found = app.test_client().get("/w.js")
    assert "Set-Cookie" not in found.headers
    assert "Cookie" not in found.headers.get("Vary", "")
