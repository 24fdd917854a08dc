"""The form of a connection, from the adapter's table of fields: what is shown, and what was entered. Secrets are
entered, replaced or cleared, and never shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from plugins import registry
from plugins.adapter import Adapter
from plugins.errors import ConfigError
from plugins.fields import Field, Type, environment_names
from server.adapters import connections
from server.adapters.connections import Connection, Given
from server.console.broken import title_of
from server.console.words import sentence
from server.errors import NotFound, UsherError

__all__ = ["KINDS", "Input", "Service", "adapter_of", "entered", "inputs", "services", "title_of", "wrong_in"]
KINDS = {
    "crm": ("CRM", "Leads, companies and meetings go there; owners and customers come from there."),
    "calendar": ("Calendar", "When reps are busy is read there, and meetings are put there."),
    "enrichment": ("Company and person data", "Says who a visitor's company is."),
    "marketing": ("Marketing", "Lists and campaigns of the people you may write to."),
    "notify": ("Alerts", "Where people of yours hear at once."),
}
"""What a kind is called, and is for, in the order they are offered."""
NOT_HERE = {("notify", "smtp"), ("notify", "mailbox")}
"""Where mail goes is the operator's choice, for all sites."""
_INPUTS = {Type.INTEGER: "number", Type.NUMBER: "number", Type.URL: "url", Type.EMAIL: "email"}


@dataclass(frozen=True)
class Service:
    """One that may be connected; `problem` says why it cannot be."""

    kind: str
    name: str
    title: str
    about: str
    problem: str = ""


@dataclass(frozen=True)
class Input:
    """One field as the page shows it. `is_set`: a secret is kept. `given`: the operator has set it for all sites.
    `variable`: only the operator sets it, by this variable of the environment."""

    field: Field
    kind: str
    value: str
    is_set: bool = False
    given: bool = False
    wrong: str = ""
    variable: str = ""

    @property
    def required(self) -> bool:
        return self.field.required and not self.given and not self.is_set

    @property
    def is_changed(self) -> bool:
        """Whether it is another value than nearly everybody's."""
        return self.value != _text(self.field.default)

    @property
    def rare(self) -> bool:
        """Whether it is shown at a second look only: there is a value that nearly everybody keeps, and not one of
        several that what else is needed may depend on."""
        known = self.field.rare or (self.field.default is not None and not self.field.choices)
        return known and not (self.field.required or self.wrong)


def services(kind: str) -> list[Service]:
    """What may be connected in the console, by title; the broken ones with the reason."""
    found = []
    for item in registry.listings(kind):
        if item.name == "builtin" or (item.kind, item.name) in NOT_HERE:
            continue
        try:
            adapter = registry.load(item.kind, item.name)
        except ConfigError as problem:
            found.append(Service(item.kind, item.name, sentence(item.name), *_unusable(problem)))
        else:
            found.append(Service(item.kind, item.name, adapter.title or item.name, adapter.about))
    return sorted(found, key=lambda one: one.title.casefold())


def adapter_of(kind: str, name: str) -> type[Adapter]:
    """The class of what may be connected here. NotFound."""
    if kind not in KINDS or name == "builtin" or (kind, name) in NOT_HERE:
        raise NotFound("There is no such service to connect.")
    try:
        return registry.load(kind, name)
    except ConfigError as problem:
        raise NotFound(problem.user_message) from None


def inputs(
    adapter: type[Adapter], there: Connection | None, entered: Mapping[str, str], wrong: Mapping[str, str]
) -> list[Input]:
    """The fields with what is kept, or what was entered a moment ago; `wrong`: why, by field that was refused. What the
    operator has to say is shown where it has to be said, or is."""
    kept = connections.secret_names(there) if there else frozenset()
    given = connections.given_by_environment(adapter)
    closed, names = connections.operators_own(adapter), environment_names(adapter.fields, adapter.kind, adapter.name)
    found = []
    for one in adapter.fields:
        why = wrong.get(one.name, "")
        if one.name not in closed:
            found.append(_input(one, there, entered, kept, given, why))
        elif one.required or one.name in given:
            found.append(Input(one, "operators", "", given=one.name in given, wrong=why, variable=names[one.name]))
    return found


def wrong_in(adapter: type[Adapter], refusal: UsherError | None) -> tuple[str, dict[str, str]]:
    """What to say above the form, and beside which of its fields, about what was refused."""
    if refusal is None:
        return "", {}
    fields = {one.name: one for one in adapter.fields}
    named = {name: _beside(fields.get(name), why) for name, why in refusal.extra.get("problems") or ()}
    wrong = named or ({refusal.field: refusal.message} if refusal.field else {})
    titles = [one.title for one in adapter.fields if one.name in wrong]
    if not titles or (named and not refusal.message.startswith(ConfigError.sentence)):
        return refusal.message, wrong
    return f"Nothing was kept. Look at: {', '.join(titles)}.", wrong


def entered(adapter: type[Adapter], form: MultiDict[str, str]) -> Given:
    """What a person sent: every field by its name, and `clear.NAME` for secrets that are to go."""
    plain = {one.name: _read(one, form) for one in adapter.fields if not one.secret}
    secret = {one.name: form.get(one.name, "").strip() for one in adapter.fields if one.secret}
    cleared = [name for name in secret if form.get(f"clear.{name}")]
    return Given({name: value for name, value in plain.items() if value}, secret, cleared)


def as_typed(adapter: type[Adapter], given: Mapping[str, Any]) -> dict[str, str]:
    """The fields of the form as they were sent, without secrets: of `Given.settings`, in which those that were empty,
    not ticked or as they come are left out."""
    plain = [one for one in adapter.fields if not one.secret]
    usual = {one.name: "" if one.type is Type.BOOLEAN else _text(one.default) for one in plain}
    said = {name: "" if text == "false" else text for name, text in given.items() if name in usual}
    return usual | said


def _unusable(problem: ConfigError) -> tuple[str, str]:
    """What an owner reads of it, and of what is wrong; the technical reason stands under Adapters."""
    if isinstance(problem.__cause__, ImportError):
        return "The operator can install it, then it is connected here.", "Not installed"
    return "The operator can mend it, then it is connected here.", "Cannot be used"


def _beside(field: Field | None, why: str) -> str:
    """The sentence beside a field, which has its help below already."""
    return f"{field.title} {why.removesuffix(field.help).rstrip(' .')}." if field else why


def _read(field: Field, form: MultiDict[str, str]) -> str:
    text = form.get(field.name, "").strip()
    if field.type is Type.BOOLEAN:
        return "true" if text else "false"
    return "" if field.default is not None and text == _text(field.default) else text


def _input(
    field: Field,
    there: Connection | None,
    entered: Mapping[str, str],
    kept: frozenset[str],
    given: Mapping[str, str],
    why: str,
) -> Input:
    if field.secret:
        return Input(field, "password", "", field.name in kept, field.name in given, why)
    held = there.config.get(field.name) if there else None
    value = entered.get(field.name) if field.name in entered else _text(held if held is not None else field.default)
    if field.type is Type.BOOLEAN:
        return Input(field, "checkbox", value or "", given=field.name in given, wrong=why)
    kind = "select" if field.choices else _INPUTS.get(field.type, "text")
    return Input(field, kind, value or "", given=field.name in given, wrong=why)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else ""
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)
