"""System checks: a wrong combination of settings is explained with a hint before anything starts."""

from django.conf import settings
from django.core.checks import Error, Warning, register


@register(deploy=True)
def production_settings(app_configs, **kwargs):
    if settings.DEBUG:
        yield Error(
            "DEBUG is on.",
            hint="Unset DEBUG: error pages would show source and settings.",
            id="feedbackhub.E001",
        )
    if settings.DEMO_SIGN_IN:
        yield Error(
            "Anybody can sign in by a demo link.", hint="Unset DEMO_SIGN_IN.", id="feedbackhub.E002"
        )


@register()
def secrets_are_our_own(app_configs, **kwargs):
    if len(settings.SECRET_KEY) < 32:
        yield Error(
            "SECRET_KEY is too short.", hint="Use 50 random characters.", id="feedbackhub.E003"
        )
    if len(settings.IDENTIFIER_KEY) < 32:
        yield Error(
            "IDENTIFIER_KEY is too short.", hint="Use 50 random characters.", id="feedbackhub.E004"
        )
    from cryptography.fernet import Fernet

    for key in settings.CREDENTIAL_KEYS:
        try:
            Fernet(key)
        except ValueError:
            yield Error(
                "A key in CREDENTIAL_KEYS is not a Fernet key.",
                hint="Make one: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
                id="feedbackhub.E005",
            )


@register()
def addresses_fit_together(app_configs, **kwargs):
    if settings.BASE_URL.startswith("https://") and settings.INSECURE_HTTP:
        yield Error(
            "INSECURE_HTTP is on while BASE_URL is https.",
            hint="Unset INSECURE_HTTP.",
            id="feedbackhub.E006",
        )
    if settings.BASE_URL.startswith("http://") and not settings.INSECURE_HTTP:
        yield Warning(
            "BASE_URL is plain http, but cookies are Secure: nobody can sign in.",
            hint="Use https, or INSECURE_HTTP=1 on a laptop.",
            id="feedbackhub.W007",
        )
    if "*" in settings.ALLOWED_HOSTS:
        yield Error(
            "ALLOWED_HOSTS lets every host in.", hint="Name the hosts.", id="feedbackhub.E008"
        )


@register("database", deploy=True)
def database_is_durable(app_configs, databases=None, **kwargs):
    from django.db import connection

    if not databases:
        return
    with connection.cursor() as cursor:
        for name, wanted in (
            ("fsync", ("on",)),
            ("full_page_writes", ("on",)),
            ("synchronous_commit", ("on", "remote_write", "remote_apply")),
        ):
            cursor.execute("SELECT current_setting(%s)", [name])
            value = cursor.fetchone()[0]
            if value not in wanted:
                yield Error(
                    f"PostgreSQL runs with {name} = {value}: an acknowledged row may be lost.",
                    hint=f"Set {name} = on.",
                    id="feedbackhub.E009",
                )
