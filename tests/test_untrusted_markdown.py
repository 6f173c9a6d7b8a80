"""What models, reporters and documents write is shown and never acts."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedbackhub.untrusted_markdown import PARSE_LIMIT, untrusted_markdown

ALLOWED = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li"),
    *("table", "thead", "tbody", "tr", "th", "td", "span"),
}
ALLOWED_ATTRIBUTES = {("p", "class"), ("span", "class"), ("ol", "start")}
ALLOWED_CLASSES = {"heading", "link-text", "link-target"}


class Collector(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_data(self, text):
        self.words.append(text)

    @property
    def text(self):
        return "".join(self.words)


def assert_harmless(html):
    read = Collector(html)
    assert set(read.tags) <= ALLOWED
    for tag, name, value in read.attributes:
        assert (tag, name) in ALLOWED_ATTRIBUTES
        if name == "class":
            assert value in ALLOWED_CLASSES
        else:
            assert value.isascii() and value.isdigit()
    return read


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<div hx-get='/p/tax/settings/' hx-trigger='load'>x</div>",
    "<div data-hx-post='/x' data-key='a' data-opens='confirm' data-copy='x'>x</div>",
    "<form action='//evil.example'><button name=x>Sign in</button></form>",
    "<base href='//evil.example/'>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<link rel=stylesheet href='//evil.example/x.css'>",
    "<style>@import url(//evil.example)</style>",
    "<p style='position:fixed;inset:0'>x</p>",
    "<p id=main class=toast name=main>clobber</p>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "</div></main></body><h1>FeedbackHub</h1>",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1))",
    "[click](java\tscript:alert(1))",
    "[click](&#106;avascript:alert(1))",
    "[click](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[click](vbscript:msgbox)",
    '[click](https://example.org "onmouseover=alert(1)")',
    '[click](https://example.org/"onmouseover="alert(1))',
    "[click](<https://example.org/ onmouseover=alert(1)>)",
    "<javascript:alert(1)>",
    "<https://evil.example/'onmouseover=alert(1)>",
    "![x](https://tracker.example/pixel.png)",
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "![x][ref]\n\n[ref]: https://tracker.example/pixel.png",
    "[![x](https://tracker.example/a.png)](javascript:alert(1))",
    "```<script>\nalert(1)\n```",
    "```html onload=alert(1)\n<script>alert(1)</script>\n```",
    "`<img src=x onerror=alert(1)>`",
    "# <img src=x onerror=alert(1)>",
    "| <img src=x onerror=alert(1)> | b |\n| --- | --- |\n| [x](javascript:1) | d |",
    "1000000000000. x",
    "[a]: javascript:alert(1)\n\n[a]",
    "\x00<script>alert(1)</script>",
    "<scr\x00ipt>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "{{ request.user }} {% load x %}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_becomes_words(text):
    html = untrusted_markdown(text)
    assert_harmless(html)
    assert "<script" not in html.lower()


@given(
    st.text(
        alphabet=st.sampled_from("<>&\"'[]()!`#*_-|:/\\ \n\tabjh=.\x00\u202e👩‍🚀é"), max_size=300
    )
)
def test_any_markdown_becomes_harmless_html(text):
    assert_harmless(untrusted_markdown(text))


def test_link_shows_its_true_target_and_cannot_be_clicked():
    html = untrusted_markdown("See [https://bank.example](https://evil.example/login?a=1&b=2).")
    assert html == (
        '<p>See <span class="link-text">https://bank.example</span> '
        '<span class="link-target">(https://evil.example/login?a=1&amp;b=2)</span>.</p>\n'
    )


def test_link_target_shows_punycode_and_hides_no_direction_marks():
    text = Collector(untrusted_markdown("[x](https://аpple.example/\u202egpj.exe)")).text
    assert "xn--" in text
    assert "\u202e" not in text


def test_two_links_each_show_their_own_target():
    text = Collector(untrusted_markdown("[a](https://one.example) [b](https://two.example)")).text
    assert text.strip() == "a (https://one.example) b (https://two.example)"


def test_image_shows_its_words_and_loads_nothing():
    html = untrusted_markdown("![a *chart*](https://tracker.example/pixel.png)")
    assert "<img" not in html
    assert Collector(html).text.strip() == "a chart (https://tracker.example/pixel.png)"


def test_headings_stay_out_of_the_page_outline():
    assert untrusted_markdown("# Big\n\n###### small") == (
        '<p class="heading">Big</p>\n<p class="heading">small</p>\n'
    )


def test_ordinary_markdown_is_drawn():
    html = untrusted_markdown("**b** *i* ~~s~~ `c`\n\n1. one\n2. two\n\n> q\n\n| a |\n| - |\n| 1 |")
    for tag in ("strong", "em", "s", "code", "ol", "li", "blockquote", "table", "td"):
        assert f"<{tag}>" in html


def test_code_keeps_its_characters_and_no_class():
    html = untrusted_markdown("```python\nif a < b: pass\n```")
    assert html == "<pre><code>if a &lt; b: pass\n</code></pre>\n"


def test_html_in_the_text_is_shown_as_text():
    assert Collector(untrusted_markdown("<b>bold</b>")).text.strip() == "<b>bold</b>"


def test_very_long_text_is_shown_as_it_is():
    html = untrusted_markdown("**a** <script> " * (PARSE_LIMIT // 10))
    assert html.startswith("<pre>**a** &lt;script&gt;")
    assert Collector(html).tags == ["pre"]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "*a **b " * 10_000,
        "`" * 20_000 + "a" + "`" * 19_999,
        "> " * 5_000 + "a",
        "- " * 5_000 + "a",
        "![" * 10_000,
        "<" * 20_000,
        "a](" * 10_000,
        "_" * 20_000 + "a",
        "\\" * 20_001,
        "&" * 20_000,
        "|a" * 5_000 + "\n" + "|-" * 5_000 + "\n" + "|b" * 5_000,
    ],
)
def test_pathological_markdown_takes_no_more_than_seconds(text):
    started = time.perf_counter()
    assert_harmless(untrusted_markdown(text))
    assert time.perf_counter() - started < 5


def test_none_of_our_script_hooks_survives():
    hooks = "data-key data-opens data-confirm data-copy data-drawer data-menu data-toast hx-get"
    html = untrusted_markdown(" ".join(f'<i {hook}="x">y</i>' for hook in hooks.split()))
    assert not re.search(r"<[^>]*(data-|hx-)", html)
