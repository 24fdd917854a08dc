"""What a rep is told when a meeting cannot follow to where he has put it in his calendar."""

from __future__ import annotations

OVERLAPS, TIME_IMPOSSIBLE, VISITOR_BUSY = "rep_stays_overlap", "rep_stays_time", "rep_stays_visitor"

# By language and kind as in mail_texts.py: (subject, first sentence).
PUT_BACK: dict[str, dict[str, tuple[str, str]]] = {
    "en": {
        OVERLAPS: (
            "Stays where it was: {meeting} with {visitor}",
            "In your calendar you moved this meeting onto another one. It stays where it was, and its event is put back.",
        ),
        TIME_IMPOSSIBLE: (
            "Stays where it was: {meeting} with {visitor}",
            "In your calendar you moved this meeting into the past, or made it longer than half a day. It stays where it "
            "was, and its event is put back.",
        ),
        VISITOR_BUSY: (
            "Stays where it was: {meeting} with {visitor}",
            "In your calendar you moved this meeting to a time at which {visitor} meets a colleague of yours. It stays "
            "where it was, and its event is put back.",
        ),
    },
    "de": {
        OVERLAPS: (
            "Bleibt, wo er war: {meeting} mit {visitor}",
            "Sie haben diesen Termin in Ihrem Kalender auf einen anderen geschoben. Er bleibt, wo er war; der Eintrag "
            "wird zurückgesetzt.",
        ),
        TIME_IMPOSSIBLE: (
            "Bleibt, wo er war: {meeting} mit {visitor}",
            "Sie haben diesen Termin in Ihrem Kalender in die Vergangenheit geschoben oder auf mehr als einen halben Tag "
            "verlängert. Er bleibt, wo er war; der Eintrag wird zurückgesetzt.",
        ),
        VISITOR_BUSY: (
            "Bleibt, wo er war: {meeting} mit {visitor}",
            "Sie haben diesen Termin in Ihrem Kalender auf eine Zeit geschoben, zu der {visitor} schon mit jemandem aus "
            "Ihrem Team spricht. Er bleibt, wo er war; der Eintrag wird zurückgesetzt.",
        ),
    },
    "fr": {
        OVERLAPS: (
            "Inchangé : {meeting} avec {visitor}",
            "Dans votre agenda, vous avez déplacé ce rendez-vous sur un autre. Il reste où il était, et son événement y "
            "est remis.",
        ),
        TIME_IMPOSSIBLE: (
            "Inchangé : {meeting} avec {visitor}",
            "Dans votre agenda, vous avez déplacé ce rendez-vous dans le passé ou l'avez allongé de plus d'une "
            "demi-journée. Il reste où il était, et son événement y est remis.",
        ),
        VISITOR_BUSY: (
            "Inchangé : {meeting} avec {visitor}",
            "Dans votre agenda, vous avez déplacé ce rendez-vous à une heure où {visitor} parle déjà avec un de vos "
            "collègues. Il reste où il était, et son événement y est remis.",
        ),
    },
    "es": {
        OVERLAPS: (
            "Sin cambios: {meeting} con {visitor}",
            "En su calendario ha movido esta reunión encima de otra. Se queda donde estaba y su evento vuelve a su sitio.",
        ),
        TIME_IMPOSSIBLE: (
            "Sin cambios: {meeting} con {visitor}",
            "En su calendario ha movido esta reunión al pasado o la ha alargado más de medio día. Se queda donde estaba "
            "y su evento vuelve a su sitio.",
        ),
        VISITOR_BUSY: (
            "Sin cambios: {meeting} con {visitor}",
            "En su calendario ha movido esta reunión a una hora en la que {visitor} ya habla con alguien de su equipo. "
            "Se queda donde estaba y su evento vuelve a su sitio.",
        ),
    },
}
