/* SPDX-License-Identifier: Apache-2.0 */
/* uigniter image inspect: all that the manager knows of images, as JSON or through a template. */
#include "cli/verb.h"

int cmd_image_inspect(const struct invocation *inv)
{
	return verb_inspect(inv, "image", api_image_path, (struct format){.id_key = "name"});
}
