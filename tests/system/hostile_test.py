"""A table of bad inputs at every door: what goes in, what must come back, and that nothing changed.

Rows of the HTTP API and of the gateway are bytes or requests; those of the client, the configuration and the flags are command lines;
those of roots are what somebody left on a worker's disk.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import socket
import subprocess
import unittest
import uuid

import harness
from bad_input import BIG, BadInput, Line, Raw, Request, check_raw_bytes, tree

ROWS_LEAST = 60
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
DIGEST = "0" * 32
SESSION = str(uuid.uuid5(uuid.NAMESPACE_DNS, "w1"))

# A frame on the stdin of an exec command: exit status, words of the problem.
Frame = collections.namedtuple("Frame", "what command input status words")
# What is in a configuration file: words on stderr.
Config = collections.namedtuple("Config", "what text says")


def sync(**fields):
    return {"session": SESSION, "incarnation": SESSION, "started": 1, "sequence": 1, "as_of": 0, **fields}


def without(field):
    whole = sync()
    del whole[field]
    return whole


CONTAINERS = "/api/v1/workers/w1/containers"
SYNC = "/api/v1/workers/w1/sync"
GATEWAY = "/api/v1/gateway/"

REQUESTS = [
    # Paths
    Request("`..` in a path", "GET", "/api/v1/workers/../owners", None, 404, "no such"),
    Request("`..` in a path, escaped", "GET", "/api/v1/workers/%2e%2e", None, 404, "no such worker"),
    Request("a slash in a name, escaped", "GET", "/api/v1/workers/w1%2fcontainers", None, 404, "no such worker"),
    Request("a newline in a name", "GET", "/api/v1/workers/w1%0aw2", None, 400, "control character"),
    Request("a zero byte in a name", "GET", "/api/v1/workers/w1%00", None, 400, "control character"),
    Request("half an escape", "GET", "/api/v1/workers/w1%2", None, 400, "hexadecimal"),
    Request("bad UTF-8 in a name", "GET", "/api/v1/workers/%ff%fe", None, 404, "no such worker"),
    Request("a path that is not there", "GET", "/api/v1/nothing", None, 404, "no such path"),
    Request("a method that is not there", "PATCH", "/api/v1/workers/w1", {}, 405, "answers"),
    # Tokens
    Request("no token", "GET", "/api/v1/workers", None, 401, "send a token", {"Authorization": ""}),
    Request("another scheme", "GET", "/api/v1/workers", None, 401, "send a token", {"Authorization": "Basic YTpi"}),
    Request("a token that is none", "GET", "/api/v1/workers", None, 401, "not known", {"Authorization": "Bearer " + "0" * 64}),
    Request("a viewer who writes", "PUT", "/api/v1/owners/x", {"kind": "build"}, 403, "role client", None, "viewer"),
    Request("a gateway who reads", "GET", "/api/v1/workers", None, 403, "role viewer", None, "gateway"),
    Request("a client who syncs", "POST", SYNC, sync(), 403, "role gateway", None, "client"),
    # Queries
    Request("an unknown query parameter", "GET", "/api/v1/workers?colour=red", None, 422, "colour"),
    Request("a limit of nothing", "GET", "/api/v1/workers?limit=0", None, 422, "limit"),
    Request("a huge limit", "GET", "/api/v1/workers?limit=99999999999999999999", None, 422, "limit"),
    Request("a limit that is no number", "GET", "/api/v1/workers?limit=1e3", None, 422, "limit"),
    Request("a parameter given twice", "GET", "/api/v1/workers?limit=1&limit=2", None, 422, "limit"),
    Request("a state that is none", "GET", "/api/v1/containers?state=lost", None, 422, "state"),
    # JSON
    Request("not JSON", "POST", CONTAINERS, "handle=c9", 400, "not a JSON text"),
    Request("half a JSON text", "POST", CONTAINERS, '{"handle":"c9"', 400, "not a JSON text"),
    Request("two JSON texts", "POST", CONTAINERS, '{"handle":"c9"}{"handle":"c8"}', 400, "not a JSON text"),
    Request("a duplicate key", "POST", CONTAINERS, '{"handle":"c9","handle":"c8"}', 400, "'handle' is there twice"),
    Request("a duplicate key, spelled otherwise", "POST", CONTAINERS, '{"handle":"c9","h\\u0061ndle":"c8"}', 400, "there twice"),
    Request("deep nesting", "POST", CONTAINERS, "[" * 100_000, 400, "nested deeper than 32"),
    Request("deep nesting of objects", "POST", CONTAINERS, '{"a":' * 50_000 + "1" + "}" * 50_000, 400, "nested deeper than 32"),
    Request("bad UTF-8", "POST", CONTAINERS, b'{"handle":"c\xff\xfe"}', 400, "not a JSON text in UTF-8"),
    Request("a zero byte", "POST", CONTAINERS, b'{"handle":"c9"}\0', 400, "zero byte"),
    Request("an escaped zero", "POST", CONTAINERS, '{"handle":"c\\u00009"}', 422, "handle"),
    Request("half a surrogate", "POST", CONTAINERS, '{"handle":"\\ud800"}', 400, "not a JSON text"),
    Request("a number that no machine has", "PUT", CONTAINERS + "/c1/pin", '{"reason":"r","ttl_s":1e400}', 400, "not a JSON text"),
    # Fields
    Request("a huge number", "PUT", CONTAINERS + "/c1/pin", '{"reason":"r","ttl_s":%d}' % 10**30, 422, "ttl_s"),
    Request("a number below zero", "PUT", CONTAINERS + "/c1/pin", {"reason": "r", "ttl_s": -1}, 422, "ttl_s"),
    Request("a fraction", "PUT", CONTAINERS + "/c1/pin", {"reason": "r", "ttl_s": 1.5}, 422, "ttl_s"),
    Request("a text where a number belongs", "PUT", CONTAINERS + "/c1/pin", {"reason": "r", "ttl_s": "60"}, 422, "ttl_s"),
    Request("no reason", "PUT", CONTAINERS + "/c1/pin", {}, 422, "reason"),
    Request("an unknown field", "POST", CONTAINERS, {"handle": "c9", "owner": "o", "colour": "red"}, 422, "colour"),
    Request("a list where a text belongs", "POST", CONTAINERS, {"handle": ["c9"], "owner": "o"}, 422, "handle"),
    Request("a text where an object belongs", "POST", CONTAINERS, '"c9"', 422, "object"),
    Request("a handle that climbs", "POST", CONTAINERS, {"handle": "../c9", "owner": "o"}, 422, "handle"),
    Request("the handle `..`", "POST", CONTAINERS, {"handle": "..", "owner": "o"}, 422, "handle"),
    Request("a handle with a newline", "POST", CONTAINERS, {"handle": "c9\nc8", "owner": "o"}, 422, "handle"),
    Request("an empty handle", "POST", CONTAINERS, {"handle": "", "owner": "o"}, 422, "handle"),
    Request("a handle of 129 letters", "POST", CONTAINERS, {"handle": "c" * 129, "owner": "o"}, 422, "handle"),
    Request("a handle that is an option", "POST", CONTAINERS, {"handle": "--force", "owner": "o"}, 422, "handle"),
    Request("a handle in another alphabet", "POST", CONTAINERS, {"handle": "с1", "owner": "o"}, 422, "handle"),
    Request("more items than may come at once", "POST", CONTAINERS, [{}] * 100_001, 422, "."),
    Request("an owner that is not there", "POST", CONTAINERS, {"handle": "c9", "owner": "nobody"}, 422, "owner"),
    Request("a handle that is taken", "POST", CONTAINERS, {"handle": "c1"}, 409, "."),
    Request("a worker with a name that climbs", "PUT", "/api/v1/workers/..%2fw9", {}, 422, "must match"),
    Request("a key that is none", "PUT", "/api/v1/workers/w9", {"keys": ["ssh-ed25519 AAAA!"]}, 422, "keys"),
    Request("a key with a second line", "PUT", "/api/v1/workers/w9", {"keys": [KEY + "\n" + KEY]}, 422, "one line"),
    Request("a key of another worker", "PUT", "/api/v1/workers/w9", {"keys": ["{key of w1}"]}, 409, "one key, one worker"),
    Request("a pass that is none", "POST", "/api/v1/gc/run", {"passes": ["rm -rf"]}, 422, "passes"),
    # Syncs
    Request("a sync of nobody", "POST", "/api/v1/workers/nobody/sync", sync(), 404, "no"),
    *[Request(f"a sync without {field}", "POST", SYNC, without(field), 422, field) for field in sync()],
    Request("a sequence that not every reader keeps exact", "POST", SYNC, sync(sequence=2**53), 422, "sequence"),
    Request("an as_of from the past", "POST", SYNC, sync(as_of=-1), 422, "as_of"),
    Request("true for a number", "POST", SYNC, sync(started=True), 422, "started"),
    Request("a session with a newline", "POST", SYNC, sync(session="a\nb"), 422, "session"),
    Request("a session of 10 kB", "POST", SYNC, sync(session="s" * 10_000), 422, "session"),
    Request("both kinds of inventory", "POST", SYNC, sync(volumes={"full": [], "base": 1, "count": 0, "digest": DIGEST}), 422, "volumes"),
    Request("a delta without a digest", "POST", SYNC, sync(volumes={"base": 1, "count": 0}), 422, "digest"),
    Request("a digest in capitals", "POST", SYNC, sync(volumes={"base": 1, "count": 0, "digest": "A" * 32}), 422, "digest"),
    Request("a count below zero", "POST", SYNC, sync(volumes={"base": 1, "count": -1, "digest": DIGEST}), 422, "count"),
    Request("a handle that is a number", "POST", SYNC, sync(volumes={"full": ["v1", 2]}), 422, r"full\[1\]"),
    Request("a name of 5000 bytes", "POST", SYNC, sync(volumes={"full": ["v" * 5000]}), 422, r"full\[0\]"),
    Request("a result of no kind", "POST", SYNC, sync(results=[{"kind": "tape", "handle": "c1", "ok": True}]), 422, "kind"),
    Request("a result without an outcome", "POST", SYNC, sync(results=[{"kind": "container", "handle": "c1"}]), 422, "ok"),
    Request("10,001 results", "POST", SYNC, sync(results=[{"kind": "volume", "handle": "v", "ok": True}] * 10_001), 422, "results"),
    Request("a wait of a day", "POST", SYNC, sync(wait_ms=86_400_000), 422, "wait_ms"),
    Request("another worker's name in a sync", "POST", SYNC, sync(worker="w2"), 422, "worker"),
    Request("a key's call without a key", "POST", GATEWAY + "whois", {}, 422, "Reclaim-Key"),
    Request("a key's call with half a key", "POST", GATEWAY + "whois", {}, 422, "Reclaim-Key", {"Reclaim-Key": "ssh-ed25519"}),
    Request("a key's call with an unknown key", "POST", GATEWAY + "sync", sync(), 401, "not enrolled", {"Reclaim-Key": KEY}),
]

HOST = b"Host: x\r\nAuthorization: Bearer {token}\r\n"
POST = b"POST /api/v1/workers/w1/containers HTTP/1.1\r\n" + HOST
BODY = b'{"handle":"c9","owner":"o"}'

RAWS = [
    Raw("no HTTP", [b"EHLO me\r\n\r\n"], 400, b"HTTP/1.1"),
    Raw("an HTTP of the future", [b"GET / HTTP/3.0\r\nHost: x\r\n\r\n"], 400, b"HTTP/1.1"),
    Raw("a TLS hello", [bytes.fromhex("16030100c8010000c40303") + bytes(190) + b"\r\n\r\n"], 400, b"HTTP/1.1"),
    Raw("a header with a zero byte", [b"GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n"], 400, b"HTTP/1.1"),
    Raw("a space before the colon", [b"GET / HTTP/1.1\r\nHost : x\r\n\r\n"], 400, b"HTTP/1.1"),
    Raw("a header of 20 kB", [b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n"], 413, b"16384"),
    Raw("a target of 20 kB", [b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n"], 413, b"16384"),
    Raw("two tokens", [POST + b"Authorization: Bearer x\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY], 401, b"send a token"),
    Raw("two lengths", [POST + b"Content-Length: 27\r\nContent-Length: 5\r\n\r\n" + BODY], 400, b"HTTP/1.1"),
    Raw("a length below zero", [POST + b"Content-Length: -1\r\n\r\n" + BODY], 400, b"HTTP/1.1"),
    Raw("a length in words", [POST + b"Content-Length: 2e1\r\n\r\n" + BODY], 400, b"HTTP/1.1"),
    Raw("a length that overflows", [POST + b"Content-Length: 99999999999999999999999\r\n\r\n" + BODY], 400, b"HTTP/1.1"),
    Raw("a length that is too short", [POST + b"Content-Length: 10\r\n\r\n" + BODY], 400, b"not a JSON text"),
    Raw("a length that is too long", [POST + b"Content-Length: 50\r\n\r\n" + BODY, None], 400, b"partial"),
    Raw("100 MB announced", [POST + b"Content-Length: %d\r\n\r\n" % BIG], 413, b"67108864"),
    Raw("length and chunks at once", [POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"], 400, b"HTTP/1.1"),
    Raw("another coding", [POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"], 400, b"plain chunked"),
    Raw("chunked twice", [POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"], 400, b"."),
    Raw("a chunk of no size", [POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"], 400, b"HTTP/1.1"),
    Raw("a chunk that overflows", [POST + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n"], 400, b"."),
    Raw("100 MB in chunks", [POST + b"Transfer-Encoding: chunked\r\n\r\n"] + [b"100000\r\n" + b" " * (1 << 20) + b"\r\n"] * 100, 413, b"67108864"),
    Raw("a second request smuggled behind the first", [POST + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                                                       b"DELETE /api/v1/workers/w1 HTTP/1.1\r\n" + HOST + b"\r\n"], 400, b"HTTP/1.1"),
    Raw("half a request line, then nothing", [b"GET /api/v1/wor", 12], None, b""),
    Raw("half a body, then nothing more", [POST + b"Content-Length: 27\r\n\r\n" + BODY[:13], None], 400, b"partial"),
    Raw("a header that trickles", [b"GET / HTTP/1.1\r\n"] + [b"X: y\r\n", 1] * 12, None, b""),
]

FRAMES = [
    Frame("nothing", "sync", b"", 1, "not a JSON text"),
    Frame("half a frame", "sync", json.dumps(sync())[:-1], 1, "not a JSON text"),
    Frame("two frames in one", "sync", json.dumps(sync()) * 2, 1, "not a JSON text"),
    Frame("a duplicate key", "sync", '{"session":"a","session":"b"}', 1, "there twice"),
    Frame("an unknown field", "sync", json.dumps(sync(colour=1)), 1, "colour"),
    Frame("a wrong type", "sync", json.dumps(sync(containers=["c1"])), 1, "containers"),
    Frame("a huge number", "sync", json.dumps(sync(sequence=10**25)), 1, "sequence"),
    Frame("deep nesting", "sync", "[" * 1_000_000, 1, "nested deeper"),
    Frame("bad UTF-8", "sync", b"\xff\xfe" + json.dumps(sync()).encode(), 1, "not a JSON text"),
    Frame("a zero byte", "sync", json.dumps(sync()).encode() + b"\0", 1, "zero byte"),
    Frame("100 MB", "sync", b" " * BIG, 1, "at most 67108864 bytes"),
    Frame("another worker's name", "sync", json.dumps(sync(worker="w2")), 1, "worker"),
    Frame("half a frame on a standing channel", "sync --follow", '{"session":', 1, "middle of a frame"),
    Frame("a short frame that nothing came before", "sync --follow", '{"sequence":2,"as_of":0,"same":true}\n', 0, "session"),
    Frame("100 MB without a newline", "sync --follow", b"x" * BIG, 1, "at most 67108864 bytes"),
    Frame("an unknown command", "rm -rf /", b"", 2, "unknown command"),
    Frame("a command with a newline", "status\nland", b"", 2, "unknown command"),
    Frame("a command and an argument", "land w2", b"", 2, "unknown command"),
    Frame("a command of 100 kB", "x" * 100_000, b"", 2, "unknown command"),
    Frame("an environment", "status; env", b"", 2, "unknown command"),
]

RAW_SSH = [
    Raw("an HTTP request at the gateway", [b"GET / HTTP/1.1\r\n\r\n"], None, b""),
    Raw("a banner of 64 kB", [b"SSH-2.0-" + b"x" * 65536 + b"\r\n"], None, b""),
    Raw("an SSH of the past", [b"SSH-1.5-old\r\n"], None, b""),
    Raw("a packet of 4 GB", [b"SSH-2.0-x\r\n" + b"\xff\xff\xff\xff" + bytes(64)], None, b""),
    Raw("a packet of no length", [b"SSH-2.0-x\r\n" + bytes(64)], None, b""),
    Raw("half a packet, then nothing", [b"SSH-2.0-x\r\n" + bytes.fromhex("000003fc0a14"), 12], None, b""),
    Raw("zero bytes", [bytes(4096)], None, b""),
]

LINES = [
    Line("an unknown flag", "workers list --colour red", 2, "--colour"),
    Line("an unknown command", "workers explode w1", 2, "explode"),
    Line("no command", "", 2, "."),
    Line("an output that is none", "workers list --output yaml", 2, "--output"),
    Line("a flag without its value", "workers list --limit", 2, "--limit"),
    Line("a duration without a unit", "containers pin w1/c1 --reason r --ttl 60", 2, "ttl"),
    Line("a resource without a worker", "containers show c1", 2, "."),
    Line("a resource that climbs", "containers show ../owners/o", 2, "."),
    Line("a worker that climbs", "workers enroll ../w9 --key {dir}/w1.key.pub", 2, "."),
    Line("a worker with a newline", "workers|show|w1\nw2", 2, "."),
    Line("a key that is not there", "workers enroll w9 --key {dir}/nowhere.pub", 2, "nowhere.pub"),
    Line("a private key", "workers enroll w9 --key {dir}/w1.key", 2, "."),
    Line("a directory for a key", "workers enroll w9 --key {dir}", 2, "."),
    Line("a key of 100 MB", "workers enroll w9 --key {dir}/big", 2, "."),
    Line("a token file that is not there", "workers list --token-file {dir}/nowhere", 2, "nowhere"),
    Line("a token file of 100 MB", "workers list --token-file {dir}/big", 2, "."),
    Line("a server that is no address", "workers list --server nowhere", 2, "."),
    Line("a server that is not there", "workers list --server http://127.0.0.1:1", 3, "127.0.0.1:1"),
]

SERVER_FLAGS = [
    Line("a server's duration without a unit", "--sync-interval 30", 2, "--sync-interval"),
    Line("a duration below zero", "--worker-expiry -5s", 2, "--worker-expiry"),
    Line("a duration of ages", "--worker-expiry 99999999999999999999h", 2, "--worker-expiry"),
    Line("an address without a port", "--listen localhost", 2, "--listen"),
    Line("a port of nowhere", "--gateway-listen 127.0.0.1:99999", 2, "--gateway-listen"),
    Line("a host of nowhere", "--listen no.such.host.invalid:1", 2, "no.such.host.invalid"),
    Line("an engine that is none", "--database mysql://x", 2, "--database"),
    Line("a store that is none", "--store s3://x", 2, "--store"),
    Line("a count below zero", "--event-max -1", 2, "--event-max"),
    Line("a count that overflows", "--event-max 99999999999999999999", 2, "--event-max"),
    Line("a level that is none", "--log-level loud", 2, "log-level"),
    Line("a flag of nobody's", "--sink-interval 30s", 2, "--sink-interval"),
    Line("a configuration that is not there", "--config {dir}/nowhere.toml", 2, "nowhere.toml"),
    Line("a configuration that is a directory", "--config {dir}", 2, "{dir}"),
    Line("a configuration of 100 MB", "--config {dir}/big", 2, "big"),
]

CONFIGS = [
    Config("a number for a duration", "sync-interval = 30", r":1: .*sync-interval.*unit"),
    Config("a wrong unit", '\nsync-interval = "30 parsecs"', r":2: .*sync-interval.*unit"),
    Config("an unknown key", 'event-max = 5\nsync_interval = "30s"', r":2: .*unknown key `sync_interval`"),
    Config("a duplicate key", 'event-max = 5\nevent-max = 6', r":2: "),
    Config("a table", "[server]\nevent-max = 5", r":1: .*unknown key `server`"),
    Config("a fraction for a count", "event-max = 1.5", r":1: .*event-max.*integer"),
    Config("a count that overflows", "event-max = 99999999999999999999", r":1: "),
    Config("a text for a count", 'event-max = "5"', r":1: .*event-max.*integer"),
    Config("a list for an address", 'listen = ["127.0.0.1:0"]', r":1: .*listen.*string"),
    Config("an address that is none", '\n\nlisten = "nowhere"', r":3: "),
    Config("an open string", 'listen = "127', r":1: "),
    Config("a newline in a string", 'listen = "127.0.0.1:0\n"', r":1: "),
    Config("no TOML", "sync-interval: 30s", r":1: "),
    Config("deep nesting", "listen = " + "[" * 10_000, r":1: "),
    Config("bad UTF-8", b"listen = \"\xff\xfe\"", r":1: "),
    Config("a zero byte", b"listen = \"127.0.0.1:0\0\"", r":1: "),
    Config("a level that is none", '\nlog-level = "loud"', r":2: .*debug"),
]

WORKER_FLAGS = [
    Line("a worker's name that climbs", "--name ../w1", 2, "--name"),
    Line("a root without a driver", "--volumes {dir}/root", 2, "--volumes"),
    Line("a driver that is none", "--volumes zfs:{dir}/root", 2, "--volumes"),
    Line("a root that is not absolute", "--volumes dir:root", 2, "--volumes"),
    Line("a pool of nothing", "--volumes dir:{dir}/root --max-in-flight volume=0", 2, "--max-in-flight"),
    Line("a gateway without a port", "--volumes dir:{dir}/root --gateway nowhere", 2, "--gateway"),
    Line("a fingerprint that is none", "--volumes dir:{dir}/root --gateway-fingerprint MD5:00", 2, "gateway-fingerprint"),
    Line("a key that others may read", "--volumes dir:{dir}/root --key {dir}/open.key", 2, "chmod 600"),
    Line("a key that is a public one", "--volumes dir:{dir}/root --key {dir}/public.key", 2, "not a private key"),
]

GATEWAY_FLAGS = [
    Line("a server that speaks something else", "--server ftp://x", 2, "--server"),
    Line("a token file of two lines", "--token-file {dir}/two", 2, "--token-file"),
    Line("a token file that is a link", "--token-file {dir}/link", 2, "--token-file"),
    Line("a token that the server does not know", "--token-file {dir}/wrong", 2, "token"),
    Line("a host key that is none", "--host-key {dir}/two", 2, "--host-key"),
]


def made_root(root):
    (root / "live").mkdir(parents=True)


def link_for_root(root):
    made_root(root.with_name("real"))
    root.symlink_to("real")


def link_above_root(root):
    made_root(root.with_name("real") / "inner")
    root.symlink_to("real/inner")


def link_in_root(name):
    def make(root):
        root.mkdir()
        root.with_name("elsewhere").mkdir()
        (root / name).symlink_to(root.with_name("elsewhere"))
    return make


def file_in_root(name):
    def make(root):
        root.mkdir()
        (root / name).write_text("not a directory")
    return make


def marker(text):
    def make(root):
        made_root(root)
        (root / ".reclaim").mkdir()
        (root / ".reclaim/marker").write_text(text)
    return make


def linked_marker(name):
    def make(root):
        made_root(root)
        (root / ".reclaim").mkdir()
        root.with_name("elsewhere").write_text("precious")
        (root / ".reclaim" / name).symlink_to(root.with_name("elsewhere"))
    return make


# What somebody left in the place of a root: no session is opened, nothing is made, moved or written through it. Where the mistake may
# mend itself the worker waits and says for what; where it may not, it ends.
ROOTS = [
    ("a root that is not there", lambda root: None),
    ("a root that is a file", lambda root: root.write_text("no")),
    ("a root that is a link", link_for_root),
    ("a root that is a link to deeper down", link_above_root),
    ("a live/ that is a link", link_in_root("live")),
    ("a live/ that is a file", file_in_root("live")),
    ("a dead/ that is a link", link_in_root("dead")),
    ("a .reclaim/ that is a link", link_in_root(".reclaim")),
    ("a lock that is a link", linked_marker("lock")),
    ("a marker that is a link", linked_marker("marker")),
    ("a marker that is no JSON", marker("1 2 3")),
    ("a marker with a duplicate key", marker('{"incarnation":"a","incarnation":"b","started":1}')),
    ("a marker that counts below zero", marker('{"incarnation":"a","started":-1}')),
    ("a marker of 1 MB", marker('{"incarnation":"' + "a" * (1 << 20) + '","started":1}')),
    ("an empty marker", marker("")),
]

# What somebody left among the volumes; each is also asked to be destroyed, where it has a name for that.
LEFTOVERS = ["a link out of the root", "a link to live/ itself", "a dangling link", "a file", "a fifo", "a socket", "a name with a newline",
             "a name that looks like `..`", "a hidden name", "a name in bad UTF-8", "a name with spaces", "a name of 255 letters",
             "a name that is an option"]
NAMES_LEFT = {"a link out of the root": b"v-link", "a link to live/ itself": b"v-loop", "a dangling link": b"v-dangling", "a file": b"v-file",
              "a fifo": b"v-fifo", "a socket": b"v-socket", "a name with a newline": b"v\nw", "a name that looks like `..`": b"..v",
              "a hidden name": b".v", "a name in bad UTF-8": b"v\xff\xfe", "a name with spaces": b"v 1 -rf", "a name of 255 letters": b"v" * 255,
              "a name that is an option": b"--help"}
DESTROYABLE = [b"v-link", b"v-loop", b"v-dangling", b"v-file", b"v-fifo", b"v-socket"]

TABLES = (REQUESTS, RAWS, FRAMES, RAW_SSH, LINES, SERVER_FLAGS, CONFIGS, WORKER_FLAGS, GATEWAY_FLAGS, ROOTS, LEFTOVERS)


class Hostile(BadInput):
    """A server that knows a worker, an owner, a container and a volume, and must still know just those after every row."""

    def setUp(self):
        super().setUp()
        self.server = harness.Server(self, "--touch-grace", "0s", "--collector-interval", "1s", "--sync-interval", "1s")
        self.api = self.server.api
        self.keys = {"w1": self.enroll(self.server, "w1")}
        self.api.put("/api/v1/owners/o", {"kind": "build"})
        self.api.post(CONTAINERS, {"handle": "c1", "owner": "o"})
        self.api.post("/api/v1/workers/w1/volumes", {"handle": "v1", "owner": "o"})
        self.begin()

    def census(self):
        """All that the server holds."""
        rows = {}
        for name in ("workers", "owners", "containers", "volumes", "events", "tokens"):
            rows[name] = self.api.all(f"/api/v1/{name}", name)
        for worker in rows["workers"]:
            worker.pop("last_sync_age_s", None)
        return json.dumps(rows, sort_keys=True)


class HttpTest(Hostile):
    def check_request(self, row):
        if isinstance(row.body, dict) and row.body.get("keys") == ["{key of w1}"]:
            row = row._replace(body={"keys": [harness.public_key(self.keys["w1"])]})
        super().check_request(row)

    def test_requests(self):
        self.check_all(REQUESTS, self.check_request)

    def test_bytes(self):
        self.check_all(RAWS, self.check_raw)


class GatewayTest(Hostile):
    def ssh(self, command, stdin):
        host, port = self.server.gateway.split(":")
        options = [word for option in ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "BatchMode=yes", "IdentitiesOnly=yes",
                                       "LogLevel=ERROR") for word in ("-o", option)]
        words = ["ssh", "-F", "/dev/null", "-p", port, *options, "-i", self.keys["w1"], f"w1@{host}", command]
        done = subprocess.run(list(map(str, words)), input=stdin, capture_output=True, check=False, timeout=60)
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def check_frame(self, row):
        stdin = row.input if isinstance(row.input, bytes) else row.input.encode()
        status, out, err = self.ssh(row.command, stdin)
        self.assertEqual(row.status, status, err[-300:])
        self.assertRegex(out if row.status == 0 else err, row.words)
        self.assertLess(len(out) + len(err), 2000)

    def check_raw(self, row):
        check_raw_bytes(self, self.server.gateway, row)

    def test_frames(self):
        # Three at a time: more than a key may have sessions is another story.
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            failures = [failure for failure in pool.map(lambda row: self.failure_of(self.check_frame, row), FRAMES) if failure]
        self.say(f"{len(FRAMES)} rows")
        self.assertEqual([], failures, "\n" + "\n".join(failures))
        self.check_nothing_changed("after all of them")
        self.assertEqual(0, self.ssh("status", b"")[0])

    def test_bytes(self):
        self.check_all(RAW_SSH, self.check_raw)


class CommandLineTest(Hostile):
    def setUp(self):
        super().setUp()
        with open(self.directory / "big", "wb") as big:
            big.truncate(BIG)

    def check_server_flags(self, row):
        # A flag that is given twice is one more mistake, so that the address flags are given once.
        given = [word for flag in ("--listen", "--gateway-listen", "--metrics-listen") if flag not in row.words
                 for word in (flag, "127.0.0.1:0")]
        data = self.directory / f"data-{uuid.uuid4()}"
        done = self.run_to_its_end("server", "--data", data, *given, *self.words(row))
        self.check_said(row, done.returncode, done.stderr)

    def check_config(self, row):
        file = self.directory / f"{uuid.uuid4()}.toml"
        file.write_bytes(row.text if isinstance(row.text, bytes) else row.text.encode())
        data = self.directory / f"data-{uuid.uuid4()}"
        done = self.run_to_its_end("server", "--data", data, "--config", file)
        self.check_said(Line(row.what, "", 2, row.says), done.returncode, done.stderr)
        self.assertFalse(data.exists(), "nothing is made before the configuration is right")

    def check_worker(self, row):
        standard = {"--name": "w1", "--gateway": self.server.gateway, "--gateway-fingerprint": self.server.fingerprint,
                    "--key": self.keys["w1"], "--state": self.directory / "state"}
        given = [word for flag, value in standard.items() if f"{flag} " not in row.words for word in (flag, value)]
        volumes = [] if "--volumes" in row.words else ["--volumes", f"dir:{self.directory}/root"]
        done = self.run_to_its_end("worker", *given, *volumes, *self.words(row))
        self.check_said(row, done.returncode, done.stderr)

    def check_gateway(self, row):
        standard = {"--server": self.server.url, "--token-file": self.directory / "gateway.token", "--listen": "127.0.0.1:0",
                    "--host-key": self.directory / "host_key"}
        given = [word for flag, value in standard.items() if flag not in row.words for word in (flag, value)]
        done = self.run_to_its_end("gateway", *given, *self.words(row))
        self.check_said(row, done.returncode, done.stderr)

    def test_the_client(self):
        self.check_all(LINES, self.check_client)

    def test_flags_of_the_server(self):
        self.check_all(SERVER_FLAGS, self.check_server_flags)

    def test_configurations(self):
        self.check_all(CONFIGS, self.check_config)

    def test_flags_of_the_worker(self):
        made_root(self.directory / "root")
        (self.directory / "open.key").write_bytes(self.keys["w1"].read_bytes())
        (self.directory / "open.key").chmod(0o644)
        (self.directory / "public.key").write_bytes(pathlib.Path(f"{self.keys['w1']}.pub").read_bytes())
        (self.directory / "public.key").chmod(0o600)
        self.check_all(WORKER_FLAGS, self.check_worker)

    def test_flags_of_the_gateway(self):
        files = {"gateway.token": self.tokens["gateway"], "two": "one\ntwo\n", "wrong": "0" * 64}
        for name, text in files.items():
            (self.directory / name).touch(0o600)
            (self.directory / name).write_text(text)
        (self.directory / "link").symlink_to(self.directory / "gateway.token")
        self.check_all(GATEWAY_FLAGS, self.check_gateway)


class RootTest(Hostile):
    def worker(self, root, name="worker"):
        host_flags = ["--name", "w1", "--gateway", self.server.gateway, "--gateway-fingerprint", self.server.fingerprint]
        return self.process(name, [self.reclaim, "worker", *host_flags, "--key", self.keys["w1"], "--volumes", f"dir:{root}",
                                   "--state", self.directory / f"state-{name}", "--sync-interval", "500ms"])

    def test_places_that_are_no_roots(self):
        for number, (what, make) in enumerate(ROOTS):
            with self.subTest(what):
                yard = self.directory / f"yard{number}"
                yard.mkdir()
                root = yard / "root"
                make(root)
                before = tree(yard)
                worker = self.worker(root, f"worker{number}")
                worker.start()
                ended = lambda worker=worker: worker.process.poll() or ("waits for" in worker.output() and "waits")
                refused = harness.wait_until(ended, 20, lambda worker=worker: f"a worker to refuse its root: {worker.output()}")
                self.assertIn(refused, (1, 2, "waits"), worker.output())
                self.assertIn(str(root), worker.output(), "the message names the root")
                if refused == "waits":
                    self.assertEqual(0, worker.end())
                after = tree(yard)
                for path, was in before.items():
                    self.assertEqual(was, after.get(path), path)
                made = {os.path.relpath(os.fsdecode(path), yard).split("/")[0] for path in after.keys() - before.keys()}
                self.assertLessEqual(made, {"root"}, "nothing is made outside of the root")
                self.assertFalse([path for path in after if b"elsewhere/" in path])
        self.say(f"{len(ROOTS)} rows")
        self.check_nothing_changed("after all of them")

    def leave(self, live, name, what):
        path = os.path.join(os.fsencode(live), name)
        if what == "a link out of the root":
            os.symlink(self.outside, path)
        elif what == "a link to live/ itself":
            os.symlink(".", path)
        elif what == "a dangling link":
            os.symlink("/nowhere/at/all", path)
        elif what == "a file":
            pathlib.Path(os.fsdecode(path)).write_text("precious")
        elif what == "a fifo":
            os.mkfifo(path)
        elif what == "a socket":
            with socket.socket(socket.AF_UNIX) as end:
                end.bind(path)
        else:
            os.mkdir(path)
            with open(path + b"/file", "w", encoding="utf-8") as file:
                file.write("precious")

    def test_leftovers_among_the_volumes(self):
        root = self.directory / "root"
        made_root(root)
        self.outside = self.directory / "outside"
        self.outside.mkdir()
        (self.outside / "file").write_text("precious")
        for what in LEFTOVERS:
            self.leave(root / "live", NAMES_LEFT[what], what)
        # A volume that is one, full of links that lead out of it.
        (root / "live/v-good/deep").mkdir(parents=True)
        (root / "live/v-good/deep/out").symlink_to(self.outside)
        (root / "live/v-good/up").symlink_to("../../..")
        handles = [name.decode() for name in DESTROYABLE] + ["v-good"]
        for handle in handles:
            self.api.post("/api/v1/workers/w1/volumes", {"handle": handle, "owner": "o"})
            self.api.post(f"/api/v1/workers/w1/volumes/{handle}/created")
        worker = self.worker(root)
        worker.start()
        self.server.wait_for_first_sync("w1")
        before = {path: about for path, about in tree(root / "live").items() if b"v-good" not in path}
        outside = tree(self.outside)
        for handle in handles:
            self.api.post(f"/api/v1/workers/w1/volumes/{handle}/destroy")

        gone = lambda: self.api.call("GET", "/api/v1/workers/w1/volumes/v-good").status == 404
        harness.wait_until(gone, 20, lambda: f"the good volume to go, whatever is beside it: {worker.output()[-1000:]}")
        row = lambda handle: self.api.get(f"/api/v1/workers/w1/volumes/{handle}")
        for handle in handles[:-1]:
            harness.wait_until(lambda handle=handle: row(handle)["last_error"], 20, f"{handle} to be refused")
            self.assertRegex(row(handle)["last_error"], "left alone|not a directory", handle)
        self.assertEqual(outside, tree(self.outside))
        self.assertEqual(before, tree(root / "live"))
        malformed = lambda: self.api.get("/api/v1/workers/w1")["malformed"]
        odd = len(LEFTOVERS) - len(DESTROYABLE)
        self.assertEqual(odd, harness.wait_until(lambda: malformed() or None, 10, "malformed names to be shown"))
        self.assertNotIn("v\nw", worker.output())
        self.say(f"{len(LEFTOVERS)} rows")
        self.assertEqual(0, worker.end())


class TableTest(unittest.TestCase):
    def test_the_table_is_as_long_as_promised(self):
        count = sum(map(len, TABLES))
        print(f"{count} bad inputs", flush=True)
        self.assertGreaterEqual(count, ROWS_LEAST)
        whats = [row[0] for table in TABLES[:-1] for row in table] + LEFTOVERS
        self.assertEqual(set(LEFTOVERS), set(NAMES_LEFT))
        self.assertFalse([what for what in whats if not re.match(r"\w|`", what)])


if __name__ == "__main__":
    harness.main()
