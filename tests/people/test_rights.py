"""What roles may do, as a table."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from server.people.rights import RIGHTS, ROLES, may


@dataclass(frozen=True)
class Person:
    role: str
    active: bool = True


def test_an_owner_may_do_everything():
    assert all(may(Person("owner"), deed) for deed in RIGHTS)


def test_the_table_names_known_roles_only():
    assert set().union(*RIGHTS.values()) == set(ROLES)


@pytest.mark.parametrize(
    ("role", "deeds"),
    [
        ("rep", {"reply", "claim", "change_own_meetings", "connect_own_calendar", "connect_leads"}),
        (
            "marketing",
            {
                "see_all_conversations",
                "see_all_leads",
                "see_all_meetings",
                "see_all_pools",
                "see_config",
                "apply_config",
                "rollback",
                "see_connections",
                "see_deliveries",
                "retry_delivery",
                "connect_own_calendar",
                "connect_leads",
            },
        ),
        (
            "supervisor",
            {
                "see_all_conversations",
                "see_all_leads",
                "see_all_meetings",
                "see_all_pools",
                "calibrate",
                "manage_availability",
                "see_config",
                "see_connections",
                "see_deliveries",
                "connect_own_calendar",
                "connect_leads",
                "reply",
                "claim",
                "change_own_meetings",
                "change_all_meetings",
            },
        ),
    ],
)
def test_other_roles_may_do_just_this(role, deeds):
    assert {deed for deed in RIGHTS if may(Person(role), deed)} == deeds


def test_a_shut_out_owner_may_do_nothing():
    assert not any(may(Person("owner", active=False), deed) for deed in RIGHTS)


def test_an_unknown_deed_is_a_mistake_and_not_a_no():
    with pytest.raises(KeyError):
        may(Person("owner"), "fly")
