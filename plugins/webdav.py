"""WebDAV (RFC 4918) for adapters: addresses that stay with the owner's server, XML that can do no harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from publicsuffixlist import PublicSuffixList

from plugins.errors import ConfigError, NotFound, Permanent, PluginError, QuotaExhausted, Transient
from plugins.http import Http, Reply

DAV = "{DAV:}"
MULTI_STATUS = 207
REDIRECTS = (301, 302, 307, 308)
HOPS = 5


@dataclass(frozen=True)
class Resource:
    """What a multi-status answer says about one address. `props` are those the server has, by "{namespace}name"; `base`
    is the address that was asked."""

    href: str
    status: int = 200
    props: Mapping[str, Element] = field(default_factory=dict)
    base: str = ""

    def text(self, name: str) -> str:
        """The text of a property, "" when the server does not have it."""
        found = self.props.get(name)
        return (found.text or "") if found is not None else ""

    def hrefs(self, name: str) -> list[str]:
        """The whole addresses inside a property: as written they are relative to what was asked (RFC 4918 8.3)."""
        found = self.props.get(name)
        return [] if found is None else [_whole(self.base, one.text) for one in found.iter(f"{DAV}href") if one.text]

    def names(self, name: str) -> set[str]:
        """The names of all elements inside a property."""
        found = self.props.get(name)
        return set() if found is None else {one.tag for one in found.iter()}


class WebDav:
    """One server, signed in with a password. Addresses are written as a path when they are on it, else whole."""

    def __init__(self, http: Http, url: str, user: str, password: str) -> None:
        self._http = http
        self.url = url if urlsplit(url).path else f"{url}/"
        self._auth = (user.encode(), password.encode()) if user or password else None

    def at(self, href: str) -> str:
        """The whole address of what the server calls `href`. ConfigError when it leads to somebody else's host."""
        whole = urljoin(self.url, href)
        parts, own = urlsplit(whole), urlsplit(self.url)
        if parts.hostname == own.hostname:  # a server behind a proxy may not know how it is reached
            return urlunsplit((own.scheme, own.netloc, _spelled(parts.path), "", ""))
        if not (parts.scheme == "https" and _same_owner(parts.hostname or "", own.hostname or "")):
            raise ConfigError(
                f"{own.hostname} leads to {parts.scheme}://{parts.hostname}, which is not its own",
                user_message=f"The server sends us to {parts.hostname}. Please give that address instead.",
            )
        return urlunsplit((parts.scheme, parts.netloc, _spelled(parts.path), "", ""))

    def path(self, href: str) -> str:
        """One spelling for what the server may spell in several ways."""
        whole, own = urlsplit(self.at(href)), urlsplit(self.url)
        return whole.path if (whole.scheme, whole.netloc) == (own.scheme, own.netloc) else urlunsplit(whole)

    def find(self, operation: str, href: str, props: str, *, depth: int = 0) -> list[Resource]:
        """PROPFIND. `props` are elements such as `<displayname/>`, in the namespaces of `xml`. Follows redirects."""
        headers = {"Depth": str(depth)}
        body = xml("propfind", f"<prop>{props}</prop>")
        for _ in range(HOPS):
            reply = self.send(operation, "PROPFIND", href, body, headers=headers, welcome=REDIRECTS)
            if reply.status not in REDIRECTS:
                return self.resources(reply)
            href = urljoin(self.at(href), reply.headers.get("location", ""))
            self._hold_to_scheme(href)
        raise ConfigError(f"{href}: redirects without end")

    def _hold_to_scheme(self, target: str) -> None:
        parts, own = urlsplit(target), urlsplit(self.url)
        if (own.scheme, parts.scheme, parts.hostname) == ("http", "https", own.hostname):
            said = "The server wants an encrypted connection: please give its address with https://."
            raise ConfigError(said, user_message=said)

    def report(self, operation: str, href: str, body: str, *, depth: int = 1, judge: Any = None) -> Reply:
        return self.send(operation, "REPORT", href, body, headers={"Depth": str(depth)}, judge=judge)

    def send(
        self,
        operation: str,
        method: str,
        href: str,
        body: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        kind: str = "application/xml",
        judge: Callable[[Reply], PluginError | None] | None = None,
        welcome: tuple[int, ...] = (),
    ) -> Reply:
        """Any request. A server that is full is QuotaExhausted; preconditions it names are in `vendor_code`."""
        typed = {"Content-Type": f"{kind}; charset=utf-8"} if body else {}
        return self._http.call(
            operation,
            method,
            self.at(href),
            data=body.encode() or None,
            headers={**typed, **(headers or {})},
            auth=self._auth,
            judge=lambda reply: (judge(reply) if judge else None) or _full(reply),
            welcome=welcome,
        )

    def resources(self, reply: Reply) -> list[Resource]:
        """What a 207 answer lists. NotFound when it says so of the one address asked for; Permanent for other answers:
        what is no WebDAV server answers 200 with a page."""
        if reply.status != MULTI_STATUS:
            raise Permanent(f"{reply.call.place()}: {reply.status} is no answer of WebDAV", http_status=reply.status)
        tree = parsed(reply)
        if tree.tag != f"{DAV}multistatus":
            raise Transient(f"{reply.call.place()}: the answer is a {tree.tag[:50]}", http_status=reply.status)
        found = [self._resource(one, reply.call.url) for one in tree.findall(f"{DAV}response")]
        if len(found) == 1 and found[0].status == 404 and reply.call.method == "PROPFIND":
            raise NotFound(f"{reply.call.place()}: 404 inside the answer", http_status=404)
        return found

    def _resource(self, response: Element, asked: str) -> Resource:
        href = self.path(_whole(asked, response.findtext(f"{DAV}href") or ""))
        status = _status(response.findtext(f"{DAV}status"))
        return Resource(href, status, {prop.tag: prop for prop in _present(response)}, asked)


def xml(name: str, inside: str) -> str:
    """A request body: elements without prefix are DAV's, `C:` is CalDAV."""
    spaces = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    return f'<?xml version="1.0" encoding="utf-8"?>\n<{name} {spaces}>{inside}</{name}>'


def parsed(reply: Reply) -> Element:
    """The answer as a tree. Half an answer is Transient; a document type is Permanent: no entity is ever expanded."""
    try:
        tree: Element = fromstring(reply.body, forbid_dtd=True)
    except DefusedXmlException as error:
        raise Permanent(f"{reply.call.place()}: {type(error).__name__}", http_status=reply.status) from None
    except (ParseError, LookupError, ValueError):
        raise Transient(f"{reply.call.place()}: the answer is no XML", http_status=reply.status) from None
    return tree


def preconditions(reply: Reply) -> dict[str, list[str]]:
    """What a refusal gives as its reasons (RFC 4918 16): {name without namespace: addresses it names}."""
    if "xml" not in reply.headers.get("content-type", "") or not reply.body:
        return {}
    try:
        tree = parsed(reply)
    except (Permanent, Transient):
        return {}
    reasons = list(tree) if tree.tag == f"{DAV}error" else []
    return {
        one.tag.rpartition("}")[2]: [href.text.strip() for href in one.iter(f"{DAV}href") if href.text]
        for one in reasons
    }


def _whole(asked: str, href: str) -> str:
    """iCloud's homes lie on a host of their own, which answers with bare paths."""
    return urljoin(asked, href.strip())


def _present(response: Element) -> Iterator[Element]:
    for stat in response.findall(f"{DAV}propstat"):
        if _status(stat.findtext(f"{DAV}status")) == 200:
            for prop in stat.findall(f"{DAV}prop"):
                yield from prop


def _status(line: str | None) -> int:
    """The number in "HTTP/1.1 404 Not Found"; 200 when there is none."""
    words = (line or "").split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 200


def _full(reply: Reply) -> PluginError | None:
    if reply.status != 507:
        return None
    return QuotaExhausted(f"{reply.call.place()}: 507", http_status=507, user_message="The server has no room left.")


def _spelled(path: str) -> str:
    """The path with as few escapes as it can have: servers write the same one in different ways."""
    return "/".join(quote(unquote(part), safe="@:!$&'()*+,;=~") for part in path.split("/"))


def _same_owner(host: str, other: str) -> bool:
    """Whether two hosts are of one registered domain, such as caldav.icloud.com and p34-caldav.icloud.com."""
    domain = _domain(host)
    return domain is not None and domain == _domain(other)


def _domain(host: str) -> str | None:
    """The registered domain, None when there is none: an IP address, in whatever spelling, belongs to no domain."""
    name = host.lower().rstrip(".")
    if ":" in name or not name.rpartition(".")[2][:1].isalpha():  # no top-level domain begins with a digit
        return None
    return _suffixes().privatesuffix(name)


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
