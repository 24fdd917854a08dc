"""A small site folder for the tests of playbooks: two pools, a queue, two meetings, an article."""

from __future__ import annotations

from textwrap import dedent

SITE = """
key: acme
name: Acme
origins: [http://localhost:8010]
zone: Europe/Berlin
locale: en
locales: [en, de]
brand: {agent_name: Ada}
hours: [{days: [mon, tue, wed, thu, fri], start: "09:00", end: "18:00"}]
answers: {threshold: 0.5, unknown: {en: I do not know that., de: Das weiß ich nicht.}}
"""
TEAM = """
reps:
  - {id: grace, name: Grace Hopper, email: grace@acme.example, zone: Europe/Berlin,
     hours: [{days: [mon, tue, wed, thu, fri], start: "09:00", end: "17:00"}],
     location: {kind: video, url: "https://meet.acme.example/g"}}
  - {id: linus, name: Linus Torvalds, email: linus@acme.example, zone: Europe/Berlin,
     hours: [{days: [mon, tue, wed, thu, fri], start: "09:00", end: "17:00"}],
     location: {kind: video, url: "https://meet.acme.example/l"}}
pools:
  - {id: big, members: [grace]}
  - {id: small, members: [grace, linus]}
queues:
  - {id: sdr, members: [linus], after_hours: queue}
"""
MEETINGS = """
meetings:
  - {id: demo, name: Product demo, duration_minutes: 30, notice_minutes: 60, pool: small,
     window: {kind: rolling_days, days: 14}}
  - {id: intro, name: Short call, duration_minutes: 15, notice_minutes: 60, pool: small,
     window: {kind: rolling_days, days: 14}}
"""
SEGMENTS = """
segments:
  - {id: enterprise, when: account.employees >= 500, criteria: [need]}
  - {id: smb, when: account.employees < 500}
intents: [{level: high, when: 'page.path.startswith("/pricing")'}]
targets: [{domain: globex.example, name: Globex, owner: grace}]
customers: [{domain: initech.example, name: Initech, csm: linus}]
framework:
  - {id: need, name: Need, met_when: 'value == "buy"'}
  - {id: size, name: Size, met_when: value >= 10}
"""
ROUTING = """
rules:
  - {id: customers, when: account.is_customer, to: {csm: true}}
  - {id: targets, when: account.is_target, to: {owner: account}}
  - {id: large, when: segment == "enterprise", to: {pool: big}}
  - {id: students, when: answers.need == "study", to: {resource: /blog/start}}
  - {id: rest, to: {pool: small}}
after_hours: booking
"""
PRICES = """---
title: Plans and prices
url: /pricing
---
## What does the starter plan cost?

The starter plan costs 49 euros a month for up to ten people.
"""
REFUNDS = """---
title: Refunds
url: /refunds
---
## Can I get my money back?

Within thirty days you get your money back, whatever the reason.
"""


def folder(**playbooks: str) -> dict[str, str]:
    """The files of a site with these playbooks (name → YAML; `_` in a name stands for `-`)."""
    files = {
        "site.yml": SITE,
        "team.yml": TEAM,
        "meetings.yml": MEETINGS,
        "segments.yml": SEGMENTS,
        "routing.yml": ROUTING,
        "knowledge/prices.md": PRICES,
        "knowledge/refunds.md": REFUNDS,
    }
    return files | {f"playbooks/{name.replace('_', '-')}.yml": dedent(text) for name, text in playbooks.items()}
