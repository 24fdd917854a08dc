"""What every adapter must pass, whatever its kind."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any, ClassVar, TypeVar

import pytest

from plugins.adapter import Adapter, CheckResult
from plugins.errors import ConfigError, UnsupportedFeature
from plugins.fields import json_schema, redact, validate, yaml_template
from plugins.records import MemoryRecords, Records
from plugins.registry import Registry
from plugins.testing.guard import Guarded, exempt
from plugins.testing.network import only_loopback
from plugins.testing.recorder import record
from plugins.tokens import Tokens

THREADS = 8
LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Where fakes listen; adapters may call nothing else during a test."""
Test = TypeVar("Test", bound=Callable[..., None])


class Conformance(Guarded):
    """The author gives `adapter`, and `config` with made-up settings that suit the fake."""

    adapter: ClassVar[type[Adapter]]

    @pytest.fixture
    def config(self) -> dict[str, Any]:
        return {}

    @pytest.fixture
    def records(self) -> Records:
        return MemoryRecords()

    @pytest.fixture(autouse=True)
    def _recorded(self, request: pytest.FixtureRequest) -> None:
        record(request)

    @pytest.fixture(autouse=True)
    def _no_foreign_network(self) -> Iterator[None]:
        with only_loopback():
            yield

    @pytest.fixture(autouse=True)
    def _declared(self, request: pytest.FixtureRequest) -> None:
        required = getattr(request.function, "requires", None)
        if required and required not in self.adapter.capabilities:
            exempt(f"{self.adapter.name} does not declare {required}")

    @pytest.fixture
    def fake(self) -> Any:
        """The service, a `plugins.testing.fakes.Fake` that has been entered."""
        pytest.fail("give a fixture `fake` (plugins.testing.fakes.Fake), or say in `no_http` why there is no service")

    @pytest.fixture
    def tokens(self) -> Tokens | None:
        """What a person granted (OAuth), for adapters that need it: `MemoryTokens({...})`."""
        return None

    @pytest.fixture
    def subject(self, config: dict[str, Any], records: Records, tokens: Tokens | None) -> Iterator[Any]:
        opened = self.opened(config, records, tokens)
        yield opened
        opened.close()

    def opened(
        self, config: dict[str, Any], records: Records, tokens: Tokens | None = None, seconds: float | None = None
    ) -> Any:
        """The adapter as the server opens it. No answer may take longer than `seconds`."""
        registry = Registry(discover=list)
        registry.register(self.adapter)
        kind, name = self.adapter.kind, self.adapter.name
        return registry.open(kind, name, config, records=records, tokens=tokens, private=LOOPBACK, seconds=seconds)

    def test_fields_have_a_title_and_no_two_share_a_name(self) -> None:
        names = [field.name for field in self.adapter.fields]
        assert len(names) == len(set(names))
        assert all(field.title and field.name.isidentifier() and field.name.islower() for field in self.adapter.fields)

    def test_settings_render_as_schema_and_yaml_without_secrets(self, config: dict[str, Any]) -> None:
        schema, yaml = json_schema(self.adapter.fields), yaml_template(self.adapter.fields)
        assert set(schema["properties"]) == {field.name for field in self.adapter.fields}
        assert all(line.startswith("#") for line in yaml.splitlines())
        shown = f"{schema} {yaml} {redact(self.adapter.fields, config)}"
        assert not [secret for secret in self._secrets(config) if secret in shown]

    def test_an_unknown_setting_is_refused_by_name(self, config: dict[str, Any]) -> None:
        with pytest.raises(ConfigError) as caught:
            validate(self.adapter.fields, {**config, "no_such_setting": "1"})
        assert caught.value.problems[0][0] == "no_such_setting"

    def test_secrets_are_not_shown_or_written_down(self, subject: Any, config: dict[str, Any]) -> None:
        shown = f"{subject!r} {subject.config!r} {subject.config} {dict(subject.config)}"
        assert not [secret for secret in self._secrets(config) if secret in shown]
        if self._secrets(config):
            with pytest.raises(TypeError):
                pickle.dumps(subject.config)

    def test_listing_adapters_does_not_import_it(self) -> None:
        code = "import sys; from plugins import registry; registry.listings(); print(sys.argv[1] in sys.modules)"
        command = [sys.executable, "-c", code, self.adapter.__module__]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - our own words
        assert done.stdout.strip() == "False"

    def test_check_succeeds_with_good_settings(self, subject: Any) -> None:
        assert isinstance(subject.check(), CheckResult)
        assert subject.check().ok

    def test_what_it_did_not_declare_it_refuses(self, subject: Any) -> None:
        for name, capability in _needing(self.adapter).items():
            if capability not in self.adapter.capabilities:
                with pytest.raises(UnsupportedFeature):
                    getattr(subject, name)()

    def _secrets(self, config: dict[str, Any]) -> list[str]:
        return [config[field.name] for field in self.adapter.fields if field.secret and config.get(field.name)]


def requires(capability: StrEnum) -> Callable[[Test], Test]:
    """Skip the test for adapters that do not declare this capability."""

    def mark(test: Test) -> Test:
        test.requires = capability  # type: ignore[attr-defined]
        return test

    return mark


def at_once(deed: Callable[[int], Any], times: int = THREADS) -> list[Any]:
    """What `deed(n)` gave in each of several threads that start together; raises what any of them raised."""
    start, results, failures = threading.Barrier(times), [], []

    def run(n: int) -> None:
        start.wait()
        try:
            results.append(deed(n))
        except BaseException as error:  # noqa: BLE001 - handed on to the test below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


def _needing(adapter: type[Adapter]) -> dict[str, Any]:
    """Contract methods by name with the capability they need."""
    methods = [(name, method) for base in adapter.__mro__ for name, method in vars(base).items()]
    return {name: method.needs for name, method in methods if hasattr(method, "needs")}
