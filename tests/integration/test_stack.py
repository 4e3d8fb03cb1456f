# SPDX-License-Identifier: MIT
"""Call stacks of real dumps: against WinDbg's and rizin's, and of a machine with unwind data."""
import os
import re
import struct
import unittest

import harness
from harness import image, number, run


def triage(name):
    return image(os.path.join("real", "triage", name))


def text_of(name):
    with open(triage(name), encoding="utf-8", errors="replace") as f:
        return f.read()


def windbg_frames():
    """(child SP, return address) of WinDbg's kv."""
    frames = []
    for line in text_of("kv.txt").splitlines():
        words = line.replace("`", "").split()
        if len(words) > 3 and re.fullmatch(r"[0-9a-f]{2}", words[0]):
            frames.append((int(words[1], 16), int(words[2], 16)))
    return frames


def rizin_frames():
    """(RIP, SP) of rizin's backtrace of triage_x64.dmp, its closing zero left out."""
    text = text_of("rizin-test-db-formats-dmp.txt")
    part = text[text.index("NAME=: Triage Dump Debug x64"):]
    rows = re.findall(r"^\d+ +(0x[0-9a-f]+) +sp: (0x[0-9a-f]+)", part[:part.index("RUN")], re.M)
    return [(int(rip, 16), int(sp, 16)) for rip, sp in rows if int(rip, 16)]


def stack(*args):
    result = run("stack", "--format", "json", *args)
    return result.json()


class Stack(unittest.TestCase):
    maxDiff = 4000

    def test_windbg(self):
        # The dump has no page of the kernel's tables: frames come from a scan, which takes one
        # return address for more, a leftover of the system call's own.
        want = windbg_frames()
        rows = stack(triage("083125-14875-01.dmp"))
        got = [(number(r["child_sp"]), number(r["return_address"])) for r in rows]
        self.assertEqual(len(want), 4)
        self.assertEqual(got[:2], want[:2])
        self.assertEqual([r["found_by"] for r in rows],
                         ["context", "scan", "scan", "scan", "trap_frame"])
        self.assertEqual(got[2][0], want[2][0])
        self.assertEqual(got[3][1], want[2][1])
        self.assertEqual(got[4][0], want[3][0])
        self.assertIsNone(got[4][1])
        # "Args to Child" of the first two frames
        self.assertEqual([number(rows[0][f"home{i}"]) for i in (1, 2, 3, 4)],
                         [0x4a, 0x7ffe7350d0c4, 2, 0])
        self.assertEqual([number(rows[1][f"home{i}"]) for i in (1, 2, 3, 4)],
                         [0, 0xffff24734c998063, 0x104ae, 0x22e9aabec50])

    def test_rizin(self):
        want = rizin_frames()
        rows = stack(triage("triage_x64.dmp"))
        got = [(number(r["rip"]), number(r["child_sp"])) for r in rows]
        self.assertEqual(len(want), 36)
        # all of them, in their order, among those that a scan finds
        at = iter(got)
        for frame in want:
            self.assertIn(frame, at, [hex(x) for x in frame])
        # what faulted was interrupted, not called
        trap = [r for r in rows if r["found_by"] == "trap_frame"]
        self.assertEqual([number(r["rip"]) for r in trap], [0xfffff8048b58334c])

    def test_the_crash_comes_first(self):
        # whatever the processor's number: the context record in the dump's header, but in
        # triage_x64.dmp, whose record is the exception's
        for name in ("083125-14875-01.dmp", "100623-4953-01.dmp", "102622-15671-01.dmp",
                     "040124-5218-01.dmp"):
            with self.subTest(name), open(triage(name), "rb") as f:
                head = f.read(0x1000)
                rows = stack(triage(name))
                rsp, rip = (struct.unpack_from("<Q", head, 0x348 + at)[0] for at in (0x98, 0xf8))
                self.assertEqual(number(rows[0]["rip"]), rip)
                self.assertEqual(number(rows[0]["child_sp"]), rsp)
                self.assertGreater(len(rows), 2)

    def test_threads_of_triage_dumps(self):
        path = triage("083125-14875-01.dmp")
        rows = stack(path)
        for args in (["--tid", rows[0]["tid"]], ["--pid", rows[0]["pid"]],
                     ["--cpu", rows[0]["cpu"]], ["--all"]):
            self.assertEqual(stack(*args, path), rows, args)
        self.assertEqual(run("stack", "--tid", 1, path).status, 1)

    def test_unwind_data_of_real_images(self):
        # from a driver through a system call, by the images' own tables
        for path in ("real/real17763-a.elf", "real/real17763-a.dmp"):
            rows = stack(image(path))
            self.assertEqual([(r["module"], number(r["offset"])) for r in rows[:-1]],
                             [("cng.sys", 0x1342c), ("cng.sys", 0x12f5f), ("cng.sys", 0xff6a),
                              ("ntoskrnl.exe", 0x78ae9), ("ntoskrnl.exe", 0x5f6fa1),
                              ("ntoskrnl.exe", 0x62236a), ("ntoskrnl.exe", 0x598cd6),
                              ("ntoskrnl.exe", 0x1c5088)])
            self.assertEqual([r["found_by"] for r in rows],
                             ["context"] + ["unwind"] * 7 + ["trap_frame"])
            self.assertLess(number(rows[-1]["rip"]), 1 << 47)

    def test_scans_alone(self):
        # these images have no unwind data: every frame is one of the saved context, of a trap
        # frame or of a scan
        rows = stack("--all", image("windows-like/win19041-tiny.raw"))
        self.assertLessEqual({r["found_by"] for r in rows},
                             {"context", "scan", "trap_frame", "frame_pointer"})


if __name__ == "__main__":
    harness.main()
