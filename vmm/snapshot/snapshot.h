/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frozen libOS machine as two files. The state file is one struct snapshot: whose it is, the vCPU, the devices, and which parts of
 * the memory file hold anything. The memory file is as long as the guest's RAM and sparse: offset n is byte n of RAM (what lies behind the
 * device gap follows at once). Both are written for the machine they are read on: byte order and layout are the processor's.
 *
 * A snapshot is outside bytes. snapshot_parse() believes nothing but what it has checked: size, magic, version, digest, every count and every
 * bound; a file that someone made on purpose can then do what a guest can do. snapshot_fits() says whether it is one of this machine's.
 *
 * The digest of the memory is over all pages that are not zero, in order, each run of them behind its offset and length: so it does not depend
 * on where the file has holes. It takes as long as reading all of it, and is looked at when asked for.
 */
#ifndef VMM_SNAPSHOT_SNAPSHOT_H
#define VMM_SNAPSHOT_SNAPSHOT_H

#include "abi/boot.h"
#include "abi/platform.h"
#include "vmm/arch/x86_64/cpu_state.h"
#include "vmm/loader.h"
#include "vmm/snapshot/sha256.h"
#include "vmm/virtio/mmio.h"

#include <stddef.h>

struct err;

#define SNAPSHOT_MAGIC       0x31504e5347495555ull /* "UUIGSNP1" */
#define SNAPSHOT_VERSION     2u
#define SNAPSHOT_EXTENTS_MAX 64u
#define SNAPSHOT_NAME_BYTES  32u

struct snapshot_extent {
	uint64_t offset, bytes; /* whole pages of RAM */
};

struct snapshot {
	uint64_t magic;
	uint32_t version, bytes;      /* of this structure */
	uint8_t digest[SHA256_BYTES]; /* of it, with zeros here */
	/* whose */
	char monitor[SNAPSHOT_NAME_BYTES]; /* version of uvmm; ends with a NUL */
	uint32_t abi_version;
	uint32_t libos_id_bytes;
	uint8_t libos_id[ELF_BUILD_ID_MAX]; /* build id of libos.elf */
	uint64_t cpu;                       /* cpu_state_fingerprint() */
	uint64_t image_bytes;
	uint8_t image_id[SHA256_BYTES]; /* of its first and last page */
	/* machine */
	uint64_t ram_bytes, tsc_khz;
	uint64_t
		ram_used; /* of RAM below the device gap its guest has touched no more, and asks before it does; 0: it may touch all */
	gpa_t cr3;
	uint32_t generation;
	uint32_t milestones; /* a bit each of enum uig_milestone */
	uint64_t missing_calls[UIG_CALLS_MAX / 64];
	uint8_t mem_digest[SHA256_BYTES];
	uint64_t mem_pages; /* that are not zero */
	uint32_t nextents, ndevices;
	struct snapshot_extent extent[SNAPSHOT_EXTENTS_MAX]; /* ascending, apart */
	struct virtio_state device[UIG_DEVICES_MAX];
	struct cpu_state cpu_state;
};

/* Fills in magic, version, size and digest. */
void snapshot_seal(struct snapshot *s);
/* Checks len bytes of a state file and copies them. 0, or -EINVAL with the reason. */
int snapshot_parse(const void *data, size_t len, struct snapshot *s, struct err *err);
/* Reads and checks a whole file. 0 or -errno. */
int snapshot_read(int fd, struct snapshot *s, struct err *err);

/* What the snapshot has to agree with; libos_id_bytes 0: any libOS will do (there is none here yet). */
struct snapshot_host {
	uint64_t cpu, ram_bytes; /* ram_bytes 0: any */
	const uint8_t *libos_id;
	uint32_t libos_id_bytes;
};
/* 0, or -EINVAL with what is different. */
int snapshot_fits(const struct snapshot *s, const struct snapshot_host *host, struct err *err);

/* The same for a memory file: its size; and with `digest` its contents, which are read. 0 or -errno. */
int snapshot_check_memory(const struct snapshot *s, int fd, bool digest, struct err *err);

/* What names an image: a digest of its first and last page. bytes is not 0. */
void snapshot_image_id(const uint8_t *image, uint64_t bytes, uint8_t id[SHA256_BYTES]);

/* The digest of memory, fed with its runs of pages in ascending order. */
void snapshot_digest_run(struct sha256 *digest, uint64_t offset, const void *data, uint64_t bytes);
/* Is it a page of zeros? */
bool snapshot_page_is_zero(const void *page);

/* `uvmm --verify-snapshot STATE:MEMORY`: all that can be said without a machine. seal: both are on the disk then. 0 or -errno. */
int snapshot_verify_files(const char *pair, bool seal, struct err *err);

#endif
