"""What all adapters share, whatever their kind: a name, settings, capabilities, a health check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from inspect import isfunction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, TypeVar

from plugins.errors import PluginError, Retry, UnsupportedFeature
from plugins.http import Http
from plugins.limits import Rate

if TYPE_CHECKING:
    from plugins.config import Config
    from plugins.fields import Field
    from plugins.hooks import Heard, HookCall
    from plugins.oauth import OAuth
    from plugins.records import Records
    from plugins.tokens import Tokens

API_VERSION = (1, 0)
"""The contracts of this release. An adapter runs when its major is the same and its minor is not higher."""

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a harmless real call with these settings told.

    `account` is the name of the account connected, `account_id` what stays the same when it is renamed or somebody else
    signs in (a CRM's has to be told: ids of its records mean nothing in another account). `granted`/`missing` are
    scopes, `message` is for a person.
    """

    ok: bool
    account: str = ""
    granted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    message: str = ""
    account_id: str = ""


def needs(capability: StrEnum) -> Callable[[Method], Method]:
    """Mark a contract method as one that only adapters declaring `capability` have."""

    def mark(method: Method) -> Method:
        method.needs = capability  # type: ignore[attr-defined]
        return method

    return mark


class Adapter:
    """Speaks one foreign API. Stateless, safe in threads and greenlets; no sleeping, no retrying, no `server`.

    `config` was validated against `fields`; `records` keeps what the built-ins store; `http` is the one way out;
    `tokens` holds OAuth tokens. All methods raise only `plugins.errors`. `rate` is how often one connection may call,
    `rates` what some calls are limited to beside it: those that give `http.call` that `bucket`.
    """

    kind: ClassVar[str] = ""
    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    about: ClassVar[str] = ""
    api_version: ClassVar[tuple[int, int]] = (1, 0)
    fields: ClassVar[tuple[Field, ...]] = ()
    capabilities: ClassVar[frozenset[StrEnum]] = frozenset()
    rate: ClassVar[Rate | None] = None
    rates: ClassVar[Mapping[str, Rate]] = MappingProxyType({})
    connection_id: str = ""
    """Which connection it is opened for; the host fills it in."""

    def __init__(
        self, config: Config, *, records: Records, http: Http | None = None, tokens: Tokens | None = None
    ) -> None:
        self.config = config
        self.records = records
        self.http = http or Http(f"{self.kind}.{self.name}", secrets=config.secrets())
        self.tokens = tokens

    def check(self) -> CheckResult:
        """Try the settings without changing anything at the service.

        What only a person can mend, such as wrong credentials, comes back as `ok=False` with the error's sentence;
        raise it, this class makes the answer of it. What time heals is raised to the caller: it says nothing about the
        settings.
        """
        return CheckResult(ok=True, account=self.title)

    @classmethod
    def oauth(cls, config: Config) -> OAuth | None:
        """How a person connects their account with these settings; None where the settings say it all."""
        return None

    def revoke(self) -> None:
        """Give back what the service granted us, at disconnecting. Nothing to give back is a success."""

    def hear(self, call: HookCall) -> Heard:
        """What a call of the service to our address says, at once and without asking the service back.

        PermissionDenied when it is not signed as it must be, or too old; InvalidInput when nobody can read it.
        """
        raise UnsupportedFeature(f"{self.name} does not call us").at(f"{self.kind}.{self.name}", "hear")

    @contextmanager
    def in_use(self) -> Iterator[Self]:
        """For one deed, and closed after it; errors say whether some of it may be done."""
        try:
            yield self
        except PluginError as problem:
            problem.may_be_done = problem.may_be_done or self.http.wrote
            raise
        finally:
            self.close()

    def close(self) -> None:
        """Let go of connections; the adapter is not used afterwards."""
        self.http.close()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "check" in vars(cls):
            setattr(cls, "check", _answering(cls.check))  # noqa: B010 - mypy knows no methods made so
        if cls.name:
            _name_in_errors(cls)
            _hold_to_capabilities(cls)

    def __repr__(self) -> str:
        return f"<{self.kind}.{self.name} {self.config!r}>"


def _name_in_errors(cls: type[Adapter]) -> None:
    """Let errors that leave a method of the contract say which adapter and which method they come from."""
    contracts = [base for base in cls.__mro__[1:] if issubclass(base, Adapter) and not base.name]
    for name, own in list(vars(cls).items()):
        promised = any(name in vars(contract) for contract in contracts)
        if promised and isfunction(own) and not name.startswith("_"):
            setattr(cls, name, _naming(own))


def _naming(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def named(self: Adapter, *arguments: Any, **options: Any) -> Any:
        try:
            return method(self, *arguments, **options)
        except PluginError as error:
            error.at(f"{self.kind}.{self.name}", method.__name__)
            raise

    return named


def _answering(check: Callable[[Any], CheckResult]) -> Callable[[Any], CheckResult]:
    """`check` that answers no where it raises what a person has to mend."""

    @wraps(check)
    def answer(adapter: Adapter) -> CheckResult:
        try:
            return check(adapter)
        except PluginError as problem:
            problem.at(f"{adapter.kind}.{adapter.name}", "check")
            if not problem.stops and problem.retry is not Retry.NEVER:
                raise
            return CheckResult(ok=False, message=problem.user_message)

    return answer


def _hold_to_capabilities(cls: type[Adapter]) -> None:
    """Refuse calls that need what `cls` did not declare; refuse the class when it declares what it does not have."""
    for contract in cls.__mro__:
        for name, method in vars(contract).items():
            capability = getattr(method, "needs", None)
            if capability is None:
                continue
            if capability not in cls.capabilities:
                setattr(cls, name, _refusing(cls, method, capability))
            elif getattr(cls, name) is method or hasattr(getattr(cls, name), "refuses"):
                raise TypeError(f"{cls.kind}.{cls.name} declares {capability} but does not define {name}()")


def _refusing(cls: type[Adapter], method: Callable[..., Any], capability: StrEnum) -> Callable[..., NoReturn]:
    @wraps(method)
    def refuse(*_: object, **__: object) -> NoReturn:
        raise UnsupportedFeature(f"{cls.name} does not do {capability}").at(f"{cls.kind}.{cls.name}", method.__name__)

    refuse.refuses = capability  # type: ignore[attr-defined]
    return refuse
