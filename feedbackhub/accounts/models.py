"""People, projects and keys."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from feedbackhub.accounts.permissions import Role, Scope, may
from feedbackhub.accounts.project_rows import (  # noqa: F401 (other apps import them from here)
    ProjectForeignKey,
    ProjectModel,
    ProjectOneToOneField,
    project_parent,
    same_project,
)
from feedbackhub.audit.tracking import tracked
from feedbackhub.ids import make_public_id


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, email):
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in. What they may do hangs on their memberships."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=80)
    is_active = models.BooleanField(default=True)
    theme = models.CharField(
        max_length=5,
        choices=[("auto", "auto"), ("light", "light"), ("dark", "dark")],
        default="auto",
    )
    time_zone = models.CharField(max_length=64, default="UTC")
    # the keys of the review screen that this person changed: {act: key}, see annotation/review_keys.py
    review_keys = models.JSONField(default=dict, blank=True)
    wants_digest = models.BooleanField(
        default=True, db_default=True
    )  # a mail each morning on which something waits
    created_at = models.DateTimeField(default=timezone.now)

    objects = UserManager()
    USERNAME_FIELD = EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email")]

    def __str__(self):
        return self.name or self.email

    @property
    def initials(self) -> str:
        return "".join(part[0] for part in self.name.split()[:2]).upper() or self.email[:1].upper()


def default_sla_hours() -> dict:
    return {"critical": 4, "high": 24, "medium": 120, "low": 480}


class ProjectQuerySet(models.QuerySet):
    def for_user(self, user):
        return self.filter(membership__user=user)


@tracked("name", "slug", "retention_days", "redaction_kinds", "sla_hours")
class Project(models.Model):
    """A product whose answers are judged here; a wall that nothing crosses."""

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=80)
    retention_days = models.PositiveIntegerField(default=365)
    # Kinds of personal data to mask; null means all that `redaction` knows.
    redaction_kinds = ArrayField(models.CharField(max_length=30), null=True, blank=True)
    sla_hours = models.JSONField(default=default_sla_hours)
    # Counts erasures; an export's bytes are the same within one epoch.
    erasure_epoch = models.PositiveIntegerField(default=0)
    next_gold_version = models.PositiveIntegerField(default=1)
    next_problem_number = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ProjectQuerySet.as_manager()

    def __str__(self):
        return self.name


@tracked("roles")
class Membership(ProjectModel):
    """One person in one project, with one or more roles."""

    user = models.ForeignKey(User, on_delete=models.CASCADE)
    roles = ArrayField(models.CharField(max_length=10, choices=Role.choices))
    joined_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(roles__len__gte=1), name="membership_has_role"
            ),
            models.CheckConstraint(
                condition=models.Q(roles__contained_by=Role.values), name="membership_known_roles"
            ),
        ]

    def __str__(self):
        return f"{self.user} in {self.project}"

    def may(self, permission: str) -> bool:
        return may(self.roles, permission)


class ApiKeyQuerySet(models.QuerySet):
    def live(self):
        return self.filter(revoked_at=None)


@tracked("name", "scopes", "origins", "revoked_at")
class ApiKey(ProjectModel):
    """A key for programs. The secret is shown once; only its SHA-256 is kept."""

    class Kind(models.TextChoices):
        SECRET = "secret", "Secret"
        PUBLIC = "public", "Public"

    public_id = models.UUIDField(default=make_public_id, unique=True, editable=False)
    kind = models.CharField(max_length=6, choices=Kind.choices, default=Kind.SECRET)
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=14)  # what people may see: fh_sk_AbCdEf…
    secret_hash = models.BinaryField(max_length=32, unique=True)
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope.choices), default=list)
    origins = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=Scope.values), name="apikey_known_scopes"
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="public") | models.Q(scopes=[]),
                name="apikey_public_has_no_scope",
            ),
        ]
        indexes = [models.Index(fields=["project", "-id"], name="apikey_of_project")]

    def __str__(self):
        return f"{self.name} ({self.prefix}…)"

    def allows(self, scope: str) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes


class IdempotencyKey(ProjectModel):
    """An Idempotency-Key that a caller sent: the answer it got, or that its twin is still at work. Kept 7 days."""

    key = models.CharField(max_length=200)
    caller = models.CharField(max_length=60)  # api key or user, by public id
    method_and_path = models.CharField(max_length=300)
    body_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField(
        null=True, validators=[MinValueValidator(100), MaxValueValidator(599)]
    )
    answer = models.JSONField(null=True)
    locked_until = models.DateTimeField()  # nothing is "in progress" longer than its lease
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "caller", "key"], name="idempotencykey_once")
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotencykey_age")]

    def __str__(self):
        return self.key
