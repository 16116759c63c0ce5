"""Settings: environment over file over defaults, and errors that name the remedy."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.settings import Settings, load_settings


def test_that_defaults_serve_without_any_file(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path)
    assert settings.home == tmp_path
    assert settings.url == f"sqlite:///{tmp_path / 'shopbot.db'}"
    assert settings.chat.max_message_chars == 4000
    assert settings.privacy.training_default is False
    assert settings.clock()().tzinfo is UTC


def test_that_the_environment_wins_over_the_file_and_the_file_over_defaults(tmp_path: Path) -> None:
    (tmp_path / "shopbot.toml").write_text(
        '[shop]\nname = "From the file"\nlocale = "zh"\n[chat]\nmax_products = 3\n'
    )
    settings = load_settings({"SHOPBOT_SHOP__NAME": "From the environment"}, home=tmp_path)
    assert (settings.shop.name, settings.shop.locale) == ("From the environment", "zh")
    assert settings.chat.max_products == 3


def test_that_the_file_in_the_home_wins_over_the_one_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    Path("shopbot.toml").write_text('[shop]\nname = "beside"\ncontact = "a@example.com"\n')
    (home / "shopbot.toml").write_text('[shop]\nname = "home"\n')
    settings = load_settings({"SHOPBOT_HOME": "home"})
    assert (settings.shop.name, settings.shop.contact) == ("home", "a@example.com")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("SHOPBOT_CHAT__MAX_MESAGE_CHARS", "did you mean chat.max_message_chars?"),
        ("SHOPBOT_SHOPP__NAME", "did you mean shop?"),
        ("SHOPBOT_HOME__X", "home has no parts"),
    ],
)
def test_that_an_unknown_variable_is_an_error_with_its_nearest_key(
    tmp_path: Path, name: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=rf"{name}.*{told.replace('?', '[?]')}"):
        load_settings({name: "1"}, home=tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[chat]\nmax_product = 3\n", "did you mean chat.max_products"),
        ("nmae = 3\n", "did you mean"),
        ("[chat\n", "not valid TOML"),
        ("[chat]\nmax_products = 99\n", "chat.max_products.*got 99"),
        ('[shop]\nlocale = "fr"\n', "shop.locale"),
        ('[shop]\ncurrency = "dollars"\n', "shop.currency"),
        ("chat = 3\n", "chat"),
    ],
)
def test_that_a_wrong_file_is_one_clear_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "shopbot.toml").write_text(text)
    with pytest.raises(ConfigError, match=told) as caught:
        load_settings({}, home=tmp_path)
    assert "\n" not in str(caught.value).strip()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHOPBOT_CHAT__MAX_MESSAGE_CHARS", "many"),
        ("SHOPBOT_NOW", "yesterday"),
        ("SHOPBOT_GENERATOR__SECONDS", "0"),
        ("SHOPBOT_PRIVACY__TRAINING_DEFAULT", "perhaps"),
    ],
)
def test_that_a_wrong_value_is_an_error_that_names_it(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(ConfigError, match=value):
        load_settings({name: value}, home=tmp_path)


def test_that_variables_of_tests_and_of_others_are_left_alone(tmp_path: Path) -> None:
    load_settings({"SHOPBOT_TEST_POSTGRES": "x", "PATH": "/bin", "SHOPBOT_NOW": ""}, home=tmp_path)


def test_that_sites_are_listed_with_spaces(tmp_path: Path) -> None:
    env = {"SHOPBOT_WEB__FRAME_ANCESTORS": "https://a.example  https://b.example"}
    found = load_settings(env, home=tmp_path).web.frame_ancestors
    assert found == ("https://a.example", "https://b.example")


def test_that_a_fixed_day_is_the_clock_and_has_a_zone(tmp_path: Path) -> None:
    settings = load_settings({"SHOPBOT_NOW": "2026-03-02T10:00:00"}, home=tmp_path)
    assert settings.clock()() == datetime(2026, 3, 2, 10, tzinfo=UTC)


def test_that_the_secret_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path / "new")
    secret = settings.secret()
    assert len(secret) == 32
    assert settings.secret() == secret == load_settings({}, home=tmp_path / "new").secret()
    assert stat.S_IMODE((tmp_path / "new" / "secret").stat().st_mode) == 0o600
    assert load_settings({}, home=tmp_path / "other").secret() != secret


def test_that_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        settings.home = Path("elsewhere")  # type: ignore[misc]
