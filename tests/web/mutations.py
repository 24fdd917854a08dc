"""Real frames, changed at random: by bytes and by structure. The same seed makes the same ones."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

PAGE = {"url": "http://localhost:8010/pricing", "path": "/pricing", "title": "Pricing", "referrer": "", "query": {}}
REAL: list[dict[str, Any]] = [
    {
        "t": "hello", "site": "acme", "seed": "s", "after": 0, "page": {**PAGE, "utm": {"source": "ad"}},
        "device": "desktop", "locale": "en", "zone": "Europe/Berlin", "playbook": "pricing", "consent": True,
        "visit": {"count": 2, "pages": [{"path": "/", "seconds": 9, "scroll": 50, "words": 80}]},
        "data": {"plan": "pro", "seats": 3},
    },
    {"t": "resume", "site": "acme", "after": 3},
    {"t": "say", "id": "c1", "text": "We are about 250 people"},
    {"t": "say", "id": "c2", "text": "buying", "value": {"option": "buy"}},
    {"t": "say", "id": "c3", "text": "two", "value": {"options": ["a", "b"]}},
    {"t": "say", "id": "c4", "text": "that", "value": {"slot": "2026-03-02T09:00:00Z", "meeting": "demo"}},
    {"t": "say", "id": "c5", "text": "Ada", "value": {"form": {"name": "Ada", "email": "ada@globex.example"}}},
    {"t": "say", "id": "c6", "text": "other times", "value": {"action": "other_times", "meeting": "demo"}},
    {"t": "page", "page": PAGE, "data": {"plan": "free"}},
    {"t": "identify", "attributes": {"email": "ada@globex.example", "name": "Ada"}},
    {"t": "track", "name": "video", "data": {"percent": 50}},
    {"t": "typing"},
    {"t": "seen", "seq": 4},
    {"t": "ping"},
]  # fmt: skip
NASTY: list[Any] = [
    None, True, False, 0, -1, 2**31, 2**63, 10**400, 1.5, -0.0, 1e308, float("nan"), float("inf"), "", " ", "x" * 4001,
    "y" * 70_000, "\x00", "a\x00b", "\ud800", "\u202e\u200b\ufeff", "é" * 3000, "{{ 7 * 7 }}", "' OR 1=1 --",
    "<script>", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "Mars/Phobos", "../../etc", {"a": []}, {"": ""},
    [], {}, [[]], [None] * 500, [{}], {"__proto__": 1}, {str(n): n for n in range(300)},
]  # fmt: skip
DEEP = '{"a":' * 50 + "1" + "}" * 50


def mutated(count: int, seed: int, *, only_structure: bool = False) -> Iterator[str | bytes]:
    """So many frames; half changed by bytes, half by structure."""
    chance = random.Random(seed)
    for n in range(count):
        frame = chance.choice(REAL)
        if only_structure or n % 2:
            yield by_structure(frame, chance)
        else:
            yield by_bytes(json.dumps(frame).encode(), chance)


def by_structure(frame: dict[str, Any], chance: random.Random) -> str:
    """Other values, missing, more and doubled keys, at any depth."""
    whole = copy.deepcopy(frame)
    for _ in range(chance.randint(1, 3)):
        inside = chance.choice(list(_containers(whole)))
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        act = chance.randrange(5)
        if not keys or act == 0:
            _put(
                inside,
                chance.choice(["extra", "t", "id", "token", "\x00", "__class__", "x" * 200]),
                copy.deepcopy(chance.choice(NASTY)),
            )
        elif act == 1:
            del inside[chance.choice(keys)]
        else:
            inside[chance.choice(keys)] = copy.deepcopy(chance.choice([*NASTY, chance.choice(REAL)]))
    text = json.dumps(whole)
    return text.replace('"acme"', DEEP, 1) if chance.random() < 0.02 else text


def by_bytes(raw: bytes, chance: random.Random) -> bytes:
    """Bits turned, bytes put in, taken out, doubled and moved."""
    whole = bytearray(raw)
    for _ in range(chance.randint(1, 6)):
        at, size = chance.randrange(len(whole) + 1), chance.randint(1, 12)
        act = chance.randrange(5)
        if act == 0 and at < len(whole):
            whole[at] ^= 1 << chance.randrange(8)
        elif act == 1:
            whole[at:at] = chance.randbytes(size)
        elif act == 2:
            del whole[at : at + size]
        elif act == 3:
            whole[at:at] = whole[at : at + size] * chance.randint(1, 40)
        else:
            whole[at:at] = chance.choice(
                [b'"', b"\\", b"{", b"[" * 2000, b"\\u0000", b"\\ud83d", b"1e999", b"null", b"\xff", b","]
            )
    return bytes(whole)


def _containers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _containers(inner)


def _put(inside: Any, name: str, value: Any) -> None:
    if isinstance(inside, dict):
        inside[name] = value
    else:
        inside.append(value)
