"""What a line amounts to: the answer found and what the visitor is doing, weighed against each other."""

from __future__ import annotations

from plugins.ai import Correction, Expect, Intent, Shift, Understanding
from plugins.ai.rules.expected import Taken
from plugins.ai.rules.heard import Heard
from plugins.ai.rules.intents import objection_raised
from plugins.ai.rules.options import choose, plainly, yes_or_no
from plugins.ai.rules.phrasebook import book

# The answer may be put as a question ("how about Friday?"), or use the words of a wish ("call me on 0171 …").
_ANSWERED_ANYHOW = frozenset([Expect.SLOT, Expect.DATE, Expect.EMAIL, Expect.PHONE, Expect.FORM])
# Where a time is asked for, "later" and "next week" are neither farewell nor refusal.
_TIMED = frozenset([Expect.SLOT, Expect.DATE])
_LATER = frozenset(["later", "spater", "spaeter"])
# Any line would do as an answer here, so what else it does must be looked at first.
_OPEN = frozenset([Expect.TEXT, Expect.COMPANY])


def judged(heard: Heard, taken: Taken) -> Understanding:
    """Puts answer and intent together."""
    signals = heard.signals
    if not heard.said.words:
        correction = taken.correction if heard.expectation.kind is not Expect.NONE else Correction.NONE
        return Understanding(correction=correction and Correction.EMPTY, entities=heard.entities)
    objection = objection_raised(heard.said, heard.expectation.objections)
    intent = _other_intent(heard, objection)
    retraced = signals.retrace and taken.sure < 1.0  # an option may itself be called "Back"
    if taken.matched and not retraced and not _shift(heard) and _stands(heard, taken, intent):
        beside = _beside(heard, taken, intent, objection)
        kept = objection if beside is Intent.OBJECTION else ""
        return Understanding(
            taken.value, True, taken.sure, beside, heard.entities, objection=kept, corrects=signals.corrects
        )
    if intent is Intent.OTHER and signals.objection:
        intent = Intent.OBJECTION
    correction = taken.correction if intent in (Intent.OTHER, Intent.ANSWER) else Correction.NONE
    if taken.suggestion or (taken.correction is Correction.INVALID_EMAIL and "@" in heard.said.folded):
        correction, intent = taken.correction, Intent.ANSWER
    partial = taken.value if isinstance(taken.value, dict) else None
    if intent is Intent.PERSON and partial and _chooses_a_way(heard, partial):
        intent = Intent.OTHER
    shift = _shift(heard)
    return Understanding(
        value=partial,
        confidence=0.3 if intent is Intent.OTHER else 0.8,
        intent=intent,
        entities=heard.entities,
        correction=correction,
        objection=objection if intent is Intent.OBJECTION else "",
        suggestion=taken.suggestion,
        shift=shift if intent in (Intent.RESCHEDULE, Intent.OTHER, Intent.QUESTION) else Shift.NONE,
        corrects=signals.corrects,
    )


def _chooses_a_way(heard: Heard, partial: dict[str, str]) -> bool:
    """ "Please call me" below a form that offers a call."""
    return any(field.options and field.id in partial for field in heard.expectation.fields)


def _other_intent(heard: Heard, objection: str) -> Intent:
    """What the visitor is doing if it is not answering."""
    signals = heard.signals
    waiting = heard.expectation.kind is not Expect.NONE
    timed = heard.expectation.kind in _TIMED
    looked_at = (
        (_shift(heard) is not Shift.NONE, Intent.RESCHEDULE),
        (_refuses(heard), Intent.SKIP),
        (signals.retrace is not None, signals.retrace),
        (signals.social is not None and not (timed and _names_a_time(heard)), signals.social),
        (signals.control is not None, signals.control),
        (signals.skip and waiting and not signals.question and not _skips_to_a_time(heard), Intent.SKIP),
        (bool(objection), Intent.OBJECTION),
        (signals.question, Intent.QUESTION),
        (signals.skip and not waiting and not _skips_to_a_time(heard), Intent.SKIP),
    )
    return next((intent for there, intent in looked_at if there and intent), Intent.OTHER)


def _skips_to_a_time(heard: Heard) -> bool:
    """ "Next Thursday" skips nothing; "no idea, next month perhaps" does, unless a time is asked for."""
    if not heard.moments:
        return False
    return heard.expectation.kind in _TIMED or heard.moments[0].start == 0


def _refuses(heard: Heard) -> bool:
    """A plain no to what is asked: "no thanks". Where any words will do, it is an answer."""
    asked = heard.expectation.kind not in (Expect.NONE, Expect.TEXT)
    return asked and plainly(heard.said.keys) and yes_or_no(list(heard.said.keys)) == "no"


def _names_a_time(heard: Heard) -> bool:
    """ "Later" alone, where times are on offer, is no farewell; "see you later" is."""
    return bool(heard.moments) or (len(heard.said.keys) < 3 and not _LATER.isdisjoint(heard.said.keys))


def _shift(heard: Heard) -> Shift:
    """ "Anything sooner?", "later", "another day", "none of these": times are on offer, but not the right ones."""
    kind, words = heard.expectation.kind, heard.said.keys
    if kind not in (Expect.SLOT, Expect.FORM) or heard.moments or (heard.signals.social and not _names_a_time(heard)):
        return Shift.NONE
    least = 1 if kind is Expect.SLOT else min(2, len(words))  # below a form one word of many may be meant for it
    hits = [hit for hit in book("shifts").find(words) if hit.end - hit.start >= least]
    if kind is Expect.SLOT:
        others = [hit for hit in book("choices").find(words) if hit.key == "none" and hit.end - hit.start > 1]
        hits += [hit._replace(key=Shift.MORE.value) for hit in others]
    told = max(hits, key=lambda hit: hit.end - hit.start, default=None)
    if told is None or (told.end - told.start) * 2 < min(len(words), 6) - 1:
        return Shift.NONE
    return Shift(told.key)


def _stands(heard: Heard, taken: Taken, intent: Intent) -> bool:
    """Whether what was taken is really meant as the answer."""
    kind = heard.expectation.kind
    if kind in _OPEN:
        short = len(heard.said.words) <= 8 or kind is Expect.COMPANY
        if intent is Intent.QUESTION:
            return bool(heard.company) if kind is Expect.COMPANY else _tells_too(heard)
        return intent is Intent.OTHER or (not short and intent in (Intent.OBJECTION, Intent.BOOK))
    if kind is Expect.SLOT and intent in (Intent.CANCEL, Intent.PERSON):
        return False
    return taken.sure >= 0.65 or intent is Intent.OTHER


def _tells_too(heard: Heard) -> bool:
    """A question and a statement of some length beside it."""
    return len(heard.signals.statement.split()) >= 4


def _beside(heard: Heard, taken: Taken, intent: Intent, objection: str) -> Intent:
    """ANSWER, unless something is asked or wanted beside the answer."""
    kind = heard.expectation.kind
    if kind in _ANSWERED_ANYHOW and intent in (Intent.QUESTION, Intent.PERSON, Intent.BOOK, Intent.RESCHEDULE):
        return (
            Intent.QUESTION
            if kind in (Expect.EMAIL, Expect.PHONE, Expect.FORM) and intent is Intent.QUESTION
            else Intent.ANSWER
        )
    if kind in (Expect.CHOICE, Expect.MULTI):
        apart = heard.signals.question and choose(heard.said.folded, heard.expectation.options).sure < 1.0
        return intent if apart and intent in (Intent.QUESTION, Intent.OBJECTION) else Intent.ANSWER
    return (
        intent
        if intent in (Intent.QUESTION, Intent.PERSON, Intent.CANCEL, Intent.RESCHEDULE, Intent.OBJECTION)
        else Intent.ANSWER
    )
