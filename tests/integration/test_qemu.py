# SPDX-License-Identifier: MIT
"""vtop against QEMU's own translations (gva2gpa and info tlb), 4 and 5 levels, ELF and raw."""
import os
import unittest

import harness
from harness import image, member, run, truth

LINUX = ("a", "b")
NT = ("nt-self4", "nt-self5", "nt-self4-q10", "nt-self5-q10")


def linux_truth(variant):
    import json
    with open(member(f"qemu/{variant}-truth", "truth.json")) as f:
        return json.load(f)


def nt_truth(variant):
    import json
    with open(nt_file(variant, "truth.json")) as f:
        return json.load(f)


def nt_file(variant, name):
    for folder, _, files in os.walk(image("qemu/nt")):
        if os.path.basename(folder) == variant and name in files:
            return os.path.join(folder, name)
    raise FileNotFoundError(name)


def memory_map(t):
    """--memory-map for mem.raw, which leaves the machine's holes out."""
    return ",".join(f"{pa:x}-{pa + length:x}@{offset:x}" for pa, length, offset in t["raw_runs"])


class Vtop(unittest.TestCase):
    def check(self, path, cpu, options):
        rows = cpu["translations"]
        stdin = "".join(f"0x{va}\n" for va, _ in rows)
        got = run("vtop", "--brief", "--format", "json", "--dtb", "0x" + cpu["cr3"], *options,
                  path, "-", stdin=stdin).json()
        self.assertEqual(len(got), len(rows))
        for row, (va, pa) in zip(got, rows):
            want = None if pa is None else int(pa, 16)
            have = None if row["pa"] is None else int(row["pa"], 16)
            self.assertEqual((int(row["va"], 16), have), (int(va, 16), want), row)

    def check_tlb(self, path, cpu, options):
        """flags as of QEMU's `info tlb`: X (no execute), ..., U, W"""
        rows = [(int(va, 16) + i * size, int(pa, 16) + i * size, size, flags)
                for va, pa, size, pages, flags in cpu["tlb"] for i in {0, pages - 1}]
        stdin = "".join(f"0x{row[0]:x}\n" for row in rows)
        got = run("vtop", "--brief", "--format", "json", "--dtb", "0x" + cpu["cr3"], *options,
                  path, "-", stdin=stdin).json()
        for row, (va, pa, size, flags) in zip(got, rows):
            self.assertEqual((int(row["va"], 16), int(row["pa"], 16), row["page_size"]),
                             (va, pa, size))
            access = row["access"]
            # QEMU prints the leaf's own bits; over all levels rights only get fewer
            if "W" in access:
                self.assertIn("W", flags, row)
            if "U" in access:
                self.assertIn("U", flags, row)
            if "X" in flags:
                self.assertNotIn("X", access, row)

    def test_linux(self):
        for variant in LINUX:
            t = linux_truth(variant)
            elf = member(f"qemu/{variant}", "dump.elf")
            paging = member(f"qemu/{variant}", "dump-paging.elf")
            raw = member(f"qemu/{variant}", "mem.raw")
            for number, cpu in enumerate(t["cpus"]):
                levels = ("--levels", 5 if cpu["la57"] else 4)
                with self.subTest(variant=variant, cpu=number):
                    self.check(elf, cpu, ())
                    self.check(raw, cpu, (*levels, "--memory-map", memory_map(t)))
                    self.check(elf, cpu, ("--cpu", number))
                    self.check_tlb(elf, cpu, ())
                    self.check(paging, cpu, ())

    def test_nt(self):
        for variant in NT:
            t = nt_truth(variant)
            for number, cpu in enumerate(t["cpus"]):
                levels = ("--levels", 5 if cpu["la57"] else 4)
                with self.subTest(variant=variant, cpu=number):
                    self.check(nt_file(variant, "dump.elf"), cpu, ())
                    self.check(nt_file(variant, "dump.dmp"), cpu, levels)
                    if variant in ("nt-self4", "nt-self5"):
                        self.check(nt_file(variant, "image.raw"), cpu, levels)
                    self.check_tlb(nt_file(variant, "dump.elf"), cpu, ())


if __name__ == "__main__":
    harness.main()
