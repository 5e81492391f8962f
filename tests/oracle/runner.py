"""Runs files of unittest tests and says one line about each.

The directories of tests share this; what is in a file is a story of its own,
so the file is what passes or fails. What failed is told at the end, where
the reader of a long log looks.
"""

import importlib.util
import io
import sys
import time
import unittest


def run(files, names):
    """Run the files, or those named, and give the exit status."""
    chosen = choose(files, names)
    if chosen is None:
        return 2
    reports = [report for report in map(run_file, chosen) if report]
    print("".join(reports), end="")
    print(f"{len(chosen) - len(reports)} passed, {len(reports)} failed",
          flush=True)
    return 1 if reports else 0


def choose(files, names):
    """Give the files whose stem was named, or all; None if one is unknown."""
    known = {path.stem: path for path in sorted(files)}
    stems = [name.split("/")[-1].replace(".py", "") for name in names]
    unknown = [stem for stem in stems if stem not in known]
    if unknown or not known:
        print(f"no such test: {', '.join(unknown)}; there are: "
              f"{', '.join(known)}", file=sys.stderr)
        return None
    return [known[stem] for stem in stems or known]


class CountingResult(unittest.TextTestResult):
    """Counts the cases (subTest) that a file's tests judged."""

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self.cases = 0

    def addSubTest(self, test, subtest, err):
        """Count one case, whatever came of it."""
        self.cases += 1
        super().addSubTest(test, subtest, err)


def run_file(path):
    """Run the tests of one file and print its line; give a failure's report."""
    report, started = io.StringIO(), time.monotonic()
    result = unittest.TextTestRunner(
        stream=report, verbosity=2, buffer=True,
        resultclass=CountingResult).run(load(path))
    took = f"{result.testsRun} tests"
    if result.cases:
        took += f", {result.cases} cases judged"
    took += f", {time.monotonic() - started:.1f} s"
    if result.skipped:
        took += f", skipped: {result.skipped[0][1]}"
    passed = result.wasSuccessful() and result.testsRun > 0
    line = f"{'ok  ' if passed else 'FAIL'} {path.stem} ({took})"
    print(line, flush=True)
    return "" if passed else f"\n{line}\n{report.getvalue()}\n"


def load(path):
    """Load the tests of a file under its own name."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # told as the failure of this file alone
        return unittest.TestSuite([_broken(error)])
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def _broken(error):
    """Make the test that tells why a file could not be loaded."""
    def fail():
        raise error
    return unittest.FunctionTestCase(fail, description="load the file")
