"""Naming somebody in a discussion by keyboard: write @, pick, say it."""

import pytest
from django.urls import reverse

from annotation.models import ItemComment
from tests.annotation.desk import judge, queue_with
from tests.processes import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_name_is_picked_by_keyboard_and_its_person_told(project, ana, ben, olu, sit_down):
    queue, (item,) = queue_with(project, is_blind=False)
    judge(ana, queue)
    page = sit_down(ana, reverse("item_discussion", args=["tax-help", item.public_id]))
    box = page.get_by_label("Say something about it")
    box.press_sequentially("Which year, @o")
    options = page.get_by_role("option")
    assert options.all_inner_texts() == ["Olu"]
    box.press("Escape")
    assert options.count() == 0
    box.press("Backspace")
    assert options.all_inner_texts() == ["Ben", "Olu"]
    box.press("ArrowDown")
    box.press("ArrowUp")
    box.press("Enter")
    assert box.input_value() == "Which year, @Ben "
    assert page.get_by_role("checkbox", name="Ben").is_checked()
    page.get_by_role("button", name="Say it").click()
    wait_for(ItemComment.objects.exists, 20, "nothing was said")
    page.get_by_text("To Ben").wait_for()
    comment = ItemComment.objects.get()
    assert comment.text == "Which year, @Ben"
    assert [mention.user for mention in comment.mentions.all()] == [ben]
