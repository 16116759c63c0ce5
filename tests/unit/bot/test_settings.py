"""Settings: environment over file over defaults, and errors that name the remedy."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
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
        ('[shop]\nlanguages = ["en", "fr"]\n', "shop.languages"),
        ("[shop]\nlanguages = []\n", "shop.languages.*en, zh or both"),
        (
            '[shop]\nlanguages = ["zh"]\nlocale = "en"\n',
            "shop: locale en is none of shop.languages",
        ),
        (
            '[shop.hours]\nmon = "9 to 5"\ntimezone = "UTC"\n',
            'shop.hours: mon = .9 to 5.*write "09:00',
        ),
        ('[shop.hours]\nmon = "09:00-17:00"\n', "shop.hours: timezone is missing"),
        ('[shop.greeting]\nfr = "Salut"\n', "shop.greeting.fr"),
        (f'[shop.greeting]\nen = "{"x" * 401}"\n', "shop.greeting.en.*400"),
        ('[chat]\npromise_never = [""]\n', "chat.promise_never"),
        (
            '[shop.greeting]\nen = "Always the best price!"\n[chat]\npromise_never = ["best price"]\n',
            "shop.greeting.en holds 'best price'.*change one",
        ),
        ('[handoff]\ntopic = ["x"]\n', "did you mean handoff.topics"),
        ('[handoff]\nnotify = "pigeon"\n', "handoff.notify"),
        ('[handoff]\nnotify = "command"\n', "handoff: notify command needs handoff.command"),
        ('[handoff]\nnotify = "smtp"\nsmtp_host = "h"\n', "needs handoff.mail_from"),
        (
            '[handoff]\nnotify = "webhook"\nwebhook_url = "http://shop.example/hook"\n',
            "handoff.webhook_url should begin with https://",
        ),
        ("[privacy]\nretention_days = 0\n", "privacy.retention_days"),
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


@pytest.mark.parametrize(
    "site",
    [
        "shop.example",
        "https://shop.example/",
        "*",
        "https://a.example;script-src",
        "'none'",
        "https://",
    ],
)
def test_that_what_is_no_origin_cannot_frame_the_chat(tmp_path: Path, site: str) -> None:
    with pytest.raises(ConfigError, match=r"is no origin; write scheme and host"):
        load_settings({"SHOPBOT_WEB__FRAME_ANCESTORS": site}, home=tmp_path)


@pytest.mark.parametrize("site", ["https://*.shop.example", "http://shop.localhost:8080"])
def test_that_origins_with_a_port_or_of_a_whole_domain_may_frame_it(
    tmp_path: Path, site: str
) -> None:
    env = {"SHOPBOT_WEB__FRAME_ANCESTORS": site}
    assert load_settings(env, home=tmp_path).web.frame_ancestors == (site,)


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


def test_that_lists_and_tables_can_be_given_in_the_environment(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "SHOPBOT_SHOP__LANGUAGES": "zh",
            "SHOPBOT_SHOP__HOURS": "mon-fri=09:00-17:00; sat=10:00-12:00; timezone=Asia/Shanghai",
            "SHOPBOT_SHOP__GREETING__ZH": "欢迎光临",
            "SHOPBOT_HANDOFF__TOPICS": "warranty claim, wholesale,",
            "SHOPBOT_HANDOFF__COMMAND": "/bin/page 'on duty'",
            "SHOPBOT_CHAT__PROMISE_NEVER": "best price, free returns",
        },
        home=tmp_path,
    )
    assert (settings.shop.languages, settings.shop.locale) == (("zh",), "zh")
    assert settings.shop.business_hours is not None
    assert "周六 10:00–12:00" in settings.shop.business_hours.in_words("zh")
    assert settings.shop.greeting.zh == "欢迎光临"
    assert settings.handoff.topics == ("warranty claim", "wholesale")
    assert settings.handoff.command == ("/bin/page", "on duty")
    assert settings.chat.promise_never == ("best price", "free returns")


def test_that_an_address_that_wakes_a_person_is_not_told_in_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(
            {
                "SHOPBOT_HANDOFF__NOTIFY": "webhook",
                "SHOPBOT_HANDOFF__WEBHOOK_URL": "http://shop.example/secret-token",
            },
            home=tmp_path,
        )
    assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"SOURCE": "http://shop.example/f.csv?key=hush"}, "begin with https://"),
        ({"SOURCE": "ftp://shop.example/f.csv?key=hush"}, "begin with https://"),
        ({"SOURCE": "https://me:hush@shop.example/f.csv"}, "feed.user and feed.password"),
        ({"INTERVAL": "6h"}, "feed.interval needs feed.source"),
        ({"SOURCE": "f.csv", "INTERVAL": "5s"}, "a minute or more"),
        ({"SOURCE": "f.csv", "MAX_AGE": "soon"}, "30m, 6h or 2d"),
        ({"SOURCE": "f.csv", "MAX_WITHDRAWN": "30"}, "feed.max_withdrawn"),
    ],
)
def test_that_a_feed_that_cannot_be_is_refused_without_telling_its_key(
    tmp_path: Path, more: dict[str, str], told: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load_settings({f"SHOPBOT_FEED__{name}": text for name, text in more.items()}, home=tmp_path)
    assert told in str(error.value)
    assert "hush" not in str(error.value)


def test_that_a_feed_is_read_from_file_and_environment(tmp_path: Path) -> None:
    (tmp_path / "shopbot.toml").write_text(
        '[feed]\nsource = "https://shop.example/f.csv"\ninterval = "6h"\n[feed.map]\ntitle = "name"\n'
    )
    feed = load_settings({"SHOPBOT_FEED__MAX_AGE": "2d"}, home=tmp_path).feed
    assert (feed.remote, feed.map) == (True, {"title": "name"})
    assert (feed.interval, feed.max_age) == (timedelta(hours=6), timedelta(days=2))
    assert load_settings({}, home=tmp_path / "none").feed.source == ""
