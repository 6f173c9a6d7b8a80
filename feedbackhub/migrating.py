"""Apply many schema operations with the historical models rendered once.

Django renders every related model anew after each operation; with hundreds of them in the first migrations that takes
half a minute. The operations of one group must not depend on each other's effect on a model's fields: creates
together, then fields, then indexes and constraints, then triggers.
"""

from django.db.migrations.operations.base import Operation


class Together(Operation):
    """The `operations`, as one step."""

    def __init__(self, operations):
        self.operations = operations

    def deconstruct(self):
        return self.__class__.__name__, [], {"operations": self.operations}

    def state_forwards(self, app_label, state):
        state.__dict__.pop("apps", None)  # rendered again when next asked for, once
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self):
        return f"{len(self.operations)} operations together"
