"""The site folder of the stories, and what the operator sets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from server import settings
from tests.journeys.stories.service import GRACE, LINUS, CalendarService, CrmService
from tests.playbooks.folder import folder

REST = timedelta(minutes=31)
"""After this a visit is over, and a conversation has rested long."""
UTM = {"source": "news", "medium": "mail", "campaign": "spring"}
PRICING = """
audience: {path: [/pricing]}
nodes:
  - {id: hi, say: Hello}
  - {id: need, ask: What do you need?, kind: text, save: need, criterion: need}
  - {id: size, ask: How many people are you?, kind: number, save: account.employees, criterion: size}
  - {id: mail, ask: Your e-mail?, kind: email}
  - {id: meet, book: demo, text: Pick a time., otherwise: no}
  - {id: bye, end: See you!, outcome: booked}
  - {id: no, end: We write to you., outcome: nurture}
"""


Environment = Callable[[str, str], None]


def set_up(environment: Environment, folder: Path) -> None:
    """What the operator sets."""
    for name, value in {
        "USHER_MAIL_TO": "mailbox",
        "USHER_MAILBOX_DIR": str(folder / "mails"),
        "USHER_RATE_LIMITS": "false",
        "USHER_SECRET_KEY": "a key for tests only",
        "USHER_PRIVATE_HOSTS": "127.0.0.1",
    }.items():
        environment(name, value)
    settings.get.cache_clear()


def site(crm: CrmService, calendar: CalendarService) -> dict[str, str]:
    """Acme with a chat on its prices, and a mapping of what was answered."""
    files = folder(pricing=PRICING)
    files["site.yml"] += "mail: {from_name: Acme, from_address: hello@acme.example}\n"
    for rep in (GRACE, LINUS):
        if own := calendar.calendar_of(rep):
            files["team.yml"] = files["team.yml"].replace(f"email: {rep}", f"email: {rep}, calendar: '{own}'")
    ours = {"need": "answers.need", "source": "utm.source"}
    lines = [f"  - {{ours: {ours[name]}, theirs: {theirs}}}" for name, theirs in crm.fields.items()]
    return {**files, "crm.yml": "rest_minutes: 5\nfields:\n" + "\n".join(lines) + "\n"}
