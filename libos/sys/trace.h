/* SPDX-License-Identifier: Apache-2.0 */
/* trace=1 in the argument line: a line per system call on the console, as strace prints it. */
#ifndef LIBOS_SYS_TRACE_H
#define LIBOS_SYS_TRACE_H

#include <stdint.h>

/* After the call: number, raw arguments, result, start in clock_mono_ns(). Strings are read from the program. */
void trace_call(uint64_t nr, const uint64_t a[6], long result, uint64_t start_ns);

#endif
