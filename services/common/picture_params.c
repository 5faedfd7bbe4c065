/* SPDX-License-Identifier: Apache-2.0 */
#include "services/common/picture_params.h"

#include "lib/util.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static const char *const op_names[PICTURE_OPS] = {
	[OP_INVERT] = "invert",
	[OP_GRAYSCALE] = "grayscale",
	[OP_RESIZE] = "resize",
	[OP_BLUR] = "blur",
	[OP_EDGES] = "edges",
	[OP_THUMBNAIL] = "thumbnail",
};

static const char *const format_names[] = {
	[FORMAT_SAME] = "same",
	[FORMAT_PNG] = "png",
	[FORMAT_JPEG] = "jpeg",
};

/* The numbers; ops: for which operations, one bit each. */
#define BIT_OF(op) (1u << (op))
#define ANY_OP     (BIT_OF(PICTURE_OPS) - 1)
static const struct number {
	const char *name;
	size_t offset;
	uint32_t min, max, fallback; /* fallback 0: none */
	unsigned int ops;
} numbers[] = {
	{"width", offsetof(struct picture_params, width), 1, PICTURE_SIDE_MAX, 0,
		BIT_OF(OP_RESIZE)},
	{"height", offsetof(struct picture_params, height), 1, PICTURE_SIDE_MAX, 0,
		BIT_OF(OP_RESIZE)},
	{"radius", offsetof(struct picture_params, radius), 1, 30, 4, BIT_OF(OP_BLUR)},
	{"size", offsetof(struct picture_params, size), 16, 1024, 200, BIT_OF(OP_THUMBNAIL)},
	{"quality", offsetof(struct picture_params, quality), 1, 100, 85, ANY_OP},
};

static uint32_t *number_of(struct picture_params *p, const struct number *n)
{
	return (uint32_t *)((char *)p + n->offset);
}

const char *picture_op_name(enum picture_op op)
{
	return op_names[op];
}

const char *picture_format_name(enum picture_format format)
{
	return format_names[format];
}

bool picture_params_knows(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(name, numbers[i].name) == 0)
			return true;
	}
	return strcmp(name, "op") == 0 || strcmp(name, "format") == 0;
}

static int set_op(struct picture_params *p, const char *value, struct err *err)
{
	if (p->has_op)
		return err_set(err, EINVAL, "op is given twice");
	for (size_t i = 0; i < PICTURE_OPS; i++) {
		if (strcmp(value, op_names[i]) == 0) {
			p->op = (enum picture_op)i;
			p->has_op = true;
			return 0;
		}
	}
	return err_set(err, EINVAL,
		"op must be invert, grayscale, resize, blur, edges or thumbnail, not \"%.20s\"",
		value);
}

static int set_format(struct picture_params *p, const char *value, struct err *err)
{
	if (p->format != FORMAT_SAME)
		return err_set(err, EINVAL, "format is given twice");
	if (strcmp(value, "png") == 0)
		p->format = FORMAT_PNG;
	else if (strcmp(value, "jpeg") == 0 || strcmp(value, "jpg") == 0)
		p->format = FORMAT_JPEG;
	else if (strcmp(value, "same") != 0)
		return err_set(err, EINVAL, "format must be png or jpeg, not \"%.20s\"", value);
	return 0;
}

static int set_number(
	struct picture_params *p, const struct number *n, const char *value, struct err *err)
{
	size_t len = strlen(value);
	unsigned long v;

	if (*number_of(p, n))
		return err_set(err, EINVAL, "%s is given twice", n->name);
	v = len <= 6 && strspn(value, "0123456789") == len ? strtoul(value, NULL, 10) : 0;
	if (v < n->min || v > n->max)
		return err_set(err, EINVAL, "%s must be a number from %u to %u, not \"%.20s\"",
			n->name, n->min, n->max, value);
	*number_of(p, n) = (uint32_t)v;
	return 0;
}

int picture_params_set(
	struct picture_params *p, const char *name, const char *value, struct err *err)
{
	if (!*value && picture_params_knows(name))
		return 0;
	if (strcmp(name, "op") == 0)
		return set_op(p, value, err);
	if (strcmp(name, "format") == 0)
		return set_format(p, value, err);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(name, numbers[i].name) == 0)
			return set_number(p, &numbers[i], value, err);
	}
	return err_set(err, EINVAL, "there is no parameter \"%.20s\"", name);
}

int picture_params_check(struct picture_params *p, struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const struct number *n = &numbers[i];

		if (!(n->ops & BIT_OF(p->op))) {
			if (*number_of(p, n))
				return err_set(
					err, EINVAL, "%s is not for %s", n->name, op_names[p->op]);
		} else if (!*number_of(p, n)) {
			*number_of(p, n) = n->fallback;
		}
	}
	if (p->op == OP_RESIZE && !p->width && !p->height)
		return err_set(err, EINVAL, "resize needs width, height or both");
	return 0;
}

int picture_params_parse(const char *text, struct picture_params *p, struct err *err)
{
	struct picture_params got = {0};
	char copy[PICTURE_PARAMS_BYTES], *at = copy, *field;
	size_t len = strlen(text);
	int r;

	if (len >= sizeof(copy))
		return err_set(err, EINVAL, "the parameters are longer than %d bytes",
			PICTURE_PARAMS_BYTES - 1);
	memcpy(copy, text, len + 1);
	while (*copy && (field = strsep(&at, "&"))) {
		char *value = strchr(field, '=');

		if (!value)
			return err_set(
				err, EINVAL, "\"%.20s\" is not of the form name=value", field);
		*value++ = '\0';
		r = picture_params_set(&got, field, value, err);
		if (r < 0)
			return r;
	}
	r = picture_params_check(&got, err);
	if (r == 0)
		*p = got;
	return r;
}

void picture_params_format(const struct picture_params *p, char *out)
{
	struct picture_params copy = *p;
	size_t at = 0;

	*out = '\0';
	if (p->op != OP_INVERT)
		at = (size_t)snprintf(out, PICTURE_PARAMS_BYTES, "op=%s", op_names[p->op]);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint32_t v = *number_of(&copy, &numbers[i]);

		if (v && v != numbers[i].fallback)
			at += (size_t)snprintf(out + at, PICTURE_PARAMS_BYTES - at, "%s%s=%u",
				at ? "&" : "", numbers[i].name, v);
	}
	if (p->format != FORMAT_SAME)
		snprintf(out + at, PICTURE_PARAMS_BYTES - at, "%sformat=%s", at ? "&" : "",
			format_names[p->format]);
}
