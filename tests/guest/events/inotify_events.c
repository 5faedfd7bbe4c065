/* SPDX-License-Identifier: Apache-2.0 */
/* inotify: what each change of a file and of a directory tells, in order; cookies, flags of watches, reading. */
#include "tests/guest/guest.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

static int in;

static void show_mask(uint32_t mask)
{
	static const char *const names[] = {"ACCESS", "MODIFY", "ATTRIB", "CLOSE_WRITE",
		"CLOSE_NOWRITE", "OPEN", "MOVED_FROM", "MOVED_TO", "CREATE", "DELETE",
		"DELETE_SELF", "MOVE_SELF", [14] = "Q_OVERFLOW", [15] = "IGNORED", [30] = "ISDIR"};
	char text[200] = "";

	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(mask >> i & 1))
			continue;
		strcat(text, " ");
		strcat(text, names[i] ? names[i] : "?");
	}
	say("%s", text);
}

/* All that is there. */
static void drain(const char *what)
{
	char buf[8192] __attribute__((aligned(8)));
	uint32_t cookie = 0;
	long n = read(in, buf, sizeof(buf));

	say("%s: %s\n", what, n < 0 ? errname(errno) : "events");
	for (char *p = buf; p < buf + n;) {
		struct inotify_event *e = (void *)p;

		say("  %d", e->wd);
		show_mask(e->mask);
		say("%s%s", e->len ? " " : "", e->len ? e->name : "");
		if (e->cookie)
			say(e->cookie == cookie ? " same" : " new");
		say("\n");
		cookie = e->cookie;
		p += sizeof(*e) + e->len;
	}
}

static void files(void)
{
	char b[10];
	int fd = open("dir/a", O_CREAT | O_RDWR, 0600);

	drain("open(O_CREAT)");
	NEED(write(fd, "abc", 3) == 3 && write(fd, "abc", 3) == 3);
	drain("write twice");
	NEED(pread(fd, b, 3, 0) == 3);
	drain("read");
	NEED(ftruncate(fd, 1) == 0 && fchmod(fd, 0644) == 0);
	drain("ftruncate, fchmod");
	close(fd);
	drain("close");
	fd = open("dir/a", O_RDONLY);
	close(fd);
	drain("open, close");
	NEED(chmod("dir/a", 0600) == 0 && truncate("dir/a", 0) == 0);
	drain("chmod, truncate");
	NEED(link("dir/a", "dir/b") == 0 && symlink("x", "dir/l") == 0 &&
		mkfifo("dir/f", 0600) == 0);
	drain("link, symlink, mkfifo");
	NEED(mkdir("dir/d", 0700) == 0 && rmdir("dir/d") == 0);
	drain("mkdir, rmdir");
	NEED(rename("dir/b", "dir/c") == 0);
	drain("rename");
	NEED(rename("dir/c", "other") == 0 && rename("other", "dir/c") == 0);
	drain("rename away and back");
	NEED(unlink("dir/c") == 0 && unlink("dir/l") == 0 && unlink("dir/f") == 0);
	drain("unlink");
}

static void own_watches(void)
{
	int wd, fd;

	say("-- a file's own watch\n");
	wd = inotify_add_watch(in, "dir/a", IN_ALL_EVENTS);
	say("%d\n", wd);
	SHOW(inotify_add_watch(in, "dir/a", IN_ATTRIB | IN_MASK_CREATE));
	SHOW(inotify_add_watch(in, "dir/a", IN_ATTRIB | IN_MASK_CREATE | IN_MASK_ADD));
	SHOW(inotify_add_watch(in, "dir/a", IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF));
	NEED(chmod("dir/a", 0644) == 0);
	drain("chmod");
	NEED(rename("dir/a", "dir/z") == 0);
	drain("rename");
	fd = open("dir/z", O_WRONLY);
	drain("open");
	NEED(unlink("dir/z") == 0);
	drain("unlink while open");
	NEED(write(fd, "x", 1) == 1);
	drain("write without a name");
	close(fd);
	drain("close");
	SHOW(inotify_rm_watch(in, wd));
}

static void kinds(void)
{
	struct pollfd p = {.fd = in, .events = POLLIN};
	char small[16];
	int n = 0;

	say("-- kinds of watches\n");
	SHOW(inotify_rm_watch(in, 1));
	drain("rm_watch");
	SHOW(inotify_add_watch(in, "dir", IN_CREATE | IN_ONESHOT));
	SHOW(poll(&p, 1, 0));
	NEED(close(open("dir/1", O_CREAT | O_RDWR, 0600)) == 0);
	NEED(close(open("dir/2", O_CREAT | O_RDWR, 0600)) == 0);
	SHOW(poll(&p, 1, 0));
	SHOW(ioctl(in, FIONREAD, &n));
	say("%d\n", n);
	SHOW(read(in, small, sizeof(small)));
	drain("oneshot");
	SHOW(inotify_add_watch(in, "dir", IN_DELETE));
	SHOW(inotify_add_watch(in, "dir", IN_CREATE | IN_MASK_ADD));
	NEED(unlink("dir/1") == 0 && close(open("dir/1", O_CREAT | O_RDWR, 0600)) == 0);
	drain("mask added");
	NEED(unlink("dir/1") == 0 && unlink("dir/2") == 0 && rmdir("dir") == 0);
	drain("directory removed");
}

static void *make_later(void *arg)
{
	sleep_ms(10);
	NEED(mkdir("here/later", 0700) == 0);
	return NULL;
}

int main(void)
{
	pthread_t t;

	in = inotify_init1(IN_NONBLOCK);
	NEED(in >= 0 && mkdir("dir", 0700) == 0 && mkdir("here", 0700) == 0);
	SHOW(inotify_add_watch(in, "dir", IN_ALL_EVENTS));
	files();
	own_watches();
	kinds();
	say("-- waiting\n");
	in = inotify_init();
	SHOW(inotify_add_watch(in, "here", IN_CREATE));
	t = start_thread(make_later, NULL);
	drain("another thread");
	pthread_join(t, NULL);
	close(in);
	return 0;
}
