"""Where an answer may be kept: `lead.email`, `account.employees`, `lead.fields.plan`, or a name under `answers`."""

from __future__ import annotations

from server.expressions.names import wrong_name

_NOT_TOLD = {"lead": {"id", "status", "owner", "score", "tier", "rating", "source"}, "account": {"id"}}


def full(place: str) -> str:
    """`need` is short for `answers.need`."""
    return place if "." in place else f"answers.{place}"


def checked(place: str) -> str:
    """The place, when answers may be kept there; ValueError with what is allowed."""
    root, _, name = full(place).partition(".")
    if root not in ("lead", "account", "answers") or not name:
        raise ValueError("allowed lead.…, account.… or a name of your own such as need")
    if name in _NOT_TOLD.get(root, ()):
        raise ValueError(f"{place} is worked out, not told; allowed another {root} field or {root}.fields.…")
    wrong = wrong_name((root, *name.split(".")))
    if wrong:
        raise ValueError(wrong)
    return place
