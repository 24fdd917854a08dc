"""Arithmetic of UTC spans: pairs of whole seconds, the second not included."""

from __future__ import annotations

from collections.abc import Iterable

from server.booking.availability.wallclock import Span, join

__all__ = ["Span", "spliced", "without"]


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What is in `spans` and not in `taken`, in order."""
    found, cuts = [], join(taken)
    for start, end in join(spans):
        for first, last in cuts:
            if last <= start or end <= first:
                continue
            if start < first:
                found.append((start, first))
            start = max(start, last)
        if start < end:
            found.append((start, end))
    return found


def spliced(spans: Iterable[Span], window: Span, news: Iterable[Span]) -> list[Span]:
    """`spans` with what is known of `window` replaced by `news`."""
    start, end = window
    inside = ((max(first, start), min(last, end)) for first, last in news)
    return join([*without(spans, [window]), *((first, last) for first, last in inside if first < last)])
