/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's tcp_in.c, with our list macros in place of its own; what it sends at last is looked at first (net/tcp_ack.c). */
#include "libos/net/port/override.h"
#include "libos/net/tcp_ack.h"

#define tcp_output net_input_output

#include <core/tcp_in.c>
