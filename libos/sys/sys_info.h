/* SPDX-License-Identifier: Apache-2.0 */
/* What setdomainname(2) sets, for /proc. */
#ifndef LIBOS_SYS_SYS_INFO_H
#define LIBOS_SYS_SYS_INFO_H

#define UTS_FIELD 65 /* of struct new_utsname, NUL included */

extern char domain_name[UTS_FIELD];

#endif
