# SPDX-License-Identifier: MIT
"""What page tables call not present: every kind on every machine, and the bytes of page files."""
import collections
import json
import os
import tempfile
import unittest

import harness
from harness import address, machine, machine_symbols, machine_truth, member, number, run
from test_windows_like import expected_process

STATES = {"page4k": "mapped", "large2m": "mapped", "selfmap": "mapped", "session": "mapped",
          "shadow": "mapped", "dummy": "mapped", "large1g": "not_captured",
          "notmapped": "not_present", "discarded": "not_present", "transition": "transition",
          "prototype": "prototype", "demandzero": "demand_zero", "pagefile": "pagefile"}
COLUMNS = "va,pa,state,pagefile,pagefile_offset,readable,reason"
PAGED = "win19041-paged"
PAGE = 4096


def pagefile():
    return member("windows-like/" + PAGED, PAGED + ".pagefile.sys")


def options_of(name):
    """The page file of the machine that has one."""
    return ["--pagefile", pagefile()] if name == PAGED else []


def space_of(t, dtb):
    """By id where the process is listed; by its root where it hides."""
    for p in t["processes"]:
        if p["dtb"] == dtb and p["listed"]:
            return ["--pid", p["pid"]]
    return ["--dtb", address(dtb)]


def vtop(name, options, addresses, env=None):
    lines = "".join(address(va) + "\n" for va in addresses)
    got = run("vtop", "--brief", "--format", "jsonl", "--columns", COLUMNS, *options,
              machine(name), "-", stdin=lines, env=env)
    return got, [json.loads(line) for line in got.out.splitlines()]


def read_raw(name, options, va, length=PAGE):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bytes")
        got = run("read", *options, "--length", length, "--output", path, machine(name),
                  address(va))
        if got.status:
            return got, None
        with open(path, "rb") as f:
            return got, f.read()


class Translations(unittest.TestCase):
    maxDiff = 2000

    def check_row(self, row, want, pagefiles, has_file):
        kind = want["kind"]
        pa = want["pa"] if want["pa"] is not None else want.get("soft_pa")
        self.assertEqual(row["state"], STATES[kind])
        self.assertEqual(number(row["pa"]), pa)
        entry = pagefiles.get(want["va"]) if kind == "pagefile" else None
        self.assertEqual(row["pagefile"], entry and entry["file"])
        self.assertEqual(number(row["pagefile_offset"]), entry and entry["offset"])
        readable = pa is not None and kind != "large1g" or kind == "demandzero"
        self.assertEqual(row["readable"], readable or kind == "pagefile" and has_file)
        if kind == "prototype" and pa is None:
            self.assertEqual(row["reason"], "only in the file that is mapped")

    def check_machine(self, name, *symbols):
        t = machine_truth(name)
        by_root, pagefiles = collections.defaultdict(list), collections.defaultdict(dict)
        for x in t["translations"]:
            by_root[x["dtb"]].append(x)
        for x in t["pagefile"]:
            pagefiles[x["dtb"]][x["va"]] = x
        for dtb, wants in by_root.items():
            got, rows = vtop(name, [*space_of(t, dtb), *options_of(name), *symbols],
                             [x["va"] for x in wants], harness.symbol_cache())
            self.assertIn(got.status, (0, 3), got.err)
            self.assertEqual(len(rows), len(wants))
            for row, want in zip(rows, wants):
                with self.subTest(name, dtb=hex(dtb), va=hex(want["va"])):
                    self.check_row(row, want, pagefiles[dtb], name == PAGED)

    def test_every_kind(self):
        for name in harness.MACHINES:
            self.check_machine(name)

    def test_every_kind_by_isf(self):
        for name in ("win7601-tiny", "win9600-tiny", "win19041-tiny", "win22000-tiny"):
            self.check_machine(name, "--symbols", machine_symbols(name))


class PageFile(unittest.TestCase):
    maxDiff = 4000

    def test_bytes(self):
        t = machine_truth(PAGED)
        with open(pagefile(), "rb") as f:
            for x in t["pagefile"][::7]:
                f.seek(x["offset"])
                got, data = read_raw(PAGED, [*space_of(t, x["dtb"]), *options_of(PAGED)], x["va"])
                self.assertEqual(got.status, 0, got.err)
                self.assertEqual(data, f.read(PAGE), hex(x["va"]))

    def test_transition_prototype_and_zeros(self):
        t = machine_truth("win19041-tiny")
        path = machine("win19041-tiny")
        counts = collections.Counter()
        with open(path, "rb") as f:
            for x in t["translations"]:
                pa = x.get("soft_pa")
                if counts[x["kind"]] >= 6 or (pa is None and x["kind"] != "demandzero"):
                    continue
                counts[x["kind"]] += 1
                want = bytes(PAGE)
                if pa is not None:
                    f.seek(pa)
                    want = f.read(PAGE)
                got, data = read_raw("win19041-tiny", space_of(t, x["dtb"]), x["va"])
                self.assertEqual(got.status, 0, got.err)
                self.assertEqual(data, want, x)
        self.assertEqual(set(counts), {"transition", "prototype", "demandzero"})

    def test_processes_are_complete(self):
        t = machine_truth(PAGED)
        for command in ("info", "ps", "modules", "cpus"):
            got = run(command, "--format", "json", *options_of(PAGED), machine(PAGED))
            self.assertEqual((got.status, got.err), (0, ""), command)
        rows = run("ps", "--format", "json", *options_of(PAGED), machine(PAGED)).json()
        wants = [expected_process(p) for p in t["processes"] if p["listed"]]
        self.assertEqual([{k: row[k] for k in want} for row, want in zip(rows, wants)], wants)
        self.assertEqual(len(rows), len(wants))

    def first(self):
        t = machine_truth(PAGED)
        x = t["pagefile"][0]
        return x, space_of(t, x["dtb"])

    def test_without_the_file(self):
        x, space = self.first()
        got, rows = vtop(PAGED, space, [x["va"]])
        self.assertEqual(rows[0]["state"], "pagefile")
        self.assertEqual(number(rows[0]["pagefile_offset"]), x["offset"])
        self.assertEqual(rows[0]["reason"], "the page file was not given")
        got, data = read_raw(PAGED, space, x["va"])
        self.assertEqual(got.status, 1)
        self.assertIn("--pagefile", got.err)
        got = run("read", *space, machine(PAGED), address(x["va"]))
        self.assertEqual(got.status, 3)
        self.assertIn("--pagefile", got.err)

    def test_under_another_number(self):
        x, space = self.first()
        got, rows = vtop(PAGED, [*space, "--pagefile", "1=" + pagefile()], [x["va"]])
        self.assertFalse(rows[0]["readable"])
        got, rows = vtop(PAGED, [*space, "--pagefile", "0=" + pagefile()], [x["va"]])
        self.assertTrue(rows[0]["readable"])

    def test_cut_short(self):
        t = machine_truth(PAGED)
        dtb = self.first()[0]["dtb"]
        entries = sorted((x for x in t["pagefile"] if x["dtb"] == dtb),
                         key=lambda x: x["offset"])
        space = space_of(t, entries[0]["dtb"])
        with tempfile.NamedTemporaryFile() as short, open(pagefile(), "rb") as f:
            short.write(f.read(entries[1]["offset"] + PAGE - 1))
            short.flush()
            got, rows = vtop(PAGED, [*space, "--pagefile", short.name],
                             [x["va"] for x in entries[:3]])
        self.assertEqual([r["readable"] for r in rows], [True, False, False])
        self.assertEqual(rows[1]["reason"], "the page file ends before it")

    def test_bad_words(self):
        for word, said in (("16=x", "0 to 15"), ("/nowhere/pagefile.sys", "No such file"),
                           ("/", "page file 0")):
            got = run("ps", "--pagefile", word, machine(PAGED))
            self.assertNotEqual(got.status, 0)
            self.assertIn(said, got.err)
            self.assertEqual(got.out, "")
        got = run("ps", "--pagefile", pagefile(), "--pagefile", "0=" + pagefile(),
                  machine(PAGED))
        self.assertEqual(got.status, 2)
        self.assertIn("twice", got.err)


class Damage(unittest.TestCase):
    """A prototype PTE that is changed costs the pages behind it, and says why."""

    def prototype(self, t):
        for x in t["translations"]:
            if x["kind"] == "prototype" and x["soft_pa"] is not None and x["pte"] >> 32 != 0xffffffff:
                return x, (x["pte"] >> 16) | 0xffff << 48
        raise LookupError("no prototype")

    def test_prototype_pte(self):
        name = "win19041-tiny"
        t = machine_truth(name)
        x, proto = self.prototype(t)
        itself = (proto << 16 & (1 << 64) - 1) | 0x400
        for value, state, readable in ((0, "prototype", False), (itself, "prototype", False),
                                       (0xffffffff00000460, "prototype", False),
                                       (0x80, "demand_zero", True),
                                       (0x7ffff000 << 12 | 1, "not_captured", False),
                                       (0x00001234_00000090, "pagefile", False)):
            with harness.Damaged(machine(name), [(proto, value.to_bytes(8, "little"))]) as broken:
                got = run("vtop", "--brief", "--format", "json", "--columns", COLUMNS,
                          *space_of(t, x["dtb"]), broken, address(x["va"]))
                row, = got.json()
                self.assertEqual((row["state"], row["readable"]), (state, readable), hex(value))


if __name__ == "__main__":
    harness.main()
