/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image/skopeo.h"

#include "cli/image/child.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* Not an option, and nothing but a reference: letters, digits and ./:@_- */
static bool is_reference(const char *s)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./:@_-";

	return *s && *s != '-' && strlen(s) < 512 && strspn(s, letters) == strlen(s);
}

int skopeo_pull(const char *reference, struct temp *temp, char **folder, struct err *err)
{
	char *from _cleanup_free_ = NULL, *path _cleanup_free_ = NULL, *to _cleanup_free_ = NULL;
	int rc;

	if (!is_reference(reference))
		return err_set(err, EINVAL, "that is no name of an image in a registry");
	rc = temp_new(temp, err);
	if (rc)
		return rc;
	if (asprintf(&from, "docker://%s", reference) < 0 ||
		asprintf(&path, "%s/layout", temp->path) < 0 || asprintf(&to, "oci:%s", path) < 0)
		return err_set(err, ENOMEM, "out of memory");
	rc = child_run((const char *const[]){"skopeo", "--override-os", "linux", "--override-arch",
			       "amd64", "copy", "--quiet", from, to, NULL},
		CHILD_ENVIRONMENT, "skopeo", err);
	if (rc)
		return rc;
	*folder = steal_ptr(&path);
	return 0;
}
