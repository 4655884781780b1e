// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "common/base/time.h"
#include "worker/serve/serve.h"
#include "worker/serve/wire.h"

#define REQUEST_MEMORY (4 * RT_SERVE_BODY_MOST)

// One line in, one line out. An error object is a reply too; only our own end is an error.
static enum rt_status answer(const struct rt_synthetic *subject, const char *model,
                             struct rt_bytes line, struct rt_buf *out)
{
    struct rt_arena arena;
    struct rt_chat_request asked;
    struct rt_chat_reply reply;
    struct rt_error err = {RT_OK, ""};
    rt_arena_init(&arena, REQUEST_MEMORY);
    enum rt_status status = rt_serve_read(line, &arena, &asked, &err);
    bool understood = status == RT_OK;
    if (!status)
        status = rt_synthetic_answer(subject, &asked, &arena, &reply);
    if (!status)
        status = rt_serve_write(&reply, model, rt_time_wall_ms() / 1000, out);
    if (status) {
        rt_buf_clear(out);
        rt_serve_write_error(understood ? rt_status_text(status) : err.text,
                             understood ? "server_error" : "invalid_request_error",
                             understood ? 500 : 400, out);
    }
    rt_arena_release(&arena);
    rt_buf_add_u8(out, '\n');
    return rt_buf_ok(out);
}

static bool put(FILE *out, struct rt_bytes bytes)
{
    return fwrite(bytes.data, 1, bytes.size, out) == bytes.size && fflush(out) == 0;
}

enum rt_status rt_serve_stdio(const struct rt_serve_options *options, FILE *in, FILE *out,
                              struct rt_error *err)
{
    struct rt_synthetic *subject;
    struct rt_buf reply;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    if (rt_synthetic_new(&options->effects, options->scenarios, options->scenario_count, &subject))
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    rt_buf_init(&reply, RT_SERVE_BODY_MOST + 1);
    enum rt_status status = RT_OK;
    fprintf(out, "{\"ringtrial_command\":1,\"server\":\"ringtrial synthetic subject\","
                 "\"version\":\"" RT_VERSION "\",\"model\":\"synthetic\"}\n");
    while (!status && (size = getline(&line, &capacity, in)) > 0) {
        size -= line[size - 1] == '\n';
        rt_buf_clear(&reply);
        status = answer(subject, options->model, rt_bytes(line, (size_t)size), &reply);
        if (status)
            rt_error_set(err, status, "a reply of more than 8 MiB");
        else if (!put(out, rt_buf_bytes(&reply)))
            status = rt_error_set(err, RT_IO, "nobody reads the replies any more");
    }
    free(line);
    rt_buf_release(&reply);
    rt_synthetic_free(subject);
    return status;
}
