"""The bot's own sentences, for what no playbook writes down. English, German, French, Spanish."""

from __future__ import annotations

from server.playbooks.words_of_booking import BOOKING

_TALK: dict[str, tuple[str, str, str, str]] = {
    "back_to": (
        "Back to my question: {question}",
        "Zurück zu meiner Frage: {question}",
        "Revenons à ma question : {question}",
        "Volviendo a mi pregunta: {question}",
    ),
    "skipped": ("Sure, we can skip that.", "Gern, das überspringen wir.", "Bien sûr, passons.", "Claro, lo saltamos."),
    "never_mind": (
        "Never mind, let's go on.",
        "Macht nichts, weiter geht's.",
        "Ce n'est pas grave, continuons.",
        "No importa, sigamos.",
    ),
    "retry_text": (
        "Could you tell me in a few words?",
        "Sagen Sie es mir in ein paar Worten?",
        "Pouvez-vous me le dire en quelques mots ?",
        "¿Me lo dice en pocas palabras?",
    ),
    "retry_choice": (
        "I did not quite get that. Which of these fits best?",
        "Das habe ich nicht ganz verstanden. Was passt am besten?",
        "Je n'ai pas bien compris. Qu'est-ce qui convient le mieux ?",
        "No lo he entendido bien. ¿Cuál encaja mejor?",
    ),
    "retry_several_options": (
        "That could be more than one. Which one is it?",
        "Das könnte mehreres sein. Welches ist es?",
        "Cela peut être plusieurs choses. Laquelle ?",
        "Podría ser más de una. ¿Cuál es?",
    ),
    "retry_multi": (
        "I did not quite get that. Which of these apply?",
        "Das habe ich nicht ganz verstanden. Was davon trifft zu?",
        "Je n'ai pas bien compris. Lesquels conviennent ?",
        "No lo he entendido bien. ¿Cuáles se aplican?",
    ),
    "retry_number": (
        "Could you give me a number? A rough one is fine.",
        "Können Sie mir eine Zahl nennen? Ungefähr genügt.",
        "Pouvez-vous me donner un nombre ? Approximatif suffit.",
        "¿Me da un número? Aproximado basta.",
    ),
    "retry_email": (
        "That does not look like an e-mail address. Could you check it?",
        "Das sieht nicht nach einer E-Mail-Adresse aus. Schauen Sie noch einmal?",
        "Cela ne ressemble pas à une adresse e-mail. Pouvez-vous vérifier ?",
        "Eso no parece una dirección de correo. ¿La revisa?",
    ),
    "retry_phone": (
        "That does not look like a phone number. Could you check it, with the country code?",
        "Das sieht nicht nach einer Telefonnummer aus. Bitte mit Ländervorwahl.",
        "Cela ne ressemble pas à un numéro. Pouvez-vous vérifier, avec l'indicatif du pays ?",
        "Eso no parece un teléfono. ¿Lo revisa, con el prefijo del país?",
    ),
    "retry_company": (
        "What is the company called?",
        "Wie heißt die Firma?",
        "Comment s'appelle l'entreprise ?",
        "¿Cómo se llama la empresa?",
    ),
    "retry_date": (
        "Which date do you mean? Something like 24 March.",
        "Welches Datum meinen Sie? Zum Beispiel 24. März.",
        "Quelle date ? Par exemple le 24 mars.",
        "¿Qué fecha? Por ejemplo, 24 de marzo.",
    ),
    "retry_past_date": (
        "That day is over. Which date do you mean?",
        "Der Tag ist schon vorbei. Welches Datum meinen Sie?",
        "Ce jour est passé. Quelle date ?",
        "Ese día ya ha pasado. ¿Qué fecha?",
    ),
    "did_you_mean": (
        "Did you mean {value}? If not, please type it once more.",
        "Meinten Sie {value}? Wenn nicht, schreiben Sie es bitte noch einmal.",
        "Vouliez-vous dire {value} ? Sinon, écrivez-le encore une fois.",
        "¿Quería decir {value}? Si no, escríbalo otra vez.",
    ),
    "greeting": ("Hello!", "Hallo!", "Bonjour !", "¡Hola!"),
    "thanks": ("You're welcome.", "Gern geschehen.", "Avec plaisir.", "De nada."),
    "bye": (
        "Goodbye, and come back any time.",
        "Auf Wiedersehen, bis bald.",
        "Au revoir, à bientôt.",
        "Adiós, hasta pronto.",
    ),
    "corrected": (
        "Thank you, I have changed that.",
        "Danke, das habe ich geändert.",
        "Merci, c'est corrigé.",
        "Gracias, lo he cambiado.",
    ),
    "no_way_back": (
        "This is the beginning.",
        "Wir sind am Anfang.",
        "Nous sommes au début.",
        "Estamos al principio.",
    ),
    "help": (
        "What would you like to know?",
        "Was möchten Sie wissen?",
        "Que souhaitez-vous savoir ?",
        "¿Qué le gustaría saber?",
    ),
    "person": ("Talk to a person", "Mit einem Menschen sprechen", "Parler à quelqu'un", "Hablar con una persona"),
    "leave_email": ("Leave an e-mail", "E-Mail hinterlassen", "Laisser un e-mail", "Dejar un correo"),
    "ask_email": (
        "Which e-mail address should we write to?",
        "An welche E-Mail-Adresse dürfen wir schreiben?",
        "À quelle adresse e-mail pouvons-nous écrire ?",
        "¿A qué correo le escribimos?",
    ),
    "email_kept": (
        "Thank you, we will write to {email}.",
        "Danke, wir schreiben an {email}.",
        "Merci, nous écrirons à {email}.",
        "Gracias, escribiremos a {email}.",
    ),
    "person_comes": (
        "One moment, I am getting a person.",
        "Einen Moment, ich hole jemanden.",
        "Un instant, j'appelle une personne.",
        "Un momento, aviso a una persona.",
    ),
    "person_waits": (
        "Somebody has been told and will be with you here.",
        "Es ist schon jemand verständigt und meldet sich hier.",
        "Une personne est prévenue et vous rejoindra ici.",
        "Ya hemos avisado a una persona, le atenderá aquí.",
    ),
    "person_later": (
        "Nobody is here right now. Your question is kept, and somebody answers as soon as we are open.",
        "Gerade ist niemand da. Ihre Frage ist notiert, und es meldet sich jemand, sobald wir geöffnet haben.",
        "Personne n'est disponible. Votre question est notée, nous répondrons dès l'ouverture.",
        "Ahora no hay nadie. Su pregunta queda anotada y responderemos al abrir.",
    ),
    "person_books": (
        "Nobody is here right now, but you can choose a time with one of us.",
        "Gerade ist niemand da, aber Sie können eine Zeit mit jemandem von uns wählen.",
        "Personne n'est disponible, mais vous pouvez choisir un créneau avec l'un de nous.",
        "Ahora no hay nadie, pero puede elegir una hora con alguien de nosotros.",
    ),
    "resource": (
        "This will help you more than a call.",
        "Das hilft Ihnen mehr als ein Gespräch.",
        "Ceci vous aidera plus qu'un appel.",
        "Esto le ayudará más que una llamada.",
    ),
    "have_a_look": ("Have a look", "Ansehen", "À voir", "Eche un vistazo"),
}
_WORDS = _TALK | BOOKING
_LANGUAGES = ("en", "de", "fr", "es")


def word(name: str, locale: str, /, **values: str) -> str:
    """The sentence `name` in the language of `locale`, English where we do not speak it."""
    language = locale.split("-")[0].lower()
    text = _WORDS[name][_LANGUAGES.index(language) if language in _LANGUAGES else 0]
    return text.format(**values) if values else text
