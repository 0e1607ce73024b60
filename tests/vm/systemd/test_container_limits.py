"""Limits, out of memory and pause of `berth run` where systemd has the cgroups: the tests of tests/cli, as far as they are of these."""

import unittest

from cli import test_limits, test_pause
from support.case import main

TAKEN = {
    test_limits: ["Cgroup.test_each_container_has_one_of_its_own_and_it_goes_with_it", "Values.test_processors",
                  "Values.test_memory_and_as_much_swap_again", "AtTheLimit.test_memory_is_told_of"],
    test_pause: ["Pause.test_nothing_moves_until_it_is_let_go_on"],
}


def load_tests(loader, _tests, _pattern):
    return unittest.TestSuite(loader.loadTestsFromName(name, module) for module, names in TAKEN.items() for name in names)


main()
