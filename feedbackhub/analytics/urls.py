from django.urls import path

from feedbackhub.analytics import palette, views

urlpatterns = [
    path("", views.project_home, name="project_home"),
    path("palette/", palette.palette, name="palette"),
]
