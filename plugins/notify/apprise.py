"""Alerts by the library Apprise: Teams, Telegram, Discord, Matrix and a hundred more, each by one address."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

from plugins.adapter import CheckResult, Rate
from plugins.config import strip_secrets
from plugins.errors import ConfigError, InvalidInput, Transient
from plugins.fields import Field
from plugins.notify import Alert, Capability, Notify, Sent
from plugins.notify.once import send_once

try:
    import apprise
except ModuleNotFoundError as missing:
    raise ImportError("the library is not installed: pip install 'usher[apprise]'") from missing

NOT_FOR_US = frozenset({"syslog", "dbus", "glib", "kde", "qt", "gnome", "macosx", "windows", "mailto", "mailtos",
                        "vapid", "blink1"})  # fmt: skip
"""Services of this machine's own desktop, log, files and lamps, and mail, which Usher sends itself."""
PORTS = {True: 443, False: 80}
HOSTED = frozenset({"cloud", "t2bot"})
"""What ntfy, LaMetric, Fluxer and Matrix call their `mode` when they call the service's own host, which is built in:
what stands in the place of the host is then a topic, an app or a token. Other such services leave `host` empty."""


class Apprise(Notify):
    """One address in Apprise's notation is one connection. The library says only whether it worked: a failure is
    Transient, whatever it was, and the service's words stand in the message as far as the library logs them."""

    name = "apprise"
    title = "Apprise"
    about = "Sends alerts to any of the services that the library Apprise knows."
    capabilities = frozenset({Capability.ALERT})
    rate = Rate(calls=1, seconds=1.0)
    fields = (
        Field("url", "Address", secret=True, required=True,
              help="In Apprise's notation, such as tgram://bot-token/chat-id; see its list of services."),
    )  # fmt: skip

    def check(self) -> CheckResult:
        """Whether the address can be read. Only sending would show whether the service takes it."""
        service = self._service
        self._admit(service)
        unsure = "Apprise can only be tried by sending: send a test alert."
        return CheckResult(ok=True, account=str(service.service_name), warnings=(unsure,))

    def send_alert(self, alert: Alert, *, key: str) -> Sent:
        if alert.to:
            raise InvalidInput("the address of the connection says where alerts go", field="to")

        def send() -> Sent:
            self._notify(alert)
            return Sent(key)

        return send_once(self.records, key, self.http.now(), lambda _: None, send)

    @cached_property
    def _service(self) -> Any:
        found = apprise.Apprise.instantiate(self.config.secret("url"), suppress_exceptions=True)
        if found is None:
            said = "Apprise cannot read this address: compare it with its list of services."
            raise ConfigError("unreadable address", problems=(("url", "cannot be read"),), user_message=said)
        if NOT_FOR_US & set(_schemas(found)):
            said = f"{found.service_name} is not offered here."
            raise ConfigError(said, problems=(("url", "not offered"),), user_message=said)
        if any(isinstance(part, apprise.AppriseAttachment) and len(part) for part in vars(found).values()):
            said = "Addresses that name a file or another address to be read, such as a template, are not offered here."
            raise ConfigError(said, problems=(("url", "names a file"),), user_message=said)
        found.redirects = False
        return found

    def _admit(self, service: Any) -> None:
        """Owner-given hosts must be public, as with all our calls. Services without a host of their own have one built
        in."""
        if _calls_its_host(service):
            self.http.admit(service.host, service.port or PORTS[bool(service.secure)])

    def _notify(self, alert: Alert) -> None:
        service = self._service
        self._admit(service)
        facts = [f"{label}: {value}" for label, value in alert.facts.items()]
        body = "\n".join(part for part in (alert.text, *facts, alert.url) if part)
        everything = apprise.Apprise()
        everything.add(service)
        kind = apprise.NotifyType.WARNING if alert.urgent else apprise.NotifyType.INFO
        with apprise.LogCapture(level=logging.INFO, fmt="%(message)s") as told:
            worked = everything.notify(
                body=body or alert.title, title=alert.title if body else "", notify_type=kind, body_format="text"
            )
            words = " ".join(told.getvalue().split())[:300]
        if not worked:
            raise Transient(strip_secrets(words, self.config.secrets()) or "Apprise says that it did not work")


def _calls_its_host(service: Any) -> bool:
    """Whether the address names the host that is called. Only a service that knows addresses without one can say by its
    mode that it does not."""
    hosts = ["{host}" in template for template in service.templates]
    hosted = getattr(service, "mode", "") in HOSTED and not all(hosts)
    return bool(any(hosts) and service.host and not hosted)


def _schemas(service: Any) -> tuple[str, ...]:
    found: list[str] = []
    for named in (service.protocol, service.secure_protocol):
        found += [named] if isinstance(named, str) else list(named or ())
    return tuple(found)
