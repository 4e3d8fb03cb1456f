# SPDX-License-Identifier: MIT
"""vtop --pte: where each entry is mapped, and what it says."""
import collections
import unittest

import harness

BASES = {"pt": 0, "pd": 1, "pdpt": 2, "pml4": 3}  # how often the tables map themselves
MASK = (1 << 64) - 1
PER_KIND = 12  # of each kind and root
DETAILS = {"transition": "transition; PAGE_", "prototype": "prototype ",
           "pagefile": "page file ", "demandzero": "demand zero; PAGE_"}


def entry_of(pte_base, va):
    return pte_base + ((va & (1 << 48) - 1) >> 12) * 8 & MASK


class Pte(unittest.TestCase):
    def rows(self, path, dtb, addresses):
        text = "".join(f"{va & MASK:x}\n" for va in addresses)
        result = harness.run("vtop", "--pte", "--format", "json", "--dtb", f"{dtb:x}", path, "-",
                             stdin=text)
        rows = collections.defaultdict(list)
        for row in result.json():
            rows[harness.number(row["va"])].append(row)
        return rows

    def check_addresses(self, truth, rows):
        for va, steps in rows.items():
            for step in steps:
                if step["level"] not in BASES:
                    continue
                expected = va
                for _ in range(BASES[step["level"]] + 1):
                    expected = entry_of(truth["pte_base"] & MASK, expected)
                self.assertEqual(harness.number(step["entry_va"]), expected, step)

    def check_kind(self, kind, row, steps):
        last = [step for step in steps if step["level"] != "prototype"][-1]
        if row["pa"] is not None:
            self.assertRegex(last["pte"], r"^[C-][G-][L-][D-][A-][N-][T-][UK][WR][E-]V$")
            offset = row["va"] & (0xFFF if last["pte"][2] == "-" else
                                  (1 << 21) - 1 if last["level"] == "pd" else (1 << 30) - 1)
            self.assertEqual(harness.number(last["pfn"]) << 12, row["pa"] - offset, steps)
        elif "pte" in row and last["level"] == "pt":
            self.assertEqual(harness.number(last["entry"]), row["pte"], steps)
            self.assertTrue(last["detail"].startswith(DETAILS[kind]), last)
            if kind == "transition":
                self.assertEqual(harness.number(last["pfn"]) << 12, row["soft_pa"])

    def test_machines(self):
        for name in harness.MACHINES:
            path, truth = harness.machine(name), harness.machine_truth(name)
            picked = collections.defaultdict(list)
            for row in truth["translations"]:
                if row["kind"] not in ("shadow", "session", "selfmap") and \
                        sum(r["kind"] == row["kind"] for r in picked[row["dtb"]]) < PER_KIND:
                    picked[row["dtb"]].append(row)
            for dtb, chosen in list(picked.items())[:6]:
                with self.subTest(machine=name, dtb=hex(dtb)):
                    rows = self.rows(path, dtb, [row["va"] for row in chosen])
                    self.check_addresses(truth, rows)
                    for row in chosen:
                        self.check_kind(row["kind"], row, rows[row["va"] & MASK])

    def test_entries_are_where_they_are_said_to_be(self):
        """Read through the mapping, each entry is the one that the walk saw."""
        path, truth = harness.machine("win19041-tiny"), harness.machine_truth("win19041-tiny")
        addresses = [row["va"] for row in truth["translations"] if row["dtb"] == truth["dtb"]]
        seen = 0
        for steps in list(self.rows(path, truth["dtb"], addresses).values())[:40]:
            for step in steps:
                row, = harness.run("read", "--format", "json", "--length", 8, path,
                                   step["entry_va"]).json()
                self.assertEqual(int.from_bytes(bytes.fromhex(row["bytes"]), "little"),
                                 harness.number(step["entry"]), step)
                seen += 1
        self.assertGreater(seen, 100)

    def test_page_file_numbers(self):
        for name in ("win7601-tiny", "win19041-tiny"):
            path, truth = harness.machine(name), harness.machine_truth(name)
            rows = [row for row in truth["translations"] if row["kind"] == "pagefile"][:20]
            shift = 1 if name == "win7601-tiny" else 12
            for row in rows:
                step = self.rows(path, row["dtb"], [row["va"]])[row["va"] & MASK][-1]
                number = row["pte"] >> shift & 0xF
                self.assertTrue(step["detail"].startswith(f"page file {number}, offset 0x"), step)


if __name__ == "__main__":
    harness.main()
