// SPDX-License-Identifier: Apache-2.0
#include "common/crypto/note.h"

#include <inttypes.h>

#include "common/base/text.h"

#define DASH           "\xe2\x80\x94 " // em dash, space
#define DASH_BYTES     4
#define SIGNATURE_MOST 8192 // decoded, of a type we do not know; ML-DSA's largest is 4,627
#define TIME_BYTES     8

// Valid UTF-8 with no control character but LF (C2SP signed-note, "Format").
static bool text_valid(struct rt_bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20 && text.data[i] != '\n')
            return false;
    return rt_utf8_valid(text);
}

// One signature line without its LF.
static enum rt_status parse_line(struct rt_bytes line, struct rt_note_line *ret_line)
{
    if (line.size < DASH_BYTES || memcmp(line.data, DASH, DASH_BYTES) != 0)
        return RT_MALFORMED;
    line = rt_bytes(line.data + DASH_BYTES, line.size - DASH_BYTES);
    const uint8_t *space = line.size ? memchr(line.data, ' ', line.size) : NULL;
    if (!space)
        return RT_MALFORMED;
    size_t name_size = (size_t)(space - line.data);
    ret_line->name = rt_bytes(line.data, name_size);
    if (!rt_note_name_valid(ret_line->name))
        return RT_MALFORMED;
    uint8_t blob[SIGNATURE_MOST];
    size_t size = 0;
    if (rt_base64_decode((const char *)space + 1, line.size - name_size - 1, blob, sizeof blob,
                         &size) ||
        size <= RT_NOTE_ID_BYTES)
        return RT_MALFORMED;
    memcpy(ret_line->id, blob, RT_NOTE_ID_BYTES);
    ret_line->signature_size = size - RT_NOTE_ID_BYTES;
    if (ret_line->signature_size <= sizeof ret_line->signature)
        memcpy(ret_line->signature, blob + RT_NOTE_ID_BYTES, ret_line->signature_size);
    return RT_OK;
}

enum rt_status rt_note_parse(struct rt_bytes bytes, struct rt_note *ret_note)
{
    if (bytes.size > RT_NOTE_MOST)
        return RT_TOO_LARGE;
    if (bytes.size < 2 || bytes.data[bytes.size - 1] != '\n' || !text_valid(bytes))
        return RT_MALFORMED;
    // The last blank line separates the two; a text may hold blank lines of its own.
    size_t split = bytes.size - 1;
    while (split > 0 && !(bytes.data[split] == '\n' && bytes.data[split - 1] == '\n'))
        split--;
    if (split == 0 || split == bytes.size - 1)
        return RT_MALFORMED;
    struct rt_note note = {.text = rt_bytes(bytes.data, split)};
    for (size_t at = split + 1; at < bytes.size;) {
        const uint8_t *end = memchr(bytes.data + at, '\n', bytes.size - at);
        if (note.count == RT_NOTE_LINES_MOST)
            return RT_TOO_LARGE;
        size_t size = (size_t)(end - (bytes.data + at));
        enum rt_status status =
            parse_line(rt_bytes(bytes.data + at, size), &note.lines[note.count]);
        if (status)
            return status;
        note.count++;
        at += size + 1;
    }
    *ret_note = note;
    return RT_OK;
}

// C2SP tlog-cosignature, "Ed25519 signed message".
static void cosigned(uint64_t time_s, struct rt_bytes text, struct rt_buf *out)
{
    rt_buf_printf(out, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
    rt_buf_add_bytes(out, text);
}

static enum rt_status verify_line(const struct rt_note *note, const struct rt_note_line *line,
                                  const struct rt_vkey *vkey, uint64_t *ret_time_s)
{
    *ret_time_s = 0;
    if (vkey->type == RT_NOTE_ED25519)
        return line->signature_size == RT_SIGNATURE_BYTES
                   ? rt_ed25519_verify(&vkey->key, note->text, line->signature)
                   : RT_BAD_SIGNATURE;
    if (line->signature_size != TIME_BYTES + RT_SIGNATURE_BYTES)
        return RT_BAD_SIGNATURE;
    uint64_t time_s = rt_get_u64be(line->signature);
    if (time_s > INT64_MAX)
        return RT_BAD_SIGNATURE;
    struct rt_buf message;
    rt_buf_init(&message, RT_NOTE_MOST + 64);
    cosigned(time_s, note->text, &message);
    enum rt_status status = rt_buf_ok(&message);
    if (!status)
        status =
            rt_ed25519_verify(&vkey->key, rt_buf_bytes(&message), line->signature + TIME_BYTES);
    rt_buf_release(&message);
    *ret_time_s = time_s;
    return status;
}

enum rt_status rt_note_verify(const struct rt_note *note, const struct rt_vkey *vkey,
                              uint64_t *ret_time_s)
{
    bool found = false;
    uint64_t latest_s = 0;
    for (size_t i = 0; i < note->count; i++) {
        const struct rt_note_line *line = &note->lines[i];
        if (memcmp(line->id, vkey->id, sizeof vkey->id) != 0 ||
            !rt_bytes_equal_str(line->name, vkey->name))
            continue;
        uint64_t time_s = 0;
        enum rt_status status = verify_line(note, line, vkey, &time_s);
        if (status)
            return status;
        found = true;
        if (time_s > latest_s)
            latest_s = time_s;
    }
    if (!found)
        return RT_UNKNOWN_KEY;
    if (ret_time_s)
        *ret_time_s = latest_s;
    return RT_OK;
}

enum rt_status rt_note_verify_any(const struct rt_note *note, const struct rt_vkey *vkeys,
                                  size_t count, bool *ret_signed)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        enum rt_status status = rt_note_verify(note, &vkeys[i], NULL);
        if (status && status != RT_UNKNOWN_KEY)
            return status;
        any |= status == RT_OK;
        if (ret_signed)
            ret_signed[i] = status == RT_OK;
    }
    return any ? RT_OK : RT_UNKNOWN_KEY;
}

// A signature line: time_size bytes of a cosignature's time may come before the signature.
static enum rt_status add_line(const struct rt_vkey *vkey, const uint8_t *signature, size_t size,
                               struct rt_buf *out)
{
    uint8_t blob[RT_NOTE_ID_BYTES + TIME_BYTES + RT_SIGNATURE_BYTES];
    memcpy(blob, vkey->id, RT_NOTE_ID_BYTES);
    memcpy(blob + RT_NOTE_ID_BYTES, signature, size);
    rt_buf_printf(out, DASH "%s ", vkey->name);
    rt_base64_add(out, blob, RT_NOTE_ID_BYTES + size);
    rt_buf_add_str(out, "\n");
    return rt_buf_ok(out);
}

static bool signable(struct rt_bytes text)
{
    return text.size && text.size <= RT_NOTE_MOST / 2 && text.data[text.size - 1] == '\n' &&
           text_valid(text);
}

enum rt_status rt_note_sign(const struct rt_secret_key *key, const char *name, struct rt_bytes text,
                            struct rt_buf *out)
{
    struct rt_vkey vkey;
    enum rt_status status = rt_vkey_make(name, RT_NOTE_ED25519, rt_secret_key_public(key), &vkey);
    if (status)
        return status;
    if (!signable(text))
        return RT_MALFORMED;
    uint8_t signature[RT_SIGNATURE_BYTES];
    rt_ed25519_sign(key, text, signature);
    rt_buf_add_bytes(out, text);
    rt_buf_add_str(out, "\n");
    return add_line(&vkey, signature, sizeof signature, out);
}

enum rt_status rt_note_cosign(const struct rt_secret_key *key, const char *name, uint64_t time_s,
                              struct rt_bytes text, struct rt_buf *out)
{
    struct rt_vkey vkey;
    enum rt_status status =
        rt_vkey_make(name, RT_NOTE_COSIGNATURE, rt_secret_key_public(key), &vkey);
    if (status)
        return status;
    if (!signable(text) || time_s > INT64_MAX)
        return RT_MALFORMED;
    struct rt_buf message;
    rt_buf_init(&message, RT_NOTE_MOST + 64);
    cosigned(time_s, text, &message);
    status = rt_buf_ok(&message);
    if (!status) {
        uint8_t stamped[TIME_BYTES + RT_SIGNATURE_BYTES];
        rt_put_u64be(stamped, time_s);
        rt_ed25519_sign(key, rt_buf_bytes(&message), stamped + TIME_BYTES);
        status = add_line(&vkey, stamped, sizeof stamped, out);
    }
    rt_buf_release(&message);
    return status;
}
