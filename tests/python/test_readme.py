# SPDX-License-Identifier: MIT
"""The Python sessions in README.md and in the module's documentation show what really happens."""
import doctest
import re
import sys
import unittest

import ntscope

README = "README.md"


def readme_sessions():
    with open(README, encoding="utf-8") as f:
        return re.findall(r"^```pycon\n(.*?)^```$", f.read(), re.M | re.S)


class Readme(unittest.TestCase):
    def test_sessions(self):
        sessions = readme_sessions()
        self.assertTrue(sessions, f"{README} has no Python session")
        for i, text in enumerate(sessions):
            test = doctest.DocTestParser().get_doctest(text, {}, f"{README} {i}", README, 0)
            self.assertEqual(doctest.DocTestRunner().run(test).failed, 0)

    def test_module(self):
        result = doctest.testmod(ntscope)
        self.assertGreater(result.attempted, 3)
        self.assertEqual(result.failed, 0)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
