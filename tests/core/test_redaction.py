"""Secrets are masked wherever they stand and however they were encoded."""

from __future__ import annotations

import base64
import html
import json
import quopri
import random
from collections.abc import Callable, Iterable
from time import process_time
from unittest.mock import patch
from urllib.parse import quote, quote_plus, unquote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpstep.core.authentication import Auth
from httpstep.core.masking import redaction
from httpstep.core.masking.redaction import (
    MASK,
    redact,
    redact_bytes,
    redact_pairs,
)
from httpstep.core.request.rendering import render
from httpstep.core.step.spec import (
    Body,
    Pair,
    RequestSpec,
    StepSpec,
)
from tests.core.timing import within

SECRET = 'sk/live+42?"a&b" <ü>\\x%=\''


def every(form: str) -> str:
    return "".join(form.format(byte) for byte in SECRET.encode())


ENCODINGS = {
    "raw": SECRET,
    "percent": quote(SECRET, safe=""),
    "percent, slash kept": quote(SECRET),
    "percent, as browsers do": quote(SECRET, safe="!'()*"),
    "percent, small hex": quote(SECRET, safe="")
    .replace("%2F", "%2f")
    .replace("%2B", "%2b")
    .replace("%C3%BC", "%c3%bc"),
    "percent, twice": quote(quote(SECRET, safe=""), safe=""),
    "form": quote_plus(SECRET),
    "form pair": urlencode({"key": SECRET}),
    "JSON": json.dumps(SECRET, ensure_ascii=False),
    "JSON, ASCII": json.dumps(SECRET),
    "JSON in JSON": json.dumps(json.dumps(SECRET)),
    "JSON, slash escaped": json.dumps(SECRET).replace("/", "\\/"),
    "JSON, safe for HTML": json.dumps(SECRET).replace("<", "\\u003C").replace(">", "\\u003e").replace("&", "\\u0026"),
    "HTML": html.escape(SECRET),
    "HTML, twice": html.escape(html.escape(SECRET)),
    "HTML, numbers": "".join(char if char.isalnum() and char.isascii() else f"&#{ord(char)};" for char in SECRET),
    "HTML, hex": "".join(char if char.isalnum() and char.isascii() else f"&#x{ord(char):X};" for char in SECRET),
    "JSON, percent-encoded": quote(json.dumps({"k": SECRET}, ensure_ascii=False), safe=""),
    "read as Latin-1": SECRET.encode().decode("latin-1"),
    "percent, every character": every("%{:02x}"),
    "percent, every character, capitals": every("%{:02X}"),
    "percent, every character, twice": every("%25{:02x}"),
    "percent, every character of that too": "".join(f"%{byte:02X}" for byte in quote(SECRET, safe="").encode()),
    "JSON, every character": "".join(f"\\u{ord(char):04x}" for char in SECRET),
    "JSON in JSON, every character": json.dumps("".join(f"\\u{ord(char):04X}" for char in SECRET)),
    "JSON, every character, percent-encoded": "".join(f"%5Cu{ord(char):04x}" for char in SECRET),
    "a script, every letter": "".join(f"\\x{ord(c):02x}" if c.isalnum() else c for c in SECRET.replace("\\", 2 * "\\")),
    "HTML, every character": "".join(f"&#{ord(char)};" for char in SECRET),
    "HTML, every character in hex": "".join(f"&#x{ord(char):x};" for char in SECRET),
    "HTML, every character, twice": html.escape("".join(f"&#x{ord(char):04X};" for char in SECRET)),
    "quoted-printable": quopri.encodestring(SECRET.encode()).decode(),
    "hex": SECRET.encode().hex(),
    "hex, capitals": SECRET.encode().hex().upper(),
    "capitals": SECRET.upper(),
    "small letters": SECRET.lower(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_it_masks_a_secret_in_every_encoding(encoding: str) -> None:
    encoded = ENCODINGS[encoding]
    masked = redact(f"before {encoded} after", {SECRET})
    assert MASK in masked and "live" not in masked and "42" not in masked
    assert masked.startswith("before ") and masked.endswith(" after")
    assert len(masked) <= len('before key="" after') + len(MASK) or "{" in unquote(encoded)[:1], "all of it"


@pytest.mark.parametrize("before", ["", "a", "ab", "user:", "longer user:"])
@pytest.mark.parametrize("after", ["", "z", "zz", " and more"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_it_masks_base64_at_every_alignment(before: str, after: str, encode: type) -> None:
    encoded = encode(f"{before}{SECRET}{after}".encode()).decode()
    masked = redact(f"x={encoded}.", {SECRET})
    assert MASK in masked
    rest = masked.replace(MASK, "").removeprefix("x=").rstrip(".=")
    assert len(rest) <= len(encoded) - len(base64.b64encode(SECRET.encode()).decode().rstrip("=")) + 3
    assert MASK in redact(quote_plus(encoded), {SECRET})


@pytest.mark.parametrize("width", [20, 64, 76])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r\n  ", "\\n", "\\r\\n", "\\\\n", "%0D%0A", "&#10;"])
def test_it_masks_base64_that_is_broken_into_lines(width: int, line_end: str) -> None:
    encoded = base64.b64encode(f"user:{SECRET * 3}:more".encode()).decode()
    lines = line_end.join(encoded[at : at + width] for at in range(0, len(encoded), width))
    masked = redact(f"Begin {lines} end", {SECRET * 3})
    assert masked.startswith("Begin ") and masked.endswith(" end") and MASK in masked
    assert len(masked) < len("Begin user: :more end") * 4 // 3 + len(MASK) + 8


_SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    lambda char: "".join(f"%{byte:02x}" for byte in char.encode()),
    lambda char: "".join(f"%25{byte:02X}" for byte in char.encode()),
    lambda char: f"\\u{ord(char):04x}",
    lambda char: f"\\\\u{ord(char):04X}",
    lambda char: f"&#{ord(char)};",
    lambda char: f"&#x{ord(char):X};",
    lambda char: f"&amp;#{ord(char):04};",
)


@pytest.mark.parametrize("spelled", ["000&#38;", "000&amp;", "000&amp;#38;", "000&#x26;"])
def test_a_last_character_that_begins_its_own_spelling_is_masked_whole(spelled: str) -> None:
    assert redact(f"[{spelled}]", {"000&"}) == f"[{MASK}]"
    assert redact("[000%25]", {"000%"}) == redact("[000=3D]", {"000="}) == f"[{MASK}]"


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=0xFFFF, codec="utf-8"), min_size=4, max_size=30), st.data())
def test_no_mixture_of_spellings_survives(secret: str, data: st.DataObject) -> None:
    chosen = [data.draw(st.sampled_from(_SPELLINGS)) for _ in secret]
    spelled = "".join(spell(char) for spell, char in zip(chosen, secret, strict=True))
    assert redact(f"[{spelled}]", {secret}) in (f"[{MASK}]", f"[{MASK}{secret[-1:]}]")


@given(st.text(min_size=4, max_size=30), st.text(max_size=10), st.text(max_size=10))
def test_no_encoding_of_any_secret_survives(secret: str, before: str, after: str) -> None:
    text = before + secret + after
    for encoded in (text, quote(text, safe=""), quote_plus(text), json.dumps(text), html.escape(text)):
        assert MASK in redact(encoded, {secret})
    assert MASK in redact(base64.b64encode(text.encode()).decode(), {secret})


SPELLINGS = ("%{:02x}", "%{:02X}", "%25{:02x}", "\\u{:04x}", "\\\\x{:02X}", "&#{};", "&#x{:x};", "&amp;#{};")


@given(st.data())
def test_a_long_text_is_masked_as_a_short_one_however_often_it_was_encoded(data: st.DataObject) -> None:
    """Of a long text it is asked first which letters it can say at all."""
    text = data.draw(st.sampled_from(["hemmelig", "aGVtbWVsaWc=", "aGVt\nbWVsaWc=", "68656d6d656c6967", "HEMMELIG-4"]))
    for _ in range(data.draw(st.integers(0, 3))):
        encoded = data.draw(st.sets(st.sampled_from(sorted(set(text)))))
        spelling = data.draw(st.sampled_from(SPELLINGS))
        text = "".join(spelling.format(ord(char)) if char in encoded else char for char in text)
    secrets = frozenset({"hemmelig", "4711"})
    expected = redact(text, secrets)
    with patch.object(redaction, "_LONG", 0):
        assert redact(text, secrets) == expected
    assert redact("." * 100_001 + text, secrets) == "." * 100_001 + expected


def test_overlapping_secrets_are_masked_as_one() -> None:
    assert redact("xabcdefghx", {"abcdef", "defgh"}) == f"x{MASK}x"
    assert redact("token-longer token", {"token", "token-longer"}) == f"{MASK} {MASK}"
    assert redact("abcdabcd", {"abcd"}) == MASK


def test_text_without_secrets_is_the_same() -> None:
    assert redact("nothing here", {"secret", "a/b"}) == "nothing here"
    assert redact("nothing here", set()) == "nothing here"
    assert redact("nothing here", {""}) == "nothing here"
    assert redact_bytes(b"\xff\x00nothing", {"secret"}) == b"\xff\x00nothing"


def test_a_short_secret_is_masked_only_where_it_stands_alone() -> None:
    assert redact("pin=abc abcd cab/abc&x%20abc", {"abc"}) == f"pin={MASK} abcd cab/{MASK}&x%20abc"
    assert redact('{"pin":7,"n":17}', {"7"}) == f'{{"pin":{MASK},"n":17}}'


def test_a_secret_with_white_space_around_it_is_found_without_it() -> None:
    assert redact("token=hemmelig;", {" hemmelig\n"}) == f"token={MASK};"


def test_bytes_are_masked_in_utf_8_and_utf_16_and_others_stay() -> None:
    assert redact_bytes(b"\xff\xfe\x80 key=hemmelig", {"hemmelig"}) == b"\xff\xfe\x80 key=" + MASK.encode()
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        masked = redact_bytes('{"a":"hemmelig"}'.encode(encoding), {"hemmelig"})
        assert masked.decode(encoding) == f'{{"a":"{MASK}"}}'


def test_credential_headers_are_always_masked_and_keep_their_scheme() -> None:
    pairs = (
        ("authorization", "Bearer abc"),
        ("Authorization", "Basic dTpw"),
        ("Authorization", "nothing-known"),
        ("Proxy-Authorization", "Digest x"),
        ("Cookie", "a=1; b=2"),
        ("Set-Cookie", "sid=9; Path=/"),
        ("X-Api-Key", "1"),
        ("apikey", "1"),
        ("X-Shopify-Access-Token", "1"),
        ("X-Auth-Token", "1"),
        ("Client-Secret", "1"),
        ("X-Empty-Secret", ""),
        ("X-Other", "has hemmelig in it"),
        ("X-Key-Count", "5"),
    )
    assert [value for _, value in redact_pairs(pairs, {"hemmelig"})] == [
        f"Bearer {MASK}", f"Basic {MASK}", MASK, f"Digest {MASK}", MASK, MASK, MASK, MASK, MASK, MASK, MASK, "",
        f"has {MASK} in it", "5",
    ]  # fmt: skip


def test_no_secret_of_a_rendered_request_survives_its_redaction() -> None:
    secret = 'p"w/ü+1%'
    spec = StepSpec(
        request=RequestSpec(
            "POST",
            "https://api.example/{{secret.S}}?k={{secret.S}}",
            (Pair("X-Note", "n {{secret.S}}"),),
            Auth("basic", {"username": "user", "password": "{{secret.S}}"}),
            Body("json", text='{"a": "{{secret.S}}", "b": {{secret.S}}}'),
        )
    )
    request = render(spec, {}, secrets={"S": secret}, hosts={"S": None})
    shown = [redact(request.url, request.secrets), redact_bytes(request.body or b"", request.secrets).decode()]
    shown += [redact(f"{name}: {value}", request.secrets) for name, value in request.headers]
    assert all(MASK in text for text in shown if "application/json" not in text)
    credential = base64.b64encode(f"user:{secret}".encode()).decode()
    for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], credential):
        assert all(form not in text for text in shown)


def test_a_secret_in_the_host_is_masked_in_small_letters_too() -> None:
    spec = StepSpec(request=RequestSpec(url="https://{{secret.TENANT}}.example/"))
    request = render(spec, {}, secrets={"TENANT": "AcmeCorp"}, hosts={"TENANT": None})
    assert redact(request.url, request.secrets) == f"https://{MASK}.example/"


@pytest.mark.parametrize(
    "secret", ["\\" * 40 + "X9", '\\"' * 20 + "X9", "%25" * 20 + "X9", "&amp;" * 20 + "X9", "/" * 30]
)
@pytest.mark.parametrize(
    "unit", ["\\", '\\\\"', "%25", "%2541", "&amp;", "&amp;#000065;", "\\u0041", "%5C", "A\n", "\\n", "/", "A", "X9"]
)
def test_a_text_made_against_it_does_not_slow_it_down(secret: str, unit: str) -> None:
    text = unit * (32_768 // len(unit)) + "X9"
    assert within(0.4, lambda: redact(text, {secret}))


@pytest.mark.parametrize("unit", ["%41", "\\u0041", "&#65;", "QUJD\n", '{"a": "b\\n%20c"},\n', "\\", "%5C"])
def test_a_whole_answer_is_read_in_a_time_that_grows_with_its_length(unit: str) -> None:
    def reading(length: int) -> float:
        start = process_time()
        redact(unit * (length // len(unit)), {SECRET, "another-" + SECRET})
        return process_time() - start

    reading(1000)
    small = min(reading(62_500) for _ in range(3))
    assert min(reading(500_000) for _ in range(2)) < 8 * 3 * small + 0.1


SPELLED = {
    "%41": "%{:02x}", "%2541": "%25{:02X}", "%252541": "%2525{:02x}", "\\u0041": "\\u{:04x}", "\\\\u0041": "\\\\u{:04x}",
    "\\x41": "\\x{:02x}", "8 backslashes": "\\" * 8 + "x{:02X}", "&#65;": "&#{};",
    "&#x41;": "&#x{:x};", "&#X041;": "&#X0{:x};", "&amp;#65;": "&amp;#{};",
}  # fmt: skip


@pytest.mark.parametrize("kind", [*SPELLED, "all kinds", "some letters plain"])
def test_a_secret_is_found_in_a_long_text_of_nothing_but_encoded_letters(kind: str) -> None:
    chance = random.Random(kind)
    kinds = [SPELLED.get(kind, "")] if kind in SPELLED else [*SPELLED.values()]

    def spelled(letters: Iterable[str]) -> str:
        plain = 0.5 if kind == "some letters plain" else 0
        return "".join(
            letter if chance.random() < plain else chance.choice(kinds).format(ord(letter)) for letter in letters
        )

    secret = "51H8xT2eZvKYlo2C0aBcDeFgH"
    around = [spelled(chance.choices("abcXYZ019", k=20_000)) for _ in range(3)]
    for echoed in (spelled(secret), secret):
        assert redact(f" {echoed} ".join(around), {secret}) == " •••• ".join(around)
    if kind not in SPELLED:
        return
    for backslashes in (3, 5, 6, 7):  # each letter has a backslash of the text before it
        others = "".join("\\" * backslashes + f"u00{ord(letter):x}" for letter in secret)
        assert redact("".join((*around, others)), {secret}) == "".join((*around, others))
