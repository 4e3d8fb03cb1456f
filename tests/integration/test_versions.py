# SPDX-License-Identifier: MIT
"""Which kernel a real small dump is of, by the program's own list of modules; README's table of
supported builds against what the generator prints."""
import os
import re
import subprocess
import sys
import unittest

import harness
from harness import image, run

# file: version that other tools and the file's own documentation name
VERSIONS = {
    "triage_x64.dmp": "10.0.19041.804",
    "083125-14875-01.dmp": "10.0.19041.3803",
    "100623-4953-01.dmp": "10.0.19041.3448",
    "102622-15671-01.dmp": "10.0.19041.2193",
    "040124-5218-01.dmp": "10.0.19041.4170",
}
MKTABLE = sys.argv.pop() if len(sys.argv) > 2 else None


def listed_kernels():
    """(time stamp, size) to version, of windows/symbols/kernel_versions.inc."""
    kernels = {}
    with open(os.path.join(harness.TOP, "windows", "symbols", "kernel_versions.inc")) as f:
        for line in f:
            m = re.match(r"\{ (0x\w+), (0x\w+), (\d+), (\d+), (true|false) \},$", line)
            if m:
                kernels[int(m.group(1), 16), int(m.group(2), 16) << 12] = (
                    f"10.0.{m.group(3)}.{m.group(4)}")
    return kernels


class Versions(unittest.TestCase):
    def test_kernel_of_each_dump(self):
        kernels = listed_kernels()
        self.assertGreater(len(kernels), 2600)
        for name, version in VERSIONS.items():
            with self.subTest(name):
                path = image(os.path.join("real", "triage", name))
                base = run("info", "--format", "json", path).json()["kernel_base"]
                modules = run("modules", "--format", "json", path).json()
                nt, = (m for m in modules if m["base"] == base)
                self.assertEqual(kernels[int(nt["time_date_stamp"], 16), nt["size"]], version)

    def test_layout_of_each_dump(self):
        for name in VERSIONS:
            with self.subTest(name):
                path = image(os.path.join("real", "triage", name))
                row, = run("ps", "--format", "json", path).json()
                self.assertEqual(row["pid"] % 4, 0)
                self.assertRegex(row["name"], r"^[\x21-\x7e]{1,15}$")
                self.assertGreater(int(row["eprocess"], 16), 0xffff800000000000)

    def test_readme(self):
        """README has the table that `mktable --markdown` prints, as soon as it has one."""
        if not MKTABLE:
            self.skipTest("no generator was given")
        want = subprocess.run([MKTABLE, "--markdown"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        with open(os.path.join(harness.TOP, "README.md")) as f:
            readme = f.read()
        self.assertRegex(want, r"(?m)^\| 26100 \| 11 24H2")
        if want.splitlines()[0] not in readme:
            self.skipTest("README.md has no table of builds")
        self.assertIn(want, readme)


if __name__ == "__main__":
    harness.main()
