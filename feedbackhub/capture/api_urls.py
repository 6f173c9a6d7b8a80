from django.urls import path

from feedbackhub.capture import api

urlpatterns = [
    path("interactions", api.InteractionsView.as_view(), name="api_interactions"),
    path("interactions/<path:external_id>", api.InteractionView.as_view(), name="api_interaction"),
    path("feedback", api.FeedbackView.as_view(), name="api_feedback"),
    path("prompt-versions", api.PromptVersionsView.as_view(), name="api_prompt_versions"),
]
