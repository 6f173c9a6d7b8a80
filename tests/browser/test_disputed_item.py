"""A dispute on a phone: whatever experts marked, the page is as wide as the screen."""

import pytest

from tests.annotation.desk import judge, queue_with
from tests.factories import InteractionFactory, ReviewItemFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_long_word_that_is_marked_does_not_widen_the_page(sit_down, ana, olu, ben, project):
    word = "sum=3956;first20=0.30*20*205;beyond=0.38*35*205;" * 3
    queue, _items = queue_with(project, items=0, overlap=2)
    item = ReviewItemFactory(
        queue=queue, overlap=2, interaction=InteractionFactory(project=project, output=word)
    )
    mark = {"field": "output", "start": 0, "end": len(word), "quote": word, "label": "wrong"}
    judge(ana, queue, "wrong", "high", spans=[mark], correction=word + "!")
    judge(olu, queue, "partly", "low")
    page = sit_down(ben, f"/p/tax-help/items/{item.public_id}/", width=360, height=740)
    assert page.get_by_text("Marks that stand").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
