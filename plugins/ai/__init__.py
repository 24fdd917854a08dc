"""What an AI adapter is: it understands what a visitor typed, and answers questions from given passages.

It proposes; the playbook engine decides. It never sees credentials, slots or CRM records, and what it returns is
treated as untrusted input.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import ClassVar

from plugins.adapter import Adapter


class Expect(StrEnum):
    """What the conversation is waiting for; in brackets the type of `Understanding.value` when matched.

    NONE (nothing is asked; value stays None) · TEXT (str) · CHOICE (str, an option id) · MULTI (tuple of option ids) ·
    NUMBER (int or float) · EMAIL (str, normalised, domain in lower case) · PHONE (str, E.164) · COMPANY (str) ·
    DATE (datetime.date) · SLOT (aware datetime in UTC: one of the offered starts) · FORM (dict of field id → str).
    """

    NONE = "none"
    TEXT = "text"
    CHOICE = "choice"
    MULTI = "multi"
    NUMBER = "number"
    EMAIL = "email"
    PHONE = "phone"
    COMPANY = "company"
    DATE = "date"
    SLOT = "slot"
    FORM = "form"


class Intent(StrEnum):
    """What the visitor is doing. One message has one: ANSWER wins when the expected value was found and nothing is
    asked beside it; SKIP is "I'd rather not say", "no idea", "next"; BACK is "go back", RESTART "start over"."""

    ANSWER = "answer"
    QUESTION = "question"
    OBJECTION = "objection"
    PERSON = "person"
    CANCEL = "cancel"
    RESCHEDULE = "reschedule"
    BOOK = "book"
    BACK = "back"
    RESTART = "restart"
    SKIP = "skip"
    GREETING = "greeting"
    THANKS = "thanks"
    BYE = "bye"
    OTHER = "other"


class Shift(StrEnum):
    """Other times than those on offer: "anything sooner?", "later", "another day". MORE: simply more of them."""

    NONE = ""
    EARLIER = "earlier"
    LATER = "later"
    OTHER_DAY = "other_day"
    MORE = "more"


class Correction(StrEnum):
    """Why the expected value was not understood; "" (NONE) when it was, or when the visitor did something else."""

    NONE = ""
    NO_OPTION = "no_option"
    SEVERAL_OPTIONS = "several_options"
    INVALID_EMAIL = "invalid_email"
    INVALID_PHONE = "invalid_phone"
    NO_NUMBER = "no_number"
    NO_DATE = "no_date"
    PAST_DATE = "past_date"
    NO_SLOT = "no_slot"
    MISSING_FIELD = "missing_field"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose. `label` is what the visitor sees, `says` are other words for it, in any language."""

    id: str
    label: str
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FormField:
    """One box of a form. `type` is text, email, emails (further addresses), phone, number, date, company or choice (of
    `options`)."""

    id: str
    label: str
    type: str = "text"
    required: bool = True
    options: tuple[Option, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """What would be a fitting answer to the last thing the bot said.

    `options`: for CHOICE and MULTI, in the order shown (so "the second one" works); for NUMBER the buttons, whose ids
    are the numbers; for EMAIL the address suggested, to say yes to; for SLOT the offered starts, whose ids are ISO 8601
    with offset. `fields`: for FORM. `objections`: what the playbook has a reply for at this point. `region`: ISO 3166
    code for phones written without +.
    """

    kind: Expect = Expect.NONE
    options: tuple[Option, ...] = ()
    fields: tuple[FormField, ...] = ()
    objections: tuple[Option, ...] = ()
    region: str = ""


@dataclass(frozen=True, slots=True)
class Range:
    """Between `low` and `high`, both included; None is open. "About 50" has both ends equal."""

    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Budget:
    """Money: amounts in whole units of `currency` (ISO 4217, "" unknown); `per` is "", month, year or seat."""

    low: float | None
    high: float | None
    currency: str = ""
    per: str = ""


class PartOfDay(StrEnum):
    """Local hours: MORNING 6–12, NOON 11–14, AFTERNOON 12–17, EVENING 17–21."""

    ANY = ""
    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"
    EVENING = "evening"


@dataclass(frozen=True, slots=True)
class TimeWish:
    """When the visitor would like to meet, in the zone given to `understand`. All parts hold together.

    `first`..`last`: dates, both included, None open. `weekdays`: 0 = Monday, () any. `at`: a local time of day ("at
    half past three"); `not_before`/`not_after`: "after 4", "before noon" (11:59). "Tuesday afternoon or Thursday at 10"
    is two wishes. `negated`: "not on Friday".
    """

    first: date | None = None
    last: date | None = None
    weekdays: tuple[int, ...] = ()
    part: PartOfDay = PartOfDay.ANY
    at: time | None = None
    not_before: time | None = None
    not_after: time | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Entities:
    """What stands anywhere in the text, whether asked for or not; in order of appearance.

    E-mails normalised, phones in E.164, `company_size` in people, `company` and `name` only when the visitor says them
    about themselves ("I'm Ada from Globex").
    """

    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    urls: tuple[str, ...] = ()
    name: str = ""
    company: str = ""
    company_size: Range | None = None
    budget: Budget | None = None
    times: tuple[TimeWish, ...] = ()


Value = str | int | float | date | datetime | tuple[str, ...] | dict[str, str]


@dataclass(frozen=True, slots=True)
class Understanding:
    """What was meant. `matched`: `value` answers the expectation. `confidence` 0..1 belongs to value and intent
    together; below 0.5 the engine asks again. `objection`: id of the objection raised, when intent is OBJECTION; "" for
    one the playbook has no reply to. `suggestion`: what was probably meant where the value was refused (an e-mail
    address at "gmial.com"). `shift`: other times are wanted than those on offer, by no day or hour of their own.
    `corrects`: what was told before was wrong ("sorry, I meant 50")."""

    value: Value | None = None
    matched: bool = False
    confidence: float = 0.0
    intent: Intent = Intent.OTHER
    entities: Entities = field(default_factory=Entities)
    correction: Correction = Correction.NONE
    objection: str = ""
    suggestion: str = ""
    shift: Shift = Shift.NONE
    corrects: bool = False


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of the site's knowledge that search found. `score` 0..1 as search sees it."""

    id: str
    title: str
    url: str
    text: str
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """`text` says only what the cited passages say; `citations` are passage ids, never empty; `confidence` 0..1."""

    text: str
    citations: tuple[str, ...]
    confidence: float


class AI(Adapter, ABC):
    """Understands and answers. Same input, same output is not promised by adapters that ask a model."""

    kind: ClassVar[str] = "ai"

    @abstractmethod
    def understand(
        self, text: str, expectation: Expectation, *, locale: str, now: datetime, zone: str
    ) -> Understanding:
        """What `text` means when `expectation` is open. Never raises for odd text: the answer is then OTHER.

        `locale` is a BCP 47 tag of the conversation (the visitor may still write another language); `now` is aware;
        `zone` an IANA name, in which "tomorrow at ten" is meant. Adapters that call out raise `plugins.errors`.
        """

    @abstractmethod
    def answer(self, question: str, passages: Sequence[Passage], *, locale: str) -> Answer | None:
        """An answer from these passages alone, best passage first, or None when they do not hold one."""
