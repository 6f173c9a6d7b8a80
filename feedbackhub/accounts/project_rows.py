"""Rows that belong to a project, and the database's promise that a child's project is its parent's.

`same_project("interaction")` puts a composite foreign key (interaction_id, project_id) on the table. It is also the
foreign key itself, so the plain one that Django would add is left out.
"""

from django.db import models
from django.db.models.constraints import BaseConstraint


class ProjectModel(models.Model):
    """A row of one project. Nothing of one project is ever visible from another."""

    project = models.ForeignKey("accounts.Project", on_delete=models.CASCADE, db_index=False)

    class Meta:
        abstract = True


class ProjectForeignKey(models.ForeignKey):
    """A foreign key to a row of the same project; name it in `same_project(…)` too."""

    def __init__(self, to, on_delete, **kwargs):
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)


class ProjectOneToOneField(models.OneToOneField):
    """A one-to-one field to a row of the same project; name it in `same_project(…)` too."""

    def __init__(self, to, on_delete, **kwargs):
        kwargs["db_constraint"] = False
        super().__init__(to, on_delete, **kwargs)


class SameProject(BaseConstraint):
    """FOREIGN KEY (field_id, project_id) REFERENCES parent (id, project_id), checked at commit."""

    def __init__(
        self, *, field: str, name: str, violation_error_code=None, violation_error_message=None
    ):
        self.field = field
        super().__init__(name=name)

    def _parent(self, model):
        return model._meta.get_field(self.field).related_model

    def _column(self, model):
        return model._meta.get_field(self.field).column

    def constraint_sql(self, model, schema_editor):
        self.create_sql(model, schema_editor)

    def create_sql(self, model, schema_editor):
        """Deferred to the end of the migration, as foreign keys are: the parent may come later in it."""
        schema_editor.deferred_sql.append(self._sql(model, schema_editor))

    def _sql(self, model, schema_editor):
        quote = schema_editor.quote_name
        parent = self._parent(model)
        return (
            f"ALTER TABLE {quote(model._meta.db_table)} ADD CONSTRAINT {quote(self.name)} "
            f"FOREIGN KEY ({quote(self._column(model))}, project_id) "
            f"REFERENCES {quote(parent._meta.db_table)} (id, project_id) DEFERRABLE INITIALLY DEFERRED"
        )

    def remove_sql(self, model, schema_editor):
        quote = schema_editor.quote_name
        return f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT {quote(self.name)}"

    def validate(self, model, instance, exclude=None, using=None):
        """The database decides."""

    def deconstruct(self):
        path, args, kwargs = super().deconstruct()
        return path, args, {**kwargs, "field": self.field}

    def __eq__(self, other):
        return isinstance(other, SameProject) and (self.name, self.field) == (
            other.name,
            other.field,
        )

    __hash__ = BaseConstraint.__hash__ or object.__hash__


def same_project(table: str, *fields: str) -> list[BaseConstraint]:
    """One composite foreign key for each of `fields` of the model whose table is called `table`."""
    return [SameProject(field=field, name=f"{table}_{field}_same_project"[:63]) for field in fields]


def project_parent(table: str) -> models.UniqueConstraint:
    """What the composite foreign keys of this model's children refer to."""
    return models.UniqueConstraint(fields=["id", "project"], name=f"{table}_id_project")
