/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP's <string.h>. */
#include "libos/klib/string.h"
