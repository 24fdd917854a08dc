"""Tokens in memory: a copy for whoever asks, and one renewal for however many want one at a time."""

from __future__ import annotations

import threading

import pytest

from plugins.errors import AuthError
from plugins.tokens import MemoryTokens


def test_what_is_handed_out_is_a_copy():
    tokens = MemoryTokens({"access_token": "one"})
    tokens.load()["access_token"] = "changed"
    assert tokens.load() == {"access_token": "one"}
    assert MemoryTokens().load() is None


def test_who_saw_the_present_tokens_gets_new_ones_and_who_saw_older_ones_the_present():
    tokens = MemoryTokens({"access_token": "one"})
    assert tokens.renewed({"access_token": "one"}, lambda old: {"access_token": old["access_token"] + "+"}) == {
        "access_token": "one+"
    }
    assert tokens.renewed({"access_token": "one"}, _never) == {"access_token": "one+"}


def test_without_any_the_renewal_begins_from_nothing():
    tokens = MemoryTokens()
    assert tokens.renewed(None, lambda old: {**old, "access_token": "minted"}) == {"access_token": "minted"}


def test_a_renewal_that_fails_keeps_what_was_there():
    tokens = MemoryTokens({"access_token": "one"})

    def fail(_old):
        raise AuthError("invalid_grant")

    with pytest.raises(AuthError):
        tokens.renewed(tokens.load(), fail)
    assert tokens.load() == {"access_token": "one"}


def test_eight_threads_that_saw_the_same_renew_once():
    tokens, start, asked, told = MemoryTokens({"access_token": "0"}), threading.Barrier(8), [], []
    seen = tokens.load()

    def renew(old):
        asked.append(old)
        return {"access_token": str(int(old["access_token"]) + 1)}

    def go():
        start.wait()
        told.append(tokens.renewed(seen, renew))

    threads = [threading.Thread(target=go) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert told == [{"access_token": "1"}] * 8
    assert len(asked) == 1


def _never(_old):
    raise AssertionError("nobody needs to ask")
