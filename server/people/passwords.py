"""How passwords are kept: argon2id at OWASP's least cost (Password Storage Cheat Sheet: 19 MiB, 2 rounds, 1 lane).

That is about 20 ms of one core: a sign-in does not keep the chats of the same process waiting.
"""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server import ids
from server.errors import Invalid

LEAST_CHARACTERS = 10
MOST_CHARACTERS = 200

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODYS = _hasher.hash(ids.new_token())


def hashed(password: str, *, email: str) -> str:
    """What may be stored of a password. Invalid when it is too short, too long, or the e-mail itself."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise Invalid(f"Choose a password of {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters.", field="password")
    if password.strip().casefold() == email:
        raise Invalid("Choose a password that is not your e-mail address.", field="password")
    return renewed(password)


def renewed(password: str) -> str:
    """A password that is known to be right, at today's costs."""
    return _hasher.hash(password)


def right(password: str, kept: str | None) -> bool:
    """Whether it is the password. With nothing kept (nobody has this e-mail) it works as long and says no."""
    try:
        good = _hasher.verify(kept or _NOBODYS, password[: MOST_CHARACTERS + 1])
    except (VerificationError, InvalidHashError):
        return False
    return good and kept is not None


def outdated(kept: str) -> bool:
    """Whether it was made with other costs than today's."""
    return _hasher.check_needs_rehash(kept)
