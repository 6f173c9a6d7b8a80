from django.urls import path

from annotation import (
    proposal_views,
    queue_settings,
    rule_settings,
    schema_settings,
    schema_versions_views,
)

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
        "settings/schema/category/<slug:key>/restore/",
        schema_settings.restore,
        name="restore_category",
    ),
    path(
        "settings/schema/category/<slug:key>/merge/", schema_settings.merge, name="merge_category"
    ),
    path(
        "settings/schema/category/<slug:key>/split/", schema_settings.split, name="split_category"
    ),
    path("settings/schema/category/<slug:key>/move/", schema_settings.move, name="move_category"),
    path("settings/schema/list/<slug:part>/", schema_settings.schema_list, name="schema_list"),
    path("settings/schema/another/", schema_settings.new_schema, name="new_schema"),
    path("settings/schema/file/", schema_versions_views.take_in_schema, name="take_in_schema"),
    path(
        "settings/schema/versions/", schema_versions_views.schema_versions, name="schema_versions"
    ),
    path(
        "settings/schema/versions/<int:number>.json",
        schema_versions_views.schema_file,
        name="schema_file",
    ),
    path(
        "settings/schema/versions/<int:old>-<int:new>/",
        schema_versions_views.schema_differences,
        name="schema_differences",
    ),
    path(
        "settings/schema/proposals/<int:pk>/",
        proposal_views.answer_proposal,
        name="answer_proposal",
    ),
    path(
        "settings/schema/proposals/<int:pk>/decline/",
        proposal_views.decline,
        name="decline_proposal",
    ),
]
