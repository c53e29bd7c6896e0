"""Tables, views and what each column means. Data and migrations only; all queries live in `store`.

Conventions: plural tables, `id`, `<thing>_id`, a `title` column (Datasette labels foreign keys with it), `*_at` in
ISO 8601 UTC ending in Z, an index on every column that is faceted, STRICT tables. Names that begin with an
underscore are the machine's own and hidden in Datasette. Plain text only: no HTML from the web is stored, but for
`_pending`, which holds what a feed said until its story is extracted, and is never shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlite_utils import Database, Migrations

#: "aggr" in ASCII: marks the file as ours (SQLite file format, offset 68).
APPLICATION_ID = 0x61676772

FIRST = """
create table feeds (
  id              integer primary key,
  title           text    not null,
  url             text    not null unique,
  site_url        text,
  status          text    not null default 'new' check (status in ('new', 'ok', 'failing', 'gone', 'off')),
  error_kind      text,
  error           text,
  failures        integer not null default 0,
  next_fetch_at   text,
  next_fetch_why  text,
  last_fetch_at   text,
  last_new_at     text,
  priority        integer not null default 50,
  tags            text    not null default '[]',
  fetch_url       text    not null,
  etag            text,
  last_modified   text,
  added_at        text    not null
) strict;
create index feeds_status on feeds(status);
create index feeds_due on feeds(next_fetch_at) where status <> 'off';

create table _feed_memory (
  feed_id         integer primary key references feeds(id) on delete cascade,
  seen_hashes     text    not null default '',
  hints           text,
  body_hash       text,
  redirect_url    text,
  redirect_count  integer not null default 0,
  lease_owner     text,
  leased_at       text
) strict;

create table fetches (
  id              integer primary key,
  feed_id         integer not null references feeds(id) on delete cascade,
  started_at      text    not null,
  outcome         text    not null check (outcome in ('new', 'nothing_new', 'not_modified', 'failed')),
  status          integer,
  bytes           integer,
  duration_ms     integer,
  entries         integer not null default 0,
  error_kind      text,
  error           text
) strict;
create index fetches_feed on fetches(feed_id, started_at);
create index fetches_started on fetches(started_at);
create index fetches_outcome on fetches(outcome);
create index fetches_error_kind on fetches(error_kind);

create table articles (
  id              integer primary key autoincrement,
  title           text    not null,
  published_at    text    not null,
  site            text    not null,
  feed_id         integer references feeds(id) on delete set null,
  copies          integer not null default 0,
  event_id        integer references articles(id) on delete set null,
  agency          text,
  byline          text,
  language        text,
  summary         text,
  text            text    not null,
  words           integer not null,
  image           text,
  tags            text    not null default '[]',
  url             text    not null,
  source          text    not null check (source in ('page', 'feed')),
  problem         text,
  flags           text    not null default '[]',
  first_seen_at   text    not null,
  changed_at      text    not null
) strict;
create index articles_published on articles(published_at);
create index articles_site on articles(site, published_at);
create index articles_event on articles(event_id, published_at);
create index articles_feed on articles(feed_id);
create index articles_agency on articles(agency, copies);
create index articles_language on articles(language);
create index articles_source on articles(source);
create index articles_copies on articles(copies, published_at);
create index articles_first_seen on articles(first_seen_at);

create table duplicates (
  id              integer primary key autoincrement,
  title           text    not null,
  article_id      integer not null references articles(id) on delete cascade,
  reason          text    not null,
  resemblance     real    not null,
  containment     real    not null,
  confidence      real    not null,
  site            text    not null,
  feed_id         integer references feeds(id) on delete set null,
  published_at    text    not null,
  agency          text,
  byline          text,
  language        text,
  summary         text,
  text            text    not null,
  words           integer not null,
  image           text,
  url             text    not null,
  source          text    not null check (source in ('page', 'feed')),
  problem         text,
  flags           text    not null default '[]',
  evidence        text    not null default '{}',
  first_seen_at   text    not null,
  removed_at      text    not null
) strict;
create index duplicates_article on duplicates(article_id);
create index duplicates_site on duplicates(site);
create index duplicates_reason on duplicates(reason);
create index duplicates_feed on duplicates(feed_id);
create index duplicates_published on duplicates(published_at);
create index duplicates_removed on duplicates(removed_at);
create index duplicates_first_seen on duplicates(first_seen_at);

create trigger copies_added after insert on duplicates begin
  update articles set copies = copies + 1 where id = new.article_id; end;
create trigger copies_removed after delete on duplicates begin
  update articles set copies = copies - 1 where id = old.article_id; end;
create trigger copies_moved after update of article_id on duplicates when new.article_id <> old.article_id begin
  update articles set copies = copies - 1 where id = old.article_id;
  update articles set copies = copies + 1 where id = new.article_id; end;

create table entries (
  id              integer primary key,
  title           text,
  feed_id         integer not null references feeds(id) on delete cascade,
  guid            text    not null,
  url             text,
  published_at    text,
  article_id      integer references articles(id) on delete set null,
  duplicate_id    integer references duplicates(id) on delete set null,
  content_hash    text    not null,
  attempts        integer not null default 0,
  problem         text,
  first_seen_at   text    not null,
  changed_at      text    not null,
  unique (feed_id, guid)
) strict;
create index entries_url on entries(feed_id, url);
create index entries_address on entries(url);
create index entries_content on entries(feed_id, content_hash);
create index entries_article on entries(article_id);
create index entries_duplicate on entries(duplicate_id);
create index entries_first_seen on entries(first_seen_at);
create index entries_published on entries(feed_id, published_at);

create table _pending (
  entry_id        integer primary key references entries(id) on delete cascade,
  payload         text    not null,
  not_before      text    not null,
  version         integer not null default 0,
  lease_owner     text,
  leased_at       text
) strict;
create index _pending_due on _pending(not_before);

create table _urls (
  key             text    primary key,
  article_id      integer references articles(id) on delete cascade,
  duplicate_id    integer references duplicates(id) on delete cascade
) strict, without rowid;
create index _urls_article on _urls(article_id);
create index _urls_duplicate on _urls(duplicate_id);

create table revisions (
  id              integer primary key,
  title           text    not null,
  article_id      integer references articles(id) on delete cascade,
  duplicate_id    integer references duplicates(id) on delete cascade,
  reason          text    not null check (reason in ('edited', 'better_copy', 'reextracted', 'restored')),
  replaced_at     text    not null,
  text            text    not null,
  url             text    not null
) strict;
create index revisions_article on revisions(article_id);
create index revisions_duplicate on revisions(duplicate_id);
create index revisions_replaced on revisions(replaced_at);

create table boilerplate (
  id              integer primary key,
  site            text    not null,
  reason          text    not null,
  pages           integer not null default 0,
  text            text    not null,
  text_hash       text    not null,
  first_seen_at   text    not null,
  last_seen_at    text    not null,
  unique (site, text_hash)
) strict;
create index boilerplate_reason on boilerplate(reason);
create index boilerplate_pages on boilerplate(site, pages);
create index boilerplate_most on boilerplate(pages);

create table removed_blocks (
  id              integer primary key,
  article_id      integer references articles(id) on delete cascade,
  duplicate_id    integer references duplicates(id) on delete cascade,
  boilerplate_id  integer not null references boilerplate(id),
  reason          text    not null,
  position        integer not null,
  confidence      real    not null
) strict;
create index removed_blocks_article on removed_blocks(article_id);
create index removed_blocks_duplicate on removed_blocks(duplicate_id);
create index removed_blocks_boilerplate on removed_blocks(boilerplate_id);
create index removed_blocks_reason on removed_blocks(reason, boilerplate_id);

create table _site_blocks (
  site            text    not null,
  hash            integer not null,
  pages           integer not null,
  seen_at         text    not null,
  primary key (site, hash)
) strict, without rowid;
create table _site_paths (
  site            text    not null,
  path            text    not null,
  kept            integer not null,
  removed         integer not null,
  primary key (site, path)
) strict, without rowid;
create table _sites (
  site            text    primary key,
  pages           integer not null
) strict, without rowid;

create table hosts (
  host            text    primary key,
  not_before      text,
  why             text,
  last_request_at text,
  robots          text,
  robots_at       text
) strict, without rowid;

create table _decisions (
  url             text    not null,
  other_url       text    not null,
  same            integer not null check (same in (0, 1)),
  decided_at      text    not null,
  primary key (url, other_url)
) strict, without rowid;

create table _notes (
  name            text    primary key,
  value           text    not null
) strict, without rowid;

create table _postings (
  posting         integer primary key,
  articles        any     not null
) strict;

create table _topics (
  posting         integer primary key,
  articles        any     not null
) strict;

create virtual table articles_fts using fts5(
  title, summary, text, content="articles", content_rowid="id", tokenize='porter unicode61 remove_diacritics 2'
);
create trigger articles_fts_insert after insert on articles begin
  insert into articles_fts(rowid, title, summary, text) values (new.id, new.title, new.summary, new.text); end;
create trigger articles_fts_delete after delete on articles begin
  insert into articles_fts(articles_fts, rowid, title, summary, text)
  values ('delete', old.id, old.title, old.summary, old.text); end;
create trigger articles_fts_update after update of title, summary, text on articles begin
  insert into articles_fts(articles_fts, rowid, title, summary, text)
  values ('delete', old.id, old.title, old.summary, old.text);
  insert into articles_fts(rowid, title, summary, text) values (new.id, new.title, new.summary, new.text); end;

create view wire_stories as
  select a.id, a.title, a.agency, a.copies + 1 as outlets, a.published_at, a.site as kept_from,
         (select group_concat(site, ', ') from
            (select distinct d.site from duplicates d where d.article_id = a.id order by d.site)) as also_at, a.url
  from articles a where a.copies > 0;

create view events as
  select e.id, e.title, (select count(*) + 1 from articles r where r.event_id = e.id) as reports,
         e.site as first_at, (select group_concat(site, ', ') from
            (select distinct r.site from articles r where r.event_id = e.id order by r.site)) as also_at,
         e.published_at as began_at,
         (select max(r.published_at) from articles r where r.event_id = e.id) as latest_at, e.url
  from articles e where e.id in (select event_id from articles where event_id is not null);

create view feed_health as
  select f.id, f.title, f.status, f.error_kind, f.error, f.failures, f.last_fetch_at, f.last_new_at,
         f.next_fetch_at, f.next_fetch_why, count(x.id) as fetches_7d, coalesce(sum(x.entries), 0) as entries_7d,
         cast(avg(x.duration_ms) as integer) as mean_ms,
         round(100.0 * sum(x.outcome = 'not_modified') / max(count(x.id), 1)) as pct_not_modified, f.url
  from feeds f left join fetches x
    on x.feed_id = f.id and x.started_at > strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-7 days')
  group by f.id;

create view who_copies_whom as
  select a.site as kept_from, d.site as copied_by, count(*) as copies,
         round(avg(d.resemblance), 2) as mean_resemblance, round(avg(d.containment), 2) as mean_containment
  from duplicates d join articles a on a.id = d.article_id
  where a.site <> d.site group by 1, 2;

create view removed_by_rule as
  select reason, count(*) as blocks, count(distinct boilerplate_id) as texts from removed_blocks group by reason;
"""

PAGES_AND_HISTORY = """
create table _pages (
  entry_id        integer primary key references entries(id) on delete cascade,
  url             text    not null,
  etag            text,
  last_modified   text,
  fetched_at      text    not null
) strict;
create index _pages_fetched on _pages(fetched_at);

alter table _feed_memory add column older_url text;
"""

#: Most rows have nothing in these columns, and every new one would be put among the empty ones first. New and changed
#: articles are put into the full-text index, and its pieces are merged, by `store.search`.
FEWER_ROWS_AND_SAVEPOINTS = """
drop index entries_article;
create index entries_article on entries(article_id) where article_id is not null;
drop index entries_duplicate;
create index entries_duplicate on entries(duplicate_id) where duplicate_id is not null;
drop index _urls_article;
create index _urls_article on _urls(article_id) where article_id is not null;
drop index _urls_duplicate;
create index _urls_duplicate on _urls(duplicate_id) where duplicate_id is not null;
drop index removed_blocks_article;
create index removed_blocks_article on removed_blocks(article_id) where article_id is not null;
drop index removed_blocks_duplicate;
create index removed_blocks_duplicate on removed_blocks(duplicate_id) where duplicate_id is not null;
drop index articles_event;
create index articles_event on articles(event_id, published_at) where event_id is not null;

insert into articles_fts(articles_fts, rank) values ('automerge', 0);
create table _unindexed (
  id              integer primary key
) strict;
drop trigger articles_fts_insert;
create trigger articles_fts_insert after insert on articles begin
  insert into _unindexed (id) values (new.id); end;
drop trigger articles_fts_delete;
create trigger articles_fts_delete after delete on articles begin
  insert into articles_fts(articles_fts, rowid, title, summary, text)
  select 'delete', old.id, old.title, old.summary, old.text
  where not exists (select 1 from _unindexed where id = old.id);
  delete from _unindexed where id = old.id; end;
drop trigger articles_fts_update;
create trigger articles_fts_update after update of title, summary, text on articles begin
  insert into articles_fts(articles_fts, rowid, title, summary, text)
  select 'delete', old.id, old.title, old.summary, old.text
  where not exists (select 1 from _unindexed where id = old.id);
  insert or ignore into _unindexed (id) values (new.id); end;
"""

#: What each column means: table -> column -> one sentence. Shown by Datasette and in docs/columns.md.
COLUMNS: dict[str, dict[str, str]] = {
    "articles": {
        "id": "The story's number. It never changes, also when a better copy replaces the text.",
        "title": "The headline, without the site's name and without quotation marks around it.",
        "published_at": "When it was published, in UTC; when that is unknown or absurd, when we first saw it.",
        "site": "The registrable domain the kept copy came from.",
        "feed_id": "The feed that listed the kept copy.",
        "copies": "How many other copies of this text were folded away (rows in duplicates).",
        "event_id": "The first story here that reported the same event in other words; empty for that story itself.",
        "agency": "The news agency the text is credited to, where it says so.",
        "byline": "Who wrote it, as the page says, without 'By'.",
        "language": "Language of the text, as its two- or three-letter code.",
        "summary": "The feed's or the page's own summary.",
        "text": "The whole clean text, paragraphs separated by a blank line.",
        "words": "Words in the text.",
        "image": "Address of the main image.",
        "tags": "Tags of the feed in feeds.yaml, a JSON list.",
        "url": "The article's address.",
        "source": "Where the text came from: 'page', or 'feed' when the page was not needed or not to be had.",
        "problem": "Why the page was not used although we wished to, or what was odd about it.",
        "flags": "What kind of page it was: paywall, live, ... (a JSON list).",
        "first_seen_at": "When any feed first listed it.",
        "changed_at": "When title or text last changed here.",
    },
    "duplicates": {
        "id": "Number of the copy; 'aggregator unfold ID' brings it back as an article.",
        "title": "The copy's own headline.",
        "article_id": "The story it is a copy of.",
        "reason": "Why it was folded: same_text, near_text, contained, contains, rewritten, updated, by_hand, ...",
        "resemblance": "Jaccard resemblance of the two texts' shingles, 0 to 1.",
        "containment": "Share of this text's shingles that are in the kept text, 0 to 1.",
        "confidence": "How sure the decision is, 0 to 1.",
        "site": "The registrable domain the copy came from.",
        "feed_id": "The feed that listed it.",
        "published_at": "When it was published, in UTC.",
        "agency": "The news agency the text is credited to.",
        "byline": "Who wrote it, as the page says.",
        "language": "Language code of the text.",
        "summary": "The feed's or the page's own summary.",
        "text": "The copy's whole clean text.",
        "words": "Words in the text.",
        "image": "Address of the main image.",
        "url": "The copy's address.",
        "source": "Where the text came from: 'page' or 'feed'.",
        "problem": "Why the page was not used, or what was odd about it.",
        "flags": "What kind of page it was (a JSON list).",
        "evidence": "Figures and names matched and substituted, and the like (a JSON object).",
        "first_seen_at": "When any feed first listed it.",
        "removed_at": "When it was folded away.",
    },
    "feeds": {
        "id": "Number of the feed.",
        "title": "Title in feeds.yaml, else the feed's own, else its host.",
        "url": "Address as written in feeds.yaml.",
        "site_url": "The site's home page, as the feed says.",
        "status": "new, ok, failing, gone (410: never asked again), or off (no longer in feeds.yaml).",
        "error_kind": "Class of the last error; empty when all is well.",
        "error": "The last error in words.",
        "failures": "Failures in a row.",
        "next_fetch_at": "When it is asked again; empty: never by itself.",
        "next_fetch_why": "Why then: adaptive, max-age, ttl, Retry-After, skipHours, ...",
        "last_fetch_at": "When it was last asked.",
        "last_new_at": "When it last had something new.",
        "priority": "Lower is preferred when two outlets carry the same text.",
        "tags": "Tags in feeds.yaml, a JSON list.",
        "fetch_url": "Where it really is: url, or where three permanent redirects led.",
        "etag": "Validator of the last answer, sent back byte for byte.",
        "last_modified": "Validator of the last answer, sent back byte for byte.",
        "added_at": "When it first stood in feeds.yaml.",
    },
    "fetches": {
        "id": "Number of the request.",
        "feed_id": "The feed that was asked.",
        "started_at": "When.",
        "outcome": "new, nothing_new, not_modified or failed.",
        "status": "HTTP status, where there was one.",
        "bytes": "Bytes transferred.",
        "duration_ms": "Milliseconds, redirects included.",
        "entries": "New entries in it.",
        "error_kind": "Class of the error.",
        "error": "The error in words.",
    },
    "entries": {
        "id": "Number of the entry: one item of one feed.",
        "title": "The item's title as the feed gave it.",
        "feed_id": "The feed that listed it.",
        "guid": "The item's id in its feed, or what stands in for one.",
        "url": "Canonical form of its link.",
        "published_at": "When the feed says it was published, in UTC.",
        "article_id": "The article it became, or belongs to.",
        "duplicate_id": "The folded copy it became.",
        "content_hash": "Hash of what the feed says; a change means an edit.",
        "attempts": "How often its page was asked for.",
        "problem": "What went wrong with its page.",
        "first_seen_at": "When the feed first listed it.",
        "changed_at": "When the feed last changed it.",
    },
    "revisions": {
        "id": "Number of the revision.",
        "title": "The earlier headline.",
        "article_id": "The article whose earlier wording this is.",
        "duplicate_id": "The folded copy whose earlier wording this is.",
        "reason": "edited by its outlet, better_copy (another outlet's text took its place), reextracted, or restored.",
        "replaced_at": "When it was replaced.",
        "text": "The earlier text.",
        "url": "Where the earlier text stood.",
    },
    "boilerplate": {
        "id": "Number of the block.",
        "site": "The site whose pages carry it.",
        "reason": "The rule that took it away (the latest).",
        "pages": "From how many pages of this site it was removed.",
        "text": "The block's text.",
        "text_hash": "Hash of the text.",
        "first_seen_at": "When it was first removed.",
        "last_seen_at": "When it was last removed.",
    },
    "removed_blocks": {
        "id": "Number of the removal.",
        "article_id": "The article whose page it was removed from.",
        "duplicate_id": "The folded copy whose page it was removed from.",
        "boilerplate_id": "The block's text.",
        "reason": "The rule that took it away.",
        "position": "It stood before this paragraph, counted from 0.",
        "confidence": "How sure the rule is, 0 to 1.",
    },
    "hosts": {
        "host": "Host name, with its port where that is unusual.",
        "not_before": "No request to this host before.",
        "why": "Why not: Retry-After, ...",
        "last_request_at": "Not in use: the distance between two requests is kept in news.db.pace.",
        "robots": "Its robots.txt.",
        "robots_at": "When that was read.",
    },
}


def migrations() -> Migrations:
    """The steps from an empty file to today's schema, in order (sqlite-utils `Migrations`)."""
    from sqlite_utils import Migrations

    steps = Migrations("aggregator")

    @steps()
    def m001_first(db: Database) -> None:
        db.executescript(FIRST)

    @steps()
    def m002_pages_and_history(db: Database) -> None:
        db.executescript(PAGES_AND_HISTORY)

    @steps()
    def m003_fewer_rows_and_savepoints(db: Database) -> None:
        db.executescript(FEWER_ROWS_AND_SAVEPOINTS)

    return steps


#: Names of the migrations above: lets the store see, without importing sqlite-utils, that nothing is to be done.
MIGRATION_NAMES = ("m001_first", "m002_pages_and_history", "m003_fewer_rows_and_savepoints")
