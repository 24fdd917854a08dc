"""People are added, sign in, change their password and are shut out."""

from __future__ import annotations

import statistics
import threading
import time

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from server import events
from server.errors import Conflict, Invalid, NotFound, SignInNeeded
from server.people import service as people
from server.people.tables import users

PASSWORD = "correct horse battery"


def add(db, name="grace", role="rep", **more):
    email = more.pop("email", f"{name}@acme.example")
    return people.add(db, email=email, name=name.title(), password=PASSWORD, role=role, rep=more.get("rep"))


def names(db, name):
    with db.reading() as tx:
        found = select(events.table.c.name).where(events.table.c.subject_kind == "user").order_by(events.table.c.id)
        return [one for one in tx.execute(found).scalars() if one == name]


def test_a_user_signs_in_with_another_spelling_of_the_address(db, monday):
    added = add(db, email="  Grace.Hopper@ACME.example ")
    found = people.authenticate(db, "grace.hopper@acme.EXAMPLE", PASSWORD)
    assert (found.id, found.email) == (added.id, "grace.hopper@acme.example")
    assert found.signed_in_at is not None
    assert names(db, events.USER_ADDED) == [events.USER_ADDED]
    assert names(db, events.USER_SIGNED_IN) == [events.USER_SIGNED_IN]


def test_two_spellings_of_one_address_are_one_user(db):
    add(db, email="grace@acme.example")
    with pytest.raises(Conflict):
        add(db, email="GRACE@acme.example")


def test_one_address_added_eight_times_at_once_is_one_user(db):
    start, ends = threading.Barrier(8), []

    def try_it():
        start.wait()
        try:
            add(db)
            ends.append("added")
        except Conflict:
            ends.append("refused")

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(ends) == ["added"] + ["refused"] * 7


def test_the_password_is_kept_as_argon2id_and_nowhere_readable(sqlite_db):
    user = add(sqlite_db)
    with sqlite_db.reading() as tx:
        kept = tx.execute(select(users.c.password_hash)).scalar_one()
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept
    assert user.session_stamp not in repr(user)


@pytest.mark.parametrize(
    ("email", "password"), [("grace@acme.example", "wrong password"), ("nobody@x.example", PASSWORD)]
)
def test_a_wrong_password_and_an_unknown_address_get_the_same_words(sqlite_db, email, password):
    add(sqlite_db)
    with pytest.raises(SignInNeeded, match=r"^The e-mail address or the password is not right\.$"):
        people.authenticate(sqlite_db, email, password)


def test_an_unknown_address_takes_as_long_as_a_wrong_password(sqlite_db):
    add(sqlite_db)

    def seconds(email):
        began = time.process_time()
        with pytest.raises(SignInNeeded):
            people.authenticate(sqlite_db, email, "wrong password")
        return time.process_time() - began

    known = statistics.median(seconds("grace@acme.example") for _ in range(5))
    unknown = statistics.median(seconds("nobody@acme.example") for _ in range(5))
    assert unknown > known / 3  # without the hash it would be a hundredth


def test_a_hash_of_other_costs_is_renewed_at_the_next_sign_in(sqlite_db):
    add(sqlite_db)
    short = "of before"  # it was good enough when it was chosen
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(short)
    with sqlite_db.transaction() as tx:
        tx.execute(update(users).values(password_hash=old))
    people.authenticate(sqlite_db, "grace@acme.example", short)
    with sqlite_db.reading() as tx:
        assert "m=19456,t=2,p=1" in tx.execute(select(users.c.password_hash)).scalar_one()
    people.authenticate(sqlite_db, "grace@acme.example", short)


def test_a_new_password_ends_other_sessions_and_the_old_password(sqlite_db):
    user = add(sqlite_db)
    assert people.of_session(sqlite_db, user.id, user.session_stamp) == user
    changed = people.change_password(sqlite_db, user, PASSWORD, "another good one")
    assert people.of_session(sqlite_db, user.id, user.session_stamp) is None
    assert people.of_session(sqlite_db, user.id, changed.session_stamp) == changed
    with pytest.raises(SignInNeeded):
        people.authenticate(sqlite_db, user.email, PASSWORD)
    assert people.authenticate(sqlite_db, user.email, "another good one").id == user.id


def test_a_password_is_changed_only_by_whoever_knows_it(sqlite_db):
    user = add(sqlite_db)
    with pytest.raises(Invalid, match="present password"):
        people.change_password(sqlite_db, user, "a wild guess", "another good one")
    assert people.authenticate(sqlite_db, user.email, PASSWORD).id == user.id


def test_an_owner_sets_a_lost_password_and_old_sessions_end(sqlite_db):
    user = add(sqlite_db)
    people.set_password(sqlite_db, user.id, "given by the owner", events.SYSTEM)
    assert people.of_session(sqlite_db, user.id, user.session_stamp) is None
    assert people.authenticate(sqlite_db, user.email, "given by the owner").id == user.id


@pytest.mark.parametrize("password", ["short", "x" * 201, "grace@acme.example"])
def test_a_bad_password_is_refused(sqlite_db, password):
    with pytest.raises(Invalid, match="Choose a password"):
        people.add(sqlite_db, email="grace@acme.example", name="Grace", password=password, role="rep")


@pytest.mark.parametrize("email", ["", "grace", "grace@", "@acme.example", "a b@acme.example", "a@b@c.example"])
def test_what_is_no_address_is_refused(sqlite_db, email):
    with pytest.raises(Invalid) as refused:
        add(sqlite_db, email=email)
    assert refused.value.field == "email"


def test_an_unknown_role_and_an_empty_name_are_refused(sqlite_db):
    with pytest.raises(Invalid, match="owner, marketing, supervisor, rep"):
        add(sqlite_db, role="king")
    with pytest.raises(Invalid, match="Write a name"):
        people.add(sqlite_db, email="a@b.example", name=" ", password=PASSWORD, role="rep")


def test_a_shut_out_user_is_out_at_once_and_can_be_let_in_again(sqlite_db):
    add(sqlite_db, "ada", "owner")
    user = add(sqlite_db)
    people.deactivate(sqlite_db, user.id, events.SYSTEM)
    assert people.of_session(sqlite_db, user.id, user.session_stamp) is None
    with pytest.raises(SignInNeeded):
        people.authenticate(sqlite_db, user.email, PASSWORD)
    people.activate(sqlite_db, user.id, events.SYSTEM)
    assert people.of_session(sqlite_db, user.id, user.session_stamp) is None
    assert people.authenticate(sqlite_db, user.email, PASSWORD).active


def test_a_user_whom_the_operator_shut_out_in_the_database_is_out(sqlite_db):
    user = add(sqlite_db)
    with sqlite_db.transaction() as tx:
        tx.execute(update(users).values(active=False))
    assert people.of_session(sqlite_db, user.id, user.session_stamp) is None


def test_the_last_owner_stays_owner(sqlite_db):
    owner = add(sqlite_db, "ada", "owner")
    with pytest.raises(Conflict, match="only owner"):
        people.deactivate(sqlite_db, owner.id, events.SYSTEM)
    with pytest.raises(Conflict, match="only owner"):
        people.change_role(sqlite_db, owner.id, "rep", None, events.SYSTEM)
    assert people.authenticate(sqlite_db, owner.email, PASSWORD).role == "owner"


def test_of_two_owners_who_shut_each_other_out_at_once_one_stays(db):
    first, second = add(db, "ada", "owner"), add(db, "joan", "owner")
    start, refused = threading.Barrier(2), []

    def shut_out(user):
        start.wait()
        try:
            people.deactivate(db, user.id, events.SYSTEM)
        except Conflict:
            refused.append(user.id)

    threads = [threading.Thread(target=shut_out, args=(user,)) for user in (first, second)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    with db.reading() as tx:
        assert [user.active for user in people.everybody(tx)] == [True, False]
    assert len(refused) == 1


def test_an_owner_may_step_down_when_there_is_another(sqlite_db):
    add(sqlite_db, "ada", "owner")
    joan = add(sqlite_db, "joan", "owner")
    changed = people.change_role(sqlite_db, joan.id, "rep", " joan ", events.SYSTEM)
    assert (changed.role, changed.rep, changed.session_stamp) == ("rep", "joan", joan.session_stamp)


def test_signing_out_everywhere_ends_every_session(sqlite_db):
    user = add(sqlite_db)
    people.sign_out_everywhere(sqlite_db, user)
    assert people.of_session(sqlite_db, user.id, user.session_stamp) is None


def test_nobody_cannot_be_changed(sqlite_db):
    with pytest.raises(NotFound):
        people.activate(sqlite_db, "usr_nobody", events.SYSTEM)
    with pytest.raises(NotFound):
        people.set_password(sqlite_db, "usr_nobody", "a good password", events.SYSTEM)
