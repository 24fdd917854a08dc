"""Runs the conformance tests it is given, and writes what they found into the packages that have the adapters.

python -m plugins.testing.quality tests/
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from plugins.testing.guard import is_narrowed
from plugins.testing.recorder import NAME, Recorder, Run, held, report_of, title


def main(arguments: Sequence[str]) -> int:
    """Run pytest with these arguments. A report is written for each adapter whose tests all went well; the exit code is
    pytest's."""
    recorder = Recorder(compare=False)
    named = _Named(recorder)
    code = pytest.main(["-q", "-p", "no:cacheprovider", *arguments], plugins=[named])
    if code in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        for file in written(recorder, narrowed=named.narrowed):
            print(file)
    for name in sorted({name.partition("::")[0] for name in recorder.failed}):
        print(f"{name}: no report was written, because tests of it failed")
    return int(code)


def written(recorder: Recorder, *, narrowed: bool = False) -> list[Path]:
    """Write the reports of adapters whose classes ran well; returns their files. Where the caller asked for some tests
    only, a class that did not run whole is passed over; otherwise what was not tried was left out."""
    reports: dict[Path, dict[str, Run]] = {}
    for cls in recorder.runs:
        file = None if narrowed and recorder.lacking(cls) else report_of(cls)
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
        self.narrowed = False

    def pytest_configure(self, config: pytest.Config) -> None:
        self.narrowed = is_narrowed(config)
        config.pluginmanager.register(self._recorder, NAME)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        others = [item for item in items if held(item) is None]
        items[:] = [item for item in items if held(item)]
        config.hook.pytest_deselected(items=others)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
