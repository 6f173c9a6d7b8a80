"""Addresses that show what they are: e-mail, and IP."""

import ipaddress
import re

from .passwords import looks_made_up
from .reading import BLANK, Span

# An address is found from its @ outwards: to the right the host, to the left (on reversed text) the
# name. Scripts written without spaces are no part of a name, or the sentence before would be.
_HOST = re.compile(
    r"(?:@|%40)(?:"
    r"(?P<image>[0-9]x\.(?:png|jpe?g|gif|webp|svg)\b)"  # icon@2x.png
    r"|(?:[^\W_][\w-]{0,62}+\.){1,8}(?:xn--[A-Za-z0-9-]{2,59}|[A-Za-z]{2,24}|[^\W\d_]{2,24})"
    r"|(?:ok(?:sbi|axis|icici|hdfcbank)|ybl|ibl|axl|apl|paytm|upi)\b"  # Indian payment addresses
    r")"
)
_NAME_REVERSED = re.compile(
    r"(?:[^\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[.+%'-]){1,64}+"
)
# "ana@example.com / S3cret!" is how credentials are noted down, and how they leak.
_PAIRED_PASSWORD = re.compile(r"(?: ?/ ?|[:|;])(?P<value>[^\s\"'<>,/\\\0]{6,64}+)")
_ANOTHER_ADDRESS = re.compile(r".{1,64}@[\w-]{1,63}\.[A-Za-z]")


def find_emails(text: str) -> list[Span]:
    """E-mail addresses, and the password that follows one after a slash or a colon."""
    if "@" not in text and "%40" not in text:
        return []
    spans = []
    seen = 0
    for host in _HOST.finditer(text):
        if host["image"] or host.start() < seen:
            continue
        before = text[max(seen, host.start() - 64) : host.start()]
        name = _NAME_REVERSED.match(before[::-1])
        name = name[0][::-1].lstrip(".+%'-_") if name else ""
        if not name or name == "git":  # git@github.com names a service
            continue
        seen = host.end()
        spans.append((host.start() - len(name), seen, "EMAIL"))
        paired = _PAIRED_PASSWORD.match(text, seen)
        if (
            paired
            and looks_made_up(paired["value"])
            and not _ANOTHER_ADDRESS.match(paired["value"])
        ):
            seen = paired.start("value") + len(paired["value"].rstrip(".)"))
            spans.append((paired.start("value"), seen, "PASSWORD"))
    return spans


_IPV4 = re.compile(
    r"(?<![\w.-])(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})(?:\.(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})){3}"
    r"(?!\w|[.-][0-9]|/[0-9])"  # 10.0.0.0/8 is a network
)
_DOTTED = re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:]|/[0-9])")
_COLONS = re.compile(r":[0-9A-Fa-f]{0,4}:")
_VERSION_WORDS = ("version", "release", "firmware", "build", "section", *"=<>~^§v")
_SAYS_ADDRESS = re.compile(r"\b(?:ip|ipv4|address|addr|host|client|from|server)\b", re.IGNORECASE)
_RESOLVERS = ("8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9")
_NO_ONES = ("0.", "127.", "224.", "239.", "255.")


def find_ips(text: str) -> list[Span]:
    """Addresses of machines. Loopback, netmasks, networks, groups and public resolvers name no one."""
    spans = []
    if _DOTTED.search(text):
        for match in _IPV4.finditer(text):
            names_no_one = match[0].startswith(_NO_ONES) or match[0] in _RESOLVERS
            if not names_no_one and not _is_version(match):
                spans.append((*match.span(), "IP"))
    if _COLONS.search(text):
        for match in _IPV6.finditer(text):
            if _is_ipv6(match[0]):
                spans.append((*match.span(), "IP"))
    return sorted(spans)


def _is_version(match: re.Match[str]) -> bool:
    """Whether four dotted numbers are a version or a section: said so, or all small and not said to be
    an address."""
    before = match.string[max(0, match.start() - 24) : match.start()].rpartition(BLANK)[2]
    if before.rstrip(" .:").lower().endswith(_VERSION_WORDS):
        return True
    small = all(int(part) < 32 for part in match[0].split("."))
    return small and not _SAYS_ADDRESS.search(before)


def _is_ipv6(candidate: str) -> bool:
    """Times (10:30:45) and names (std::abs, a::b) are written with colons too."""
    first = candidate.split(":", 1)[0]
    local = first.lower().startswith(("fc", "fd", "fe")) and len(first) == 4
    complete = candidate.count(":") == 7
    known = complete or local or (len(first) >= 3 and any(map(str.isdigit, first)))
    if not known or candidate.endswith("::"):  # 2001:db8:: is a network
        return False
    try:
        ipaddress.IPv6Address(candidate)
    except ValueError:
        return False
    return any(map(str.isdigit, candidate))
