from django.urls import path

from annotation import (
    agreement_views,
    comparison_api,
    evaluation_api,
    export_api,
    gold_api,
    judgement_api,
    recall_api,
    review_api,
)

urlpatterns = [
    path("review-items", review_api.ReviewItemsView.as_view(), name="api_review_items"),
    path("comparisons", comparison_api.ComparisonsView.as_view(), name="api_comparisons"),
    path("annotations", review_api.AnnotationsView.as_view(), name="api_annotations"),
    path(
        "annotations/import", judgement_api.JudgementsView.as_view(), name="api_import_annotations"
    ),
    path("settlements", review_api.SettlementsView.as_view(), name="api_settlements"),
    path("recall", recall_api.RecallView.as_view(), name="api_recall"),
    path("agreement", agreement_views.AgreementView.as_view(), name="api_agreement"),
    path("gold", gold_api.GoldView.as_view(), name="api_gold"),
    path("gold/<uuid:public_id>/lineage", gold_api.LineageView.as_view(), name="api_lineage"),
    path("gold-versions", gold_api.GoldVersionsView.as_view(), name="api_gold_versions"),
    path("gold-versions/<int:number>/cases", evaluation_api.CasesView.as_view(), name="api_cases"),
    path(
        "gold-versions/<int:number>/holdout",
        evaluation_api.HoldoutView.as_view(),
        name="api_holdout",
    ),
    path(
        "gold-versions/<int:number>/evaluations",
        evaluation_api.EvaluateView.as_view(),
        name="api_evaluate",
    ),
    path("evaluations", evaluation_api.EvaluationsView.as_view(), name="api_evaluations"),
    path(
        "evaluations/<uuid:public_id>",
        evaluation_api.EvaluationView.as_view(),
        name="api_evaluation",
    ),
    path(
        "evaluations/<uuid:public_id>/results",
        evaluation_api.EvaluationResultsView.as_view(),
        name="api_evaluation_results",
    ),
    path("exports", export_api.ExportsView.as_view(), name="api_exports"),
    path("exports/preview", export_api.ExportPreviewView.as_view(), name="api_export_preview"),
    path("exports/<uuid:public_id>", export_api.ExportView.as_view(), name="api_export"),
    path(
        "exports/<uuid:public_id>/manifest",
        export_api.ExportManifestView.as_view(),
        name="api_export_manifest",
    ),
    path(
        "exports/<uuid:public_id>/file", export_api.ExportFileView.as_view(), name="api_export_file"
    ),
    path(
        "exports/<uuid:public_id>/link", export_api.ExportLinkView.as_view(), name="api_export_link"
    ),
]
