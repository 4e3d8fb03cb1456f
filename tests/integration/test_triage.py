# SPDX-License-Identifier: MIT
"""Real small dumps against WinDbg's and rizin's own output."""
import os
import re
import struct
import unittest

import harness
from harness import image, run

# file: bug check, parameters, build, process, drivers; the first two columns are the dump header's
# own words, which rizin and WinDbg print as well
DUMPS = {
    "triage_x64.dmp": 19041,
    "083125-14875-01.dmp": 19041,
    "100623-4953-01.dmp": 19041,
    "102622-15671-01.dmp": 19041,
    "040124-5218-01.dmp": 19041,
}
PROCESS_NAMES = {
    "083125-14875-01.dmp": "notmyfault64.e",
    "102622-15671-01.dmp": "svchost.exe",
    "040124-5218-01.dmp": "UIEngine.exe",
    "triage_x64.dmp": "System",
}


def path_of(name):
    return image(os.path.join("real", "triage", name))


def text_of(name):
    with open(path_of(name), encoding="utf-8", errors="replace") as f:
        return f.read()


def windbg_modules():
    """start, end, image name, stamp of WinDbg's `lm t n`, up to its unloaded modules."""
    rows = []
    for line in text_of("lm_t_n.txt").splitlines():
        if line.startswith("Unloaded"):
            break
        m = re.match(r"([0-9a-f`]{17}) ([0-9a-f`]{17})\s+(\S+)\s+(\S+)\s+(.*)$", line)
        if m:
            start, end = (int(x.replace("`", ""), 16) for x in m.group(1, 2))
            stamp = re.search(r"\(([0-9A-F]{8})\)|^([0-9A-F]{8}) ", m.group(5))
            rows.append((start, end, m.group(4),
                         int(next(x for x in stamp.groups() if x), 16) if stamp else None))
    return rows


def rizin_fields():
    """The header fields that rizin prints for triage_x64.dmp."""
    text = text_of("rizin-test-db-formats-dmp.txt")
    part = text[text.index("NAME=: Triage Dump Debug x64"):]
    return {k: int(v, 16) for k, v in re.findall(r"^  (\w+) : (0x[0-9a-f]+)",
                                                   part[:part.index("RUN")], re.M)}


class Triage(unittest.TestCase):
    maxDiff = 4000

    def test_info_of_every_dump(self):
        for name, build in DUMPS.items():
            with self.subTest(name), open(path_of(name), "rb") as f:
                head = f.read(0x2000)
                got = run("info", "--format", "json", path_of(name))
                info = got.json()
                self.assertEqual(got.status, 0, got.err)
                code, = struct.unpack_from("<I", head, 0x38)
                parameters = struct.unpack_from("<4Q", head, 0x40)
                self.assertEqual(int(info["bugcheck_code"], 16), code)
                self.assertEqual([int(x, 16) for x in info["bugcheck_parameters"]],
                                 list(parameters))
                self.assertEqual(info["build"], build)
                self.assertEqual(info["symbols"], f"builtin:build {build}")
                self.assertEqual(info["machine"], "amd64")
                self.assertEqual(info["cpus"], struct.unpack_from("<I", head, 0x34)[0])

    def test_info_agrees_with_rizin(self):
        fields = rizin_fields()
        info = run("info", "--format", "json", path_of("triage_x64.dmp")).json()
        self.assertEqual(int(info["bugcheck_code"], 16), fields["BugCheckCode"])
        self.assertEqual([int(x, 16) for x in info["bugcheck_parameters"]],
                         [fields[f"BugCheckParameter{i}"] for i in (1, 2, 3, 4)])
        self.assertEqual(int(info["dtb"], 16), fields["DirectoryTableBase"])
        self.assertEqual(info["build"], fields["MinorVersion"])
        modules = run("modules", "--format", "json", path_of("triage_x64.dmp")).json()
        self.assertEqual(len(modules), fields["DriverCount"])
        inside = [m for m in modules
                  if int(m["base"], 16) <= fields["PsLoadedModuleList"]
                  < int(m["base"], 16) + m["size"]]
        self.assertEqual([m["base"] for m in inside], [info["kernel_base"]])

    def test_bug_check_agrees_with_windbg(self):
        text = text_of("analyze_v.txt")
        info = run("info", "--format", "json", path_of("083125-14875-01.dmp")).json()
        self.assertEqual(int(info["bugcheck_code"], 16),
                         int(re.search(r"BUGCHECK_CODE:\s+(\w+)", text).group(1), 16))
        self.assertEqual([int(x, 16) for x in info["bugcheck_parameters"]],
                         [int(re.search(rf"BUGCHECK_P{i}: (\w+)", text).group(1), 16)
                          for i in (1, 2, 3, 4)])

    def test_modules_agree_with_windbg(self):
        rows = run("modules", "--format", "json", path_of("083125-14875-01.dmp")).json()
        got = sorted((int(r["base"], 16), int(r["base"], 16) + r["size"], r["name"],
                      int(r["time_date_stamp"], 16)) for r in rows)
        # WinDbg shows the kernel under the name in its symbols; the dump says ntoskrnl.exe
        want = sorted((a, b, "ntoskrnl.exe" if name == "ntkrnlmp.exe" else name, stamp)
                      for a, b, name, stamp in windbg_modules())
        self.assertGreater(len(want), 100)
        self.assertEqual([g[:3] for g in got], [w[:3] for w in want])
        for g, w in zip(got, want):
            if w[3] is not None:
                self.assertEqual(g[3], w[3], g)

    def test_process(self):
        for name in DUMPS:
            with self.subTest(name):
                got = run("ps", "--format", "json", path_of(name))
                rows = got.json()
                self.assertEqual(got.status, 0, got.err)
                self.assertEqual(len(rows), 1)
                self.assertEqual(rows[0]["source"], "triage")
                self.assertEqual(rows[0]["pid"] % 4, 0)
                if name in PROCESS_NAMES:
                    self.assertEqual(rows[0]["name"], PROCESS_NAMES[name])

    def test_processor_agrees_with_rizin(self):
        text = text_of("rizin-test-db-formats-dmp.txt")
        text = text[text.index("NAME=: Triage Dump Debug x64"):]
        want = {r: int(re.search(rf"^{r} = (0x[0-9a-f]+)", text, re.M).group(1), 16)
                for r in ("rip", "rsp")}
        rows = run("cpus", "--format", "json", path_of("triage_x64.dmp")).json()
        self.assertEqual(len(rows), 16)
        crashed, = [r for r in rows if int(r["rip"], 16) == want["rip"]]
        self.assertEqual(int(crashed["rsp"], 16), want["rsp"])

    def test_processor_of_a_dump_without_data_blocks(self):
        """The KPRCB's own list heads tell where it was; WinDbg shows the frame."""
        row, = run("cpus", "--format", "json", path_of("083125-14875-01.dmp")).json()
        self.assertEqual(int(row["kprcb"], 16) & 0xfff, 0x180)
        top = re.search(r"00 ([0-9a-f]{8})`([0-9a-f]{8})", text_of("kv.txt"))
        self.assertEqual(int(row["rsp"], 16), int(top.group(1) + top.group(2), 16))

    def test_refusals(self):
        for name, words in (("triage_arm64.dmp", ("ARM64",)),
                            ("header-only-full.dmp", ("header",))):
            with self.subTest(name):
                got = run("info", path_of(name))
                self.assertEqual(got.status, 1)
                self.assertEqual(got.out, "")
                self.assertEqual(len(got.err.strip().splitlines()), 1, got.err)
                for word in words:
                    self.assertIn(word, got.err)


if __name__ == "__main__":
    harness.main()
