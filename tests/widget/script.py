"""What the double says: its config, its pages, its opening, and one reply for each thing a test may ask for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

CSP = (
    "default-src 'none'; script-src 'nonce-abc123'; connect-src {usher} {ws}; "
    "require-trusted-types-for 'script'; trusted-types 'none'; report-uri /csp"
)
LEAD = {"name": "Grace Hopper"}
MEETINGS = [{"id": "intro", "name": "Intro call", "minutes": 15}, {"id": "demo", "name": "Product demo", "minutes": 30}]
WIDE = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
WIDE_FIELD = {"id": "name", "label": WIDE, "type": "text", "required": True, "value": WIDE}
GREETING = "Hi! What brings you to Acme?"
FIRST = datetime(2031, 3, 3, 9, 0, tzinfo=UTC)


def config() -> dict[str, Any]:
    return {
        "site": "acme",
        "version": 3,
        "name": "Acme Analytics",
        "locale": "en",
        "locales": ["en", "de", "fr", "es"],
        "brand": {
            "color": "#175cd3",
            "logo": "",
            "scheme": "light dark",
            "position": "right",
            "x": 20,
            "y": 20,
            "z": 2147483000,
            "launcher": {"en": "Chat with us", "de": "Mit uns chatten"},
            "agent_name": "Ada",
        },
        "consent": "on-open",
        "traffic": 100,
        "sorry": {"en": "The chat could not be loaded.", "de": "Der Chat konnte nicht geladen werden."},
        "pages": "",
        "playbooks": [
            {
                "id": "pricing",
                "traffic": 100,
                "if": ["glob", ["get", "page", "path"], "/pricing*"],
                "display": {"after": 1, "show": "teaser", "open": True},
                "opening": {"en": "Questions about our **plans**?", "de": "Fragen zu den Preisen?"},
            },
            {
                "id": "forward",
                "traffic": 100,
                "if": ["==", ["get", "page", "path"], "/forward"],
                "display": {"after": 0, "show": "open", "open": True},
                "opening": {"en": "Let me show you around."},
            },
            {
                "id": "home",
                "traffic": 100,
                "if": True,
                "display": {"show": "quiet", "open": True},
                "opening": {"en": GREETING},
            },
        ],
    }


STUB = "<script>window.Usher=window.Usher||function(){(Usher.q=Usher.q||[]).push(arguments)}</script>"
CALLS = """<script>Usher('on', 'opened', () => document.title = 'opened'); Usher('set', {plan: 'pro'});
Usher('identify', {email: 'a@b.example'}); Usher('track', 'looked', {n: 1});
Usher('open', {message: 'Hello there'})</script>"""
PAGE = """<!doctype html><html lang="en" dir="{direction}"><head><meta charset="utf-8"><title>Acme {path}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">{scripts}
<script async nonce="abc123" src="{usher}/w.js" data-site="acme"></script></head>
<body><main><h1>Acme</h1><a id="cta" href="/contact" data-usher-open="pricing">Talk to us</a>
<a id="next" href="/other">Next</a>
{text}</main></body></html>"""
TEXT = "<p>A paragraph of a page that is long enough to scroll. Acme counts what matters to you.</p>"


def page(path: str, usher: str) -> tuple[str, dict[str, str]]:
    """A page of the website; `strict…` has the strictest policy there is, `rtl` is written from right to left, `queue`
    calls Usher before it is there, `…short` is short."""
    strict = path.startswith("strict")
    text = TEXT * (4 if path.endswith("short") else 40)
    policy = CSP.format(usher=usher, ws=usher.replace("http", "ws"))
    scripts = "" if strict else STUB + (CALLS if path == "queue" else "")
    direction = "rtl" if path == "rtl" else "ltr"
    html = PAGE.format(path=path, usher=usher, scripts=scripts, direction=direction, text=text)
    return html, {"Content-Security-Policy": policy} if strict else {}


def opening(hello: dict[str, Any]) -> list[dict[str, Any]]:
    texts = {"pricing": "Questions about our **plans**?", "forward": "Let me show you around."}
    return [
        bot(
            texts.get(hello.get("playbook") or "", GREETING),
            {
                "kind": "choices",
                "multi": False,
                "options": [
                    {"id": "compare", "label": "Comparing tools"},
                    {"id": "buy", "label": "Ready to buy"},
                    {"id": "look", "label": "Just looking"},
                ],
            },
        )
    ]


def replies(say: dict[str, Any]) -> list[dict[str, Any]]:
    """The answer to a `say` frame: by what was chosen, else by its words."""
    value = say.get("value") or {}
    if "slot" in value:
        return [bot("I am holding that time for you. Who is it for?", form(value["slot"]))]
    if "form" in value and "action" not in value:
        return [
            bot(
                "You’re all set. The invitation is on its way to **" + value["form"].get("email", "you") + "**.",
                {"kind": "meeting", "meeting": meeting("booked")},
            )
        ]
    if value.get("action") == "cancel_meeting":
        return [bot("It is cancelled.", {"kind": "meeting", "meeting": meeting("cancelled")})]
    if value.get("action") in ("reschedule_meeting", "other_times") or value.get("option") == "buy":
        return [bot("Great, let’s find a time with the right person."), bot("Pick a time that suits you:", slots())]
    said = SAID.get(say["text"].lower())
    return said() if said else [bot(f"You said: {say['text']}")]


def bot(text: str, part: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"author": "bot", "name": "Ada", "text": text, "part": part, **more}


SAID = {
    "multi": lambda: [
        bot(
            "What matters most?",
            {
                "kind": "choices",
                "multi": True,
                "options": [
                    {"id": "dash", "label": "Dashboards"},
                    {"id": "alerts", "label": "Alerts"},
                    {"id": "sso", "label": "Single sign-on"},
                ],
            },
        )
    ],
    "email": lambda: [
        bot("Which e-mail address may we use?", {"kind": "input", "input": "email", "placeholder": "name@company.com"})
    ],
    "date": lambda: [bot("When would you like to start?", {"kind": "input", "input": "date", "placeholder": ""})],
    "slots": lambda: [bot("Pick a time that suits you:", slots() | {"suggested": []})],
    "full": lambda: [bot("Pick a time:", slots() | {"suggested": [], "days": [], "next_from": None})],
    "expired": lambda: [bot("Who is it for?", form(FIRST.isoformat(), seconds=1))],
    "long over": lambda: [bot("Who is it for?", form(FIRST.isoformat(), seconds=-60))],
    "places": lambda: [bot("carol does not look like an e-mail address.", form_of_two_places())],
    "one": lambda: [bot("Tuesday at 9 is free. Shall I take it for you?", one_time())],
    "offer": lambda: [
        bot(
            "This may help:",
            {
                "kind": "offer",
                "title": "The analytics buyer’s guide",
                "url": "/guide.pdf",
                "text": "Twelve questions to ask any vendor, on four pages.",
            },
        )
    ],
    "handoff": lambda: [bot("Let me get somebody.", {"kind": "handoff", "queue": "sdr", "eta_seconds": 120})],
    "nobody": lambda: [bot("Our team is asleep.", {"kind": "handoff", "queue": "sdr", "eta_seconds": None})],
    "unknown": lambda: [
        bot(
            "I don’t know that, and I would rather not guess.",
            {
                "kind": "fallback",
                "actions": [
                    {"id": "person", "label": "Talk to a person"},
                    {"id": "leave_email", "label": "Leave my e-mail"},
                ],
            },
        )
    ],
    "question": lambda: [
        bot(
            "The **Starter** plan costs €49 a month for up to five people. There is a [full comparison](https://acme.example/plans).",
            citations=[{"title": "Plans and prices", "url": "/pricing"}],
        )
    ],
    "evil": lambda: [
        bot(
            "<img src=x onerror=alert(1)> [click](javascript:alert(1)) **bold <b>x</b>** [mail](mailto:a@b.example)",
            citations=[{"title": "Bad", "url": "javascript:alert(2)"}],
        )
    ],
    "suggested": lambda: [bot("Pick a time that suits you:", slots())],
    "wide": lambda: [
        bot(
            f"{WIDE} https://acme.example/{WIDE}",
            {"kind": "choices", "multi": False, "options": [{"id": "a", "label": WIDE}, {"id": "b", "label": "No"}]},
            citations=[{"title": WIDE, "url": "/pricing"}],
        )
    ],
    "wide offer": lambda: [bot(WIDE, {"kind": "offer", "title": WIDE, "url": "/x", "text": WIDE})],
    "wide form": lambda: [bot(WIDE, form(FIRST.isoformat()) | {"submit": WIDE, "fields": [WIDE_FIELD]})],
    "wide meeting": lambda: [
        bot(WIDE, {"kind": "meeting", "meeting": meeting("booked") | {"name": WIDE, "location": WIDE}})
    ],
    "long": lambda: [bot("\n".join(f"Line {n}: everything that can be said about it." for n in range(40)))],
}


def slots() -> dict[str, Any]:
    times = open_times("UTC", None, "demo")
    return {
        "kind": "slots",
        "meeting": "demo",
        "name": "Product demo",
        "minutes": 30,
        "zone": "UTC",
        "pool": "enterprise",
        "meetings": MEETINGS,
        "suggested": [times["days"][0]["slots"][0], times["days"][0]["slots"][4], times["days"][1]["slots"][2]],
        "days": times["days"],
        "next_from": times["next_from"],
    }


def open_times(zone: str, start: str | None, meeting: str) -> dict[str, Any]:
    """Two weeks of office hours in Berlin, seven days at a time, sorted into the days of `zone`."""
    begin = date.fromisoformat(start) if start else FIRST.date()
    days: dict[str, list[str]] = {}
    for offset in range(-1, 8):
        day = begin + timedelta(days=offset)
        if day.weekday() > 4 or day < FIRST.date():
            continue
        for half in range(16 if meeting == "demo" else 8):
            at = datetime(day.year, day.month, day.day, 9, tzinfo=ZoneInfo("Europe/Berlin")) + timedelta(
                minutes=30 * half
            )
            local = at.astimezone(ZoneInfo(zone)).date()
            if begin <= local < begin + timedelta(days=7):
                days.setdefault(local.isoformat(), []).append(moment(at))
    after = begin + timedelta(days=7)
    return {
        "zone": zone,
        "meeting": meeting,
        "days": [{"date": key, "slots": days[key]} for key in sorted(days)],
        "next_from": after.isoformat() if after < FIRST.date() + timedelta(days=14) else None,
    }


def form(start: str, seconds: int = 300) -> dict[str, Any]:
    begin = datetime.fromisoformat(start)
    return {
        "kind": "form",
        "submit": "Book it",
        "held": {
            "start": moment(begin),
            "end": moment(begin + timedelta(minutes=30)),
            "expires_at": moment(datetime.now(UTC) + timedelta(seconds=seconds)),
        },
        "fields": [
            {"id": "name", "label": "Your name", "type": "text", "required": True, "value": ""},
            {"id": "email", "label": "Work e-mail", "type": "email", "required": True, "value": ""},
            {"id": "guests", "label": "Guests", "type": "emails", "required": False, "value": ""},
        ],
    }


def form_of_two_places() -> dict[str, Any]:
    """The visitor says where to meet; a guest's address was wrong the first time."""
    part = form(FIRST.isoformat())
    ways = [{"id": "video", "label": "Video call"}, {"id": "phone", "label": "Phone"}]
    place = {"id": "place", "label": "How shall we meet?", "type": "choice", "required": True, "value": "video"}
    phone = {"id": "phone", "label": "Phone", "type": "phone", "required": False, "value": "", "for": "phone"}
    name, email, guests = part["fields"]
    typed = {"value": "bob@globex.example, carol at globex"}
    fields = [name | {"value": "Ada"}, email | {"value": "ada@globex.example"}, place | {"options": ways}, phone]
    return part | {"fields": [*fields, guests | typed]}


def one_time() -> dict[str, Any]:
    """One time is proposed; the others are a request away."""
    part = slots()
    return part | {"suggested": part["suggested"][2:], "days": [], "next_from": part["days"][0]["date"], "with": "wh.o"}


def meeting(status: str) -> dict[str, Any]:
    return {
        "id": "mtg_1",
        "name": "Product demo",
        "status": status,
        "start": moment(FIRST),
        "end": moment(FIRST + timedelta(minutes=30)),
        "zone": "Europe/Berlin",
        "rep": LEAD,
        "location": "https://meet.example/grace",
        "manage_url": "/m/tok",
        "ics_url": "/m/tok/invite.ics",
        "google_url": "https://calendar.example/google",
        "outlook_url": "https://calendar.example/outlook",
    }


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def now() -> str:
    return moment(datetime.now(UTC))
