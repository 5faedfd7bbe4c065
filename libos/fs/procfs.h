/* SPDX-License-Identifier: Apache-2.0 */
/* Makers of the files of /proc: proc_self.c and proc_tune.c what is about the process, proc_machine.c what is about the machine. */
#ifndef LIBOS_FS_PROCFS_H
#define LIBOS_FS_PROCFS_H

#include "libos/fs/tablefs.h"

#define PROC_PID 1

/* Is it the directory of the process (/proc/self), opened? f may be NULL. */
bool proc_is_process(const struct file *f);

int proc_self_link(struct text *t, uint64_t n);
int proc_thread_self_link(struct text *t, uint64_t n);
int proc_exe_link(struct text *t, uint64_t n);
int proc_exe_jump(uint64_t n, struct dentry **d);
int proc_cwd_link(struct text *t, uint64_t n);
int proc_cwd_jump(uint64_t n, struct dentry **d);
int proc_root_jump(uint64_t n, struct dentry **d);
int proc_fd_link(struct text *t, uint64_t fd);
int proc_fd_jump(uint64_t fd, struct dentry **d);
int proc_fdinfo(struct text *t, uint64_t fd);
int proc_maps(struct text *t, uint64_t n);
int proc_smaps(struct text *t, uint64_t n);
int proc_smaps_rollup(struct text *t, uint64_t n);
int proc_stat(struct text *t, uint64_t n);
int proc_task_stat(struct text *t, uint64_t tid);
int proc_statm(struct text *t, uint64_t n);
int proc_status(struct text *t, uint64_t n);
int proc_task_status(struct text *t, uint64_t tid);
int proc_cmdline(struct text *t, uint64_t n);
int proc_environ(struct text *t, uint64_t n);
int proc_comm(struct text *t, uint64_t n);
int proc_comm_write(const char *buf, size_t len, uint64_t n);
int proc_task_comm(struct text *t, uint64_t tid);
int proc_task_comm_write(const char *buf, size_t len, uint64_t tid);
int proc_limits(struct text *t, uint64_t n);
int proc_mountinfo(struct text *t, uint64_t n);
int proc_mounts(struct text *t, uint64_t n);
int64_t proc_next_tid(int64_t from);

int proc_oom_score(struct text *t, uint64_t n);
int proc_oom_score_adj(struct text *t, uint64_t n);
int proc_oom_score_adj_write(const char *buf, size_t len, uint64_t n);
int proc_oom_adj(struct text *t, uint64_t n);
int proc_oom_adj_write(const char *buf, size_t len, uint64_t n);
int proc_coredump_filter(struct text *t, uint64_t n);
int proc_coredump_filter_write(const char *buf, size_t len, uint64_t n);

/* net/proc_net.c */
int proc_net_if_inet6(struct text *t, uint64_t n);
int proc_net_tcp(struct text *t, uint64_t n);
int proc_net_tcp6(struct text *t, uint64_t n);
int proc_net_udp(struct text *t, uint64_t n);
int proc_net_dev(struct text *t, uint64_t n);
int proc_net_udp6(struct text *t, uint64_t n);

int proc_cpuinfo(struct text *t, uint64_t n);
int proc_meminfo(struct text *t, uint64_t n);
int proc_machine_stat(struct text *t, uint64_t n);
int proc_uptime(struct text *t, uint64_t n);
int proc_aio_nr(struct text *t, uint64_t n); /* aio.c */
int proc_hostname(struct text *t, uint64_t n);
int proc_domainname(struct text *t, uint64_t n);
/* n: enum sysctl, and 1 */
int proc_sysctl(struct text *t, uint64_t n);
int proc_sysctl_write(const char *buf, size_t len, uint64_t n);
int proc_boot_id(struct text *t, uint64_t n);
int proc_uuid(struct text *t, uint64_t n);

#endif
