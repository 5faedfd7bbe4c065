# SPDX-License-Identifier: Apache-2.0
"""Lua: a script of one's own in the image, files, errors and exit status."""
import os

from programs import ProgramTest, main, need_installed

LUA = "/usr/bin/lua5.4"
SCRIPT = """
local words = {}
for word in io.open("/srv/text"):read("a"):gmatch("%a+") do words[word] = (words[word] or 0) + 1 end
local list = {}
for word, n in pairs(words) do list[#list + 1] = word .. "=" .. n end
table.sort(list)
print(table.concat(list, " "))

-- a file of its own, written, moved, read again
local name = os.tmpname()
local f = assert(io.open(name, "w"))
for i = 1, 10000 do f:write(i, "\\n") end
f:close()
assert(os.rename(name, "/tmp/moved"))
local sum = 0
for line in io.lines("/tmp/moved") do sum = sum + tonumber(line) end
print(sum, os.remove("/tmp/moved"), io.open("/tmp/moved"))

-- memory that comes and goes
for round = 1, 20 do
    local t = {}
    for i = 1, 20000 do t[i] = ("x"):rep(i % 100) end
end
collectgarbage()
print(collectgarbage("count") < 20000, os.getenv("GREETING"), arg[1], arg[2])
print(pcall(error, "an error"))
print(os.execute("true"))
print(string.format("%.14g %x %q", math.pi, 255, "a\\nb"), #arg, math.type(3 // 1), 7 // 2.0)
os.exit(9)
"""


@need_installed(LUA)
class Lua(ProgramTest):
    def test_example(self):
        self.assertEqual(self.output(self.build("lua")), "hello from Lua 5.4\n")

    def test_script(self):
        folder = self.folder(script=SCRIPT, text="to be or not to be\n")
        manifest = os.path.join(folder, "lua.yaml")
        with open(manifest, "w", encoding="utf-8") as f:
            f.write(f"name: script\nprogram: {LUA}\nargs: [/srv/script, one, 'two words']\nenv: {{GREETING: hello}}\n"
                    "files:\n  - {from: script, to: /srv/script}\n  - {from: text, to: /srv/text}\n")
        said = self.output(self.build(manifest), status=9).splitlines()
        self.assertEqual(said[0], "be=2 not=1 or=1 to=2")
        self.assertEqual(said[1], "50005000\ttrue\tnil\t/tmp/moved: No such file or directory\t2")
        self.assertEqual(said[2], "true\thello\tone\ttwo words")
        self.assertEqual(said[3], "false\tan error")
        self.assertRegex(said[4], "^nil\t")  # no process can be made
        self.assertEqual(said[5:], ['3.1415926535898 ff "a\\', 'b"\t2\tinteger\t3.0'])

    def test_files_in_tmp(self):
        """What an image has in /tmp is there, beside what the program writes, and in the folder where it begins."""
        folder = self.folder(script='print(io.open("text"):read("l")); f = assert(io.open("/tmp/new", "w")); f:write("x"); f:close()\n'
                                    'print(#io.open("new"):read("a"), os.remove("/tmp/new"), os.remove("text"), io.open("text"))\n', text="here\n")
        manifest = os.path.join(folder, "lua.yaml")
        with open(manifest, "w", encoding="utf-8") as f:
            f.write(f"name: script-in-tmp\nprogram: {LUA}\nargs: [script]\ncwd: /tmp\n"
                    "files:\n  - {from: script, to: /tmp/script}\n  - {from: text, to: /tmp/text}\n")
        self.assertEqual(self.output(self.build(manifest)), "here\n1\ttrue\ttrue\tnil\ttext: No such file or directory\t2\n")

    def test_errors(self):
        image = self.build("lua")
        self.assertIn("attempt to call a nil value", self.output(image, LUA, "-e", "none()", status=1))
        self.assertIn("cannot open /none", self.output(image, LUA, "/none", status=1))


if __name__ == "__main__":
    main()
