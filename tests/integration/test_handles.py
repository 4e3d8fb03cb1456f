# SPDX-License-Identifier: MIT
"""handles and objects on the windows-like machines: every row, the names, and damage."""
import mmap
import unittest
import uuid

import harness
from harness import (Damaged, address, machine, machine_symbols, machine_truth, member, number,
                     run)

PAGED = "win19041-paged"  # a part of its kernel's memory is in a page file
SMALL = "win19041-tiny"
WHOLE = [name for name in harness.MACHINES if name != PAGED]


def rows(command, path, *args, status=0):
    got = run(command, "--format", "json", path, *args)
    if got.status != status:
        raise AssertionError(f"exit status {got.status}\n{got.err}")
    return got.json()


def by_pid(handles):
    ret = {}
    for row in handles:
        ret.setdefault(row["pid"], []).append(row)
    return ret


def table(handles):
    return [(r["handle"], r["object"], r["type"], r["granted_access"]) for r in handles]


def true_table(handles):
    return [(h["value"], address(h["obj"]), h["type"], address(h["access"])) for h in handles]


class Names:
    """What a machine's truth says objects are called."""

    def __init__(self, truth):
        processes = {p["va"]: f"{p['image_name'][:15]} ({p['pid']})" for p in truth["processes"]}
        self.known = {
            "Directory": {d["va"]: d["path"] for d in truth["directories"]},
            "File": {f["va"]: f"\\Device\\{f['device']}{f['name']}" for f in truth["files"]},
            "Process": processes,
            "Thread": {t["va"]: f"tid {t['tid']} of {processes[p['va']]}"
                       for p in truth["processes"] for t in p["threads"]},
        }
        self.users = {p["token"]["va"]: p["token"]["user"] for p in truth["processes"]
                      if p["token"]}
        self.mutants = {m["va"]: m["name"] for m in truth["mutants"]}

    def check(self, test, handle, name):
        va, kind = handle["obj"], handle["type"]
        if kind == "Key":
            test.assertEqual(name, "\\REGISTRY\\" + handle["name"])
        elif kind in self.known:
            test.assertEqual(name, self.known[kind][va])
        elif kind == "Mutant":
            own = self.mutants[va]
            test.assertEqual(name and name[-len(own or ""):], own)
        elif kind == "Token":
            test.assertIn(self.users[va], name)


class Handles(unittest.TestCase):
    maxDiff = 4000

    def check_table(self, name, *options, processes):
        truth = machine_truth(name)
        got = by_pid(rows("handles", machine(name), *options))
        names = Names(truth)
        for process in processes(truth):
            handles = got.pop(process["pid"], [])
            self.assertEqual(table(handles), true_table(process["handles"]))
            for row, want in zip(handles, process["handles"]):
                names.check(self, want, row["name"])
        self.assertEqual(got, {})

    def test_every_row_and_name(self):
        for name in WHOLE:
            for symbols in ((), ("--symbols", machine_symbols(name))):
                with self.subTest(name, symbols=symbols):
                    self.check_table(name, *symbols, processes=lambda t: [
                        p for p in t["processes"] if p["listed"]])

    def test_hidden_processes(self):
        for name in WHOLE:
            for process in (p for p in machine_truth(name)["processes"] if p["hidden"]):
                with self.subTest(name, pid=process["pid"]):
                    self.check_table(name, "--process", address(process["va"]),
                                     processes=lambda t: [process])

    def test_with_the_page_file(self):
        self.check_table(PAGED, "--pagefile",
                         member(f"windows-like/{PAGED}", f"{PAGED}.pagefile.sys"),
                         processes=lambda t: [p for p in t["processes"] if p["listed"]])

    def test_paged_out_is_absent_or_right(self):
        """Pages of tables cost their handles, pages of objects their types and names."""
        truth = machine_truth(PAGED)
        got = {(r["pid"], r["handle"]): r for r in rows("handles", machine(PAGED), status=3)}
        names, missing, untyped = Names(truth), 0, 0
        for process in (p for p in truth["processes"] if p["listed"]):
            for want in process["handles"]:
                row = got.pop((process["pid"], want["value"]), None)
                if not row:
                    missing += 1
                    continue
                self.assertEqual(row["object"], address(want["obj"]))
                self.assertEqual(row["granted_access"], address(want["access"]))
                if row["type"] is None:
                    untyped += 1
                    self.assertIsNone(row["name"])
                    continue
                self.assertEqual(row["type"], want["type"])
                # where a directory above it is absent, a thing is called by its own name
                if row["name"] and row["type"] not in ("Directory", "File"):
                    names.check(self, want, row["name"])
        self.assertEqual(got, {})
        self.assertTrue(0 < missing < 1500 and 0 < untyped < 500, (missing, untyped))

    def test_without_symbols(self):
        """Discovery finds every handle, its type and access; names it does not know are null."""
        for name in WHOLE:
            with self.subTest(name):
                known = rows("handles", machine(name))
                found = rows("handles", machine(name), "--no-builtin-symbols",
                             "--no-symbol-store")
                self.assertEqual(table(found), table(known))
                for row, want in zip(found, known):
                    have = {k: v for k, v in row.items() if v is not None}
                    self.assertEqual(have, {k: want[k] for k in have})

    def test_without_the_very_symbols(self):
        """A kernel that no symbols are for: its types are learned, none is wrong."""
        for name in (n for n in WHOLE if n.endswith("-tiny")):
            with self.subTest(name), Damaged(machine(name), []) as broken:
                self.change_guid(broken, machine_truth(name)["kernel"]["guid"])
                known, found = (rows("handles", path) for path in (machine(name), broken))
                self.assertEqual(len(found), len(known))
                for row, want in zip(found, known):
                    have = {k: v for k, v in row.items() if v is not None and k != "rights"}
                    self.assertEqual(have, {k: want[k] for k in have})
                untyped = sum(r["type"] is None for r in found)
                self.assertLess(untyped, len(known) // 5)
                self.assertEqual([r["path"] for r in rows("objects", broken)],
                                 [r["path"] for r in rows("objects", machine(name))])

    def change_guid(self, path, guid):
        record = b"RSDS" + uuid.UUID(guid).bytes_le
        with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as memory:
            at = memory.find(record)
            while at >= 0:
                memory[at + 4] ^= 0xff
                at = memory.find(record, at + 1)

    def test_filters(self):
        whole = rows("handles", machine(SMALL))
        for kind in ("Key", "key", "ALPC Port"):
            self.assertEqual(rows("handles", machine(SMALL), "--type", kind),
                             [r for r in whole if r["type"].lower() == kind.lower()])
        self.assertEqual(rows("handles", machine(SMALL), "--name", "currentversion"),
                         [r for r in whole if "currentversion" in (r["name"] or "").lower()])

    def test_columns_agree(self):
        for row in rows("handles", machine(SMALL)):
            self.assertEqual(number(row["object"]) - number(row["header"]), 0x30)
            self.assertEqual(number(row["entry"]) % 4096, row["handle"] * 4 % 4096)
            self.assertEqual(row["attributes"], "")
            self.assertTrue(row["rights"])


class Damage(unittest.TestCase):
    """Each thing that a listing rests on, broken; what is left is as it was."""

    def setUp(self):
        self.path, self.truth = machine(SMALL), machine_truth(SMALL)
        self.whole = rows("handles", self.path)

    def check(self, changes, gone, told, command="handles", whole=None):
        """With CHANGES, all rows but those that GONE picks are there; TOLD is on stderr."""
        with Damaged(self.path, changes) as broken:
            got = run(command, "--format", "json", broken)
        self.assertEqual(got.status, 3, got.err)
        self.assertIn(told, got.err)
        self.assertEqual(got.json(), [r for r in whole or self.whole if not gone(r)])

    def first(self, **values):
        return next(r for r in self.whole if all(r[k] == v for k, v in values.items()))

    def test_entry_that_leads_nowhere(self):
        row = self.first(pid=4, handle=8)
        for low in (0xfffffffffff00001, 0x12345678901 << 20, 1 << 63):
            with self.subTest(f"{low:x}"):
                self.check([(number(row["entry"]), low.to_bytes(8, "little"))],
                           lambda r: r["entry"] == row["entry"], "lead to no object")

    def test_object_of_no_type(self):
        row = self.first(pid=4, handle=8)
        for offset, data in ((0x18, b"\xaa"), (0, bytes(8)), (0, b"\x41" * 8)):
            with self.subTest(offset=offset, data=data):
                self.check([(number(row["header"]) + offset, data)],
                           lambda r: r["object"] == row["object"], "lead to no object")

    def test_table_of_a_wild_level(self):
        entry = number(self.first(pid=412)["entry"]) & ~0xfff
        with Damaged(self.path, [(self.table_of(412, entry), (entry | 3).to_bytes(8, "little"))]
                     ) as broken:
            got = run("handles", "--format", "json", broken)
        self.assertEqual(got.status, 3, got.err)
        self.assertIn("is no handle table", got.err)
        self.assertEqual(got.json(), [r for r in self.whole if r["pid"] != 412])

    def test_table_that_is_its_own_pointers(self):
        entry = number(self.first(pid=412)["entry"]) & ~0xfff
        self.check([(self.table_of(412, entry), (entry | 1).to_bytes(8, "little"))],
                   lambda r: r["pid"] == 412, "process 412: handles")

    def table_of(self, pid, code):
        """Where a process's TableCode is."""
        process = next(p for p in self.truth["processes"] if p["pid"] == pid)
        fields = {r["name"]: number(r["offset"]) for kind in ("_EPROCESS", "_HANDLE_TABLE")
                  for r in rows("type", self.path, kind)}
        read, = rows("read", self.path, "--length", 8,
                     address(process["va"] + fields["ObjectTable"]))
        where = int.from_bytes(bytes.fromhex(read["bytes"]), "little") + fields["TableCode"]
        read, = rows("read", self.path, "--length", 8, address(where))
        self.assertEqual(int.from_bytes(bytes.fromhex(read["bytes"]), "little"), code)
        return where

    def test_directories(self):
        whole = rows("objects", self.path)
        entry = {r["path"]: r for r in whole}
        tcpip = entry["\\Driver\\Tcpip"]
        # a chain whose next entry is itself: what follows in it is out of reach at most
        link = number(tcpip["entry"]).to_bytes(8, "little")
        with Damaged(self.path, [(number(tcpip["entry"]), link)]) as broken:
            got = run("objects", "--format", "json", broken)
        self.assertEqual(got.status, 3)
        self.assertIn("'\\Driver'", got.err)
        paths = [r["path"] for r in got.json()]
        self.assertIn("\\Driver\\Tcpip", paths)
        self.assertTrue({p for p in entry if not p.startswith("\\Driver\\")} <= set(paths))
        # a directory in itself
        self.check([(number(tcpip["entry"]) + 8,
                     number(entry["\\Driver"]["object"]).to_bytes(8, "little"))],
                   lambda r: False, "it is there twice", "objects",
                   [{**r, **{k: entry["\\Driver"][k] for k in
                             ("type", "object", "pointer_count", "handle_count", "header")},
                     "path": "\\Driver\\Driver"} if r is tcpip else r for r in whole])


class Objects(unittest.TestCase):
    maxDiff = 4000

    def test_truth(self):
        for name in WHOLE:
            with self.subTest(name):
                self.check_machine(name)

    def check_machine(self, name):
        truth = machine_truth(name)
        got = {r["object"]: r for r in rows("objects", machine(name))}
        seen = 0
        for row in truth["directories"]:
            self.assertEqual(got[address(row["va"])]["path"], row["path"])
            seen += 1
        for link in truth["symlinks"]:
            row = got[address(link["va"])]
            self.assertEqual((row["path"], row["target"], row["type"]),
                             (link["dir"].rstrip("\\") + "\\" + link["name"], link["target"],
                              "SymbolicLink"))
            seen += 1
        for kind, items in (("Driver", truth["drivers"]), ("Device", truth["devices"]),
                            ("Mutant", truth["mutants"])):
            for item in items:
                if not item["name"]:
                    self.assertNotIn(address(item["va"]), got)
                    continue
                row = got[address(item["va"])]
                self.assertEqual(row["type"], kind)
                self.assertTrue(row["path"].endswith(item["name"]), row)
                seen += 1
        # the rest are objects that someone has a handle to
        open_objects = {address(h["obj"]) for p in truth["processes"] for h in p["handles"]
                        if h["type"] in ("Event", "Section", "WindowStation")}
        others = {r["object"] for r in got.values()
                  if r["type"] in ("Event", "Section", "WindowStation")}
        self.assertLessEqual(others, open_objects)
        self.assertEqual(len(got), seen + len(others))

    def test_paths_agree_with_handles(self):
        for name in WHOLE:
            paths = {r["object"]: r["path"] for r in rows("objects", machine(name))}
            for row in rows("handles", machine(name)):
                if row["object"] in paths and row["type"] != "SymbolicLink":
                    self.assertEqual(row["name"], paths[row["object"]])

    def test_below_a_path(self):
        whole = rows("objects", machine(SMALL))
        for path in ("\\Driver", "\\sessions\\1", "\\Device\\Null"):
            prefix = path.lower()
            self.assertEqual(
                [r["object"] for r in rows("objects", machine(SMALL), "--path", path)],
                [r["object"] for r in whole if r["path"].lower() == prefix or
                 r["path"].lower().startswith(prefix + "\\")])

    def test_paged_out_is_absent_or_right(self):
        truth = machine_truth(PAGED)
        known = {address(d["va"]): d["path"] for d in truth["directories"]}
        got = rows("objects", machine(PAGED), status=3)
        for row in got:
            if row["path"] and row["object"] in known:
                self.assertEqual(row["path"], known[row["object"]])
        self.assertGreater(len(got), 50)


if __name__ == "__main__":
    harness.main()
