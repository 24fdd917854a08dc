"""The built-in understanding keeps the contract."""

from __future__ import annotations

from plugins.ai.builtin import BuiltinAI
from plugins.testing import AIConformance


class TestBuiltinAI(AIConformance):
    adapter = BuiltinAI
    no_http = "understands by rules, here"
