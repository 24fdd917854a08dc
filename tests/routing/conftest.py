"""A site folder for routing, on a stopped Monday morning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from server.config import service as config
from server.config.version import Section
from server.routing.checks import check_routing, check_segments, check_team
from server.routing.schema import Routing, Segments, Team

SECTIONS = (Section(Team, check_team), Section(Segments, check_segments), Section(Routing, check_routing))
SITE = """\
key: acme
name: Acme Analytics
origins: [http://localhost:8010]
zone: Europe/Berlin
hours: [{days: [mon, tue, wed, thu, fri], start: "09:00", end: "18:00"}]
"""
TEAM = """\
reps:
  - {id: grace, name: Grace Hopper, email: grace@acme.example, zone: Europe/Berlin}
  - {id: linus, name: Linus Pauling, email: linus@acme.example, zone: Europe/Berlin}
  - {id: joan, name: Joan Clarke, email: joan@acme.example, zone: Europe/London}
  - {id: gone, name: Gone Away, email: gone@acme.example, zone: Europe/London, active: false}
pools:
  - {id: enterprise, members: [grace, linus], zone: Europe/Berlin, max_lead: 3}
  - {id: weekly, members: [grace, linus, gone], period: week, zone: America/New_York, weights: {grace: 200}}
  - {id: shared, members: [linus, joan], counter: pot, zone: UTC}
  - {id: sharing, members: [linus, grace], counter: pot, zone: UTC}
queues:
  - {id: sdr, members: [linus]}
  - {id: success, members: [joan], after_hours: queue}
"""
SEGMENTS = """\
segments:
  - {id: student, when: 'answers.need == "study"'}
  - {id: enterprise, when: account.employees >= 500, criteria: [need, budget]}
intents:
  - {level: high, when: page.path.startswith("/pricing")}
  - {level: low, when: page.path.startswith("/blog")}
targets: [{domain: globex.example, name: Globex, owner: grace}]
customers: [{domain: initech.example, name: Initech, csm: joan}]
framework:
  - {id: need, met_when: 'value in ["replace", "grow"]'}
  - {id: budget, met_when: value >= 5000}
  - {id: authority}
"""
ROUTING = """\
rules:
  - {id: customers, when: account.is_customer, to: {csm: true}, else_to: {queue: success},
     reason: Customers know their CSM}
  - {id: targets, when: account.is_target, to: {owner: account}}
  - {id: owned, when: lead.owner, to: {owner: lead}}
  - {id: students, when: segment == "student", to: {resource: /blog/start}}
  - {id: enterprise, when: segment == "enterprise", to: {pool: enterprise}}
  - {id: readers, when: intent == "low", to: {queue: sdr}}
  - {id: rest, to: {pool: weekly}}
"""
FILES = {"site.yml": SITE, "team.yml": TEAM, "segments.yml": SEGMENTS, "routing.yml": ROUTING}


@pytest.fixture
def version(db: Any, monday: Any) -> config.Version:
    return config.apply(db, FILES, author="test", sections=SECTIONS)


@pytest.fixture
def problems() -> Callable[..., list[str]]:
    """What `usher check` says of the folder with other texts in some files."""

    def check(**texts: str) -> list[str]:
        files = FILES | {f"{name}.yml": text for name, text in texts.items()}
        return [str(problem) for problem in config.check(files, SECTIONS)]

    return check
