"""How things look: moments in a zone, how long ago, static files under their hash."""

from __future__ import annotations

import hashlib
import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, url_for
from flask_login import current_user
from markupsafe import Markup, escape

from server import clock, settings
from server.console import broken, diary, here, menu, words

STATIC = Path(__file__).parent / "static"
STYLES = (
    "tokens.css", "layout.css", "parts.css", "table.css", "form.css", "thread.css", "trace.css", "diff.css",
    "rotation.css", "week.css", "crm.css",
)  # fmt: skip
_HALF_A_DAY = 12 * 60 * 60


def init_app(app: Flask) -> None:
    """Teach the templates."""
    app.jinja_env.filters.update(moment=moment, day=day, date_words=date_words, time=time)
    app.jinja_env.filters.update(plain=words.plain, initials=words.initials, coded=coded)
    app.jinja_env.globals.update(
        static=static, styles=STYLES, scripts=scripts, when=when, here=here, menu=menu, words=words, signed_in=signed_in
    )
    app.jinja_env.globals.update(diary_lines=diary.lines)
    app.jinja_env.globals.update(broken_connections=broken.broken_connections, connection_title=broken.title_of)


def signed_in() -> bool:
    """Whether the page shows the navigation."""
    return bool(current_user and current_user.is_authenticated)


def static(name: str) -> str:
    """Address of a static file; it changes when the file does."""
    path = STATIC / name
    return url_for("console.static", filename=name, v=_hash(path, path.stat().st_mtime_ns))


def scripts() -> list[str]:
    """The console's scripts from npm, as far as `make assets` has built them; pages work without."""
    folder = settings.get().assets_dir.parent / "console"
    return [name for name in ("htmx.min.js", "idiomorph-ext.min.js") if (folder / name).is_file()]


def when(at: datetime | None, zone: str = "UTC") -> Markup:
    """How long ago or ahead, with the exact moment for those who ask."""
    if at is None:
        return Markup("–")
    title = f"{moment(at, zone)} {zone} · {at:%H:%M} UTC"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.strftime("%Y-%m-%dT%H:%M:%SZ"), title, ago(at, zone)
    )


def ago(at: datetime, zone: str = "UTC") -> str:
    """ "5 minutes ago", "in 2 hours", "tomorrow" and "in 3 days" by the dates of the zone, a date beyond a week."""
    seconds = (clock.now() - at).total_seconds()
    amount: float = abs(seconds)
    if amount < 45:
        return "just now" if seconds >= 0 else "in a moment"
    today, local = (moment.astimezone(ZoneInfo(zone)).date() for moment in (clock.now(), at))
    days = abs((local - today).days)
    if amount < _HALF_A_DAY or not days:
        return _told(*_counted(amount), past=seconds > 0)
    if days == 1:
        return "yesterday" if seconds > 0 else "tomorrow"
    return _told(days, "day", past=seconds > 0) if days < 7 else f"{local.day} {local:%b %Y}"


def _counted(seconds: float) -> tuple[int, str]:
    for size, unit in ((1, "second"), (60, "minute")):
        if (number := round(seconds / size)) < 60:
            return number, unit
    return round(seconds / 3600), "hour"


def _told(number: int, unit: str, *, past: bool) -> str:
    words = f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{words} ago" if past else f"in {words}"


def moment(at: datetime, zone: str = "UTC") -> str:
    """ "Mon 2 Mar 2026, 09:00", local to the zone."""
    return f"{day(at, zone)}, {time(at, zone)}"


def day(at: datetime, zone: str = "UTC") -> str:
    """ "Mon 2 Mar 2026", local to the zone."""
    return date_words(at.astimezone(ZoneInfo(zone)).date())


def date_words(local: date) -> str:
    """ "Mon 2 Mar 2026"."""
    return f"{local:%a} {local.day} {local:%b %Y}"


def time(at: datetime, zone: str = "UTC") -> str:
    """ "09:00", local to the zone."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"


def coded(text: str) -> Markup:
    """What stands between backticks as code; all else as it is."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def today_in(zone: str) -> tuple[datetime, datetime]:
    """First moment of today on the zone's clock, and of tomorrow."""
    midnight = datetime.combine(clock.now().astimezone(ZoneInfo(zone)), datetime.min.time(), ZoneInfo(zone))
    return midnight, midnight + timedelta(days=1)  # wall-clock addition: a day of 23 or 25 hours counts as one


@lru_cache(maxsize=100)
def _hash(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]
