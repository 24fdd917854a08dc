"""Which of the options shown a visitor means: by number, place, word, synonym, near-miss spelling, yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from plugins.ai import Option
from plugins.ai.rules.phrasebook import Hit, book, plain
from plugins.ai.rules.spelling import near
from plugins.ai.rules.text import LANGUAGES, fold
from plugins.ai.rules.words import lists, word_set

_SMALL_TALK = word_set("small talk")


@dataclass(frozen=True, slots=True)
class Choice:
    """Ids in the order shown, how sure (0..1), and whether "none of these" was said."""

    ids: tuple[str, ...] = ()
    sure: float = 0.0
    none: bool = False


@dataclass(frozen=True, slots=True)
class _Known:
    """An option made ready for comparing: the words of its label, its id and its synonyms."""

    id: str
    phrases: tuple[tuple[str, ...], ...]
    kind: str


def choose(folded: str, options: Sequence[Option], *, several: bool = False) -> Choice:
    """The options meant. Without `several` more than one id means it cannot be told which."""
    words = plain(folded)
    if not words or not options:
        return Choice()
    known = _known(tuple(options))
    exact = [option.id for option in known if tuple(words) in option.phrases]
    if len(exact) == 1:
        return Choice((exact[0],), 1.0)
    hits = [hit for hit in book("choices").find(words)]
    sought = [
        lambda: _by_yes(words, known),
        lambda: _by_many(words, known, hits, several),
        lambda: _by_place(words, known, hits),
        lambda: _by_word(words, known, hits),
        lambda: _by_slip(words, known),
    ]
    return next((found for seek in sought if (found := seek()).ids or found.none), Choice())


def placed(folded: str, count: int) -> int | None:
    """The place in a list of so many that is meant: "the second one", "2"; None for none, or for several."""
    words = plain(folded)
    known = tuple(_Known(str(index), (), "") for index in range(count))
    found = _by_place(words, known, [hit for hit in book("choices").find(words)]).ids if words else ()
    return int(found[0]) if len(found) == 1 else None


def yes_or_no(words: list[str]) -> str:
    """ "yes", "no" or "": what a short reply says, however it is said, in any of the four languages."""
    hits = book("choices").find(words)
    covered = {key: _longest(hits, key, len(words)) for key in ("yes", "no")}
    if covered["yes"] == covered["no"]:
        return ""
    best = max(covered, key=lambda key: covered[key])
    return best if covered[best] * 2 >= len(words) or (hits and covered[best] and _leads(hits, best, words)) else ""


def plainly(words: Sequence[str]) -> bool:
    """Nothing but yes or no, in one or two phrases: "yeah, why not?"."""
    hits = [hit for hit in book("choices").find(words) if hit.key in ("yes", "no")]
    return len({place for hit in hits for place in range(hit.start, hit.end)}) == len(words) > 0


def _longest(hits: list[Hit], key: str, _: int) -> int:
    return max((hit.end - hit.start for hit in hits if hit.key == key), default=0)


def _leads(hits: list[Hit], key: str, words: list[str]) -> bool:
    """ "yes, we also …": the reply opens with it and is not long."""
    return len(words) <= 8 and any(hit.key == key and hit.start == 0 for hit in hits)


def _by_place(words: list[str], known: tuple[_Known, ...], hits: list[Hit]) -> Choice:
    """By number or place in the list, when the words say little else."""
    places = [(index, hit.start, hit.end) for hit in hits if (index := _index(hit.key, len(known))) is not None]
    for place, word in enumerate(words):
        if word.isdigit() and len(word) < 3 and 1 <= int(word) <= len(known):
            places.append((int(word) - 1, place, place + 1))
    taken = _longest_spans(places)
    used = {place for start, end in taken.values() for place in range(start, end)}
    rest = [word for place, word in enumerate(words) if place not in used and word not in _SMALL_TALK]
    if not taken or len(rest) > 1 + len(taken) or any(_names(word, known) for word in rest) or _article(words, taken):
        return Choice()
    return Choice(tuple(known[index].id for index in sorted(taken)), 0.95 if not rest else 0.7)


def _index(key: str, count: int) -> int | None:
    """The place in the list that a key of the phrasebook names."""
    if key == "middle":
        return count // 2 if count % 2 else None
    if not key.lstrip("-").isdigit():
        return None
    index = int(key) - 1 if int(key) > 0 else count + int(key)
    return index if 0 <= index < count else None


def _longest_spans(places: list[tuple[int, int, int]]) -> dict[int, tuple[int, int]]:
    """A place inside a longer one is not meant: "one" in "the second one", "second" in "second to last"."""
    whole: dict[int, tuple[int, int]] = {}
    for index, start, end in sorted(places, key=lambda place: place[1]):
        first, last = whole.get(index, (start, end))
        whole[index] = (first, max(last, end)) if start <= last else (first, last)
    taken: dict[int, tuple[int, int]] = {}
    for index, (start, end) in sorted(whole.items(), key=lambda entry: entry[1][0] - entry[1][1]):
        if not any(first < end and start < last for first, last in taken.values()):
            taken[index] = (start, end)
    return taken


def _article(words: list[str], taken: dict[int, tuple[int, int]]) -> bool:
    """ "a", "un", "una" beside other words are no choice."""
    weak = {"a", "un", "une", "una", "uno", "one", "b", "c", "d", "e"}
    only = {word for start, end in taken.values() for word in words[start:end]}
    return len(words) > len(taken) + 1 and only <= weak


def _names(word: str, known: tuple[_Known, ...]) -> bool:
    return len(word) > 2 and any(word in phrase for option in known for phrase in option.phrases)


def _by_word(words: list[str], known: tuple[_Known, ...], hits: list[Hit]) -> Choice:
    """Options of which a whole phrase, or words no other option has, stand in the text; denied ones are left out."""
    denied = [hit.end for hit in hits if hit.key == "not"]
    scores: dict[str, float] = {}
    for option in known:
        best = max((_overlap(words, phrase, known, option, denied) for phrase in option.phrases), default=0.0)
        if best:
            scores[option.id] = best
    if not scores:
        return Choice()
    top = max(scores.values())
    ids = tuple(option.id for option in known if scores.get(option.id, 0.0) >= min(top, 0.8) and option.id in scores)
    if len(ids) > 1 and top == 1.0:
        ids = tuple(one for one in ids if scores[one] == 1.0 or not _inside(one, ids, known))
    return Choice(ids, 0.9 if top >= 0.8 else 0.65)


def _inside(one: str, ids: tuple[str, ...], known: tuple[_Known, ...]) -> bool:
    """Whether all of an option's words belong to a longer option that is meant as well."""
    own = next(option for option in known if option.id == one)
    others = [option for option in known if option.id in ids and option.id != one]
    return any(set(phrase) < set(other) for phrase in own.phrases for rest in others for other in rest.phrases)


def _overlap(
    words: list[str], phrase: tuple[str, ...], known: tuple[_Known, ...], own: _Known, denied: list[int]
) -> float:
    """1.0 whole phrase in a row · 0.8 all its telling words · 0.6 a telling word of its own."""
    size = len(phrase)
    for start in range(len(words) - size + 1):
        if tuple(words[start : start + size]) == phrase and (size > 1 or len(phrase[0]) > 1):
            return 0.0 if _denied(words, start, denied) else 1.0
    telling = [word for word in phrase if word not in _SMALL_TALK and len(word) > 2]
    there = [place for place, word in enumerate(words) for meant in telling if _alike(word, meant)]
    if not there or all(_denied(words, place, denied) for place in there):
        return 0.0
    if len(there) >= len(telling):
        return 0.8
    alone = [place for place in there if not _shared(words[place], known, own)]
    return 0.6 if alone else 0.0


def _denied(words: list[str], start: int, denied: list[int]) -> bool:
    """A "not" stands right before, or only small words between: "not the first"."""
    return any(end <= start and set(words[end:start]) <= _SMALL_TALK for end in denied)


def _shared(word: str, known: tuple[_Known, ...], own: _Known) -> bool:
    return any(word in phrase for option in known if option.id != own.id for phrase in option.phrases)


def _alike(word: str, meant: str) -> bool:
    if word == meant:
        return True
    if len(word) > 4 and len(meant) > 4 and word[:4] == meant[:4]:
        shorter, longer = sorted((word, meant), key=len)
        if longer.startswith(shorter) and len(longer) - len(shorter) <= 3:
            return True
    return len(word) > 3 and near(word, meant)


def _by_many(words: list[str], known: tuple[_Known, ...], hits: list[Hit], several: bool) -> Choice:
    mostly = [hit for hit in hits if (hit.end - hit.start) * 2 >= len(words)]
    keys = {hit.key for hit in mostly}
    everything = tuple(option.id for option in known if option.kind != "none")
    if "none" in keys:
        other = [option.id for option in known if option.kind == "none"]
        return Choice((other[0],), 0.9) if len(other) == 1 else Choice((), 0.9, none=True)
    if "both" in keys and len(everything) == 2:
        return Choice(everything, 0.9)
    if several and any(hit.key == "all" for hit in hits):
        denied = next((hit for hit in hits if hit.key == "not"), None)
        left_out = _by_word(words[denied.end :], known, []).ids if denied else ()
        if left_out or "all" in keys:
            return Choice(tuple(one for one in everything if one not in left_out), 0.9)
    if "any" in keys and several is False and "all" not in keys:
        return Choice((known[0].id,), 0.6)
    return Choice()


def _by_yes(words: list[str], known: tuple[_Known, ...]) -> Choice:
    meant = {option.kind: option.id for option in known if option.kind in ("yes", "no")}
    said = yes_or_no(words) if meant else ""
    return Choice((meant[said],), 0.9) if said in meant else Choice()


def _by_slip(words: list[str], known: tuple[_Known, ...]) -> Choice:
    """The whole reply as a misspelt label."""
    text = " ".join(words)
    ids = tuple(option.id for option in known if any(near(text, " ".join(phrase)) for phrase in option.phrases))
    return Choice(ids, 0.75) if ids else Choice()


@lru_cache(maxsize=512)
def _known(options: tuple[Option, ...]) -> tuple[_Known, ...]:
    return tuple(_Known(option.id, _phrases(option), _kind(option)) for option in options)


def _phrases(option: Option) -> tuple[tuple[str, ...], ...]:
    said = [option.label, option.id.replace("_", " ").replace("-", " "), *option.says]
    return tuple(dict.fromkeys(phrase for text in said if (phrase := tuple(plain(fold(text))))))


def _kind(option: Option) -> str:
    """Whether an option itself says yes, no or none ("Yes, please", "Nein", "Something else")."""
    for words in (plain(fold(option.label)), plain(fold(option.id))):
        text = " ".join(words)
        for key in ("yes", "no", "none"):
            if text in _short(key) or (words and words[0] in _OPENERS.get(key, ())):
                return key
    return ""


_OPENERS = {"yes": ("yes", "ja", "oui", "si"), "no": ("no", "nein", "non"), "none": ("other", "autre", "otro", "otra")}


@lru_cache(maxsize=8)
def _short(key: str) -> frozenset[str]:
    found = {phrase.split("(")[0].strip() for language in LANGUAGES for phrase in lists("choices", language)[key]}
    return frozenset(" ".join(plain(fold(one))) for one in found if one)
