/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_APP_IMAGES_H
#define CLI_APP_IMAGES_H

#include "cli/app/file.h"
#include "cli/verb.h"

#include <stdbool.h>

/* Makes the image of each build of the file, gives it to the manager, and names it in the service; no_build: only names it. Takes the options --context and
 * --host-files. EXIT_OK, or an exit status after a line on stderr. */
int app_make_images(
	const struct invocation *inv, struct api *api, struct app_file *file, bool no_build);

#endif
