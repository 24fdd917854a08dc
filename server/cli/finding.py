"""What `usher doctor` says about one thing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing looked at. mark: ok, note or FAULT."""

    mark: str
    what: str
    says: str

    @property
    def is_fault(self) -> bool:
        return self.mark == "FAULT"
