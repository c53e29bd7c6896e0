"""The newsroom's files arrive in db/, follow the program, and what the user changed stays."""

import json

import pytest

from aggregator.errors import StoreError
from aggregator.newsroom import install, installing


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A stand-in for the package's folder, so that a test can ship another version."""
    folder = tmp_path / "shipped"
    (folder / "templates").mkdir(parents=True)
    (folder / "metadata.yaml").write_text("title: one\n")
    (folder / "templates" / "index.html").write_text("<p>one</p>\n")
    monkeypatch.setattr(installing, "__file__", str(folder / "installing.py"))
    return folder


def test_everything_that_datasette_needs_is_copied(tmp_path):
    written = install(tmp_path / "db")
    assert {
        "metadata.yaml",
        "settings.json",
        "datasette.yaml",
        "templates/index.html",
        "plugins/newsroom.py",
    } <= set(written)
    assert all((tmp_path / "db" / name).is_file() for name in written)


def test_a_second_time_writes_nothing(tmp_path):
    install(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert install(tmp_path) == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_changed_file_is_kept(shipped, tmp_path):
    install(tmp_path / "db")
    (tmp_path / "db" / "metadata.yaml").write_text("title: mine\n")
    (shipped / "metadata.yaml").write_text("title: two\n")
    assert install(tmp_path / "db") == []
    assert (tmp_path / "db" / "metadata.yaml").read_text() == "title: mine\n"


def test_an_unchanged_file_follows_a_new_version(shipped, tmp_path):
    install(tmp_path / "db")
    (shipped / "metadata.yaml").write_text("title: two\n")
    assert install(tmp_path / "db") == ["metadata.yaml"]
    assert (tmp_path / "db" / "metadata.yaml").read_text() == "title: two\n"


def test_a_file_that_was_there_before_us_is_the_users(shipped, tmp_path):
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / "metadata.yaml").write_text("title: mine\n")
    assert install(tmp_path / "db") == ["templates/index.html"]


def test_a_lost_file_comes_back(shipped, tmp_path):
    install(tmp_path / "db")
    (tmp_path / "db" / "metadata.yaml").unlink()
    assert install(tmp_path / "db") == ["metadata.yaml"]


def test_a_file_no_longer_shipped_goes_unless_it_was_changed(shipped, tmp_path):
    install(tmp_path / "db")
    (tmp_path / "db" / "metadata.yaml").write_text("title: mine\n")
    (shipped / "metadata.yaml").unlink()
    (shipped / "templates" / "index.html").unlink()
    assert install(tmp_path / "db") == ["templates/index.html"]
    assert (tmp_path / "db" / "metadata.yaml").exists()
    assert not (tmp_path / "db" / "templates" / "index.html").exists()


@pytest.mark.parametrize("manifest", ["", "{", "[]", '{"../../evil": "0"}', '{"/etc/passwd": "0"}'])
def test_a_broken_manifest_touches_nothing_of_the_users(shipped, tmp_path, manifest):
    (tmp_path / "evil").write_text("")
    install(tmp_path / "db")
    (tmp_path / "db" / "metadata.yaml").write_text("title: mine\n")
    (tmp_path / "db" / installing.MANIFEST).write_text(manifest)
    (shipped / "metadata.yaml").write_text("title: two\n")
    install(tmp_path / "db")
    assert (tmp_path / "db" / "metadata.yaml").read_text() == "title: mine\n"
    assert (tmp_path / "evil").exists()


def test_the_manifest_names_every_file_we_wrote(tmp_path):
    written = install(tmp_path)
    assert sorted(json.loads((tmp_path / installing.MANIFEST).read_text())) == sorted(written)


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "db").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="cannot be written"):
        install(tmp_path / "db")
