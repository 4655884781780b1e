// SPDX-License-Identifier: Apache-2.0
// Helpers of the document tests: read a sample, change one thing in it, and look at what is said.
#ifndef RT_TESTS_UNIT_PROTO_DOCUMENTS_H
#define RT_TESTS_UNIT_PROTO_DOCUMENTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/file.h"
#include "proto/doc/doc.h"

#define ARENA_MOST ((size_t)256 << 20)

// One change to a sample and what the reader must say about it.
struct change {
    const char *from, *to;
    const char *says;
};

static inline void read_sample(const char *path, struct rt_buf *text)
{
    struct rt_error err;
    rt_buf_init(text, RT_DOC_FILE_MOST);
    if (rt_file_read(path, text, &err))
        fail_msg("%s", err.text);
}

// text with the first `from` replaced by `to`.
static inline void change_text(const struct rt_buf *text, const struct change *change,
                               struct rt_buf *out)
{
    const char *start = rt_buf_str(text), *place = strstr(start, change->from);
    if (!place)
        fail_msg("the sample has no `%s`", change->from);
    rt_buf_init(out, RT_DOC_FILE_MOST * 2);
    rt_buf_add(out, start, (size_t)(place - start));
    rt_buf_add_str(out, change->to);
    rt_buf_add_str(out, place + strlen(change->from));
}

static inline void must_say(const struct change *change, enum rt_status status,
                            const struct rt_error *err)
{
    if (!status)
        fail_msg("`%s` → `%s` was accepted", change->from, change->to);
    if (!strstr(err->text, change->says))
        fail_msg("`%s` → `%s` said \"%s\" and not \"%s\"", change->from, change->to, err->text,
                 change->says);
    assert_int_equal(err->status, status);
}

static inline void must_be_ok(enum rt_status status, const struct rt_error *err)
{
    if (status)
        fail_msg("%s: %s", rt_status_name(status), err->text);
}

#endif
