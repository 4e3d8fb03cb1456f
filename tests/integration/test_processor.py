# SPDX-License-Identifier: MIT
"""registers, cpus, idt and gdt against QEMU's `info registers` and the windows-like machines."""
import unittest

import harness
from harness import MACHINES, address, image, machine, machine_truth, run, truth
from test_qemu import LINUX, NT, linux_truth, nt_file, nt_truth

PLAIN = ("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9", "r10", "r11", "r12",
         "r13", "r14", "r15", "rip", "cr0", "cr2", "cr3", "cr4")
SEGMENTS = ("cs", "ds", "es", "fs", "gs", "ss", "tr", "ldtr")
# QEMU's note has none of these
UNKNOWN = ("dr0", "dr1", "dr2", "dr3", "dr6", "dr7", "cr8", "efer", "star", "lstar", "cstar",
           "sfmask", "mxcsr")
COLUMNS = {"cpu", "register", "value", "flags", "source"}


def expected_registers(t):
    """The truth's `info registers` under our names."""
    want = {name: int(t[name], 16) for name in PLAIN}
    want["rflags"] = int(t["rfl"], 16)
    for name, there in (("gdtr", "gdt"), ("idtr", "idt")):
        want[name + "_base"] = int(t[there]["base"], 16)
        want[name + "_limit"] = int(t[there]["limit"], 16)
    for name in SEGMENTS:
        segment = t["ldt" if name == "ldtr" else name]
        flags = int(segment["flags"], 16)
        want[name] = int(segment["sel"], 16)
        want[name + "_base"] = int(segment["base"], 16)
        want[name + "_limit"] = int(segment["limit"], 16)
        want[name + "_access"] = (flags >> 8 & 0xff) | (flags >> 20 & 0xf) << 8
    return want


class Qemu(unittest.TestCase):
    maxDiff = 4000

    def check(self, path, cpus):
        rows = run("registers", "--format", "json", path).json()
        self.assertEqual(set(rows[0]), COLUMNS)
        for number, cpu in enumerate(cpus):
            with self.subTest(path, cpu=number):
                got = {r["register"]: r for r in rows if r["cpu"] == number}
                want = expected_registers(cpu["registers"])
                self.assertEqual({k: int(got[k]["value"], 16) for k in want}, want)
                for name in UNKNOWN:
                    self.assertIsNone(got[name]["value"], name)
                self.assertEqual("LA57" in got["cr4"]["flags"].split("|"), cpu["la57"])
                self.assertEqual(set(got) - set(want) - set(UNKNOWN), {"kernel_gs_base"})

    def test_registers(self):
        for variant in LINUX:
            self.check(harness.member(f"qemu/{variant}", "dump.elf"), linux_truth(variant)["cpus"])
        for variant in NT:
            self.check(nt_file(variant, "dump.elf"), nt_truth(variant)["cpus"])

    def test_one_processor(self):
        path = harness.member("qemu/a", "dump.elf")
        rows = run("registers", "--cpu", "1", "--format", "json", path).json()
        self.assertEqual({r["cpu"] for r in rows}, {1})
        self.assertEqual(run("registers", "--cpu", "9", path).status, 1)

    def test_descriptor_tables_without_windows(self):
        """Through the processor's own page tables; what runs is named where QEMU says so."""
        path = harness.member("qemu/a", "dump.elf")
        cpu = linux_truth("a")["cpus"][0]["registers"]
        rows = run("idt", "--cpu", "0", "--format", "json", path).json()
        gates = {int(r["vector"], 16): r for r in rows}
        self.assertEqual(len(gates), 256)
        self.assertEqual((gates[14]["name"], gates[14]["dpl"]), ("page fault", 0))
        self.assertEqual(gates[3]["dpl"], 3)
        self.assertIsNone(gates[0x1f]["name"])
        rows = run("gdt", "--cpu", "0", "--format", "json", path).json()
        by_selector = {int(r["selector"], 16): r for r in rows}
        for name in ("cs", "ss", "tr"):
            segment = cpu[name]
            row = by_selector[int(segment["sel"], 16)]
            with self.subTest(name):
                self.assertEqual(int(row["base"], 16), int(segment["base"], 16))
                self.assertEqual(int(row["limit"], 16), int(segment["limit"], 16))
        self.assertTrue(by_selector[int(cpu["cs"]["sel"], 16)]["long_mode"])


class WindowsLike(unittest.TestCase):
    maxDiff = 4000

    def test_tables_are_where_they_are(self):
        for name in MACHINES:
            with self.subTest(name):
                t = machine_truth(name)
                rows = run("cpus", "--format", "json", machine(name)).json()
                self.assertEqual([(r["idt"], r["gdt"]) for r in rows],
                                 [(address(c["idt"]), address(c["gdt"])) for c in t["cpus"]])
                self.assertEqual({r["paging_mode"] for r in rows}, {"long"})
                for row in rows:
                    self.assertIsNotNone(row["irql"])
                    self.assertTrue(row["lstar_agrees"], row)

    def test_interrupt_handlers(self):
        for name in MACHINES:
            with self.subTest(name):
                t = machine_truth(name)
                got = run("idt", "--format", "json", machine(name))
                rows = got.json()
                self.assertEqual({r["cpu"] for r in rows}, set(range(t["system"]["ncpu"])))
                modules = {m["name"]: m for m in t["modules"]}
                for row in rows:
                    handler = int(row["handler"], 16)
                    module = modules[row["module"]]
                    self.assertEqual(handler - (module["base"] & (1 << 64) - 1),
                                     int(row["offset"], 16))
                    self.assertLess(int(row["offset"], 16), module["size"])
                    self.assertEqual((row["type"], row["selector"]), ("interrupt", "0x10"))
                names = {int(r["vector"], 16): r["name"] for r in rows}
                self.assertEqual((names[0x1f], names[0x2f]), ("APC", "DPC"))
                ring3 = {int(r["vector"], 16) for r in rows if r["dpl"] == 3}
                self.assertEqual(ring3 & {3, 4, 14}, {3, 4})
                every = run("idt", "--all", "--cpu", "0", "--format", "json", machine(name)).json()
                self.assertEqual([int(r["vector"], 16) for r in every], list(range(256)))

    def test_segments(self):
        for name in MACHINES:
            with self.subTest(name):
                rows = run("gdt", "--cpu", "0", "--format", "json", machine(name)).json()
                by_name = {r["name"]: r for r in rows}
                self.assertEqual(by_name["kernel code"]["selector"], "0x10")
                self.assertTrue(by_name["kernel code"]["long_mode"])
                self.assertEqual(by_name["64-bit code"]["dpl"], 3)
                self.assertFalse(by_name["32-bit code"]["long_mode"])
                self.assertEqual(by_name["task state"]["type"], "tss_busy")


class HalfAbsent(unittest.TestCase):
    def test_real_machine(self):
        path = image("real/real17763-a.elf")
        cpu = truth("real/real17763-a.truth.json")["cpu"]
        rows = run("registers", "--format", "json", path).json()
        got = {r["register"]: r for r in rows}
        for name in ("cr3", "rip", "rsp", "gs_base"):
            self.assertEqual(got[name]["value"], cpu[name])
        self.assertIsNone(got["lstar"]["value"])
        idt = run("idt", "--format", "json", path).json()
        self.assertEqual({r["module"] for r in idt}, {"ntoskrnl.exe"})
        gdt = run("gdt", "--format", "json", path)
        self.assertEqual(gdt.status, 3)
        self.assertIn("absent entries of the GDT", gdt.err)

    def test_triage(self):
        """A small dump: one IDT happens to be in a page that was captured up to vector 15."""
        got = run("idt", "--format", "json", image("real/triage/triage_x64.dmp"))
        rows = got.json()
        self.assertEqual(got.status, 3)
        self.assertEqual([(r["cpu"], int(r["vector"], 16), r["module"]) for r in rows],
                         [(12, vector, "ntoskrnl.exe") for vector in range(16)])
        self.assertIn("cpu 12: 240 of 256 entries", got.err)
        self.assertIn("cpu 0: 256 of 256 entries", got.err)


if __name__ == "__main__":
    harness.main()
