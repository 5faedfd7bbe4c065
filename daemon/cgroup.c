/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All paths are below one descriptor, that of DIR, which is locked as long as a manager has it. Which limits are possible is what
 * DIR's cgroup.subtree_control takes.
 */
#include "daemon/cgroup.h"

#include "daemon/network/network.h"
#include "daemon/oom.h"
#include "daemon/reap.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define AGAIN_NS    (50 * NS_PER_MS)
#define PERIOD_US   100000u
#define VALUE_BYTES 48

enum { CPU, MEMORY, PIDS, CONTROLLERS };
static const char *const controller_names[CONTROLLERS] = {"cpu", "memory", "pids"};

struct dying {
	char name[NETWORK_NAME_BYTES];
	struct dying *next;
};

struct cgroups {
	char *path; /* owned; of DIR */
	int dir;
	bool made; /* by this manager */
	bool has[CONTROLLERS];
	struct dying *dying; /* not empty yet */
	struct loop_timer *timer;
};

/* --- files ---------------------------------------------------------------------------------------------------------- */
static int open_file(const struct cgroups *cs, const char *name, const char *file)
{
	char path[NETWORK_NAME_BYTES + 32];

	snprintf(path, sizeof(path), "%s/%s", name, file);
	return openat(cs->dir, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
}

static int put(const struct cgroups *cs, const char *name, const char *file, const char *value)
{
	_cleanup_close_ int fd = open_file(cs, name, file);

	if (fd < 0)
		return -errno;
	return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}

static int set(const struct cgroups *cs, const char *name, const char *file, const char *value,
	struct err *err)
{
	int r = put(cs, name, file, value);

	return r < 0 ? err_sys(err, -r, "cannot write %s to %s/%s/%s", value, cs->path, name, file)
		     : 0;
}

/* --- the manager's folder ------------------------------------------------------------------------------------------- */
static int open_dir(struct cgroups *cs, struct err *err)
{
	struct statfs fs;
	int r;

	cs->made = mkdir(cs->path, 0755) == 0;
	if (!cs->made && errno != EEXIST)
		return err_sys(err, errno, "cannot make %s", cs->path);
	cs->dir = open(cs->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cs->dir < 0)
		return err_sys(err, errno, "cannot open %s", cs->path);
	r = fstatfs(cs->dir, &fs) < 0 ? -errno : 0;
	if (r < 0 || (unsigned long)fs.f_type != CGROUP2_SUPER_MAGIC) {
		if (cs->made)
			unlinkat(AT_FDCWD, cs->path, AT_REMOVEDIR);
		return err_set(err, EINVAL,
			"--cgroup %s: it is not on a file system of cgroup v2, see mount(8)",
			cs->path);
	}
	r = reap_lock(cs->dir);
	if (r < 0)
		return r == -EWOULDBLOCK
			? err_set(err, EBUSY, "another uigniterd uses --cgroup %s", cs->path)
			: err_sys(err, -r, "cannot lock %s", cs->path);
	return 0;
}

static void enable_controllers(struct cgroups *cs)
{
	for (int c = 0; c < CONTROLLERS; c++) {
		char word[16];

		snprintf(word, sizeof(word), "+%s", controller_names[c]);
		cs->has[c] = put(cs, ".", "cgroup.subtree_control", word) == 0;
		if (!cs->has[c])
			log_warn("a kind of limits is not possible here", "cgroup=%s controller=%s",
				cs->path, controller_names[c]);
	}
}

static void try_again(void *arg);

int cgroups_new(const char *dir, struct loop *loop, struct cgroups **out, struct err *err)
{
	struct cgroups *cs;
	int r;

	*out = NULL;
	if (!dir)
		return 0;
	cs = calloc(1, sizeof(*cs));
	if (!cs)
		return err_sys(err, ENOMEM, "cgroups");
	cs->dir = -1;
	cs->path = strdup(dir);
	if (!cs->path || loop_timer_new(loop, try_again, cs, &cs->timer) < 0)
		r = err_sys(err, ENOMEM, "cgroups");
	else
		r = open_dir(cs, err);
	if (r < 0) {
		if (cs->dir >= 0)
			close(cs->dir);
		loop_timer_free(cs->timer);
		free(cs->path);
		free(cs);
		return r;
	}
	enable_controllers(cs);
	*out = cs;
	return 0;
}

json_t *cgroups_json(const struct cgroups *cs)
{
	json_t *names;

	if (!cs)
		return json_null();
	names = json_array();
	for (int c = 0; c < CONTROLLERS; c++) {
		if (cs->has[c])
			json_array_append_new(names, json_string(controller_names[c]));
	}
	return json_pack("{s:s, s:o}", "path", cs->path, "controllers", names);
}

int cgroups_can(const struct cgroups *cs, const struct limits *limits, struct err *err)
{
	bool wanted[CONTROLLERS] = {
		[CPU] = limits->cpu_percent || limits->cpu_weight, [PIDS] = limits->pids};

	for (int c = 0; c < CONTROLLERS; c++) {
		if (!wanted[c])
			continue;
		if (!cs)
			return err_set(err, EINVAL,
				"limits: this manager has no cgroup for its VMs (uigniterd "
				"--cgroup)");
		if (!cs->has[c])
			return err_set(err, EINVAL,
				"limits: the controller %s can not be used in %s: the group above "
				"it does not pass it on (cgroup.subtree_control), or has it not",
				controller_names[c], cs->path);
	}
	return 0;
}

/* --- groups --------------------------------------------------------------------------------------------------------- */
/* 0, or -EBUSY: something still is in it. */
static int try_remove(const struct cgroups *cs, const char *name)
{
	if (unlinkat(cs->dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	put(cs, name, "cgroup.kill", "1");
	return unlinkat(cs->dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -EBUSY;
}

static void try_all(struct cgroups *cs)
{
	struct dying **at = &cs->dying;

	while (*at) {
		struct dying *d = *at;

		if (try_remove(cs, d->name) < 0) {
			at = &d->next;
			continue;
		}
		*at = d->next;
		free(d);
	}
}

static void try_again(void *arg)
{
	struct cgroups *cs = arg;

	try_all(cs);
	if (cs->dying)
		loop_timer_set(cs->timer, AGAIN_NS);
}

void cgroup_remove(struct cgroups *cs, const char *name)
{
	struct dying *d;

	if (!cs || try_remove(cs, name) == 0)
		return;
	d = calloc(1, sizeof(*d));
	if (!d)
		return; /* the next manager removes it */
	snprintf(d->name, sizeof(d->name), "%s", name);
	d->next = cs->dying;
	cs->dying = d;
	loop_timer_set(cs->timer, AGAIN_NS);
}

int cgroup_make(
	struct cgroups *cs, const char *name, unsigned memory_mib, int *procs, struct err *err)
{
	char bytes[VALUE_BYTES];
	int r, fd;

	*procs = -1;
	if (!cs)
		return 0;
	try_all(cs); /* the name's last group, if it is not gone */
	if (mkdirat(cs->dir, name, 0755) < 0)
		return err_sys(err, errno, "cannot make the cgroup %s/%s", cs->path, name);
	snprintf(bytes, sizeof(bytes), "%llu", memory_mib * MIB);
	r = cs->has[MEMORY] ? set(cs, name, "memory.max", bytes, err) : 0;
	if (r == 0 && cs->has[MEMORY])
		put(cs, name, "memory.oom.group", "1"); /* a monitor's half is of no use */
	fd = r == 0 ? open_file(cs, name, "cgroup.procs") : -1;
	if (r == 0 && fd < 0)
		r = err_sys(err, errno, "cannot open the cgroup %s/%s", cs->path, name);
	if (r < 0) {
		cgroup_remove(cs, name);
		return r;
	}
	*procs = fd;
	return 0;
}

int cgroup_limit(struct cgroups *cs, const char *name, const struct limits *limits, struct err *err)
{
	char value[VALUE_BYTES];
	int r = 0;

	if (!cs)
		return 0;
	if (limits->cpu_percent) {
		snprintf(value, sizeof(value), "%llu %u",
			(unsigned long long)limits->cpu_percent * PERIOD_US / 100, PERIOD_US);
		r = set(cs, name, "cpu.max", value, err);
	}
	if (r == 0 && limits->cpu_weight) {
		snprintf(value, sizeof(value), "%u", limits->cpu_weight);
		r = set(cs, name, "cpu.weight", value, err);
	}
	if (r == 0 && limits->pids) {
		snprintf(value, sizeof(value), "%u", limits->pids);
		r = set(cs, name, "pids.max", value, err);
	}
	return r;
}

bool cgroup_oom_killed(const struct cgroups *cs, const char *name)
{
	char path[NETWORK_NAME_BYTES + 32];

	if (!cs || !cs->has[MEMORY])
		return false;
	snprintf(path, sizeof(path), "%s/memory.events", name);
	return oom_kills(cs->dir, path) > 0;
}

void cgroups_reap(struct cgroups *cs, bool (*keep)(void *arg, const char *name), void *arg)
{
	int fd = cs ? fcntl(cs->dir, F_DUPFD_CLOEXEC, 3) : -1;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (fd >= 0 && !dir)
		close(fd);
	while (dir && (e = readdir(dir))) {
		if (e->d_type == DT_DIR && e->d_name[0] != '.' &&
			strlen(e->d_name) < NETWORK_NAME_BYTES && !keep(arg, e->d_name))
			cgroup_remove(cs, e->d_name);
	}
	if (dir)
		closedir(dir);
}

void cgroups_free(struct cgroups *cs)
{
	if (!cs)
		return;
	try_all(cs);
	while (cs->dying) {
		struct dying *d = cs->dying;

		cs->dying = d->next;
		free(d);
	}
	unlinkat(AT_FDCWD, cs->path, AT_REMOVEDIR);
	close(cs->dir);
	loop_timer_free(cs->timer);
	free(cs->path);
	free(cs);
}
