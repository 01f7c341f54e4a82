"""The options of curl: which there are, which take a value, and what becomes of them here.

The names are those of `curl --help all` (7.88) and of the releases since; `tests/core/test_curl_options.py` holds them
to the installed curl.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from httpstep.core.regex import regex

_SHORT_NAMES: Final = """
a=append E=cert K=config C=continue-at b=cookie c=cookie-jar d=data q=disable D=dump-header f=fail F=form P=ftp-port
G=get g=globoff I=head H=header h=help 0=http1.0 i=include k=insecure 4=ipv4 6=ipv6 j=junk-session-cookies
l=list-only L=location M=manual m=max-time n=netrc :=next N=no-buffer o=output Z=parallel #=progress-bar x=proxy
U=proxy-user p=proxytunnel Q=quote r=range e=referer J=remote-header-name O=remote-name R=remote-time X=request
S=show-error s=silent Y=speed-limit y=speed-time 2=sslv2 3=sslv3 t=telnet-option z=time-cond 1=tlsv1 T=upload-file
B=use-ascii u=user A=user-agent v=verbose V=version w=write-out
"""
_NAMES_WITH_VALUE: Final = """
abstract-unix-socket alt-svc aws-sigv4 cacert capath cert cert-type ciphers config connect-timeout connect-to
continue-at cookie cookie-jar create-file-mode crlfile curves data data-ascii data-binary data-raw data-urlencode
delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers doh-url dump-header ech egd-file engine
etag-compare etag-save expect100-timeout form form-string ftp-account ftp-alternative-to-user ftp-method ftp-port
ftp-ssl-ccc-mode happy-eyeballs-timeout-ms haproxy-clientip header help hostpubmd5 hostpubsha256 hsts interface
ip-tos ipfs-gateway json keepalive-cnt keepalive-time key key-type krb libcurl limit-rate local-port login-options
mail-auth mail-from mail-rcpt max-filesize max-redirs max-time netrc-file noproxy oauth2-bearer output output-dir
parallel-max parallel-max-host pass pinnedpubkey preproxy proto proto-default proto-redir proxy proxy-cacert
proxy-capath proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key proxy-key-type proxy-pass
proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype proxy-tlspassword proxy-tlsuser
proxy-user proxy1.0 pubkey quote random-file range rate referer request request-target resolve retry retry-delay
retry-max-time sasl-authzid service-name sigalgs socks4 socks4a socks5 socks5-gssapi-service socks5-hostname
speed-limit speed-time stderr telnet-option tftp-blksize time-cond tls-max tls13-ciphers tlsauthtype tlspassword
tlsuser trace trace-ascii trace-config unix-socket upload-file upload-flags url url-query user user-agent variable
vlan-priority write-out
"""
_NAMES_ALONE: Final = """
anyauth append basic ca-native cert-status compressed compressed-ssh create-dirs crlf digest disable disable-eprt
disable-epsv disallow-username-in-url doh-cert-status doh-insecure fail fail-early fail-with-body false-start follow
form-escape ftp-create-dirs ftp-pasv ftp-pret ftp-skip-pasv-ip ftp-ssl-ccc ftp-ssl-control get globoff
haproxy-protocol head http0.9 http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only ignore-content-length
include insecure ipv4 ipv6 junk-session-cookies list-only location location-trusted mail-rcpt-allowfails manual
metalink mptcp negotiate netrc netrc-optional next no-alpn no-buffer no-clobber no-keepalive no-npn
no-progress-meter no-sessionid ntlm ntlm-wb out-null parallel parallel-immediate path-as-is post301 post302 post303
progress-bar proxy-anyauth proxy-basic proxy-ca-native proxy-digest proxy-http2 proxy-insecure proxy-negotiate
proxy-ntlm proxy-ssl-allow-beast proxy-ssl-auto-client-cert proxy-tlsv1 proxytunnel raw remote-header-name
remote-name remote-name-all remote-time remove-on-error retry-all-errors retry-connrefused sasl-ir show-error silent
skip-existing socks5-basic socks5-gssapi socks5-gssapi-nec ssl ssl-allow-beast ssl-auto-client-cert ssl-no-revoke
ssl-reqd ssl-revoke-best-effort sslv2 sslv3 styled-output suppress-connect-headers tcp-fastopen tcp-nodelay
tftp-no-options tls-earlydata tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tr-encoding trace-ids trace-time use-ascii
verbose version xattr
"""
_SHORT: Final = dict(pair.split("=", 1) for pair in _SHORT_NAMES.split())
_WITH_VALUE: Final = frozenset(_NAMES_WITH_VALUE.split())
_ALONE: Final = frozenset(_NAMES_ALONE.split())
_LONG_NAMES: Final = sorted(_WITH_VALUE | _ALONE)

REASONS: Final = {
    "insecure": "certificates are always checked",
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
    "config": "files are not read, and it may hold more of the request",
    "next": "only the first request is taken",
    "fail": "see the success statuses in the options of the step",
    "request-target": "the path of the address is sent",
    "crlf": "line ends are sent as they stand",
    "variable": "put the value in the place where the command uses it",
}


class Option(NamedTuple):
    """One option of a command. `name` is the long name, `typed` how it was written; name "" is a word without option.
    `is_known`: whether curl has it."""

    name: str
    typed: str
    value: str = ""
    is_known: bool = True


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


def wants_value(word: str) -> bool:
    """Whether this word of a command is an option whose value follows."""
    [*_, last] = read([word])
    return last.name in _WITH_VALUE and not last.value


_DASHES: Final = regex("[-‐‑‒–—―−]{1,2}(?=[A-Za-z0-9#:])")


def _straightened(word: str) -> str:
    """Word processors make one dash of two, and a longer one of one: -- before a long name of curl, - before others."""
    found = _DASHES.match(word)
    if found is None or found[0] in ("-", "--"):
        return word
    rest = word[found.end() :]
    name = rest.partition("=")[0]
    is_long = len(name) > 1 and (name in _WITH_VALUE or name in _ALONE or "—" in found[0] or len(found[0]) > 1)
    return f"--{rest}" if is_long else f"-{rest}"


def _long(word: str, rest: list[str]) -> Option:
    typed, equals, value = word.partition("=")
    name = _full_name(typed[2:])
    if name in _ALONE:
        return Option(name, typed)
    if name in _WITH_VALUE:
        return Option(name, typed, value if equals else rest.pop() if rest else "")
    is_value = bool(rest) and not equals and not _MAY_BE_OTHER.match(rest[-1])
    return Option(name, typed, rest.pop() if is_value else value, is_known=False)


_MAY_BE_OTHER: Final = regex(r"[-–—]|[A-Za-z]+://|\{\{|localhost\b|[^/\s]+\.[A-Za-z]{2,}(?:[:/?]|$)")
"""What follows an option that nobody knows and is an option or an address is not taken for its value."""


def _shorts(word: str, rest: list[str]) -> Iterator[Option]:
    for at, letter in enumerate(word[1:], start=1):
        name = _SHORT.get(letter, f"-{letter}")
        if name in _WITH_VALUE:
            value = word[at + 1 :] or (rest.pop() if rest else "")
            yield Option(name, f"-{letter}", value)
            return
        yield Option(name, f"-{letter}", is_known=name in _ALONE)


def _full_name(name: str) -> str:
    """curl takes any beginning of a name that is no other's, and "no-" before a switch."""
    if name in _WITH_VALUE or name in _ALONE or len(name) < 3:
        return name
    at = bisect_left(_LONG_NAMES, name)
    found = [known for known in _LONG_NAMES[at : at + 2] if known.startswith(name)]
    return found[0] if len(found) == 1 else name
