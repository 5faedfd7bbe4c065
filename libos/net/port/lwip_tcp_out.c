/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's tcp_out.c, with our list macros in place of its own; tcp_output() itself is ours (net/tcp_large.c). */
#include "libos/net/port/override.h"

#define tcp_output lwip_tcp_output

#include <core/tcp_out.c>
