"""How alike two folded words are: small typing mistakes count as near, other words do not."""

from __future__ import annotations

from functools import lru_cache


def near(typed: str, meant: str) -> bool:
    """True when `typed` is `meant` with a slip: one in words of 4 to 7 letters, two in longer ones."""
    if typed == meant:
        return True
    allowed = 0 if len(meant) < 4 else 1 if len(meant) < 8 else 2
    if not allowed or abs(len(typed) - len(meant)) > allowed or typed.isdigit() or meant.isdigit():
        return False
    return slips(typed, meant) <= allowed


@lru_cache(maxsize=8192)
def slips(a: str, b: str) -> int:
    """Damerau distance (optimal string alignment): letters added, left out, replaced, or two neighbours swapped."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        older, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return row[-1]
