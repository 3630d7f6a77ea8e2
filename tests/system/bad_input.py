"""What tables of bad input stand on: what a row is, what must come back, and that nothing changed."""
import collections
import concurrent.futures
import hashlib
import json
import os
import socket
import stat
import subprocess
import time

import harness

BIG = 100 << 20

# What goes in: method, path, body, headers. What comes back: status and words of the problem, a regular expression.
Request = collections.namedtuple("Request", "what method path body status words headers token", defaults=(None, None))
# The same as bytes on the wire; status None: the connection is ended without an answer.
Raw = collections.namedtuple("Raw", "what pieces status words")
# A command line, or what is in a file: exit code and words on stderr.
Line = collections.namedtuple("Line", "what words code says")


def tree(directory):
    """Every path below, what it is, and what is in it."""
    found = {}
    for path, directories, files in os.walk(os.fsencode(directory)):
        for name in directories + files:
            one = os.path.join(path, name)
            about = os.lstat(one)
            content = b""
            if stat.S_ISLNK(about.st_mode):
                content = os.readlink(one)
            elif stat.S_ISREG(about.st_mode):
                with open(one, "rb") as file:
                    content = file.read()
            found[one] = (stat.S_IFMT(about.st_mode), hashlib.sha256(content).hexdigest())
    return found


class BadInput(harness.ClientStory):
    """self.server must hold after every row just what it held when begin() was called: census() says what that is."""

    def census(self):
        raise NotImplementedError

    def begin(self):
        self.tokens = {role: self.server.token(role) for role in ("viewer", "client", "gateway")}
        self.before = self.census()

    def check_nothing_changed(self, what):
        self.assertEqual(self.before, self.census(), what)

    def check_all(self, rows, check):
        """The rows that wait for a time-out wait together."""
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            failures = [failure for failure in pool.map(lambda row: self.failure_of(check, row), rows) if failure]
        self.say(f"{len(rows)} rows")
        self.assertEqual([], failures, "\n" + "\n".join(failures))
        self.check_nothing_changed("after all of them")
        self.assertEqual(200, self.api.call("GET", "/readyz").status)

    def failure_of(self, check, row):
        try:
            check(row)
        except (AssertionError, OSError, ValueError, subprocess.TimeoutExpired) as failure:
            return f"{row[0]}: {failure!r}"[:600]
        return None

    def check_request(self, row):
        headers = {"Authorization": f"Bearer {self.tokens[row.token] if row.token else self.api.token}", **(row.headers or {})}
        answer = harness.Api(self.server.url).call(row.method, row.path, row.body, headers)
        self.assertEqual(row.status, answer.status, answer.body[:300])
        problem = answer.json
        self.assertEqual(("application/problem+json", row.status), (answer.headers["Content-Type"], problem["status"]))
        self.assertRegex(json.dumps(problem, ensure_ascii=False), row.words)
        self.assertLess(len(answer.body), 2000, "no problem echoes what it is about")

    def check_raw(self, row):
        check_raw_bytes(self, self.server.url.removeprefix("http://"), row, self.api.token.encode())

    def words(self, row):
        separator = "|" if "|" in row.words else None
        return [word.replace("{dir}", str(self.directory)) for word in row.words.split(separator)]

    def check_client(self, row):
        done = self.client(self.server, *self.words(row))
        self.check_said(row, done.returncode, done.stderr)
        self.assertEqual("", done.stdout)

    def check_said(self, row, code, said):
        self.assertEqual(row.code, code, said[-400:])
        self.assertRegex(said, row.says.replace("{dir}", str(self.directory)))
        self.assertLess(len(said), 1500)

    def run_to_its_end(self, *words):
        command = [self.reclaim, *map(str, words)]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=20, cwd=self.directory)


def check_raw_bytes(story, address, row, token=b""):
    """Pieces are bytes to send, seconds to wait, or None: no more is sent."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), 30) as end:
        try:
            for piece in row.pieces:
                if piece is None:
                    end.shutdown(socket.SHUT_WR)
                elif isinstance(piece, bytes):
                    end.sendall(piece.replace(b"{token}", token))
                else:
                    time.sleep(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has been refused before its end
        heard = b""
        try:
            while piece := end.recv(65536):
                heard += piece
                if row.status is not None and b"\r\n\r\n" in heard and heard.rstrip().endswith(b"}"):
                    break
        except ConnectionResetError:
            pass
    if row.status is None:
        story.assertNotIn(b"HTTP/", heard)
        return
    story.assertRegex(heard[:20], rb"HTTP/1.1 %d " % row.status, heard[:300])
    story.assertRegex(heard, row.words)
