-- The state of a netboot server. Times are seconds since 1970; digests are SHA-256, hexadecimal.

CREATE TABLE machines (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL,
    boot TEXT NOT NULL,
    -- Counts up with each time that it is sent to install again.
    attempt INTEGER NOT NULL DEFAULT 1,
    -- Its table in the site file, once it got an answer by it: one machine each.
    site_machine TEXT UNIQUE,
    fqdn TEXT UNIQUE,
    serial TEXT NOT NULL DEFAULT '',
    uuid TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    identity TEXT,
    step TEXT NOT NULL DEFAULT '',
    percent INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    seen_at REAL NOT NULL,
    changed_at REAL NOT NULL
) STRICT;

CREATE TABLE macs (
    mac TEXT PRIMARY KEY,
    machine INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX macs_of_machine ON macs (machine);

-- Bearer tokens, by their digest. used_at: when an answer was given for it, or, of one for
-- events, when its last event came.
CREATE TABLE tokens (
    digest TEXT PRIMARY KEY,
    machine INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('answer', 'events')),
    made_at REAL NOT NULL,
    used_at REAL,
    closed INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX tokens_of_machine ON tokens (machine, attempt);

-- What counters and address pools gave to machines, also to those that were forgotten since.
CREATE TABLE numbers (
    counter TEXT NOT NULL,
    value TEXT NOT NULL,
    machine INTEGER NOT NULL,
    PRIMARY KEY (counter, value),
    UNIQUE (counter, machine)
) STRICT, WITHOUT ROWID;

-- Addresses in the answers that were served, without prefix.
CREATE TABLE addresses (
    address TEXT PRIMARY KEY,
    machine INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Every answer that was served, also to machines that were forgotten since. answer: without its secrets; digest: of the answer itself.
CREATE TABLE served (
    id INTEGER PRIMARY KEY,
    machine INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    at REAL NOT NULL,
    client TEXT NOT NULL,
    site_group TEXT,
    site_machine TEXT,
    digest TEXT NOT NULL,
    answer TEXT NOT NULL
) STRICT;
CREATE INDEX served_to_machine ON served (machine, attempt);

-- What happened, for people. kind: a state that it came to, or news in between.
CREATE TABLE events (
    id INTEGER PRIMARY KEY,
    machine INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_machine ON events (machine, id);

CREATE TABLE logs (
    id INTEGER PRIMARY KEY,
    machine INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    at REAL NOT NULL,
    source TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX logs_of_machine ON logs (machine, id);

-- Cluster kits. answer: the node's table [cluster] as TOML, a secret.
CREATE TABLE kits (
    cluster TEXT NOT NULL,
    node TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (cluster, node)
) STRICT, WITHOUT ROWID;
