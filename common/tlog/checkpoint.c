// SPDX-License-Identifier: Apache-2.0
#include "common/tlog/checkpoint.h"

#include <inttypes.h>

#include "common/base/text.h"

#define TEXT_MOST      (RT_NOTE_NAME_BYTES + 24 + 48)
#define SIZE_DIGITS    20
#define ROOT_TEXT_SIZE RT_BASE64_SIZE(RT_DIGEST_BYTES)

static bool is_empty_root(const struct rt_digest *root)
{
    struct rt_digest empty;
    rt_sha256(rt_bytes(NULL, 0), &empty);
    return rt_digest_equal(root, &empty);
}

enum rt_status rt_checkpoint_format(const struct rt_checkpoint *checkpoint, struct rt_buf *out)
{
    if (!rt_note_name_valid(rt_bytes_str(checkpoint->origin)) ||
        checkpoint->size > RT_TREE_SIZE_MOST ||
        (checkpoint->size == 0 && !is_empty_root(&checkpoint->root)))
        return RT_MALFORMED;
    rt_buf_printf(out, "%s\n%" PRIu64 "\n", checkpoint->origin, checkpoint->size);
    rt_base64_add(out, checkpoint->root.bytes, sizeof checkpoint->root.bytes);
    rt_buf_add_str(out, "\n");
    return rt_buf_ok(out);
}

// Take one non-empty line off *text.
static bool next_line(struct rt_bytes *text, struct rt_bytes *ret_line)
{
    const uint8_t *end = text->size ? memchr(text->data, '\n', text->size) : NULL;
    if (!end || end == text->data)
        return false;
    size_t size = (size_t)(end - text->data);
    *ret_line = rt_bytes(text->data, size);
    *text = rt_bytes(end + 1, text->size - size - 1);
    return true;
}

static enum rt_status parse_size(struct rt_bytes line, uint64_t *ret_size)
{
    char digits[SIZE_DIGITS + 1];
    if (line.size > SIZE_DIGITS || memchr(line.data, 0, line.size))
        return RT_MALFORMED;
    memcpy(digits, line.data, line.size);
    digits[line.size] = 0;
    return rt_parse_u64(digits, ret_size);
}

enum rt_status rt_checkpoint_parse(struct rt_bytes text, struct rt_checkpoint *ret_checkpoint)
{
    struct rt_bytes origin, size, root, extension;
    if (!next_line(&text, &origin) || !next_line(&text, &size) || !next_line(&text, &root))
        return RT_MALFORMED;
    struct rt_checkpoint checkpoint = {.extended = text.size != 0};
    while (text.size)
        if (!next_line(&text, &extension))
            return RT_MALFORMED;
    // An origin need not be a note name for others' logs; for ours it always is.
    if (!rt_note_name_valid(origin))
        return RT_MALFORMED;
    memcpy(checkpoint.origin, origin.data, origin.size);
    size_t decoded = 0;
    if (parse_size(size, &checkpoint.size) || root.size != ROOT_TEXT_SIZE ||
        rt_base64_decode((const char *)root.data, root.size, checkpoint.root.bytes,
                         sizeof checkpoint.root.bytes, &decoded) ||
        decoded != sizeof checkpoint.root.bytes)
        return RT_MALFORMED;
    if (checkpoint.size > RT_TREE_SIZE_MOST)
        return RT_OUT_OF_RANGE;
    if (checkpoint.size == 0 && !is_empty_root(&checkpoint.root))
        return RT_MALFORMED;
    *ret_checkpoint = checkpoint;
    return RT_OK;
}

enum rt_status rt_checkpoint_sign(const struct rt_checkpoint *checkpoint,
                                  const struct rt_secret_key *key, struct rt_buf *out)
{
    struct rt_buf text;
    rt_buf_init(&text, TEXT_MOST);
    enum rt_status status = rt_checkpoint_format(checkpoint, &text);
    if (!status)
        status = rt_note_sign(key, checkpoint->origin, rt_buf_bytes(&text), out);
    rt_buf_release(&text);
    return status;
}

enum rt_status rt_checkpoint_open(struct rt_bytes bytes, const struct rt_vkey *log,
                                  struct rt_checkpoint *ret_checkpoint)
{
    struct rt_note note;
    enum rt_status status = rt_note_parse(bytes, &note);
    if (status)
        return status;
    if ((status = rt_note_verify(&note, log, NULL)))
        return status;
    struct rt_checkpoint checkpoint;
    if ((status = rt_checkpoint_parse(note.text, &checkpoint)))
        return status;
    if (strcmp(checkpoint.origin, log->name) != 0)
        return RT_CONFLICT;
    *ret_checkpoint = checkpoint;
    return RT_OK;
}
