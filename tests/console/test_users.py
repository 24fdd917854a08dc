"""An owner adds people, changes roles, gives new passwords and shuts people out."""

from __future__ import annotations

from tests.console.story import PASSWORD

NEW = {"email": "joan@acme.example", "name": "Joan <b>", "role": "rep", "rep": "joan", "password": "a good password"}


def test_an_owner_adds_a_rep_who_can_sign_in_and_sees_their_own_things(desk):
    owner = desk("owner")
    assert owner.post("/users", NEW).status_code == 303
    page = owner.text("/users")
    assert "Joan &lt;b&gt;" in page
    joan = desk()
    assert joan.sign_in("joan@acme.example", "a good password").status_code == 303
    assert "Kim Park" not in joan.text("/leads")


def test_what_is_wrong_is_said_and_what_was_typed_stays(desk):
    refused = desk("owner").post("/users", {**NEW, "password": "short"})
    assert refused.status_code == 422
    assert "Choose a password of 10 to 200 characters." in refused.text
    assert 'value="joan@acme.example"' in refused.text
    assert "short" not in refused.text
    doubled = desk("owner").post("/users", {**NEW, "email": "GRACE@acme.example"})
    assert doubled.status_code == 409
    assert "There is a user grace@acme.example already." in doubled.text


def test_a_new_role_holds_from_the_next_page_on(desk, story):
    grace, owner = desk("grace"), desk("owner")
    assert grace.get("/versions").status_code == 403
    owner.post(f"/users/{story.users['grace'].id}/role", {"role": "marketing", "rep": "grace"})
    assert grace.get("/versions").status_code == 200


def test_whoever_is_shut_out_is_out_until_let_in_again(desk, story):
    grace, owner = desk("grace"), desk("owner")
    owner.post(f"/users/{story.users['grace'].id}/deactivate")
    assert grace.get("/").status_code == 302
    assert "Shut out" in owner.text("/users")
    owner.post(f"/users/{story.users['grace'].id}/activate")
    assert grace.get("/").status_code == 302
    assert desk().sign_in("grace@acme.example").status_code == 303


def test_a_lost_password_is_set_anew(desk, story):
    grace = desk("grace")
    desk("owner").post(f"/users/{story.users['grace'].id}/password", {"password": "given on the phone"})
    assert grace.get("/").status_code == 302
    assert desk().sign_in("grace@acme.example", PASSWORD).status_code == 401
    assert desk().sign_in("grace@acme.example", "given on the phone").status_code == 303


def test_the_last_owner_cannot_leave(desk, story):
    owner = desk("owner")
    owner.post(f"/users/{story.users['owner'].id}/role", {"role": "rep"})
    assert "only owner" in owner.said()
    assert owner.get("/users").status_code == 200
