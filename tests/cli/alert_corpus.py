# SPDX-License-Identifier: Apache-2.0
"""The alerts that the dialects are judged over, with their renderings.

They are those of test_dialects: random tenants (SYNCTAP_DIALECT_TENANTS), the
hostile corpus in every field, names of 5,000 characters, late and degraded
ones, apps as actors, addresses of all kinds and none.
"""

import functools
import unittest

import test_dialects


@functools.lru_cache(maxsize=None)
def renderings():
    """Give (dialect, alert, line) of every alert, made once for all."""
    found, result = [], unittest.TestResult()
    for case in (test_dialects.Alerts, test_dialects.Hostile,
                 test_dialects.RandomTenants):
        unittest.defaultTestLoader.loadTestsFromTestCase(
            keeping(case, found)).run(result)
    if not result.wasSuccessful():
        raise AssertionError(result.errors + result.failures)
    return found


def keeping(case, found):
    """Give a case that keeps the renderings which it only compares else."""
    class Keep(case):
        """Keeps them."""

        def compare(self, name, alerts, lines):
            """Keep the lines."""
            self.assertEqual(len(alerts), len(lines), name)
            found.extend((name, alert, line)
                         for alert, line in zip(alerts, lines))

    return Keep


def of(dialect):
    """Give (alert, line) of every alert in that dialect."""
    return [(alert, line) for name, alert, line in renderings()
            if name == dialect]
