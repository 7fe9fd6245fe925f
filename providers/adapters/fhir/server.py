"""Calls to a FHIR R4 server: read, search page by page, update by version, transaction (hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urljoin, urlsplit

from marketplace.core import clock
from providers.adapters import fields
from providers.adapters.fhir.options import Options
from providers.adapters.fhir.tokens import Tokens
from providers.adapters.http import Deadline, HttpClient, Reply
from providers.port import ComeBackLater, Connection, NotAuthorised, ProviderError

FHIR_JSON = "application/fhir+json"
MOST_PAGES = 50
"""Of a list that is read as a whole within one deadline."""

Resource = dict[str, Any]


class BadStatus(ProviderError):
    """An answer of a status that says nothing else to us."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class Gone(ProviderError):
    """There is no such resource (404), or no more (410)."""


class Conflict(ProviderError):
    """The resource has another version than the one that was to be changed (412, or 409): nothing was changed."""


@dataclass(frozen=True)
class Page:
    """A page of a search: its resources as they came, the link to the next one, and the server's time."""

    rows: list[Any]
    next: str | None
    at: datetime


class FhirServer:
    """One FHIR server. Every method has the deadline of the port's call that it serves. Raises NoAnswer,
    NotAuthorised, ComeBackLater, BadStatus, and ProviderError for an answer that is none."""

    def __init__(
        self, connection: Connection, options: Options, parse: Callable[[Reply], Resource] = Reply.json
    ) -> None:
        parts = urlsplit(connection.base_url.rstrip("/"))
        self._root, self._path = f"{parts.scheme}://{parts.netloc}", parts.path
        self._http = HttpClient(
            connection.provider,
            self._root,
            {"Accept": FHIR_JSON},
            connection.deadline_seconds,
            networks=connection.networks,
        )
        self._tokens = Tokens(connection, options)
        self._parse = parse

    @property
    def base(self) -> str:
        """The server's base address, without a slash at its end."""
        return self._root + self._path

    def deadline(self) -> Deadline:
        """A new deadline for one call of the port."""
        return self._http.deadline()

    def capability_statement(self, deadline: Deadline) -> Resource:
        """What the server says that it can do."""
        return self._json(self._call("GET", "/metadata", deadline))

    def read(self, kind: str, identity: str, deadline: Deadline) -> Resource:
        """A resource as it is now. Raises Gone."""
        found = self._json(self._call("GET", f"/{kind}/{quote(identity, safe='')}", deadline))
        if found.get("resourceType") != kind or found.get("id") != identity:
            raise ProviderError(f"another resource than {kind} that was asked for")
        return found

    def raw(self, path: str, accept: str, deadline: Deadline) -> Reply:
        """The content of an address below the base. Raises Gone, BadStatus."""
        reply = self._call("GET", path, deadline, headers={"Accept": accept})
        self._require(reply)
        return reply

    def search(self, kind: str, params: Mapping[str, str | list[str]], deadline: Deadline) -> Page:
        """The first page. The server shall refuse parameters that it does not know, since what it would tell without
        them is not meant for us."""
        return self._page(kind, self._call("GET", f"/{kind}", deadline, params=params, headers=_STRICT))

    def follow(self, kind: str, link: str, deadline: Deadline) -> Page:
        """The page that a link of the server leads to, below its own base. Raises ProviderError for another."""
        path, params = self._below_base(link)
        return self._page(kind, self._call("GET", path, deadline, params=params))

    def all(self, kind: str, params: Mapping[str, str | list[str]], deadline: Deadline) -> Iterator[Any]:
        """Every row of a search, page by page."""
        page = self.search(kind, params, deadline)
        for _ in range(MOST_PAGES):
            yield from page.rows
            if page.next is None:
                return
            page = self.follow(kind, page.next, deadline)
        raise ProviderError("a list without an end")

    def update(self, resource: Resource, deadline: Deadline) -> Resource:
        """Write a resource over the version that it was read as; as it is now. Raises Conflict, Gone."""
        kind, identity = resource["resourceType"], resource["id"]
        headers = {"Content-Type": FHIR_JSON, "If-Match": etag(resource), "Prefer": "return=representation"}
        path = f"/{kind}/{quote(identity, safe='')}"
        reply = self._call("PUT", path, deadline, payload=resource, headers=headers)
        if reply.status in (409, 412):
            raise Conflict(f"{kind} has another version")
        written = self._json(reply) if reply.body else self.read(kind, identity, deadline)
        return written if written.get("resourceType") == kind else self.read(kind, identity, deadline)

    def transaction(self, entries: list[dict[str, Any]], deadline: Deadline) -> list[Any]:
        """The entries of the answer, of whatever status each. Raises BadStatus for an answer to the whole."""
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        headers = {"Content-Type": FHIR_JSON, "Prefer": "return=representation"}
        reply = self._call("POST", "", deadline, payload=bundle, headers=headers)
        if reply.status not in (200, 201):
            raise BadStatus(reply.status)
        return fields.rows_at(reply.json(), "entry")

    # --- how ---------------------------------------------------------------------------------------------------------

    def _call(
        self,
        verb: str,
        path: str,
        deadline: Deadline,
        *,
        params: Mapping[str, Any] | None = None,
        payload: Resource | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The answer, of any status but 401, 403 and those that ask for a pause. One that refuses our token is asked
        once more with a new one: it did not look at the call."""
        step = path.split("/")[1] if path else "transaction"
        for again in (True, False):
            signed = self._tokens.header(deadline)
            reply = self._http.call(
                verb,
                self._path + path,
                deadline=deadline,
                params=params,
                payload=payload,
                headers={**(headers or {}), **signed},
                action=f"{verb} {step}",
            )
            if reply.status != 401 or not again or not self._tokens.refused(signed):
                break
        if reply.status in (401, 403):
            raise NotAuthorised(f"status {reply.status}")
        wait = reply.come_back(clock.now())
        if wait is not None and (verb == "GET" or reply.status == 429):  # a 503 says nothing about a command
            raise ComeBackLater(f"status {reply.status}", wait)
        return reply

    def _json(self, reply: Reply) -> Resource:
        self._require(reply)
        return self._parse(reply)

    @staticmethod
    def _require(reply: Reply) -> None:
        if reply.status in (404, 410):
            raise Gone(f"status {reply.status}")
        if reply.status not in (200, 201):
            raise BadStatus(reply.status)

    def _page(self, kind: str, reply: Reply) -> Page:
        body = self._json(reply)
        if body.get("resourceType") != "Bundle":
            raise ProviderError("an answer to a search that is no Bundle")
        rows = []
        for entry in fields.rows_at({"entry": [], **body}, "entry"):
            resource = entry.get("resource") if isinstance(entry, dict) else entry
            if isinstance(resource, dict) and resource.get("resourceType") not in (kind, None):
                continue  # an OperationOutcome about the search, or what was included
            rows.append(resource)
        links = [each for each in fields.rows_at({"link": [], **body}, "link") if isinstance(each, dict)]
        following = next((fields.text(each, "url") for each in links if each.get("relation") == "next"), None)
        return Page(rows, following, _told_at(reply))

    def _below_base(self, link: str) -> tuple[str, dict[str, list[str]]]:
        """Path below the base and parameters of a link of the server."""
        try:
            parts = urlsplit(urljoin(self.base + "/", link))
        except ValueError as error:
            raise ProviderError("a link that is none") from error
        path = parts.path.rstrip("/")
        steps = unquote(path).split("/")
        inside = path == self._path or path.startswith(self._path + "/")
        if f"{parts.scheme}://{parts.netloc}" != self._root or not inside or {".", ".."} & set(steps):
            raise ProviderError("a link that leads elsewhere")
        params: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            params.setdefault(name, []).append(value)
        return path[len(self._path) :], params

    def below_base(self, link: str) -> str | None:
        """The path below the base of an address without parameters; None if it leads elsewhere."""
        try:
            path, params = self._below_base(link)
        except ProviderError:
            return None
        return None if params else path


_STRICT = {"Prefer": "handling=strict"}


def etag(resource: Mapping[str, Any]) -> str:
    """The weak ETag of the version that a resource was read as. Raises ProviderError if it has none."""
    return f'W/"{fields.text(fields.object_at(resource, "meta"), "versionId")}"'


def _told_at(reply: Reply) -> datetime:
    """When the server answered, by its own clock if it says so."""
    try:
        told = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return clock.now()
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)
