"""The review screen and the leads' items, under `p/<slug:project>/`."""

from django.urls import path

from annotation import (
    discussion_views,
    item_views,
    own_keys_views,
    proposal_views,
    review_parts,
    review_views,
)

urlpatterns = [
    path("review/", review_views.review, name="review"),
    path("review/ahead/", review_views.review_ahead, name="review_ahead"),
    path("review/shell/", review_parts.review_shell, name="review_shell"),
    path("review/worker.js", review_parts.review_worker, name="review_worker"),
    path("review/keys/", own_keys_views.own_keys, name="own_keys"),
    path("review/categories/", proposal_views.what_can_be_said, name="what_can_be_said"),
    path("review/finished/", review_views.review_finished, name="review_finished"),
    path("review/<uuid:public_id>/", review_views.review_item, name="review_item"),
    path("review/<uuid:public_id>/context/", review_parts.review_beside, name="review_context"),
    path("review/<uuid:public_id>/session/", review_parts.review_session, name="review_session"),
    path(
        "review/<uuid:public_id>/session/<uuid:turn>/",
        review_parts.review_turn,
        name="review_turn",
    ),
    path("review/<uuid:public_id>/text/<str:field>/", review_parts.review_text, name="review_text"),
    path("review/<uuid:public_id>/draft/", review_views.save_draft, name="save_draft"),
    path(
        "review/<uuid:public_id>/submit/", review_views.submit_annotation, name="submit_annotation"
    ),
    path("review/<uuid:public_id>/skip/", review_views.skip, name="skip"),
    path("review/<uuid:public_id>/undo/", review_views.undo_submit, name="undo_submit"),
    path("review/<uuid:public_id>/heartbeat/", review_views.heartbeat, name="heartbeat"),
    path("review/<uuid:public_id>/release/", review_views.release, name="release"),
    path("review/<uuid:public_id>/revise/", review_views.revise, name="revise"),
    path("review/<uuid:public_id>/take-up/", review_views.take_up, name="take_up"),
    path("items/", item_views.review_items, name="review_items"),
    path("items/review-these/", item_views.review_these, name="review_these"),
    path("items/<uuid:public_id>/", item_views.item, name="item"),
    path(
        "items/<uuid:public_id>/discussion/",
        discussion_views.item_discussion,
        name="item_discussion",
    ),
    path(
        "items/<uuid:public_id>/comment/", discussion_views.comment_on_item, name="comment_on_item"
    ),
    path("items/<uuid:public_id>/text/<str:field>/", item_views.item_text, name="item_text"),
    path("items/<uuid:public_id>/decide/", item_views.decide_dispute, name="decide_dispute"),
    path("items/<uuid:public_id>/reopen/", item_views.reopen_item, name="reopen_item"),
    path("items/<uuid:public_id>/dismiss/", item_views.dismiss_item, name="dismiss_item"),
    path("items/<uuid:public_id>/discussed/", item_views.close_discussion, name="close_discussion"),
    path(
        "assignments/<uuid:public_id>/return/",
        item_views.return_assignment,
        name="return_assignment",
    ),
]
