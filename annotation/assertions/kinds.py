"""The kinds of assertion, one class each. Texts are compared as people read them: case, blanks and code points aside."""

import functools
import json
import unicodedata

import jsonschema
import regex
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from referencing.exceptions import Unresolvable

from annotation.answers import is_storable
from annotation.refusals import InvalidAnswer

LONGEST = 2_000  # characters of a text, a pattern or a sentence
LONGEST_SCHEMA = 20_000  # characters of a JSON schema
MOST_WRITTEN_OUT = 2_000  # parts of a JSON schema with each of its references written out
MOST_TEXTS = 20
PATTERN_SECONDS = 0.2  # a pattern that takes longer is called failed, and says so
SHORT = 60  # characters of a text that a sentence quotes


class Kind:
    """One kind: its fields, how they are checked, and how a text is held against them.

    `hold` answers why the text fails, "" when it does not, None when it cannot tell.
    """

    name: str
    label: str
    fields: tuple[str, ...]

    def tidy(self, given: dict) -> dict:
        raise NotImplementedError

    def hold(self, assertion: dict, text: str, documents) -> str | None:
        raise NotImplementedError

    def words(self, assertion: dict) -> str:
        raise NotImplementedError


class MustMention(Kind):
    name, label, fields = "must_mention", gettext_lazy("Must mention"), ("texts",)

    def tidy(self, given):
        return {"texts": _texts(given)}

    def hold(self, assertion, text, documents):
        missing = [each for each in assertion["texts"] if _plain(each) not in _plain(text)]
        return _("It does not mention %s.") % _quoted(missing) if missing else ""

    def words(self, assertion):
        return _("Must mention %s") % _quoted(assertion["texts"])


class MustNotMention(Kind):
    name, label, fields = "must_not_mention", gettext_lazy("Must not mention"), ("texts",)

    def tidy(self, given):
        return {"texts": _texts(given)}

    def hold(self, assertion, text, documents):
        found = [each for each in assertion["texts"] if _plain(each) in _plain(text)]
        return _("It mentions %s.") % _quoted(found) if found else ""

    def words(self, assertion):
        return _("Must not mention %s") % _quoted(assertion["texts"])


class Matches(Kind):
    name, label, fields = "matches", gettext_lazy("Matches a pattern"), ("pattern",)

    def tidy(self, given):
        pattern = _text(given, "pattern")
        try:
            regex.compile(pattern)
        except (regex.error, RecursionError, OverflowError) as error:
            raise InvalidAnswer(
                {"pattern": _("This is no pattern: %s.") % str(error)[:200]}
            ) from None
        return {"pattern": pattern}

    def hold(self, assertion, text, documents):
        try:
            found = regex.search(assertion["pattern"], text, timeout=PATTERN_SECONDS)
        except TimeoutError:
            return _("The pattern took too long on this text. Make it simpler.")
        return "" if found else _("Nothing in it matches %s.") % _quoted([assertion["pattern"]])

    def words(self, assertion):
        return _("Matches %s") % _quoted([assertion["pattern"]])


class IsJson(Kind):
    name, label, fields = "is_json", gettext_lazy("Is valid JSON"), ("schema",)

    def tidy(self, given):
        schema = given.get("schema") or None
        if isinstance(schema, str):
            try:
                schema = json.loads(_text(given, "schema", LONGEST_SCHEMA))
            except (ValueError, RecursionError):
                raise InvalidAnswer({"schema": _("The schema is no JSON.")}) from None
        if schema is not None and not isinstance(schema, dict):
            raise InvalidAnswer({"schema": _("A schema is a JSON object.")})
        if schema is not None:
            _check_schema(schema)
        return {"schema": schema}

    def hold(self, assertion, text, documents):
        try:
            value = json.loads(_unfenced(text))
        except (ValueError, RecursionError):
            return _("It is not valid JSON.")
        schema = assertion["schema"]
        if schema is None:
            return ""
        try:
            wrong = next(jsonschema.Draft202012Validator(schema).iter_errors(value), None)
        except (RecursionError, Unresolvable, ArithmeticError, LookupError, ValueError, TypeError):
            return _("The schema could not be followed.")
        return wrong.message[:200] if wrong else ""

    def words(self, assertion):
        return _("Is JSON of the given schema") if assertion["schema"] else _("Is valid JSON")


class Language(Kind):
    name, label, fields = "language", gettext_lazy("Is in a language"), ("language",)

    def tidy(self, given):
        code = _text(given, "language").lower()
        if code not in _languages():
            raise InvalidAnswer(
                {"language": _("Send a code of ISO 639-1 such as en, de, ar or pt.")}
            )
        return {"language": code}

    def hold(self, assertion, text, documents):
        import py3langid

        if not any(character.isalpha() for character in text):
            return _("There is no word in it.")
        found = py3langid.classify(text[:20_000])[0]
        if found == assertion["language"]:
            return ""
        return _("It reads as %(found)s, not %(wanted)s.") % {
            "found": found,
            "wanted": assertion["language"],
        }

    def words(self, assertion):
        return _("Is in the language %s") % assertion["language"]


class MaxWords(Kind):
    name, label, fields = "max_words", gettext_lazy("Is at most so long"), ("words",)

    def tidy(self, given):
        words = given.get("words")
        if isinstance(words, str) and words.isascii() and words.isdigit() and len(words) < 8:
            words = int(words)
        if not isinstance(words, int) or isinstance(words, bool) or not 1 <= words <= 100_000:
            raise InvalidAnswer({"words": _("Send a whole number from 1 to 100,000.")})
        return {"words": words}

    def hold(self, assertion, text, documents):
        number = len(text.split())
        if number <= assertion["words"]:
            return ""
        return _("It has %(number)d words, %(most)d are allowed.") % {
            "number": number,
            "most": assertion["words"],
        }

    def words(self, assertion):
        return (
            ngettext("Has at most %d word", "Has at most %d words", assertion["words"])
            % assertion["words"]
        )


class CitesOneOf(Kind):
    name, label, fields = "cites_one_of", gettext_lazy("Cites one of"), ("documents",)

    def tidy(self, given):
        return {"documents": _texts(given, "documents")}

    def hold(self, assertion, text, documents):
        """A citation is the document's id, title or address in the text."""
        wanted = set(assertion["documents"])
        names = {
            name
            for document in documents
            if document.get("id") in wanted
            for name in (document.get("title"), document.get("url"))
            if name
        }
        read = _plain(text)
        if any(_plain(name) in read for name in names | wanted):
            return ""
        return _("It cites none of %s.") % _quoted(assertion["documents"])

    def words(self, assertion):
        return _("Cites one of %s") % _quoted(assertion["documents"])


class Rubric(Kind):
    name, label, fields = "rubric", gettext_lazy("A sentence for a judge"), ("sentence",)

    def tidy(self, given):
        return {"sentence": _text(given, "sentence")}

    def hold(self, assertion, text, documents):
        return None

    def words(self, assertion):
        return _shortened(assertion["sentence"], 200)


KINDS: dict[str, Kind] = {
    kind.name: kind()
    for kind in (
        MustMention,
        MustNotMention,
        Matches,
        IsJson,
        Language,
        MaxWords,
        CitesOneOf,
        Rubric,
    )
}


# --- reading --------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    """As it is read: case, width, blanks and code points of the same letters do not count."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _unfenced(text: str) -> str:
    """Models wrap JSON in a code fence; what is inside counts."""
    read = text.strip()
    if read.startswith("```") and read.endswith("```"):
        language, is_fence, inside = read[3:-3].partition("\n")
        if is_fence and language.strip() in ("", "json"):
            return inside
    return text


@functools.cache
def _languages() -> frozenset[str]:
    import py3langid

    return frozenset(code for code, _score in py3langid.rank("a"))


def _check_schema(schema: dict) -> None:
    """Refuse what is no schema, what would fetch, and patterns that could run for ever."""
    if len(json.dumps(schema)) > LONGEST_SCHEMA:
        raise InvalidAnswer({"schema": _("A schema has at most 20,000 characters.")})
    for key, value in _pairs(schema):
        if key in ("$dynamicRef", "$recursiveRef"):
            raise InvalidAnswer({"schema": _("A schema may only refer to its own $defs.")})
        if (key == "pattern" and isinstance(value, str)) or key == "patternProperties":
            raise InvalidAnswer(
                {"schema": _("Patterns are not allowed in a schema; use an assertion of its own.")}
            )
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
        size = _written_out(schema, schema, (), {})
    except jsonschema.SchemaError as error:
        raise InvalidAnswer(
            {"schema": _("This is no JSON schema: %s.") % error.message[:200]}
        ) from None
    except RecursionError:
        raise InvalidAnswer({"schema": _("The schema is nested too deeply.")}) from None
    if size > MOST_WRITTEN_OUT:
        raise InvalidAnswer({"schema": _("The schema refers to its $defs too often.")})


def _written_out(part, schema: dict, above: tuple[str, ...], sizes: dict[str, int]) -> int:
    """How many parts there would be if each reference were written out; following them is that much work."""
    if isinstance(part, list):
        return sum(_written_out(each, schema, above, sizes) for each in part)
    if not isinstance(part, dict):
        return 0
    size = 1 + _written_out(
        [value for key, value in part.items() if key != "$defs"], schema, above, sizes
    )
    reference = part.get("$ref")
    if not isinstance(reference, str):
        return size
    if reference in above:
        raise InvalidAnswer({"schema": _("A schema may not contain itself.")})
    if reference not in sizes:
        sizes[reference] = _written_out(
            _definition(schema, reference), schema, (*above, reference), sizes
        )
    return size + sizes[reference]


def _definition(schema: dict, reference: str):
    start, _slash, name = reference.rpartition("/")
    definitions = schema.get("$defs")
    if start != "#/$defs" or not isinstance(definitions, dict) or name not in definitions:
        raise InvalidAnswer({"schema": _("A schema may only refer to its own $defs.")})
    return definitions[name]


def _pairs(value):
    rest = [value]
    while rest:
        now = rest.pop()
        if isinstance(now, dict):
            yield from now.items()
            rest.extend(now.values())
        elif isinstance(now, list):
            rest.extend(now)


# --- what was sent --------------------------------------------------------------------------------


def _text(given, field, longest=LONGEST) -> str:
    value = given.get(field)
    if not isinstance(value, str) or not value.strip():
        raise InvalidAnswer({field: _("Write something here.")})
    if len(value) > longest or not is_storable(value):
        raise InvalidAnswer(
            {field: _("At most %d characters, and none that cannot be stored.") % longest}
        )
    return value.strip()


def _texts(given, field="texts") -> list[str]:
    value = given.get(field)
    if isinstance(value, str):  # a form's text area: one a line
        value = [line for line in value.splitlines() if line.strip()]
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_TEXTS:
        raise InvalidAnswer({field: _("Between 1 and %d texts, one a line.") % MOST_TEXTS})
    return list(dict.fromkeys(_text({field: each}, field) for each in value))


def _quoted(texts) -> str:
    return ", ".join(f"“{_shortened(text, SHORT)}”" for text in texts)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
