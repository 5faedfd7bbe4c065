/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's tcp_in.c, with our list macros in place of its own. */
#include "libos/net/port/override.h"

#include <core/tcp_in.c>
