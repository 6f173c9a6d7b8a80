"""What the audit trail remembers of a row: the named fields, after each change, written by the database itself.

The triggers see `.update()` too, which is how rows are claimed and moved. Texts and vectors stay out: the trail
outlives an erasure, so it must hold nothing to erase.
"""

import pghistory
import pgtrigger
from django.db import models


def tracked(*fields: str):
    """Class decorator: one audit row for each insert, change and delete that touches `fields`."""

    def track(model):
        names, meta = list(fields), {}
        if any(field.name == "project" for field in model._meta.local_fields):
            names.append("project")
            meta["indexes"] = [  # the trail of one project, newest first
                models.Index(fields=["project", "-pgh_id"], name=f"{model._meta.model_name}_trail")
            ]
        return pghistory.track(
            pghistory.InsertEvent("created"),
            pghistory.UpdateEvent("changed"),
            pghistory.DeleteEvent("deleted"),
            fields=names,
            append_only=True,
            obj_field=pghistory.ObjForeignKey(related_name="audit_events"),
            model_name=f"{model.__name__}Event",
            meta=meta,
        )(model)

    return track


def legal_moves(field: str, moves: dict) -> pgtrigger.FSM:
    """The moves that `field` may make, refused by the database otherwise: {state: [next states]}."""
    return pgtrigger.FSM(
        name=f"{field}_moves",
        field=field,
        transitions=[(str(old), str(new)) for old, news in moves.items() for new in news],
    )
