from django.urls import path

from annotation import queue_settings, rule_settings, schema_settings

urlpatterns = [
    path("settings/queues/", queue_settings.settings_queues, name="settings_queues"),
    path("settings/queues/new/", queue_settings.new_queue, name="new_queue"),
    path("settings/queues/<uuid:public_id>/", queue_settings.queue, name="settings_queue"),
    path("settings/rules/", rule_settings.settings_rules, name="settings_rules"),
    path("settings/rules/new/", rule_settings.new_rule, name="new_rule"),
    path("settings/rules/<uuid:public_id>/", rule_settings.rule, name="settings_rule"),
    path("settings/rules/<uuid:public_id>/switch/", rule_settings.switch, name="switch_rule"),
    path("settings/rules/<uuid:public_id>/move/", rule_settings.move, name="move_rule"),
    path("settings/rules/<uuid:public_id>/delete/", rule_settings.delete, name="delete_rule"),
    path("settings/rules/<uuid:public_id>/backfill/", rule_settings.backfill, name="backfill_rule"),
    path("settings/schema/", schema_settings.settings_schema, name="settings_schema"),
    path("settings/schema/new/", schema_settings.new_category, name="new_category"),
    path("settings/schema/guidelines/", schema_settings.guidelines, name="schema_guidelines"),
    path("settings/schema/category/<slug:key>/", schema_settings.category, name="schema_category"),
    path(
        "settings/schema/category/<slug:key>/retire/",
        schema_settings.retire,
        name="retire_category",
    ),
    path(
        "settings/schema/proposals/<int:pk>/decline/",
        schema_settings.decline,
        name="decline_proposal",
    ),
]
