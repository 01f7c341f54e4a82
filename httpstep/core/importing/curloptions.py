"""The options of curl, by what becomes of them here. A table, so that a new one is a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

_SHORT: Final = {
    "X": "request", "H": "header", "d": "data", "F": "form", "u": "user", "A": "user-agent", "b": "cookie",
    "e": "referer", "I": "head", "G": "get", "L": "location", "k": "insecure", "m": "max-time", "o": "output",
    "s": "silent", "S": "show-error", "v": "verbose", "i": "include", "f": "fail", "g": "globoff", "N": "no-buffer",
    "w": "write-out", "D": "dump-header", "c": "cookie-jar", "E": "cert", "x": "proxy", "U": "proxy-user",
    "T": "upload-file", "K": "config", "r": "range", "C": "continue-at", "y": "speed-time", "Y": "speed-limit",
    "z": "time-cond", "t": "telnet-option", "Q": "quote", "P": "ftp-port", "n": "netrc", "O": "remote-name",
    "J": "remote-header-name", "R": "remote-time", "Z": "parallel", "q": "disable", "a": "append", "B": "use-ascii",
    "j": "junk-session-cookies", "l": "list-only", "M": "manual", "p": "proxytunnel", "#": "progress-bar",
    "0": "http1.0", "1": "tlsv1", "2": "sslv2", "3": "sslv3", "4": "ipv4", "6": "ipv6", "V": "version", "h": "help",
    ":": "next",
}  # fmt: skip

_TAKEN_WITH_VALUE: Final = frozenset({
    "request", "header", "data", "data-raw", "data-ascii", "data-binary", "data-urlencode", "json", "form",
    "form-string", "user", "user-agent", "cookie", "referer", "url", "url-query", "max-time", "oauth2-bearer", "range",
})  # fmt: skip
_TAKEN_ALONE: Final = frozenset({"head", "get", "location", "location-trusted", "basic", "globoff", "next"})
_LEFT_WITH_VALUE: Final = frozenset({
    "output", "write-out", "dump-header", "cookie-jar", "cert", "cert-type", "key", "key-type", "cacert", "capath",
    "pass", "proxy", "proxy-user", "preproxy", "proxy-header", "noproxy", "socks5", "socks5-hostname", "resolve",
    "connect-to", "connect-timeout", "interface", "limit-rate", "upload-file", "config", "ciphers", "tls13-ciphers",
    "tls-max", "max-redirs", "continue-at", "speed-time", "speed-limit", "time-cond", "telnet-option", "quote",
    "ftp-port", "stderr", "trace", "trace-ascii", "retry", "retry-delay", "retry-max-time", "aws-sigv4", "unix-socket",
    "abstract-unix-socket", "dns-servers", "doh-url", "local-port", "max-filesize", "proto", "proto-default",
    "proto-redir", "rate", "create-file-mode", "expect100-timeout", "keepalive-time", "request-target", "variable",
    "output-dir", "hsts", "alt-svc", "netrc-file", "pinnedpubkey", "crlfile", "curves", "engine", "krb", "login-options",
    "service-name", "delegation", "parallel-max", "happy-eyeballs-timeout-ms", "ipfs-gateway", "ech", "haproxy-clientip",
})  # fmt: skip

REASONS: Final = {
    "insecure": "certificates are always checked",
    "upload-file": "files are not sent",
    "cookie-jar": "cookies are not kept between calls",
    "compressed": "httpstep asks for compression itself",
    "proxy": "httpstep uses no proxies",
    "digest": "only Basic is supported",
    "ntlm": "only Basic is supported",
    "negotiate": "only Basic is supported",
    "anyauth": "only Basic is supported",
    "aws-sigv4": "this signature is not supported",
    "retry": "set retries in the options of the step",
    "cert": "client certificates are not supported",
    "key": "client certificates are not supported",
    "next": "only the first request is taken",
    "fail": "see the success statuses in the options of the step",
}


class Option(NamedTuple):
    """One option of a command. `name` is the long name, `typed` how it was written; name "" is a word without option."""

    name: str
    typed: str
    value: str = ""

    @property
    def taken(self) -> bool:
        return self.name in _TAKEN_WITH_VALUE or self.name in _TAKEN_ALONE or not self.name


def read(words: Sequence[str]) -> Iterator[Option]:
    """The options of a command, `curl` itself left out. Values may be joined (-XPOST, --request=POST) or follow."""
    rest = list(reversed(words))
    while rest:
        word = _straightened(rest.pop())
        if word == "--":
            yield from (Option("", "", value) for value in reversed(rest))
            return
        if word.startswith("--") and len(word) > 2:
            yield _long(word, rest)
        elif word.startswith("-") and len(word) > 1:
            yield from _shorts(word, rest)
        else:
            yield Option("", "", word)


def _straightened(word: str) -> str:
    """Word processors make one dash of two, and a longer one of one."""
    return f"--{word[1:]}" if word.startswith("—") else f"-{word[1:]}" if word.startswith("–") else word


def _long(word: str, rest: list[str]) -> Option:
    typed, equals, value = word.partition("=")
    name = _full_name(typed[2:])
    if not _wants_value(name):
        return Option(name, typed)
    return Option(name, typed, value if equals else rest.pop() if rest else "")


def _shorts(word: str, rest: list[str]) -> Iterator[Option]:
    for at, letter in enumerate(word[1:], start=1):
        name = _SHORT.get(letter, f"-{letter}")
        if _wants_value(name):
            value = word[at + 1 :] or (rest.pop() if rest else "")
            yield Option(name, f"-{letter}", value)
            return
        yield Option(name, f"-{letter}")


def _wants_value(name: str) -> bool:
    return name in _TAKEN_WITH_VALUE or name in _LEFT_WITH_VALUE


_LONG_NAMES: Final = sorted(_TAKEN_WITH_VALUE | _TAKEN_ALONE | _LEFT_WITH_VALUE | frozenset(_SHORT.values()))


def _full_name(name: str) -> str:
    """curl takes any beginning of a name that is no other's."""
    if name in _LONG_NAMES:
        return name
    found = [known for known in _LONG_NAMES if known.startswith(name)] if len(name) > 2 else []
    return found[0] if len(found) == 1 else name
