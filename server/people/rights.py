"""What each role may do, as data; and what a person may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

OWNER, MARKETING, SUPERVISOR, REP = "owner", "marketing", "supervisor", "rep"
ROLES = (OWNER, MARKETING, SUPERVISOR, REP)

RIGHTS: dict[str, frozenset[str]] = {
    "see_all_conversations": frozenset({OWNER, MARKETING, SUPERVISOR}),
    "reply": frozenset({OWNER, SUPERVISOR, REP}),
    "see_all_leads": frozenset({OWNER, MARKETING, SUPERVISOR}),
    "claim": frozenset({OWNER, SUPERVISOR, REP}),
    "connect_leads": frozenset({OWNER, MARKETING, SUPERVISOR, REP}),
    "see_all_meetings": frozenset({OWNER, MARKETING, SUPERVISOR}),
    "change_all_meetings": frozenset({OWNER, SUPERVISOR}),
    "change_own_meetings": frozenset({OWNER, SUPERVISOR, REP}),
    "see_all_pools": frozenset({OWNER, MARKETING, SUPERVISOR}),
    "calibrate": frozenset({OWNER, SUPERVISOR}),
    "manage_availability": frozenset({OWNER, SUPERVISOR}),
    "see_config": frozenset({OWNER, MARKETING, SUPERVISOR}),
    "apply_config": frozenset({OWNER, MARKETING}),
    "rollback": frozenset({OWNER, MARKETING}),
    "see_deliveries": frozenset({OWNER, MARKETING, SUPERVISOR}),
    "retry_delivery": frozenset({OWNER, MARKETING}),
    "see_connections": frozenset({OWNER, MARKETING, SUPERVISOR}),
    "manage_connections": frozenset({OWNER}),
    "connect_own_calendar": frozenset(ROLES),
    "manage_users": frozenset({OWNER}),
    "manage_keys": frozenset({OWNER}),
    "erase": frozenset({OWNER}),
}
"""Deed: the roles that may do it. Everybody sees their own conversations, leads, meetings and availability, and free
leads."""


class HasRole(Protocol):
    @property
    def role(self) -> str: ...
    @property
    def active(self) -> bool: ...


def may(user: HasRole, deed: str) -> bool:
    """Whether the user may do it; KeyError for a deed that is not in the table."""
    return user.active and user.role in RIGHTS[deed]


@dataclass(frozen=True)
class Sight:
    """What a person sees of leads, conversations and meetings: everything, or what is theirs.

    Theirs is what `rep` owns, talks in or meets, and what waits for one of their `queues` (queues and pools of team.yml
    that name the rep). Free leads are seen by all.
    """

    everything: bool = False
    rep: str = ""
    queues: Sequence[str] = ()


EVERYTHING = Sight(everything=True)
