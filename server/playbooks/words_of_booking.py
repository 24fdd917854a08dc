"""The bot's own sentences about times and meetings. English, German, French, Spanish."""

from __future__ import annotations

BOOKING: dict[str, tuple[str, str, str, str]] = {
    "pick_time": (
        "Which time suits you?",
        "Welche Zeit passt Ihnen?",
        "Quel créneau vous convient ?",
        "¿Qué hora le viene bien?",
    ),
    "other_times": (
        "Here are more times.",
        "Hier sind weitere Zeiten.",
        "Voici d'autres créneaux.",
        "Aquí tiene más horas.",
    ),
    "wished_times": (
        "These are free then:",
        "Dann ist frei:",
        "Voici ce qui est libre :",
        "Esto está libre:",
    ),
    "no_wished_times": (
        "Nothing is free then. These are the nearest times:",
        "Dann ist leider nichts frei. Das sind die nächsten Zeiten:",
        "Rien n'est libre à ce moment. Voici les créneaux les plus proches :",
        "No hay nada libre entonces. Estas son las horas más próximas:",
    ),
    "no_times": (
        "There is no free time at the moment. Leave an e-mail address and we will find one together.",
        "Im Moment ist keine Zeit frei. Hinterlassen Sie eine E-Mail-Adresse, dann finden wir gemeinsam eine.",
        "Aucun créneau n'est libre pour le moment. Laissez un e-mail et nous en trouverons un ensemble.",
        "Ahora no hay ninguna hora libre. Deje un correo y la buscamos juntos.",
    ),
    "slot_taken": (
        "I am sorry, that time was taken a moment ago. These are free:",
        "Das tut mir leid, diese Zeit wurde gerade vergeben. Frei sind:",
        "Désolé, ce créneau vient d'être pris. Ceux-ci sont libres :",
        "Lo siento, esa hora acaba de ocuparse. Estas están libres:",
    ),
    "retry_slot": (
        "I did not find that time. Please choose one of these, or tell me a day.",
        "Diese Zeit finde ich nicht. Wählen Sie bitte eine davon oder nennen Sie mir einen Tag.",
        "Je ne trouve pas ce créneau. Choisissez-en un, ou dites-moi un jour.",
        "No encuentro esa hora. Elija una de estas o dígame un día.",
    ),
    "rather": (
        "Shall I get a person instead, or would you rather leave an e-mail?",
        "Soll ich lieber jemanden holen, oder möchten Sie eine E-Mail hinterlassen?",
        "Dois-je appeler quelqu'un, ou préférez-vous laisser un e-mail ?",
        "¿Prefiere que avise a una persona o dejar un correo?",
    ),
    "form": (
        "{when} is held for you. Who is the invitation for?",
        "{when} ist für Sie reserviert. An wen geht die Einladung?",
        "{when} vous est réservé. Pour qui est l'invitation ?",
        "{when} está reservado para usted. ¿Para quién es la invitación?",
    ),
    "form_again": (
        "The time is still held. I need a name and an e-mail address for the invitation.",
        "Die Zeit ist noch reserviert. Für die Einladung brauche ich Namen und E-Mail-Adresse.",
        "Le créneau est toujours réservé. Il me faut un nom et un e-mail pour l'invitation.",
        "La hora sigue reservada. Necesito un nombre y un correo para la invitación.",
    ),
    "submit": ("Book it", "Buchen", "Réserver", "Reservar"),
    "name": ("Name", "Name", "Nom", "Nombre"),
    "email": ("E-mail", "E-Mail", "E-mail", "Correo electrónico"),
    "phone": ("Phone", "Telefon", "Téléphone", "Teléfono"),
    "booked": (
        "It is booked: {name}, {when}, with {rep}.",
        "Gebucht: {name}, {when}, mit {rep}.",
        "C'est réservé : {name}, {when}, avec {rep}.",
        "Reservado: {name}, {when}, con {rep}.",
    ),
    "already_booked": (
        "You already have a meeting: {name}, {when}, with {rep}.",
        "Sie haben schon einen Termin: {name}, {when}, mit {rep}.",
        "Vous avez déjà un rendez-vous : {name}, {when}, avec {rep}.",
        "Ya tiene una cita: {name}, {when}, con {rep}.",
    ),
    "no_meeting": (
        "I know of no meeting of yours. The link in your invitation always works.",
        "Ich kenne keinen Termin von Ihnen. Der Link in Ihrer Einladung geht immer.",
        "Je ne connais pas de rendez-vous à votre nom. Le lien de votre invitation fonctionne toujours.",
        "No conozco ninguna cita suya. El enlace de su invitación siempre funciona.",
    ),
    "cancel_sure": (
        "Shall I cancel {name}, {when}?",
        "Soll ich {name}, {when}, absagen?",
        "Dois-je annuler {name}, {when} ?",
        "¿Cancelo {name}, {when}?",
    ),
    "cancel_yes": ("Yes, cancel it", "Ja, absagen", "Oui, annuler", "Sí, cancelar"),
    "cancel_no": ("No, keep it", "Nein, behalten", "Non, garder", "No, mantener"),
    "cancelled": ("It is cancelled.", "Der Termin ist abgesagt.", "C'est annulé.", "Está cancelada."),
    "kept": ("Good, it stays as it is.", "Gut, es bleibt dabei.", "Bien, rien ne change.", "Bien, se queda como está."),
    "new_time": (
        "Which new time suits you instead of {when}?",
        "Welche neue Zeit passt statt {when}?",
        "Quel nouveau créneau au lieu de {when} ?",
        "¿Qué nueva hora en lugar de {when}?",
    ),
    "rescheduled": (
        "It is moved: {name}, {when}, with {rep}.",
        "Verschoben: {name}, {when}, mit {rep}.",
        "C'est déplacé : {name}, {when}, avec {rep}.",
        "Cambiada: {name}, {when}, con {rep}.",
    ),
    "too_late": (
        "This meeting can no longer be changed here.",
        "Dieser Termin lässt sich hier nicht mehr ändern.",
        "Ce rendez-vous ne peut plus être modifié ici.",
        "Esta cita ya no se puede cambiar aquí.",
    ),
    "no_booking": (
        "All right, no meeting then.",
        "In Ordnung, dann kein Termin.",
        "D'accord, pas de rendez-vous.",
        "De acuerdo, sin cita.",
    ),
}
