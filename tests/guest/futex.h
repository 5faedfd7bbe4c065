/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of futex(2), for C libraries that come without <linux/futex.h>. */
#ifndef TESTS_GUEST_FUTEX_H
#define TESTS_GUEST_FUTEX_H

#define FUTEX_WAIT           0
#define FUTEX_WAKE           1
#define FUTEX_REQUEUE        3
#define FUTEX_CMP_REQUEUE    4
#define FUTEX_WAKE_OP        5
#define FUTEX_WAIT_BITSET    9
#define FUTEX_WAKE_BITSET    10
#define FUTEX_PRIVATE        128
#define FUTEX_CLOCK_REALTIME 256
#define FUTEX_MATCH_ANY      0xffffffffu
#define FUTEX_OP_ADD         1u
#define FUTEX_OP_CMP_EQ      0u
#define FUTEX_OP(op, arg, cmp, cmp_arg)                                                            \
	((op) << 28 | (cmp) << 24 | ((uint32_t)(arg)&0xfffu) << 12 | ((uint32_t)(cmp_arg)&0xfffu))

#endif
