"""What mails about meetings say, in the languages we speak. `{…}` are filled in by mails.py."""

from __future__ import annotations

from server.booking.invitations.put_back_texts import PUT_BACK

# To the visitor and the guests.
BOOKED, MOVED, CANCELLED, REMINDER, HANDED_OVER = "booked", "moved", "cancelled", "reminder", "handed_over"
REASSIGNED, CHANGED, WISHED, WITHDRAWN = "reassigned", "changed", "wished", "withdrawn"
LINKED = "linked"
# To a rep, and to who looks after the reps.
REP_BOOKED, REP_MOVED, REP_CANCELLED, REP_GIVEN_AWAY = "rep_booked", "rep_moved", "rep_cancelled", "rep_given_away"
REP_CHANGED, REP_PASSED_OVER = "rep_changed", "rep_passed_over"
REP_GUEST_DECLINED, REP_DECLINED, REP_WISHED = "rep_guest_declined", "rep_declined", "rep_wished"

# kind: (subject, first sentence)
TEXTS: dict[str, dict[str, tuple[str, str]]] = {
    "en": {
        LINKED: (
            "The link for {meeting} with {rep}",
            "Here is the link for your video call. The invitation is up to date.",
        ),
        BOOKED: ("Booked: {meeting} with {rep}", "Your meeting is booked. The invitation is attached."),
        MOVED: ("New time: {meeting} with {rep}", "Your meeting has a new time. The invitation is up to date."),
        CANCELLED: ("Cancelled: {meeting} with {rep}", "Your meeting has been cancelled."),
        REMINDER: ("{start}: {meeting} with {rep}", "A short reminder of your meeting."),
        HANDED_OVER: (
            "Withdrawn ({start}): {meeting} with {rep}",
            "{rep} hands your meeting to a colleague. The invitation from {rep} is withdrawn; the new one follows.",
        ),
        WITHDRAWN: (
            "Withdrawn ({start}): {meeting} with {rep}",
            "Your meeting was moved to a time when {rep} is not free, so a colleague takes it. "
            "The invitation for the old time is withdrawn; the new one follows.",
        ),
        REASSIGNED: ("Now with {rep}: {meeting}", "Your meeting is now with {rep}. The time stays the same."),
        CHANGED: (
            "Changed: {meeting} with {rep}",
            "Somebody else takes part in your meeting. The time stays the same.",
        ),
        WISHED: (
            "Another time for {meeting}?",
            "You asked for another time. Please choose one that is open; until then the meeting stays where it is.",
        ),
        REP_BOOKED: ("New meeting: {meeting} with {visitor}", "{visitor} has booked a meeting with you."),
        REP_MOVED: ("Moved: {meeting} with {visitor}", "Your meeting with {visitor} has a new time."),
        REP_CANCELLED: ("Cancelled: {meeting} with {visitor}", "Your meeting with {visitor} has been cancelled."),
        REP_GIVEN_AWAY: ("Off your calendar: {meeting} with {visitor}", "This meeting is now with {rep}."),
        REP_CHANGED: ("Changed: {meeting} with {visitor}", "Others take part in your meeting with {visitor} now."),
        REP_PASSED_OVER: (
            "{rep} meets your account: {meeting} with {visitor}",
            "You had no time soon enough, so {rep} meets {visitor}. The account stays yours.",
        ),
        REP_GUEST_DECLINED: ("{who} does not come: {meeting} with {visitor}", "{who} was invited and has declined."),
        REP_DECLINED: (
            "{who} cannot make it: {meeting} with {visitor}",
            "{who} has declined the invitation. The meeting stands; please hand it over or cancel it.",
        ),
        REP_WISHED: (
            "Another time wished: {meeting} with {visitor}",
            "{who} would like another time. The meeting stands until it is moved.",
        ),
    },
    "de": {
        LINKED: (
            "Der Link für {meeting} mit {rep}",
            "Hier ist der Link für Ihren Videoanruf. Die Einladung ist aktualisiert.",
        ),
        BOOKED: ("Gebucht: {meeting} mit {rep}", "Ihr Termin ist gebucht. Die Einladung ist angehängt."),
        MOVED: ("Neue Zeit: {meeting} mit {rep}", "Ihr Termin hat eine neue Zeit. Die Einladung ist aktualisiert."),
        CANCELLED: ("Abgesagt: {meeting} mit {rep}", "Ihr Termin wurde abgesagt."),
        REMINDER: ("{start}: {meeting} mit {rep}", "eine kurze Erinnerung an Ihren Termin."),
        HANDED_OVER: (
            "Aufgehoben ({start}): {meeting} mit {rep}",
            "{rep} gibt Ihren Termin weiter. Die Einladung von {rep} ist aufgehoben, die neue folgt.",
        ),
        WITHDRAWN: (
            "Aufgehoben ({start}): {meeting} mit {rep}",
            "Ihr Termin wurde auf eine Zeit verschoben, zu der {rep} nicht kann; jemand anderes übernimmt. "
            "Die Einladung für die alte Zeit ist aufgehoben, die neue folgt.",
        ),
        REASSIGNED: ("Jetzt mit {rep}: {meeting}", "Ihren Termin übernimmt {rep}. Die Zeit bleibt dieselbe."),
        CHANGED: (
            "Geändert: {meeting} mit {rep}",
            "An Ihrem Termin nimmt jemand anderes teil. Die Zeit bleibt dieselbe.",
        ),
        WISHED: (
            "Eine andere Zeit für {meeting}?",
            "Sie haben um eine andere Zeit gebeten. Bitte wählen Sie eine freie; bis dahin bleibt der Termin.",
        ),
        REP_BOOKED: ("Neuer Termin: {meeting} mit {visitor}", "{visitor} hat einen Termin mit Ihnen gebucht."),
        REP_MOVED: ("Verschoben: {meeting} mit {visitor}", "Ihr Termin mit {visitor} hat eine neue Zeit."),
        REP_CANCELLED: ("Abgesagt: {meeting} mit {visitor}", "Ihr Termin mit {visitor} wurde abgesagt."),
        REP_GIVEN_AWAY: ("Nicht mehr bei Ihnen: {meeting} mit {visitor}", "diesen Termin übernimmt jetzt {rep}."),
        REP_CHANGED: ("Geändert: {meeting} mit {visitor}", "an Ihrem Termin mit {visitor} nehmen jetzt andere teil."),
        REP_PASSED_OVER: (
            "{rep} trifft Ihren Kunden: {meeting} mit {visitor}",
            "Sie hatten bald keine Zeit frei, darum trifft {rep} {visitor}. Der Kunde bleibt bei Ihnen.",
        ),
        REP_GUEST_DECLINED: ("{who} kommt nicht: {meeting} mit {visitor}", "{who} war eingeladen und hat abgesagt."),
        REP_DECLINED: (
            "{who} kann nicht: {meeting} mit {visitor}",
            "{who} hat die Einladung abgelehnt. Der Termin steht noch; bitte weitergeben oder absagen.",
        ),
        REP_WISHED: (
            "Andere Zeit gewünscht: {meeting} mit {visitor}",
            "{who} wünscht eine andere Zeit. Der Termin steht, bis er verschoben wird.",
        ),
    },
    "fr": {
        LINKED: (
            "Le lien pour {meeting} avec {rep}",
            "voici le lien de votre appel vidéo. L'invitation est à jour.",
        ),
        BOOKED: ("Confirmé : {meeting} avec {rep}", "votre rendez-vous est confirmé. L'invitation est jointe."),
        MOVED: (
            "Nouvel horaire : {meeting} avec {rep}",
            "votre rendez-vous a un nouvel horaire. L'invitation est à jour.",
        ),
        CANCELLED: ("Annulé : {meeting} avec {rep}", "votre rendez-vous a été annulé."),
        REMINDER: ("{start} : {meeting} avec {rep}", "un petit rappel de votre rendez-vous."),
        HANDED_OVER: (
            "Retiré ({start}) : {meeting} avec {rep}",
            "{rep} confie votre rendez-vous à un collègue. L'invitation de {rep} est retirée, la nouvelle suit.",
        ),
        WITHDRAWN: (
            "Retiré ({start}) : {meeting} avec {rep}",
            "votre rendez-vous a été déplacé à une heure où {rep} n'est pas libre ; un collègue le reprend. "
            "L'invitation pour l'ancien horaire est retirée, la nouvelle suit.",
        ),
        REASSIGNED: ("Désormais avec {rep} : {meeting}", "{rep} reprend votre rendez-vous. L'horaire ne change pas."),
        CHANGED: (
            "Modifié : {meeting} avec {rep}",
            "une autre personne participe à votre rendez-vous. L'horaire ne change pas.",
        ),
        WISHED: (
            "Un autre horaire pour {meeting} ?",
            "vous avez demandé un autre horaire. Choisissez-en un qui est libre ; d'ici là, rien ne change.",
        ),
        REP_BOOKED: ("Nouveau rendez-vous : {meeting} avec {visitor}", "{visitor} a réservé un rendez-vous avec vous."),
        REP_MOVED: ("Déplacé : {meeting} avec {visitor}", "votre rendez-vous avec {visitor} a un nouvel horaire."),
        REP_CANCELLED: ("Annulé : {meeting} avec {visitor}", "votre rendez-vous avec {visitor} a été annulé."),
        REP_GIVEN_AWAY: ("Retiré de votre agenda : {meeting} avec {visitor}", "{rep} reprend ce rendez-vous."),
        REP_CHANGED: (
            "Modifié : {meeting} avec {visitor}",
            "d'autres personnes participent à votre rendez-vous avec {visitor}.",
        ),
        REP_PASSED_OVER: (
            "{rep} rencontre votre compte : {meeting} avec {visitor}",
            "vous n'aviez pas d'horaire assez proche ; {rep} rencontre donc {visitor}. Le compte reste le vôtre.",
        ),
        REP_GUEST_DECLINED: ("{who} ne vient pas : {meeting} avec {visitor}", "{who} était invité et a décliné."),
        REP_DECLINED: (
            "{who} est indisponible : {meeting} avec {visitor}",
            "{who} a décliné l'invitation. Le rendez-vous est maintenu ; confiez-le à un collègue ou annulez-le.",
        ),
        REP_WISHED: (
            "Autre horaire souhaité : {meeting} avec {visitor}",
            "{who} souhaite un autre horaire. Le rendez-vous est maintenu jusqu'à ce qu'il soit déplacé.",
        ),
    },
    "es": {
        LINKED: (
            "El enlace para {meeting} con {rep}",
            "este es el enlace de su videollamada. La invitación está actualizada.",
        ),
        BOOKED: ("Reservada: {meeting} con {rep}", "su reunión está reservada. Adjuntamos la invitación."),
        MOVED: ("Nueva hora: {meeting} con {rep}", "su reunión tiene una nueva hora. La invitación está actualizada."),
        CANCELLED: ("Cancelada: {meeting} con {rep}", "su reunión ha sido cancelada."),
        REMINDER: ("{start}: {meeting} con {rep}", "un breve recordatorio de su reunión."),
        HANDED_OVER: (
            "Retirada ({start}): {meeting} con {rep}",
            "{rep} pasa su reunión a otra persona. Retiramos la invitación de {rep}; enseguida llega la nueva.",
        ),
        WITHDRAWN: (
            "Retirada ({start}): {meeting} con {rep}",
            "su reunión ha pasado a una hora en la que {rep} no puede; la lleva otra persona. "
            "Retiramos la invitación para la hora anterior; enseguida llega la nueva.",
        ),
        REASSIGNED: ("Ahora con {rep}: {meeting}", "su reunión es ahora con {rep}. La hora no cambia."),
        CHANGED: ("Cambio: {meeting} con {rep}", "otra persona participa en su reunión. La hora no cambia."),
        WISHED: (
            "¿Otra hora para {meeting}?",
            "ha pedido otra hora. Elija una que esté libre; hasta entonces la reunión se queda donde está.",
        ),
        REP_BOOKED: ("Nueva reunión: {meeting} con {visitor}", "{visitor} ha reservado una reunión con usted."),
        REP_MOVED: ("Cambio de hora: {meeting} con {visitor}", "su reunión con {visitor} tiene una nueva hora."),
        REP_CANCELLED: ("Cancelada: {meeting} con {visitor}", "su reunión con {visitor} ha sido cancelada."),
        REP_GIVEN_AWAY: ("Ya no es suya: {meeting} con {visitor}", "esta reunión es ahora de {rep}."),
        REP_CHANGED: (
            "Cambio: {meeting} con {visitor}",
            "ahora participan otras personas en su reunión con {visitor}.",
        ),
        REP_PASSED_OVER: (
            "{rep} se reúne con su cuenta: {meeting} con {visitor}",
            "no tenía hora libre a tiempo, así que {rep} se reúne con {visitor}. La cuenta sigue siendo suya.",
        ),
        REP_GUEST_DECLINED: ("{who} no viene: {meeting} con {visitor}", "{who} estaba invitado y ha rechazado."),
        REP_DECLINED: (
            "{who} no puede: {meeting} con {visitor}",
            "{who} ha rechazado la invitación. La reunión sigue en pie; pásela a otra persona o cancélela.",
        ),
        REP_WISHED: (
            "Piden otra hora: {meeting} con {visitor}",
            "{who} quiere otra hora. La reunión sigue en pie hasta que se cambie.",
        ),
    },
}
for _language, _texts in PUT_BACK.items():
    TEXTS[_language] |= _texts

LABELS: dict[str, dict[str, str]] = {
    "en": {
        "greeting": "Hello {name},", "when": "When", "was": "Was", "meeting": "Meeting", "with": "With",
        "where": "Where", "guests": "Guests", "phone": "Phone", "reason": "Reason", "manage": "Change or cancel",
        "google": "Add to Google Calendar", "outlook": "Add to Outlook", "wished": "Wished for", "said": "Says",
        "choose": "Choose another time", "open": "Open the meeting",
        "erased": "a visitor whose data was deleted",
    },
    "de": {
        "greeting": "Guten Tag {name},", "when": "Wann", "was": "Bisher", "meeting": "Termin", "with": "Mit",
        "where": "Wo", "guests": "Gäste", "phone": "Telefon", "reason": "Grund", "manage": "Verschieben oder absagen",
        "google": "In Google Kalender eintragen", "outlook": "In Outlook eintragen", "wished": "Gewünscht",
        "said": "Sagt", "choose": "Andere Zeit wählen", "open": "Termin öffnen",
        "erased": "einem Gast, dessen Daten gelöscht wurden",
    },
    "fr": {
        "greeting": "Bonjour {name},", "when": "Quand", "was": "Avant", "meeting": "Rendez-vous", "with": "Avec",
        "where": "Où", "guests": "Invités", "phone": "Téléphone", "reason": "Motif", "manage": "Déplacer ou annuler",
        "google": "Ajouter à Google Agenda", "outlook": "Ajouter à Outlook", "wished": "Souhaité", "said": "Dit",
        "choose": "Choisir un autre horaire", "open": "Ouvrir le rendez-vous",
        "erased": "un visiteur dont les données ont été supprimées",
    },
    "es": {
        "greeting": "Hola {name}:", "when": "Cuándo", "was": "Antes", "meeting": "Reunión", "with": "Con",
        "where": "Dónde", "guests": "Invitados", "phone": "Teléfono", "reason": "Motivo",
        "manage": "Cambiar o cancelar", "google": "Añadir a Google Calendar", "outlook": "Añadir a Outlook",
        "wished": "Pide", "said": "Dice", "choose": "Elegir otra hora", "open": "Abrir la reunión",
        "erased": "un visitante cuyos datos se han borrado",
    },
}  # fmt: skip
