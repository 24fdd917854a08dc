"""What a rep is told when a meeting cannot follow to where he has put it in his calendar."""

from __future__ import annotations

OVERLAPS, TIME_IMPOSSIBLE, VISITOR_BUSY = "rep_stays_overlap", "rep_stays_time", "rep_stays_visitor"

# By language: the subject, what he did, and what comes of it.
_SAID: dict[str, tuple[str, dict[str, str], str]] = {
    "en": (
        "Stays where it was: {meeting} with {visitor}",
        {
            OVERLAPS: "In your calendar you moved this meeting onto another one.",
            TIME_IMPOSSIBLE: "In your calendar you moved this meeting into the past, or made it half a day long.",
            VISITOR_BUSY: "In your calendar you moved this meeting to when {visitor} meets a colleague of yours.",
        },
        "It stays where it was, and its event is put back.",
    ),
    "de": (
        "Bleibt, wo er war: {meeting} mit {visitor}",
        {
            OVERLAPS: "Sie haben diesen Termin in Ihrem Kalender auf einen anderen geschoben.",
            TIME_IMPOSSIBLE: "Sie haben diesen Termin in die Vergangenheit geschoben oder stark verlängert.",
            VISITOR_BUSY: "Sie haben diesen Termin im Kalender dorthin geschoben, wo {visitor} Ihr Team schon trifft.",
        },
        "Er bleibt, wo er war; der Eintrag wird zurückgesetzt.",
    ),
    "fr": (
        "Inchangé : {meeting} avec {visitor}",
        {
            OVERLAPS: "Dans votre agenda, vous avez déplacé ce rendez-vous sur un autre.",
            TIME_IMPOSSIBLE: "Dans votre agenda, ce rendez-vous a été déplacé dans le passé ou beaucoup allongé.",
            VISITOR_BUSY: "Vous avez déplacé ce rendez-vous à une heure où {visitor} voit déjà un de vos collègues.",
        },
        "Il reste où il était, et son événement y est remis.",
    ),
    "es": (
        "Sin cambios: {meeting} con {visitor}",
        {
            OVERLAPS: "En su calendario ha movido esta reunión encima de otra.",
            TIME_IMPOSSIBLE: "En su calendario ha movido esta reunión al pasado o la ha alargado mucho.",
            VISITOR_BUSY: "Ha movido esta reunión a una hora en la que {visitor} ya ve a alguien de su equipo.",
        },
        "Se queda donde estaba y su evento vuelve a su sitio.",
    ),
}

PUT_BACK: dict[str, dict[str, tuple[str, str]]] = {
    language: {kind: (subject, f"{sentence} {outcome}") for kind, sentence in why.items()}
    for language, (subject, why, outcome) in _SAID.items()
}
"""By language and kind as in mail_texts.py: (subject, first sentence)."""
