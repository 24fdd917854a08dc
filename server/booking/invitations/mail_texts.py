"""What mails about meetings say, in the languages we speak. `{…}` are filled in by mails.py."""

from __future__ import annotations

BOOKED, MOVED, CANCELLED, REMINDER, HANDED_OVER = "booked", "moved", "cancelled", "reminder", "handed_over"
REP_BOOKED, REP_MOVED, REP_CANCELLED, REP_GIVEN_AWAY = "rep_booked", "rep_moved", "rep_cancelled", "rep_given_away"

# kind: (subject, first sentence)
TEXTS: dict[str, dict[str, tuple[str, str]]] = {
    "en": {
        BOOKED: ("Booked: {meeting} with {rep}", "Your meeting is booked. The invitation is attached."),
        MOVED: ("New time: {meeting} with {rep}", "Your meeting has a new time. The invitation is up to date."),
        CANCELLED: ("Cancelled: {meeting} with {rep}", "Your meeting has been cancelled."),
        REMINDER: ("Reminder: {meeting} with {rep}", "A short reminder of your meeting."),
        HANDED_OVER: (
            "Somebody else takes over: {meeting}",
            "{rep} hands your meeting to a colleague. This withdraws the old invitation; the new one follows.",
        ),
        REP_BOOKED: ("New meeting: {meeting} with {visitor}", "{visitor} has booked a meeting with you."),
        REP_MOVED: ("Moved: {meeting} with {visitor}", "Your meeting with {visitor} has a new time."),
        REP_CANCELLED: ("Cancelled: {meeting} with {visitor}", "Your meeting with {visitor} has been cancelled."),
        REP_GIVEN_AWAY: ("Off your calendar: {meeting} with {visitor}", "This meeting is now with {rep}."),
    },
    "de": {
        BOOKED: ("Gebucht: {meeting} mit {rep}", "Ihr Termin ist gebucht. Die Einladung ist angehängt."),
        MOVED: ("Neue Zeit: {meeting} mit {rep}", "Ihr Termin hat eine neue Zeit. Die Einladung ist aktualisiert."),
        CANCELLED: ("Abgesagt: {meeting} mit {rep}", "Ihr Termin wurde abgesagt."),
        REMINDER: ("Erinnerung: {meeting} mit {rep}", "eine kurze Erinnerung an Ihren Termin."),
        HANDED_OVER: (
            "Jemand anderes übernimmt: {meeting}",
            "{rep} gibt Ihren Termin weiter. Die alte Einladung ist damit aufgehoben, die neue folgt.",
        ),
        REP_BOOKED: ("Neuer Termin: {meeting} mit {visitor}", "{visitor} hat einen Termin mit Ihnen gebucht."),
        REP_MOVED: ("Verschoben: {meeting} mit {visitor}", "Ihr Termin mit {visitor} hat eine neue Zeit."),
        REP_CANCELLED: ("Abgesagt: {meeting} mit {visitor}", "Ihr Termin mit {visitor} wurde abgesagt."),
        REP_GIVEN_AWAY: ("Nicht mehr bei Ihnen: {meeting} mit {visitor}", "diesen Termin übernimmt jetzt {rep}."),
    },
    "fr": {
        BOOKED: ("Confirmé : {meeting} avec {rep}", "votre rendez-vous est confirmé. L'invitation est jointe."),
        MOVED: (
            "Nouvel horaire : {meeting} avec {rep}",
            "votre rendez-vous a un nouvel horaire. L'invitation est à jour.",
        ),
        CANCELLED: ("Annulé : {meeting} avec {rep}", "votre rendez-vous a été annulé."),
        REMINDER: ("Rappel : {meeting} avec {rep}", "un petit rappel de votre rendez-vous."),
        HANDED_OVER: (
            "Changement d'interlocuteur : {meeting}",
            "{rep} confie votre rendez-vous à un collègue. L'ancienne invitation est retirée, la nouvelle suit.",
        ),
        REP_BOOKED: ("Nouveau rendez-vous : {meeting} avec {visitor}", "{visitor} a réservé un rendez-vous avec vous."),
        REP_MOVED: ("Déplacé : {meeting} avec {visitor}", "votre rendez-vous avec {visitor} a un nouvel horaire."),
        REP_CANCELLED: ("Annulé : {meeting} avec {visitor}", "votre rendez-vous avec {visitor} a été annulé."),
        REP_GIVEN_AWAY: ("Retiré de votre agenda : {meeting} avec {visitor}", "{rep} reprend ce rendez-vous."),
    },
    "es": {
        BOOKED: ("Reservada: {meeting} con {rep}", "su reunión está reservada. Adjuntamos la invitación."),
        MOVED: ("Nueva hora: {meeting} con {rep}", "su reunión tiene una nueva hora. La invitación está actualizada."),
        CANCELLED: ("Cancelada: {meeting} con {rep}", "su reunión ha sido cancelada."),
        REMINDER: ("Recordatorio: {meeting} con {rep}", "un breve recordatorio de su reunión."),
        HANDED_OVER: (
            "Cambio de persona: {meeting}",
            "{rep} pasa su reunión a otra persona. Retiramos la invitación anterior; enseguida llega la nueva.",
        ),
        REP_BOOKED: ("Nueva reunión: {meeting} con {visitor}", "{visitor} ha reservado una reunión con usted."),
        REP_MOVED: ("Cambio de hora: {meeting} con {visitor}", "su reunión con {visitor} tiene una nueva hora."),
        REP_CANCELLED: ("Cancelada: {meeting} con {visitor}", "su reunión con {visitor} ha sido cancelada."),
        REP_GIVEN_AWAY: ("Ya no es suya: {meeting} con {visitor}", "esta reunión es ahora de {rep}."),
    },
}

LABELS: dict[str, dict[str, str]] = {
    "en": {
        "greeting": "Hello {name},", "when": "When", "was": "Was", "meeting": "Meeting", "with": "With",
        "where": "Where", "guests": "Guests", "phone": "Phone", "reason": "Reason", "manage": "Change or cancel",
        "google": "Add to Google Calendar", "outlook": "Add to Outlook",
        "erased": "a visitor whose data was deleted",
    },
    "de": {
        "greeting": "Guten Tag {name},", "when": "Wann", "was": "Bisher", "meeting": "Termin", "with": "Mit",
        "where": "Wo", "guests": "Gäste", "phone": "Telefon", "reason": "Grund", "manage": "Verschieben oder absagen",
        "google": "In Google Kalender eintragen", "outlook": "In Outlook eintragen",
        "erased": "einem Gast, dessen Daten gelöscht wurden",
    },
    "fr": {
        "greeting": "Bonjour {name},", "when": "Quand", "was": "Avant", "meeting": "Rendez-vous", "with": "Avec",
        "where": "Où", "guests": "Invités", "phone": "Téléphone", "reason": "Motif", "manage": "Déplacer ou annuler",
        "google": "Ajouter à Google Agenda", "outlook": "Ajouter à Outlook",
        "erased": "un visiteur dont les données ont été supprimées",
    },
    "es": {
        "greeting": "Hola {name}:", "when": "Cuándo", "was": "Antes", "meeting": "Reunión", "with": "Con",
        "where": "Dónde", "guests": "Invitados", "phone": "Teléfono", "reason": "Motivo",
        "manage": "Cambiar o cancelar", "google": "Añadir a Google Calendar", "outlook": "Añadir a Outlook",
        "erased": "un visitante cuyos datos se han borrado",
    },
}  # fmt: skip
