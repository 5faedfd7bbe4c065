/* SPDX-License-Identifier: Apache-2.0 */
/* The platform page (abi/platform.h): decoding of its registers. What they do is in vmm/vm.h. */
#ifndef VMM_DEV_PLATFORM_H
#define VMM_DEV_PLATFORM_H

struct bus;
struct vm;

/* Puts the page on the bus. 0 or -errno. */
int platform_attach(struct vm *vm, struct bus *bus);

#endif
