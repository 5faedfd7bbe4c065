/* SPDX-License-Identifier: Apache-2.0 */
/* Random calls with a few names (a, b, c, d/a, d/e/f, links l and m, ...) in the working directory of both sides. */
#ifndef TESTS_UNIT_LIBOS_FS_RANDOM_NAMES_H
#define TESTS_UNIT_LIBOS_FS_RANDOM_NAMES_H

void random_names(int steps);

#endif
