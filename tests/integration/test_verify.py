# SPDX-License-Identifier: MIT
"""record and verify: changed bytes are exactly the differences that are told."""
import json
import os
import shutil
import tempfile
import unittest

import harness
from harness import Damaged, address, machine, machine_truth, run

SMALL = "win19041-tiny"
COMMANDS = ["ps", "handles --pid 4", "modules", "ssdt --columns index,address"]
SAME, DIFFERENT, USAGE, NOT_WHOLE = range(4)


def differences(got):
    return [(d["command"], d["change"], d["key"], d["column"], d["old"], d["new"])
            for d in got.json()]


class Verify(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="verify-")
        cls.path = machine(SMALL)
        cls.expected = os.path.join(cls.folder.name, "x.expected.json")
        cls.truth = machine_truth(SMALL)
        done = run("record", cls.path, "-o", cls.expected, *COMMANDS)
        assert done.status == 0, done.err

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def verify(self, *args):
        return run("verify", "--format", "json", *args)

    def copy(self, change=None):
        """A copy of what was recorded, its JSON changed."""
        path = os.path.join(self.folder.name, "copy.expected.json")
        with open(self.expected) as f:
            data = json.load(f)
        if change:
            change(data)
        with open(path, "w") as f:
            json.dump(data, f)
        return path

    def name_change(self):
        """Another image name for notepad.exe: where, what, and its process."""
        p, = (p for p in self.truth["processes"] if p["name"] == "notepad.exe")
        with open(self.path, "rb") as f:
            f.seek(p["pa"])
            at = f.read(0x800).index(b"notepad.exe\0")
        return (p["va"] + at, b"N"), p

    def handle_change(self):
        """The table entry of one handle of System, cleared."""
        row = run("handles", "--pid", 4, "--format", "json", self.path).json()[5]
        return (int(row["entry"], 16), bytes(8)), row

    def test_same(self):
        got = self.verify(self.expected, self.path)
        self.assertEqual((got.status, got.json()), (SAME, []))
        self.assertIn("the same: 4 commands", got.err)

    def test_same_bytes(self):
        """Neither threads nor where the snapshot lies change the file; other layouts are read."""
        again = os.path.join(self.folder.name, "again.json")
        with tempfile.TemporaryDirectory() as folder:
            link = os.path.join(folder, os.path.basename(self.path))
            os.symlink(self.path, link)
            self.assertEqual(run("record", link, "--threads", 1, "-o", again, *COMMANDS).status, 0)
        with open(self.expected, "rb") as a, open(again, "rb") as b:
            self.assertEqual(a.read(), b.read())
        self.assertEqual(self.verify(self.copy(), self.path).status, SAME)

    def test_beside(self):
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(self.path, os.path.join(folder, os.path.basename(self.path)))
            moved = shutil.copy(self.expected, folder)
            self.assertEqual(self.verify(moved).status, SAME)
        got = self.verify(self.expected)
        self.assertEqual(got.status, NOT_WHOLE)
        self.assertIn("No such file", got.err)

    def test_another_snapshot(self):
        with Damaged(self.path, []) as same:
            self.assertEqual(self.verify(self.expected, same).status, SAME)
        change, _ = self.name_change()
        with Damaged(self.path, [change]) as broken:
            got = self.verify(self.expected, broken)
        self.assertEqual((got.status, got.json()), (NOT_WHOLE, []))
        self.assertIn("another snapshot than the recorded one", got.err)

    def test_changed_and_removed(self):
        name, p = self.name_change()
        entry, row = self.handle_change()
        with Damaged(self.path, [name, entry]) as broken:
            got = self.verify("--any-snapshot", self.expected, broken)
            ignored = self.verify("--any-snapshot", "--ignore", "ps.name,handles",
                                  "--where", "change=changed", self.expected, broken)
        self.assertEqual(got.status, DIFFERENT, got.err)
        count, changed, removed = differences(got)
        self.assertEqual((count[0], count[1], count[3]), ("ps", "changed", "handles"))
        self.assertEqual(int(count[4]) - 1, int(count[5]))
        self.assertEqual(changed, ("ps", "changed", "eprocess=" + address(p["va"]), "name",
                                   "notepad.exe", "Notepad.exe"))
        self.assertEqual(removed[:4], ("handles --pid 4", "removed",
                                       f"pid=4 handle={row['handle']}", None))
        self.assertIn(f"object={row['object']} ", removed[4])
        self.assertIsNone(removed[5])
        self.assertIn("0 rows added, 1 removed, 2 values changed", got.err)
        self.assertEqual((ignored.status, ignored.json()), (DIFFERENT, []))

    def test_added(self):
        entry, row = self.handle_change()
        with Damaged(self.path, [entry]) as broken:
            short = os.path.join(self.folder.name, "short.json")
            self.assertEqual(run("record", broken, "-o", short, "handles --pid 4").status, 0)
        got = self.verify("--any-snapshot", short, self.path)
        (command, change, key, _, old, new), = differences(got)
        self.assertEqual((got.status, command, change, old),
                         (DIFFERENT, "handles --pid 4", "added", None))
        self.assertEqual(key, f"pid=4 handle={row['handle']}")
        self.assertIn(f"type={row['type']}", new)

    def test_by_place(self):
        """Rows without all of their key columns are compared by their place."""
        def change(data):
            table = data["results"][3]
            del table["rows"][7]
            table["rows"][20][1] = "0x1"
        got = self.verify(self.copy(change), self.path)
        self.assertEqual([d[1:4] for d in differences(got)],
                         [("changed", "row 21", "address"), ("added", "row 8", None)])
        self.assertEqual(got.status, DIFFERENT)

    def test_order_status_and_messages(self):
        def change(data):
            data["results"][0]["rows"].reverse()
            data["results"][2]["status"] = "partial"
            data["results"][2]["messages"] = ["something is missing"]
        copy = self.copy(change)
        got = self.verify(copy, self.path)
        self.assertEqual([d[:2] + d[4:] for d in differences(got)],
                         [("ps", "reordered", None, None),
                          ("modules", "status", "partial", "ok"),
                          ("modules", "message_removed", "something is missing", None)])
        got = self.verify("--any-order", "--any-messages", copy, self.path)
        self.assertEqual((got.status, got.json()), (SAME, []))

    def test_update(self):
        def change(data):
            data["results"][0]["rows"][0][2] = "other"
        copy = self.copy(change)
        got = self.verify("--update", copy, self.path)
        self.assertEqual((got.status, len(got.json())), (SAME, 1))
        self.assertIn("recorded anew", got.err)
        with open(copy, "rb") as a, open(self.expected, "rb") as b:
            self.assertEqual(a.read(), b.read())
        before = os.stat(copy)
        self.assertEqual(self.verify("--update", copy, self.path).status, SAME)
        self.assertEqual(os.stat(copy).st_mtime_ns, before.st_mtime_ns)

    def test_evidence_is_kept(self):
        with Damaged(self.path, []) as copy:
            size = os.stat(copy).st_size
            self.assertEqual(run("record", copy, "-o", copy, "ps").status, 1)
            self.assertEqual(run("record", copy, "--force", "-o", copy, "ps").status, USAGE)
            self.assertEqual(os.stat(copy).st_size, size)

    def test_what_this_version_lacks(self):
        """Said by name; the rest is compared."""
        cases = {
            "unknown command 'psst'": lambda r: r.update(command=["psst"]),
            "unknown option '--fast'": lambda r: r.update(command=["ps", "--fast"]),
            "there is no column 'mood' now": lambda r: r["columns"][0].__setitem__(0, "mood"),
            "column 'pid' is u64 now, recorded was string": self.retype,
            "no option of a single command": lambda r: r.update(command=["ps", "--dtb=0"]),
            "writes files": lambda r: r.update(command=["convert", "-o", "/dev/null"]),
            "cannot be recorded": lambda r: r.update(command=["read", "--raw", "0"]),
        }
        for text, change in cases.items():
            with self.subTest(text):
                def both(data, change=change):
                    change(data["results"][0])
                    data["results"][2]["rows"].pop()
                got = self.verify(self.copy(both), self.path)
                self.assertEqual(got.status, NOT_WHOLE)
                self.assertIn(text, got.err)
                self.assertEqual([d[:2] for d in differences(got)], [("modules", "added")])

    @staticmethod
    def retype(result):
        result["columns"][0][1] = "string"
        for row in result["rows"]:
            row[0] = str(row[0])

    def test_newer_columns(self):
        """What an older version did not record is said, and is no difference."""
        def change(data):
            result = data["results"][0]
            result["columns"].pop()
            for row in result["rows"]:
                row.pop()
            data["program"] = "ntscope 0.0.1"
        got = self.verify(self.copy(change), self.path)
        self.assertEqual((got.status, got.json()), (SAME, []))
        self.assertIn("ps: not recorded, hence not compared: physical", got.err)

    def test_options_are_recorded(self):
        out = os.path.join(self.folder.name, "options.json")
        dtb = address(self.truth["dtb"])
        self.assertEqual(run("record", self.path, "--dtb", dtb, "-o", out, "info").status, 0)
        with open(out) as f:
            self.assertEqual(json.load(f)["options"], [f"--dtb={dtb}"])
        self.assertEqual(self.verify(out, self.path).status, SAME)
        self.assertEqual(self.verify("--no-builtin-symbols", out, self.path).status, DIFFERENT)

    def test_usage(self):
        self.assertEqual(run("verify").status, USAGE)
        self.assertEqual(run("record", self.path, "ps").status, USAGE)
        self.assertEqual(run("record", self.path, "-o", "/nowhere/x", "psst").status, USAGE)
        got = self.verify("--ignore", "mood", self.expected, self.path)
        self.assertEqual(got.status, USAGE)


if __name__ == "__main__":
    harness.main()
