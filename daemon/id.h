/* SPDX-License-Identifier: Apache-2.0 */
/* Random ids: UUID version 4 (RFC 9562, section 5.4) as text. */
#ifndef DAEMON_ID_H
#define DAEMON_ID_H

#define ID_TEXT_BYTES 37

void id_new(char text[ID_TEXT_BYTES]);

#endif
