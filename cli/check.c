/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine has of what Uigniter needs. */
#include "cli/check.h"

#include "cli/api.h"

#include "lib/jsonx.h"
#include "lib/util.h"

#include <arpa/inet.h>
#include <cpuid.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* CPUID feature bits (Intel SDM vol. 2, AMD APM vol. 3). */
#define CPUID_VMX (1u << 5) /* leaf 1, ECX */
#define CPUID_SVM (1u << 2) /* leaf 8000'0001, ECX */

static void _printf_(3, 4) found(struct finding *f, enum verdict v, const char *fmt, ...)
{
	va_list ap;

	f->verdict = v;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

static void _printf_(2, 3) remedy(struct finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->remedy, sizeof(f->remedy), fmt, ap);
	va_end(ap);
}

const char *verdict_name(enum verdict v)
{
	switch (v) {
	case CHECK_PASS:
		return "PASS";
	case CHECK_WARN:
		return "WARN";
	case CHECK_FAIL:
		return "FAIL";
	}
	return "?";
}

static int ask_manager(const char *host, const char *path, json_t **answer, struct err *err)
{
	struct api *api _cleanup_(api_closep) = NULL;
	int rc = api_open(host, &api, err);

	return rc
		? rc
		: api_call(api, &(struct api_request){.path = path, .limit_ms = 5000}, answer, err);
}

void asked_init(struct asked *manager, const char *host)
{
	*manager = (struct asked){.host = host};
	ask_manager(host, "/info", &manager->info, &manager->err);
}

void asked_fini(struct asked *manager)
{
	json_decref(manager->info);
}

/* --- devices --------------------------------------------------------------------------------------------------- */
static void probe_kvm(struct finding *f, const struct asked *manager)
{
	struct stat st;

	if (stat("/dev/kvm", &st)) {
		found(f, CHECK_WARN,
			"/dev/kvm is missing: unikernels run in QEMU without KVM, much slower");
		remedy(f,
			"modprobe kvm_intel or kvm_amd; in a virtual machine, turn nested "
			"virtualization on");
	} else if (!S_ISCHR(st.st_mode)) {
		found(f, CHECK_FAIL, "/dev/kvm is no device");
		remedy(f, "remove it, then modprobe kvm_intel or kvm_amd");
	} else if (access("/dev/kvm", R_OK | W_OK)) {
		found(f, CHECK_FAIL, "/dev/kvm is there, but not usable by you: %s",
			strerror(errno));
		remedy(f,
			"become a member of its group (usermod -aG kvm USER) or run the manager as "
			"root");
	} else {
		found(f, CHECK_PASS, "/dev/kvm can be read and written");
	}
}

static void probe_virtualization(struct finding *f, const struct asked *manager)
{
	unsigned int a, b, c = 0, d, ext_c = 0, guest;

	__get_cpuid(1, &a, &b, &c, &d);
	__get_cpuid(0x80000001u, &a, &b, &ext_c, &d);
	guest = c >> 31;
	if (c & CPUID_VMX || ext_c & CPUID_SVM) {
		found(f, CHECK_PASS, "hardware virtualization (%s)%s",
			c & CPUID_VMX ? "vmx" : "svm",
			guest ? ", nested in a virtual machine" : "");
	} else if (!access("/dev/kvm", F_OK)) {
		found(f, CHECK_PASS,
			"software virtualization: /dev/kvm without vmx or svm (as PVM does it); "
			"ring 0 of a guest is slow, "
			"Uigniter's own unikernels run in ring 3");
	} else {
		found(f, CHECK_WARN, "no virtualization: the processor shows neither vmx nor svm%s",
			guest ? " inside this virtual machine" : "");
		remedy(f,
			guest ? "turn nested virtualization on in the outer hypervisor"
			      : "turn VT-x or AMD-V on in the firmware");
	}
}

static void probe_tun(struct finding *f, const struct asked *manager)
{
	if (!access("/dev/net/tun", R_OK | W_OK)) {
		found(f, CHECK_PASS, "/dev/net/tun can be read and written");
		return;
	}
	found(f, CHECK_FAIL, "/dev/net/tun: %s", strerror(errno));
	remedy(f, errno == ENOENT ? "modprobe tun" : "run the manager as root");
}

/* The module is loaded, built in, or can be loaded. */
static bool has_bridge(void)
{
	char line[4096];
	FILE *f _cleanup_fclose_ = NULL;

	if (!access("/sys/module/bridge", F_OK) || !access("/sys/class/net/uigniter0/bridge", F_OK))
		return true;
	f = fopen("/proc/kallsyms", "re");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, " br_add_bridge"))
			return true;
	return false;
}

static void probe_bridge(struct finding *f, const struct asked *manager)
{
	if (has_bridge()) {
		found(f, CHECK_PASS, "the kernel has bridges");
		return;
	}
	found(f, CHECK_WARN, "the kernel has no bridge module loaded");
	remedy(f, "modprobe bridge (the manager tries to make one in any case)");
}

static void probe_netns(struct finding *f, const struct asked *manager)
{
	if (access("/proc/self/ns/net", F_OK)) {
		found(f, CHECK_WARN,
			"the kernel has no network namespaces: --netns and the demonstration do "
			"not work");
		remedy(f, "use a kernel with CONFIG_NET_NS");
	} else if (geteuid()) {
		found(f, CHECK_WARN, "network namespaces are there, but only root may make them");
		remedy(f, "run the manager as root");
	} else {
		found(f, CHECK_PASS, "network namespaces");
	}
}

static void probe_forwarding(struct finding *f, const struct asked *manager)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_forward", "re");
	int c = file ? fgetc(file) : EOF;

	if (file)
		fclose(file);
	if (c == EOF) {
		found(f, CHECK_WARN, "whether IPv4 is forwarded is not known");
		remedy(f, "mount /proc");
	} else {
		found(f, CHECK_PASS,
			c == '1' ? "IPv4 is forwarded"
				 : "IPv4 is not forwarded (uigniterd --nat would switch it on)");
	}
}

/* --- programs -------------------------------------------------------------------------------------------------- */
static bool find_program(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH");

	for (dirs = dirs ? dirs : "/usr/sbin:/usr/bin:/sbin:/bin"; *dirs; dirs += *dirs == ':') {
		size_t len = strcspn(dirs, ":");

		snprintf(path, size, "%.*s/%s", (int)len, dirs, name);
		if (len && !access(path, X_OK))
			return true;
		dirs += len;
	}
	return false;
}

static void probe_mkfs(struct finding *f, const struct asked *manager)
{
	char path[4096];

	if (find_program("mkfs.erofs", path, sizeof(path))) {
		found(f, CHECK_PASS, "%.200s", path);
		return;
	}
	found(f, CHECK_FAIL, "mkfs.erofs is missing: images cannot be built");
	remedy(f, "apt install erofs-utils");
}

static void probe_qemu(struct finding *f, const struct asked *manager)
{
	bool kvm = !access("/dev/kvm", R_OK | W_OK);
	char path[4096];

	if (find_program("qemu-system-x86_64", path, sizeof(path))) {
		found(f, CHECK_PASS, "%.200s", path);
		return;
	}
	found(f, kvm ? CHECK_WARN : CHECK_FAIL, "qemu-system-x86_64 is missing%s",
		kvm ? "; it is only needed where there is no KVM" : " and there is no KVM");
	remedy(f, "apt install qemu-system-x86");
}

static void judge_disk(struct finding *f, uint64_t free_mib, const char *folder)
{
	found(f,
		free_mib >= 1024          ? CHECK_PASS
			: free_mib >= 128 ? CHECK_WARN
					  : CHECK_FAIL,
		"%llu MiB are free in %.200s", (unsigned long long)free_mib, folder);
	if (f->verdict != CHECK_PASS)
		remedy(f, "make room, or give the manager another folder with --state-dir");
}

/* The manager's folder, or where it would be without any options. */
static void probe_disk(struct finding *f, const struct asked *manager)
{
	const char *folder = access("/var/lib/uigniter", F_OK) ? "/var/lib" : "/var/lib/uigniter";
	const json_t *state = json_object_get(manager->info, "state");
	struct statvfs st;

	if (json_is_string(json_object_get(state, "dir"))) {
		judge_disk(f, (uint64_t)json_integer_value(json_object_get(state, "free_mib")),
			json_string_value(json_object_get(state, "dir")));
	} else if (statvfs(folder, &st)) {
		found(f, CHECK_WARN, "%s: %s", folder, strerror(errno));
		remedy(f, "give the manager a folder with --state-dir");
	} else {
		judge_disk(f, (uint64_t)st.f_bavail * st.f_frsize / MIB, folder);
	}
}

/* --- ports and manager ----------------------------------------------------------------------------------------- */
static bool port_is_free(uint16_t port)
{
	int fd _cleanup_close_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = {htonl(INADDR_LOOPBACK)}};

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	return fd >= 0 && !bind(fd, (struct sockaddr *)&a, sizeof(a));
}

static void judge_default_port(struct finding *f)
{
	json_t *version _cleanup_json_ = NULL;

	if (port_is_free(6666)) {
		found(f, CHECK_PASS, "port 6666 of 127.0.0.1 is free for the manager's API");
	} else if (!ask_manager("tcp://127.0.0.1:6666", "/version", &version, NULL)) {
		found(f, CHECK_PASS, "port 6666 of 127.0.0.1 is the manager's");
	} else {
		found(f, CHECK_WARN, "port 6666 of 127.0.0.1 is taken by another program");
		remedy(f,
			"end it (ss -ltnp 'sport = 6666' names it), or give the manager another "
			"port with --listen");
	}
}

/* A manager that runs has what it was told to take; without one: whether the next could have the default. */
static void probe_port(struct finding *f, const struct asked *manager)
{
	const json_t *listen = json_object_get(manager->info, "listen");

	if (json_is_string(listen))
		found(f, CHECK_PASS, "the manager's API is at %.60s", json_string_value(listen));
	else if (listen)
		found(f, CHECK_PASS, "the manager's API is on its Unix socket only");
	else
		judge_default_port(f);
}

static void probe_manager(struct finding *f, const struct asked *manager)
{
	const char *monitor;

	if (!manager->info) {
		found(f, CHECK_FAIL, "%.250s", manager->err.msg);
		remedy(f, "start uigniterd, or name its address with -H or UIGNITER_HOST");
		return;
	}
	monitor = json_string_value(json_object_get(manager->info, "monitor"));
	found(f, CHECK_PASS, "the manager answers at %.120s, its monitor is %.20s", manager->host,
		monitor ? monitor : "unknown");
}

static const char *const controllers[] = {"cpu", "memory", "pids"};

static bool has_word(const json_t *words, const char *word)
{
	const json_t *item;
	size_t n;

	json_array_foreach(words, n, item)
	{
		const char *text = json_string_value(item);

		if (text && strcmp(text, word) == 0)
			return true;
	}
	return false;
}

/* Of a manager that has a group: what of it can be limited. */
static void judge_cgroup(struct finding *f, const json_t *cgroup)
{
	const char *path = json_string_value(json_object_get(cgroup, "path"));
	const json_t *there = json_object_get(cgroup, "controllers");
	char missing[32] = "";
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
		if (!has_word(there, controllers[i]))
			len += (size_t)snprintf(
				missing + len, sizeof(missing) - len, " +%s", controllers[i]);
	}
	path = path ? path : "?";
	if (!*missing) {
		found(f, CHECK_PASS, "VMs have their limits in %.200s", path);
		return;
	}
	found(f, CHECK_WARN, "in %.120s there is no%s", path, missing);
	remedy(f, "the group above has to pass it on: echo%s > .../cgroup.subtree_control",
		missing);
}

static void probe_limits(struct finding *f, const struct asked *manager)
{
	const json_t *cgroup = json_object_get(manager->info, "cgroup");

	if (!manager->info) {
		found(f, CHECK_WARN,
			"without a manager it is not known whether VMs can be limited");
		remedy(f, "start uigniterd");
		return;
	}
	if (json_is_object(cgroup))
		judge_cgroup(f, cgroup);
	else
		found(f, CHECK_PASS,
			"the manager sets no limits by cgroup v2 (it was started without "
			"--cgroup)");
}

static void probe_ready(struct finding *f, const struct asked *manager)
{
	json_t *health _cleanup_json_ = NULL;
	struct err err = {0};

	if (!ask_manager(manager->host, "/readyz", &health, &err)) {
		found(f, CHECK_PASS, "the manager can run VMs and its pool is filled");
		return;
	}
	found(f, CHECK_WARN, "%.250s", err.msg);
	remedy(f, "see: uigniter pool show, and the manager's log");
}

const struct probe probes[] = {
	{"kvm", probe_kvm},
	{"virtualization", probe_virtualization},
	{"tun", probe_tun},
	{"bridge", probe_bridge},
	{"netns", probe_netns},
	{"forwarding", probe_forwarding},
	{"mkfs.erofs", probe_mkfs},
	{"qemu", probe_qemu},
	{"disk", probe_disk},
	{"port", probe_port},
	{"manager", probe_manager},
	{"ready", probe_ready},
	{"limits", probe_limits},
};
const size_t nprobes = ARRAY_SIZE(probes);
