"""All settings of the portal, in reading order. Everything told from outside comes through :mod:`portal.env`."""

from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import quote, urlsplit

import django_stubs_ext
from django.templatetags.static import static

from portal import env, oidc_settings

django_stubs_ext.monkeypatch()

environment = env.read_environment()

# --- who we are ---------------------------------------------------------------------------------------------------
try:
    PORTAL_VERSION = version("portreeve")
except PackageNotFoundError:  # run from a checkout
    PORTAL_VERSION = "0.1.0"
PORTAL_BASE_URL = environment.address("PORTAL_BASE_URL", "http://127.0.0.1:8000")
PORTAL_FACE = environment.choice("PORTAL_FACE", ["all", "token"], "all")
PORTAL_HOST = urlsplit(PORTAL_BASE_URL).netloc
PORTAL_TOKEN_ISSUER = environment.text("PORTAL_TOKEN_ISSUER", PORTAL_HOST)
PORTAL_TRUSTED_PROXIES = environment.networks("PORTAL_TRUSTED_PROXIES")
PORTAL_ENCRYPTION_KEYS = environment.keys("PORTAL_ENCRYPTION_KEYS")
PORTAL_SYNC_SECONDS = environment.number("PORTAL_SYNC_SECONDS", 300)
PORTAL_HEALTH_SECONDS = environment.number("PORTAL_HEALTH_SECONDS", 30)
PORTAL_THREADS = environment.number("PORTAL_THREADS", 8)

BASE_DIR = env.CHECKOUT
PORTAL_HOME = env.home()
SECRET_KEY = environment.secret("PORTAL_SECRET_KEY")
DEBUG = environment.flag("PORTAL_DEBUG", default=False)

# --- how we are reached -------------------------------------------------------------------------------------------
IS_HTTPS = PORTAL_BASE_URL.startswith("https://")
ALLOWED_HOSTS = sorted({urlsplit(PORTAL_BASE_URL).hostname or "localhost", "localhost", "127.0.0.1", "[::1]"})
CSRF_TRUSTED_ORIGINS = [f"{urlsplit(PORTAL_BASE_URL).scheme}://{PORTAL_HOST}"]
if PORTAL_TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = False  # the proxy's work; registries reach the token endpoint on an inner address
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if IS_HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
APPEND_SLASH = True
WSGI_APPLICATION = "portal.wsgi.application"
ROOT_URLCONF = "portal.token_urls" if PORTAL_FACE == "token" else "portal.urls"

# --- what we are made of ------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # the theme without its admin site; ours is portal.admin_site
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    # Floor
    "portal.http",
    "portal.audit",
    "portal.users",
    "portal.jobs",
    "portal.outbox",
    "portal.approvals",
    # Mechanism
    "registries.topology",
    "registries.access",
    "registries.catalog",
    "registries.copies",
    "registries.sentinel",
    "registries.retention",
    # Policy
    "promotions.replication",
    "promotions.archive",
    "promotions.workflow",
    # Roof
    "portal.web",
]
TOKEN_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "portal.http.request_id.RequestIdMiddleware",
    "allauth.account.middleware.AccountMiddleware",  # its app does not load without; here it does nothing
]
WEB_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "portal.http.request_id.RequestIdMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "portal.http.content_policy.ContentPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "portal.users.second_factor.SecondFactorMiddleware",
]
MIDDLEWARE = TOKEN_MIDDLEWARE if PORTAL_FACE == "token" else WEB_MIDDLEWARE
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.web.context.portal",
            ],
        },
    },
]

# --- what we keep -------------------------------------------------------------------------------------------------
DATABASES: dict[str, Any] = {
    "default": env.database(environment.secret("DATABASE_URL", f"sqlite:///{quote(str(PORTAL_HOME))}/portal.sqlite3"))
}
if PORTAL_FACE == "token" and DATABASES["default"]["ENGINE"].endswith("postgresql"):
    # The same statement with each request: to plan it anew would take as long as to answer it, and so would taking a connection
    # from a pool. Each thread keeps its own; one that broke is made anew by the view.
    DATABASES["default"]["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 5}
    del DATABASES["default"]["OPTIONS"]["pool"]
    DATABASES["default"]["CONN_MAX_AGE"] = 600
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

# --- who may come in ----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "portal.users.adapter.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "portal.users.adapter.SocialAccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip,5/5m/key"}
PORTAL_CONTACT = environment.text("PORTAL_CONTACT", "")
PORTAL_OIDC_PROVIDERS = oidc_settings.read_providers(environment)
PORTAL_BREAK_GLASS = environment.words("PORTAL_BREAK_GLASS")
PORTAL_OIDC_ONLY = oidc_settings.only_by_oidc(environment, PORTAL_OIDC_PROVIDERS, PORTAL_BREAK_GLASS)
PORTAL_SECOND_FACTOR_FOR_ROLES = environment.flag("PORTAL_SECOND_FACTOR_FOR_ROLES", default=False)
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True  # to connect another way in with an account, or to remove one
# The provider proves an address or it stays unproved; signing in sends no mail.
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"provider_class": "portal.users.oidc.provider.Provider"}}
SOCIALACCOUNT_FORMS = {"disconnect": "portal.users.oidc.disconnect.DisconnectForm"}
MFA_ADAPTER = "portal.users.second_factor.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Portreeve"
MFA_TOTP_TOLERANCE = 1  # thirty seconds either way: telephones and servers do not tell quite the same time
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs up here, so nobody can occupy an address that is not theirs

# --- the API ------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["portal.api.authentication.SecretAuthentication",
                                       "rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["portal.http.json_body.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "portal.http.problem.problem_handler",
    "DEFAULT_VERSIONING_CLASS": None,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}  # fmt: skip
SPECTACULAR_SETTINGS = {
    "TITLE": "Portreeve",
    "DESCRIPTION": "Governance of container registries: catalog, promotions, readiness, access.",
    "VERSION": PORTAL_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["portal.api.openapi.add_problems"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- work in the background ---------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.broker(environment.secret("CELERY_BROKER_URL", "memory://"))
IS_EMBEDDED = CELERY_BROKER_URL.startswith("memory://")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {"polling_interval": 0.05} if IS_EMBEDDED else {}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
JOB_LEASE = timedelta(seconds=60)

# --- what people see ----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
FORMAT_MODULE_PATH = "portal.formats"
STATIC_URL = "/static/"
STATIC_ROOT = PORTAL_HOME / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000

for name, value in env.email(environment.secret("EMAIL_URL", "console:")).items():
    globals()[name] = value

# --- the admin's theme and sections -------------------------------------------------------------------------------
UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Portreeve admin",
    "SITE_HEADER": "Portreeve",
    "SITE_SUBHEADER": "Governing the registries",
    "SITE_ICON": lambda request: static("web/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("web/mark.svg")}],
    "STYLES": [lambda request: static("web/tokens.css"), lambda request: static("web/admin.css")],
    "SCRIPTS": [lambda request: static("web/admin.js")],
    "DASHBOARD_CALLBACK": "portal.web.admin_overview.overview",
    "SITE_URL": "/",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": True,
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "#f2f6fe",
            "100": "#e9effd",
            "200": "#cfdcfa",
            "300": "#a9c2f7",
            "400": "#b4cbff",  # of dark pages: the web portal's accent there, stronger
            "500": "#8fb1ff",  # of dark pages: the web portal's accent there
            "600": "#2353c4",  # the web portal's accent
            "700": "#1b429f",
            "800": "#1a387f",
            "900": "#1a2745",
            "950": "#0b1226",
        },
        # The web portal's neutral greys.
        "base": {
            "50": "#f5f6f8",
            "100": "#eef0f3",
            "200": "#dde1e7",
            "300": "#bcc4ce",
            "400": "#9ba6b4",
            "500": "#626c79",
            "600": "#4a535f",
            "700": "#414c5a",
            "800": "#29313c",
            "900": "#151a21",
            "950": "#0e1217",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": False,
        "show_all_applications": False,
        "navigation": "portal.web.admin_sections.navigation",
    },
}

# --- what we say to operators -------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"celery": {"level": "WARNING"}, "gunicorn.access": {"level": "WARNING"}},
}
