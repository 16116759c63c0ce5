"""All settings of a shop, read once: environment over `shopbot.toml` over defaults.

The only reader of the environment. Knows nothing about what the settings are used for.
"""

from __future__ import annotations

import difflib
import os
import secrets
import tomllib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from bot.errors import ConfigError
from prompts.filling import SpokenTone

PREFIX = "SHOPBOT_"
FILE = "shopbot.toml"
DEFAULT_CHECKPOINT = Path(__file__).parent / "checkpoints" / "shop-gpt2"

Clock = Callable[[], datetime]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ShopSettings(_Section):
    name: str = Field(default="", max_length=80)
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$")
    locale: Literal["en", "zh"] = "en"
    contact: str = Field(default="", max_length=200)


class ChatSettings(_Section):
    max_message_chars: Annotated[int, Field(ge=1, le=100_000)] = 4000
    max_products: Annotated[int, Field(ge=1, le=10)] = 4


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
    encoder: str = "minilm"


class PrivacySettings(_Section):
    training_default: bool = False


class WebSettingsSection(_Section):
    frame_ancestors: tuple[str, ...] = ()


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
    generator: GeneratorSettings = GeneratorSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    privacy: PrivacySettings = PrivacySettings()
    web: WebSettingsSection = WebSettingsSection()
    limits: LimitSettings = LimitSettings()

    @field_validator("now")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    @property
    def url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self.database_url or f"sqlite:///{(self.home / 'shopbot.db').resolve()}"

    @property
    def index_folder(self) -> Path:
        return self.home / "index"

    @property
    def media_folder(self) -> Path:
        return self.home / "media"

    @property
    def models_folder(self) -> Path:
        """Models in the form that the fast runtime reads; can always be made again."""
        return self.home / "models"

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
        hidden = isinstance(first["input"], dict | list) or ".remote_" in key
        given = "" if hidden else f" (got {first['input']!r})"
        told = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"setting {key}: {told}{given}") from None


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
    return tuple(value.split()) if keys[-1] == "frame_ancestors" else value


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
