/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's tcp.c, with our list macros in place of its own; a pcb that is freed is taken out of the hash first. */
#include "libos/net/port/override.h"
#include "libos/net/tcp_large.h"

#define memp_free(type, p)                                                                         \
	do {                                                                                       \
		if ((type) == MEMP_TCP_PCB)                                                        \
			demux_forget((struct tcp_pcb *)(void *)(p));                               \
		(memp_free)((type), (p));                                                          \
	} while (0)

#define tcp_rexmit_rto_commit net_rexmit_rto_commit
#define tcp_split_unsent_seg  net_split_unsent_seg

#include <core/tcp.c>
