"""A table of bad inputs at the archive's doors: API, client, flags. What goes in, what must come back, and that nothing changed. What is
bad in the store's bytes, in a library and in a buffer is archive_damage_test.py's.
"""
import json
import os
import re
import unittest

import bad_input
import harness
from bad_input import BIG, Line, Raw, Request

ROWS_LEAST = 150
LONG = "x" * 10_000
HUGE = 10**30

TAPES, FILES, RETRIEVES, FAILED = (f"/api/v1/{name}" for name in ("tapes", "files", "retrieves", "failed"))
STATE, PLAN = TAPES + "/V1/state", TAPES + "/V1/state/plan"
DRIVE, POLICY, RUN = "/api/v1/drives/D1", "/api/v1/policies/bulk", "/api/v1/maintenance/run"


def tape(vid="V9", **more):
    return {"vid": vid, "pool": "p", "library": "l", **more}


def file(name="f9", places=(("V1", 9),), **more):
    return {"id": name, "size": 12, "checksum": "adler32:1e0b0402", "copies": [{"vid": vid, "fseq": fseq} for vid, fseq in places], **more}


def wanted(**more):
    return {"file": "f1", "destination": "out/x", **more}


def to(destination):
    return wanted(destination=destination)


def told(url):
    return wanted(report_to=url)


TAPE_REQUESTS = [
    Request("a tape with an unknown field", "POST", TAPES, tape(colour="red"), 422, "colour"),
    Request("a tape that is a list", "POST", TAPES, [tape()], 422, "object"),
    Request("a tape without a library", "POST", TAPES, {"vid": "V9", "pool": "p"}, 422, "library"),
    Request("a VID that is a number", "POST", TAPES, tape(9), 422, "vid"),
    Request("a VID that climbs", "POST", TAPES, tape("../V9"), 422, "vid"),
    Request("the VID `..`", "POST", TAPES, tape(".."), 422, "vid"),
    Request("a VID with a newline", "POST", TAPES, tape("V9\n"), 422, "vid"),
    Request("a VID of 33 letters", "POST", TAPES, tape("V" * 33), 422, "vid"),
    Request("a VID of 10 kB", "POST", TAPES, tape(LONG), 422, "vid"),
    Request("a pool that climbs", "POST", TAPES, tape(pool="../p"), 422, "pool"),
    Request("a state that is none", "POST", TAPES, tape(state="LOST", reason="r"), 422, "state"),
    Request("a tape that begins as pending", "POST", TAPES, tape(state="BROKEN_PENDING", reason="r"), 422, "state"),
    Request("a state without its reason", "POST", TAPES, tape(state="BROKEN"), 422, "reason"),
    Request("a reason with a zero byte", "POST", TAPES, tape(state="BROKEN", reason="a\0b"), 422, "reason"),
    Request("a reason of 10 kB", "POST", TAPES, tape(state="BROKEN", reason=LONG), 422, "reason"),
    Request("a full that is a text", "POST", TAPES, tape(full="yes"), 422, "full"),
    Request("a duplicate key of a tape", "POST", TAPES, '{"vid":"V9","vid":"V8","pool":"p","library":"l"}', 400, "'vid' is there twice"),
    Request("half a tape", "POST", TAPES, '{"vid":"V9","pool":', 400, "not a JSON text"),
    Request("a tape that there is, otherwise", "POST", TAPES, tape("V1", pool="q"), 409, "V1"),
    Request("a tape of a client's", "POST", TAPES, tape(), 403, "role admin", None, "client"),
    Request("a state of no tape", "PUT", TAPES + "/V9/state", {"state": "BROKEN", "reason": "r"}, 404, "no tape V9"),
    Request("a state of a tape that climbs", "PUT", TAPES + "/..%2fV1/state", {"state": "BROKEN", "reason": "r"}, 404, "."),
    Request("a state that nobody knows", "PUT", STATE, {"state": "broken", "reason": "r"}, 422, "state"),
    Request("a state that is a list", "PUT", STATE, {"state": ["BROKEN"], "reason": "r"}, 422, "state"),
    Request("a state that is internal", "PUT", STATE, {"state": "EXPORTED_PENDING", "reason": "r"}, 422, "state"),
    Request("a state without a reason", "PUT", STATE, {"state": "BROKEN", "reason": " \t"}, 422, "reason"),
    Request("a state with force", "PUT", STATE, {"state": "BROKEN", "reason": "r", "force": True}, 422, "force"),
    Request("a state twice", "PUT", STATE, '{"state":"ACTIVE","state":"BROKEN","reason":"r"}', 400, "there twice"),
    Request("a state that is not allowed from here", "PUT", STATE, {"state": "REPACKING_DISABLED", "reason": "r"}, 409, "ACTIVE"),
    Request("a plan for no tape", "GET", TAPES + "/V9/state/plan?state=BROKEN", None, 404, "no tape V9"),
    Request("a plan for no state", "GET", PLAN, None, 422, "state"),
    Request("a plan for an unknown state", "GET", PLAN + "?state=LOST", None, 422, "state"),
    Request("a plan for a pending state", "GET", PLAN + "?state=BROKEN_PENDING", None, 422, "state"),
    Request("a plan for two states", "GET", PLAN + "?state=BROKEN&state=ACTIVE", None, 422, "state"),
    Request("the end of a tape that holds copies", "DELETE", TAPES + "/V1", None, 409, "copies"),
    Request("the end of no tape", "DELETE", TAPES + "/V9", None, 404, "no tape V9"),
    Request("the end of a tape, with a body", "DELETE", TAPES + "/V2", {"force": True}, 422, "force"),
    Request("a page of tapes that is too long", "GET", TAPES + "?limit=100001", None, 422, "limit"),
]

FILE_REQUESTS = [
    Request("a file with an unknown field", "POST", FILES, file(colour="red"), 422, "colour"),
    Request("a file's id that climbs", "POST", FILES, file("../f9"), 422, "id"),
    Request("a file's id with a newline", "POST", FILES, file("f\n9"), 422, "id"),
    Request("a file's id of 10 kB", "POST", FILES, file(LONG), 422, "id"),
    Request("a size below zero", "POST", FILES, file(size=-1), 422, "size"),
    Request("a size that no machine has", "POST", FILES, file(size=HUGE), 422, "size"),
    Request("a size that not every reader keeps exact", "POST", FILES, file(size=2**53), 422, "size"),
    Request("a size in words", "POST", FILES, file(size="12"), 422, "size"),
    Request("no checksum", "POST", FILES, file(checksum=None), 422, "checksum"),
    Request("a checksum that nobody computes", "POST", FILES, file(checksum="md5:" + "0" * 32), 422, "checksum"),
    Request("a checksum that is too short", "POST", FILES, file(checksum="adler32:1"), 422, "checksum"),
    Request("copies that are an object", "POST", FILES, file(copies={"vid": "V1", "fseq": 9}), 422, "copies"),
    Request("a copy that is a text", "POST", FILES, file(copies=["V1:9"]), 422, r"copies\[0\]"),
    Request("a copy with an unknown field", "POST", FILES, file(copies=[{"vid": "V1", "fseq": 9, "block": 1}]), 422, "block"),
    Request("a fSeq below zero", "POST", FILES, file(places=[("V1", -1)]), 422, r"copies\[0\]\.fseq"),
    Request("a fSeq of nothing", "POST", FILES, file(places=[("V1", 0)]), 422, r"copies\[0\]\.fseq"),
    Request("a fSeq that is a fraction", "POST", FILES, file(places=[("V1", 1.5)]), 422, r"copies\[0\]\.fseq"),
    Request("a fSeq that is true", "POST", FILES, file(places=[("V1", True)]), 422, r"copies\[0\]\.fseq"),
    Request("a fSeq that no tape has", "POST", FILES, file(places=[("V1", HUGE)]), 422, r"copies\[0\]\.fseq"),
    Request("two copies on one tape", "POST", FILES, file(places=[("V1", 9), ("V1", 10)]), 422, r"copies\[1\]\.vid"),
    Request("a copy on a tape that is not there", "POST", FILES, file(places=[("V1", 9), ("V8", 1)]), 422, r"copies\[1\]\.vid"),
    Request("a copy on a tape that climbs", "POST", FILES, file(places=[("../V1", 9)]), 422, r"copies\[0\]\.vid"),
    Request("seventeen copies", "POST", FILES, file(places=[(f"V{i}", 9) for i in range(17)]), 422, "copies"),
    Request("a place that is taken", "POST", FILES, file(places=[("V1", 1)]), 409, "f1"),
    Request("a file that there is, otherwise", "POST", FILES, file("f1", size=13), 409, "f1"),
    Request("10,001 files", "POST", FILES, [{}] * 10_001, 422, "10000"),
    Request("copies of no file", "PUT", FILES + "/f9", {"copies": []}, 404, "no file f9"),
    Request("other copies on no tape", "PUT", FILES + "/f1", {"copies": [{"vid": "V8", "fseq": 1}]}, 422, r"copies\[0\]\.vid"),
    Request("a file that is waited for", "DELETE", FILES + "/f1", None, 409, "request"),
    Request("files of a tape that climbs", "GET", FILES + "?vid=..%2fV1", None, 422, "vid"),
    Request("files after what is no place", "GET", FILES + "?vid=V1&after=f1", None, 422, "after"),
]

RETRIEVE_REQUESTS = [
    Request("a request with an unknown field", "POST", RETRIEVES, wanted(vid="V1"), 422, "vid"),
    Request("a request for no file", "POST", RETRIEVES, wanted(file="f8"), 422, "file"),
    Request("a request for a file that climbs", "POST", RETRIEVES, wanted(file="../f1"), 422, "file"),
    Request("a request for a file on no tape", "POST", RETRIEVES, wanted(file="nowhere"), 409, "."),
    Request("a request for a file whose only tape is broken", "POST", RETRIEVES, wanted(file="f3"), 409, "V3 is BROKEN"),
    Request("no destination", "POST", RETRIEVES, {"file": "f1"}, 422, "destination"),
    Request("an empty destination", "POST", RETRIEVES, to(""), 422, "destination"),
    Request("a destination that climbs", "POST", RETRIEVES, to("../x"), 422, "destination"),
    Request("a destination that climbs on its way", "POST", RETRIEVES, to("out/../../x"), 422, "destination"),
    Request("an absolute destination", "POST", RETRIEVES, to("/etc/passwd"), 422, "destination"),
    Request("a destination among the drive's own", "POST", RETRIEVES, to(".drives/x"), 422, "destination"),
    Request("a hidden destination", "POST", RETRIEVES, to("out/.x"), 422, "destination"),
    Request("a destination that is here", "POST", RETRIEVES, to("out/./x"), 422, "destination"),
    Request("a destination that is a directory", "POST", RETRIEVES, to("out/"), 422, "destination"),
    Request("a destination with two slashes", "POST", RETRIEVES, to("out//x"), 422, "destination"),
    Request("a destination with a newline", "POST", RETRIEVES, to("out/a\nb"), 422, "destination"),
    Request("a destination with a zero byte", "POST", RETRIEVES, to("out/a\0b"), 422, "destination"),
    Request("a destination of 10 kB", "POST", RETRIEVES, to("/".join(["x" * 100] * 100)), 422, "destination"),
    Request("a name that no filesystem takes", "POST", RETRIEVES, to("out/" + "x" * 256), 422, "destination"),
    Request("a destination that is a list", "POST", RETRIEVES, to(["out", "x"]), 422, "destination"),
    Request("a report to a file", "POST", RETRIEVES, told("file:///etc/passwd"), 422, "report_to"),
    Request("a report by another protocol", "POST", RETRIEVES, told("gopher://127.0.0.1:25/x"), 422, "report_to"),
    Request("a report to no host", "POST", RETRIEVES, told("http:///x"), 422, "report_to"),
    Request("a report with a password", "POST", RETRIEVES, told("http://user:secret@h/x"), 422, "report_to"),
    Request("a report with a header of its own", "POST", RETRIEVES, told("http://h/x\r\nX: y"), 422, "report_to"),
    Request("a report to a port of nowhere", "POST", RETRIEVES, told("http://h:99999/"), 422, "report_to"),
    Request("a report to a URL of 10 kB", "POST", RETRIEVES, told("http://h/" + LONG), 422, "report_to"),
    Request("a report to a number", "POST", RETRIEVES, told(7), 422, "report_to"),
    Request("a priority that no machine has", "POST", RETRIEVES, wanted(priority=HUGE), 422, "priority"),
    Request("a priority that is a fraction", "POST", RETRIEVES, wanted(priority=0.5), 422, "priority"),
    Request("a policy that there is not", "POST", RETRIEVES, wanted(policy="none"), 422, "policy"),
    Request("a policy that climbs", "POST", RETRIEVES, wanted(policy="../bulk"), 422, "policy"),
    Request("a requester with a newline", "POST", RETRIEVES, wanted(requester="a\nb"), 422, "requester"),
    Request("a requester of 10 kB", "POST", RETRIEVES, wanted(requester=LONG), 422, "requester"),
    Request("a destination twice", "POST", RETRIEVES, '{"file":"f1","destination":"a","destination":"b"}', 400, "there twice"),
    Request("half a request", "POST", RETRIEVES, '[{"file":"f1","destination":"a"},', 400, "not a JSON text"),
    Request("10,001 requests", "POST", RETRIEVES, [wanted()] * 10_001, 422, "10000"),
    Request("a request of a viewer's", "POST", RETRIEVES, wanted(), 403, "role client", None, "viewer"),
    Request("a request that cannot be", "GET", RETRIEVES + "/0-1-1", None, 404, "no such request"),
    Request("a request that is not there", "DELETE", RETRIEVES + "/999-1-1", None, 404, "999-1-1"),
    Request("a cancel with a body", "DELETE", RETRIEVES + "/{queued}", {"force": True}, 422, "force"),
    Request("requests in no state", "GET", RETRIEVES + "?state=lost", None, 422, "state"),
    Request("requests of a tape that climbs", "GET", RETRIEVES + "?vid=..", None, 422, "vid"),
    Request("requests after what is none", "GET", RETRIEVES + "?after=..%2f1", None, 422, "after"),
    Request("another try of what has not failed", "POST", FAILED + "/{queued}/retry", None, 409, "."),
    Request("another try that no tape can serve", "POST", FAILED + "/{failed}/retry", None, 409, "V3 is BROKEN"),
    Request("another try, with a body", "POST", FAILED + "/{failed}/retry", {"tape": "V1"}, 422, "tape"),
    Request("the end of what has not failed", "DELETE", FAILED + "/{queued}", None, 409, "."),
    Request("the end of a failed one by a client", "DELETE", FAILED + "/{failed}", None, 403, "role admin", None, "client"),
    Request("failed ones of a tape that is a path", "GET", FAILED + "?vid=a%2fb", None, 422, "vid"),
]

OTHER_REQUESTS = [
    Request("queues of no type", "GET", "/api/v1/queues?type=lost", None, 422, "type"),
    Request("queues of a tape that climbs", "GET", "/api/v1/queues?vid=..", None, 422, "vid"),
    Request("queues that perhaps are cleaned up", "GET", "/api/v1/queues?cleanup=maybe", None, 422, "cleanup"),
    Request("a drive that is not there", "PUT", "/api/v1/drives/D9", {"desired": "up"}, 404, "no drive D9"),
    Request("a drive sideways", "PUT", DRIVE, {"desired": "sideways"}, 422, "desired"),
    Request("a drive down without a reason", "PUT", DRIVE, {"desired": "down"}, 422, "reason"),
    Request("a drive down for 10 kB of reasons", "PUT", DRIVE, {"desired": "down", "reason": LONG}, 422, "reason"),
    Request("a drive with an unknown field", "PUT", DRIVE, {"desired": "down", "reason": "r", "eject": True}, 422, "eject"),
    Request("a policy called `..`", "PUT", "/api/v1/policies/%2e%2e", {}, 422, "name"),
    Request("a policy's age below zero", "PUT", POLICY, {"min_age_s": -1}, 422, "min_age_s"),
    Request("a policy's age of ages", "PUT", POLICY, {"min_age_s": HUGE}, 422, "min_age_s"),
    Request("a policy's files in words", "PUT", POLICY, {"min_files": "many"}, 422, "min_files"),
    Request("a policy with an unknown field", "PUT", POLICY, {"max_files": 1}, 422, "max_files"),
    Request("the end of a policy that is not there", "DELETE", "/api/v1/policies/none", None, 404, "none"),
    Request("a pass that is none", "POST", RUN, {"passes": ["sweep"]}, 422, "passes"),
    Request("passes that are a text", "POST", RUN, {"passes": "cleanup"}, 422, "passes"),
    Request("a pass that is a number", "POST", RUN, {"passes": [1]}, 422, "passes"),
    Request("more passes than there are", "POST", RUN, {"passes": ["cleanup"] * 1000}, 422, "passes"),
    Request("passes and a budget", "POST", RUN, {"passes": ["cleanup"], "budget": 1}, 422, "budget"),
    Request("passes of a client's", "POST", RUN, {}, 403, "role admin", None, "client"),
    Request("an agent that is not there", "GET", "/api/v1/agents/nobody", None, 404, "no agent nobody"),
    Request("the end of an agent", "DELETE", "/api/v1/agents/nobody", None, 405, "answers"),
]

POST = b"POST /api/v1/retrieves HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
BODY = b'{"file":"f1","destination":"out/x"}'

RAWS = [
    Raw("half a request, then nothing more", [POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY[:20], None], 400, b"partial"),
    Raw("half a chunk of a request", [POST + b"Transfer-Encoding: chunked\r\n\r\n23\r\n" + BODY[:20], None], 400, b"partial"),
    Raw("100 MB of requests", [POST + b"Content-Length: %d\r\n\r\n" % BIG], 413, b"67108864"),
]

REQUESTS = TAPE_REQUESTS + FILE_REQUESTS + RETRIEVE_REQUESTS + OTHER_REQUESTS

TITLES, GOOD = "id,size,checksum,copies\n", "f8,1,adler32:00000001,V1:8\n"
# What an import refuses as a whole. The second line of each but the first three is good.
CSVS = {
    "nothing at all": "", "no titles": GOOD, "titles with blanks": "id, size, checksum, copies\n", "an empty line": "\n",
    "too few fields": "f9,1\n", "too many fields": "f9,1,adler32:00000001,V1:9,x\n", "quotes": '"f9",1,adler32:00000001,V1:9\n',
    "semicolons": "f9;1;adler32:00000001;V1:9\n", "a size below zero": "f9,-1,adler32:00000001,V1:9\n",
    "a size with an exponent": "f9,1e3,adler32:00000001,V1:9\n", "a size of ages": f"f9,{HUGE},adler32:00000001,V1:9\n",
    "no checksum": "f9,1,,V1:9\n", "a place below zero": "f9,1,adler32:00000001,V1:-9\n", "a place of nothing": "f9,1,adler32:00000001,V1:0\n",
    "an id that climbs": "../f9,1,adler32:00000001,V1:9\n", "a zero byte": "f\0009,1,adler32:00000001,V1:9\n",
    "a line of 10 kB": LONG + ",1,adler32:00000001,V1:9\n", "an end in the middle": "f9,1,adl",
}

LINES = [
    Line("a tape that climbs", "tapes add ../V9 --pool p --library l", 2, "VID"),
    Line("a tape with a newline", "tapes|add|V9\nV8|--pool|p|--library|l", 2, "VID"),
    Line("a tape of no pool", "tapes add V9 --library l", 2, "--pool"),
    Line("a state in small letters", "tapes set-state V1 broken --reason r", 2, "STATE"),
    Line("an internal state", "tapes set-state V1 BROKEN_PENDING --reason r", 2, "STATE"),
    Line("a state and no reason", "tapes set-state V1 BROKEN", 1, "reason"),
    Line("a state of an unknown tape", "tapes set-state V9 BROKEN --reason r", 1, "no tape V9"),
    Line("a state that may not follow", "tapes set-state V1 REPACKING_DISABLED --reason r", 1, "ACTIVE"),
    Line("the removal of a tape with copies", "tapes remove V1", 1, "copies"),
    Line("a copy without a place", "files add f9 --size 1 --checksum adler32:00000001 --copy V1", 2, "--copy"),
    Line("a copy at place zero", "files add f9 --size 1 --checksum adler32:00000001 --copy V1:0", 2, "--copy"),
    Line("two copies on V1", "files add f9 --size 1 --checksum adler32:00000001 --copy V1:8 --copy V1:9", 1, r"copies\[1\]\.vid"),
    Line("a copy on no tape", "files add f9 --size 1 --checksum adler32:00000001 --copy V9:1", 1, "no tape V9"),
    Line("a size in the negative", "files add f9 --size -1 --checksum adler32:00000001 --copy V1:9", 2, "--size"),
    Line("an import of nothing there", "files import {dir}/nowhere.csv", 2, "CSV"),
    Line("an import of a directory", "files import {dir}", 2, "CSV"),
    Line("an import of 100 MB of zeros", "files import {dir}/big", 1, "line 1.*nothing was sent"),
    *[Line(f"an import of {what}", f"files|import|{{dir}}/{what}.csv", 1, "line [123].*nothing was sent") for what in CSVS],
    Line("files onto a tape that is not there", "files archive --vid V9 --library dir:{dir}/library {dir}/good", 1, "V9"),
    Line("files onto a tape without a folder", "files archive --vid V2 --library dir:{dir}/library {dir}/good", 1, "V2"),
    Line("files onto a library of another kind", "files archive --vid V1 --library ltfs:{dir}/library {dir}/good", 2, "--library"),
    Line("a directory for a file", "files archive --vid V1 --library dir:{dir}/library {dir}", 1, "is not a regular file"),
    Line("a file whose name is no id", "files archive --vid V1 --library dir:{dir}/library {dir}/a,b", 1, "a,b .*must match"),
    Line("a way out of the buffer", "retrieves submit f1 ../x", 1, "destination"),
    Line("a request for nothing known", "retrieves submit f8 out/x", 1, "file"),
    Line("a priority in words", "retrieves submit f1 out/x --priority high", 2, "--priority"),
    Line("a report to a file, typed", "retrieves submit f1 out/x --report-to file:///x", 1, "report_to"),
    Line("requests from nowhere", "retrieves submit --from {dir}/nowhere", 2, "nowhere"),
    Line("requests from 100 MB of zeros", "retrieves submit --from {dir}/big", 1, "nothing was sent"),
    Line("requests with a broken line", "retrieves submit --from {dir}/requests.csv", 1, "line 3.*nothing was sent"),
    Line("requests that are half JSON", "retrieves submit --from {dir}/requests.json", 1, "line 2.*nothing was sent"),
    Line("a request that climbs", "retrieves show ../tapes", 1, "."),
    Line("queues of type lost", "queues list --type lost", 2, "--type"),
    Line("a drive down for nothing", "drives down D1", 2, "--reason"),
    Line("a drive that nobody has", "drives up D9", 1, "no drive D9"),
    Line("an age without a unit", "policies set bulk --min-age 60", 2, "--min-age"),
    Line("a pass of nobody's", "maintenance run --passes sweep", 2, "--passes"),
    Line("a store that is not there", "store check --store lmdb:{dir}/nowhere", 2, "there is no store"),
    Line("a store that is a file", "store check --store lmdb:{dir}/good", 2, "there is no store"),
    Line("a store that is no LMDB", "store check --store lmdb:{dir}/junk", 1, "junk"),
    Line("an object that climbs", "store show ../server --data {dir}/server", 2, "NAME"),
]

STORES = [
    ("a store of nothing", "lmdb:", 2, "store"),
    ("a store on another engine", "s3://bucket", 2, "lmdb:"),
    ("a store in a file", "lmdb:{dir}/good", 2, "is not a directory"),
    ("a store behind a link", "lmdb:{dir}/link", 2, "symbolic link"),
    ("a store of junk", "lmdb:{dir}/junk", 1, "junk"),
    ("a store where nothing is", "lmdb:{dir}/nowhere/store", 2, "nowhere"),
]

DRIVE_FLAGS = [
    Line("a drive that climbs", "--name ../D1", 2, "--name"),
    Line("a library of another kind", "--library ltfs:{dir}/library", 2, "--library"),
    Line("a library of nothing", "--library dir:", 2, "--library"),
    Line("a buffer that is not there", "--buffer {dir}/nowhere", 2, "--buffer"),
    Line("a buffer that is a file", "--buffer {dir}/good", 2, "--buffer"),
    Line("a heartbeat without a unit", "--agent-heartbeat 1", 2, "--agent-heartbeat"),
    Line("a timeout that is too short to beat in", "--agent-timeout 20ms", 2, "--agent-timeout"),
    Line("data where there is none", "--data {dir}/nowhere", 2, "nowhere"),
    *[Line(f"a drive with {what}", f"--store {store}", code, says) for what, store, code, says in STORES],
]

MAINTENANCE_FLAGS = [
    Line("passes that are none", "--passes sweep", 2, "--passes"),
    Line("an interval without a unit", "--maintenance-interval 10", 2, "--maintenance-interval"),
    Line("a backoff below zero", "--report-backoff -1s", 2, "--report-backoff"),
    Line("no attempts to report", "--max-report-attempts 0", 2, "--max-report-attempts"),
    Line("a retention that overflows", "--done-retention 99999999999999999999h", 2, "--done-retention"),
    Line("passes over data where there is none", "--data {dir}/nowhere", 2, "nowhere"),
    *[Line(f"passes with {what}", f"--store {store}", code, says) for what, store, code, says in STORES],
]

SERVER_FLAGS = [
    Line("a server's backoff without a unit", "--report-backoff 30", 2, "--report-backoff"),
    Line("a server's timeout that is too short to beat in", "--agent-timeout 20ms", 2, "agent-timeout"),
    Line("a server that keeps fewer than none", "--done-max -1", 2, "--done-max"),
    *[Line(f"a server with {what}", f"--store {store}", code, says) for what, store, code, says in STORES],
]

TABLES = (REQUESTS, RAWS, LINES, DRIVE_FLAGS, MAINTENANCE_FLAGS, SERVER_FLAGS)


class ArchiveHostile(bad_input.BadInput):
    """A server that knows tapes, files, a policy, a drive, a request that waits and one that failed, and still just those after every row."""

    def setUp(self):
        super().setUp()
        self.server = harness.Server(self, "--maintenance-interval", "never")
        self.api = self.server.api
        for vid in ("V1", "V2", "V3"):
            self.api.post(TAPES, tape(vid))
        self.api.post(FILES, [file("f1", [("V1", 1), ("V2", 1)]), file("f3", [("V3", 1)]), file("nowhere", [])])
        self.api.put(POLICY, {"min_files": 5})
        self.make_files()
        self.start_a_drive_once()
        self.ids = {what: self.api.post(RETRIEVES, wanted(file=name))["id"] for what, name in (("queued", "f1"), ("failed", "f3"))}
        self.api.put(TAPES + "/V3/state", {"state": "BROKEN", "reason": "torn"})
        for _ in range(2):
            self.api.post(RUN, {})
        self.assertEqual([self.ids["failed"]], [each["id"] for each in self.api.get(FAILED)["failed"]])
        self.begin()

    def make_files(self):
        for name in ("library/V1", "buffer", "junk"):
            (self.directory / name).mkdir(parents=True)
        with open(self.directory / "big", "wb") as big:
            big.truncate(BIG)
        for name in ("good", "a,b"):
            (self.directory / name).write_text("good")
        (self.directory / "link").symlink_to(self.server.data / "store")
        (self.directory / "junk/data.mdb").write_bytes(b"junk" * 5000)
        for number, (what, text) in enumerate(CSVS.items()):
            (self.directory / f"{what}.csv").write_text(text if number < 3 else TITLES + GOOD + text)
        (self.directory / "requests.csv").write_text("file,destination\nf1,out/x\nf1\n")
        (self.directory / "requests.json").write_text('{"file":"f1","destination":"out/x"}\n{"file":"f1",\n')

    def check_client(self, row):
        """What is refused of many is told beside."""
        done = self.client(self.server, *self.words(row))
        self.check_said(row, done.returncode, done.stdout + done.stderr)

    def drive_flags(self):
        return {"--name": "D1", "--library": f"dir:{self.directory}/library", "--buffer": self.directory / "buffer",
                "--data": self.server.data}

    def start_a_drive_once(self):
        drive = self.process("D1", [self.reclaim, "drive", *(word for pair in self.drive_flags().items() for word in pair)])
        drive.start()
        drive.wait_for("ready")
        self.assertEqual(0, drive.end())

    def census(self):
        """All that the server and the store hold, but who lives."""
        rows = {}
        for name in ("tapes", "files", "policies", "drives", "queues", "retrieves", "failed", "events", "tokens"):
            rows[name] = self.api.all(f"/api/v1/{name}", name)
        for queue in rows["queues"]:
            queue.pop("oldest_s")
        objects = json.loads(harness.run(self.reclaim, "store", "list", "--data", self.server.data, "--output", "json"))["objects"]
        rows["store"] = [each for each in objects if each["name"].split("/")[0] in ("queue", "segment", "index", "mount", "damaged")]
        places = [self.directory, self.directory / "library/V1", self.directory / "buffer", self.directory / "buffer/.drives"]
        rows["places"] = [sorted(set(os.listdir(place)) - {"data"}) for place in places]
        return json.dumps(rows, sort_keys=True)

    def check_request(self, row):
        super().check_request(row._replace(path=row.path.format(**self.ids)))

    def check_flags(self, row, command, standard):
        given = [word for flag, value in standard.items() if f"{flag} " not in row.words for word in (flag, value)]
        done = self.run_to_its_end(command, *given, *self.words(row))
        self.check_said(row, done.returncode, done.stderr)

    def check_drive(self, row):
        self.check_flags(row, "drive", self.drive_flags())

    def check_maintenance(self, row):
        self.check_flags(row, "maintenance", {"--data": self.server.data})

    def check_server(self, row):
        doors = {door: "127.0.0.1:0" for door in ("--listen", "--gateway-listen", "--metrics-listen")}
        self.check_flags(row, "server", {"--data": self.directory / "data" / str(SERVER_FLAGS.index(row)), **doors})

    def test_requests(self):
        self.check_all(REQUESTS, self.check_request)

    def test_bytes(self):
        self.check_all(RAWS, self.check_raw)

    def test_the_client(self):
        self.check_all(LINES, self.check_client)

    def test_flags(self):
        checks = ((DRIVE_FLAGS, self.check_drive), (MAINTENANCE_FLAGS, self.check_maintenance), (SERVER_FLAGS, self.check_server))
        self.check_all([(row.what, row, check) for rows, check in checks for row in rows], lambda each: each[2](each[1]))

    def test_of_many_each_is_judged_for_itself(self):
        bad = [to("../x"), wanted(file="f3"), 7, None, [wanted()], wanted(colour="red")]
        answer = self.api.call("POST", RETRIEVES, bad)
        self.assertEqual((422, [422, 409, 422, 422, 422, 422]), (answer.status, [each["error"]["status"] for each in answer.json]))
        self.check_nothing_changed("none of them is one")
        mixed = self.api.post(RETRIEVES, [bad[0], wanted(), *bad[1:]])
        self.assertEqual([1], [i for i, each in enumerate(mixed) if "error" not in each])
        self.api.delete(f"{RETRIEVES}/{mixed[1]['id']}")
        files = [file("../f9"), file("f9", [("V1", 9)]), file("f10", [("V1", 9)]), file("f11", [("V8", 1)])]
        answer = self.api.call("POST", FILES, files)
        self.assertEqual((201, [422, None, 409, 422]), (answer.status, [each.get("error", {}).get("status") for each in answer.json]))


class TableTest(unittest.TestCase):
    def test_the_table_is_as_long_as_promised(self):
        rows = [row.what for table in TABLES for row in table]
        print(f"{len(rows)} bad inputs", flush=True)
        self.assertGreaterEqual(len(rows), ROWS_LEAST)
        self.assertEqual(len(rows), len(set(rows)), "no two are called the same")
        self.assertFalse([what for what in rows if not re.match(r"\w|`", what)])


if __name__ == "__main__":
    harness.main()
