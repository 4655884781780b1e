// SPDX-License-Identifier: Apache-2.0
#include "common/base/text.h"
#include "common/crypto/note.h"

#define KEY_BLOB_BYTES (1 + RT_PUBLIC_KEY_BYTES)
#define KEY_TEXT_BYTES RT_BASE64_SIZE(KEY_BLOB_BYTES)

// The code point that starts at text[at]; text is valid UTF-8.
static uint32_t code_point(struct rt_bytes text, size_t at)
{
    uint8_t c = text.data[at];
    if (c < 0x80)
        return c;
    size_t more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
    uint32_t point = c & (0x3fu >> more);
    for (size_t i = 1; i <= more; i++)
        point = point << 6 | (text.data[at + i] & 0x3f);
    return point;
}

// Unicode's White_Space property.
static bool is_space(uint32_t point)
{
    return point == 0x20 || (point >= 0x09 && point <= 0x0d) || point == 0x85 || point == 0xa0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 ||
           point == 0x2029 || point == 0x202f || point == 0x205f || point == 0x3000;
}

bool rt_note_name_valid(struct rt_bytes name)
{
    if (name.size == 0 || name.size >= RT_NOTE_NAME_BYTES || !rt_utf8_valid(name))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        if (c < 0x20 || c == 0x7f || c == '+')
            return false;
        if ((c & 0xc0) != 0x80 && is_space(code_point(name, i)))
            return false;
    }
    return true;
}

// C2SP signed-note, "Signatures": the key id.
static void make_id(struct rt_vkey *vkey)
{
    struct rt_sha256_state state;
    struct rt_digest digest;
    rt_sha256_init(&state);
    rt_sha256_update(&state, vkey->name, strlen(vkey->name));
    rt_sha256_update(&state, "\n", 1);
    rt_sha256_update(&state, &vkey->type, 1);
    rt_sha256_update(&state, vkey->key.bytes, sizeof vkey->key.bytes);
    rt_sha256_final(&state, &digest);
    memcpy(vkey->id, digest.bytes, sizeof vkey->id);
}

static enum rt_status make(struct rt_bytes name, uint8_t type, const struct rt_public_key *key,
                           struct rt_vkey *ret_vkey)
{
    if (!rt_note_name_valid(name))
        return RT_MALFORMED;
    if (type != RT_NOTE_ED25519 && type != RT_NOTE_COSIGNATURE)
        return RT_UNSUPPORTED;
    if (rt_public_key_check(key))
        return RT_MALFORMED;
    memset(ret_vkey, 0, sizeof *ret_vkey);
    memcpy(ret_vkey->name, name.data, name.size);
    ret_vkey->type = type;
    ret_vkey->key = *key;
    make_id(ret_vkey);
    return RT_OK;
}

enum rt_status rt_vkey_make(const char *name, enum rt_note_type type,
                            const struct rt_public_key *key, struct rt_vkey *ret_vkey)
{
    return make(rt_bytes_str(name), (uint8_t)type, key, ret_vkey);
}

enum rt_status rt_vkey_parse(struct rt_bytes text, struct rt_vkey *ret_vkey)
{
    // A name has no '+' and base64 may, so the two that count are the first and nine after it.
    const uint8_t *plus = text.size ? memchr(text.data, '+', text.size) : NULL;
    if (!plus)
        return RT_MALFORMED;
    size_t name_size = (size_t)(plus - text.data);
    const char *id_text = (const char *)plus + 1;
    size_t tail = text.size - name_size - 1;
    if (tail < 9 || id_text[8] != '+')
        return RT_MALFORMED;
    uint8_t id[RT_NOTE_ID_BYTES];
    if (rt_hex_decode(id_text, 8, id, sizeof id))
        return RT_MALFORMED;
    uint8_t blob[KEY_BLOB_BYTES];
    size_t decoded = 0;
    if (tail - 9 != KEY_TEXT_BYTES ||
        rt_base64_decode(id_text + 9, tail - 9, blob, sizeof blob, &decoded) ||
        decoded != sizeof blob)
        return RT_MALFORMED;
    struct rt_public_key key;
    memcpy(key.bytes, blob + 1, sizeof key.bytes);
    struct rt_vkey vkey;
    enum rt_status status = make(rt_bytes(text.data, name_size), blob[0], &key, &vkey);
    if (status)
        return status;
    if (memcmp(id, vkey.id, sizeof id) != 0)
        return RT_MALFORMED;
    *ret_vkey = vkey;
    return RT_OK;
}

void rt_vkey_format(const struct rt_vkey *vkey, char *ret_text)
{
    char *at = ret_text;
    size_t name_size = strlen(vkey->name);
    memcpy(at, vkey->name, name_size);
    at += name_size;
    *at++ = '+';
    rt_hex_encode(vkey->id, sizeof vkey->id, at);
    at += 2 * sizeof vkey->id;
    *at++ = '+';
    uint8_t blob[KEY_BLOB_BYTES];
    blob[0] = vkey->type;
    memcpy(blob + 1, vkey->key.bytes, sizeof vkey->key.bytes);
    rt_base64_encode(blob, sizeof blob, at);
}

bool rt_vkey_equal(const struct rt_vkey *a, const struct rt_vkey *b)
{
    return a->type == b->type && rt_public_key_equal(&a->key, &b->key) &&
           strcmp(a->name, b->name) == 0;
}
