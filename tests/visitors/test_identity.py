"""A token that the site's own server signed says who somebody is; every other one says nothing and tells nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import jwt
import pytest

from server import clock, events, ids
from server.db import Database
from server.errors import Conflict, NotFound, Unavailable
from server.events import Actor
from server.visitors import identity, keys
from server.visitors import tables as t
from server.visitors.identity import Person, Refusal

OWNER = Actor("user", "usr_1", "Owner")
HOUR = 3600


@pytest.fixture
def key(sqlite_db: Database, monday: clock.StoppedClock) -> tuple[str, str]:
    """`kid` and secret of the site's key."""
    made, secret = keys.add(sqlite_db, "sit_1", OWNER)
    return made.id, secret


@pytest.fixture
def judge(sqlite_db: Database) -> Callable[[str], Person | Refusal]:
    def run(token: str) -> Person | Refusal:
        with sqlite_db.transaction() as tx:
            return identity.judge(tx, "sit_1", "acme", token)

    return run


def claims(**more: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    told = {"sub": "user-1", "exp": now + 600, "iat": now, **more}
    return {name: value for name, value in told.items() if value is not ...}


def signed(secret: str, **more: Any) -> str:
    return jwt.encode(claims(**more), secret, algorithm="HS256")


def by_hand(header: dict[str, Any], body: dict[str, Any], secret: bytes, hashed: Any = hashlib.sha256) -> str:
    """A token as no library would write it."""
    parts = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (header, body)]
    mac = hmac.new(secret, b".".join(parts), hashed).digest() if secret else b""
    return b".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=")]).decode()


def test_a_good_token_says_who_it_is_and_what_is_signed_about_them(key, judge):
    about = {"email": "ada@acme.example", "name": "Ada", "phone_number": "+49 30 1", "attributes": {"plan": "pro"}}
    found = judge(signed(key[1], **about))
    assert found == Person(
        "user-1", key[0], {"email": "ada@acme.example", "name": "Ada", "phone": "+49 30 1", "plan": "pro"}
    )


def test_the_site_may_be_named_and_must_be_ours_then(key, judge):
    assert isinstance(judge(signed(key[1], aud="acme")), Person)
    assert isinstance(judge(signed(key[1], aud=["other", "acme"])), Person)
    assert judge(signed(key[1], aud="other")) == Refusal("identity_refused", "`aud` names another site", "user-1")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"exp": ...}, "`exp` is missing"),
        ({"exp": "soon"}, "`exp` must be a number of seconds since 1970"),
        ({"exp": True}, "`exp` must be a number of seconds since 1970"),
        ({"exp": float("inf")}, "`exp` must be a number of seconds since 1970"),
        ({"exp": 10**400}, "`exp` must be a number of seconds since 1970"),
        ({"iat": -(10**400)}, "`iat` must be a number of seconds since 1970"),
        ({"sub": ...}, "`sub` must be a text of 1 to 200 characters"),
        ({"sub": ""}, "`sub` must be a text of 1 to 200 characters"),
        ({"sub": 7}, "`sub` must be a text of 1 to 200 characters"),
        ({"sub": "x" * 201}, "`sub` must be a text of 1 to 200 characters"),
        ({"sub": "a\x00b"}, "`sub` must be a text of 1 to 200 characters"),
    ],
)
def test_a_token_without_person_or_end_is_refused_with_a_reason_for_the_diary(key, judge, change, why):
    body = claims(**change)
    found = judge(by_hand({"alg": "HS256"}, body, key[1].encode()))
    assert (found.code, found.why) == ("identity_refused", why)


@pytest.mark.parametrize(
    ("seconds", "why"),
    [
        ({"exp": HOUR + 60}, "the token is good for more than an hour"),
        ({"iat": -HOUR, "exp": 300}, "the token is good for more than an hour"),
        ({"iat": 120, "exp": 600}, "the token is not good yet"),
        ({"nbf": 120, "exp": 600}, "the token is not good yet"),
    ],
)
def test_a_token_that_lives_too_long_or_not_yet_is_refused(key, judge, seconds, why):
    now = int(clock.now().timestamp())
    found = judge(signed(key[1], **{name: now + at for name, at in seconds.items()}))
    assert (found.code, found.why) == ("identity_refused", why)


def test_a_token_may_live_for_one_hour_and_clocks_may_differ_a_little(key, judge, monday):
    token = signed(key[1], exp=int(clock.now().timestamp()) + HOUR)
    assert isinstance(judge(token), Person)
    monday.advance(timedelta(seconds=HOUR + 20))
    assert isinstance(judge(token), Person)
    monday.advance(timedelta(seconds=20))
    assert judge(token) == Refusal("identity_expired", "the token has expired", "user-1")


def test_only_whoever_holds_the_key_learns_that_a_token_has_expired(key, judge, monday):
    old = claims(exp=int(clock.now().timestamp()) - HOUR)
    assert judge(jwt.encode(old, key[1], algorithm="HS256")).code == "identity_expired"
    assert judge(jwt.encode(old, "x" * 43, algorithm="HS256")).code == "identity_refused"


def test_nothing_but_hs256_with_one_of_our_keys_is_believed(key, judge):
    kid, secret = key
    good = signed(secret)
    head, body, mac = good.split(".")
    other = base64.urlsafe_b64encode(json.dumps(claims(sub="boss")).encode()).rstrip(b"=").decode()
    forged = [
        by_hand({"alg": "none"}, claims(), b""),
        by_hand({"alg": "None"}, claims(), secret.encode()),
        by_hand({"alg": "RS256"}, claims(), secret.encode()),
        by_hand({"alg": "HS512"}, claims(), secret.encode()),
        by_hand({"alg": "HS512"}, claims(), secret.encode(), hashlib.sha512),
        f"{head}.{other}.{mac}",
        f"{head}.{body}.",
        f"{head}.{body}",
        jwt.encode(claims(), "another secret of at least 32 bytes", algorithm="HS256"),
        jwt.encode(claims(), secret, algorithm="HS256", headers={"kid": "idk_unknown"}),
        "", "x", "a.b.c", ".." , good + "x" * 8000, "é.é.é",
    ]  # fmt: skip
    assert isinstance(judge(good), Person)
    assert isinstance(judge(jwt.encode(claims(), secret, algorithm="HS256", headers={"kid": kid})), Person)
    assert {judge(token).code for token in forged} == {"identity_refused"}
    assert {judge(token).sub for token in forged} == {""}


def test_an_address_that_may_not_be_theirs_is_left_out_and_so_is_what_cannot_be_stored(key, judge):
    assert judge(signed(key[1], email="ada@acme.example", email_verified=False)).values == {}
    for odd in ("not an address", "a@b.example\nBcc: x@y.example", "a@b@c"):
        assert judge(signed(key[1], email=odd)).values == {}
    many = {"k": "x" * 1000} | {f"k{n}": n for n in range(100)}
    odd = {
        "plan": "p\x00ro",
        "list": [1],
        "deep": {"a": 1},
        "email": "boss@acme.example",
        "half": "\ud800",
        "none": None,
    }
    kept = judge(signed(key[1], email="ada@acme.example", attributes={**odd, **many})).values
    assert kept["email"] == "ada@acme.example"
    assert len(kept) == identity.MOST_VALUES
    assert kept.keys() <= {"email", *many}
    assert len(kept["k"]) == 500


def test_two_keys_are_good_at_once_and_a_revoked_one_is_not(sqlite_db, key, judge):
    _, second = keys.add(sqlite_db, "sit_1", OWNER)
    old, new = signed(key[1]), signed(second)
    assert isinstance(judge(old), Person)
    assert isinstance(judge(new), Person)
    keys.revoke(sqlite_db, key[0], OWNER)
    assert judge(old).code == "identity_refused"
    assert isinstance(judge(new), Person)


def test_every_key_is_compared_in_constant_time_whichever_fits(sqlite_db, key, judge, monkeypatch):
    secrets = [key[1], *(keys.add(sqlite_db, "sit_1", OWNER)[1] for _ in range(2))]
    compared = []

    def counted(one, other):
        compared.append(one)
        return hmac.compare_digest(one, other)

    monkeypatch.setattr("jwt.algorithms.hmac", SimpleNamespace(new=hmac.new, compare_digest=counted))
    for secret in (*secrets, "of nobody, and as long as the others"):
        compared.clear()
        assert isinstance(judge(signed(secret)), Person) == (secret in secrets)
        assert len(compared) == len(secrets)


def test_a_key_of_one_site_is_none_of_another(sqlite_db, key):
    with sqlite_db.transaction() as tx:
        assert isinstance(identity.judge(tx, "sit_2", "acme", signed(key[1])), Refusal)


def test_a_key_is_kept_sealed_its_use_is_noted_and_the_diary_knows_who_made_and_ended_it(sqlite_db, key, judge, monday):
    kid, secret = key
    monday.advance(timedelta(hours=1))
    judge(signed(secret))
    keys.revoke(sqlite_db, kid, OWNER)
    with sqlite_db.reading() as tx:
        row = tx.execute(t.identity_keys.select()).one()
        (listed,) = keys.listed(tx, "sit_1")
        told = [(one.name, one.actor_name) for one in events.of_subject(tx, "identity_key", kid)]
    assert secret not in repr(row)
    assert ids.unseal(keys.PURPOSE, row.sealed) == secret
    assert secret not in repr(listed)
    assert listed.last_used_at == listed.revoked_at == clock.now()
    assert told == [("identity_key.added", "Owner"), ("identity_key.revoked", "Owner")]


def test_a_key_ends_once_and_there_are_not_many(sqlite_db, key):
    keys.revoke(sqlite_db, key[0], OWNER)
    with pytest.raises(Conflict):
        keys.revoke(sqlite_db, key[0], OWNER)
    with pytest.raises(NotFound):
        keys.revoke(sqlite_db, "idk_none", OWNER)
    for _ in range(keys.MOST_VALID):
        keys.add(sqlite_db, "sit_1", OWNER)
    with pytest.raises(Conflict):
        keys.add(sqlite_db, "sit_1", OWNER)


def test_with_another_secret_key_of_the_server_a_stored_key_is_of_no_use(sqlite_db, key, judge, caplog):
    ids.use_key("a server that was set up anew")
    try:
        with pytest.raises(Unavailable):
            ids.unseal(keys.PURPOSE, sealed(sqlite_db))
        assert judge(signed(key[1])).code == "identity_refused"
    finally:
        ids.use_key("a key for tests only")
    assert "USHER_SECRET_KEY" in caplog.text
    assert isinstance(judge(signed(key[1])), Person)


def sealed(db: Database) -> str:
    with db.reading() as tx:
        return str(tx.execute(t.identity_keys.select()).one().sealed)
