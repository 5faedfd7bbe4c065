/* SPDX-License-Identifier: Apache-2.0 */
/* The headers and notes of an ELF kernel: whatever is accepted must lie inside the file and the memory, and be entered there. */
#include "lib/err.h"
#include "vmm/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RAM_BYTES (16ull << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct file {
	const uint8_t *data;
	size_t size;
};

static int read_file(void *arg, uint64_t offset, void *buf, uint64_t len)
{
	const struct file *f = arg;

	if (offset > f->size || len > f->size - offset)
		return -EIO;
	if (len)
		memcpy(buf, f->data + offset, len);
	return 0;
}

static bool inside_one(const struct kernel_plan *plan, gpa_t gpa)
{
	for (unsigned i = 0; i < plan->nsegments; i++) {
		if (gpa >= plan->segment[i].gpa &&
			gpa - plan->segment[i].gpa < plan->segment[i].mem_bytes)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct file f = {data, size};
	struct kernel_plan plan;
	struct err err = {0};

	if (kernel_plan(read_file, &f, size, RAM_BYTES, &plan, &err) < 0) {
		if (err.code == 0 || err.msg[0] == '\0')
			abort();
		return 0;
	}
	for (unsigned i = 0; i < plan.nsegments; i++) {
		const struct kernel_segment *s = &plan.segment[i];

		if (s->offset > size || s->file_bytes > size - s->offset ||
			s->file_bytes > s->mem_bytes || s->gpa < KERNEL_LOW || s->gpa > RAM_BYTES ||
			s->mem_bytes > RAM_BYTES - s->gpa)
			abort();
	}
	if (plan.pvh_entry ? !inside_one(&plan, plan.pvh_entry)
			   : !plan.libos && !inside_one(&plan, plan.entry))
		abort();
	return 0;
}
