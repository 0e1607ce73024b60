"""Limits, out of memory, pause and stats of `berth run` on cgroup v2 alone: the tests of tests/cli, as far as they are of these."""

import unittest

from cli import test_limits, test_pause, test_stats
from support.case import main

TAKEN = {
    test_limits: ["Cgroup.test_each_container_has_one_of_its_own_and_it_goes_with_it", "Cgroup.test_inside_it_is_the_root",
                  "Cgroup.test_a_lost_monitors_cgroup_is_removed_by_the_next_command", "Values.test_processors",
                  "Values.test_memory_and_as_much_swap_again", "AtTheLimit.test_memory_is_told_of",
                  "AtTheLimit.test_a_fork_bomb_ends_there_and_can_be_removed", "Update.test_at_once_and_for_the_next_start"],
    test_pause: ["Pause.test_nothing_moves_until_it_is_let_go_on", "Pause.test_a_paused_one_can_be_removed"],
    test_stats: ["Stats.test_the_table"],
}


def load_tests(loader, _tests, _pattern):
    return unittest.TestSuite(loader.loadTestsFromName(name, module) for module, names in TAKEN.items() for name in names)


main()
