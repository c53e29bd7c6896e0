"""feeds.yaml: read with every fault at its place, found where it should be, appended to without a scratch."""
# ruff: noqa: E501 - one case, one line

import contextlib
import dataclasses
import json
import os
import re
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import config
from aggregator.config import reading
from aggregator.errors import ConfigError
from aggregator.model import Feed, Settings

ROOT = Path(__file__).parent.parent

#: Settings that are not for feeds.yaml: they exist for tests and the demo.
NOT_IN_THE_FILE = {"resolve"}


def faults(text: str | bytes, environ: dict[str, str] | None = None) -> list[str]:
    """The problems of a file, one line each, without its name."""
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(ConfigError) as caught:
        config.parse(data, "f", environ)
    return str(caught.value).replace("\nf:", "\n").removeprefix("f:").split("\n")


def feeds(text: str, environ: dict[str, str] | None = None) -> tuple[Feed, ...]:
    return config.parse(text.encode(), "f", environ).feeds


# ------------------------------------------------------------------------------------------ reading


def test_a_bare_list_of_addresses_is_a_whole_file():
    assert feeds("- https://a.example/x\n- http://b.example\n") == (
        Feed("https://a.example/x"),
        Feed("http://b.example"),
    )


def test_every_setting_of_a_feed_is_read():
    text = """feeds:
  - url: https://a.example/x
    title: A
    interval: 1h30m
    tags: [one, two]
    priority: 10
    full_text: false
    keep: article
    drop: [.x, "#y"]
    headers: {X-Token: "a ${T}"}
"""
    assert feeds(text, {"T": "secret"}) == (
        Feed(
            "https://a.example/x",
            title="A",
            interval=5400,
            tags=("one", "two"),
            priority=10,
            full_text=False,
            keep=("article",),
            drop=(".x", "#y"),
            headers={"X-Token": "a secret"},
        ),
    )


def test_every_setting_for_all_feeds_is_read():
    text = """contact: a@b.example
min_interval: 10m
max_interval: 2d
host_delay: 0.5s
workers: 4
processes: 2
timeout: 20s
max_feed_size: 1MB
max_page_size: 800kB
window: 3d
allow: ["127.0.0.1:8080", intranet.example]
keep_fetches: 30d
feeds: []
"""
    assert config.parse(text.encode()).settings == Settings(
        contact="a@b.example",
        min_interval=600,
        max_interval=172_800,
        host_delay=0.5,
        workers=4,
        processes=2,
        timeout=20,
        max_feed_bytes=1_000_000,
        max_page_bytes=800_000,
        window=259_200,
        allow=("127.0.0.1:8080", "intranet.example:80", "intranet.example:443"),
        keep_fetches=30,
    )


def test_norway_is_a_tag_and_not_false():
    assert feeds("- {url: https://a.example, tags: [no, 2026, 1:30], title: yes}")[0].tags == (
        "no",
        "2026",
        "1:30",
    )


def test_a_setting_without_a_value_is_as_good_as_absent():
    assert feeds("feeds:\n- url: https://a.example\n  title:\n  tags: ~\n") == (Feed("https://a.example"),)


def test_a_feed_list_may_be_empty():
    assert feeds("feeds:\n") == feeds("feeds: []") == ()


def test_anchors_and_aliases_share_a_list():
    text = "- {url: https://a.example, drop: &d [.x, .y]}\n- {url: https://b.example, drop: *d}\n"
    assert [feed.drop for feed in feeds(text)] == [(".x", ".y")] * 2


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm():
    assert config.parse(b"\xef\xbb\xbffeeds:\r\n- https://a.example\r\n").feeds == (
        Feed("https://a.example"),
    )


def test_all_faults_are_told_at_once_in_the_order_of_the_file():
    text = """workers: 9999
feeds:
  - url: https://a.example
    interval: 10 minuets
    fulltxt: true
  - url: ftp://x.example/feed
  - https://a.example
"""
    assert faults(text) == [
        "1:10: workers: '9999' is out of range; 1 to 256 is allowed",
        "4:15: interval: '10 minuets' is not a duration; write 10m, 2h or 1d",
        "5:5: fulltxt: unknown setting; did you mean full_text?",
        "6:10: url: 'ftp://x.example/feed' is not http or https",
        "7:5: url: already given on line 3; keep one",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1: the file is empty; write `feeds:` and a list of addresses below it"),
        ("# only a comment\n", "1:1: the file is empty; write `feeds:` and a list of addresses below it"),
        ("just words", "1:1: expected a list of feeds, got 'just words'; begin each feed with `- `"),
        ("window: 3d\n", "1:1: feeds: missing; write `feeds:` and a list of addresses below it"),
        ("feeds: 3\n", "1:8: feeds: expected a list, got '3'; begin each feed with `- `"),
        ("feeds:\n- title: x\n", "2:3: url: missing; every feed needs one"),
        ("feeds:\n- #x\n", "2:2: url: expected text, got nothing; put text that begins with [ or # in quotes"),
        ("- a.example/feed", "1:3: url: 'a.example/feed' lacks https://; write https://a.example/feed"),
        ("- feed://a.example", "1:3: url: 'feed://a.example' is not http or https; write https://a.example"),
        ("- https://", "1:3: url: 'https://' is not a valid address; write https://host/path"),
        ("- https://a.example/a b", "1:3: url: 'https://a.example/a b' holds a space; write %20 where the address"
         " really has one"),
        ("- {url: https://a.example, interval: 30}", "1:38: interval: 30 what; write 30s, 10m, 2h or 1d"),
        ("- {url: https://a.example, interval: 5s}", "1:38: interval: '5s' is out of range; 1m to 30d is allowed"),
        ("- {url: https://a.example, priority: high}", "1:38: priority: expected a whole number, got 'high'"),
        ("- {url: https://a.example, full_text: 1}", "1:39: full_text: expected true or false, got '1'"),
        ("- {url: https://a.example, title: [x]}",
         "1:35: title: expected text, got a list; put text that begins with [ or # in quotes"),
        ("- {url: https://a.example, drop: ['a[']}",
         "1:35: drop: 'a[' is not a CSS selector (Malformed attribute selector at position 1)"),
        ("- {url: https://a.example, workers: 3}",
         "1:28: workers: unknown setting; workers belongs at the top of the file, not to one feed"),
        ("feeds: []\ninterval: 1h", "2:1: interval: unknown setting; interval belongs to a feed, indented below its url"),
        ("feeds: []\nwindow: 3d\nwindow: 4d", "3:1: window: already given on line 2; keep one"),
        ("feeds: []\nmax_feed_size: 15", "2:16: max_feed_size: '15' is not a size; write 800kB or 15MB"),
        ("feeds: []\ncontact: you (me) a@b.example",
         "2:10: contact: 'you (me) a@b.example' is not an e-mail address or URL; write you@example.org"),
        (f"- {{url: https://a.example, title: {'x' * 4001}}}",
         "1:35: title: 4,001 characters, at most 4,000 are allowed"),
        (f"- {{url: https://a.example, tags: [{', '.join(map(str, range(101)))}]}}",
         "1:34: tags: 101 items, at most 100 are allowed"),
        ("feeds: []\nkeep_fetches: 36h", "2:15: keep_fetches: '36h' is not a number of whole days; write 90d"),
        ("feeds: []\nallow: ['http://x']",
         "2:9: allow: 'http://x' is not host or host:port; write 127.0.0.1:8080, without http://"),
        ("feeds: []\nmin_interval: 2d",
         "2:1: min_interval: min_interval is longer than max_interval; swap them, or give both"),
        ("feeds:\n\t- https://a.example", "2:1: a tab; YAML is indented with spaces"),
        ("feeds:\n- title: a: b", "2:11: ': ' is not expected here; put the text in quotes, or check the indentation"
         " of this line"),
        ("feeds:\n- @x", "2:3: a value cannot start with '@'; put it in quotes"),
        ("feeds:\n- 'x\n- y\n", "4:1: the file ends inside quotes; close the quotes opened on line 2"),
        ("feeds:\n- *x\n", "2:3: *x stands for nothing; put text that starts with * in quotes"),
        ("feeds: []\n---\na: 1\n", "2:1: a second YAML document; remove the line '---'"),
        ("feeds: !!python/object:os.system x", "1:8: the tag tag:yaml.org,2002:python/object:os.system is not known;"
         " put text that starts with ! in quotes"),
        ("feeds: []\n<<: {window: 1d}", "2:1: <<: unknown setting; merge keys are not supported"),
        ("feeds:\n- https://a.example\x07", "2:20: U+0007, a control character; remove it"),
        ("feeds:\n- 'https://a.example'\n- {url: http://A.EXAMPLE/#f}",
         "3:9: url: already given on line 2; keep one"),
    ],
)  # fmt: skip
def test_a_fault_says_where_what_and_what_to_do(text, expected):
    assert faults(text) == [expected]


def test_a_file_that_is_not_utf8_is_told_with_the_line():
    assert faults("feeds:\n- é".encode("latin-1")) == ["2:3: not UTF-8 text; save the file as UTF-8"]


@pytest.mark.parametrize(
    ("headers", "environ", "expected"),
    [
        ('{A: "${NOPE}"}', {}, "the environment variable NOPE is not set; export NOPE=... before starting"),
        (
            '{A: "${NOPE}"}',
            {"NOPE": ""},
            "the environment variable NOPE is empty; export NOPE=... before starting",
        ),
        ('{A: "${NOPE"}', {}, "'${NOPE' is not a variable; write ${NAME}"),
        (
            '{A: "${T}"}',
            {"T": "a\nB: c"},
            "a header is ASCII text on one line; check the environment variables in it",
        ),
        ('{Host: "x"}', {}, "Host is set by aggregator itself; remove it"),
        ('{"a b": "x"}', {}, "'a b' is not the name of a header"),
        ('{A: "x", a: "y"}', {}, "a is given twice; keep one"),
    ],
)
def test_a_header_that_cannot_be_sent_is_a_fault(headers, environ, expected):
    [found] = faults(f"- {{url: https://a.example, headers: {headers}}}", environ)
    assert found.split(": headers: ")[1] == expected


def test_the_value_of_a_secret_never_stands_in_a_message():
    text = '- {url: https://a.example, headers: {A: "${T}"}}'
    assert "hunter2" not in "".join(faults(text, {"T": "hunter2\n"}))


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "- " * 100_000, "{a: " * 50_000, "\n".join(" " * n + "- " for n in range(99))]
)
def test_deep_nesting_is_a_fault_and_not_a_crash(text):
    [fault] = faults(text)
    assert "lists within lists, too deep" in fault


def test_a_yaml_bomb_costs_nothing():
    rows = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    rows += [f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]" for n in range(20)]
    assert all("unknown setting" in fault or "missing" in fault for fault in faults("\n".join(rows)))


@given(st.text(alphabet="feds:-[]{}&*!|>'\"%@` \n\tahtp/.#?,~0", max_size=60))
def test_no_text_is_a_bug(text):
    with contextlib.suppress(ConfigError):
        config.parse(text.encode())


def test_a_missing_file_is_told_with_what_to_do(tmp_path):
    with pytest.raises(ConfigError, match="No such file or directory; `aggregator init` writes one"):
        config.load(tmp_path / "feeds.yaml")


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "MAX_FILE", 1_000_000)
    (tmp_path / "feeds.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError, match="larger than 1 MB"):
        config.load(tmp_path / "feeds.yaml")


# ------------------------------------------------------------------------------------- schema, starter


def schema() -> dict:
    return json.loads(config.SCHEMA.read_text())["definitions"]


def test_schema_reader_and_model_know_the_same_settings():
    fields = {field.name for field in dataclasses.fields(Settings)} - NOT_IN_THE_FILE
    assert {rule.field for rule in reading.SETTINGS.values()} == fields
    assert set(schema()["file"]["properties"]) == {"feeds", *reading.SETTINGS}


def test_schema_reader_and_model_know_the_same_settings_of_a_feed():
    fields = [field.name for field in dataclasses.fields(Feed)]
    assert [rule.field for rule in reading.FEED_SETTINGS.values()] == fields
    assert list(schema()["feed"]["properties"]) == list(reading.FEED_SETTINGS) == fields


def test_the_schema_describes_every_setting_with_its_limits():
    for part, rules in (("file", reading.SETTINGS), ("feed", reading.FEED_SETTINGS)):
        for name, rule in rules.items():
            entry = schema()[part]["properties"][name]
            assert entry["description"]
            if "minimum" in entry:
                assert (entry["minimum"], entry["maximum"]) == (rule.low, rule.high)
            elif rule.limits:
                assert rule.limits in entry["description"], name


def test_the_starter_file_is_the_feeds_yaml_of_the_repository():
    assert config.STARTER.read_bytes() == (ROOT / "feeds.yaml").read_bytes()


def test_the_starter_file_is_valid_and_names_the_schema():
    starter = config.load(config.STARTER)
    assert len(starter.feeds) > 40
    assert len({tag for feed in starter.feeds for tag in feed.tags}) > 15
    first = config.STARTER.read_text().split("\n", 1)[0]
    assert first == "# yaml-language-server: $schema=aggregator/feeds.schema.json"
    assert (ROOT / first.split("=")[1]).samefile(config.SCHEMA)


def test_the_values_shown_in_the_starter_file_are_the_defaults():
    shown = [line[2:] for line in config.STARTER.read_text().splitlines() if line.startswith("# ")]
    names = tuple(f"{name}:" for name in reading.SETTINGS if name != "contact")
    text = "\n".join([line for line in shown if line.startswith(names)] + ["feeds: []"])
    assert text.count("\n") == len(names)
    assert config.parse(text.encode()).settings == Settings()


# ------------------------------------------------------------------------------------------ finding


def test_the_option_wins_over_the_variable_over_the_folder_over_home(tmp_path):
    home, cwd = tmp_path / "home", tmp_path / "cwd"
    (home / ".config/aggregator").mkdir(parents=True)
    cwd.mkdir()
    environ = {"AGGREGATOR_FEEDS": "env.yaml"}
    assert config.wanted("x.yaml", environ, cwd, home).path == cwd / "x.yaml"
    assert config.wanted(None, environ, cwd, home).path == cwd / "env.yaml"
    (home / ".config/aggregator/feeds.yaml").write_text("feeds:\n")
    assert config.wanted(None, {}, cwd, home).path == home / ".config/aggregator/feeds.yaml"
    (cwd / "feeds.yaml").write_text("feeds:\n")
    assert config.wanted(None, {}, cwd, home).path == cwd / "feeds.yaml"


def test_a_file_that_is_not_there_is_an_error_that_says_who_asked_for_it(tmp_path):
    with pytest.raises(ConfigError, match=r"no such file \(\$AGGREGATOR_FEEDS\)"):
        config.find(None, {"AGGREGATOR_FEEDS": "nope.yaml"}, tmp_path, tmp_path)


def test_the_database_lies_beside_the_file_unless_named(tmp_path):
    feeds_file = config.Found(tmp_path / "a/feeds.yaml", "")
    assert config.find_database(None, {}, tmp_path, feeds_file).path == tmp_path / "a/db/news.db"
    assert (
        config.find_database(None, {"AGGREGATOR_DB": "e.db"}, tmp_path, feeds_file).path == tmp_path / "e.db"
    )
    assert (
        config.find_database("o.db", {"AGGREGATOR_DB": "e.db"}, tmp_path, feeds_file).path
        == tmp_path / "o.db"
    )


@pytest.mark.parametrize(
    ("command", "database", "typed"),
    [("why 3", "db/news.db", "why 3"), ("fetch", "db/news.db", "fetch"),
     ("why 3", "old/db/news.db", "why 3 --db old/db/news.db"), ("why 3", "old news.db", "why 3 --db 'old news.db'"),
     ("fetch", "old/db/news.db", "fetch --feeds old/feeds.yaml"), ("fetch", "bare/db/news.db", "fetch --db bare/db/news.db"),
     ("add", "old/db/news.db", "add --feeds old/feeds.yaml"), ("add", "bare/db/news.db", "add")],
)  # fmt: skip
def test_a_command_names_the_database_where_another_one_would_be_meant(tmp_path, command, database, typed):
    (tmp_path / "old").mkdir()
    (tmp_path / "old/feeds.yaml").write_text("feeds:\n")
    found = config.typed(command, tmp_path / database, {}, tmp_path, tmp_path / "home")
    assert found == f"aggregator {typed}"


# ------------------------------------------------------------------------------------------ appending

NEW = Feed("https://new.example/feed")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, "feeds:\n  - https://new.example/feed\n"),
        ("feeds:\n", "feeds:\n  - https://new.example/feed\n"),
        ("feeds: []  # none yet\nwindow: 3d\n", "feeds:  # none yet\n  - https://new.example/feed\nwindow: 3d\n"),
        ("feeds: ~\n", "feeds:\n  - https://new.example/feed\n"),
        ("- https://a.example", "- https://a.example\n- https://new.example/feed\n"),
        ("feeds:\n- https://a.example # a\n# end\n", "feeds:\n- https://a.example # a\n- https://new.example/feed\n# end\n"),
        (
            "feeds:\n  - https://a.example\n  # - off\n\n# settings\nwindow: 3d\n",
            "feeds:\n  - https://a.example\n  # - off\n  - https://new.example/feed\n\n# settings\nwindow: 3d\n",
        ),
        (
            "feeds:\n  - url: https://a.example\n    title: A\nwindow: 3d\n",
            "feeds:\n  - url: https://a.example\n    title: A\n  - https://new.example/feed\nwindow: 3d\n",
        ),
        ("feeds: [https://a.example]\n", "feeds: [https://a.example, {url: 'https://new.example/feed'}]\n"),
        ("feeds: [\n  https://a.example\n]\n", "feeds: [\n  https://a.example\n, {url: 'https://new.example/feed'}]\n"),
        ("feeds:\r\n- https://a.example\r\n", "feeds:\r\n- https://a.example\r\n- https://new.example/feed\r\n"),
        ("\ufefffeeds:\n", "\ufefffeeds:\n  - https://new.example/feed\n"),
    ],
)  # fmt: skip
def test_a_feed_is_added_where_it_belongs_and_nothing_else_changes(tmp_path, before, after):
    path = tmp_path / "feeds.yaml"
    if before is not None:
        path.write_bytes(before.encode())
    assert config.append(path, [NEW]) == [NEW]
    assert path.read_bytes().decode() == after


def test_the_starter_file_can_be_added_to_and_keeps_its_comments(tmp_path):
    path = tmp_path / "feeds.yaml"
    path.write_bytes(config.STARTER.read_bytes())
    config.append(path, [NEW])
    old, new = config.STARTER.read_text().splitlines(), path.read_text().splitlines()
    assert [line for line in new if line not in old] == ["  - https://new.example/feed"]
    assert len(new) == len(old) + 1


def test_adding_twice_adds_once(tmp_path):
    path = tmp_path / "feeds.yaml"
    config.append(path, [NEW, NEW])
    text = path.read_text()
    assert config.append(path, [Feed("http://NEW.example/feed#x")]) == []
    assert path.read_text() == text


SAFE = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"], exclude_characters="\ufeff"),
    max_size=20,
).map(str.strip)
FEEDS = st.builds(
    Feed,
    url=st.from_regex(r"https?://[a-z]{1,9}\.example/[a-z0-9?=&%#~:,\[\]{}'\"!*-]{0,20}", fullmatch=True),
    title=st.none() | SAFE.filter(bool),
    interval=st.none() | st.integers(60, 30 * 86_400),
    tags=st.lists(SAFE.filter(lambda t: t and "," not in t and t[0] != "/"), max_size=3, unique=True).map(
        tuple
    ),
    priority=st.integers(0, 1000),
    full_text=st.booleans(),
    keep=st.lists(st.sampled_from(["article", ".a > b", "#c", "[d='e: #f']"]), max_size=3, unique=True).map(
        tuple
    ),
    headers=st.dictionaries(
        st.sampled_from(["X-A", "X-B"]), st.sampled_from(["a: b", "no", "'", '"', "#", "${T}"])
    ),
)


@given(old=FEEDS, new=st.lists(FEEDS, max_size=3), flow=st.booleans())
def test_whatever_is_added_is_read_back(tmp_path_factory, old, new, flow):
    path = tmp_path_factory.mktemp("config") / "feeds.yaml"
    path.write_text("feeds: []\n" if not flow else "feeds: [https://first.example]\n")
    added = config.append(path, [old, *new])
    assert config.load(path, None).feeds[-len(added) :] == tuple(added)


def test_a_file_with_faults_is_not_touched(tmp_path):
    path = tmp_path / "feeds.yaml"
    path.write_text("feeds:\n- nope\n")
    with pytest.raises(ConfigError, match="2:3: url"):
        config.append(path, [NEW])
    assert path.read_text() == "feeds:\n- nope\n"


def test_a_new_feed_with_faults_is_refused(tmp_path):
    path = tmp_path / "feeds.yaml"
    path.write_text("feeds:\n")
    with pytest.raises(ConfigError, match="is not http or https"):
        config.append(path, [Feed("ftp://x.example")])
    assert path.read_text() == "feeds:\n"


def test_a_list_that_cannot_be_extended_safely_is_left_alone_and_the_lines_are_given(tmp_path):
    path = tmp_path / "feeds.yaml"
    text = "feeds: [https://a.example,]\n"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"add by hand:\n  - https://new\.example/feed"):
        config.append(path, [NEW])
    assert path.read_text() == text


def test_what_would_lose_a_feed_is_never_written(tmp_path, monkeypatch):
    path = tmp_path / "feeds.yaml"
    path.write_text("- https://a.example\n")
    monkeypatch.setattr("aggregator.config.appending._insert", lambda *_: "- https://new.example/feed\n")
    with pytest.raises(ConfigError, match="cannot be extended safely"):
        config.append(path, [NEW])
    assert path.read_text() == "- https://a.example\n"


def test_a_file_that_cannot_be_put_in_place_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "feeds.yaml"
    path.write_text("feeds:\n")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        config.append(path, [NEW])
    assert [one.name for one in tmp_path.iterdir()] == ["feeds.yaml"]


def test_a_link_stays_a_link_and_the_mode_stays(tmp_path):
    real = tmp_path / "dotfiles.yaml"
    real.write_text("feeds:\n")
    real.chmod(0o640)
    link = tmp_path / "feeds.yaml"
    link.symlink_to(real)
    config.append(link, [NEW])
    assert link.is_symlink()
    assert "new.example" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(tmp_path)) == ["dotfiles.yaml", "feeds.yaml"]


def test_many_writers_at_once_lose_nothing(tmp_path):
    path = tmp_path / "feeds.yaml"
    threads = [
        threading.Thread(target=config.append, args=(path, [Feed(f"https://a{n}.example")]))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {feed.url for feed in config.load(path).feeds} == {f"https://a{n}.example" for n in range(12)}


def test_durations_and_sizes_of_the_schema_are_those_of_the_reader():
    for example in schema()["duration"]["examples"]:
        assert re.search(schema()["duration"]["pattern"], example)
        assert config.seconds(example)
    for text in ("10", "10 minutes", "-3h", "h", "1.5", ""):
        assert not re.search(schema()["duration"]["pattern"], text)
        assert config.seconds(text) is None
    for example in schema()["size"]["examples"]:
        assert re.search(schema()["size"]["pattern"], example)
        assert config.parse(f"max_feed_size: {example}\nfeeds: []".encode())
