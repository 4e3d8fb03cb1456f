# SPDX-License-Identifier: MIT
"""The report in a headless Chromium: it loads without a word, and what it offers works by mouse and
by keyboard. Skipped where chromium and chromedriver (Debian: chromium-driver) are not installed."""
import os
import sys
import tempfile
import unittest

import harness
from browser import Browser, missing
from harness import Damaged, machine, machine_truth, run
from test_report import HOSTILE, MACHINE

IMAGE_FILE_NAME = 0x5a8  # of _EPROCESS, build 19041


class InBrowser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="report-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.page = os.path.join(cls.folder.name, "report.html")
        victim = next(p for p in machine_truth(MACHINE)["processes"] if p["name"] == "notepad.exe")
        with Damaged(machine(MACHINE), [(victim["va"] + IMAGE_FILE_NAME, HOSTILE)]) as path:
            cls.result = run("report", path, "-o", cls.page, "--format", "json")
            cls.handles = run("handles", path, "--format", "json").json()
            cls.processes = run("ps", "--tree", path, "--format", "json").json()
        cls.pid = victim["pid"]
        cls.browser = cls.enterClassContext(Browser())

    def setUp(self):
        self.open()

    def tearDown(self):
        self.assertEqual(self.browser.log(), [])

    def open(self, fragment=""):
        self.browser.open("/dev/null")
        self.browser.open(self.page, fragment)

    def cells(self, table, column):
        """Texts of a column, from 1."""
        return self.browser.run(
            "return [...document.querySelectorAll(`#${arguments[0]} tbody td:nth-child(${arguments[1]})`)]"
            ".map((td) => td.textContent)", table, column)

    def shown(self, table):
        return self.browser.run("return document.querySelector(`#${arguments[0]} .shown`).textContent", table)

    def names(self):
        return [name.lstrip("▸▾") for name in self.cells("ps-tree", 1)]

    def test_loads_from_disk(self):
        self.assertEqual(self.names(), [p["name"] for p in self.processes])
        self.assertEqual(self.browser.run("return performance.getEntriesByType('resource').length"), 0)
        self.assertTrue(self.browser.run(
            "return document.documentElement.scrollWidth <= innerWidth"))

    def test_hostile_name_is_text(self):
        self.assertIn(HOSTILE.decode(), self.names())
        self.assertEqual(self.browser.run("return document.querySelectorAll('b, img').length"), 0)
        self.browser.type("#ps-tree input", "</script>")
        self.browser.wait("return document.querySelectorAll('#ps-tree tr:not(.dim) td.name').length === 1")

    def test_script_of_others_does_not_run(self):
        blocked = self.browser.run(
            "const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
            "document.body.append(s); return window.ran === undefined")
        self.assertTrue(blocked)
        self.assertIn("Content Security Policy", " ".join(e["message"] for e in self.browser.log()))

    def test_sort(self):
        self.open("#handles")
        self.browser.wait("return document.querySelector('#handles tbody tr')")
        header = "#handles thead th:nth-child(3)"
        sort = "return document.querySelector('%s').getAttribute('aria-sort')" % header
        values = sorted(h["handle"] for h in self.handles)
        self.browser.click(header + " button")
        self.assertEqual(self.browser.run(sort), "ascending")
        self.assertEqual([int(v) for v in self.cells("handles", 3)], values[:100])
        self.browser.press("Enter")
        self.assertEqual(self.browser.run(sort), "descending")
        self.assertEqual([int(v) for v in self.cells("handles", 3)], values[:-101:-1])
        self.browser.press("Enter")
        self.assertIsNone(self.browser.run(sort))
        self.assertEqual([int(v) for v in self.cells("handles", 3)],
                         [h["handle"] for h in self.handles[:100]])

    def test_addresses_sort_as_numbers(self):
        self.open("#vads")
        self.browser.click("#vads thead th:nth-child(3) button")
        starts = [int(v, 16) for v in self.cells("vads", 3)]
        self.assertEqual(starts, sorted(starts))

    def test_filter(self):
        self.open("#handles")
        files = [h for h in self.handles if h["type"] == "File"]
        self.browser.click("#handles .tools button")
        self.browser.type("#handles .filters th:nth-child(4) input", "=file")
        self.browser.wait(f"return document.querySelector('#handles .shown').textContent.includes('{len(files)} rows that fit')")
        self.assertEqual(set(self.cells("handles", 4)), {"File"})
        self.browser.type("#handles .filters th:nth-child(3) input", ">=100")
        some = [h for h in files if h["handle"] >= 100]
        self.browser.wait(f"return document.querySelector('#handles .shown').textContent.includes('{len(some)} rows that fit')")
        self.browser.type("#handles .tools input", "no such thing")
        self.browser.wait("return document.querySelector('#handles .shown').textContent.startsWith('0 rows')")

    def test_all_rows(self):
        self.open("#handles")
        self.browser.click("#handles .more button:last-child")
        self.assertEqual(len(self.cells("handles", 1)), len(self.handles))

    def test_fold(self):
        self.browser.run("document.querySelector('#ps-tree tbody tr').focus()")
        self.browser.press("Left")
        below = next(i for i, p in enumerate(self.processes) if i and p["depth"] == 0)
        self.assertEqual(len(self.names()), len(self.processes) - below + 1)
        self.assertEqual(self.browser.run("return document.activeElement.getAttribute('aria-expanded')"), "false")
        self.browser.press("Right")
        self.assertEqual(len(self.names()), len(self.processes))
        self.browser.press("Down", "Down")
        self.assertIn(self.names()[2], self.browser.run("return document.activeElement.textContent"))
        self.browser.press("End")
        self.assertIn(self.names()[-1], self.browser.run("return document.activeElement.textContent"))

    def test_search_shows_the_way(self):
        self.browser.type("#ps-tree input", str(self.pid))
        self.browser.wait("return document.querySelector('#ps-tree .shown').textContent.includes('fit')")
        self.assertIn(HOSTILE.decode(), self.names())
        self.assertLess(len(self.names()), len(self.processes))

    def test_process(self):
        at = next(i for i, p in enumerate(self.processes) if p["pid"] == self.pid)
        self.browser.run("document.querySelectorAll('#ps-tree tbody tr')[arguments[0]].focus()", at)
        self.browser.press("Enter")
        self.assertTrue(self.browser.run("return document.querySelector('dialog').open"))
        self.assertEqual(self.browser.run("return document.querySelector('#process-title').textContent"),
                         f"{HOSTILE.decode()} · {self.pid}")
        counts = self.browser.run(
            "return Object.fromEntries([...document.querySelectorAll('dialog details')].map((d) =>"
            "[d.querySelector('h2').textContent, Number(d.querySelector('.count').textContent)]))")
        self.assertEqual(counts["Handles"], len([h for h in self.handles if h["pid"] == self.pid]))
        self.browser.press("Escape")
        self.assertFalse(self.browser.run("return document.querySelector('dialog').open"))

    def test_print_opens_all(self):
        self.browser.run("dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(self.browser.run("return document.querySelectorAll('main details:not([open])').length"), 0)
        self.assertGreater(len(self.cells("modules", 1)), 10)
        self.browser.run("dispatchEvent(new Event('afterprint'))")
        self.assertGreater(self.browser.run("return document.querySelectorAll('main details:not([open])').length"), 10)

    def test_narrow(self):
        with Browser(360, 700) as narrow:
            narrow.open(self.page, "#handles")
            self.assertTrue(narrow.run("return document.documentElement.scrollWidth <= innerWidth"))
            self.assertEqual(narrow.log(), [])


if __name__ == "__main__":
    if missing():
        print(f"skipped: {missing()} is not installed")
        sys.exit(harness.SKIPPED)
    harness.main()
