"""What is known of languages: words without content in a question, and words that mean the same on most websites."""
from __future__ import annotations

import re

# PyStemmer's algorithms by ISO 639-1 code.
STEMMERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian",
    "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali", "nl": "dutch",
    "no": "norwegian", "nb": "norwegian", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip

# Articles, pronouns, auxiliaries, question words, and the verbs of asking a company whether it offers something.
STOP_WORDS = {
    "en": """
        a about after all also am an and any anyone anything are as at be because been before being between both but
        by can cannot could d did do does doing don done either else ever every for from further get gets getting
        give gives go goes going got had has have having he hello her here hers hey hi him his how i if in into is
        it its just kind know let like ll m many may maybe me might mine more most much must my need no nor not now
        of offer offers off ok okay on once one only or other our ours out over own please possible provide provides
        question quite re really s same say see shall she should so some something such sure t take tell than thank
        thanks that the their theirs them then there these they thing things this those through to too under until
        up us use uses using ve very want was way we were what when where whether which while who whom whose why
        will wish with within without wonder work works would yes yet you your yours
    """,
    "de": """
        aber alle allem allen aller alles als also am an auch auf aus bei beim bieten bietet bin bis bist bitte
        brauche braucht da dabei damit danke dann das dass dein deine dem den denn der des dich die dies diese
        diesem diesen dieser dieses dir doch dort du durch ein eine einem einen einer eines er es etwas euch euer
        eure fur für gab gegen geht gerne gib gibt habe haben habt hallo hat hatte hier hin hinter ich ihm ihn ihnen
        ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jedes jetzt kann kannst kein keine keinen
        konnen können könnte könnten konnte man mehr mein meine meinem meinen meiner mich mir mit mochte möchte
        möchten moglich möglich muss müssen nach nein nicht nichts noch nun nur ob oder ohne sage sagen schon sehr
        sein seine seit sich sie sind so soll sollte sollten sondern sonst uber über um und uns unser unsere unter
        viel viele vom von vor wann war waren warum was weg wegen weil welche welchem welchen welcher welches wem
        wen wenn wer werden wird wie wieso will wir wissen wo wollen woher wohin wurde würde würden zu zum zur
        zwischen funktioniert machen macht nutzen verwenden
    """,
    "fr": """
        a ai aie ainsi alors as au aucun aucune aussi autre aux avec avez avoir avons bien bonjour c ca ça car ce
        cela celle celui ces cet cette chez ci comme comment d dans de des deux dois doit donc du elle elles en
        encore entre es est et etait était etant étant etes êtes etre être eu fait faire faut font fut ici il ils j
        je jusqu l la le les leur leurs lui m ma mais me merci meme même mes moi mon n ne nos notre nous offrez on
        ont ou où par parce pas peu peut peuvent peux plus possible pour pourquoi pouvez proposez qu quand que quel
        quelle quelles quels qui quoi s sa sans se sera serait ses si sont sous sur t ta te tes toi ton tous tout
        toute toutes tres très tu un une utiliser va vers veux voici voila vont vos votre voudrais vous y faites
        existe avais combien salut svp
    """,
    "es": """
        a acerca ahi ahí al algo algun algún alguna algunas alguno algunos ante antes aqui aquí asi así aun aún bajo
        bien cada como cómo con cual cuál cuales cuáles cuando cuándo cuanta cuánta cuantas cuántas cuanto cuánto
        cuantos cuántos de del desde donde dónde dos e el él ella ellas ellos en entonces entre era eran es esa esas
        ese eso esos esta está están estas este esto estos estoy fue gracias ha hace hacer hacia han hasta hay hola
        la las le les lo los mas más me mi mí mis mucho muy nada ni no nos nosotros nuestra nuestras nuestro
        nuestros o ofrecen ofreceis os otra otras otro otros para pero poco podria podría podrian por porque posible
        pueda puede pueden puedo pues que qué quien quién quiero quisiera se sea ser si sí sin sobre solo sólo son
        soy su sus tal también tambien tan tanto te tener tengo ti tiene tienen tienes toda todas todo todos tu tú
        tus un una unas uno unos usar usted ustedes va vosotros y ya yo funciona favor
    """,
}

# Nouns and adverbs that hang on to a question and change little of what it is about.
SOFT = {
    "en": """
        policy policies information info details detail options available availability compliant compliance fast far
        quick quickly soon long often big large high take takes terms
    """,
    "de": """
        information informationen infos einzelheiten verfügbar möglichkeit möglichkeiten schnell weit lange oft groß
        richtlinie konform
    """,
    "fr": """
        information informations détails disponible disponibles politique possibilité rapidement vite longtemps
        souvent conforme conformes
    """,
    "es": """
        información detalles disponible disponibles política posibilidad rápido pronto lejos conforme
    """,
}

# Groups of words that answer each other; every word is stemmed before use.
SAME = {
    "en": """
        price pricing cost fee charge expensive cheap; cancel terminate quit; refund reimburse moneyback; try test
        trial; free gratis; secure security safe; server datacenter store storage host keep located; delete erase
        remove; discount rebate reduction; user people person seat member; connect integrate integration connection
        plug sync; help support assistance; invoice bill billing; pay payment paid; month monthly; year yearly
        annual annually; plan subscription package tier; start begin setup onboarding install; limit restriction cap
        maximum quota; agreement contract; compare comparison versus alternative difference competitor; login signin
        logon; country region location; certificate certified certification; encrypted encryption; upgrade move;
        company organisation organization business firm; hours times; reply answer respond response; languages
        libraries sdk; notification alert; privacy gdpr; europe european eu
    """,
    "de": """
        preis kosten kostet gebühr tarif preise teuer; kündigen stornieren beenden kündigung; rückerstattung
        erstattung erstatten; testen test ausprobieren probieren probe testphase; kostenlos gratis umsonst
        geschenkt; sicher sicherheit; gespeichert speichern liegen lagern speicherort gehostet; löschen entfernen;
        rabatt nachlass ermäßigung; nutzer benutzer anwender personen person leute mitarbeiter; anbindung
        anbindungen integration integrationen verbinden schnittstelle; hilfe unterstützung support; rechnung
        abrechnung abgerechnet berechnet; monat monatlich monate; jahr jährlich jahre; tarif plan paket abo; vertrag
        vereinbarung avv; dauer dauert lange; verlängern verlängerung; datenschutz dsgvo
    """,
    "fr": """
        prix tarif tarifs coût coûte coûtent cher; résilier annuler résiliation; rembourser remboursement; essai
        essayer tester test; gratuit gratuite gratuitement offert; sécurité sûr sécurisé; stocker stockage héberger
        hébergement hébergées stockées; supprimer effacer; réduction remise rabais; utilisateur utilisateurs
        personne personnes membre; intégration intégrations connecter connexion; aide assistance support; facture
        facturation facturé; mois mensuel; an année annuel ans; formule plan abonnement offre; authentification
        connexion sso; dure durée longtemps
    """,
    "es": """
        precio precios coste costo cuesta cuestan tarifa caro; cancelar cancelación; reembolso devolución devolver;
        prueba probar; gratis gratuito gratuita; seguro seguridad; guardar almacenar almacenamiento alojar datos;
        eliminar borrar; descuento rebaja; usuario usuarios persona personas miembro; integración integraciones
        conectar conexión; ayuda soporte asistencia; factura facturación; mes mensual; año anual años; plan
        suscripción paquete; dura duración
    """,
}

# "Do you support X" asks for X alone.
OFFERED = re.compile(r"\b(?:do|does|can|will|would)\s+(?:you|it|they|we)\s+(?:also\s+)?support\b", re.I)

# Ways of asking that name no thing: what is asked for is added to the question.
ASKED = (
    (re.compile(r"\bhow much (is|are|do|does|for|would|will|it|to)\b|\bhow much\s*\?", re.I), "price"),
    (re.compile(r"\bwie ?viel (ist|sind|macht|für)\b", re.I), "preis"),
    (re.compile(r"\bc'est combien\b|\bcombien (est|sont|pour)\b|\bcombien\s*\?", re.I), "prix"),
    (re.compile(r"\ba cuánto\b|\bcuánto (es|son|por)\b", re.I), "precio"),
    (re.compile(r"\bmoney back\b", re.I), "refund"),
    (re.compile(r"\bgeld zurück\b", re.I), "erstattung"),
)


def base(locale: str) -> str:
    """"de" of "de-AT"."""
    return locale.split("-")[0].lower()
