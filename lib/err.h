/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error that a person reads: a value on the caller's stack, passed as the last parameter. A function that
 * fails sets code (a positive errno value) and a sentence, and returns -code; each layer on the way up may put its "what: "
 * in front. err may be NULL everywhere: then only the code is returned.
 */
#ifndef LIB_ERR_H
#define LIB_ERR_H

#include "lib/util.h"

#define ERR_MSG_BYTES 512

struct err {
	int code; /* positive errno; 0: no error */
	char msg[ERR_MSG_BYTES];
};

/* Sets code (EINVAL if it is none: not above 0) and sentence (cut at ERR_MSG_BYTES); returns -code. */
int err_set(struct err *err, int code, const char *fmt, ...) _printf_(3, 4);

/* As err_set(), with ": " and strerror(code) behind the sentence. */
int err_sys(struct err *err, int code, const char *fmt, ...) _printf_(3, 4);

/* Puts "what: " in front of the sentence; returns -err->code (or -EINVAL when err is NULL). */
int err_prefix(struct err *err, const char *fmt, ...) _printf_(2, 3);

/* A failure is a failure: the callers see that the three return less than 0. */
#define err_below_0_(call)                                                                         \
	({                                                                                         \
		int failed_ = (call);                                                              \
		if (failed_ >= 0)                                                                  \
			__builtin_unreachable();                                                   \
		failed_;                                                                           \
	})
#define err_set(...)    err_below_0_((err_set)(__VA_ARGS__))
#define err_sys(...)    err_below_0_((err_sys)(__VA_ARGS__))
#define err_prefix(...) err_below_0_((err_prefix)(__VA_ARGS__))

#endif
