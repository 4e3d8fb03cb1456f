# SPDX-License-Identifier: MIT
"""A real machine of which 933 pages were captured, as ELF core and as bitmap crash dump."""
import unittest

import harness
from harness import filetime, image, run, truth

PATHS = ("real/real17763-a.elf", "real/real17763-a.dmp")
# not present to the hardware; Windows' own bits in the entry may say more
SOFTWARE = {"not_present", "transition", "prototype", "pagefile", "demand_zero"}


class Real17763(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.truth = truth("real/real17763-a.truth.json")

    def test_info(self):
        for path in PATHS:
            with self.subTest(path):
                info = run("info", "--format", "json", image(path)).json()
                self.assertEqual(info["dtb"], self.truth["dtb"])
                self.assertEqual(info["kernel_base"], self.truth["kernel_base"])
                self.assertEqual(info["build"], self.truth["build"])
                self.assertEqual(info["physical_pages"], self.truth["pages"])
                self.assertEqual(info["system_time"],
                                 filetime(self.truth["system_time_filetime"]))

    def test_modules(self):
        for path in PATHS:
            with self.subTest(path):
                rows = run("modules", "--format", "json", image(path)).json()
                want = [{**m, "path": m["path"] or None} for m in self.truth["modules"]]
                self.assertEqual(len(rows), 198)
                for row, module in zip(rows, want):
                    if module["path"] is None:
                        module["path"] = row["path"]  # the truth did not look for it
                    self.assertEqual({k: row[k] for k in module}, module)

    def test_ps(self):
        for path in PATHS:
            with self.subTest(path):
                got = run("ps", "--format", "json", image(path))
                current = self.truth["current_process"]
                self.assertEqual(got.status, 3)
                self.assertIn("cannot be followed", got.err)
                row, = [r for r in got.json() if r["pid"] == current["pid"]]
                self.assertEqual((row["ppid"], row["name"], row["eprocess"]),
                                 (current["ppid"], current["name"], current["eprocess"]))
                self.assertEqual(int(row["dtb"], 16), int(current["dtb"], 16) & ~0xfff)

    def test_cpus(self):
        row, = run("cpus", "--format", "json", image(PATHS[0])).json()
        cpu = self.truth["cpu"]
        self.assertEqual(row["kpcr"], cpu["gs_base"])
        self.assertEqual((row["cr3"], row["rip"], row["rsp"]),
                         (cpu["cr3"], cpu["rip"], cpu["rsp"]))
        self.assertEqual(row["current_thread"], self.truth["current_thread"])
        self.assertEqual(row["current_process"], self.truth["current_process"]["eprocess"])
        self.assertIsNone(row["lstar"])  # neither the notes nor the kernel's copy have it

    def test_walks(self):
        walks = self.truth["translations"]
        stdin = "".join(w["va"] + "\n" for w in walks)
        for path in PATHS:
            with self.subTest(path):
                got = run("vtop", "--brief", "--format", "json", image(path), "-", stdin=stdin)
                rows = got.json()
                self.assertEqual(len(rows), 1248)
                for row, walk in zip(rows, walks):
                    if walk["reason"] == "not_present":
                        self.assertIn(row["state"], SOFTWARE)
                    elif walk["reason"] == "table_not_in_snapshot":
                        self.assertEqual(row["state"], "table_not_captured")
                    else:
                        self.assertEqual(row["state"],
                                         "mapped" if walk["captured"] else "not_captured")
                    self.assertEqual((row["va"], row["pa"]), (walk["va"], walk["pa"]))
                self.assertEqual(got.status, 3)


if __name__ == "__main__":
    harness.main()
