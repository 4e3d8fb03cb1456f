# SPDX-License-Identifier: MIT
"""The time line against what is known of the machines, and the formats for other tools.

mactime (The Sleuth Kit), where it is installed, reads the body file. What Timesketch asks of a
line is checked as its importer does: the fields that must be there, and a date that Python reads.
"""
import csv
import datetime
import io
import json
import shutil
import subprocess
import unittest

from harness import address, filetime, image, machine, machine_truth, main, run

MACHINES = ("win7601-tiny", "win9600-tiny", "win19041-tiny", "win22000-tiny")
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
ALL_KINDS = ("link", "boot", "session_start", "process_start", "thread_start", "dll_load",
             "symlink_create", "registry_write", "driver_unload", "thread_exit", "process_exit",
             "bugcheck", "capture", "timer_due", "token_expiry")


def timeline(path, *options):
    result = run("timeline", *options, "--format", "json", path)
    return result.json()


def process_events(truth, hidden):
    """(time, kind, name, pid, object) of processes; HIDDEN: also what only a scan finds."""
    for p in truth["processes"]:
        if hidden or p["listed"]:
            yield filetime(p["ctime"]), "process_start", p["name"], p["pid"], address(p["va"])
            if p["etime"]:
                yield filetime(p["etime"]), "process_exit", p["name"], p["pid"], address(p["va"])


def thread_events(truth, hidden):
    for p in truth["processes"]:
        for t in p["threads"] if hidden or p["listed"] else ():
            yield filetime(t["ctime"]), "thread_start", t["pid"], t["tid"], address(t["va"])
            if t["etime"]:
                yield filetime(t["etime"]), "thread_exit", t["pid"], t["tid"], address(t["va"])


class Truth(unittest.TestCase):
    """All times of the truth are there, and no others."""

    def check(self, name):
        path, truth = machine(name), machine_truth(name)
        rows = timeline(path)
        scanned = timeline(path, "--scan")

        def told(kinds, *keys, of=rows):
            return sorted(tuple(r[k] for k in ("time", "kind", *keys)) for r in of
                          if r["kind"] in kinds)

        for hidden, of in ((False, rows), (True, scanned)):
            self.assertEqual(told(("process_start", "process_exit"), "subject", "pid", "object",
                                  of=of),
                             sorted(process_events(truth, hidden)))
            threads = told(("thread_start", "thread_exit"), "pid", "tid", "object", of=of)
            self.assertEqual(threads, sorted(thread_events(truth, hidden)))
        dlls = {(filetime(d["time"]), "dll_load", d["name"], p["pid"], d["path"])
                for p in truth["processes"] if p["listed"] for d in p["dlls"]
                if d["time"]}
        self.assertEqual(told(("dll_load",), "subject", "pid", "path"), sorted(dlls))
        self.assertEqual(told(("driver_unload",), "subject", "object"),
                         sorted((filetime(u["time"]), "driver_unload", u["name"],
                                 address(u["start"])) for u in truth["unloaded"]))
        self.assertIn((filetime(truth["system"]["time"]), "capture", "kernel"),
                      told(("capture",), "source"))
        self.assertEqual(told(("boot",)), [(filetime(truth["system"]["boot"]), "boot")])
        self.assertEqual(told(("symlink_create",), "path", "object"),
                         sorted((filetime(s["created"]), "symlink_create",
                                 s["dir"].rstrip("\\") + "\\" + s["name"], address(s["va"]))
                                for s in truth["symlinks"]))
        keys = run("registry", "keys", "--recursive", "--format", "json", path).json()
        self.assertEqual(told(("registry_write",), "path"),
                         sorted((k["last_write_time"], "registry_write", k["path"])
                                for k in keys if k["last_write_time"]))
        self.check_order(rows)
        self.check_order(scanned)

    def check_order(self, rows):
        times = [r["time"] for r in rows]
        self.assertEqual(times, sorted(times))
        self.assertEqual(len(rows), len({json.dumps(r) for r in rows}))

    def test_machines(self):
        for name in MACHINES:
            with self.subTest(name):
                self.check(name)


class Options(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = machine("win19041-tiny")
        cls.rows = timeline(cls.path)

    def test_since_until(self):
        middle = self.rows[len(self.rows) // 2]["time"]
        for length in (4, 10, 16, 19, 23, 28):
            since = timeline(self.path, "--since", middle[:length])
            until = timeline(self.path, "--until", middle[:length])
            self.assertEqual(since, [r for r in self.rows if r["time"][:length] >= middle[:length]])
            self.assertEqual(until, [r for r in self.rows if r["time"][:length] <= middle[:length]])

    def test_kinds(self):
        for kind in ALL_KINDS:
            self.assertEqual(timeline(self.path, "--kinds", kind),
                             [r for r in self.rows if r["kind"] == kind])
        self.assertEqual(timeline(self.path, "--kinds", "boot,process_start"),
                         [r for r in self.rows if r["kind"] in ("boot", "process_start")])

    def test_pid(self):
        for pid in (4, 972):
            self.assertEqual(timeline(self.path, "--pid", pid),
                             [r for r in self.rows if r["pid"] == pid])
        self.assertEqual(run("timeline", "--pid", 7, self.path).status, 1)

    def test_all_only_adds(self):
        every = timeline(self.path, "--all")
        known = {json.dumps(r) for r in self.rows}
        self.assertLessEqual(known, {json.dumps(r) for r in every})
        odd = [r for r in every if json.dumps(r) not in known]
        note = run("timeline", self.path).err
        if odd:
            self.assertIn(f"{len(odd)} times that cannot be", note)

    def test_usage(self):
        for words in (["--kinds", "proces_start"], ["--kinds", ""], ["--since", "yesterday"],
                      ["--since", "20"], ["--until", "2024-5-1"], ["--body", "--timesketch"],
                      ["--body", "--columns", "time"], ["--body", "--format", "csv"],
                      ["--timesketch", "--format", "json"]):
            with self.subTest(words):
                result = run("timeline", *words, self.path)
                self.assertEqual((result.status, result.out), (2, ""))

    def test_no_kernel(self):
        result = run("timeline", "--format", "json", "--dtb", "0x1000", "--kernel-base",
                     "0xfffff80000000000", self.path)
        self.assertEqual((result.status, result.out), (1, ""))


class CrashDump(unittest.TestCase):
    """What only a header says."""

    def test_header(self):
        path = image("real/real17763-a.dmp")
        info = run("info", "--format", "json", path).json()
        rows = {(r["kind"], r["source"]): r for r in timeline(path)
                if r["kind"] in ("capture", "boot", "bugcheck")}
        self.assertEqual(rows["capture", "kernel"]["time"], info["system_time"])
        self.assertEqual(rows["boot", "kernel"]["time"], info["boot_time"])
        if ("bugcheck", "header") in rows:
            self.assertIn(info["bugcheck_code"], rows["bugcheck", "header"]["description"])


def parse(time):
    """To whole microseconds."""
    return datetime.datetime.fromisoformat(time[:26] + "+00:00")


class BodyFile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = machine("win19041-tiny")
        cls.rows = timeline(cls.path, "--scan")
        cls.text = run("timeline", "--scan", "--body", cls.path).out

    def test_fields(self):
        lines = self.text.splitlines()
        self.assertEqual(len(lines), len(self.rows))
        for row, line in zip(self.rows, lines):
            fields = line.split("|")
            self.assertEqual(len(fields), 11, line)
            times = dict(zip("amcb", map(int, fields[7:])))
            self.assertEqual(times.pop(row["meaning"]), int((parse(row["time"]) - EPOCH)
                                                            .total_seconds()))
            self.assertEqual(set(times.values()), {0})
            self.assertEqual(int(fields[2]), int(row["object"] or "0", 16))

    @unittest.skipUnless(shutil.which("mactime"), "mactime (sleuthkit) is not installed")
    def test_mactime(self):
        done = subprocess.run(["mactime", "-y", "-d", "-z", "UTC", "1980-01-01"], input=self.text,
                              stdout=subprocess.PIPE, text=True, check=True)
        found = list(csv.reader(io.StringIO(done.stdout)))[1:]
        # mactime makes one of what has the same second, name and inode
        expected = {(row["time"][:19] + "Z", row["meaning"], line.split("|")[1])
                    for row, line in zip(self.rows, self.text.splitlines())}
        self.assertEqual({(f[0], f[2].replace(".", ""), f[7]) for f in found},
                         {(t, m, name.replace("%7C", "|").replace("%25", "%"))
                          for t, m, name in expected})

    def test_conditions(self):
        lines = run("timeline", "--body", "--where", "kind=process_start", "--sort", "-time",
                    "--limit", 3, self.path).out.splitlines()
        names = [r["subject"] for r in timeline(self.path) if r["kind"] == "process_start"]
        self.assertEqual([line.split(": ")[1].split(",")[0] for line in lines],
                         names[:-4:-1])


class Timesketch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.path = machine("win19041-tiny")
        cls.rows = timeline(cls.path)

    def check(self, row, event):
        self.assertTrue({"message", "datetime", "timestamp_desc"} <= set(event))
        when = datetime.datetime.fromisoformat(event["datetime"])
        self.assertEqual(when, parse(row["time"]))
        self.assertEqual(when.utcoffset(), datetime.timedelta(0))
        micro = (when - EPOCH) // datetime.timedelta(microseconds=1)
        self.assertEqual(int(event["timestamp"]), micro)
        self.assertEqual(event["kind"], row["kind"])
        self.assertTrue(event["message"].startswith(event["timestamp_desc"]))

    def test_jsonl(self):
        out = run("timeline", "--timesketch", self.path).out
        events = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(len(events), len(self.rows))
        for row, event in zip(self.rows, events):
            self.check(row, event)

    def test_csv(self):
        out = run("timeline", "--timesketch", "--format", "csv", self.path).out
        events = list(csv.DictReader(io.StringIO(out)))
        self.assertEqual(len(events), len(self.rows))
        for row, event in zip(self.rows, events):
            self.check(row, event)


if __name__ == "__main__":
    main()
