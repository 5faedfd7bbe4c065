/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program's address space: areas (vma) in a balanced tree, page tables filled at the first touch. Anonymous memory is
 * zero and taken lazily; private file memory is mapped in place and copied at the first write; shared file memory maps
 * the file's own frames. PROT_NONE reservations of any size cost one vma.
 */
#ifndef LIBOS_MEM_VM_H
#define LIBOS_MEM_VM_H

#include "libos/mem/uaccess.h"

#include <stdbool.h>

struct file;

#define PROT_NONE           0
#define PROT_READ           1
#define PROT_WRITE          2
#define PROT_EXEC           4
#define PROT_GROWSDOWN      0x01000000
#define PROT_GROWSUP        0x02000000
#define MAP_SHARED          0x01
#define MAP_PRIVATE         0x02
#define MAP_FIXED           0x10
#define MAP_ANONYMOUS       0x20
#define MAP_32BIT           0x40
#define MAP_GROWSDOWN       0x0100
#define MAP_LOCKED          0x2000
#define MAP_STACK           0x20000
#define MAP_NORESERVE       0x4000
#define MAP_POPULATE        0x8000
#define MAP_FIXED_NOREPLACE 0x100000

void vm_init(void);

/* As mmap(2); file (borrowed, the vma takes its own reference) or NULL for anonymous. Address or -errno. */
long vm_map(uptr_t addr, uint64_t len, int prot, int flags, struct file *file, uint64_t offset);
int vm_unmap(uptr_t addr, uint64_t len);
int vm_protect(uptr_t addr, uint64_t len, int prot);

/* As mremap(2), but for a second view of shared memory (old length 0): the address or -errno. */
#define MREMAP_MAYMOVE   1
#define MREMAP_FIXED     2
#define MREMAP_DONTUNMAP 4
long vm_remap(uptr_t addr, uint64_t old_len, uint64_t new_len, int flags, uptr_t fixed_at);
/* As brk(2): the end of the heap after the call. vm_set_brk() says where it begins. */
uptr_t vm_brk(uptr_t want);
void vm_set_brk(uptr_t start);
/* New mappings without a place go below top. */
void vm_set_top(uptr_t top);
/* Forgets the contents: the next access finds zeros, or the file's page. addr and len are whole pages. 0, -EINVAL, -EACCES, or
 * -ENOMEM when there was a hole (the rest is done then). */
enum vm_discard {
	VM_DISCARD_OWN,     /* MADV_DONTNEED: what is shared stays */
	VM_DISCARD_FREE,    /* MADV_FREE: private anonymous memory only */
	VM_DISCARD_REMOVE,  /* MADV_REMOVE: shared memory, with its backing */
	VM_DISCARD_NOTHING, /* only looks whether VM_DISCARD_FREE could (MADV_WIPEONFORK) */
};
int vm_discard(uptr_t addr, uint64_t len, enum vm_discard how);
/* True when the page at addr, which belongs to an area, needs no fault that allocates. */
bool vm_is_resident(uptr_t addr);
/* True when a shared mapping may write to the inode. */
struct inode;
bool vm_maps_writable(const struct inode *inode);
/* Brings the range in, as far as that goes. */
void vm_populate(uptr_t addr, uint64_t len);
/* All of the range belongs to areas. */
bool vm_is_mapped(uptr_t addr, uint64_t len);
/* What a word is known by to all who can see it: file and offset in a shared mapping of a file, else NULL and its address. -EFAULT. */
int vm_shared_place(uptr_t addr, const struct inode **inode, uint64_t *at);
/* For file systems: these pages of this inode have gone or moved (truncate, copy-up); mappings fault again. */
struct inode;
void vm_unmap_file(struct inode *inode, uint64_t pgoff, uint64_t npages);
/* These pages of this inode are being written back: the next write through a shared mapping faults. */
void vm_clean_file(struct inode *inode, uint64_t pgoff, uint64_t npages);
/* Sends what shared mappings in the range have written to where the files are kept; sync: to its disk. Blocks. 0 or the first -errno. */
int vm_writeback(uptr_t addr, uint64_t len, bool sync);

/* A page fault at addr, by the program (then it may block: other threads run), or by the libOS on its behalf. 0: mapped, or
 * changed meanwhile: go on. -EFAULT: no such memory or access (SEGV_MAPERR, or SEGV_ACCERR when *accerr is set); -EIO: beyond
 * the end of the file (SIGBUS); -ENOMEM. */
int vm_fault(uptr_t addr, bool write, bool exec, bool block, bool *accerr);

/* The area that holds addr, or the first one above it: false when there is none. The file is borrowed. */
struct vm_area {
	uptr_t start, end;
	struct file *file; /* NULL: anonymous */
	uint64_t pgoff;
};
bool vm_area_from(uptr_t addr, struct vm_area *area);

/* One line per vma as /proc/self/maps has it, into buf; bytes written (cut at size). */
size_t vm_print_maps(char *buf, size_t size);
/* Totals in bytes, for /proc/self/stat and status. */
void vm_usage(uint64_t *mapped, uint64_t *resident);
/* Bytes in [start, end) that have a frame. */
uint64_t vm_resident(uptr_t start, uptr_t end);
/* Bytes in [start, end) that mlock(2) has locked. */
uint64_t vm_locked(uptr_t start, uptr_t end);
/* May a mapping of len bytes be made, if it is to be locked (flags, MCL_FUTURE)? 0, -EPERM, -EAGAIN. */
int vm_may_map_locked(uint64_t len, int flags);

#endif
