/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkfs.erofs as a child: uncompressed, so that files can be mapped in place; no inline tails, so that every regular file
 * begins on a page; owner, UUID and extended attributes fixed, so that the same files (with the same times) give the same bytes.
 */
#include "cli/image/build.h"

#include "cli/image/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* "uigniter", version 1 of the layout: the same files make the same image. */
#define IMAGE_UUID_OPTION "-U7569676e-6974-6572-8000-000000000001"

/* The child's whole environment. Times of files are kept up to this one, the year 2100, and it is the image's own. */
static const char *const environment[] = {"SOURCE_DATE_EPOCH=4102444800", NULL};

int erofs_make(const char *dir, int *fd, uint64_t *bytes, struct err *err)
{
	char *root _cleanup_free_ = NULL, *file _cleanup_free_ = NULL;
	int f _cleanup_close_ = -1;
	struct stat st;
	int rc;

	if (asprintf(&root, "%s/root", dir) < 0 || asprintf(&file, "%s/image.erofs", dir) < 0)
		return err_set(err, ENOMEM, "out of memory");
	rc = child_run((const char *const[]){"mkfs.erofs", "--all-root", "-x-1", "-Enoinline_data",
			       IMAGE_UUID_OPTION, file, root, NULL},
		environment, "erofs-utils", err);
	if (rc)
		return rc;
	f = open(file, O_RDONLY | O_CLOEXEC);
	if (f < 0 || fstat(f, &st))
		return err_sys(err, errno, "%s", file);
	*bytes = (uint64_t)st.st_size;
	*fd = steal_fd(&f);
	return 0;
}
