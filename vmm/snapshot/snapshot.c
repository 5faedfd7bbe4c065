/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/snapshot/snapshot.h"

#include "abi/layout.h"
#include "lib/err.h"
#include "lib/util.h"
#include "vmm/kvm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE_BYTES    4096ull
#define RAM_MAX_BYTES (14336 * MIB) /* TABLES_RAM_MAX_MIB */
#define DEVICE_GAP    (UIG_GPA_HIGH_RAM - UIG_GPA_MMIO)

static void digest_of(struct snapshot *s, uint8_t digest[SHA256_BYTES])
{
	struct sha256 sha;

	memset(s->digest, 0, sizeof(s->digest));
	sha256_init(&sha);
	sha256_add(&sha, s, sizeof(*s));
	sha256_end(&sha, digest);
}

void snapshot_seal(struct snapshot *s)
{
	uint8_t digest[SHA256_BYTES];

	s->magic = SNAPSHOT_MAGIC;
	s->version = SNAPSHOT_VERSION;
	s->bytes = sizeof(*s);
	digest_of(s, digest);
	memcpy(s->digest, digest, sizeof(digest));
}

static int check_head(struct snapshot *s, struct err *err)
{
	uint8_t said[SHA256_BYTES], is[SHA256_BYTES];

	if (s->magic != SNAPSHOT_MAGIC)
		return err_set(err, EINVAL, "not a snapshot of this monitor");
	if (s->version != SNAPSHOT_VERSION)
		return err_set(err, EINVAL, "a snapshot of format %u, this monitor reads %u",
			s->version, SNAPSHOT_VERSION);
	if (s->bytes != sizeof(*s))
		return err_set(err, EINVAL, "a state of %u bytes, not %zu", s->bytes, sizeof(*s));
	memcpy(said, s->digest, sizeof(said));
	digest_of(s, is);
	memcpy(s->digest, said, sizeof(said));
	return memcmp(said, is, sizeof(is)) == 0
		? 0
		: err_set(err, EINVAL,
			  "the state file is damaged: its digest is not that of its contents");
}

static int check_extents(const struct snapshot *s, struct err *err)
{
	uint64_t at = 0, pages = 0;

	if (s->nextents > SNAPSHOT_EXTENTS_MAX)
		return err_set(err, EINVAL, "%u parts of memory", s->nextents);
	for (unsigned i = 0; i < s->nextents; i++) {
		const struct snapshot_extent *e = &s->extent[i];

		if (e->offset % PAGE_BYTES || e->bytes % PAGE_BYTES || e->bytes == 0 ||
			e->offset < at || e->offset > s->ram_bytes ||
			e->bytes > s->ram_bytes - e->offset)
			return err_set(err, EINVAL, "part %u of memory lies outside of it", i);
		at = e->offset + e->bytes;
		pages += e->bytes / PAGE_BYTES;
	}
	return s->mem_pages <= pages ? 0
				     : err_set(err, EINVAL, "more pages than parts of memory hold");
}

static int check_counts(const struct snapshot *s, struct err *err)
{
	if (!memchr(s->monitor, 0, sizeof(s->monitor)))
		return err_set(err, EINVAL, "the monitor's version has no end");
	if (s->libos_id_bytes > sizeof(s->libos_id))
		return err_set(err, EINVAL, "a build id of %u bytes", s->libos_id_bytes);
	if (s->ram_bytes == 0 || s->ram_bytes % MIB || s->ram_bytes > RAM_MAX_BYTES)
		return err_set(err, EINVAL, "%llu bytes of RAM", (unsigned long long)s->ram_bytes);
	if (s->image_bytes > UIG_IMAGE_MAX_BYTES)
		return err_set(
			err, EINVAL, "an image of %llu bytes", (unsigned long long)s->image_bytes);
	if (s->ram_used % PAGE_BYTES || s->ram_used > s->ram_bytes || s->ram_used > UIG_GPA_MMIO)
		return err_set(
			err, EINVAL, "%llu bytes of RAM in use", (unsigned long long)s->ram_used);
	if (s->cr3 % PAGE_BYTES || s->cr3 >= s->ram_bytes + DEVICE_GAP)
		return err_set(err, EINVAL, "page tables outside of memory");
	if (s->ndevices > UIG_DEVICES_MAX)
		return err_set(err, EINVAL, "%u devices", s->ndevices);
	if (s->cpu_state.nmsrs > CPU_STATE_MSRS)
		return err_set(err, EINVAL, "%u registers of the processor", s->cpu_state.nmsrs);
	return s->generation < UINT32_MAX
		? 0
		: err_set(err, EINVAL, "there can be no further generation");
}

int snapshot_parse(const void *data, size_t len, struct snapshot *out, struct err *err)
{
	int r;

	if (len < offsetof(struct snapshot, digest))
		return err_set(err, EINVAL, "not a snapshot: %zu bytes", len);
	memset(out, 0, sizeof(*out));
	memcpy(out, data, len < sizeof(*out) ? len : sizeof(*out));
	if (len != sizeof(*out) && out->magic == SNAPSHOT_MAGIC && out->version == SNAPSHOT_VERSION)
		return err_set(
			err, EINVAL, "the state file has %zu bytes, not %zu", len, sizeof(*out));
	r = check_head(out, err);
	if (r == 0)
		r = check_counts(out, err);
	return r < 0 ? r : check_extents(out, err);
}

int snapshot_read(int fd, struct snapshot *s, struct err *err)
{
	size_t size = sizeof(*s) + 1, n = 0; /* one more, to see that there is no more */
	_cleanup_free_ uint8_t *data = malloc(size);

	if (!data)
		return err_set(err, ENOMEM, "out of memory");
	while (n < size) {
		ssize_t got = pread(fd, data + n, size - n, (off_t)n);

		if (got < 0)
			return err_sys(err, errno, "read the state");
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return snapshot_parse(data, n, s, err);
}

int snapshot_fits(const struct snapshot *s, const struct snapshot_host *host, struct err *err)
{
	if (strcmp(s->monitor, UIGNITER_VERSION) != 0)
		return err_set(
			err, EINVAL, "made by uvmm %s, this is %s", s->monitor, UIGNITER_VERSION);
	if (s->abi_version != UIG_ABI_VERSION)
		return err_set(err, EINVAL, "made for version %u of the libOS' interface, not %u",
			s->abi_version, UIG_ABI_VERSION);
	if (s->cpu != host->cpu)
		return err_set(err, EINVAL,
			"made on a processor (or a KVM) with other features than this one");
	if (host->ram_bytes && s->ram_bytes != host->ram_bytes)
		return err_set(err, EINVAL, "made with %llu MiB of memory, this machine has %llu",
			(unsigned long long)(s->ram_bytes / MIB),
			(unsigned long long)(host->ram_bytes / MIB));
	if (host->libos_id_bytes &&
		(s->libos_id_bytes != host->libos_id_bytes ||
			memcmp(s->libos_id, host->libos_id, host->libos_id_bytes) != 0))
		return err_set(err, EINVAL, "made with another build of the libOS");
	return 0;
}

bool snapshot_page_is_zero(const void *page)
{
	const uint64_t *words = page;
	uint64_t any = 0;

	for (unsigned i = 0; i < PAGE_BYTES / sizeof(*words); i += 8) {
		for (unsigned k = 0; k < 8; k++)
			any |= words[i + k];
		if (any)
			return false;
	}
	return true;
}

void snapshot_digest_run(struct sha256 *digest, uint64_t offset, const void *data, uint64_t bytes)
{
	const uint64_t head[2] = {offset, bytes};

	sha256_add(digest, head, sizeof(head));
	sha256_add(digest, data, bytes);
}

/* Runs do not cross the parts that they are found in: parts are apart, and were made of whole runs. */
static uint64_t digest_part(
	struct sha256 *digest, const struct snapshot_extent *e, const uint8_t *data)
{
	uint64_t pages = 0, start = 0;

	for (uint64_t at = 0; at <= e->bytes; at += PAGE_BYTES) {
		bool in = at < e->bytes && !snapshot_page_is_zero(data + at);

		pages += in;
		if (in)
			continue;
		if (at > start)
			snapshot_digest_run(digest, e->offset + start, data + start, at - start);
		start = at + PAGE_BYTES;
	}
	return pages;
}

static int digest_memory(
	const struct snapshot *s, int fd, struct sha256 *digest, uint64_t *pages, struct err *err)
{
	for (unsigned i = 0; i < s->nextents; i++) {
		const struct snapshot_extent *e = &s->extent[i];
		void *data = mmap(NULL, e->bytes, PROT_READ, MAP_PRIVATE, fd, (off_t)e->offset);

		if (data == MAP_FAILED)
			return err_sys(err, errno, "map the memory file");
		*pages += digest_part(digest, e, data);
		munmap(data, e->bytes);
	}
	return 0;
}

int snapshot_check_memory(const struct snapshot *s, int fd, bool digest, struct err *err)
{
	uint8_t is[SHA256_BYTES];
	struct sha256 sha;
	struct stat st;
	uint64_t pages = 0;
	int r;

	if (fstat(fd, &st) < 0)
		return err_sys(err, errno, "memory file");
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != s->ram_bytes)
		return err_set(err, EINVAL, "the memory file is not a file of %llu bytes",
			(unsigned long long)s->ram_bytes);
	if (!digest)
		return 0;
	sha256_init(&sha);
	r = digest_memory(s, fd, &sha, &pages, err);
	if (r < 0)
		return r;
	sha256_end(&sha, is);
	if (pages != s->mem_pages || memcmp(is, s->mem_digest, sizeof(is)) != 0)
		return err_set(err, EINVAL,
			"the memory file is damaged: its digest is not that of its contents");
	return 0;
}

void snapshot_image_id(const uint8_t *image, uint64_t bytes, uint8_t id[SHA256_BYTES])
{
	uint64_t head = bytes < PAGE_BYTES ? bytes : PAGE_BYTES;
	struct sha256 sha;

	sha256_init(&sha);
	sha256_add(&sha, image, head);
	sha256_add(&sha, image + bytes - head, head);
	sha256_end(&sha, id);
}

static int this_cpu(uint64_t *cpu, struct err *err)
{
	struct kvm kvm;
	int r = kvm_init(&kvm, err);

	if (r == 0)
		r = cpu_state_fingerprint(kvm.fd, cpu, err);
	kvm_fini(&kvm);
	return r;
}

int snapshot_verify_files(const char *pair, bool seal, struct err *err)
{
	const char *colon = strrchr(pair, ':');
	_cleanup_free_ char *state = colon ? strndup(pair, (size_t)(colon - pair)) : NULL;
	_cleanup_free_ struct snapshot *s = malloc(sizeof(*s));
	_cleanup_close_ int fd = -1, mem = -1;
	struct snapshot_host host = {0};
	int r;

	if (!state || !s)
		return err_set(err, EINVAL, "%s: not STATE:MEMORY", pair);
	fd = open(state, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, errno, "%s", state);
	mem = open(colon + 1, O_RDONLY | O_CLOEXEC);
	if (mem < 0)
		return err_sys(err, errno, "%s", colon + 1);
	if (seal && (fsync(fd) < 0 || fsync(mem) < 0))
		return err_sys(err, errno, "cannot write %s through to the disk", pair);
	r = snapshot_read(fd, s, err);
	if (r == 0)
		r = this_cpu(&host.cpu, err);
	if (r == 0)
		r = snapshot_fits(s, &host, err);
	if (r == 0)
		r = snapshot_check_memory(s, mem, true, err);
	return r < 0 ? err_prefix(err, "%s", state) : 0;
}
