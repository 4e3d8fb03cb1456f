# SPDX-License-Identifier: MIT
"""registers --tid: what is saved of a thread, in the machines and written into them."""
import struct
import unittest

import harness

MASK = (1 << 64) - 1
X86_FLAGS = 0x1003F
WINDOWS = ("win7601-tiny", "win9600-tiny", "win19041-tiny", "win22000-tiny")


def offsets(path, type_name, *names):
    rows = {row["name"]: row["offset"]
            for row in harness.run("type", "--format", "json", path, type_name).json()}
    return [harness.number(rows[name]) for name in names]


def contexts(result):
    """source -> {register: value}"""
    found = {}
    for row in result.json():
        found.setdefault(row["source"], {})[row["register"]] = harness.number(row["value"])
    return found


class ThreadRegisters(unittest.TestCase):
    def threads(self, truth):
        for process in truth["processes"]:
            if process["listed"] and not process["terminated"]:
                for thread in process["threads"]:
                    yield process, thread

    def registers(self, path, tid, *words):
        return harness.run("registers", "--format", "json", "--columns",
                           "tid,cpu,source,address,register,value", "--tid", tid, *words, path)

    def test_every_thread_that_waits_has_a_switch_frame(self):
        for name in WINDOWS:
            path, truth = harness.machine(name), harness.machine_truth(name)
            base, size = truth["kernel"]["base"] & MASK, truth["kernel"]["size"]
            for process, thread in self.threads(truth):
                if thread["state"] != 5 or thread["terminated"]:
                    continue
                with self.subTest(machine=name, tid=thread["tid"]):
                    found = contexts(self.registers(path, thread["tid"]))
                    frame = found["switch_frame"]
                    self.assertTrue(base <= frame["rip"] < base + size, frame)
                    self.assertIsNone(frame["rax"])

    def test_the_stack_begins_there(self):
        path, truth = harness.machine("win19041-tiny"), harness.machine_truth("win19041-tiny")
        _, thread = next((p, t) for p, t in self.threads(truth) if t["state"] == 5)
        frame = contexts(self.registers(path, thread["tid"]))["switch_frame"]
        first = harness.run("stack", "--format", "json", "--tid", thread["tid"], path).json()[0]
        self.assertEqual(harness.number(first["rip"]), frame["rip"])
        self.assertEqual(harness.number(first["child_sp"]), frame["rsp"])

    def test_wow64_and_trap_frame(self):
        """Records written into the image come out, register by register."""
        for name in WINDOWS:
            path, truth = harness.machine(name), harness.machine_truth(name)
            process, thread = next((p, t) for p, t in self.threads(truth)
                                   if p["wow64"] and t["state"] == 5)
            slots, = offsets(path, "_TEB", "TlsSlots")
            trap, = offsets(path, "_KTHREAD", "TrapFrame")
            rip, cs, rsp, flags = offsets(path, "_KTRAP_FRAME", "Rip", "SegCs", "Rsp", "EFlags")
            record = bytearray(0x2CC)
            for at in range(4, len(record), 4):
                struct.pack_into("<I", record, at, 0xC0DE0000 + at)
            struct.pack_into("<I", record, 0, X86_FLAGS)
            reserved = thread["teb"] + 0x800  # of the TEB itself: surely there
            frame = struct.pack("<Q", (harness.number(
                self.registers(path, thread["tid"]).json()[0]["address"]) & -0x1000) + 0x200)
            frame_va = struct.unpack("<Q", frame)[0]
            user = [(thread["teb"] + slots + 8, struct.pack("<Q", reserved)),
                    (reserved, struct.pack("<HH", 0, 0x14C) + bytes(record))]
            kernel = [((thread["va"] & MASK) + trap, frame),
                      (frame_va + rip, struct.pack("<Q", 0x77001234)),
                      (frame_va + cs, struct.pack("<H", 0x23)),
                      (frame_va + rsp, struct.pack("<Q", 0x8F000)),
                      (frame_va + flags, struct.pack("<I", 0x246))]
            with self.subTest(machine=name), \
                    harness.Damaged(path, user, "--pid", process["pid"]) as one, \
                    harness.Damaged(one, kernel) as both:
                result = self.registers(both, thread["tid"])
                found = contexts(result)
                self.assertEqual(result.status, 0, result.err)
                self.assertEqual((found["wow64"]["edi"], found["wow64"]["eax"],
                                  found["wow64"]["eip"], found["wow64"]["esp"]),
                                 (0xC0DE009C, 0xC0DE00B0, 0xC0DE00B8, 0xC0DE00C4))
                self.assertNotIn("r8", found["wow64"])
                self.assertEqual((found["trap_frame"]["rip"], found["trap_frame"]["cs"],
                                  found["trap_frame"]["rsp"], found["trap_frame"]["rflags"]),
                                 (0x77001234, 0x23, 0x8F000, 0x246))
                self.assertIsNone(found["trap_frame"]["rbx"])

    def test_dangling_pointers(self):
        path, truth = harness.machine("win19041-tiny"), harness.machine_truth("win19041-tiny")
        _, thread = next((p, t) for p, t in self.threads(truth) if t["state"] == 5)
        stack, trap = offsets(path, "_KTHREAD", "KernelStack", "TrapFrame")
        va = thread["va"] & MASK
        changes = [(va + stack, b"\xff" * 8), (va + trap, b"\x01" * 8)]
        with harness.Damaged(path, changes) as broken:
            result = self.registers(broken, thread["tid"])
        self.assertEqual((result.status, result.json()), (3, []))
        self.assertIn("its switch frame", result.err)
        self.assertIn("its trap frame", result.err)

    def test_no_such_thread(self):
        path = harness.machine("win19041-tiny")
        result = harness.run("registers", "--tid", 3, path)
        self.assertEqual(result.status, 1)
        self.assertIn("no thread has the id 3", result.err)


if __name__ == "__main__":
    harness.main()
