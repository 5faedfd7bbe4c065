/* SPDX-License-Identifier: Apache-2.0 */
/* io_submit(2) and io_getevents(2) in the Linux ABI. */
#ifndef LIBOS_UAPI_AIO_H
#define LIBOS_UAPI_AIO_H

#include <stdint.h>

#define IOCB_CMD_PREAD   0
#define IOCB_CMD_PWRITE  1
#define IOCB_CMD_FSYNC   2
#define IOCB_CMD_FDSYNC  3
#define IOCB_CMD_PREADV  7
#define IOCB_CMD_PWRITEV 8

#define IOCB_FLAG_RESFD 1u

struct iocb {
	uint64_t data;
	uint32_t key, rw_flags;
	uint16_t opcode;
	int16_t reqprio;
	uint32_t fildes;
	uint64_t buf, nbytes;
	int64_t offset;
	uint64_t reserved2;
	uint32_t flags, resfd;
};
_Static_assert(sizeof(struct iocb) == 64, "struct iocb");

struct io_event {
	uint64_t data, obj;
	int64_t res, res2;
};

#endif
