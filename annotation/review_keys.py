"""The keys of the review screen: one for each frequent act, printed on it and matched by what the cap says.

Digits choose the verdict and lead to the places of the screen, letters answer. While text is selected the digits mark
it instead, and the marks' names stand beside the selection with their digits.
"""

from feedbackhub.capture.vocabulary import Severity

VERDICTS = "1234"
SEVERITIES = {
    Severity.NONE: "n",
    Severity.LOW: "l",
    Severity.MEDIUM: "m",
    Severity.HIGH: "h",
    Severity.CRITICAL: "c",
}
CATEGORIES = "qwertyuiopzxvb"
ROOT_CAUSES = "asdfgjk9"
SPAN_LABELS = "12345678"  # while text is selected

CORRECTION = "5"
NOTE = "6"
VIEW = "7"
SKIP = "8"
FOLD_QUEUE = "0"
SUBMIT = "mod+enter"


def nth(keys: str, place: int) -> str:
    """The key of the nth of a list; what stands further back has none."""
    return keys[place] if place < len(keys) else ""
