/* SPDX-License-Identifier: Apache-2.0 */
/* /proc: its table. There is one process, PROC_PID; self is a link to it. A * is that number, a descriptor or a thread. */
#include "libos/fs/procfs.h"

#include "libos/ipc/proc.h"

#include "libos/klib/string.h"
#include "libos/sys/sysctl.h"

/* 0 would be no argument */
#define SYSCTL(path, which)                                                                        \
	{                                                                                          \
		"sys/" path, .make = proc_sysctl, .write = proc_sysctl_write, .arg = (which) + 1   \
	}
static const struct table_entry entries[] = {
	{"self", .link = true, .make = proc_self_link},
	{"thread-self", .link = true, .make = proc_thread_self_link},
	{"mounts", .link = true, .text = "self/mounts"},
	{"*/exe", .link = true, .make = proc_exe_link, .jump = proc_exe_jump},
	{"*/cwd", .link = true, .make = proc_cwd_link, .jump = proc_cwd_jump},
	{"*/root", .link = true, .text = "/", .jump = proc_root_jump},
	{"*/fd/*", .link = true, .make = proc_fd_link, .jump = proc_fd_jump, .mode = 0700},
	{"*/fdinfo/*", .make = proc_fdinfo},
	{"*/maps", .make = proc_maps},
	{"*/smaps", .make = proc_smaps},
	{"*/smaps_rollup", .make = proc_smaps_rollup},
	{"*/stat", .make = proc_stat},
	{"*/statm", .make = proc_statm},
	{"*/status", .make = proc_status},
	{"*/cmdline", .make = proc_cmdline},
	{"*/environ", .make = proc_environ, .mode = 0400},
	{"*/comm", .make = proc_comm, .write = proc_comm_write},
	{"*/limits", .make = proc_limits},
	{"*/mountinfo", .make = proc_mountinfo},
	{"*/mounts", .make = proc_mounts},
	{"*/cgroup", .text = "0::/\n"},
	{"*/oom_score", .make = proc_oom_score},
	{"*/oom_score_adj", .make = proc_oom_score_adj, .write = proc_oom_score_adj_write},
	{"*/oom_adj", .make = proc_oom_adj, .write = proc_oom_adj_write},
	{"*/coredump_filter", .make = proc_coredump_filter, .write = proc_coredump_filter_write},
	{"*/wchan", .text = "0"},
	{"*/task/*/comm", .make = proc_task_comm, .write = proc_task_comm_write},
	{"*/task/*/stat", .make = proc_task_stat},
	{"*/task/*/status", .make = proc_task_status},
	{"cpuinfo", .make = proc_cpuinfo},
	{"meminfo", .make = proc_meminfo},
	{"stat", .make = proc_machine_stat},
	{"uptime", .make = proc_uptime},
	{"loadavg", .text = "0.00 0.00 0.00 1/1 1\n"},
	{"version", .text = "Linux version 6.1.0-uigniter (libos) #1 Uigniter libOS\n"},
	{"filesystems",
		.text = "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\toverlay\n"
			"\terofs\n"},
	{"cgroups", .text = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"},
	{"cmdline", .text = "\n"},
	{"devices", .text = "Character devices:\n  1 mem\n  5 /dev/console\n\nBlock devices:\n"},
	{"swaps", .text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"},
	{"net/if_inet6", .make = proc_net_if_inet6},
	{"net/dev", .make = proc_net_dev},
	{"net/tcp", .make = proc_net_tcp},
	{"net/tcp6", .make = proc_net_tcp6},
	{"net/udp", .make = proc_net_udp},
	{"net/udp6", .make = proc_net_udp6},
	{"net/route",
		.text = "Iface\tDestination\tGateway "
			"\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"},
	{"net/unix", .text = "Num       RefCount Protocol Flags    Type St Inode Path\n"},
	{"sysvipc/shm", .make = proc_sysvipc_shm},
	{"sysvipc/sem", .make = proc_sysvipc_sem},
	{"sysvipc/msg", .make = proc_sysvipc_msg},
	{"sys/kernel/shmmax", .text = "18446744073692774399\n"},
	{"sys/kernel/shmall", .text = "18446744073692774399\n"},
	SYSCTL("kernel/shmmni", SYSCTL_SHMMNI),
	SYSCTL("kernel/msg_next_id", SYSCTL_MSG_NEXT_ID),
	SYSCTL("kernel/sem_next_id", SYSCTL_SEM_NEXT_ID),
	SYSCTL("kernel/shm_next_id", SYSCTL_SHM_NEXT_ID),
	{"sys/kernel/sem", .text = "32000\t1024000000\t500\t32000\n"},
	SYSCTL("kernel/msgmax", SYSCTL_MSGMAX),
	SYSCTL("kernel/msgmnb", SYSCTL_MSGMNB),
	SYSCTL("kernel/msgmni", SYSCTL_MSGMNI),
	SYSCTL("fs/mqueue/msg_default", SYSCTL_MQ_MSG_DEFAULT),
	SYSCTL("fs/mqueue/msg_max", SYSCTL_MQ_MSG_MAX),
	SYSCTL("fs/mqueue/msgsize_default", SYSCTL_MQ_MSGSIZE_DEFAULT),
	SYSCTL("fs/mqueue/msgsize_max", SYSCTL_MQ_MSGSIZE_MAX),
	SYSCTL("fs/mqueue/queues_max", SYSCTL_MQ_QUEUES),
	SYSCTL("vm/overcommit_memory", SYSCTL_OVERCOMMIT),
	SYSCTL("vm/max_map_count", SYSCTL_MAX_MAP_COUNT),
	SYSCTL("vm/swappiness", SYSCTL_SWAPPINESS),
	SYSCTL("net/core/somaxconn", SYSCTL_SOMAXCONN),
	{"sys/net/ipv4/tcp_fin_timeout", .text = "60\n"},
	{"sys/net/ipv4/ip_local_port_range", .text = "32768\t60999\n"},
	{"sys/kernel/ngroups_max", .text = "65536\n"},
	SYSCTL("kernel/pid_max", SYSCTL_PID_MAX),
	SYSCTL("kernel/threads-max", SYSCTL_THREADS_MAX),
	{"sys/kernel/cap_last_cap", .text = "40\n"},
	{"sys/kernel/ostype", .text = "Linux\n"},
	{"sys/kernel/osrelease", .text = "6.1.0-uigniter\n"},
	{"sys/kernel/version", .text = "#1 Uigniter libOS\n"},
	{"sys/kernel/hostname", .make = proc_hostname},
	{"sys/kernel/domainname", .make = proc_domainname},
	{"sys/kernel/core_pattern", .text = "core\n"},
	{"sys/kernel/core_uses_pid", .text = "0\n"},
	{"sys/kernel/printk", .text = "7\t4\t1\t7\n"},
	{"sys/kernel/shm_rmid_forced", .text = "0\n"},
	{"sys/vm/drop_caches", .make = proc_sysctl, .write = proc_sysctl_write,
		.arg = SYSCTL_DROP_CACHES + 1, .mode = 0200},
	{"sys/kernel/randomize_va_space", .text = "2\n"},
	{"sys/kernel/random/boot_id", .make = proc_boot_id},
	{"sys/kernel/random/uuid", .make = proc_uuid},
	{"sys/kernel/random/entropy_avail", .text = "256\n"},
	{"sys/fs/file-max", .text = "1048576\n"},
	{"sys/fs/nr_open", .text = "1048576\n"},
	{"sys/fs/aio-nr", .make = proc_aio_nr},
	SYSCTL("fs/aio-max-nr", SYSCTL_AIO_MAX_NR),
	SYSCTL("fs/pipe-max-size", SYSCTL_PIPE_MAX_SIZE),
	{"sys/fs/pipe-user-pages-soft", .text = "16384\n"},
	{"sys/fs/pipe-user-pages-hard", .text = "0\n"},
	SYSCTL("fs/inotify/max_queued_events", SYSCTL_INOTIFY_EVENTS),
	SYSCTL("fs/inotify/max_user_instances", SYSCTL_INOTIFY_INSTANCES),
	SYSCTL("fs/inotify/max_user_watches", SYSCTL_INOTIFY_WATCHES),
	{"sys/kernel/tainted", .text = "0\n"},
};

static int64_t next_number(const char *path, int64_t from)
{
	if (!*path)
		return from <= PROC_PID ? PROC_PID : -1;
	if (!strcmp(path, "*/task"))
		return proc_next_tid(from);
	return from > INT32_MAX ? -1 : fd_next((int)from); /* fd, fdinfo */
}

static const struct table table = {entries, sizeof(entries) / sizeof(entries[0]), next_number};

static struct super *proc;

bool proc_is_process(const struct file *f)
{
	return f && f->inode && f->inode->sb == proc && inode_is(f->inode, S_IFDIR) &&
		f->dentry->parent == proc->root && !strcmp(f->dentry->name, "1");
}

int procfs_new(struct super **sb)
{
	int rc = tablefs_new("proc", 0x9fa0, true, &table, sb);

	if (!rc)
		proc = *sb;
	return rc;
}
