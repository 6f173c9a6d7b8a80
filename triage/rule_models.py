"""How a project ranks its problems, and whom it tells when one is late."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from feedbackhub.accounts.models import ProjectModel
from feedbackhub.audit.tracking import tracked


def _weight(default):
    return models.FloatField(
        default=default, validators=[MinValueValidator(0), MaxValueValidator(1_000)]
    )


def _power():
    return models.FloatField(default=1, validators=[MinValueValidator(0), MaxValueValidator(3)])


def check_time_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValidationError(_("There is no such time zone. Europe/Berlin is one.")) from None


@tracked("warn_at_percent", "quiet_from", "quiet_to", "time_zone", "has_model_titles")
class PriorityRules(ProjectModel):
    """A project's own weights and hours. Without a row, the defaults hold."""

    severity_none = _weight(0.3)
    severity_low = _weight(1)
    severity_medium = _weight(3)
    severity_high = _weight(9)
    severity_critical = _weight(27)
    # each factor is raised to its power: 0 leaves it out, 1 takes it as it is
    reach_power, frequency_power, recency_power = _power(), _power(), _power()
    half_life_days = models.FloatField(
        default=14, validators=[MinValueValidator(0.5), MaxValueValidator(365)]
    )
    warn_at_percent = models.PositiveSmallIntegerField(
        default=75, validators=[MinValueValidator(1), MaxValueValidator(99)]
    )  # of the time that a problem has; then its owner hears of it
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)
    has_model_titles = models.BooleanField(default=False, db_default=False)  # triage/wording.py
    time_zone = models.CharField(max_length=60, default="UTC", validators=[check_time_zone])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project"], name="priorityrules_once"),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_to=None)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="priorityrules_quiet",
            ),
        ]

    def __str__(self):
        return f"rules of {self.project_id}"

    def severity_weight(self, severity) -> float:
        return getattr(self, f"severity_{severity}")


def rules_of(project_id) -> PriorityRules:
    """The project's rules, or the defaults as a row that is not saved."""
    found = project_id and PriorityRules.objects.filter(project=project_id).first()
    return found or PriorityRules(project_id=project_id)
