"""Telling a password or a token from a word, a placeholder, or the code that reads one.

``password: hunter2`` is a secret. ``password: string``, ``password = getpass()`` and
``"your-api-key"`` are what people write about secrets, and developers' answers are full of it.
"""

import re

_PLACEHOLDER = re.compile(
    r"[<{\[(%]|\$[{(]|\$[A-Z_]+$|[*x.•_-]+$"
    r"|.{0,20}(?:your[-_ ]|example|placeholder|change_?me|redacted|xxxx|\*{4}|\.\.\.)",
    re.IGNORECASE,
)
_CODE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$|[\w.]*[(\[]|https?:|\.{0,2}/")
_SYMBOL = re.compile(r"[!@#$%^&*?+=~]")
# What follows "password:" or "my password is" without being one.
_ABOUT_PASSWORDS = re.compile(
    r"[a-z_ ]*(?:pass|pwd)[a-z_ ]*|\w*(?:secret|hash|input|invalid|string|required|optional|correct)\w*"
    r"|\w+(?:ed|ing|able|ible|ent|ost|one|ere|ong|ak)"
    r"|text|null|none|nil|true|false|unknown|empty|safe|secure|same|right|this|that|what|when|from"
    r"|with|also|only|just|very|still|always|never|please|should|must|minimum|maximum|length|field"
    r"|value|type|user|admin|private|bytes|varchar|char|plaintext|sensitive|temporary",
    re.IGNORECASE,
)


def is_placeholder(token: str) -> bool:
    """Whether the token stands for a secret, or is code that fetches one."""
    return bool(_PLACEHOLDER.match(token) or _CODE.match(token))


def looks_made_up(token: str) -> bool:
    """Whether nobody would write this as a word: ``Qr7!dke#39``, ``FinanceSec!``, ``TaxPass987``."""
    if len(token) < 6 or is_placeholder(token):
        return False
    lower = any(map(str.islower, token))
    upper = any(map(str.isupper, token[1:]))
    digit = any(map(str.isdigit, token))
    if _SYMBOL.search(token):
        return digit or upper
    return lower and upper and digit and len(token) >= 8


def is_password(match: re.Match[str]) -> bool:
    """Whether what follows the word "password" is one; the clearer the link, the less it takes."""
    token = match["value"].rstrip(".:)")
    if is_placeholder(token):
        return False
    if not match["link"].strip():
        return _is_mixed(token) if match["quote"] else looks_made_up(token)
    if match["quote"]:
        return any(map(str.isdigit, token)) or not _ABOUT_PASSWORDS.fullmatch(token)
    word = token.rstrip("!?")
    if word.isalpha():
        return _stands_alone(match) and not _ABOUT_PASSWORDS.fullmatch(word)
    if word.isdigit():
        return len(word) >= 6 or not _is_said(match)
    return _is_mixed(token)


def _is_mixed(token: str) -> bool:
    digit = any(map(str.isdigit, token))
    letter = any(map(str.isalpha, token))
    return (digit and letter) or _SYMBOL.search(token) is not None or _is_camel(token)


def _is_camel(token: str) -> bool:
    return token.isalnum() and any(map(str.isupper, token[1:])) and any(map(str.islower, token))


def _is_said(match: re.Match[str]) -> bool:
    return match["link"].strip(" :\n").isalpha()


def _stands_alone(match: re.Match[str]) -> bool:
    """``Password: swordfish`` at the end of a line, or "my password is swordfish" in so many words."""
    text = match.string
    if _is_said(match):
        return text[max(0, match.start() - 3) : match.start()].lower() == "my "
    following = text[match.end("value") : match.end("value") + 1]
    return match["link"] in (":", ": ", "=") and following in ("", "\n", "\r")


def is_token(match: re.Match[str]) -> bool:
    """Whether what follows "api key" or "token" is one: long, of letters and digits."""
    token = match["value"]
    return (
        any(map(str.isdigit, token)) and any(map(str.isalpha, token)) and not is_placeholder(token)
    )
