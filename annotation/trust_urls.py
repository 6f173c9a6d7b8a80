"""How far labels can be trusted: agreement and people, under `p/<slug:project>/`."""

from django.urls import path

from annotation import agreement_views

urlpatterns = [
    path("agreement/", agreement_views.agreement, name="agreement"),
    path("agreement.csv", agreement_views.agreement_file, name="agreement_file"),
]
