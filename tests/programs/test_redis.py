# SPDX-License-Identifier: Apache-2.0
"""Redis: redis-cli, redis-benchmark, pipelining and large values; and that the fork it cannot have is an error that it survives."""
from programs import ProgramTest, main, need_installed

need_redis = need_installed("/usr/bin/redis-server", "redis-cli")


class Redis(ProgramTest):
    OPTIONS = ("--bind", "0.0.0.0", "--protected-mode", "no", "--save", "", "--enable-debug-command", "yes")

    def setUp(self):
        super().setUp()
        self.vm = self.start(self.build("redis"))

    def restart(self, *options):
        """With other options than the manifest's."""
        self.remove_instances()
        self.vm = self.start("redis", args=["/usr/bin/redis-server", *options])

    def redis(self, *words, **more):
        return self.inside("redis-cli", "-h", self.vm["ip_address"], *words, **more)

    @need_redis
    def test_types(self):
        self.assertEqual(self.redis("set", "a", "1"), "OK\n")
        self.assertEqual(self.redis("incrby", "a", "41"), "42\n")
        self.assertEqual(self.redis("rpush", "l", *map(str, range(200))), "200\n")
        self.assertEqual(self.redis("lrange", "l", "198", "-1"), "198\n199\n")
        self.assertEqual(self.redis("eval", "return redis.call('llen', KEYS[1]) + ARGV[1]", "1", "l", "7"), "207\n")
        self.assertEqual(self.redis("set", "short", "x", "px", "1"), "OK\n")
        self.assertEqual(self.redis("blpop", "none", "0.1"), "\n")
        self.assertEqual(self.redis("get", "short"), "\n")
        big = "0123456789abcdef" * 65536  # 1 MiB
        self.assertEqual(self.redis("-x", "set", "big", input=big), "OK\n")
        self.assertEqual(self.redis("get", "big"), big + "\n")
        many = "".join(f"SET k{n} {n}\n" for n in range(5000)) + "GET k4999\n"
        self.assertEqual(self.redis(input=many).split(), ["OK"] * 5000 + ["4999"])
        self.assertRegex(self.redis("info", "server"), "redis_version:7")

    @need_redis
    def test_no_fork(self):
        """BGSAVE wants a process of its own: an error, in the log by name; SAVE does the same without, and can be read again."""
        self.restart(*self.OPTIONS)
        self.assertEqual(self.redis("set", "a", "kept"), "OK\n")
        for command in ("bgsave", "bgrewriteaof"):
            self.assertRegex(self.redis(command), "^ERR")
            self.assertEqual(self.redis("ping"), "PONG\n")
        self.assertRegex(self.log(self.vm), "Can't save in background: fork: ")
        self.assertEqual(self.redis("save"), "OK\n")
        self.assertEqual(self.redis("set", "a", "changed"), "OK\n")
        self.assertEqual(self.redis("debug", "reload", "nosave"), "OK\n")
        self.assertEqual(self.redis("get", "a"), "kept\n")
        self.redis("shutdown", "nosave")
        ended = self.d.wait(self.vm["id"])
        self.assertEqual(ended["exit_code"], 0, self.log(self.vm))

    @need_redis
    def test_full_memory(self):
        """Writing fails by name, reading and deleting go on."""
        for n in range(10):
            said = self.redis("-x", "set", f"big{n}", input="x" * (16 << 20))
            if said != "OK\n":
                break
        self.assertRegex(said, "^OOM command not allowed")
        self.assertEqual(self.redis("strlen", "big0"), f"{16 << 20}\n")
        self.assertEqual(self.redis("del", "big0", "big1"), "2\n")
        self.assertEqual(self.redis("-x", "set", "big0", input="x" * (16 << 20)), "OK\n")

    @need_redis
    def test_told_to_end(self):
        self.stop(self.vm)
        self.assertRegex(self.log(self.vm), "User requested shutdown")

    @need_installed("/usr/bin/redis-server", "redis-benchmark")
    def test_benchmark(self):
        for pipeline in ("1", "16"):
            said = self.inside("redis-benchmark", "-h", self.vm["ip_address"], "-q", "--csv", "-n", "1000", "-P", pipeline, "-t",
                               "set,get,lpush,lrange_600,mset")
            for row in ('"SET"', '"GET"', '"LPUSH"', '"LRANGE_600', '"MSET'):
                self.assertIn(row, said)


if __name__ == "__main__":
    main()
