"""Settings: read once, validated, frozen; errors do not repeat the value."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from projector.config import LONGEST_BODY, LogFormat, LogLevel, Settings, load_settings
from projector.errors import ConfigurationError

SECRET = "hunter2-of-zoom"


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"PROJECTOR_{name.upper()}", raising=False)


def given(monkeypatch: pytest.MonkeyPatch, **settings: str) -> Settings:
    for name, value in settings.items():
        monkeypatch.setenv(f"PROJECTOR_{name.upper()}", value)
    return load_settings()


def test_every_setting_has_a_default_and_says_what_it_is() -> None:
    settings = load_settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.secrets() == ()
    assert settings.given_database_url() is None
    assert not settings.allow_unsigned
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(
        monkeypatch, port="0", health_port="9090", log_format="json", log_level="debug",
        allow_unsigned="true", max_body_bytes="2048", data_dir="/srv/data",
    )  # fmt: skip
    assert (settings.port, settings.health_port) == (0, 9090)
    assert settings.log_format is LogFormat.JSON
    assert settings.log_level is LogLevel.DEBUG
    assert settings.allow_unsigned
    assert settings.max_body_bytes == 2048
    assert settings.data_dir == Path("/srv/data")


def test_an_empty_variable_is_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, port="", database_url="", zoom_secret_tokens="")
    assert settings == load_settings()
    assert settings.port == 8080
    assert settings.secrets() == ()


def test_nothing_changes_a_setting_once_it_is_read() -> None:
    with pytest.raises(ValidationError):
        load_settings().port = 1


@pytest.mark.parametrize(
    ("text", "secrets"),
    [("one", (b"one",)), (" one , two ,", (b"one", b"two")), ("one\ntwo\n", (b"one", b"two")),
     (",", ()), ("schl\u00fcssel", ("schl\u00fcssel".encode(),))],
)  # fmt: skip
def test_secrets_are_separated_by_commas_or_lines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, secrets: tuple[bytes, ...]
) -> None:
    assert given(monkeypatch, zoom_secret_tokens=text).secrets() == secrets
    monkeypatch.delenv("PROJECTOR_ZOOM_SECRET_TOKENS")
    file = tmp_path / "tokens"
    file.write_text(text, encoding="utf-8")
    assert given(monkeypatch, zoom_secret_tokens_file=str(file)).secrets() == secrets
    file.write_text(text, encoding="utf-8-sig")
    assert load_settings().secrets() == secrets


@pytest.mark.parametrize(
    ("setting", "most"),
    [("max_body_bytes", LONGEST_BODY), ("duplicate_days", 36_500), ("batch_events", 1_000_000)],
)
def test_a_setting_ends_where_something_else_does(
    monkeypatch: pytest.MonkeyPatch, setting: str, most: int
) -> None:
    assert getattr(given(monkeypatch, **{setting: str(most)}), setting) == most
    with pytest.raises(ConfigurationError, match=f"PROJECTOR_{setting.upper()}"):
        given(monkeypatch, **{setting: str(most + 1)})


@pytest.mark.parametrize("blank", ["", " \n"])
def test_a_blank_database_url_is_not_an_absent_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, blank: str
) -> None:
    file = tmp_path / "url"
    file.write_text(blank, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is blank"):
        given(monkeypatch, database_url_file=str(file)).given_database_url()
    monkeypatch.delenv("PROJECTOR_DATABASE_URL_FILE")
    if blank:
        with pytest.raises(ConfigurationError, match="is blank"):
            given(monkeypatch, database_url=blank).given_database_url()


def test_a_database_url_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://u:p@h/d\n", encoding="utf-8")
    settings = given(monkeypatch, database_url_file=str(file))
    assert settings.given_database_url() == "postgresql://u:p@h/d"


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"])
@pytest.mark.parametrize("setting", ["zoom_secret_tokens_file", "database_url_file"])
def test_a_file_that_cannot_be_read_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: str, content: bytes | None
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    settings = given(monkeypatch, **{setting: str(file)})
    with pytest.raises(ConfigurationError, match=f"PROJECTOR_{setting.upper()} names {file}"):
        settings.secrets() if "secret" in setting else settings.given_database_url()


def test_a_setting_and_its_file_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="keep one") as told:
        given(monkeypatch, zoom_secret_tokens=SECRET, zoom_secret_tokens_file="/nowhere")
    assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [SECRET, f"//{SECRET}/v2", f"https:{SECRET}", f"file:///{SECRET}", f"https://[{SECRET}]/",
     f"https://zoom.example:{SECRET}/", f"https://zoom.example/?{SECRET}",
     f"https://zoom.example/#{SECRET}", f"https://{SECRET}@zoom.example/"],
)  # fmt: skip
def test_zoom_is_asked_at_web_addresses_alone(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(ConfigurationError, match="PROJECTOR_ZOOM_API_URL: ") as told:
        given(monkeypatch, zoom_api_url=url)
    assert SECRET not in str(told.value)
    assert given(monkeypatch, zoom_api_url="http://127.0.0.1:8099/v2").zoom_api_url.endswith("/v2")


@pytest.mark.parametrize("share", ["0", "-1", "1.01", "nan", "inf"])
def test_a_share_is_a_part(monkeypatch: pytest.MonkeyPatch, share: str) -> None:
    with pytest.raises(ConfigurationError, match="PROJECTOR_ZOOM_API_SHARE"):
        given(monkeypatch, zoom_api_share=share)
    assert given(monkeypatch, zoom_api_share="1").zoom_api_share == 1


def test_a_client_secret_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert load_settings().client_secret() is None
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n", encoding="utf-8-sig")
    settings = given(monkeypatch, zoom_client_secret_file=str(file))
    assert settings.client_secret() == SECRET
    file.write_text(" \n")
    assert settings.client_secret() is None
    file.unlink()
    with pytest.raises(ConfigurationError, match="PROJECTOR_ZOOM_CLIENT_SECRET_FILE names"):
        settings.client_secret()
    with pytest.raises(ConfigurationError, match="keep one") as told:
        given(monkeypatch, zoom_client_secret=SECRET)
    assert SECRET not in str(told.value)


WRONG = {
    "port": SECRET,
    "health_port": "65536",
    "max_body_bytes": "-1",
    "drain_seconds": SECRET,
    "duplicate_days": "1",
    "allow_unsigned": SECRET,
    "log_format": SECRET,
    "log_level": SECRET,
    "batch_events": "0",
    "zoom_plan": SECRET,
    "zoom_api_share": "0",
    "zoom_api_url": f"ftp://{SECRET}.example/v2",
    "zoom_token_url": f"https://user:{SECRET}@zoom.example/oauth/token",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_bad_setting_is_named_and_its_value_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PROJECTOR_ZOOM_SECRET_TOKENS", SECRET)
    with pytest.raises(ConfigurationError) as told:
        given(monkeypatch, **{name: WRONG[name]})
    assert str(told.value).startswith(f"PROJECTOR_{name.upper()}: ")
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_every_bad_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError) as told:
        given(monkeypatch, **WRONG)
    assert all(f"PROJECTOR_{name.upper()}: " in str(told.value) for name in WRONG)


def test_settings_show_no_secret() -> None:
    settings = Settings(
        zoom_secret_tokens=SecretStr(SECRET),
        database_url=SecretStr(f"postgresql://u:{SECRET}@h/d"),
        zoom_client_id=SecretStr(SECRET),
        zoom_client_secret=SecretStr(SECRET),
        zoom_app_id=SecretStr(SECRET),
    )
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)
    assert SECRET not in settings.model_dump_json()


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("PROJECTOR_DATABASE_URI", "PROJECTOR_DATABASE_URL"),
        ("PROJECTOR_ZOOM_SECRET_TOKEN", "PROJECTOR_ZOOM_SECRET_TOKENS"),
        ("PROJECTOR_X", "PROJECTOR_"),
    ],
)
def test_a_variable_that_is_no_setting_names_the_nearest_one(
    monkeypatch: pytest.MonkeyPatch, name: str, near: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name} is no setting; is {near}") as error:
        given(monkeypatch, **{name.removeprefix("PROJECTOR_").lower(): SECRET})
    assert SECRET not in str(error.value)
