/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers below /proc/sys: defaults of Linux on a machine of this size, and the bounds that Linux sets; sysctl.h. */
#include "libos/sys/sysctl.h"

#include "libos/klib/errno.h"
#include "libos/mem/vma.h"

#define PIPE_SIZE_MIN 4096
#define PIPE_SIZE_MAX (1ll << 31)
#define IDS_MAX       32768 /* IPCMNI */

int64_t sysctl_value[SYSCTL_COUNT] = {
	[SYSCTL_PIPE_MAX_SIZE] = 1048576,
	[SYSCTL_INOTIFY_INSTANCES] = 128,
	[SYSCTL_INOTIFY_WATCHES] = 65536,
	[SYSCTL_INOTIFY_EVENTS] = 16384,
	[SYSCTL_MQ_QUEUES] = 256,
	[SYSCTL_MQ_MSG_MAX] = 10,
	[SYSCTL_MQ_MSG_DEFAULT] = 10,
	[SYSCTL_MQ_MSGSIZE_MAX] = 8192,
	[SYSCTL_MQ_MSGSIZE_DEFAULT] = 8192,
	[SYSCTL_MSGMNI] = 32000,
	[SYSCTL_MSGMAX] = 8192,
	[SYSCTL_MSGMNB] = 16384,
	[SYSCTL_MSG_NEXT_ID] = -1,
	[SYSCTL_SEM_NEXT_ID] = -1,
	[SYSCTL_SHM_NEXT_ID] = -1,
	[SYSCTL_SHMMNI] = 4096,
	[SYSCTL_MAX_MAP_COUNT] = VMAS_MAX,
	[SYSCTL_PID_MAX] = 32768,
	[SYSCTL_THREADS_MAX] = 32768,
	[SYSCTL_SWAPPINESS] = 0,
	[SYSCTL_OVERCOMMIT] = 1,
	[SYSCTL_SOMAXCONN] = 4096,
	[SYSCTL_DROP_CACHES] = 0,
	[SYSCTL_AIO_MAX_NR] = 65536,
};

static const struct {
	int64_t min, max;
} bounds[SYSCTL_COUNT] = {
	[SYSCTL_PIPE_MAX_SIZE] = {0, PIPE_SIZE_MAX},
	[SYSCTL_INOTIFY_INSTANCES] = {0, INT32_MAX},
	[SYSCTL_INOTIFY_WATCHES] = {0, INT32_MAX},
	[SYSCTL_INOTIFY_EVENTS] = {0, INT32_MAX},
	[SYSCTL_MQ_QUEUES] = {INT32_MIN, INT32_MAX},
	[SYSCTL_MQ_MSG_MAX] = {1, 65536},
	[SYSCTL_MQ_MSG_DEFAULT] = {1, 65536},
	[SYSCTL_MQ_MSGSIZE_MAX] = {128, 16 << 20},
	[SYSCTL_MQ_MSGSIZE_DEFAULT] = {128, 16 << 20},
	[SYSCTL_MSGMNI] = {0, IDS_MAX},
	[SYSCTL_MSGMAX] = {0, INT32_MAX},
	[SYSCTL_MSGMNB] = {0, INT32_MAX},
	[SYSCTL_MSG_NEXT_ID] = {0, INT32_MAX},
	[SYSCTL_SEM_NEXT_ID] = {0, INT32_MAX},
	[SYSCTL_SHM_NEXT_ID] = {0, INT32_MAX},
	[SYSCTL_SHMMNI] = {0, IDS_MAX},
	[SYSCTL_MAX_MAP_COUNT] = {0, VMAS_MAX},
	[SYSCTL_PID_MAX] = {301, 4194304},
	[SYSCTL_THREADS_MAX] = {20, INT32_MAX},
	[SYSCTL_SWAPPINESS] = {0, 200},
	[SYSCTL_OVERCOMMIT] = {0, 2},
	[SYSCTL_SOMAXCONN] = {0, INT32_MAX},
	[SYSCTL_DROP_CACHES] = {1, 4},
	[SYSCTL_AIO_MAX_NR] = {0, INT64_MAX},
};

/* Blanks around it, an optional sign, digits. */
static int parse(const char *p, size_t n, int64_t *value)
{
	const char *end = p + n, *first;
	bool minus;
	int64_t v = 0;

	while (end > p && (end[-1] == '\n' || end[-1] == ' '))
		end--;
	while (p < end && *p == ' ')
		p++;
	minus = p < end && *p == '-';
	first = p += minus;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9' || v > INT64_MAX / 10 - 1)
			return -EINVAL;
		v = v * 10 + (*p - '0');
	}
	*value = minus ? -v : v;
	return p > first ? 0 : -EINVAL;
}

int sysctl_set(enum sysctl which, const char *text, size_t n)
{
	int64_t v, size = PIPE_SIZE_MIN;

	if (parse(text, n, &v) < 0 || v < bounds[which].min || v > bounds[which].max)
		return -EINVAL;
	if (which == SYSCTL_PIPE_MAX_SIZE) {
		while (size < v)
			size *= 2;
		v = size;
	}
	sysctl_value[which] = v;
	return 0;
}
