/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's microvm machine under TCG, for hosts without /dev/kvm: the same libOS and images, slower. QEMU can not be
 * given its image later, so prepare makes only tap and folder, and start spawns. Its QMP channel is a socket in the
 * folder, which a later manager connects to again; stop is a non-maskable interrupt, which the libOS takes as SIGTERM. QEMU does not know how the
 * program ended: the libOS says so in its last console line, "uigniter-exit kind=K code=N".
 */
#include "daemon/core.h"
#include "daemon/monitor/boot_line.h"
#include "daemon/monitor/exit_line.h"
#include "daemon/monitor/monitor.h"
#include "daemon/monitor/tsc.h"
#include "daemon/spawn.h"
#include "daemon/volume.h"
#include "lib/log.h"
#include "lib/loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ARGV_MAX   (64 + 4 * VOLUMES_MAX)
#define QMP_SOCKET "qmp.sock"

struct qemu {
	int tap;
	int qmp; /* our end */
	struct volume_files volumes;
};

static int probe(const struct core *core, struct err *err)
{
	tsc_begin();
	if (access(core->config.qemu, X_OK) < 0)
		return err_sys(err, errno, "cannot run %s (install qemu-system-x86, or see --qemu)",
			core->config.qemu);
	if (access(core->config.libos, R_OK) < 0)
		return err_sys(err, errno, "cannot read %s (see --libos)", core->config.libos);
	return 0;
}

static int prepare(struct shell *s, struct err *err)
{
	struct qemu *q = malloc(sizeof(*q));

	if (!q)
		return err_sys(err, ENOMEM, "VM");
	*q = (struct qemu){.tap = -1, .qmp = -1};
	s->priv = q;
	q->tap = lease_tap(s->core->network, &s->lease, err);
	if (q->tap < 0)
		return q->tap;
	shell_prepared(s);
	return 0;
}

/* QEMU takes a value's comma doubled. */
static int add_path(struct buf *b, const char *path)
{
	int r = 0;

	for (; *path && r == 0; path++)
		r = *path == ',' ? buf_addstr(b, ",,") : buf_add(b, path, 1);
	return r;
}

struct words {
	const char *argv[ARGV_MAX];
	size_t n;
	char memory[32], vcpus[16], netdev[64], device[96];
	char kernel[PATH_MAX];
	char backend[VOLUMES_MAX][128], front[VOLUMES_MAX][64];
};

static void add(struct words *w, const char *option, const char *value)
{
	w->argv[w->n++] = option;
	if (value)
		w->argv[w->n++] = value;
	w->argv[w->n] = NULL;
}

static void fill_words(
	struct words *w, const struct shell *s, const char *image, const char *boot_args)
{
	char mac[MAC_TEXT_BYTES];

	mac_format(s->lease.mac, mac);
	snprintf(w->memory, sizeof(w->memory), "%uM", s->spec.memory_mib);
	snprintf(w->vcpus, sizeof(w->vcpus), "%u", s->spec.vcpus);
	snprintf(w->netdev, sizeof(w->netdev), "tap,id=net0,fd=%d,vhost=off", SPAWN_FD_FIRST);
	snprintf(w->device, sizeof(w->device), "virtio-net-device,netdev=net0,mac=%s", mac);
	add(w, s->core->config.qemu, NULL);
	add(w, "-M",
		"microvm,pit=off,pic=off,rtc=on,isa-serial=on,auto-kernel-cmdline=on,acpi=off");
	add(w, "-accel", "tcg");
	add(w, "-cpu", "max");
	add(w, "-m", w->memory);
	add(w, "-smp", w->vcpus);
	add(w, "-nodefaults", NULL);
	add(w, "-no-user-config", NULL);
	add(w, "-no-reboot", NULL);
	add(w, "-nographic", NULL);
	add(w, "-global", "virtio-mmio.force-legacy=off");
	add(w, "-kernel", w->kernel);
	add(w, "-initrd", image);
	add(w, "-append", boot_args);
	add(w, "-netdev", w->netdev);
	add(w, "-device", w->device);
	add(w, "-chardev", "stdio,id=console,signal=off");
	add(w, "-serial", "chardev:console");
	add(w, "-chardev", "socket,id=qmp,fd=4,server=on,wait=off");
	add(w, "-mon", "chardev=qmp,mode=control");
}

static void add_volumes(struct words *w, const json_t *volumes, const struct volume_files *files)
{
	/* QEMU gives the first device the last place: the first disk comes last here. */
	for (size_t i = json_array_size(volumes); i-- > 0;) {
		const json_t *volume = json_array_get(volumes, i);
		bool ro = volume_is_read_only(volume), disk = volume_is_disk(volume);
		char tag[VOLUME_TAG_BYTES];

		volume_tag((unsigned)i, tag);
		if (disk)
			snprintf(w->backend[i], sizeof(w->backend[i]),
				"if=none,id=%s,format=raw,file=%s%s", tag, files->path[i],
				ro ? ",readonly=on" : "");
		else
			snprintf(w->backend[i], sizeof(w->backend[i]),
				"local,id=%s,path=%s,security_model=none%s", tag, files->path[i],
				ro ? ",readonly=on" : "");
		snprintf(w->front[i], sizeof(w->front[i]),
			disk ? "virtio-blk-device,drive=%s"
			     : "virtio-9p-device,fsdev=%s,mount_tag=%s",
			tag, tag);
		add(w, disk ? "-drive" : "-fsdev", w->backend[i]);
		add(w, "-device", w->front[i]);
	}
}

static int qmp_address(const struct shell *s, struct sockaddr_un *at, struct err *err)
{
	_cleanup_free_ char *path = shell_path(s, QMP_SOCKET);
	size_t len = path ? strlen(path) : 0;

	*at = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!path)
		return err_sys(err, ENOMEM, "VM");
	if (len >= sizeof(at->sun_path))
		return err_set(err, ENAMETOOLONG,
			"%s is too long for a socket: choose a shorter --run-dir", path);
	memcpy(at->sun_path, path, len + 1);
	return 0;
}

/* Listens before QEMU is there: nobody has to wait for its socket. */
static int qmp_listen(const struct shell *s, struct err *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un at;
	int r = qmp_address(s, &at, err);

	if (r < 0)
		return r;
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1) < 0)
		return err_sys(err, errno, "cannot make the socket %s", at.sun_path);
	return steal_fd(&fd);
}

static int qmp_connect(struct shell *s, struct err *err)
{
	static const char hello[] = "{\"execute\":\"qmp_capabilities\"}\n";
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct qemu *q = s->priv;
	struct sockaddr_un at;
	int r = qmp_address(s, &at, err);

	if (r < 0)
		return r;
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
		send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL) < 0)
		return err_sys(err, errno, "cannot reach QEMU at %s", at.sun_path);
	q->qmp = steal_fd(&fd);
	return 0;
}

static int start(struct shell *s, const struct start_spec *spec, struct err *err)
{
	_cleanup_buf_ struct buf line, image;
	_cleanup_close_ int listener = -1;
	struct qemu *q = s->priv;
	struct words words = {.n = 0};
	char *env[] = {NULL};
	int r;

	buf_init(&line, 0);
	buf_init(&image, 0);
	r = boot_line_std(s, spec, &line, err);
	if (r < 0)
		return r;
	if (add_path(&image, spec->image) < 0)
		return err_sys(err, ENOMEM, "VM");
	listener = qmp_listen(s, err);
	if (listener < 0)
		return listener;
	r = volume_files_open(&q->volumes, spec->volumes, s->core->config.volume_root, err);
	if (r < 0)
		return r;
	if (kernel_path(s->core->kernels, s->spec.kernel, words.kernel) < 0)
		return err_set(err, ENOENT, "there is no kernel %s any more", s->spec.kernel);
	fill_words(&words, s, image.data, line.data);
	add_volumes(&words, spec->volumes, &q->volumes);
	r = shell_spawn(s,
		&(struct spawn){.path = s->core->config.qemu,
			.argv = (char *const *)(uintptr_t)words.argv,
			.envp = env,
			.fds = {q->tap, listener},
			.fd_count = 2,
			.netns = -1},
		err);
	if (r < 0)
		return r;
	close(q->tap);
	q->tap = -1;
	r = qmp_connect(s, err);
	if (r < 0)
		return r;
	shell_started(s, NULL);
	return 0;
}

static int adopt(struct shell *s, struct err *err)
{
	struct qemu *q = malloc(sizeof(*q));

	if (!q)
		return err_sys(err, ENOMEM, "VM");
	*q = (struct qemu){.tap = -1, .qmp = -1};
	s->priv = q;
	if (qmp_connect(s, NULL) < 0) /* when it has ended; else it can only be killed */
		log_warn("QEMU's control channel can not be reached", "vm=%s", s->lease.name);
	return 0;
}

/* Answers are not needed: what QEMU says fits into the socket's buffer, and is never read. */
static void stop(struct shell *s)
{
	static const char nmi[] = "{\"execute\":\"inject-nmi\"}\n";
	struct qemu *q = s->priv;

	if (send(q->qmp, nmi, sizeof(nmi) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_warn("QEMU's control channel does not take a command", "vm=%s error=%d",
			s->lease.name, errno);
}

static void ended(struct shell *s, int how, int status)
{
	exit_line_take(s, "QEMU", how, status);
}

static void release(struct shell *s)
{
	struct qemu *q = s->priv;

	if (q->tap >= 0)
		close(q->tap);
	if (q->qmp >= 0)
		close(q->qmp);
	volume_files_close(&q->volumes);
	free(q);
	s->priv = NULL;
}

const struct monitor_ops monitor_qemu = {
	.name = "qemu",
	.vcpus_max = 1,
	.has_kernel = true,
	.overhead_mib = 256,
	.probe = probe,
	.prepare = prepare,
	.start = start,
	.adopt = adopt,
	.stop = stop,
	.ended = ended,
	.release = release,
};
