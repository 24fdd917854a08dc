"""A meeting as the visitor sees it: its manage link, "add to calendar" links, place, and the wire's shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from server import ids, settings
from server.booking.availability.stamps import stamp
from server.booking.schema import Meetings, MeetingType
from server.booking.store import Meeting
from server.config.service import Version
from server.expressions import LocaleText
from server.routing.schema import Rep, Team
from server.routing.team import Location

_PURPOSE = "meeting"
_PHONE = {"en": "We call you", "de": "Wir rufen Sie an", "fr": "Nous vous appelons", "es": "Le llamamos"}
_PHONE_OF_REP = {"en": "You call", "de": "Sie rufen an", "fr": "Vous appelez", "es": "Usted llama"}
_VIDEO = {
    "en": "Video call; the link is in the calendar event",
    "de": "Videoanruf; der Link steht im Kalendereintrag",
    "fr": "Appel vidéo ; le lien est dans l'événement du calendrier",
    "es": "Videollamada; el enlace está en el evento del calendario",
}


@dataclass(frozen=True)
class Where:
    """Where a meeting takes place: words for people, an address to open, or a video link wanted of the calendar."""

    text: str
    url: str = ""
    wants_video: bool = False


def token_of(meeting_id: str) -> str:
    """The secret part of a manage link; who has it may move and cancel this one meeting."""
    return ids.sign(_PURPOSE, meeting_id)


def meeting_id_of(token: str) -> str:
    """The meeting of a manage link. NotFound when it was tampered with."""
    return str(ids.unsign(_PURPOSE, token))


def manage_url(meeting_id: str) -> str:
    """The page on which the visitor moves or cancels the meeting."""
    return f"{settings.get().public_url.rstrip('/')}/m/{token_of(meeting_id)}"


def console_url(meeting_id: str) -> str:
    """The meeting's page on the desk."""
    return f"{settings.get().public_url.rstrip('/')}/meetings/{meeting_id}"


def shown(version: Version, meeting: Meeting) -> dict[str, Any]:
    """`Meeting` of docs/protocol.md."""
    url, rep = manage_url(meeting.id), rep_of(version, meeting)
    return {
        "id": meeting.id,
        "name": type_of(version, meeting).named(meeting.locale),
        "status": meeting.status,
        "start": _iso(meeting.start_at),
        "end": _iso(meeting.end_at),
        "zone": meeting.zone,
        "rep": {"name": rep.name},
        "location": place(version, meeting).text,
        "manage_url": url,
        "ics_url": f"{url}/invite.ics",
        "google_url": google_url(version, meeting),
        "outlook_url": outlook_url(version, meeting),
    }


def glimpse(version: Version, meeting: Meeting) -> dict[str, Any]:
    """What is said of a meeting to whoever has only typed its visitor's address: that it is, and when. No link."""
    whole = shown(version, meeting)
    return {name: whole[name] for name in ("id", "name", "status", "start", "end", "zone")}


def title(version: Version, meeting: Meeting) -> str:
    """What the meeting is called in calendars."""
    named = type_of(version, meeting).named(meeting.locale)
    who = meeting.name or meeting.email  # neither once the person was erased
    return f"{named}: {who}, {version.site.name}" if who else f"{named}, {version.site.name}"


def place(version: Version, meeting: Meeting, language: str = "", *, for_rep: bool = False) -> Where:
    """The meeting's place, of the kind that the visitor chose: the rep's own if he has one of it, else the type's. A
    video call without an address has the link that the calendar service made, once it is known."""
    chosen, rep = type_of(version, meeting).place(meeting.place), rep_of(version, meeting)
    location = rep.location if rep.location and rep.location.kind == chosen.kind else chosen
    where = _where(location, meeting.phone, language or meeting.locale.split("-")[0].lower(), for_rep)
    made = meeting.video_url if where.wants_video else ""
    return Where(made, made, wants_video=True) if made else where


def google_url(version: Version, meeting: Meeting) -> str:
    """Opens Google Calendar with the event filled in."""
    return "https://calendar.google.com/calendar/render?" + urlencode(
        {
            "action": "TEMPLATE",
            "text": title(version, meeting),
            "dates": f"{meeting.start_at:%Y%m%dT%H%M%SZ}/{meeting.end_at:%Y%m%dT%H%M%SZ}",
            "details": manage_url(meeting.id),
            "location": place(version, meeting).url or place(version, meeting).text,
            "ctz": meeting.zone,
        },
        quote_via=quote,
    )


def outlook_url(version: Version, meeting: Meeting) -> str:
    """Opens Outlook on the web with the event filled in."""
    return "https://outlook.office.com/calendar/0/deeplink/compose?" + urlencode(
        {
            "path": "/calendar/action/compose",
            "rru": "addevent",
            "subject": title(version, meeting),
            "startdt": _iso(meeting.start_at),
            "enddt": _iso(meeting.end_at),
            "body": manage_url(meeting.id),
            "location": place(version, meeting).url or place(version, meeting).text,
        },
        quote_via=quote,
    )


def type_of(version: Version, meeting: Meeting) -> MeetingType:
    """The meeting's type; one that has left meetings.yml since is still named and as long as it was."""
    found = version.part(Meetings).by_id.get(meeting.type)
    if found is not None:
        return found
    minutes = max(5, int((meeting.end_at - meeting.start_at).total_seconds()) // 300 * 5)
    return MeetingType(id=meeting.type, name=LocaleText.parse(meeting.type), duration_minutes=minutes)


def rep_of(version: Version, meeting: Meeting, rep: str = "") -> Rep:
    """The organiser (or another host); one who has left team.yml since is still named."""
    name = rep or meeting.rep
    found = version.part(Team).reps_by_id.get(name)
    return found or Rep(id=name, name=name, email=f"{name}@unknown.invalid", zone=version.site.zone)


def language(wanted: str, version: Version) -> str:
    """en, de, fr or es: the visitor's if we have it, else the site's, else English."""
    known = (locale.split("-")[0].lower() for locale in (wanted, version.site.locale))
    return next((locale for locale in known if locale in _PHONE), "en")


def _where(location: Location, phone: str, language: str, for_rep: bool) -> Where:
    spoken = language if language in _PHONE else "en"
    if location.kind == "phone":
        words = (_PHONE_OF_REP if for_rep else _PHONE)[spoken]
        return Where(f"{words}: {phone}" if phone else words)
    if location.kind == "in_person":
        return Where(location.address, location.url)
    if location.url:
        return Where(location.url, location.url)
    return Where(_VIDEO[spoken], wants_video=True)


def _iso(moment: Any) -> str:
    return stamp(int(moment.timestamp()))
