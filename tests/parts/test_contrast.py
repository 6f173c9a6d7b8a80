"""The palette keeps WCAG 2.2 AA in both themes: computed from tokens.css itself."""

import re
from math import cos, radians, sin
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[2] / "static/css/tokens.css").read_text()
DEFINED = dict(re.findall(r"^ {4}(--[\w-]+):\s*([^;]+);", TOKENS, re.MULTILINE))
TEXT, GRAPHIC = 4.5, 3.0

GROUNDS = ["ground", "ground-sunken", "ground-hover", "ground-raised", "ground-floating"]
TONES = ["good", "caution", "bad", "harm", "info", "accent"]
SEVERITIES = ["none", "low", "medium", "high", "critical"]

PAIRS = [
    *((text, ground, TEXT) for text in ("text", "text-muted", "text-faint") for ground in GROUNDS),
    ("text", "ground-held", TEXT),
    ("text-muted", "ground-held", TEXT),
    *((tone, f"{tone}-ground", TEXT) for tone in TONES),
    *((tone, ground, TEXT) for tone in TONES for ground in GROUNDS[:4]),
    *(("text", f"{tone}-ground", TEXT) for tone in TONES),
    ("text-faint", "focus-ground", TEXT),
    ("bad", "focus-ground", TEXT),
    ("on-accent", "accent-fill", TEXT),
    ("on-accent", "accent-fill-hover", TEXT),
    ("on-accent", "bad-fill", TEXT),
    ("on-accent", "bad-fill-hover", TEXT),
    ("added", "added-ground", TEXT),
    ("removed", "removed-ground", TEXT),
    *((f"severity-{step}", f"severity-{step}-ground", TEXT) for step in SEVERITIES[1:]),
    ("severity-none", "ground", TEXT),
    *(("line-control", ground, GRAPHIC) for ground in ("ground", "ground-raised")),
    *(("focus", ground, GRAPHIC) for ground in GROUNDS),
    ("focus", "focus-ground", GRAPHIC),
    *((f"span-{number}", "ground", GRAPHIC) for number in range(1, 9)),
    *((f"span-{number}", "ground-raised", GRAPHIC) for number in range(1, 9)),
    *((f"chart-{number}", "ground", GRAPHIC) for number in range(1, 5)),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_contrast_of_token_pair(theme, front, back, least):
    assert contrast(colour(front, theme), colour(back, theme)) >= least


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_severity_ramp_moves_one_way_in_lightness(theme):
    # Told apart without colour: each ground is further from the page than the one before.
    page = luminance(colour("ground", theme))
    away = [
        abs(luminance(colour(f"severity-{step}-ground", theme)) - page)
        for step in ("low", "medium", "high")
    ]
    assert away == sorted(away)


def colour(name: str, theme: str) -> tuple[float, float, float]:
    """Linear sRGB of a token in a theme; a see-through one is laid on the page's ground."""
    return resolve(DEFINED[f"--{name}"], theme)


def resolve(value: str, theme: str) -> tuple[float, float, float]:
    value = " ".join(value.split())
    if named := re.fullmatch(r"var\(--([\w-]+)\)", value):
        return colour(named[1], theme)
    if both := re.fullmatch(r"light-dark\((oklch\([^)]*\)), (oklch\([^)]*\))\)", value):
        return resolve(both[1 if theme == "light" else 2], theme)
    lightness, chroma, hue = re.fullmatch(r"oklch\(([\d.]+)% ([\d.]+) ([\d.]+)\)", value).groups()
    return linear_rgb(float(lightness) / 100, float(chroma), float(hue))


def linear_rgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    rgb = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    return tuple(min(max(part, 0.0), 1.0) for part in rgb)


def luminance(rgb: tuple[float, float, float]) -> float:
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]


def contrast(one, other) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
