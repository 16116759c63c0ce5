"""All settings of a shop, read once: environment over `shopbot.toml` over defaults.

The only reader of the environment. Knows nothing about what the settings are used for.
"""

from __future__ import annotations

import difflib
import os
import re
import secrets
import shlex
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from bot.durations import read_duration
from bot.errors import ConfigError
from bot.hours import Hours, read_hours
from bot.promises import Never
from prompts.filling import SpokenTone

PREFIX = "SHOPBOT_"
FILE = "shopbot.toml"
_ORIGIN = re.compile(r"https?://(?:\*\.)?[A-Za-z0-9.-]+(?::\d{1,5})?")
DEFAULT_CHECKPOINT = Path(__file__).parent / "checkpoints" / "shop-gpt2"

Clock = Callable[[], datetime]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Span = Annotated[timedelta | None, BeforeValidator(read_duration)]
Words = Annotated[str, Field(min_length=2, max_length=80, pattern=r"\S.*\S")]


class GreetingSettings(_Section):
    """The shop's own opening words; "" is the assistant's greeting."""

    en: str = Field(default="", max_length=400)
    zh: str = Field(default="", max_length=400)


class ShopSettings(_Section):
    name: str = Field(default="", max_length=80)
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    locale: Literal["en", "zh"] = "en"
    languages: tuple[Literal["en", "zh"], ...] = ("en", "zh")
    contact: str = Field(default="", max_length=200)
    greeting: GreetingSettings = GreetingSettings()
    hours: dict[str, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _first_language(cls, data: Any) -> Any:
        """A shop of one language need not say which one it begins in."""
        if isinstance(data, dict) and data.get("languages") and "locale" not in data:
            return data | {"locale": tuple(data["languages"])[0]}
        return data

    @field_validator("languages")
    @classmethod
    def _some(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("name en, zh or both, each once")
        return value

    @field_validator("hours")
    @classmethod
    def _readable(cls, value: dict[str, str]) -> dict[str, str]:
        read_hours(value)
        return value

    @model_validator(mode="after")
    def _spoken(self) -> Self:
        if self.locale not in self.languages:
            raise ValueError(
                f"locale {self.locale} is none of shop.languages; add it there or change shop.locale"
            )
        return self

    @property
    def business_hours(self) -> Hours | None:
        """When people are on duty; None where the shop does not say."""
        return read_hours(self.hours)


class ChatSettings(_Section):
    max_message_chars: Annotated[int, Field(ge=1, le=100_000)] = 4000
    max_products: Annotated[int, Field(ge=1, le=10)] = 4
    promise_never: Annotated[tuple[Words, ...], Field(max_length=100)] = ()


class HandoffSettings(_Section):
    topics: Annotated[tuple[Words, ...], Field(max_length=100)] = ()
    notify: Literal["off", "command", "webhook", "smtp"] = "off"
    command: tuple[str, ...] = ()
    webhook_url: str = ""
    smtp_host: str = ""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    mail_from: str = ""
    mail_to: str = ""
    seconds: Annotated[float, Field(gt=0, le=60)] = 10.0

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        needed = {
            "command": ("command",),
            "webhook": ("webhook_url",),
            "smtp": ("smtp_host", "mail_from", "mail_to"),
        }.get(self.notify, ())
        for name in needed:
            if not getattr(self, name):
                raise ValueError(f"notify {self.notify} needs handoff.{name}, which is not set")
        if self.webhook_url:
            url = urlsplit(self.webhook_url)
            near = url.hostname in ("localhost", "127.0.0.1", "::1")
            if not url.hostname or not (url.scheme == "https" or (url.scheme == "http" and near)):
                raise ValueError("handoff.webhook_url should begin with https://")
        return self


class GeneratorSettings(_Section):
    kind: Literal["gpt2", "plain", "remote"] = "gpt2"
    model: str = str(DEFAULT_CHECKPOINT)
    runtime: Literal["ctranslate2", "transformers"] = "ctranslate2"
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    candidates: Annotated[int, Field(ge=1, le=16)] = 4
    tone: SpokenTone = "neutral"
    seconds: Annotated[float, Field(gt=0, le=60)] = 4.0
    remote_url: str = ""
    remote_model: str = ""
    remote_key: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        for name in ("remote_url", "remote_model"):
            if self.kind == "remote" and not getattr(self, name).strip():
                raise ValueError(f"kind remote needs generator.{name}, which is not set")
        return self


class RetrievalSettings(_Section):
    encoder: str = "bilingual"


class FeedSettings(_Section):
    """Where the catalogue comes from by itself; without `source` nothing is ever fetched."""

    source: str = ""
    interval: Span = None
    max_age: Span = None
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    map: dict[str, str] = {}
    partial: bool = False
    max_withdrawn: Annotated[float, Field(ge=0, le=1)] = 0.3
    max_megabytes: Annotated[int, Field(ge=1, le=10_000)] = 200
    seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0
    user: str = ""
    password: SecretStr = SecretStr("")

    @property
    def remote(self) -> bool:
        """Whether the feed is fetched from the web."""
        return "://" in self.source

    @field_validator("interval")
    @classmethod
    def _not_without_pause(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value < timedelta(minutes=1):
            raise ValueError("write a minute or more, such as 30m or 6h")
        return value

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.source and self.interval is not None:
            raise ValueError("feed.interval needs feed.source, which is not set")
        if self.remote:
            url = urlsplit(self.source)
            if url.scheme.lower() != "https" or not url.hostname:
                raise ValueError("feed.source should be a path or begin with https://")
            if url.username is not None or url.password is not None:
                raise ValueError(
                    "feed.source holds a name or password: put them into feed.user and feed.password"
                )
        return self


class PrivacySettings(_Section):
    training_default: bool = False
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 90  # details of closed requests
    # None keeps them until somebody erases them
    conversations_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    traces_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    exports_days: Annotated[int, Field(ge=1, le=36500)] | None = None
    audit_days: Annotated[int, Field(ge=1, le=36500)] | None = None


class WebSettingsSection(_Section):
    frame_ancestors: Annotated[tuple[str, ...], Field(max_length=100)] = ()

    @field_validator("frame_ancestors")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """They stand in a header, where a blank or a semicolon would begin another rule."""
        for origin in value:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin!r} is no origin; write scheme and host, such as https://www.shop.example "
                    "or https://*.shop.example, without a path"
                )
        return value


class LimitSettings(_Section):
    per_session_per_minute: Annotated[int, Field(ge=1)] = 30
    per_client_per_minute: Annotated[int, Field(ge=1)] = 120


class Settings(_Section):
    """Every setting with its default. `home` holds the shop's database, index and secrets."""

    home: Path = Path("var")
    database_url: str = ""
    now: datetime | None = None
    shop: ShopSettings = ShopSettings()
    chat: ChatSettings = ChatSettings()
    handoff: HandoffSettings = HandoffSettings()
    generator: GeneratorSettings = GeneratorSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    feed: FeedSettings = FeedSettings()
    privacy: PrivacySettings = PrivacySettings()
    web: WebSettingsSection = WebSettingsSection()
    limits: LimitSettings = LimitSettings()

    @field_validator("now")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    @model_validator(mode="after")
    def _keeps_its_word(self) -> Self:
        for language in ("en", "zh"):
            held = Never(self.chat.promise_never).held(getattr(self.shop.greeting, language))
            if held:
                raise ValueError(
                    f"setting shop.greeting.{language} holds {held!r}, which chat.promise_never rules out; "
                    "change one of them"
                )
        return self

    @property
    def url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{(self.home / 'shopbot.db').resolve()}"

    @property
    def feed_folder(self) -> Path:
        """What is remembered of the feed between two runs of `shopbot sync`."""
        return self.home / "feed"

    @property
    def index_folder(self) -> Path:
        return self.home / "index"

    @property
    def media_folder(self) -> Path:
        return self.home / "media"

    @property
    def models_folder(self) -> Path:
        """Generators that were trained here, a folder each, and models in the form that the fast runtime
        reads, which can always be made again."""
        return self.home / "models"

    @property
    def exports_folder(self) -> Path:
        """Training sets, a folder each."""
        return self.home / "exports"

    @property
    def training_folder(self) -> Path:
        """Trainings that have not ended, a folder each."""
        return self.home / "training"

    @property
    def encoders_folder(self) -> Path:
        """Sentence encoders in that form, under names of their own."""
        return self.models_folder / "encoders"

    def clock(self) -> Clock:
        """Returns the only clock the dialogue reads: fixed when `now` is set, else the system's."""
        fixed = self.now
        return (lambda: fixed) if fixed is not None else (lambda: datetime.now(UTC))

    def secret(self) -> bytes:
        """Returns the home's 32-byte secret, made on first use and readable by its owner only."""
        path = self.home / "secret"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            try:
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            except FileExistsError:
                return path.read_bytes()
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(32))
        return path.read_bytes()


def load_settings(
    environment: Mapping[str, str] | None = None, *, home: Path | None = None
) -> Settings:
    """Reads the settings. `home` overrides SHOPBOT_HOME (the demo has a home of its own).

    Raises ConfigError naming the setting, its origin and the nearest known key.
    """
    env = dict(os.environ if environment is None else environment)
    where = home or Path(env.get(f"{PREFIX}HOME") or "var")
    merged: dict[str, Any] = {}
    for path in (Path(FILE), where / FILE):
        if path.is_file():
            _merge(merged, _read(path))
    for name, value in env.items():
        if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_") and value != "":
            keys = name.removeprefix(PREFIX).lower().split("__")
            _known(keys, origin=f"environment variable {name}")
            _put(merged, keys, _listed(keys, value))
    merged["home"] = where
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        # a section or an address may hold a secret
        hidden = not isinstance(first["input"], str | int | float) or ".remote_" in key
        hidden = hidden or key.startswith(("handoff.", "feed"))
        given = "" if hidden else f" (got {first['input']!r})"
        told = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"setting {key}: {told}{given}" if key else told) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    for section, body in data.items():
        for key in body if isinstance(body, dict) else [None]:
            _known([section] if key is None else [section, key], origin=str(path))
    return data


def _known(keys: list[str], *, origin: str) -> None:
    model: type[BaseModel] = Settings
    for depth, key in enumerate(keys):
        fields = model.model_fields
        if key not in fields:
            near = difflib.get_close_matches(key, fields, n=1, cutoff=0.0)
            path = ".".join([*keys[:depth], near[0]])
            raise ConfigError(f"{origin}: unknown setting {'.'.join(keys)}; did you mean {path}?")
        inner = fields[key].annotation
        if depth + 1 < len(keys):
            if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
                raise ConfigError(f"{origin}: setting {key} has no parts")
            model = inner


def _listed(keys: list[str], value: str) -> Any:
    """Reads the value of an environment variable that stands for a list or a table.

    Raises ConfigError.
    """
    match keys[-1]:
        case "frame_ancestors":
            return tuple(value.split())
        case "languages":
            return tuple(re.split(r"[,\s]+", value.strip()))
        case "topics" | "promise_never":
            return tuple(part.strip() for part in value.split(",") if part.strip())
        case "command":
            try:
                return tuple(shlex.split(value))
            except ValueError as error:
                raise ConfigError(f"setting {'.'.join(keys)}: {error}") from None
        case "hours" | "map":
            pairs = [part.partition("=") for part in value.split(";") if part.strip()]
            return {key.strip(): text.strip() for key, _, text in pairs}
    return value


def _merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _put(into: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        into = into.setdefault(key, {})
    into[keys[-1]] = value
