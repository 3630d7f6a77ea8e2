"""What every story stands on: a directory of its own, real processes that end with it, waits that have a deadline.

A story is a unittest file that is run as `story_test.py PATH/TO/reclaim`. Whatever becomes of it, nothing of it stays: processes die
with the one that started them, and sweep.py removes the rest.
"""
import collections
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
READY = re.compile(r"ready: API on (http://\S+), gateway on (\S+) \((SHA256:[^)]+)\), metrics on (http://\S+)")
DONE, FAILED, USAGE, TEMPORARY = 0, 1, 2, 3  # exit codes of the client
GATEWAY_READY = re.compile(r"gateway on (\S+) \((SHA256:[^)]+)\) for ")


def wait_until(condition, seconds, what):
    """The first answer of `condition` that is neither None nor False; after `seconds` the story fails and says `what` it waited for."""
    end = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() >= end:
            explanation = what() if callable(what) else what
            raise AssertionError(f"waited {seconds} s in vain: {explanation}")
        time.sleep(0.02)


def run(*argv):
    """A program that must succeed; what it wrote."""
    words = [str(word) for word in argv]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: exit {done.returncode}: {done.stderr}{done.stdout}")
    return done.stdout


def is_sanitized(program):
    """Built with a sanitizer: its memory and speed are not the program's own."""
    return re.search(r"lib[at]san", run("ldd", program)) is not None


class Process:
    """A program that can be killed and started again. Its output goes to one file, start after start."""

    def __init__(self, name, argv, log):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.log = pathlib.Path(log)
        self.log_start = 0
        self.process = None

    def start(self):
        self.log_start = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as log:
            # The program dies with the thread that starts it.
            command = ["setpriv", "--pdeathsig", "KILL", "--", *self.argv]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        self.end(signal.SIGKILL, 10)

    def end(self, signal_number=signal.SIGTERM, seconds=10):
        """The exit code; minus the signal for one that ended by it."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal_number)
        return self.process.wait(seconds)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def output(self):
        """Since its last start."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(self.log_start)
            return log.read()

    def wait_for(self, pattern, seconds=20):
        def found():
            match = re.search(pattern, self.output())
            if match is None and not self.is_running():
                raise AssertionError(f"{self.name} ended with {self.process.returncode}: {self.output()[-2000:]}")
            return match

        return wait_until(found, seconds, lambda: f"{self.name} to say {pattern!r}: {self.output()[-2000:]}")

    def metrics(self):
        """Of one that was started with --metrics-listen."""
        return scrape(self.wait_for(r"metrics on (http://\S+)")[1])


def scrape(url):
    """{'reclaim_workers{state="running"}': 2.0, ...}; None when there is no room for who asks."""
    answer = Api(url).call("GET", "/metrics")
    if answer.status == 503:
        return None
    lines = [line for line in answer.body.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


class Answer(collections.namedtuple("Answer", "status body headers")):
    @property
    def json(self):
        return json.loads(self.body)


class Refused(AssertionError):
    def __init__(self, call, answer):
        super().__init__(f"{call} -> {answer.status}: {answer.body[:500]}")
        self.status = answer.status


class Api:
    """The HTTP API, with one token. call() gives any answer; get, put, post and delete give the JSON of a 2xx and raise otherwise."""

    def __init__(self, url, token=None, seconds=60):
        self.address = urllib.parse.urlsplit(url)
        self.token = token
        self.seconds = seconds

    def call(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=self.seconds)
        try:
            sent = dict(headers or {})
            if self.token is not None:
                sent["Authorization"] = f"Bearer {self.token}"
            text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
            connection.request(method, path, text, sent)
            response = connection.getresponse()
            return Answer(response.status, response.read().decode(), dict(response.getheaders()))
        finally:
            connection.close()

    def must(self, method, path, body=None):
        answer = self.call(method, path, body)
        if not 200 <= answer.status < 300:
            raise Refused(f"{method} {path}", answer)
        return answer.json

    def get(self, path):
        return self.must("GET", path)

    def put(self, path, body=None):
        return self.must("PUT", path, {} if body is None else body)

    def post(self, path, body=None):
        return self.must("POST", path, body)

    def delete(self, path):
        return self.must("DELETE", path)

    def all(self, path, key):
        """Every item of a list, page by page."""
        items, after = [], None
        while True:
            separator = "&" if "?" in path else "?"
            page = self.get(path + separator + "limit=10000" + ("" if after is None else f"&after={urllib.parse.quote(str(after))}"))
            items += page[key]
            after = page.get("next")
            if after is None:
                return items


class Server:
    """`reclaim server`. It takes free ports at its first start and the same ones at every later start."""

    def __init__(self, story, *flags, database=None, name="server", through=()):
        """`through`: a program, with its first arguments, that runs it."""
        self.data = story.directory / name
        fixed = ["--data", self.data, *flags] + (["--database", database] if database else [])
        self.doors = ["--listen", "--gateway-listen", "--metrics-listen"]
        self.fixed = [*through, story.reclaim, "server", *fixed]
        self.process = story.process(name, self.fixed + [word for door in self.doors for word in (door, "127.0.0.1:0")])
        self.start()

    def start(self):
        self.process.start()
        self.url, self.gateway, self.fingerprint, self.metrics_url = self.process.wait_for(READY, 30).groups()
        addresses = [urllib.parse.urlsplit(self.url).netloc, self.gateway, urllib.parse.urlsplit(self.metrics_url).netloc]
        self.process.argv = [str(word) for word in self.fixed + [word for pair in zip(self.doors, addresses) for word in pair]]

    @property
    def token_file(self):
        return self.data / "admin.token"

    @property
    def api(self):
        return Api(self.url, self.token_file.read_text().strip())

    def token(self, role):
        return self.api.post("/api/v1/tokens", {"role": role, "name": role})["token"]

    def wait_for_first_sync(self, worker):
        """What is on a worker at first contact is held for the operator; from then on it is judged by the rules."""
        synced = lambda: self.api.get(f"/api/v1/workers/{worker}")["last_sync_age_s"] is not None
        wait_until(synced, 30, f"the first sync of {worker}")

    def metrics(self):
        return scrape(self.metrics_url)


def unaccounted(server):
    """Of the archive's requests, by the metric; a server counts them when it starts, and not often."""
    name = 'reclaim_unaccounted{plane="archive"}'
    wait_until(lambda: name in server.metrics(), 30, "the archive's ledger")
    return server.metrics()[name]


class Postgres:
    """A PostgreSQL of the story's own, reached through a socket in its directory."""

    def __init__(self, story, *settings):
        self.directory = story.directory / "postgres"
        self.directory.mkdir()
        run("chown", "postgres:", self.directory)
        binaries = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
        self.data = self.directory / "data"
        self.log = self.directory / "log"
        self.run(binaries / "initdb", "-D", self.data, "-A", "trust", "-U", "reclaim", "-N", "-E", "UTF8", "--locale=C.UTF-8")
        options = f"-k {self.directory} -c listen_addresses='' -c fsync=off -c max_connections=200 " + " ".join(f"-c {s}" for s in settings)
        self.run(binaries / "pg_ctl", "-D", self.data, "-s", "-w", "-l", self.log, "-o", options, "start")

    def run(self, *argv):
        # To a file, not to pipes: the server that pg_ctl leaves behind would keep them open.
        with open(self.directory / "setup.log", "ab") as log:
            command = [*self.as_postgres, *map(str, argv)]
            subprocess.run(command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=True)

    def url(self, database="postgres"):
        return f"postgres://reclaim@/{database}?host={self.directory}"

    def query(self, sql):
        return run("psql", "-X", "-A", "-t", "-d", self.url(), "-c", sql)


@contextlib.contextmanager
def private_ceph(story, objectstore="memstore"):
    """A Ceph of the story's own, with the pool `reclaim`; gone at the end of the block, or with the story if that dies. `memstore`
    forgets all when its OSD ends, `bluestore` does not and takes some seconds to start."""
    directory = story.directory / "ceph"
    command = [str(HERE.parent / "support/ceph.sh"), str(directory), objectstore]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True) as keeper:
        if keeper.stdout.readline() != "ready\n":
            raise AssertionError("the private Ceph does not start")
        yield Ceph(directory)
        keeper.stdin.close()
        keeper.wait(60)


class Ceph:
    def __init__(self, directory):
        self.conf = directory / "ceph.conf"

    def address(self, namespace="reclaim"):
        """As --store takes it."""
        return f"rados://reclaim/{namespace}?conf={self.conf}"

    def rados(self, *words):
        """The program `rados` on the pool."""
        return run("rados", "-c", self.conf, "-p", "reclaim", *words)


class World:
    """A directory, the processes in it, and the promise that nothing of it stays."""

    reclaim = "reclaim"
    # Where whoever runs many stories wants their figures, and the logs of one that failed (soak.py).
    results = pathlib.Path(os.environ["RECLAIM_STORY_RESULTS"]) if "RECLAIM_STORY_RESULTS" in os.environ else None

    def open_world(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="reclaim-story-", dir="/tmp"))
        self.directory.chmod(0o711)  # PostgreSQL runs as somebody else
        self.prefix = f"t{os.urandom(4).hex()}-"
        (self.directory / "prefix").write_text(self.prefix)
        self.processes = []
        sweep = [sys.executable, str(HERE / "sweep.py"), str(self.directory)]
        self.sweeper = subprocess.Popen(sweep, stdin=subprocess.PIPE, start_new_session=True)

    def close_world(self):
        for process in self.processes:
            if process.is_running():
                process.kill()
        self.sweeper.stdin.close()
        self.sweeper.wait(120)

    def show_logs(self):
        for process in self.processes:
            if self.results is not None and process.log.exists():
                shutil.copy(process.log, self.results / process.log.name)
            print(f"--- the end of {process.name}'s log", file=sys.stderr)
            if process.log.exists():
                print("\n".join(process.log.read_text(errors="replace").splitlines()[-40:]), file=sys.stderr)

    def process(self, name, argv):
        process = Process(name, argv, self.directory / f"{name}.log")
        self.processes.append(process)
        return process

    def key(self, name):
        """The path of a new private key; its public one is beside it."""
        path = self.directory / f"{name}.key"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path)
        return path

    def enroll(self, server, name, **more):
        """A worker that the server knows by a new key; the key's path."""
        key = self.key(name)
        server.api.put(f"/api/v1/workers/{name}", {"keys": [public_key(key)], **more})
        return key

    def client(self, server, *words, token_file=None):
        """`reclaim WORDS...` as an operator runs it."""
        environment = {**os.environ, "RECLAIM_SERVER": server.url, "RECLAIM_TOKEN_FILE": str(token_file or server.token_file)}
        command = [self.reclaim, *map(str, words)]
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)


class Story(World, unittest.TestCase):
    """A test case in a world of its own, with one random generator whose seed is printed."""

    seed = None

    def setUp(self):
        self.open_world()
        self.addCleanup(self.end)
        seed = Story.seed if Story.seed is not None else random.SystemRandom().randrange(1_000_000)
        self.random = random.Random(seed)
        self.say(f"seed {seed}")

    def end(self):
        result = self._outcome.result
        if any(case is self for case, _ in result.failures + result.errors):
            self.show_logs()
        self.close_world()

    def say(self, text):
        print(f"{self.id().split('.', 1)[-1]}: {text}", flush=True)

    def record(self, **figures):
        if self.results is not None:
            (self.results / "figures.json").write_text(json.dumps(figures))


class ClientStory(Story):
    """A story with a self.server at which an operator types."""

    def do(self, *words, code=DONE, **more):
        """The standard output of a command that must end with `code`; self.error is what it said of what went wrong, in one line."""
        done = self.client(self.server, *words, **more)
        self.assertEqual(code, done.returncode, f"{words}: {done.stderr}{done.stdout}")
        self.assertRegex(done.stderr, r"\A\Z" if code == DONE else r"\Areclaim: [^\n]+\n\Z")
        self.error = done.stderr
        return done.stdout

    def json(self, *words, **more):
        return json.loads(self.do(*words, "--output", "json", **more))


def public_key(key):
    return " ".join(pathlib.Path(f"{key}.pub").read_text().split()[:2])


def engines(story):
    """Makes two cases out of each story_NAME(self, postgres): test_NAME_on_sqlite gets None, test_NAME_on_postgres a Postgres."""
    for name in [name for name in dir(story) if name.startswith("story_")]:
        tell = getattr(story, name)

        def on_sqlite(self, tell=tell):
            tell(self, None)

        def on_postgres(self, tell=tell):
            tell(self, Postgres(self))

        setattr(story, name.replace("story_", "test_") + "_on_sqlite", on_sqlite)
        setattr(story, name.replace("story_", "test_") + "_on_postgres", on_postgres)
    return story


class Together:
    """A runner for stories that mostly wait: several at the same time, each told as a whole when it is over."""

    def __init__(self, at_once):
        self.at_once = at_once

    def run(self, suite):
        began = time.monotonic()
        whole = unittest.TestResult()
        with concurrent.futures.ThreadPoolExecutor(self.at_once) as pool:
            for result in pool.map(self.run_case, cases_of(suite)):
                whole.testsRun += result.testsRun
                whole.failures += result.failures
                whole.errors += result.errors
        print(f"Ran {whole.testsRun} tests in {time.monotonic() - began:.3f}s\n\n{'OK' if whole.wasSuccessful() else 'FAILED'}", flush=True)
        return whole

    def run_case(self, case):
        result = unittest.TestResult()
        case.run(result)
        told = [f"{case.id()} ... {'ok' if result.wasSuccessful() else 'FAILED'}", *(text for _, text in result.failures + result.errors)]
        print("\n".join(told), flush=True)
        return result


def cases_of(suite):
    return [case for part in suite for case in (cases_of(part) if isinstance(part, unittest.TestSuite) else [part])]


def main(at_once=1):
    """story_test.py PATH/TO/reclaim [--seed N] [unittest arguments]; `at_once`: how many of its stories run at the same time."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0].startswith("-"):
        sys.exit(f"usage: {sys.argv[0]} PATH/TO/reclaim [--seed N] [unittest arguments]")
    World.reclaim = str(pathlib.Path(arguments.pop(0)).resolve())
    if "--seed" in arguments:
        at = arguments.index("--seed")
        Story.seed = int(arguments[at + 1])
        del arguments[at:at + 2]
    if os.geteuid() != 0:
        print("skipped: real containers and mounts need root")
        sys.exit(77)
    # A terminated story still cleans up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    socket.setdefaulttimeout(60)
    unittest.main(argv=[sys.argv[0], *arguments], verbosity=2, testRunner=None if at_once == 1 else Together(at_once))
