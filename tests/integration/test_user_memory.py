# SPDX-License-Identifier: MIT
"""dlls, envars and params on the windows-like machines, whole and damaged."""
import struct
import unittest

import harness
from harness import Damaged, address, filetime, machine, machine_symbols, machine_truth, run

TINY = [name for name in harness.MACHINES if name.endswith("-tiny")]
WHOLE = TINY + ["win19041-desktop"]


def listed(t):
    return [p for p in t["processes"] if p["listed"]]


def expected_modules(p):
    """What the loader's lists hold; whatever was unlinked is not in them."""
    for d in p["dlls"]:
        if not d["unlinked"]:
            yield {"pid": p["pid"], "base": address(d["base"]), "size": d["size"],
                   "name": d["name"], "path": d["path"], "load_time": filetime(d["time"]),
                   "wow64": False, "in_load": True, "in_mem": True, "in_init": d["init"],
                   "entry_point": address(d["entry"]), "ldr_entry": address(d["ldr"])}
    for d in p["dlls32"]:
        yield {"pid": p["pid"], "base": address(d["base"]), "size": d["size"],
               "name": d["name"], "path": d["path"], "wow64": True}


def expected_variables(p):
    for name, value in p["env"]:
        yield {"pid": p["pid"], "name": name, "value": value}


def expected_parameters(p):
    return {"pid": p["pid"], "command_line": p["cmdline"], "image_path": p["image_path"],
            "current_directory": p["cwd"], "window_title": p["title"],
            "image_base": address(p["image_base"]) if p["peb"] else None,
            "peb": address(p["peb32"] or p["peb"] or None), "wow64": p["wow64"]}


def cut(row, want):
    """ROW with just the keys of WANT."""
    return {key: row[key] for key in want}


class Whole(unittest.TestCase):
    maxDiff = 4000

    def compare(self, rows, expected):
        expected = list(expected)
        self.assertEqual([cut(r, w) for r, w in zip(rows, expected)], expected)
        self.assertEqual(len(rows), len(expected))

    def whole(self, command, path, *options):
        got = run(command, "--format", "json", *options, path)
        self.assertEqual((got.status, got.err), (0, ""))
        return got.json()

    def check(self, name, *options):
        t, path = machine_truth(name), machine(name)
        self.compare(self.whole("dlls", path, *options),
                     (m for p in listed(t) for m in expected_modules(p)))
        self.compare(self.whole("envars", path, *options),
                     (v for p in listed(t) for v in expected_variables(p)))
        self.compare(self.whole("params", path, *options),
                     (expected_parameters(p) for p in listed(t)))

    def test_paged(self):
        name = "win19041-paged"
        pagefile = harness.member(f"windows-like/{name}", f"{name}.pagefile.sys")
        self.check(name, "--pagefile", pagefile)

    def test_native_parameters_of_wow64_processes(self):
        t = machine_truth("win19041-tiny")
        rows = self.whole("params", machine("win19041-tiny"), "--native")
        for row, p in zip(rows, listed(t), strict=True):
            self.assertEqual(row["peb"], address(p["peb"] or None))
            self.assertEqual(row["command_line"], p["cmdline"])
            self.assertFalse(row["wow64"])

    def test_hidden_process(self):
        """One that is in no list, by its address."""
        t = machine_truth("win22000-tiny")
        hidden, = (p for p in t["processes"] if p["hidden"])
        self.compare(self.whole("dlls", machine("win22000-tiny"), "--process",
                                address(hidden["va"])), expected_modules(hidden))

    def test_32_bit_modules_of_each_list(self):
        for name in TINY:
            for row in self.whole("dlls", machine(name)):
                if row["wow64"]:
                    self.assertTrue(row["in_load"] and row["in_mem"], row)

    def test_without_symbols(self):
        """What programs share with their loader is the same in all builds; what is not, is absent."""
        for name in TINY:
            path = machine(name)
            for command in ("envars", "params"):
                self.assertEqual(self.whole(command, path, "--no-builtin-symbols"),
                                 self.whole(command, path))
            rows = self.whole("dlls", path, "--no-builtin-symbols")
            want = [{**r, **dict.fromkeys(("load_time", "load_reason", "load_count"))}
                    for r in self.whole("dlls", path)]
            self.assertEqual(rows, want)

    def test_load_reason_and_count_come_with_the_build(self):
        rows = self.whole("dlls", machine("win7601-tiny"))
        self.assertEqual({r["load_reason"] for r in rows}, {None})
        rows = self.whole("dlls", machine("win19041-tiny"))
        self.assertNotIn(None, {r["load_reason"] for r in rows if not r["wow64"]})


def add_test(name, with_symbols=False):
    def test(self):
        self.check(name, *(["--symbols", machine_symbols(name)] if with_symbols else []))
    word = name + ("_by_symbols" if with_symbols else "")
    setattr(Whole, "test_" + word.replace("-", "_"), test)


for machine_name in WHOLE:
    add_test(machine_name)
for machine_name in TINY:
    add_test(machine_name, with_symbols=True)


class Paged(unittest.TestCase):
    """Some of the pages lie in a pagefile that is not given: what is left must be right."""

    NAME = "win19041-paged"

    def rows(self, command):
        got = run(command, "--format", "json", machine(self.NAME))
        self.assertEqual(got.status, 3)
        self.assertRegex(got.err, r"process \d+: .*page file")
        return got.json()

    def check(self, rows, expected, key):
        """Each row is one of EXPECTED, but for cells that are absent; no row comes twice."""
        by_key = {key(w): w for w in expected}
        seen = [key(r) for r in rows]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertTrue(set(seen) <= set(by_key))
        self.assertGreater(len(seen), len(by_key) // 3)
        for row in rows:
            want = by_key[key(row)]
            self.assertEqual(cut(row, want),
                             {k: None if row[k] is None else v for k, v in want.items()})

    def test_dlls(self):
        t = machine_truth(self.NAME)
        self.check(self.rows("dlls"), [m for p in listed(t) for m in expected_modules(p)],
                   lambda r: (r["pid"], r["wow64"], r["base"]))

    def test_envars(self):
        t = machine_truth(self.NAME)
        self.check(self.rows("envars"), [v for p in listed(t) for v in expected_variables(p)],
                   lambda r: (r["pid"], r["name"]))

    def test_params(self):
        t = machine_truth(self.NAME)
        rows = self.rows("params")
        self.check(rows, [expected_parameters(p) for p in listed(t)], lambda r: r["pid"])
        self.assertEqual(len(rows), len(listed(t)))


class Broken(unittest.TestCase):
    """Each list of a process damaged: the others still tell everything."""

    NAME = "win19041-tiny"
    LISTS = {"in_load": 0x00, "in_mem": 0x10, "in_init": 0x20}

    @classmethod
    def setUpClass(cls):
        cls.process = next(p for p in listed(machine_truth(cls.NAME))
                           if p["name"] == "explorer.exe")
        cls.modules = [m for m in expected_modules(cls.process)]
        cls.pid = "--pid", cls.process["pid"]

    def dlls(self, *changes, command="dlls"):
        with Damaged(machine(self.NAME), changes, *self.pid) as broken:
            return run(command, "--format", "json", *self.pid, broken)

    def entry(self, index):
        return int(self.modules[index]["ldr_entry"], 16)

    def test_one_link_of_each_list(self):
        """The forward link of a record in the middle, whatever it then says."""
        for key, links in self.LISTS.items():
            link = self.entry(5) + links
            for target in (0, 0x4141414141414141, link, self.entry(2) + links,
                           self.entry(2)):
                with self.subTest(list=key, target=hex(target)):
                    got = self.dlls((link, struct.pack("<Q", target)))
                    self.assertEqual([cut(r, w) for r, w in zip(got.json(), self.modules)],
                                     self.modules)
                    self.assertEqual(len(got.json()), len(self.modules))
                    self.assertRegex(got.err, "torn|absent")

    def test_both_links_of_two_records(self):
        """What lies between two breaks, with the two, is in the other lists."""
        for key, links in self.LISTS.items():
            with self.subTest(list=key):
                got = self.dlls(*((self.entry(i) + links, b"\x41" * 16) for i in (3, 6)))
                rows = sorted(got.json(), key=lambda r: int(r["ldr_entry"], 16))
                want = sorted(self.modules, key=lambda r: int(r["ldr_entry"], 16))
                for row, whole in zip(rows, want):
                    # whether the list had those that are no longer reached, nobody knows
                    expected = {**whole, key: True if row[key] else None}
                    self.assertEqual(cut(row, expected), expected)
                self.assertEqual(len(rows), len(want))
                self.assertEqual(sum(r[key] is not True for r in rows),
                                 4 + sum(not m[key] for m in self.modules))
                self.assertEqual(got.status, 3)

    def test_all_heads(self):
        """No list at all."""
        first = self.entry(0)
        got = self.dlls(*((first + links, bytes(16)) for links in self.LISTS.values()))
        self.assertLessEqual(len(got.json()), len(self.modules))
        self.assertGreater(len(got.json()), len(self.modules) - 3)

    def test_dangling_name(self):
        """A name that points nowhere costs that name."""
        got = self.dlls((self.entry(4) + 0x58 + 8, struct.pack("<Q", 0x10000)))
        rows = got.json()
        self.assertIsNone(rows[4]["name"])
        self.assertEqual(rows[4]["path"], self.modules[4]["path"])
        self.assertEqual(len(rows), len(self.modules))
        self.assertEqual(got.status, 3)
        self.assertIn("records or names of modules: 1 absent", got.err)

    def test_no_loader_data(self):
        got = self.dlls((self.process["peb"] + 0x18, bytes(8)))
        self.assertEqual((got.json(), got.status), ([], 0))
        got = self.dlls((self.process["peb"] + 0x18, struct.pack("<Q", 0x10000)))
        self.assertEqual((got.json(), got.status), ([], 3))

    def parameters(self):
        row, = run("params", "--format", "json", *self.pid, machine(self.NAME)).json()
        return {key: int(row[key], 16) for key in ("parameters", "environment")}

    def test_environment_of_absurd_size(self):
        """The empty variable ends it all the same."""
        where = self.parameters()
        for size in (0, 1 << 40, 0xffffffffffffffff):
            got = self.dlls((where["parameters"] + 0x3f0, struct.pack("<Q", size)),
                            command="envars")
            self.assertEqual([cut(r, w) for r, w in zip(
                got.json(), expected_variables(self.process))],
                list(expected_variables(self.process)))
            self.assertEqual(got.status, 0, got.err)

    def test_environment_cut_short(self):
        where = self.parameters()
        got = self.dlls((where["parameters"] + 0x3f0, struct.pack("<Q", 100)), command="envars")
        self.assertLess(len(got.json()), len(self.process["env"]))
        for row, want in zip(got.json(), expected_variables(self.process)):
            self.assertEqual(cut(row, want), want)

    def test_environment_nowhere(self):
        where = self.parameters()
        got = self.dlls((where["parameters"] + 0x80, struct.pack("<Q", 0x7000_0000_0000)),
                        command="envars")
        self.assertEqual((got.json(), got.status), ([], 3))

    def test_strings_are_offsets_before_the_loader_ran(self):
        where = self.parameters()
        at = where["parameters"] + 0x70 + 8
        with Damaged(machine(self.NAME), [], *self.pid) as path:
            with open(path, "rb") as f:
                f.seek(Damaged(path, [], *self.pid).physical(at))
                pointer, = struct.unpack("<Q", f.read(8))
        offset = pointer - where["parameters"]
        self.assertTrue(0 < offset < 0x10000)
        got = self.dlls((at, struct.pack("<Q", offset)), command="params")
        self.assertEqual(got.json()[0]["command_line"], self.process["cmdline"])

    def test_32_bit_list(self):
        """A break among the 32-bit modules does not touch the native ones."""
        wow64 = next(p for p in listed(machine_truth(self.NAME)) if p["wow64"])
        pid = "--pid", wow64["pid"]
        whole = run("dlls", "--format", "json", *pid, machine(self.NAME)).json()
        entries = [int(r["ldr_entry"], 16) for r in whole if r["wow64"]]
        changes = [(entry + links, b"\x41" * 8) for entry in (entries[2], entries[5])
                   for links in (0, 8)]
        with Damaged(machine(self.NAME), changes, *pid) as broken:
            got = run("dlls", "--format", "json", *pid, broken)
        rows = got.json()
        self.assertEqual([r for r in rows if not r["wow64"]],
                         [r for r in whole if not r["wow64"]])
        self.assertEqual({r["ldr_entry"] for r in rows}, {r["ldr_entry"] for r in whole})
        self.assertEqual(got.status, 3)
        self.assertIn("32-bit modules by load order, memory order: broken", got.err)


class KernelOnly(unittest.TestCase):
    def test_dump_without_user_pages(self):
        path = harness.member("windows-like/win19041-tiny-containers", "dmp-kernel")
        for command in ("dlls", "envars"):
            got = run(command, "--format", "json", path)
            self.assertEqual((got.json(), got.status), ([], 3))
            self.assertIn("not captured", got.err)

    def test_triage_dump(self):
        got = run("dlls", harness.image("real/triage/triage_x64.dmp"))
        self.assertEqual(got.status, 1)
        self.assertIn("a triage dump holds no memory of processes", got.err)


if __name__ == "__main__":
    harness.main()
