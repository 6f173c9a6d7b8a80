"""How far labels can be trusted: agreement and people, under `p/<slug:project>/`."""

from django.urls import path

from annotation import agreement_views, decision_views, people_views, waits_views

urlpatterns = [
    path("agreement/", agreement_views.agreement, name="agreement"),
    path("agreement.csv", agreement_views.agreement_file, name="agreement_file"),
    path("waiting/", waits_views.waits_for_me, name="waits_for_me"),
    path("people/", people_views.people_page, name="people"),
    path("people.csv", people_views.people_file, name="people_file"),
    path("people/me/", people_views.my_figures, name="my_figures"),
    path("people/<uuid:public_id>/", people_views.person, name="person"),
    path("people/<uuid:public_id>/figures.csv", people_views.person_file, name="person_file"),
    path("people/<uuid:public_id>/pause/", people_views.pause, name="pause_expert"),
    path("people/<uuid:public_id>/go-on/", people_views.let_go_on, name="resume_expert"),
    path("review/decisions/", decision_views.decisions, name="decisions"),
    path(
        "review/decisions/<uuid:public_id>/reply/",
        decision_views.reply_to_decision,
        name="reply_to_decision",
    ),
]
