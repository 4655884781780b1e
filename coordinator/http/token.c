// SPDX-License-Identifier: Apache-2.0
#include "coordinator/http/token.h"

#include <sodium.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/text.h"

#define PATH_BYTES   4096
#define ENTRIES_MOST 4096
#define TAIL         ".token"

enum rt_status rt_token_make(const char *folder, const char *name,
                             char ret_text[RT_TOKEN_TEXT_BYTES], struct rt_error *err)
{
    char path[PATH_BYTES], text[RT_TOKEN_TEXT_BYTES + 1];
    uint8_t secret[32];
    if (!rt_id_valid(name))
        return rt_error_set(err, RT_MALFORMED, "'%s' is no name of a token; use letters, digits, "
                                               "'.', '_' and '-'",
                            name);
    if ((size_t)snprintf(path, sizeof path, "%s/%s" TAIL, folder, name) >= sizeof path)
        return rt_error_set(err, RT_TOO_LARGE, "%s: path too long", folder);
    randombytes_buf(secret, sizeof secret);
    memcpy(text, "rt1_", 4);
    rt_hex_encode(secret, sizeof secret, text + 4);
    memcpy(ret_text, text, RT_TOKEN_TEXT_BYTES);
    text[RT_TOKEN_TEXT_BYTES - 1] = '\n';
    enum rt_status status = rt_file_create(path, rt_bytes(text, RT_TOKEN_TEXT_BYTES), 0600, err);
    sodium_memzero(text, sizeof text);
    sodium_memzero(secret, sizeof secret);
    return status;
}

static bool is_token_file(const char *name)
{
    size_t size = strlen(name), tail = strlen(TAIL);
    return size > tail && strcmp(name + size - tail, TAIL) == 0;
}

// The file's text without its line feed; false when it is no token or open to others.
static bool read_token(const char *folder, const char *name, struct rt_buf *out)
{
    char path[PATH_BYTES];
    rt_buf_clear(out);
    return !rt_path_join(path, sizeof path, folder, name) && !rt_file_check_private(path, NULL) &&
           !rt_file_read(path, out, NULL) && out->size == RT_TOKEN_TEXT_BYTES &&
           memcmp(out->data, "rt1_", 4) == 0 && out->data[RT_TOKEN_TEXT_BYTES - 1] == '\n';
}

// text NULL: any token at all.
static bool search(const char *folder, const struct rt_bytes *text)
{
    char **names = NULL;
    size_t count = 0, tokens = 0;
    bool found = false;
    struct rt_buf own;
    if (rt_file_list(folder, ENTRIES_MOST, &names, &count, NULL))
        return false;
    rt_buf_init(&own, 256);
    for (size_t i = 0; i < count && tokens < RT_TOKENS_MOST; i++) {
        if (!is_token_file(names[i]) || !read_token(folder, names[i], &own))
            continue;
        tokens++;
        if (!text || sodium_memcmp(own.data, text->data, RT_TOKEN_TEXT_BYTES - 1) == 0)
            found = true; // all are looked at, whichever matches
    }
    if (own.data)
        sodium_memzero(own.data, own.size);
    rt_buf_release(&own);
    rt_file_list_free(names, count);
    return found;
}

bool rt_token_known(const char *folder, struct rt_bytes text)
{
    return text.size == RT_TOKEN_TEXT_BYTES - 1 && search(folder, &text);
}

bool rt_token_held(const char *folder)
{
    return search(folder, NULL);
}
