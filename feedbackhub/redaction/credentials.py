"""Secrets that show what they are: private keys, tokens with a known prefix, passwords in addresses."""

import re

from .reading import Span, merge

_PEM_MARKER = re.compile(r"-----(BEGIN|END) (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_PEM_LINES = re.compile(r"(?:(?:\s|\\[nr]){0,4}+[A-Za-z0-9+/=]{32,128}+)*+")
_PEM_LONGEST = 20_000


def find_private_keys(text: str) -> list[Span]:
    """PEM blocks from BEGIN to END; without an END, the lines that look like key material."""
    if "PRIVATE KEY" not in text:
        return []
    spans = []
    begin = None

    def close_without_end() -> None:
        if begin is not None:
            spans.append((begin.start(), _PEM_LINES.match(text, begin.end()).end(), "PRIVATE_KEY"))

    for marker in _PEM_MARKER.finditer(text):
        if marker[1] == "BEGIN":
            close_without_end()
            begin = marker
        elif begin is not None and marker.end() - begin.start() <= _PEM_LONGEST:
            spans.append((begin.start(), marker.end(), "PRIVATE_KEY"))
            begin = None
    close_without_end()
    return spans


_JWT = re.compile(
    r"eyJ(?<![\w-]eyJ)[A-Za-z0-9_-]{8,8192}+\.[A-Za-z0-9_-]{4,65536}+"
    r"(?:\.[A-Za-z0-9_-]{0,8192}+){0,3}+"
)


def find_jwts(text: str) -> list[Span]:
    """Signed and encrypted web tokens; also one whose signature was cut off."""
    if "eyJ" not in text:
        return []
    return [(*match.span(), "JWT") for match in _JWT.finditer(text)]


# Greedy up to the last @ before the host, since people do not escape the @ in their password.
_URL_PASSWORD = re.compile(r"://(?:[^\s/?#:\0]|\0++){0,256}+:([^\s/?#\0]{1,256})@")


def find_url_passwords(text: str) -> list[Span]:
    """The password in ``scheme://user:password@host``; user and host stay readable."""
    if "://" not in text or "@" not in text:
        return []
    return [(*match.span(1), "PASSWORD") for match in _URL_PASSWORD.finditer(text)]


# The first letters that vendors gave their tokens, and what follows them; by a character that all of a
# group hold, so that prose without it costs nothing.
_KEY_FORMS = {
    "_": {
        "sk_": r"(?:live|test)_[A-Za-z0-9]{10,256}+",  # Stripe
        "rk_": r"(?:live|test)_[A-Za-z0-9]{10,256}+",
        "whsec_": r"[A-Za-z0-9+/=]{16,256}+",  # Standard Webhooks
        "fh_sk_": r"[A-Za-z0-9_-]{8,256}+",  # ours
        "ghp_": r"[A-Za-z0-9]{20,256}+",  # GitHub
        "gho_": r"[A-Za-z0-9]{20,256}+",
        "ghu_": r"[A-Za-z0-9]{20,256}+",
        "ghs_": r"[A-Za-z0-9]{20,256}+",
        "ghr_": r"[A-Za-z0-9]{20,256}+",
        "github_pat_": r"[A-Za-z0-9_]{20,256}+",
        "lin_api_": r"[A-Za-z0-9]{16,128}+",  # Linear
        "npm_": r"[A-Za-z0-9]{30,64}+",
        "hf_": r"[A-Za-z0-9]{24,64}+",  # Hugging Face
        "gsk_": r"[A-Za-z0-9]{24,128}+",  # Groq
        "shpat_": r"[a-fA-F0-9]{32}+",  # Shopify
        "dop_v1_": r"[a-f0-9]{64}+",  # DigitalOcean
    },
    "-": {
        "sk-": r"[A-Za-z0-9_-]{16,256}+",  # OpenAI, Anthropic, OpenRouter, DeepSeek
        "glpat-": r"[A-Za-z0-9_.-]{16,256}+",  # GitLab
        "xox": r"[abeoprs]-[A-Za-z0-9-]{10,256}+",  # Slack
        "xapp-": r"[A-Za-z0-9-]{10,256}+",
        "xai-": r"[A-Za-z0-9]{24,128}+",
        "pypi-": r"AgE[A-Za-z0-9_-]{30,512}+",
        "GOCSPX-": r"[A-Za-z0-9_-]{20,64}+",  # Google
        "AGE-SECRET-KEY-1": r"[A-Z0-9]{50,64}+",
    },
    "A": {
        "AKIA": r"[A-Z0-9]{16}+",  # Amazon
        "ASIA": r"[A-Z0-9]{16}+",
        "AIza": r"[A-Za-z0-9_-]{30,64}+",  # Google
        "ATATT3": r"[A-Za-z0-9_=-]{20,512}+",  # Atlassian
    },
    ".": {
        "ya29.": r"[A-Za-z0-9_-]{20,512}+",  # Google
        "SG.": r"[A-Za-z0-9_-]{16,64}+\.[A-Za-z0-9_-]{16,64}+",  # SendGrid
        "hooks.slack.com/": r"(?:services|workflows)/[A-Za-z0-9/_-]{16,128}+",
    },
}
_KEYS = tuple(
    (mark, prefix, re.compile(rf"{re.escape(prefix)}(?<![A-Za-z0-9-]{re.escape(prefix)}){form}"))
    for mark, forms in _KEY_FORMS.items()
    for prefix, form in forms.items()
)
_DIGIT = re.compile("[0-9]")


def find_api_keys(text: str) -> list[Span]:
    """Tokens whose vendor gave them a prefix. ``sk-folding-cube-container`` has no digit and is none."""
    absent = {mark for mark in _KEY_FORMS if mark not in text}
    return merge(
        [
            (*match.span(), "API_KEY")
            for mark, prefix, pattern in _KEYS
            if mark not in absent and prefix in text
            for match in pattern.finditer(text)
            if _DIGIT.search(text, *match.span())
        ]
    )
