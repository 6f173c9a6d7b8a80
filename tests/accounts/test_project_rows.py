"""A child's project equals its parent's, along every foreign key, in the database."""

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from feedbackhub.accounts.models import ProjectModel
from feedbackhub.accounts.project_rows import SameProject
from feedbackhub.capture.models import RetrievedDocument
from tests.factories import InteractionFactory

PROJECT_MODELS = [model for model in apps.get_models() if issubclass(model, ProjectModel)]


@pytest.mark.parametrize("model", PROJECT_MODELS, ids=lambda model: model._meta.label)
def test_every_foreign_key_to_a_project_row_has_its_same_project_constraint(model):
    to_project_rows = {
        field.name
        for field in model._meta.local_fields
        if field.is_relation and issubclass(field.related_model, ProjectModel)
    }
    constrained = {c.field for c in model._meta.constraints if isinstance(c, SameProject)}
    assert constrained == to_project_rows


def test_a_child_in_another_project_than_its_parent_is_refused(project, other_project):
    interaction = InteractionFactory(project=project)
    with pytest.raises(IntegrityError), transaction.atomic():
        RetrievedDocument.objects.create(project=other_project, interaction=interaction, position=0)
        connection.check_constraints()
