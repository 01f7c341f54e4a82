"""The step document to StepSpec and back. Reading reports every fault at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from httpstep.core import addressees, statuses
from httpstep.core.conversion import CONVERSIONS
from httpstep.core.documentreader import Fault, Reader
from httpstep.core.jsontext import Json, Path
from httpstep.core.mapping import TAKES, check_rules
from httpstep.core.naming import name_faults
from httpstep.core.requestcheck import check_request
from httpstep.core.spec import METHODS, NO_DEFAULT, Auth, Body, MappingRule, Pair, RequestSpec, StepSpec
from httpstep.core.statuses import success
from httpstep.core.stepkey import KEY_RULE, is_key, key_from_name

__all__ = ["FORMAT", "DocumentError", "Fault", "dump", "key_from_name", "parse", "success"]

FORMAT: Final = "httpstep/1"
LONGEST_TIMEOUT: Final = 60
MOST_RETRIES: Final = 2
MOST_RULES: Final = 500
MOST_DICTIONARIES: Final = 100

_AUTH_MEMBERS: Final = {
    "none": (),
    "basic": ("username", "password"),
    "bearer": ("token",),
    "api_key": ("name", "value", "location"),
    "oauth2_client_credentials": ("token_url", "client_id", "client_secret", "scope"),
}


class DocumentError(Exception):
    """A document that cannot be taken. `faults`: all of them, in the document's order."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(" ".join(f"{fault.place}: {fault.message}" for fault in faults))
        self.faults = faults


def parse(document: Json, *, draft: bool = False) -> StepSpec:
    """The step a document describes; missing members take the defaults of `StepSpec`.

    draft: an empty name is taken too, for a step that is tested before it is saved. Raises DocumentError.
    """
    root = Reader(document, "", [])
    if root.faults:
        raise DocumentError(tuple(root.faults))
    spec = _step(root, draft)
    faults = root.faults + [fault for fault in _deeper_faults(spec) if not _is_covered(fault.place, root.faults)]
    if faults:
        raise DocumentError(tuple(faults))
    return spec


def dump(spec: StepSpec) -> dict[str, Json]:
    """The whole document, members in the documented order. `parse(dump(spec)) == spec`.

    `mapping` is left out where it was never set; a rule has its one source and `default` only where it has one.
    """
    request = spec.request
    document: dict[str, Json] = {
        "format": FORMAT,
        "key": spec.key,
        "name": spec.name,
        "request": {
            "method": request.method,
            "url": request.url,
            "headers": _pairs(request.headers),
            "auth": _auth_document(request.auth),
            "body": {
                "mode": request.body.mode,
                "fields": _pairs(request.body.fields),
                "send_fields_in": request.body.send_fields_in,
                "text": request.body.text,
                "content_type": request.body.content_type,
            },
        },
    }
    for member in ("missing_attributes", "success_statuses", "timeout", "follow_redirects", "retries", "retry_unsafe"):
        document[member] = getattr(spec, member)
    if spec.mapping is not None:
        document["mapping"] = dump_rules(spec.mapping)
    document["dictionaries"] = [list(path) for path in spec.dictionaries]
    document["fallback"] = spec.fallback
    document["alert_emails"] = list(spec.alert_emails)
    document["alert_on_drift"] = spec.alert_on_drift
    document["enabled"] = spec.enabled
    return document


def parse_rules(rules: Json) -> tuple[MappingRule, ...]:
    """The `mapping` member alone. Raises DocumentError."""
    root = Reader({"mapping": rules}, "", [])
    parsed = _mapping(root) or ()
    if root.faults:
        raise DocumentError(tuple(root.faults))
    return parsed


def dump_rules(rules: Sequence[MappingRule]) -> list[Json]:
    """Rules as the `mapping` member has them."""
    return [_rule_document(rule) for rule in rules]


def _deeper_faults(spec: StepSpec) -> Iterator[Fault]:
    """What is wrong with a request and rules whose types are right."""
    for place, sentence in check_request(spec.request):
        yield Fault(f"request.{place}", sentence)
    for index, member, sentence in check_rules(spec.mapping or ()):
        yield Fault(f"mapping[{index}].{member}", sentence)


def _is_covered(place: str, faults: list[Fault]) -> bool:
    """Whether a fault was found there or around it already, so that a default stands there that nobody wrote."""
    return any(place == fault.place or place.startswith((f"{fault.place}.", f"{fault.place}[")) for fault in faults)


# ---------------------------------------------------------------- writing


def _pairs(pairs: tuple[Pair, ...]) -> list[Json]:
    return [{"name": pair.name, "value": pair.value} for pair in pairs]


def _auth_document(auth: Auth) -> dict[str, Json]:
    """The members of its type, and whatever else was typed before the type was changed."""
    document: dict[str, Json] = {"type": auth.type}
    for member in Auth.__slots__:
        value = getattr(auth, member)
        if member != "type" and (member in _AUTH_MEMBERS[auth.type] or value != getattr(Auth(), member)):
            document["in" if member == "location" else member] = value
    return document


def _rule_document(rule: MappingRule) -> dict[str, Json]:
    document: dict[str, Json] = {}
    if rule.path is not None:
        document["path"] = list(rule.path)
    if rule.jsonpath is not None:
        document["jsonpath"] = rule.jsonpath
    if rule.call is not None:
        document["call"] = rule.call
    document |= {"attribute": rule.attribute, "take": rule.take, "convert": rule.convert}
    if rule.default is not NO_DEFAULT:
        document["default"] = rule.default
    return document | {"on": rule.on}


# ---------------------------------------------------------------- reading


def _step(root: Reader, draft: bool) -> StepSpec:
    if root.text("format", FORMAT) != FORMAT:
        root.fault("format", f"This is not a document of format {FORMAT}.")
    spec = StepSpec(
        key=_key(root),
        name=_name(root, draft),
        request=_request(root.object("request")),
        missing_attributes=root.word("missing_attributes", ("error", "empty"), "error"),
        success_statuses=_statuses(root),
        timeout=_timeout(root),
        follow_redirects=root.flag("follow_redirects", True),
        retries=_retries(root),
        retry_unsafe=root.flag("retry_unsafe", False),
        mapping=_mapping(root),
        dictionaries=root.each("dictionaries", _path, MOST_DICTIONARIES),
        fallback=root.word("fallback", ("continue", "stop"), "stop"),
        alert_emails=_emails(root),
        alert_on_drift=root.flag("alert_on_drift", False),
        enabled=root.flag("enabled", True),
    )
    root.end()
    return spec


def _key(root: Reader) -> str:
    key = root.text("key")
    if key and not is_key(key):
        root.fault("key", KEY_RULE)
    return key


def _name(root: Reader, draft: bool) -> str:
    faults_before = len(root.faults)
    name = root.text("name").strip()
    if len(root.faults) > faults_before:
        return ""
    for sentence in name_faults(name, "step") if name or not draft else ():
        root.fault("name", sentence)
    return name


def _statuses(root: Reader) -> str:
    text = root.text("success_statuses", "200-299").strip()
    if sentence := statuses.fault_in(text):
        root.fault("success_statuses", sentence)
    return text


def _timeout(root: Reader) -> Decimal | int:
    value: Decimal | int = root.take("timeout", "number", LONGEST_TIMEOUT)
    if not 0 < value <= LONGEST_TIMEOUT:
        root.fault("timeout", f"The timeout must be more than 0 and at most {LONGEST_TIMEOUT} seconds.")
        return LONGEST_TIMEOUT
    return value


def _retries(root: Reader) -> int:
    value: Decimal | int = root.take("retries", "number", 0)
    if not isinstance(value, int) or not 0 <= value <= MOST_RETRIES:
        root.fault("retries", f"“retries” must be 0, 1 or {MOST_RETRIES}.")
        return 0
    return value


def _emails(root: Reader) -> tuple[str, ...]:
    values: list[Json] = root.take("alert_emails", "array", [])
    if not all(isinstance(value, str) for value in values):
        root.fault("alert_emails", "“alert_emails” must be a list of texts, one address each.")
        return ()
    emails = tuple(value.strip(" \t") for value in values)
    for index, sentence in addressees.faults_in(emails):
        root.fault(f"alert_emails[{index}]", sentence)
    return emails


# ---------------------------------------------------------------- the request and the mapping


def _request(reader: Reader) -> RequestSpec:
    request = RequestSpec(
        method=reader.word("method", METHODS, "GET"),
        url=reader.text("url"),
        headers=reader.each("headers", _pair, 1000),
        auth=_auth(reader.object("auth")),
        body=_body(reader.object("body")),
    )
    reader.end()
    return request


def _pair(value: Json, place: str, faults: list[Fault]) -> Pair:
    reader = Reader(value, place, faults)
    pair = Pair(reader.text("name"), reader.text("value"))
    reader.end()
    return pair


def _auth(reader: Reader) -> Auth:
    texts = {member: reader.text(member) for member in Auth.__slots__ if member not in ("type", "location")}
    auth = Auth(
        type=reader.word("type", tuple(_AUTH_MEMBERS), "none"),
        location=reader.word("in", ("header", "query"), "header"),
        **texts,
    )
    reader.end()
    return auth


def _body(reader: Reader) -> Body:
    body = Body(
        mode=reader.word("mode", ("none", "query", "json", "raw"), "none"),
        fields=reader.each("fields", _pair, 1000),
        send_fields_in=reader.word("send_fields_in", ("auto", "url", "body"), "auto"),
        text=reader.text("text"),
        content_type=reader.text("content_type", "text/plain"),
    )
    reader.end()
    return body


def _mapping(root: Reader) -> tuple[MappingRule, ...] | None:
    if root.raw("mapping") is None:
        return None
    return root.each("mapping", _rule, MOST_RULES)


def _rule(value: Json, place: str, faults: list[Fault]) -> MappingRule:
    reader = Reader(value, place, faults)
    rule = MappingRule(
        attribute=reader.text("attribute"),
        path=_path(reader.raw("path"), reader.at("path"), faults) if reader.has("path") else None,
        jsonpath=reader.text("jsonpath") if reader.has("jsonpath") else None,
        call=reader.text("call") if reader.has("call") else None,
        take=reader.word("take", TAKES, "one"),
        convert=reader.word("convert", tuple(CONVERSIONS), "none"),
        default=reader.raw("default") if reader.has("default") else NO_DEFAULT,
        on=reader.flag("on", True),
    )
    reader.end()
    return rule


def _path(value: Json, place: str, faults: list[Fault]) -> Path:
    if not isinstance(value, list) or not all(_is_path_part(part) for part in value):
        faults.append(Fault(place, "A path is a list of names and of places in lists, counted from 0."))
        return ()
    return tuple(value)


def _is_path_part(part: Json) -> bool:
    return isinstance(part, str) or (isinstance(part, int) and not isinstance(part, bool) and part >= 0)
