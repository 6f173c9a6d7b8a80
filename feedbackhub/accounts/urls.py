from django.urls import include, path, reverse_lazy
from django.views.generic import RedirectView

from feedbackhub.accounts import demo_sign_in, views

project_urls = [
    path("settings/", views.settings, name="settings"),
    path("settings/members/", views.settings_members, name="settings_members"),
    path("settings/members/<uuid:public_id>/", views.member, name="member"),
    path("settings/members/<uuid:public_id>/remove/", views.remove_member, name="remove_member"),
    path("settings/keys/", views.settings_keys, name="settings_keys"),
    path("settings/keys/<uuid:public_id>/revoke/", views.revoke_key, name="revoke_key"),
    path("settings/audit/", views.settings_audit, name="settings_audit"),
]

# An address is given by whoever invites: nobody changes their own, and none is confirmed by letter. No act of ours asks for
# the password again.
to_profile = RedirectView.as_view(url=reverse_lazy("profile"))
not_ours = [
    path("reauthenticate/", to_profile),
    path("email/", to_profile),
    path("confirm-email/", to_profile),
    path("confirm-email/<str:key>/", to_profile),
]

urlpatterns = [
    path("", views.home, name="home"),
    path("profile/", views.profile, name="profile"),
    path("theme/", views.choose_theme, name="theme"),
    path("demo/<str:token>/", demo_sign_in.sign_in, name="demo_sign_in"),
    path("accounts/", include(not_ours)),
    path("accounts/", include("allauth.account.urls")),
    path("p/<slug:project>/", include(project_urls)),
]
