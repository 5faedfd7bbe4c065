/* SPDX-License-Identifier: Apache-2.0 */
/* The libOS boot: guest memory and registers as abi/boot.h wants them. (A standard boot by PVH has its place beside it.) */
#ifndef VMM_ARCH_X86_64_BOOT_LIBOS_H
#define VMM_ARCH_X86_64_BOOT_LIBOS_H

#include <stdint.h>

struct err;
struct vm;

/* All that is known without the image: libos.elf, tables, registers. */
int boot_libos_prepare(struct vm *vm, struct err *err);

/* vCPU thread, before the start: runs the guest until it has touched the pages of the libOS, then sets the entry registers. Never
 * fails for what it is for: an error of KVM's shows again at the first real run. */
void boot_libos_warm_up(struct vm *vm);

/* vCPU thread, of a machine that a snapshot has just been put into: the same for the libOS that is in it, and the pages of the set (NULL: none),
 * where the libOS sees them. The vCPU stands as it stood. */
struct workset;
void boot_libos_warm_clone(struct vm *vm, const struct workset *set);

/* Maps the image file (path may be NULL: none) into the window. Sets *bytes. The request path: no KVM call unless the image is
 * larger than the window. */
int boot_libos_image(struct vm *vm, const char *path, uint64_t *bytes, struct err *err);

/* First byte of RAM that the boot leaves alone. */
uint64_t boot_libos_free_start(const struct vm *vm);

/* Fills the boot information and the identity page. */
int boot_libos_identity(struct vm *vm, uint64_t image_bytes, struct err *err);
/* The same for a machine that a snapshot stands in: it becomes another instance, of the next generation. */
int boot_libos_thaw(struct vm *vm, struct err *err);

#endif
