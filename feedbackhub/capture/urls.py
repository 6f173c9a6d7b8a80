from django.urls import path

from feedbackhub.capture import views

urlpatterns = [
    path("interactions/", views.interactions, name="interactions"),
    path("interactions/<uuid:public_id>/", views.interaction, name="interaction"),
    path("prompts/", views.prompts, name="prompts"),
]
