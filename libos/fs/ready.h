/* SPDX-License-Identifier: Apache-2.0 */
/* What poll.c and epoll.c share: time limits and temporary signal masks. */
#ifndef LIBOS_FS_READY_H
#define LIBOS_FS_READY_H

#include "libos/mem/uaccess.h"
#include "libos/uapi/time.h"

#include <stdint.h>

/* Milliseconds as poll(2) takes them (negative: no limit) to a deadline. */
uint64_t deadline_ms(int64_t ms);
/* 0 and a deadline; -EINVAL when it is no time. */
int deadline_timespec(const struct timespec *t, uint64_t *deadline);

#endif
