from django.urls import include, path

from feedbackhub.accounts import views

urlpatterns = [
    path("", views.home, name="home"),
    path("accounts/", include("allauth.account.urls")),
]
