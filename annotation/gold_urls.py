from django.urls import path

from annotation import (
    approval_views,
    assertion_views,
    coverage_views,
    evaluation_views,
    export_views,
    flagging,
    gold_views,
    version_views,
)

urlpatterns = [
    path("interactions/<uuid:public_id>/flag/", flagging.flag_interaction, name="flag_interaction"),
    path("cases/<uuid:public_id>/assertions/", assertion_views.assertions, name="assertions"),
    path(
        "cases/<uuid:public_id>/assertions/<uuid:assertion_id>/remove/",
        assertion_views.remove,
        name="remove_assertion",
    ),
    path(
        "cases/<uuid:public_id>/assertions/<uuid:assertion_id>/back/",
        assertion_views.put_back,
        name="put_assertion_back",
    ),
    path("gold/", gold_views.gold, name="gold"),
    path("gold/approve/", approval_views.gold_approve, name="gold_approve"),
    path("gold/approve/all/", approval_views.approve_all, name="gold_approve_all"),
    path("gold/coverage/", coverage_views.gold_coverage, name="gold_coverage"),
    path("gold/versions/", gold_views.gold_versions, name="gold_versions"),
    path("gold/versions/<int:number>/", version_views.gold_version, name="gold_version"),
    path(
        "gold/versions/<int:number>/since/<int:other>/",
        version_views.version_differences,
        name="version_differences",
    ),
    path("gold/versions/<int:number>/<uuid:public_id>/", gold_views.gold_as_of, name="gold_as_of"),
    path("gold/<uuid:public_id>/", gold_views.gold_example, name="gold_example"),
    path("gold/<uuid:public_id>/retire/", gold_views.retire, name="gold_retire"),
    path("gold/<uuid:public_id>/back/", gold_views.bring_back, name="gold_bring_back"),
    path("gate/", evaluation_views.evaluations, name="evaluations"),
    path("gate/rules/", evaluation_views.gate_rules, name="gate_rules"),
    path("gate/<uuid:public_id>/", evaluation_views.evaluation, name="evaluation"),
    path("gate/<uuid:public_id>/compare/", evaluation_views.compare_run, name="compare_run"),
    path("gate/<uuid:public_id>/override/", evaluation_views.override, name="override_evaluation"),
    path("exports/", export_views.exports, name="exports"),
    path("exports/<uuid:public_id>/", export_views.export, name="export"),
    path("exports/<uuid:public_id>/cancel/", export_views.cancel, name="export_cancel"),
    path("exports/<uuid:public_id>/again/", export_views.again, name="export_again"),
    path("exports/<uuid:public_id>/manifest/", export_views.manifest, name="export_manifest"),
    path("exports/<uuid:public_id>/<str:part>/", export_views.download, name="export_download"),
]
