"""Every setting, read from the environment, with a line saying what it is for.

Values also come from the file that FEEDBACKHUB_ENV_FILE names (`.local/env` unless told). What is insecure is off
unless switched on; without SECRET_KEY nothing starts. `checks.py` explains wrong combinations.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import environ
from csp.constants import NONE, SELF

ROOT = Path(__file__).resolve().parent.parent

env = environ.Env()
_env_file = Path(env.str("FEEDBACKHUB_ENV_FILE", default=str(ROOT / ".local" / "env")))
if _env_file.is_file():
    env.read_env(_env_file)

# --- who we are ---------------------------------------------------------------------------------

SECRET_KEY = env.str("SECRET_KEY")  # signs sessions and links; no secret, no start
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])  # old ones, while rotating
DEBUG = env.bool("DEBUG", default=False)  # error pages with source; never in production
BASE_URL = env.str("BASE_URL", default="http://127.0.0.1:8000").rstrip(
    "/"
)  # links in mails, tickets
DATA_DIR = Path(
    env.str("DATA_DIR", default=str(ROOT / ".local"))
)  # private database, files on disk
DEMO_SIGN_IN = env.bool("DEMO_SIGN_IN", default=False)  # sign-in links for the demo's people

# Keys the identifiers (user ids, reporter refs, bodies as received) are hashed under; never rotate.
IDENTIFIER_KEY = env.str("IDENTIFIER_KEY")
# Fernet keys for tracker credentials at rest, newest first.
CREDENTIAL_KEYS = env.list("CREDENTIAL_KEYS")

# --- the way in ---------------------------------------------------------------------------------

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[urlsplit(BASE_URL).hostname])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_PROXY = env.bool(
    "BEHIND_PROXY", default=False
)  # trust X-Forwarded-Proto and -For of one proxy
INSECURE_HTTP = env.bool("INSECURE_HTTP", default=False)  # cookies without Secure: a laptop, a test
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not INSECURE_HTTP
SESSION_COOKIE_NAME = "fh_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_NAME = "fh_csrf"
CSRF_FAILURE_VIEW = "feedbackhub.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 0 if INSECURE_HTTP else env.int("SECURE_HSTS_SECONDS", default=31_536_000)
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024  # forms; the API reads its bodies through api.bodies
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "pgtrigger",
    "pghistory",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "heroicons",
    "csp",
    "django_structlog",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "feedbackhub.parts",
    "feedbackhub.accounts",
    "feedbackhub.outbox.apps.OutboxConfig",
    "feedbackhub.audit",
    "feedbackhub.capture.apps.CaptureConfig",
    "annotation",
    "triage",
    "feedbackhub.analytics",
    "feedbackhub.demo",
]

MIDDLEWARE = [
    "feedbackhub.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "feedbackhub.request_log.RequestLog",
    "feedbackhub.api.problems.ApiProblemMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "feedbackhub.bodies_of_strangers.BodiesOfStrangersMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "feedbackhub.audit.middleware.AuditMiddleware",
    "feedbackhub.errors.DatabaseAwayMiddleware",
    "csp.middleware.CSPMiddleware",
]

ROOT_URLCONF = "feedbackhub.urls"
WSGI_APPLICATION = "feedbackhub.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "feedbackhub.accounts.context.frame",
            ],
        },
    }
]

# --- where things are kept ----------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", default="")  # unset: a private PostgreSQL under DATA_DIR
if not DATABASE_URL:
    from feedbackhub import embedded_postgres

    DATABASE_URL = embedded_postgres.database_url(DATA_DIR)
# Threads keep their connections in a pool in the web process; a worker holds one of its own.
WEB_PROCESS = "gunicorn" in Path(sys.argv[0]).name
DATABASES = {
    "default": {
        **env.db_url_config(DATABASE_URL),
        "CONN_MAX_AGE": 0 if WEB_PROCESS else 600,
        "CONN_HEALTH_CHECKS": not WEB_PROCESS,
    }
}
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"] |= {"connect_timeout": 5, "prepare_threshold": 5}
if WEB_PROCESS:
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": env.int("DATABASE_POOL_SIZE", default=16),
        "timeout": 10,
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="")  # unset: PostgreSQL is the broker and the cache
CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {
            "BACKEND": "django.core.cache.backends.db.DatabaseCache",
            "LOCATION": "cache",
            "OPTIONS": {"MAX_ENTRIES": 1_000_000},  # limits of sign-ins are kept in it
        }
    )
}

TASKS_EAGER = env.bool("TASKS_EAGER", default=False)  # tests: tasks run where they are queued

STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "staticfiles"
STATICFILES_DIRS = [ROOT / "static"]
STORAGES = {
    "default": {  # exports; S3 by setting
        "BACKEND": env.str("FILE_STORAGE", default="django.core.files.storage.FileSystemStorage"),
        "OPTIONS": env.json("FILE_STORAGE_OPTIONS", default={"location": str(DATA_DIR / "files")}),
    },
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or env.bool("PLAIN_STATIC", default=False)  # tests and development
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or env.bool("PLAIN_STATIC", default=False)

# --- people -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # e-mail is unique whatever its case: constraint user_email
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "feedbackhub.accounts.adapter.InvitedOnlyAdapter"  # nobody signs up unasked
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
# The key is an account at an address (accounts.adapter, where many addresses are held back too).
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "50/10m/ip,10/10m/key",
    "login_failed_anywhere": "100/h/key",
}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if BEHIND_PROXY else 0
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]

# --- mail and the outside world -----------------------------------------------------------------

# smtp://… for real mail; unset, messages wait on the outbox page and nothing leaves.
EMAIL_URL = env.str("EMAIL_URL", default="")
vars().update(env.email_url_config(EMAIL_URL or "dummymail://"))
EMAIL_TIMEOUT = 15
# A mail service by its API, with the `email` extra: EMAIL_BACKEND=anymail.backends.<service>.EmailBackend, its settings
# as JSON in ANYMAIL, and its webhooks at /hooks/mail/<service>/tracking/.
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default=EMAIL_BACKEND)  # noqa: F821 (set by email_url_config)
USES_ANYMAIL = EMAIL_BACKEND.startswith("anymail.")
if USES_ANYMAIL:
    INSTALLED_APPS += ["anymail"]
    ANYMAIL = env.json("ANYMAIL", default={})
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="FeedbackHub <feedbackhub@localhost>")
# host:port pairs that the network guard lets through although they are private: tests, an intranet.
OUTBOUND_ALLOWED_HOSTS = env.list("OUTBOUND_ALLOWED_HOSTS", default=[])
# What makes texts comparable: "tfidf" (nothing to download), the path of a folder with a MiniLM, or the address of an
# OpenAI-compatible service (https://…/v1) with its model's name and key.
EMBEDDER = env.str("EMBEDDER", default="tfidf")
EMBEDDER_MODEL = env.str("EMBEDDER_MODEL", default="text-embedding-3-small")
EMBEDDER_KEY = env.str("EMBEDDER_KEY", default="")

# Who judges the sentences that experts wrote about good answers: nobody, or an OpenAI-compatible service.
JUDGE = env.str("JUDGE", default="")
JUDGE_MODEL = env.str("JUDGE_MODEL", default="gpt-4o-mini")
JUDGE_KEY = env.str("JUDGE_KEY", default="")
# Who suggests a judgement to the experts, ahead: nobody, or an OpenAI-compatible service.
SUGGESTER = env.str("SUGGESTER", default="")
SUGGESTER_MODEL = env.str("SUGGESTER_MODEL", default="gpt-4o-mini")
SUGGESTER_KEY = env.str("SUGGESTER_KEY", default="")
UNDO_SECONDS = env.int("UNDO_SECONDS", default=10)  # how long a submit can be taken back

# --- API ----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["feedbackhub.accounts.api_keys.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["feedbackhub.accounts.api_keys.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["feedbackhub.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "feedbackhub.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "feedbackhub.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "FeedbackHub",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": [],
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
}

# --- language and time --------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LOCALE_PATHS = [ROOT / "locale"]

# --- audit --------------------------------------------------------------------------------------

PGHISTORY_APPEND_ONLY = True
PGHISTORY_MIDDLEWARE_METHODS = ()  # audit.middleware sets the context
PGTRIGGER_MIGRATIONS = True

# --- logs: ids, never texts ---------------------------------------------------------------------

from feedbackhub import logs  # noqa: E402

DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = 10  # DEBUG: the end of a request says it all
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # addresses are personal data
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = False  # it would let a caller write into our log

LOGGING = logs.configuration(level=env.str("LOG_LEVEL", default="INFO"))
