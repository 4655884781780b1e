// SPDX-License-Identifier: Apache-2.0
#include "worker/subject/manifest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

#define HEAD "ringtrial-manifest/v1\n"

// A path that is written one way only: no empty, "." or ".." part, no control characters.
static bool path_valid(const char *path, size_t size)
{
    if (!size || size > RT_MANIFEST_PATH_MOST || !rt_utf8_valid(rt_bytes(path, size)))
        return false;
    size_t start = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && ((unsigned char)path[i] < ' ' || path[i] == 0x7f))
            return false;
        if (i < size && path[i] != '/')
            continue;
        // A part that begins with a dot is never listed, so "." and ".." cannot occur.
        if (i == start || path[start] == '.')
            return false;
        start = i + 1;
    }
    return true;
}

// One line without its LF.
static bool read_line(const char *line, size_t size, struct rt_arena *arena,
                      struct rt_manifest_file *ret_file)
{
    const size_t digest_size = RT_DIGEST_TEXT_BYTES - 1;
    if (size < digest_size + 4 || line[digest_size] != ' ' ||
        rt_digest_parse(rt_bytes(line, digest_size), &ret_file->digest))
        return false;
    const char *at = line + digest_size + 1, *end = line + size;
    uint64_t number = 0;
    size_t digits = 0;
    for (; at < end && *at >= '0' && *at <= '9' && digits < 18; at++, digits++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (!digits || (digits > 1 && at[-(ptrdiff_t)digits] == '0') || at >= end || *at != ' ')
        return false;
    at++;
    if (!path_valid(at, (size_t)(end - at)))
        return false;
    ret_file->size = number;
    ret_file->path = rt_arena_strndup(arena, at, (size_t)(end - at));
    return true;
}

enum rt_status rt_manifest_read(struct rt_bytes text, struct rt_arena *arena,
                                struct rt_manifest *ret_manifest, struct rt_error *err)
{
    const char *at = (const char *)text.data, *end = at + text.size;
    size_t lines = 0, count = 0;
    if (text.size > RT_MANIFEST_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "the manifest is over 16 MiB");
    if (text.size < strlen(HEAD) || memcmp(at, HEAD, strlen(HEAD)) != 0)
        return rt_error_set(err, RT_MALFORMED, "line 1: a manifest begins with %.*s",
                            (int)strlen(HEAD) - 1, HEAD);
    at += strlen(HEAD);
    for (const char *p = at; p < end; p++)
        lines += *p == '\n';
    if (lines > RT_MANIFEST_FILES_MOST)
        return rt_error_set(err, RT_TOO_LARGE, "over %d files", RT_MANIFEST_FILES_MOST);
    struct rt_manifest_file *files = rt_arena_array(arena, lines + 1, sizeof *files);
    if (!files)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    while (at < end) {
        const char *next = memchr(at, '\n', (size_t)(end - at));
        if (!next || !read_line(at, (size_t)(next - at), arena, &files[count]))
            return rt_error_set(err, RT_MALFORMED,
                                "line %zu: write sha256:<digest> <size> <path>", count + 2);
        if (!files[count].path)
            return rt_error_set(err, RT_NO_MEMORY, "out of memory");
        if (count && strcmp(files[count - 1].path, files[count].path) >= 0)
            return rt_error_set(err, RT_MALFORMED, "line %zu: paths must ascend", count + 2);
        at = next + 1;
        count++;
    }
    *ret_manifest = (struct rt_manifest){files, count};
    return RT_OK;
}

enum rt_status rt_manifest_write(const struct rt_manifest *manifest, struct rt_buf *out)
{
    char digest[RT_DIGEST_TEXT_BYTES];
    rt_buf_add_str(out, HEAD);
    for (size_t i = 0; i < manifest->count; i++) {
        const struct rt_manifest_file *file = &manifest->files[i];
        if (!path_valid(file->path, strlen(file->path)) ||
            (i && strcmp(manifest->files[i - 1].path, file->path) >= 0))
            return RT_MALFORMED;
        rt_digest_format(&file->digest, digest);
        rt_buf_printf(out, "%s %" PRIu64 " %s\n", digest, file->size, file->path);
    }
    return rt_buf_ok(out);
}

void rt_manifest_difference(const struct rt_manifest *want, const struct rt_manifest *have,
                            char *ret_text, size_t size)
{
    size_t w = 0, h = 0;
    *ret_text = 0;
    while (w < want->count || h < have->count) {
        const struct rt_manifest_file *a = w < want->count ? &want->files[w] : NULL;
        const struct rt_manifest_file *b = h < have->count ? &have->files[h] : NULL;
        int order = !a ? 1 : !b ? -1 : strcmp(a->path, b->path);
        if (order < 0)
            snprintf(ret_text, size, "%s is missing", a->path);
        else if (order > 0)
            snprintf(ret_text, size, "%s is new", b->path);
        else if (a->size != b->size)
            snprintf(ret_text, size, "%s has %" PRIu64 " bytes instead of %" PRIu64, a->path,
                     b->size, a->size);
        else if (!rt_digest_equal(&a->digest, &b->digest))
            snprintf(ret_text, size, "%s has other contents", a->path);
        if (*ret_text)
            return;
        w++;
        h++;
    }
}
