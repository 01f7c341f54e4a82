"""Finds in a request what belongs among the secrets, and puts `{{secret.NAME}}` in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from httpstep.core import jsontext
from httpstep.core.authentication import kind_of
from httpstep.core.errors import UnreadableAnswer
from httpstep.core.masking.paths import token_in_path
from httpstep.core.masking.redaction import MASK, is_credential_header, without_scheme
from httpstep.core.private import Private
from httpstep.core.regex import regex
from httpstep.core.step.spec import ROW_MODES, Body, Pair, RequestSpec

_HOST: Final = regex(r"[A-Za-z]+://([^/?#]+)")
_PARAMETER: Final = regex(
    r"(?:api|app|access|auth|private|secret|client|bot)?[_.-]?"
    r"(?:key|token|secret|password|passwd|pwd|appid)|apikey|sig",
    re.IGNORECASE,
)
_IN_JSON: Final = regex(r'("([^"\\]{1,60})"\s*:\s*")((?:[^"\\]|\\.)+)(?=")')
_TOO_GENERAL: Final = frozenset({"key", "sig"})
"""Members of JSON that hold anything."""
_IN_QUERY: Final = regex(r"(?<=[?&])([^=&#]+)=([^&#]+)")


_NAMELESS: Final = "API_"


class Credential(Private, frozen=True):
    """A value to keep as the secret `name`, a suggestion like "STRIPE_KEY"; `place` is where it stands."""

    name: str
    value: str
    place: str


class CredentialCandidate(NamedTuple):
    """A value in a place for credentials: `what` is the last word of a secret's name ("TOKEN")."""

    place: str
    what: str
    value: str


def credentials_of(request: RequestSpec) -> tuple[Credential, ...]:
    """What looks like a credential and is no placeholder, each value once, names distinct."""
    named = Names(request.url)
    found: dict[str, Credential] = {}
    for place, what, value in candidates(request):
        if value and "{{" not in value and MASK not in value and value not in found and not is_placeholder(value):
            found[value] = Credential(named.next(what), value, place)
    return tuple(found.values())


def with_secrets(request: RequestSpec, credentials: Sequence[Credential]) -> RequestSpec:
    """The request with each credential's value replaced by its placeholder, in the places for credentials."""
    return with_values(request, {one.value: f"{{{{secret.{one.name}}}}}" for one in credentials})


def with_values(request: RequestSpec, values: dict[str, str]) -> RequestSpec:
    """The request with `values` in the places for credentials: what stands there -> what shall stand there."""
    auth = request.auth
    members = {place[5:]: values[value] for place, _, value in _in_auth(request) if value in values}
    headers = tuple(_row(pair, values) if is_credential_header(pair.name) else pair for pair in request.headers)
    url = _IN_QUERY.sub(
        lambda found: f"{found[1]}={values.get(found[2], found[2]) if _PARAMETER.fullmatch(found[1]) else found[2]}",
        _in_path(request.url, values),
    )
    fields = tuple(_row(pair, values) if _PARAMETER.fullmatch(pair.name) else pair for pair in request.body.fields)
    body = replace(_with_json(request.body, values), fields=fields)
    return replace(request, url=url, headers=headers, auth=auth.having(**members) if members else auth, body=body)


def _in_path(url: str, values: dict[str, str]) -> str:
    token = token_in_path(url)
    return url.replace(token, values[token]) if token in values else url


def _with_json(body: Body, values: dict[str, str]) -> Body:
    def one(found: re.Match[str]) -> str:
        value = _unquoted(found[3])
        return found[1] + (_quoted(values[value]) if _is_proof(found[2]) and value in values else found[3])

    text = _IN_JSON.sub(one, _json_text(body))
    return replace(body, variables=text) if body.mode == "graphql" else replace(body, text=text) if text else body


def _quoted(value: str) -> str:
    return jsontext.dumps_text(value)[1:-1]


def _unquoted(text: str) -> str:
    """The value of a text in JSON, given without its quotes."""
    try:
        return str(jsontext.loads(f'"{text}"'))
    except UnreadableAnswer:
        return text


def _is_proof(member: str) -> bool:
    return _PARAMETER.fullmatch(member) is not None and member.lower() not in _TOO_GENERAL


def _json_text(body: Body) -> str:
    """What the body sends as JSON, as it is typed."""
    return {"json": body.text, "graphql": body.variables}.get(body.mode, "")


def _row(pair: Pair, values: dict[str, str]) -> Pair:
    rest = without_scheme(pair.value)
    return Pair(pair.name, pair.value[: len(pair.value) - len(rest)] + values[rest]) if rest in values else pair


def candidates(request: RequestSpec) -> Iterator[CredentialCandidate]:
    """What stands in places for credentials, placeholders too."""
    yield from _in_auth(request)
    for index, pair in enumerate(request.headers):
        if is_credential_header(pair.name):
            what = {"cookie": "COOKIE", "authorization": "TOKEN"}.get(pair.name.lower(), "KEY")
            yield CredentialCandidate(f"headers[{index}].value", what, without_scheme(pair.value))
    for found in _IN_QUERY.finditer(request.url):
        if _PARAMETER.fullmatch(found[1]):
            yield CredentialCandidate("url", "KEY", found[2])
    if token := token_in_path(request.url):
        yield CredentialCandidate("url", "TOKEN", token)
    for index, pair in enumerate(request.body.fields if request.body.mode in ROW_MODES else ()):
        if _PARAMETER.fullmatch(pair.name):
            yield CredentialCandidate(f"body.fields[{index}].value", "KEY", pair.value)
    for _, name, value in _IN_JSON.findall(_json_text(request.body)):
        if _is_proof(name):
            yield CredentialCandidate("body.text", _word(name), _unquoted(value))


def _word(name: str) -> str:
    lowered = name.lower()
    return "PASSWORD" if "pass" in lowered or "pwd" in lowered else "TOKEN" if "token" in lowered else "KEY"


def _in_auth(request: RequestSpec) -> Iterator[CredentialCandidate]:
    auth = request.auth
    for member in kind_of(auth).members:
        if member.secret:
            what = member.label.upper().replace(" ", "_")
            yield CredentialCandidate(f"auth.{member.name}", what, auth[member.name])
    if auth.type == "basic" and not auth["password"]:
        yield CredentialCandidate("auth.username", "KEY", auth["username"])


class Names:
    """Names for secrets after the host of an address: STRIPE_KEY, STRIPE_KEY_2, …"""

    def __init__(self, url: str) -> None:
        self._prefix = _prefix(url)
        self._used: dict[str, int] = {}

    def next(self, what: str) -> str:
        number = self._used[what] = self._used.get(what, 0) + 1
        name = what if what.startswith(self._prefix) else f"{self._prefix}{what}"
        return name if number == 1 else f"{name}_{number}"


def _prefix(url: str) -> str:
    """ "STRIPE_" of https://api.stripe.com/…; "API_" where the host gives no name: KEY alone says nothing later."""
    found = _HOST.match(url)
    host = (found[1] if found else "").rpartition("@")[2].split(":")[0]
    labels = [label for label in host.split(".") if label]
    if host in ("", "localhost") or not all(re.fullmatch(r"[A-Za-z0-9-]+", label) for label in labels[-2:]):
        return _NAMELESS
    national = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    name = re.sub(r"[^A-Z0-9]", "_", labels[-min(3 if national else 2, len(labels))].upper())
    return f"{name}_" if re.match(r"[A-Z]", name) and len(name) <= 40 else _NAMELESS


# ---------------------------------------------------------------- placeholders

_WORD: Final = "token|key|secret|password|passwd|pass|pwd|sid|id|credentials?|bearer|jwt|username|user"
_PLACEHOLDERS: Final = (
    regex(
        r"<{1,2}[^<>]+>{1,2}|(?<!\{)\{[^{}]+\}(?!\})|\[[A-Za-z][^\[\]]*\]|:[A-Za-z_]\w*|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%"
    ),
    regex(r"(?:.*[_-])?(?:x{3,}|X{3,})|.*(?:x{4,}|X{4,}|\*{3,}|\.{3,}|…).*"),
    regex(r"(?:your|my|insert|enter|replace|put|paste|add|change)[-_ ].*", re.IGNORECASE),
    regex(rf".*your[-_ ]?(?:[A-Za-z0-9]+[-_ ])*(?:{_WORD}).*|.*(?:goes|token|key)[-_ ]?here", re.IGNORECASE),
    regex(rf"(?:[A-Z]+[-_ ])*(?:{_WORD.upper()})(?:[-_ ][A-Z]+)*"),
    regex(
        rf"(?:(?:access|api|auth|bearer|bot|client|app|user|secret|private|the|some|oauth)[-_ ]?)*(?:{_WORD})",
        re.IGNORECASE,
    ),
    regex(r"(?:\w+[-_.])?<[^<>]+>|(?:\w+[-_.])(?<!\{)\{[^{}]+\}(?!\})"),
)
MAX_PLACEHOLDER: Final = 200


def is_placeholder(value: str) -> bool:
    """Whether a documentation's words stand here and no credential: <token>, YOUR_API_KEY, {access_token}, $TOKEN,
    xxxx, :id, sk_live_..."""
    return len(value) <= MAX_PLACEHOLDER and any(one.fullmatch(value.strip()) for one in _PLACEHOLDERS)
