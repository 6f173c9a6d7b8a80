"""How far labels can be trusted: agreement and people, under `p/<slug:project>/`."""

from django.urls import path

from annotation import agreement_views, decision_views

urlpatterns = [
    path("agreement/", agreement_views.agreement, name="agreement"),
    path("agreement.csv", agreement_views.agreement_file, name="agreement_file"),
    path("review/decisions/", decision_views.decisions, name="decisions"),
    path(
        "review/decisions/<uuid:public_id>/reply/",
        decision_views.reply_to_decision,
        name="reply_to_decision",
    ),
]
