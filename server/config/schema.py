"""What a part of the site folder is made of, and site.yml itself. Other rooms write their own schema.py on `Part`."""
from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Literal, LiteralString, TypeVar, get_args
from urllib.parse import quote, urlsplit

import holidays
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError, ValidationError, core_schema

from server.config.problems import Problem, did_you_mean, shown, unknown_name
from server.config.zones import is_zone, zone_names
from server.expressions import LocaleText
from server.links import Link

__all__ = ["FolderPart", "Hours", "Identifier", "Locale", "Part", "Problem", "Site", "TimeText", "Zone", "did_you_mean"]

M = TypeVar("M", bound="Part")
_PYDANTIC_ERRORS = frozenset(get_args(core_schema.ErrorType))


class Part(BaseModel):
    """A piece of the site folder: frozen, no unknown keys, a key without a value counts as not written.

    A whole file says where it lives: `FILE = "meetings.yml"`, or, one model per file of a folder, `FOLDER =
    "playbooks"` (derive from FolderPart). A validator raises ValueError("allowed …"); the loader adds file, line, place
    and what was found.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)
    FILE: ClassVar[str] = ""
    FOLDER: ClassVar[str] = ""
    SUFFIX: ClassVar[str] = ".yml"

    @model_validator(mode="wrap")
    @classmethod
    def _say_which_keys_are_known(cls: type[M], data: Any, handler: ModelWrapValidatorHandler[M]) -> M:
        if isinstance(data, dict):
            known = cls.keys()
            data = {key: value for key, value in data.items() if value is not None or key not in known}
        try:
            return handler(data)
        except ValidationError as error:
            raise ValidationError.from_exception_data(error.title, list(_rewritten(error, cls.keys()))) from None

    @classmethod
    def keys(cls) -> list[str]:
        """The keys as an owner writes them."""
        return [field.alias or name for name, field in cls.model_fields.items()]


class FolderPart(Part):
    """A part with one file per name: `version.part(Model)` is `{file name without suffix: Model}`."""


def _rewritten(error: ValidationError, known: list[str]) -> Iterable[InitErrorDetails]:
    """The same errors; unknown keys learn which keys are known, and reasons become plain text that survives nesting."""
    for one in error.errors(include_url=False):
        kind, context = one["type"], one.get("ctx", {})
        if kind == "extra_forbidden" and len(one["loc"]) == 1:
            yield _custom(one, "unknown_key", "unknown key", {"allowed": known})
        elif kind == "value_error":
            reason = str(context["error"]) if "error" in context else context["reason"]
            yield _custom(one, kind, "{reason}", {"reason": reason})
        elif kind not in _PYDANTIC_ERRORS:
            yield _custom(one, kind, one["msg"], context)
        else:
            yield InitErrorDetails(type=kind, loc=one["loc"], input=one["input"], ctx=context)


def _custom(one: ErrorDetails, kind: LiteralString, message: Any, context: dict[str, Any]) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError(kind, message, context), loc=one["loc"], input=one["input"])


def _zone(value: str) -> str:
    if not is_zone(value):
        raise ValueError(f"allowed an IANA zone{did_you_mean(value, zone_names())}")
    return value


def _identifier(value: str) -> str:
    plain = value.replace("-", "").replace("_", "")
    if not (1 <= len(value) <= 60 and plain.isascii() and plain.isalnum() and value == value.lower()):
        raise ValueError("allowed small letters, digits, - and _, up to 60")
    return value


def _time(value: Any) -> Any:
    parts = value.split(":") if isinstance(value, str) else []
    good = len(parts) == 2 and all(len(part) == 2 and part.isascii() and part.isdigit() for part in parts)
    if not good or not (int(parts[0]) < 24 and int(parts[1]) < 60 or value == "24:00"):
        raise ValueError('allowed a time such as "09:00", up to "24:00"')
    return value


def _like(pattern: str, what: str) -> tuple[AfterValidator, Any]:
    """Text of one shape: a validator that says what is wanted, and the shape for editors."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError(f"allowed {what}")
        return value

    return AfterValidator(check), Field(description=what, json_schema_extra={"pattern": f"^({pattern})$"})


Zone = Annotated[str, AfterValidator(_zone), Field(description="An IANA time zone such as Europe/Berlin")]
Identifier = Annotated[str, AfterValidator(_identifier), Field(description="A short name without spaces")]
TimeText = Annotated[str, BeforeValidator(_time), Field(description='Local time such as "09:00", up to "24:00"')]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Locale = Annotated[str, *_like("[a-z]{2,3}(-[A-Za-z0-9]{2,8})?", 'a language such as "en" or "de-AT"')]
Color = Annotated[str, *_like("#[0-9a-fA-F]{6}", 'a colour such as "#175cd3"')]
Address = Annotated[str, *_like(r"|[^@\s]+@[^@\s]+", "an e-mail address")]
PathGlob = Annotated[str, *_like(r"[/*][^?#\s]{0,200}", 'a path such as "/pricing*", without ? and #')]


def _path_expression(glob: str) -> str:
    """A glob of paths for a browser: `*` is any run of characters; other than ASCII is written as browsers do."""
    parts = ["".join(letter if letter.isascii() else quote(letter) for letter in part) for part in glob.split("*")]
    return re.sub(r"(\.\*)+", ".*", ".*".join(re.sub(r"[^\w/%-]", r"\\\g<0>", part) for part in parts))


class Hours(Part):
    """Local wall-clock hours; `days` name the date on which they start; an end not after the start is on the next."""

    days: list[Day] = Field(min_length=1)
    start: TimeText
    end: TimeText


class Holidays(Part):
    """Days on which the site is closed: a country's public holidays (the `holidays` library) and dates of its own."""

    country: str = Field("", description="ISO 3166 code such as DE")
    subdivision: str = Field("", description="Part of the country, such as BE for Berlin in DE")
    dates: list[dt.date] = []

    @model_validator(mode="after")
    def _known_places(self) -> Holidays:
        places = holidays.list_supported_countries(include_aliases=False)
        if self.country and self.country not in places:
            near = did_you_mean(self.country, places)
            raise ValueError(f"found {shown(self.country)}, allowed an ISO country code such as DE{near}")
        parts = places.get(self.country, [])
        if self.subdivision and self.subdivision not in parts:
            raise ValueError(unknown_name(self.subdivision, parts, f"a part of {self.country or 'a country'}"))
        return self


class Brand(Part):
    color: Color = "#175cd3"
    color_dark: Color | None = Field(None, description="Instead of it for visitors whose screen is dark")
    scheme: Literal["auto", "light", "dark"] = Field("auto", description="auto: as the visitor's screen")
    logo: Link = Field("", description="Address of a square picture for the chat's head")
    position: Literal["left", "right"] = "right"
    offset_x: int = Field(20, ge=0, le=500, description="Pixels from that side")
    offset_y: int = Field(20, ge=0, le=500, description="Pixels from the bottom")
    z_index: int = Field(2147483000, ge=0, le=2147483647, description="What it lies above, as in CSS")
    launcher: LocaleText = LocaleText.parse("Chat with us")
    agent_name: str = Field("Ada", max_length=60)
    voice: str = Field("friendly", max_length=400)


class Pages(Part):
    """On which pages the chat is seen. Patterns are globs of paths, as in audiences; `exclude` has the last word."""

    include: list[PathGlob] = Field([], description="Only on these paths; none: on all")
    exclude: list[PathGlob] = Field([], description='Not on these paths, such as "/checkout*"')

    @property
    def expression(self) -> str:
        """Both lists as one regular expression for the path, to be searched regardless of case; "" matches all."""
        included = f"(?:{'|'.join(map(_path_expression, self.include))})$" if self.include else ""
        excluded = f"(?!(?:{'|'.join(map(_path_expression, self.exclude))})$)" if self.exclude else ""
        return f"^{excluded}{included}" if included or excluded else ""


class AnswersKept(Part):
    """How long what services answered is not asked again."""

    company_days: int = Field(30, ge=0, le=365, description="What is known of a company by its domain")
    person_days: int = Field(14, ge=0, le=365, description="What is known of a person by e-mail")
    address_hours: int = Field(24, ge=0, le=720, description="Whose a network address is")
    no_match_hours: int = Field(24, ge=0, le=720, description="That nobody knew anything")


class EnrichmentRule(Part):
    """When companies and people are looked up, and how much it may cost; see Enrichment."""

    when: Literal["page_load", "engagement"] = Field(
        "engagement",
        description="Whose company it is: engagement asks as the chat is opened; page_load before, with consent",
    )
    wait_ms: int = Field(800, ge=0, le=800, description="How long an opening message that names the company may wait")
    least_confidence: int = Field(
        50, ge=0, le=100, description="How sure, in percent, a visitor's company must be for messages and rules"
    )
    daily_credits: int = Field(500, ge=0, description="What each connection may cost in a day of the site's zone")
    credits: dict[str, int] = Field({}, description="The same for single services, such as {pdl: 100}")
    keep: AnswersKept = AnswersKept()

    def credits_of(self, adapter: str) -> int:
        """A day's credits of this adapter's connection."""
        return self.credits.get(adapter, self.daily_credits)


class Adapters(Part):
    """Which adapter serves each kind; names are those in docs/adapters.md."""

    crm: str = "builtin"
    calendar: str = "builtin"
    enrichment: list[str] = ["builtin"]
    marketing: str = "builtin"
    ai: str = "builtin"
    notify: str = "smtp"


class Answers(Part):
    threshold: float = Field(0.55, ge=0, le=1, description="How sure an answer must be, from 0 to 1")
    unknown: LocaleText = LocaleText.parse({
        "en": "I don't know that, and I would rather not guess.",
        "de": "Das weiß ich nicht, und raten möchte ich nicht.",
        "fr": "Je ne le sais pas, et je préfère ne pas deviner.",
        "es": "No lo sé, y prefiero no adivinar.",
    })  # fmt: skip


class Mail(Part):
    from_name: str = ""
    from_address: Address = Field("", description="The address mails come from")
    reply_to: Address = Field("", description="Where answers go; empty: to the sender")
    replies: Address = Field(
        "", description="The mailbox that Usher reads answers to invitations from (USHER_INBOX); their organizer then"
    )


class Identity(Part):
    """Whether pages may say who their user is with a token that their own server signed; see Signed-in visitors."""

    mode: Literal["off", "optional", "required"] = Field(
        "off",
        description="off: no signed tokens; optional: they prove who it is; required: what is not signed is not kept",
    )


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or value != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("allowed an origin such as https://www.example.com, without a path")
    return value.lower()


Origin = Annotated[str, AfterValidator(_origin)]


class Site(Part):
    """site.yml: the website and how Usher behaves on it."""

    FILE: ClassVar[str] = "site.yml"

    key: Identifier = Field(description="data-site of the script tag")
    name: str = Field(min_length=1, max_length=120)
    origins: list[Origin] = Field(min_length=1, description="Origins whose pages may use this site")
    zone: Zone = "UTC"
    locale: Locale = "en"
    locales: list[Locale] = Field([], description="Languages spoken; the main one is always among them")
    brand: Brand = Brand()
    consent: Literal["none", "on-open", "external"] = "on-open"
    traffic_percent: int = Field(100, ge=0, le=100)
    pages: Pages = Pages()
    hours: list[Hours] = Field([], description="Opening hours; none: always open")
    holidays: Holidays = Holidays()
    enrichment: EnrichmentRule = EnrichmentRule()
    identity: Identity = Identity()
    adapters: Adapters = Adapters()
    answers: Answers = Answers()
    mail: Mail = Mail()

    @property
    def languages(self) -> list[str]:
        """The main language first, then the others."""
        return list(dict.fromkeys([self.locale, *self.locales]))
