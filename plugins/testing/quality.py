"""Runs the conformance tests it is given, and writes what they found into the packages that have the adapters.

python -m plugins.testing.quality tests/
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from plugins.testing.guard import standard_tests
from plugins.testing.recorder import NAME, Recorder, Run, held, report_of, title


def main(arguments: Sequence[str]) -> int:
    """Run pytest with these arguments. A report is written for each adapter whose tests all went well; the exit code is
    pytest's."""
    recorder = Recorder(compare=False)
    code = pytest.main(["-q", "-p", "no:cacheprovider", *arguments], plugins=[_Named(recorder)])
    for file in written(recorder):
        print(file)
    return int(code)


def written(recorder: Recorder) -> list[Path]:
    """Write the reports of adapters whose classes ran whole and well; returns their files."""
    reports: dict[Path, dict[str, Run]] = {}
    for cls, rules in recorder.runs.items():
        file = report_of(cls) if len(rules) == len(standard_tests(cls)) else None
        if file and not any(name.startswith(f"{cls.__qualname__}::") for name in recorder.failed):
            reports.setdefault(file, {})[title(cls)] = recorder.run_of(cls)
    for file, runs in reports.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(dict(sorted(runs.items())), indent=1, ensure_ascii=False) + "\n")
    return sorted(reports)


class _Named:
    """Registers the recorder under the name by which tests look for it, and leaves out tests that are not the kit's."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.register(self._recorder, NAME)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        others = [item for item in items if held(item) is None]
        items[:] = [item for item in items if held(item)]
        config.hook.pytest_deselected(items=others)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
