"""StepSpec + attributes + secrets -> RenderedRequest: the request exactly as it goes out, or the reason it cannot.

Every place has its own encoder (`encoders`, `urls`, `jsonbodies`), so a value can never change more than the place
it stands in. A value is inserted once; what it contains is never looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from httpstep.core.authentication import Proof, kind_of
from httpstep.core.authentication.oauth2_client_credentials import NO_VALUES, token_request
from httpstep.core.errors import InvalidRequest
from httpstep.core.exchange import RenderedRequest
from httpstep.core.inserting import headers, secrethosts
from httpstep.core.inserting.placeholders import SECRET_PREFIX, PlaceholderFault, names_in
from httpstep.core.inserting.secrethosts import Hosts
from httpstep.core.inserting.texts import filled_header, filled_url
from httpstep.core.inserting.urlhosts import UrlFault
from httpstep.core.inserting.urls import compile_url
from httpstep.core.inserting.values import Position, Values
from httpstep.core.jsontext import Json
from httpstep.core.masking.paths import token_in_path
from httpstep.core.masking.redaction import is_credential_header, without_scheme
from httpstep.core.request.bodies import RenderedBody, Rows, field_rows, rendered_body
from httpstep.core.request.contenttypes import contradictions
from httpstep.core.request.requestcheck import fields_go_in, sent_texts
from httpstep.core.step.spec import (
    METHODS,
    ROW_MODES,
    RequestSpec,
    StepSpec,
)

__all__ = ["attributes_used", "render", "secrets_used", "token_request"]


def render(
    spec: StepSpec,
    attributes: Mapping[str, Json],
    *,
    secrets: Mapping[str, str],
    hosts: Mapping[str, Hosts] = NO_VALUES,
    defaults: Mapping[str, Json] = NO_VALUES,
    token: str | None = None,
) -> RenderedRequest:
    """The request of one call. `defaults`: the attribute catalogue's. `token`: what the token request brought (OAuth 2).

    `hosts`: where each secret may be sent; one that is not in it may be sent nowhere, and neither may what it brings.

    Header names are distinct, rows of one name are joined; what `transport` adds itself (Host, Content-Length,
    Accept-Encoding, and User-Agent and Accept where the step has none) is not in it. Without a `token` an OAuth 2
    step renders without Authorization, and a warning says so.

    Raises InvalidRequest, reason: missing_attribute, conversion, unknown_secret, secret_host, placeholder, method, url, header, json,
    auth, too_long (URL, header), too_large (body).
    """
    values = Values(attributes, secrets=secrets, defaults=defaults, missing=spec.missing_attributes)
    request = _Rendering(spec.request, values).request(token, spec.follow_redirects)
    secrethosts.require(request.url, values.carried, hosts, spec.request.url, Position("url", "the URL"))
    return request


def attributes_used(spec: StepSpec) -> list[str]:
    """The attributes the request needs, each once, in the order of the form, and those of the mapping's queries. What
    is not sent does not count."""
    queried = [name for rule in spec.mapping or () if rule.on and rule.jsonpath for name in names_in(rule.jsonpath)]
    return [name for name in dict.fromkeys([*_names_used(spec), *queried]) if not name.startswith(SECRET_PREFIX)]


def secrets_used(spec: StepSpec) -> list[str]:
    """The names of the secrets the request needs, without `secret.`."""
    return [name.removeprefix(SECRET_PREFIX) for name in _names_used(spec) if name.startswith(SECRET_PREFIX)]


def secrets_in_address(spec: StepSpec) -> list[str]:
    """The secrets that make scheme, host or port of the step's URL or of its token's address."""
    texts = [text for place, text in sent_texts(spec.request) if place in ("url", "auth.token_url")]
    return list(dict.fromkeys(name for text in texts for name in secrethosts.secrets_before_path(text)))


def _names_used(spec: StepSpec) -> list[str]:
    names: list[str] = []
    for place, text in sent_texts(spec.request):
        names += _names_in_url(text) if place in ("url", "auth.token_url") else names_in(text)
    return list(dict.fromkeys(names))


def _names_in_url(text: str) -> list[str]:
    try:
        return [placeholder.name for placeholder in compile_url(text).placeholders]
    except (UrlFault, PlaceholderFault):
        return names_in(text)


class _Rendering:
    """One request on its way: its values, and what the preview says about them."""

    def __init__(self, request: RequestSpec, values: Values) -> None:
        self._request = request
        self._values = values
        self._warnings: list[str] = []

    def request(self, token: str | None, follow_redirects: bool) -> RenderedRequest:
        spec, values = self._request, self._values
        if spec.method not in METHODS:
            raise InvalidRequest(f"The method must be one of {', '.join(METHODS)}.", reason="method", place="method")
        proven = kind_of(spec.auth).proof(spec.auth, values, token)
        fields = field_rows(spec.body, values) if spec.body.mode in ROW_MODES else []
        in_url = fields_go_in(spec.method, spec.body.mode, spec.body.send_fields_in) == "url"
        query = (*fields, *proven.query) if in_url else proven.query
        url, warnings = filled_url(spec.url, values, query, Position("url", "the URL"))
        self._note_credentials(url)
        rows = self._typed_headers()
        body = rendered_body(spec.body, [] if in_url else fields, values)
        rows = self._headers(rows, body, proven)
        return RenderedRequest(
            method=spec.method,
            url=url,
            headers=tuple(rows),
            body=body.data,
            follow_redirects=follow_redirects,
            secrets=frozenset(values.secrets_used),
            warnings=(*warnings, *self._warnings, *body.warnings, *proven.warnings),
            filled_empty=tuple(values.filled_empty),
        )

    def _note_credentials(self, url: str) -> None:
        """A parameter that is named like a header with a credential is one too, typed or stored."""
        self._values.credential(token_in_path(url))
        query = url.partition("?")[2]
        for name, value in parse_qsl(query) if query else ():
            if is_credential_header(name):
                self._values.credential(value)

    # ------------------------------------------------------------ headers

    def _headers(self, rows: Rows, body: RenderedBody, proven: Proof) -> Rows:
        for name, _ in proven.headers:
            rows = self._without(name, rows, "Authentication sets it")
        if self._request.body.mode == "multipart" and body.content_type:
            rows = self._without("Content-Type", rows, "the form sets it, with the boundary of its parts")
        typed = next((value for name, value in rows if name.lower() == "content-type"), "")
        if body.data is not None and body.content_type:
            sent = typed or body.content_type
            self._warnings += contradictions(self._request.body.mode, sent, body.data)
        if body.content_type and not typed:
            rows = [*rows, ("Content-Type", body.content_type)]
        return (*rows, *proven.headers)

    def _without(self, name: str, rows: Rows, why: str) -> Rows:
        kept = [row for row in rows if row[0].lower() != name.lower()]
        if len(kept) < len(rows):
            self._warnings.append(f"The header “{name}” is not sent as typed: {why}.")
        return kept

    def _typed_headers(self) -> Rows:
        rows: list[tuple[str, str]] = []
        for index, pair in enumerate(self._request.headers):
            name = pair.name.strip()
            if not name and not pair.value:
                continue
            if fault := headers.name_fault(name):
                raise InvalidRequest(fault, reason="header", place=f"headers[{index}].name")
            if name.lower() in headers.OWN:
                self._warnings.append(f"The header “{name}” is not sent as typed: httpstep sets it itself.")
                continue
            value = self._typed_header(name, pair.value, f"headers[{index}].value")
            if value or pair.when_empty == "send":
                rows.append((name, value))
        kept, warnings = headers.one_of_each(rows)
        self._warnings += warnings
        return kept

    def _typed_header(self, name: str, template: str, path: str) -> str:
        value = filled_header(name, template, self._values, path)
        if is_credential_header(name):
            self._values.credential(without_scheme(value))
        return value
