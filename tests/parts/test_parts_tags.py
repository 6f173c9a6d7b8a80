"""The parts: what each tag draws, that it escapes what it is given, and that words go with colours."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.template import Context, Template
from django.test import RequestFactory
from heroicons import IconDoesNotExist

from feedbackhub.parts import words
from feedbackhub.parts.templatetags.parts import relative_words

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
HOSTILE = "\"><script>alert('x')</script>"


def draw(source, **context):
    return Template("{% load parts %}" + source).render(Context(context))


# Icons and keys


def test_icon_is_decoration_unless_labelled():
    assert 'aria-hidden="true"' in draw('{% icon "check" %}')
    spoken = draw('{% icon "check" label="Done" %}')
    assert 'role="img"' in spoken
    assert 'aria-label="Done"' in spoken
    assert "aria-hidden" not in spoken


@pytest.mark.parametrize(("size", "box"), [(16, "0 0 16 16"), (20, "0 0 20 20"), (24, "0 0 24 24")])
def test_icon_takes_drawing_made_for_its_size(size, box):
    assert f'viewBox="{box}"' in draw("{% icon 'check' size=size %}", size=size)


def test_icon_that_does_not_exist_is_an_error():
    with pytest.raises(IconDoesNotExist):
        draw('{% icon "no-such-icon" %}')


def test_every_icon_and_tone_in_the_word_tables_exists():
    tones = {"neutral", "accent", "good", "caution", "bad", "harm", "info"}
    rows = [*words.STATES.values(), *words.VERDICTS.values(), words.UNKNOWN_STATE]
    for tone, name, _word in rows:
        assert tone in tones
        assert "<svg" in draw("{% icon name %}", name=name)
    for tone, name in words.TONES.values():
        assert tone in tones
        assert "<svg" in draw("{% icon name %}", name=name)


def test_keycap_prints_each_key_of_a_chord():
    html = draw('{% keycap "mod+enter" %}')
    assert re.findall(r"<kbd[^>]*>([^<]*)</kbd>", html) == ["Ctrl", "⏎"]
    assert "data-mod" in html
    assert 'aria-hidden="true"' in html


def test_keycap_of_letter_and_of_nothing():
    assert ">A<" in draw('{% keycap "a" %}')
    assert draw('{% keycap "" %}') == ""


def test_shortcut_spells_keys_for_assistive_technology():
    assert draw('{{ "mod+enter"|shortcut }}') == "Control+Enter"
    assert draw('{{ "a"|shortcut }}') == "a"


# Severity, states, verdicts


@pytest.mark.parametrize(
    ("value", "letter", "word"),
    [
        ("none", "N", "None"),
        ("low", "L", "Low"),
        ("medium", "M", "Medium"),
        ("high", "H", "High"),
        ("critical", "C", "Critical"),
    ],
)
def test_severity_shows_letter_and_says_word(value, letter, word):
    html = draw("{% severity value %}", value=value)
    assert f">{letter}</span>" in html
    assert f'<span class="visually-hidden">{word}</span>' in html
    assert f"severity-{value}" in html


def test_severity_named_shows_its_word():
    assert draw('{% severity "high" True %}').endswith("H</span>High</span>")


@pytest.mark.parametrize("value", [None, "", "urgent", HOSTILE])
def test_severity_that_is_none_of_ours_is_a_dash(value):
    assert draw("{% severity value %}", value=value) == '<span class="faint">–</span>'


def test_state_pill_has_icon_and_word():
    html = draw('{% state_pill "in_review" %}')
    assert "<svg" in html
    assert html.endswith("In review</span>")
    assert "tone-accent" in html


def test_state_pill_of_unknown_state_shows_it_escaped():
    html = draw("{% state_pill state %}", state=HOSTILE)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_every_state_of_the_models_has_its_words():
    missing = set()
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if field.name == "state" and getattr(field, "choices", None):
                missing |= {value for value, _label in field.choices} - set(words.STATES)
    assert missing == set()


@pytest.mark.parametrize(("value", "tone"), [("correct", "good"), ("harmful", "harm")])
def test_verdict_keeps_harm_for_harm(value, tone):
    assert f"tone-{tone}" in draw("{% verdict value %}", value=value)


def test_harm_tone_means_nothing_but_harm():
    assert [state for state, (tone, *_) in words.STATES.items() if tone == "harm"] == []


# People


def test_person_by_name_and_by_user():
    user = SimpleNamespace(get_full_name=lambda: "Ana Brandt")
    for who in ("Ana Brandt", user):
        html = draw("{% person who %}", who=who)
        assert ">AB</span>" in html
        assert "Ana Brandt" in html


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ana", "A"), ("ana.brandt@example.org", "AB"), ("Ana Maria Brandt", "AB"), ("", "?")],
)
def test_initials(name, letters):
    assert f">{letters}<" in draw("{% initials name %}", name=name)


def test_person_escapes_names():
    assert "<script" not in draw("{% person who True who %}", who=HOSTILE)


# Times and numbers


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(seconds=-20), "now"),
        (timedelta(minutes=12), "12 min ago"),
        (timedelta(minutes=59, seconds=59), "59 min ago"),
        (timedelta(hours=3, minutes=40), "3 h ago"),
        (timedelta(days=2), "2 d ago"),
        (timedelta(minutes=-5), "in 5 min"),
        (timedelta(hours=-4), "in 4 h"),
        (timedelta(days=-3), "in 3 d"),
        (timedelta(days=10), "10 Nov"),
        (timedelta(days=400), "16 Oct 2025"),
    ],
)
def test_relative_words(ago, said):
    assert relative_words(NOW - ago, NOW) == said


def test_relative_time_carries_the_exact_one():
    html = draw("{% relative_time when %}", when=datetime(2026, 11, 3, 14, 2, tzinfo=UTC))
    assert 'datetime="2026-11-03T14:02:00Z"' in html
    assert 'title="3 Nov 2026, 14:02 UTC"' in html
    assert "data-relative" in html


def test_relative_time_in_another_zone_is_written_in_utc():
    when = datetime.fromisoformat("2026-11-03T16:02:00+02:00")
    assert 'datetime="2026-11-03T14:02:00Z"' in draw("{% relative_time when %}", when=when)


def test_relative_time_of_nothing():
    assert "never" in draw('{% relative_time when "never" %}', when=None)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (45, "45 s"),
        (720, "12 min"),
        (12_000, "3 h 20 min"),
        (10_800, "3 h"),
        (187_200, "2 d 4 h"),
        (-720, "−12 min"),
        (timedelta(minutes=3), "3 min"),
        (None, "–"),
    ],
)
def test_duration(seconds, said):
    assert draw("{{ seconds|duration }}", seconds=seconds) == said


def test_grouped_and_percent():
    assert draw("{{ n|grouped }}", n=1234567) == "1,234,567"
    assert draw("{{ n|grouped }}", n=None) == "–"
    assert draw("{{ n|percent }}", n=0.812) == "81\N{NO-BREAK SPACE}%"
    assert draw("{{ n|percent }}", n=0.816) == "82\N{NO-BREAK SPACE}%"
    assert draw("{{ n|percent:1 }}", n=0.8125) == "81.2\N{NO-BREAK SPACE}%"
    assert draw("{{ n|percent:1 }}", n=0.6667) == "66.7\N{NO-BREAK SPACE}%"


# Texts


def test_word_diff_tag_escapes():
    html = draw("{% word_diff a b %}", a=HOSTILE, b="plain")
    assert "<script" not in html
    assert "<del>" in html


def test_safe_markdown_tag_switches_htmx_off_inside():
    html = draw("{% safe_markdown text %}", text="**b** <i hx-get=/x>")
    assert html.startswith('<div class="markdown" dir="auto" hx-disable>')
    assert "<strong>b</strong>" in html
    assert "<i " not in html


def test_judged_text_escapes_and_keeps_blanks():
    assert draw("{% judged_text text %}", text="a\n  <b>") == (
        '<div class="judged" dir="auto">a\n  &lt;b&gt;</div>'
    )


def test_span_text_marks_code_points():
    text = "👩‍🚀 says <no>"
    start = text.index("<")
    html = draw(
        "{% span_text text marks %}",
        text=text,
        marks=[{"start": start, "end": start + 4, "label": HOSTILE, "colour": 3}],
    )
    assert "&lt;no&gt;</mark>" in html
    assert 'class="span span-3"' in html
    assert "<script" not in html


def test_span_text_nests_where_spans_overlap():
    html = draw(
        "{% span_text text marks %}",
        text="abcdef",
        marks=[
            {"start": 0, "end": 4, "label": "one", "colour": 1},
            {"start": 2, "end": 6, "label": "two", "colour": 2},
        ],
    )
    plain = re.sub(r' title="\w+"', "", html)
    assert plain == (
        '<div class="judged" dir="auto"><mark class="span span-1">ab</mark>'
        '<mark class="span span-1"><mark class="span span-2">cd</mark></mark>'
        '<mark class="span span-2">ef</mark></div>'
    )


def test_span_text_cuts_marks_to_the_text():
    marks = [
        SimpleNamespace(start=-3, end=2, label="a", colour=9),
        SimpleNamespace(start=2, end=2, label="empty", colour=1),
        SimpleNamespace(start=5, end=99, label="b", colour=None),
    ]
    html = draw("{% span_text text marks %}", text="abcdef", marks=marks)
    assert re.findall(r"<mark[^>]*>(\w+)</mark>", html) == ["ab", "f"]


# Charts


def test_sparkline_has_words_and_breaks_at_gaps():
    html = draw('{% sparkline values "Cases per day" %}', values=[1, 2, None, 4, 5])
    assert "<title>Cases per day</title>" in html
    assert html.count("<polyline") == 2


@pytest.mark.parametrize("values", [[], [None], [float("nan")]])
def test_sparkline_of_nothing_is_nothing(values):
    assert "<svg" not in draw("{% sparkline values %}", values=values)


def test_sparkline_of_flat_values_lies_in_the_middle():
    assert 'cy="10.0"' in draw("{% sparkline values %}", values=[3, 3, 3])


def test_bars_are_a_table_with_value_count_and_interval():
    html = draw(
        '{% bars rows title="What" kind="percent" count_label="Items" %}',
        rows=[{"label": HOSTILE, "value": 0.34, "count": 412, "low": 0.3, "high": 0.4}],
    )
    assert "<script" not in html
    assert "34\N{NO-BREAK SPACE}%" in html
    assert ">412</td>" in html
    assert "30\N{NO-BREAK SPACE}% – 40\N{NO-BREAK SPACE}%" in html


def test_bars_count_column_only_with_counts():
    assert "Items" not in draw(
        '{% bars rows count_label="Items" %}', rows=[{"label": "a", "value": 1}]
    )


def test_line_chart_says_its_figures_in_a_table():
    points = [
        {"label": "1 Nov", "value": 0.5, "count": 30, "low": 0.4, "high": 0.6},
        {"label": "2 Nov", "value": None},
        {"label": "3 Nov", "value": 0.75, "count": 50},
    ]
    html = draw(
        '{% line_chart series title="Agreement" kind="percent" %}',
        series=[{"label": "agreement", "points": points}],
    )
    table = html[html.index("<table") :]
    assert re.findall(r'<th scope="row">([^<]*)</th>', table) == ["1 Nov", "2 Nov", "3 Nov"]
    assert "(30)" in table
    assert "<title>Agreement</title>" in html


def test_line_chart_of_nothing_says_so():
    assert "No figures yet." in draw("{% line_chart series %}", series=[])


def test_line_chart_ends_do_not_cover_each_other():
    series = [
        {"label": name, "points": [{"label": "a", "value": 1}, {"label": "b", "value": value}]}
        for name, value in (("one", 5.0), ("two", 5.05), ("three", 4.95))
    ]
    html = draw("{% line_chart series %}", series=series)
    heights = sorted(
        float(y) for y in re.findall(r'class="value end[^"]*"[^>]* y="([\d.]+)"', html)
    )
    assert len(heights) == 3
    assert all(b - a >= 14 for a, b in pairwise(heights))


def test_matrix_places_worse_higher_and_more_frequent_further_right():
    problems = [
        {"title": "rare", "url": "/1", "severity": "low", "frequency": 0.1, "reach": 3},
        {"title": "often", "url": "/2", "severity": "critical", "frequency": 8, "reach": 90},
    ]
    html = draw("{% matrix problems %}", problems=problems)
    places = {
        title: (float(x), float(y))
        for title, x, y in re.findall(
            r'aria-label="(\w+):[^"]*".*?cx="([\d.]+)%" cy="([\d.]+)"', html
        )
    }
    assert places["often"][0] > places["rare"][0]
    assert places["often"][1] < places["rare"][1]


def test_charts_use_no_inline_style():
    html = draw(
        "{% bars rows %}{% line_chart series %}{% matrix problems %}{% sparkline values %}",
        rows=[{"label": "a", "value": 1}],
        series=[{"label": "a", "points": [{"label": "x", "value": 1}]}],
        problems=[{"title": "t", "url": "/", "severity": "low", "frequency": 1, "reach": 1}],
        values=[1, 2],
    )
    assert "style=" not in html


# Buttons


def test_button_prints_its_key_and_says_it():
    html = draw('{% button "Approve 12" kind="primary" key="a" %}')
    assert html.count("<button") == 1
    assert 'class="button button-primary"' in html
    assert 'data-key="a"' in html
    assert 'aria-keyshortcuts="a"' in html
    assert "Approve 12" in html


def test_button_takes_nothing_from_the_page_around_it():
    html = draw('{% button "Save" %}', form="<form>", name="x", href="/elsewhere", disabled=True)
    assert html.strip() == '<button type="submit" class="button">Save</button>'


def test_included_button_takes_no_everyday_names_from_the_page():
    html = draw(
        '{% include "parts/_button.html" with label="Save" %}',
        form="<form>",
        key="an API key",
        name="x",
        value="y",
        type="z",
    )
    assert html.strip() == '<button type="submit" class="button">Save</button>'


def test_button_with_address_is_a_link():
    assert draw('{% button "Open" href="/p/" %}').strip() == '<a href="/p/" class="button">Open</a>'


def test_button_with_icon_only_is_named():
    html = draw('{% button "More" icon="ellipsis-horizontal" icon_only=True %}')
    assert 'aria-label="More"' in html


# Filters


def at(query):
    return RequestFactory().get(f"/p/tax/problems/{query}")


def test_filter_url_changes_one_filter_and_forgets_the_place():
    html = draw('{% filter_url state="open" %}', request=at("?owner=ben&state=fixing&cursor=abc"))
    assert html == "?owner=ben&amp;state=open"


def test_filter_url_takes_a_filter_away():
    assert draw("{% filter_url owner=None %}", request=at("?owner=ben&tag=a&tag=b")) == (
        "?tag=a&amp;tag=b"
    )


def test_filter_url_names_a_place():
    assert draw('{% filter_url cursor="x y" %}', request=at("?owner=ben&cursor=old")) == (
        "?owner=ben&amp;cursor=x+y"
    )


def test_filter_url_escapes_what_the_query_brought():
    assert "<" not in draw('{% filter_url a="b" %}', request=at("?x=%22%3E%3Cscript%3E"))


def test_hidden_filters_keep_all_but_what_the_form_asks():
    html = draw('{% hidden_filters "q" %}', request=at("?q=tax&tag=a&tag=%22%3E&cursor=x"))
    assert re.findall(r'name="(\w+)" value="([^"]*)"', html) == [
        ("tag", "a"),
        ("tag", "&quot;&gt;"),
    ]
