"""A wrong variable stops the start with its name and what is accepted; every variable is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from httpstep import config
from tests.server import Server

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("LISTEN", "8080", "127.0.0.1:8080"),
        ("DATABASE_URL", "mysql://x", "postgresql"),
        ("RATELIMIT_URL", "memcached://x", "redis"),
        ("SMTP_URL", "http://x", "smtp://"),
        ("SMTP_URL", "smtp://h:port", "smtp://"),
        ("SMTP_URL", "smtp://h?tls=", "none, starttls or tls"),
        ("SMTP_URL", "smtp://h?tsl=none", '"tsl" is unknown. The only one is tls'),
        ("SMTP_URL", "smtp://h?tsl", '"tsl" is unknown'),
        ("SMTP_URL", "smtps://h?tls=none", "smtps:// means tls=tls"),
        ("BASE_URL", "steps.example.com", "https://"),
        ("PROXY_HOPS", "-1", "0 to 10"),
        ("SECRET_KEY", "short", "16"),
        ("WORKERS", "0", "1 to 64"),
        ("THREADS", "many", "4 to 1024"),
        ("CA_FILE", "/no/such/file", "file"),
        ("VAULT_KEYS", "abc", "Fernet"),
        ("VAULT_KEYS", ",", "Fernet"),
        ("IN_FLIGHT", "0", "1 to 1000"),
        ("BACKUP_AT", "24:00", "a time in UTC, such as 02:00, or off"),
        ("BACKUP_AT", "2:00", "02:00"),
        ("BACKUP_KEEP", "0", "1 to 366"),
        ("BACKUP_KEYS", "maybe", "yes, no"),
        ("METRICS_LISTEN", "9464", "127.0.0.1:8080"),
        ("METRICS_LISTEN", "0.0.0.0:8080", "another port"),
        ("LOG_FORMAT", "xml", "text, json"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_accepted(name: str, value: str, accepted: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.load({f"HTTPSTEP_{name}": value})
    assert f"HTTPSTEP_{name}" in str(caught.value)
    assert accepted in str(caught.value)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("127.0.0.1/8", "“127.0.0.1/8” is not a network, because its address lies inside it; write 127.0.0.0/8."),
        ("10.0.0.0/33", "“10.0.0.0/33” is not a network, an address or a host name, such as 10.0.0.0/8, ::1 or crm.internal."),
        ("http://x", "“http://x” is not a network, an address or a host name, such as 10.0.0.0/8, ::1 or crm.internal."),
        ("*.x", "“*.x” is not a host name; write it in full, without wildcard, scheme or port."),
    ],
)  # fmt: skip
def test_a_wrong_network_is_told_in_one_sentence(value: str, sentence: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.load({"HTTPSTEP_ALLOW_NETWORKS": value})
    assert str(caught.value) == f"HTTPSTEP_ALLOW_NETWORKS: {sentence}"


def test_a_secret_value_is_not_repeated_in_the_refusal() -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.load({"HTTPSTEP_VAULT_KEYS": "my-very-private-key"})
    assert "my-very-private-key" not in str(caught.value)


def smtp(url: str) -> config.SmtpServer | None:
    return config.load({"HTTPSTEP_SMTP_URL": url, "HTTPSTEP_MAIL_FROM": "a@b.example"}).smtp_url


@pytest.mark.parametrize("address", ["user:hunter2hunter2@h", "user@h", "user:hunter2hunter2@h:587?"])
def test_a_password_goes_without_encryption_only_where_that_is_written_out(address: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        smtp(f"smtp://{address}")
    assert "tls=none to send it in the clear" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    written = f"{address}tls=none" if address.endswith("?") else f"{address}?tls=none"
    assert getattr(smtp(f"smtp://{written}"), "tls", "") == "none"


def test_a_question_mark_in_a_password_is_not_shown_as_a_parameter() -> None:
    with pytest.raises(config.ConfigError, match="%3F") as caught:
        smtp("smtp://user:12?hunter2=x@mail.example")
    assert "hunter2" not in str(caught.value)


def test_encryption_is_none_unless_the_scheme_or_tls_says_so() -> None:
    assert smtp("smtp://h") == config.SmtpServer("h", 25)
    for here in ("127.0.0.1", "[::1]", "localhost"):  # the password does not leave the machine
        assert getattr(smtp(f"smtp://user:pass@{here}:1025"), "tls", "") == "none"
    assert smtp("smtps://user:pass@h") == config.SmtpServer("h", 465, "user", "pass", "tls")
    assert smtp("smtps://h?tls=tls") == config.SmtpServer("h", 465, tls="tls")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("WORKRES", "WORKERS"), ("VAULT_KEY_FILE", "VAULT_KEYS_FILE"), ("LISTN", "LISTEN")],
)
def test_an_unknown_variable_is_refused_with_the_nearest_one(name: str, meant: str) -> None:
    with pytest.raises(config.ConfigError) as caught:
        config.load({f"HTTPSTEP_{name}": "x"})
    start = f"Unknown variable HTTPSTEP_{name}. Did you mean HTTPSTEP_{meant}?"
    assert str(caught.value) == f"{start} The file .env.example lists the ones there are."


def test_an_unknown_variable_like_none_is_refused_without_a_guess() -> None:
    with pytest.raises(config.ConfigError, match=r"^Unknown variable HTTPSTEP_FOO\. The file"):
        config.load({"HTTPSTEP_FOO": "x"})


def test_a_value_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "smtp"
    file.write_text("smtp://user:p%40ss@mail.example:2525?tls=starttls\n")
    loaded = config.load({"HTTPSTEP_SMTP_URL_FILE": str(file), "HTTPSTEP_MAIL_FROM": "a@b.example"})
    assert loaded.smtp_url == config.SmtpServer("mail.example", 2525, "user", "p@ss", "starttls")


def test_a_value_and_its_file_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(config.ConfigError, match="both"):
        config.load({"HTTPSTEP_LISTEN": "127.0.0.1:1", "HTTPSTEP_LISTEN_FILE": str(tmp_path)})


@pytest.mark.parametrize("name", ["VAULT_KEYS", "SECRET_KEY", "SMTP_URL"])
def test_an_empty_file_is_not_taken_for_an_unset_variable(tmp_path: Path, name: str) -> None:
    file = tmp_path / "key"
    file.write_text(" \n")
    with pytest.raises(config.ConfigError, match=f"^HTTPSTEP_{name}_FILE names a file that is empty: {file}"):
        config.load({f"HTTPSTEP_{name}_FILE": str(file)})


def test_config_show_masks_secrets() -> None:
    environ = {"HTTPSTEP_SMTP_URL": "smtps://user:hunter2hunter2@mail.example", "HTTPSTEP_MAIL_FROM": "a@b.example"}
    rows = {name: value for name, value, _ in config.shown(config.load(environ))}
    assert "hunter2" not in str(rows)
    assert rows["HTTPSTEP_MAIL_FROM"] == "a@b.example"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("SMTP_URL", "smtp://user:hunter2@h:25?tls=none", "smtp://user:••••@h:25?tls=none"),
        ("SMTP_URL", "smtp://h", "smtp://h"),
        ("RATELIMIT_URL", "redis://:hunter2@h:6379/0", "redis://:••••@h:6379/0"),
        ("RATELIMIT_URL", "redis://hunter2@h", "redis://••••@h"),
        ("RATELIMIT_URL", "redis://h/0?password=hunter2", "••••"),
        ("DATABASE_URL", "postgresql+psycopg://u:hunter2@h/d", "postgresql+psycopg://u:••••@h/d"),
        ("DATABASE_URL", "postgresql+psycopg://u:12/hunter2@h/d", "••••"),
        ("DATABASE_URL", "postgresql+psycopg://u:12@hunter2@h/d", "••••"),
        ("SECRET_KEY", "hunter2hunter2hunter2", "••••"),
        ("ADMIN_PASSWORD", "hunter2://hunter2", "••••"),
    ],
)
def test_config_show_leaves_the_password_alone_out_of_an_address(name: str, value: str, shown: str) -> None:
    more = {"HTTPSTEP_MAIL_FROM": "a@b.example", "HTTPSTEP_ADMIN_EMAIL": "a@b.example"}
    environ = {"HTTPSTEP_ADMIN_PASSWORD": "long enough", f"HTTPSTEP_{name}": value} | more
    assert (f"HTTPSTEP_{name}", shown, "set") in config.shown(config.load(environ))


def test_config_show_prints_what_is_in_force_where_nothing_was_set(tmp_path: Path) -> None:
    loaded = config.load({"HTTPSTEP_DATA": str(tmp_path)})
    rows = {name: value for name, value, origin in config.shown(loaded) if origin == "default"}
    assert rows["HTTPSTEP_WORKERS"] == str(loaded.workers) != "0"
    assert rows["HTTPSTEP_DATABASE_URL"] == f"sqlite:///{tmp_path}/httpstep.db"
    assert rows["HTTPSTEP_LISTEN"] == "127.0.0.1:8080"
    assert rows["HTTPSTEP_SMTP_URL"] == rows["HTTPSTEP_VAULT_KEYS"] == ""


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"ADMIN_EMAIL": "a@b.example"}, "ADMIN_EMAIL is not read: the variables are called HTTPSTEP_ADMIN_EMAIL"),
        (
            {"ADMIN_EMAIL": "a@b.example", "ADMIN_PASSWORD": "secret"},
            "ADMIN_EMAIL and ADMIN_PASSWORD are not read: the variables are called HTTPSTEP_ADMIN_EMAIL and "
            "HTTPSTEP_ADMIN_PASSWORD",
        ),
        ({"HTTPSTEP_ADMIN_EMAIL": "a@b.example", "ADMIN_PASSWORD": ""}, ""),
    ],
)
def test_a_first_user_named_without_the_beginning_is_told(environ: dict[str, str], said: str) -> None:
    assert config.misnamed(environ) == said


def test_the_server_says_so_where_there_is_no_user_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_EMAIL", "ana@shop.example")
    with Server(tmp_path / "data") as server:
        assert "ADMIN_EMAIL is not read: the variables are called HTTPSTEP_ADMIN_EMAIL" in server.log.read_text()


def test_no_text_of_a_variable_names_another_without_its_beginning() -> None:
    names = {variable.name for variable in config.VARIABLES}
    for variable in config.VARIABLES:
        assert not names & set(re.findall(r"(?<!HTTPSTEP_)\b[A-Z_]{5,}\b", variable.help)), variable.name


def test_every_variable_stands_in_the_example_file_and_in_no_other_way() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^#?(HTTPSTEP_[A-Z_]+)=", text, re.MULTILINE)
    assert named == [f"HTTPSTEP_{variable.name}" for variable in config.VARIABLES]
