/* SPDX-License-Identifier: Apache-2.0 */
/* A tool that is run to its end: nothing on its input, what it says becomes the sentence of a failure. */
#ifndef CLI_IMAGE_CHILD_H
#define CLI_IMAGE_CHILD_H

#include "lib/err.h"

#define CHILD_ENVIRONMENT NULL /* our own */

/* argv[0] is searched in PATH; environment is all of it, NULL-terminated; package: what to install. 0, -ENOENT, -EIO with
 * what it said, -errno. */
int child_run(const char *const argv[], const char *const environment[], const char *package,
	struct err *err);

#endif
