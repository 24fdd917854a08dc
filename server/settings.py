"""Every setting: name, default, what it is for. Nothing else reads the environment."""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Read once from `USHER_*` environment variables; documented in docs/operators.md, which a test checks."""

    model_config = SettingsConfigDict(env_prefix="USHER_", extra="ignore")

    database_url: str = Field(
        "sqlite:///usher.db", description="SQLAlchemy address of the database: sqlite:///FILE or postgresql+psycopg://…"
    )
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="Signs links and cookies, encrypts stored secrets. Empty: made once, kept beside the SQLite file.",
    )
    old_secret_keys: SecretStr = Field(
        SecretStr(""),
        description="Earlier secret keys, comma-separated: what they signed and encrypted stays good while the key "
        "changes; stored secrets are encrypted anew by the worker.",
    )
    public_url: str = Field(
        "http://127.0.0.1:8000", description="Address under which visitors reach this server; used in mails and links."
    )
    assets_dir: Path = Field(
        ROOT / "build" / "assets",
        description="Folder that `make assets` fills with the widget and the console's scripts.",
    )
    mail_to: Literal["none", "smtp", "mailbox"] = Field(
        "none", description="Where mail goes: an SMTP server, a mailbox folder, or nowhere (deliveries wait)."
    )
    mailbox_dir: Path = Field(Path("mailbox"), description="Folder for `mail_to=mailbox`: one .eml file a mail.")
    smtp_host: str = Field("127.0.0.1", description="SMTP server.")
    smtp_port: int = Field(25, ge=1, le=65535, description="SMTP port.")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        "none", description="How the SMTP connection is protected."
    )
    smtp_username: str = Field("", description="SMTP user name, if the server asks for one.")
    smtp_password: SecretStr = Field(SecretStr(""), description="SMTP password.")
    inbox: str = Field(
        "",
        description="Adapter that reads answers to invitations from a mailbox, such as imap; empty: they are not read.",
    )
    allowed_adapters: str = Field(
        "",
        description="Comma-separated `kind.name` list of adapters that may be used; empty allows all installed ones.",
    )
    private_hosts: str = Field(
        "",
        description="Comma-separated names or addresses of hosts in your own network that adapters may call "
        "(`cloud.intern, 10.0.0.7`); all others have to be public.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of your reverse proxies, comma-separated (`127.0.0.1, 10.0.0.0/8`); "
        "X-Forwarded-* lines are believed from these only.",
    )
    secure_cookies: bool | None = Field(
        None, description="Send the console's cookie over HTTPS only; by default when public_url is https."
    )
    embedded_worker: bool = Field(True, description="Run the outbox worker inside the web process.")
    worker_poll_seconds: float = Field(0.5, gt=0, description="How long the worker rests when nothing is due.")
    rate_limits: bool = Field(True, description="Limit sign-in attempts, requests and chat frames.")
    visitors_per_address: int = Field(
        20, ge=1, description="How many visitors may ask at full rate from one address, such as an office's."
    )
    visitors_per_site: int = Field(
        500, ge=1, description="How many visitors may ask at full rate on one site, in each process."
    )
    admitted_crawlers: str = Field(
        "HeadlessChrome",
        description="Parts of user agents, comma-separated, that may chat and book although they are known crawlers; "
        "the default lets automated tests of your site in. Others leave no trace.",
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="Who sends it as a bearer token may read `GET /metrics`; empty: only this machine itself may.",
    )
    log_format: Literal["text", "json"] = Field("text", description="How log lines are written.")
    stopped_clock: str = Field(
        "", description="For rehearsals only: an ISO time at which the server's clock starts instead of the real one."
    )

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if value.startswith("postgresql://"):
            value = value.replace("postgresql://", "postgresql+psycopg://", 1)
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("allowed sqlite:///FILE or postgresql://USER@HOST/NAME")
        return value

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it must be an address such as https://usher.example.com")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        try:
            return ", ".join(str(ipaddress.ip_network(one.strip())) for one in value.split(",") if one.strip())
        except ValueError:
            raise ValueError("it must be addresses or networks such as 127.0.0.1, 10.0.0.0/8") from None

    @field_validator("stopped_clock")
    @classmethod
    def _moment(cls, value: str) -> str:
        try:
            return value and datetime.fromisoformat(value).isoformat()
        except ValueError:
            raise ValueError("it must be a moment such as 2026-03-02T09:00:00Z") from None

    @property
    def cookies_are_secure(self) -> bool:
        """Whether the console's cookie goes over HTTPS only."""
        return self.public_url.startswith("https://") if self.secure_cookies is None else self.secure_cookies

    @property
    def adapters_allowed(self) -> list[str] | None:
        """The adapters from outside that may be used ("crm.acme"); None: all."""
        return [name.strip() for name in self.allowed_adapters.split(",")] if self.allowed_adapters else None

    @property
    def hosts_in_private(self) -> list[str]:
        """Hosts with private addresses that adapters may call."""
        return [host.strip() for host in self.private_hosts.split(",") if host.strip()]

    def key(self) -> str:
        """The secret key as configured, or one made once and kept in a file that its owner only can read."""
        given = self.secret_key.get_secret_value()
        if given:
            return given
        Path(self._key_file).resolve().parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(self._key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return Path(self._key_file).read_text().strip()
        with os.fdopen(handle, "w") as file:
            file.write(made := secrets.token_urlsafe(32))
        return made

    @property
    def old_keys(self) -> list[str]:
        """Earlier secret keys that still open what they closed."""
        return [one.strip() for one in self.old_secret_keys.get_secret_value().split(",") if one.strip()]

    @property
    def _key_file(self) -> str:
        """Beside the SQLite file, or in the working folder."""
        path = self.database_url.removeprefix("sqlite:///") if self.database_url.startswith("sqlite:///") else "usher"
        return f"{path.split('?')[0]}.key"

    def mail_config(self) -> dict[str, object]:
        """The settings of the notify adapter that `mail_to` names."""
        if self.mail_to == "mailbox":
            return {"folder": str(self.mailbox_dir)}
        return {
            "host": self.smtp_host,
            "port": self.smtp_port,
            "security": self.smtp_security,
            "user": self.smtp_username,
            "password": self.smtp_password.get_secret_value(),
        }


def adapter_environment() -> Mapping[str, str]:
    """The variables that adapters' settings may come from (plugins.fields.environment_names)."""
    return os.environ


class BadSetting(Exception):
    """A USHER_* variable that makes no sense; the message names it and says what is allowed."""


@lru_cache(maxsize=1)
def get() -> Settings:
    """The process's settings. Raises BadSetting."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "USHER_" + str(first["loc"][0]).upper()
        raise BadSetting(f"{name} cannot be used: {first['msg'].removeprefix('Value error, ')}.") from None
