/* SPDX-License-Identifier: Apache-2.0 */
/* The options of the verbs, for the command table (commands.c). A row without a name is behind the last of each. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cli/command.h"

extern const struct option_spec run_options[], ps_options[], stop_options[], rm_options[],
	logs_options[], format_options[], list_options[], wait_options[], events_options[],
	pool_options[], import_options[], pull_options[], build_options[], prune_options[],
	trace_options[], app_up_options[], app_build_options[], app_wait_options[],
	fn_deploy_options[], image_warm_options[], fn_invoke_options[], progress_options[],
	snapshot_create_options[];

#endif
