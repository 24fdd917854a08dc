"""tests/*.yml: conversations that a site folder must be able to hold, as its owner writes them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, model_validator

from server.config.schema import FolderPart, Locale, Part, Zone
from server.expressions.names import wrong_name


def _name(value: str) -> str:
    """What is given stands under lead, account or answers."""
    root, _, rest = value.partition(".")
    if root not in ("lead", "account", "answers") or not rest:
        raise ValueError("allowed lead.…, account.… or answers.…")
    wrong = wrong_name(tuple(value.split(".")))
    if wrong:
        raise ValueError(wrong)
    return value


def _path_only(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


class Page(Part):
    """Where the visitor is; a text alone is the path."""

    path: str = Field(pattern="^/", description="A path such as /pricing")
    title: str = ""
    referrer: str = ""
    query: dict[str, str] = {}
    utm: dict[Literal["source", "medium", "campaign", "term", "content"], str] = {}


class Reply(Part):
    """What a visitor does instead of writing: one of these."""

    slot: int | None = Field(None, ge=1, description="The n-th time offered")
    form: dict[str, str] | None = None
    option: str | None = None
    options: list[str] | None = None
    action: (
        Literal["other_times", "cancel_meeting", "reschedule_meeting", "person", "leave_email", "restart"] | None
    ) = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Reply:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("allowed text, or one of slot, form, option, options, action")
        return self


class Step(Part):
    """Either side says something. `bot`: part of one of its next messages, or /a regular expression/."""

    bot: str | None = None
    visitor: str | Reply | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Step:
        if (self.bot is None) == (self.visitor is None):
            raise ValueError("allowed bot: or visitor:, one in each step")
        return self


class Story(Part):
    """One conversation. Without steps, only where routing.yml sends such a visitor."""

    name: str = Field(min_length=1)
    at: AwareDatetime = Field(description="When it happens; the clock stands still, such as 2026-03-02T09:00:00Z")
    page: Annotated[Page, BeforeValidator(_path_only, json_schema_input_type=str | Page)] = Page(path="/")
    locale: Locale | None = None
    zone: Zone | None = None
    device: Literal["desktop", "mobile", "tablet"] = "desktop"
    visits: int = Field(1, ge=1)
    given: dict[Annotated[str, AfterValidator(_name)], Any] = Field(
        {}, description="What is known already, such as account.employees: 800"
    )
    data: dict[str, str | int | float | bool] = {}
    steps: list[Step] = []
    playbook: str | None = Field(None, description="The playbook that must meet the visitor")
    goal: str | None = Field(None, description="A goal or an outcome that must have been reached")
    queue: str | None = Field(None, description="The pool, queue or rep that must get the visitor")
    answers: dict[str, Literal["met", "not_met", "unknown"]] = Field({}, description="Criteria and their status")


class Stories(FolderPart):
    """One file of tests/."""

    FOLDER: ClassVar[str] = "tests"

    tests: list[Story] = Field(min_length=1)
