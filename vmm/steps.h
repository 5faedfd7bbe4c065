/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the time of a start went: the steps of the monitor, by its own clock; those of the libOS, which leaves the TSC in its identity
 * page; and the milestones, with the exits of the guest until then.
 */
#ifndef VMM_STEPS_H
#define VMM_STEPS_H

#include <jansson.h>

struct vm;

/* [{"step", "by": "monitor" | "libos", "us": since the request, "exits": when known}], in the order of the parts, not of the time; new
 * reference, NULL without memory. What the guest says is left out when it can not be true. */
json_t *steps_json(const struct vm *vm);

#endif
