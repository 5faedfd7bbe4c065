# SPDX-License-Identifier: Apache-2.0
"""Clones of a template: who they are, what they share, what they do not."""
import unittest

from clone import CloneTest, Vm, enter_namespace


class Identity(CloneTest):
    def test_first(self):
        t = self.template()
        print(t.call("GET", "/uigniter/status", status=200)["state"])
        c = self.clone(1)
        print(c.ask("names"), c.ask("random"), c.ask("clocks"))


if __name__ == "__main__":
    enter_namespace()
    unittest.main()
