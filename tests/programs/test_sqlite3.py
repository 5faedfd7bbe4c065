# SPDX-License-Identifier: Apache-2.0
"""SQLite: SQL with the answers that it has everywhere; the same statements on this machine say the same."""
import subprocess

from programs import ProgramTest, main, need_installed

SHELL = "/usr/bin/sqlite3"
STATEMENTS = """
create table t(id integer primary key, name text, n real);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 20000) insert into t select x, 'name ' || x, x / 7.0 from c;
create index by_name on t(name);
select count(*), sum(id), round(avg(n), 3) from t;
begin; delete from t where id % 2; select count(*) from t; rollback;
select count(*) from t;
update t set name = upper(name) where id between 10 and 20;
select name from t where name like 'NAME 1_' order by id desc limit 2;
select json_extract('{"a": [1, {"b": "x"}]}', '$.a[1].b'), printf('%05.1f', 3.14159), hex(zeroblob(3));
create virtual table f using fts5(body); insert into f values ('a quick brown fox'), ('a lazy dog');
select body from f where f match 'quick OR none';
vacuum; pragma integrity_check;
select strftime('%Y-%m-%d', 86400, 'unixepoch');
"""
MODES = {"rollback journal": "", "write-ahead log": "pragma journal_mode=wal;", "mapped": "pragma mmap_size=67108864;",
         "truncated journal": "pragma journal_mode=truncate; pragma synchronous=full;"}


@need_installed(SHELL)
class Sqlite(ProgramTest):
    def test_example(self):
        self.assertRegex(self.output(self.build("sqlite3")), r"^SQLite 3\.\d+\.\d+\n$")

    def test_as_on_this_machine(self):
        """In memory, and in a file with each kind of journal."""
        image = self.build("sqlite3")
        for database, mode in ((":memory:", ""), *(("/tmp/test.db", mode) for mode in MODES.values())):
            here = subprocess.run(["unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs /tmp && exec "$@"', "sh",
                                   SHELL, database, mode + STATEMENTS], capture_output=True, text=True, check=True)
            self.assertIn("20000|200010000|1428.643", here.stdout)
            with self.subTest(mode or database):
                self.assertEqual(self.output(image, SHELL, database, mode + STATEMENTS), here.stdout)

    def test_errors(self):
        image = self.build("sqlite3")
        self.output(image, SHELL, ":memory:", "select * from none", status=1)
        said = self.output(image, SHELL, "/none/x.db", "create table t(a)", status=1)
        self.assertIn("unable to open database", said)


if __name__ == "__main__":
    main()
