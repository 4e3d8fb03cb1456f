# SPDX-License-Identifier: MIT
"""batch: a folder of good, broken and odd files, with limits, kills, resuming, shards and merging.

usage: test_batch.py PROGRAM FIXTURES [unittest arguments]
"""
import gzip
import json
import os
import random
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

import harness

COMMANDS = "info,ps --where pid<5000,modules,registry hives"
NAMES = ["info", "ps", "modules", "registry hives"]
MUTATED = ["small-windows.raw", "small-windows.dmp-bitmap", "small-windows.elf-sparse",
           "five-level.dmp-live", "five-level.elf-qemu", "small-windows.dmp-triage"]
FIXTURES = None
PARTIAL, FAILED, USAGE = 3, 1, 2
WAIT = 60  # seconds for something that comes at once


def fixture(name):
    return os.path.join(FIXTURES, name)


def batch(*args, **options):
    return harness.run("batch", *args, **options)


def records(path):
    with open(path, "rb") as f:
        return [json.loads(line) for line in f]


def content(path):
    with open(path, "rb") as f:
        return f.read()


def mutate(data, rng):
    """Cut short, or some bytes changed."""
    if rng.random() < 0.3:
        return data[:rng.randrange(1, len(data))]
    data = bytearray(data)
    for _ in range(rng.randrange(1, 9)):
        at = rng.randrange(min(len(data), 0x2100) if rng.random() < 0.6 else len(data))
        data[at] = rng.choice([0, 0xff, 0x7f, 0x80, rng.randrange(256)])
    return bytes(data)


def make_mutated(folder, count, seed):
    rng = random.Random(seed)
    os.makedirs(folder)
    for i in range(count):
        name = MUTATED[i % len(MUTATED)]
        with open(os.path.join(folder, f"{i:03}-{name}"), "wb") as f:
            f.write(mutate(content(fixture(name)), rng))


class Batch(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="batch-")
        self.addCleanup(self.folder.cleanup)
        self.top = os.path.join(self.folder.name, "cases")
        os.makedirs(self.top)

    def out(self, name):
        return os.path.join(self.folder.name, name)

    def path(self, *parts):
        return os.path.join(self.top, *parts)

    def link(self, name, *parts):
        path = self.path(*parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(fixture(name), path)
        return path

    def odd_folder(self):
        """Path of each and what its status is to be; None: no record."""
        small = self.link("small-windows.dmp-bitmap", "b", "small.dmp")
        tiny = self.link("win19041-tiny.raw", "a.raw")
        empty, fifo, sock = self.path("empty"), self.path("b", "fifo"), self.path("b", "socket")
        dangling, text = self.path("dangling"), self.path("text.txt")
        open(empty, "w").close()
        os.mkfifo(fifo)
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(sock)
        os.symlink("nowhere", dangling)
        loop = self.path("b", "loop")
        os.symlink("..", loop)
        with open(text, "w") as f:
            f.write("no snapshot\n")
        raw = os.path.join(os.fsencode(self.top), b"bytes\xff.txt")
        with open(raw, "w") as f:
            f.write("no snapshot either\n")
        expected = {small: ("ok", "partial"), tiny: ("ok", "partial"), empty: ("failed",),
                    fifo: ("failed",), sock: ("failed",), dangling: ("failed",), loop: ("failed",),
                    text: ("failed",), os.fsdecode(raw): ("failed",)}
        if os.geteuid() != 0:
            secret = self.path("secret")
            with open(secret, "w") as f:
                f.write("x")
            os.chmod(secret, 0)
            expected[secret] = ("failed",)
        return expected

    def test_odd_folder(self):
        expected = self.odd_folder()
        out = self.out("one.jsonl")
        one = batch("--no-timing", "-j", 1, "-c", COMMANDS, "-o", out, self.top)
        self.assertEqual(one.status, PARTIAL, one.err)
        rows = records(out)
        paths = [os.fsdecode(bytes.fromhex(r["path_hex"])) if r["path_hex"] else r["path"]
                 for r in rows]
        self.assertEqual(paths, sorted(expected, key=os.fsencode))
        for path, row in zip(paths, rows):
            self.assertIn(row["status"], expected[path], row)
            self.assertEqual(list(row)[-len(NAMES):], NAMES)
            self.assertEqual(row["error"] is None, row["status"] != "failed", row["error"])
            self.assertIsNone(row["seconds"])
        by_path = dict(zip(paths, rows))
        self.assertEqual(by_path[self.path("b", "fifo")]["error"], "a pipe, not a file")
        self.assertEqual(by_path[self.path("empty")]["exit_reason"], "not started")
        self.assertIn("no Windows kernel", by_path[self.path("text.txt")]["error"])
        self.check_same_as_alone(by_path[self.path("a.raw")])
        two = self.out("two.jsonl")
        batch("--no-timing", "-j", 2, "-c", COMMANDS, "-o", two, self.top)
        self.assertEqual(content(out), content(two))
        printed = batch("--no-timing", "-j", 3, "-c", COMMANDS, self.top)
        self.assertEqual(printed.out, content(out).decode())

    def check_same_as_alone(self, record):
        path = record["path"]
        self.assertEqual(record["info"], harness.run("info", "--format", "json", path).json())
        self.assertEqual(record["ps"], harness.run("ps", "--where", "pid<5000", "--format",
                                                   "json", path).json())
        self.assertEqual(record["registry hives"],
                         harness.run("registry", "hives", "--format", "json", path).json())

    def test_mutated_copies(self):
        make_mutated(self.path("m"), 60, 5)
        out = self.out("out.jsonl")
        done = batch("--no-timing", "-q", "-o", out, self.top)
        rows = records(out)
        self.assertEqual(len(rows), 60, done.err)
        self.assertEqual({r["path"] for r in rows},
                         {self.path("m", name) for name in os.listdir(self.path("m"))})
        for row in rows:
            self.assertIn(row["status"], ("ok", "partial", "failed"), row)
        again = self.out("again.jsonl")
        batch("--no-timing", "-q", "-j", 1, "-o", again, self.top)
        self.assertEqual(content(out), content(again))

    def start(self, *args):
        run = subprocess.Popen([harness.PROGRAM, "batch", *map(str, args)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "XDG_CACHE_HOME": "/dev/null"})
        self.addCleanup(run.stderr.close)
        return run

    def workers(self, run):
        with open(f"/proc/{run.pid}/task/{run.pid}/children") as f:
            return [int(pid) for pid in f.read().split()]

    def wait_until(self, what):
        end = time.monotonic() + WAIT
        while not what():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.005)

    def slow(self):
        """A snapshot that takes long to say that it holds nothing."""
        member = gzip.compress(bytes(64 << 20), 1)
        path = self.path("slow.gz")
        with open(path, "wb") as f:
            for _ in range(400):
                f.write(member)
        return path

    def test_timeout_and_crash(self):
        self.slow()
        self.link("small-windows.raw", "z.raw")
        out = self.out("out.jsonl")
        done = batch("-j", 2, "-o", out, "--timeout", "0.5", self.top)
        self.assertEqual(done.status, PARTIAL, done.err)
        slow, after = records(out)
        self.assertEqual((slow["status"], slow["exit_reason"]), ("timeout", "timeout"))
        self.assertGreaterEqual(slow["seconds"], 0.5)
        self.assertIsNone(slow["ps"])
        self.assertIn(after["status"], ("ok", "partial"))
        run = self.start("-j", 1, "--force", "-o", out, self.top)
        self.wait_until(lambda: self.workers(run))
        os.kill(self.workers(run)[0], signal.SIGABRT)
        self.assertEqual(run.wait(WAIT), PARTIAL)
        slow, after = records(out)
        self.assertEqual((slow["status"], slow["exit_reason"]), ("crashed", "signal SIGABRT"))
        self.assertIn(after["status"], ("ok", "partial"))

    def test_stopped(self):
        self.slow()
        self.link("small-windows.raw", "a.raw")
        out = self.out("out.jsonl")
        for number, status in ((signal.SIGTERM, FAILED), (signal.SIGKILL, -signal.SIGKILL)):
            run = self.start("-j", 1, "--force", "-o", out, self.top)
            self.wait_until(lambda: os.path.exists(out) and b"\n" in content(out) and
                            self.workers(run))
            worker, = self.workers(run)
            run.send_signal(number)
            self.assertEqual(run.wait(WAIT), status)
            self.wait_until(lambda: not is_running(worker))
            self.assertEqual([r["path"] for r in records(out)], [self.path("a.raw")])

    def test_kill_and_resume(self):
        for i in range(40):
            self.link("win19041-tiny.raw" if i % 4 else "small-windows.dmp-bitmap",
                      f"{i:02}.raw")
        whole = self.out("whole.jsonl")
        args = ("--no-timing", "-j", 2, "-c", COMMANDS, self.top)
        batch("-o", whole, *args)
        out, base = self.out("out.jsonl"), self.out("out.sqlite")
        for path in (out, base):
            run = self.start("-o", path, *args)
            self.wait_until(lambda: run.poll() is not None or count_records(path) > 3)
            run.kill()
            run.wait(WAIT)
        with open(out, "ab") as f:  # as if the machine had stopped within a line
            f.write(content(whole)[len(content(out)):][:1000])
        done = batch("--resume", "-o", out, *args)
        self.assertEqual(content(out), content(whole), done.err)
        self.assertIn("were done before", done.err)
        batch("--resume", "-o", base, *args)
        other = self.out("other.sqlite")
        batch("-o", other, *args)
        self.assertEqual(dump(base), dump(other))
        # what is finished is not run again
        rows = batch("--resume", "--format", "json", "-o", out, *args)
        self.assertEqual(rows.json(), [])

    def test_resume_refuses(self):
        self.link("small-windows.raw", "a.raw")
        self.link("small-windows.raw", "b.raw")
        for name in ("out.jsonl", "out.sqlite"):
            out = self.out(name)
            batch("-c", "info", "-o", out, self.top)
            before = content(out)
            done = batch("-c", "info", "-o", out, self.top)
            self.assertEqual(done.status, USAGE)
            self.assertIn("--resume goes on", done.err)
            done = batch("-c", "info,ps", "--resume", "-o", out, self.top)
            self.assertEqual(done.status, USAGE)
            self.assertIn("made by another batch", done.err)
            done = batch("-c", "info", "--resume", "-o", out, self.path("b.raw"))
            self.assertIn("files came, went or were changed", done.err)
            self.assertEqual(content(out), before)

    def test_older_schema_is_refused(self):
        self.link("small-windows.raw", "a.raw")
        out, base = self.out("out.jsonl"), self.out("out.sqlite")
        batch("-o", out, self.top)
        older = content(out).replace(b'"version": 1', b'"version": 0', 1)
        with open(out, "wb") as f:
            f.write(older)
        batch("-o", base, self.top)
        with sqlite3.connect(base) as db:
            db.execute("PRAGMA user_version = 7")
        db.close()
        for path, version in ((out, 0), (base, 7)):
            before = content(path)
            done = batch("--resume", "-o", path, self.top)
            self.assertEqual(done.status, FAILED)
            self.assertIn(f"version {version} of the schema, expected version 1", done.err)
            self.assertEqual(content(path), before)
        done = batch("--merge", "-o", self.out("merged.jsonl"), out)
        self.assertIn("version 0 of the schema", done.err)
        self.assertFalse(os.path.exists(self.out("merged.jsonl")))
        foreign = self.out("foreign.txt")
        with open(foreign, "w") as f:
            f.write("my notes\n")
        done = batch("--resume", "-o", foreign, self.top)
        self.assertIn("not a record", done.err)
        self.assertEqual(content(foreign), b"my notes\n")

    def test_limit_of_memory(self):
        """A limit that is lower than batch's own stays, so that a small file can meet it."""
        if b"__asan_init" in content(harness.PROGRAM):
            self.skipTest("AddressSanitizer has memory of its own")
        big, out = self.path("a.raw.xz"), self.out("out.jsonl")
        os.symlink(os.path.join(harness.TOP, "testdata", "win19041-tiny.raw.xz"), big)
        self.link("small-windows.raw", "b.raw")
        limit = 16 << 20  # less than the decoder's dictionary
        subprocess.run([harness.PROGRAM, "batch", "-c", "info", "-o", out, self.top],
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
                       env={**os.environ, "XDG_CACHE_HOME": "/dev/null"}, timeout=WAIT,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        row, after = records(out)
        self.assertEqual((row["status"], row["exit_reason"]), ("failed", "memory limit"), row)
        self.assertIn(after["status"], ("ok", "partial"))

    def test_limit_of_output(self):
        self.link("win19041-tiny.raw", "a.raw")
        whole, out = self.out("whole.jsonl"), self.out("out.jsonl")
        batch("-c", "ps,handles,modules,info", "-o", whole, self.top)
        batch("-c", "ps,handles,modules,info", "-o", out, "--max-output", "40K", self.top)
        (all_rows,), (row,) = records(whole), records(out)
        self.assertEqual((row["status"], row["exit_reason"]), ("failed", "output limit"))
        self.assertEqual(row["ps"], all_rows["ps"])
        some = len(row["handles"])
        self.assertTrue(0 < some < len(all_rows["handles"]))
        self.assertEqual(row["handles"], all_rows["handles"][:some])
        self.assertEqual((row["modules"], row["info"]), (None, None))
        self.assertEqual(list(row["errors"]), ["handles", "modules", "info"])

    def test_sqlite(self):
        self.odd_folder()
        base, out = self.out("out.sqlite"), self.out("out.jsonl")
        args = ("--no-timing", "-c", COMMANDS, self.top)
        batch("-o", base, *args)
        batch("-o", out, *args)
        rows = records(out)
        db = sqlite3.connect(base)
        self.addCleanup(db.close)
        self.assertEqual(db.execute("PRAGMA user_version").fetchone(), (1,))
        self.assertEqual(db.execute("SELECT path, status, error FROM snapshots ORDER BY id")
                         .fetchall(), [(r["path"], r["status"], r["error"]) for r in rows])
        self.assertEqual(db.execute("SELECT eprocess, name, wow64 FROM ps ORDER BY snapshot_id, "
                                    "row_number").fetchall(),
                         [(f"0x{int(p['eprocess'], 16):016x}", p["name"], p["wow64"])
                          for r in rows for p in r["ps"] or []])
        self.assertEqual(db.execute("SELECT count(*) FROM messages").fetchone()[0],
                         sum(len(r["messages"]) for r in rows))
        self.assertEqual(db.execute("SELECT command, error FROM errors ORDER BY snapshot_id, "
                                    "row_number").fetchall(),
                         [e for r in rows for e in r["errors"].items()])
        schema = sqlite3.connect(":memory:")
        schema.executescript(batch("--schema").out)
        self.assertEqual(tables(db), {n: sql for n, sql in tables(schema).items()
                                      if n in tables(db)})
        schema.close()

    def test_shards_and_merge(self):
        self.odd_folder()
        make_mutated(self.path("m"), 12, 9)
        args = ("--no-timing", "-q", "-c", COMMANDS)
        whole, merged = self.out("whole.jsonl"), self.out("merged.jsonl")
        batch(*args, "-o", whole, self.top)
        shards = [self.out(f"{i}.jsonl") for i in (1, 2, 3)]
        for i, path in enumerate(shards, 1):
            batch(*args, "--shard", f"{i}/3", "-o", path, self.top)
            self.assertTrue(records(path))
        self.assertEqual(sum(len(records(path)) for path in shards), len(records(whole)))
        self.assertEqual(batch("--merge", "-o", merged, *reversed(shards)).status, 0)
        self.assertEqual(content(merged), content(whole))
        base, other = self.out("merged.sqlite"), self.out("whole.sqlite")
        batch("--merge", "-o", base, *shards)
        batch(*args, "-o", other, self.top)
        self.assertEqual(dump(base), dump(other))
        done = batch("--merge", "--force", "-o", merged, shards[0], shards[0])
        self.assertEqual(done.status, USAGE)
        self.assertIn("both have", done.err)

    def test_list(self):
        a, b = self.link("small-windows.raw", "a b.raw"), self.link("small-windows.raw", "b.raw")
        listed = batch("-c", "info", "--list", "-", stdin=f"{b}\n{a}\n{b}\n")
        self.assertEqual([json.loads(line)["path"] for line in listed.out.splitlines()], [a, b])
        listed = batch("-c", "info", "--list", "-", stdin=f"{b}\0{a}\0")
        self.assertEqual(len(listed.out.splitlines()), 2)

    def test_usage(self):
        for words, message in ((["-c", "nosuch", "x"], "unknown command 'nosuch'"),
                               (["-c", "batch", "x"], "gives no rows"),
                               (["-c", "convert", "x"], "gives no rows"),
                               (["-c", "ps --columns pid", "x"], "--columns is for the whole"),
                               (["-c", "ps,,info", "x"], "missing in the list"),
                               (["-c", "ps", "-c", "ps", "x"], "there twice"),
                               (["--shard", "0/3", "x"], "not I/N"),
                               (["--timeout", "0", "x"], "not a number of seconds"),
                               (["--resume", "x"], "needs -o"),
                               ([], "which files")):
            done = batch(*words)
            self.assertEqual(done.status, USAGE, words)
            self.assertIn(message, done.err)


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def count_records(path):
    if not os.path.exists(path):
        return 0
    if not path.endswith(".sqlite"):
        return content(path).count(b"\n")
    db = sqlite3.connect(path)
    try:
        return db.execute("SELECT count(*) FROM snapshots").fetchone()[0]
    except sqlite3.OperationalError:
        return 0
    finally:
        db.close()


def tables(db):
    return dict(db.execute("SELECT name, replace(sql, 'IF NOT EXISTS ', '') FROM sqlite_master "
                           "WHERE type = 'table'"))


def dump(path):
    db = sqlite3.connect(path)
    try:
        return list(db.iterdump())
    finally:
        db.close()


if __name__ == "__main__":
    harness.PROGRAM = os.path.abspath(sys.argv.pop(1))
    FIXTURES = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
