from django.urls import path

from triage import reporter_views

urlpatterns = [
    path("<str:token>/", reporter_views.reporter_page, name="reporter_page"),
    path(
        "<str:token>/still-wrong/<uuid:problem>/",
        reporter_views.still_wrong,
        name="reporter_still_wrong",
    ),
    path("<str:token>/thanks/", reporter_views.thanks, name="reporter_thanks"),
    path("<str:token>/unsubscribe/", reporter_views.unsubscribe, name="reporter_unsubscribe"),
    path("<str:token>/forget-me/", reporter_views.forget_me, name="reporter_forget_me"),
]
