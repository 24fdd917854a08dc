"""How log lines look: text for people or JSON for machines, by structlog; the only place that sets logging up."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

from server import settings

_ADDRESS = re.compile(r"[\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+", re.IGNORECASE)
_SECRETS = re.compile(r"(/m/|token=|token\W{1,4}|Bearer )[A-Za-z0-9._~+/=-]{16,}")


def set_up() -> None:
    """Send all log lines to stderr in the configured shape."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        _hide_secrets,
    ]
    last = (
        structlog.processors.JSONRenderer()
        if settings.get().log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("usher").setLevel(logging.INFO)


def _hide_secrets(_logger: Any, _method: str, line: dict[str, Any]) -> dict[str, Any]:
    """Tokens of visitors and of meeting links never reach a log, nor anybody's e-mail address."""
    return {name: _hidden(value) if isinstance(value, str) else value for name, value in line.items()}


def _hidden(text: str) -> str:
    return _ADDRESS.sub("…@…", _SECRETS.sub(r"\1…", text))
