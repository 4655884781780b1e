// SPDX-License-Identifier: Apache-2.0
// The age file: header, stanzas, payload (age-encryption.org/v1).
#include "common/crypto/age.h"

#include <sodium.h>

#include "common/crypto/age_internal.h"

#define FILE_KEY_BYTES 16
#define NONCE_BYTES    16
#define CHUNK_BYTES    65536
#define TAG_BYTES      crypto_aead_chacha20poly1305_ietf_ABYTES
#define WRAPPED_BYTES  (FILE_KEY_BYTES + TAG_BYTES)
#define COLUMNS        64
#define STANZAS_MOST   256

static const char first_line[] = "age-encryption.org/v1\n";

// ---- HKDF-SHA-256 (RFC 5869), one block

static void hmac(const uint8_t *key, size_t key_size, const void *a, size_t a_size, const void *b,
                 size_t b_size, uint8_t ret_tag[32])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_size);
    if (a_size)
        crypto_auth_hmacsha256_update(&state, a, a_size);
    if (b_size)
        crypto_auth_hmacsha256_update(&state, b, b_size);
    crypto_auth_hmacsha256_final(&state, ret_tag);
    sodium_memzero(&state, sizeof state);
}

static void hkdf(const uint8_t *secret, size_t secret_size, const uint8_t *salt, size_t salt_size,
                 const char *info, uint8_t ret_key[32])
{
    static const uint8_t no_salt[32], one = 1;
    uint8_t extracted[32];
    hmac(salt_size ? salt : no_salt, salt_size ? salt_size : sizeof no_salt, secret, secret_size,
         NULL, 0, extracted);
    hmac(extracted, sizeof extracted, info, strlen(info), &one, 1, ret_key);
    sodium_memzero(extracted, sizeof extracted);
}

// ---- base64 without padding, strict

static void add_base64(struct rt_buf *out, const uint8_t *data, size_t size)
{
    char text[RT_BASE64_SIZE(64) + 1];
    RT_ASSERT(size <= 64);
    rt_base64_encode(data, size, text);
    rt_buf_add(out, text, strcspn(text, "="));
}

// Exactly size bytes.
static enum rt_status base64(struct rt_bytes text, uint8_t *ret_data, size_t size)
{
    char padded[RT_BASE64_SIZE(64) + 1];
    size_t made = 0, length = text.size;
    if (length + 4 > sizeof padded || memchr(text.data, '=', length))
        return RT_MALFORMED;
    memcpy(padded, text.data, length);
    while (length % 4)
        padded[length++] = '=';
    enum rt_status status = rt_base64_decode(padded, length, ret_data, size, &made);
    return status || made != size ? RT_MALFORMED : RT_OK;
}

// ---- the wrapped file key

static enum rt_status wrap_key(const uint8_t own[32], const uint8_t other[32],
                               const uint8_t ephemeral[32], const uint8_t recipient[32],
                               uint8_t ret_key[32])
{
    uint8_t shared[32], salt[64];
    // libsodium refuses a product of zeros, which a point of small order gives.
    if (crypto_scalarmult(shared, own, other))
        return RT_MALFORMED;
    memcpy(salt, ephemeral, 32);
    memcpy(salt + 32, recipient, 32);
    hkdf(shared, sizeof shared, salt, sizeof salt, "age-encryption.org/v1/X25519", ret_key);
    sodium_memzero(shared, sizeof shared);
    return RT_OK;
}

static enum rt_status add_stanza(const struct rt_age_recipient *recipient,
                                 const uint8_t file_key[FILE_KEY_BYTES], struct rt_buf *out)
{
    static const uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    uint8_t secret[32], share[32], key[32], wrapped[WRAPPED_BYTES];
    randombytes_buf(secret, sizeof secret);
    enum rt_status status = crypto_scalarmult_base(share, secret) ? RT_MALFORMED : RT_OK;
    if (!status)
        status = wrap_key(secret, recipient->bytes, share, recipient->bytes, key);
    if (!status) {
        crypto_aead_chacha20poly1305_ietf_encrypt(wrapped, NULL, file_key, FILE_KEY_BYTES, NULL, 0,
                                                  NULL, nonce, key);
        rt_buf_add_str(out, "-> X25519 ");
        add_base64(out, share, sizeof share);
        rt_buf_add_u8(out, '\n');
        add_base64(out, wrapped, sizeof wrapped);
        rt_buf_add_u8(out, '\n');
    }
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(key, sizeof key);
    return status;
}

static void header_mac(const uint8_t file_key[FILE_KEY_BYTES], struct rt_bytes header,
                       uint8_t ret_mac[32])
{
    uint8_t key[32];
    hkdf(file_key, FILE_KEY_BYTES, NULL, 0, "header", key);
    hmac(key, sizeof key, header.data, header.size, NULL, 0, ret_mac);
    sodium_memzero(key, sizeof key);
}

// ---- the payload

// 11 bytes of counter, most significant first, and whether it is the last chunk.
static void chunk_nonce(uint64_t counter, bool last, uint8_t ret_nonce[12])
{
    memset(ret_nonce, 0, 12);
    for (int i = 0; i < 8; i++)
        ret_nonce[10 - i] = (uint8_t)(counter >> 8 * i);
    ret_nonce[11] = last;
}

static void add_payload(const uint8_t key[32], struct rt_bytes plain, struct rt_buf *out)
{
    uint8_t sealed[CHUNK_BYTES + TAG_BYTES], nonce[12];
    for (uint64_t i = 0;; i++) {
        size_t size = plain.size > CHUNK_BYTES ? CHUNK_BYTES : plain.size;
        bool last = size == plain.size;
        unsigned long long made = 0;
        chunk_nonce(i, last, nonce);
        crypto_aead_chacha20poly1305_ietf_encrypt(sealed, &made, plain.data, size, NULL, 0, NULL,
                                                  nonce, key);
        rt_buf_add(out, sealed, (size_t)made);
        if (last)
            return;
        plain.data += size;
        plain.size -= size;
    }
}

static enum rt_status open_payload(const uint8_t key[32], struct rt_bytes sealed,
                                   struct rt_buf *out)
{
    uint8_t plain[CHUNK_BYTES], nonce[12];
    enum rt_status status = RT_OK;
    bool last = false;
    for (uint64_t i = 0; !last && !status; i++) {
        size_t size = sealed.size > CHUNK_BYTES + TAG_BYTES ? CHUNK_BYTES + TAG_BYTES : sealed.size;
        unsigned long long made = 0;
        last = size == sealed.size;
        chunk_nonce(i, last, nonce);
        // A last chunk is empty only in an empty file.
        if (size < TAG_BYTES || (size == TAG_BYTES && i > 0) ||
            crypto_aead_chacha20poly1305_ietf_decrypt(plain, &made, NULL, sealed.data, size, NULL,
                                                      0, nonce, key))
            status = RT_CORRUPT;
        else
            rt_buf_add(out, plain, (size_t)made);
        sealed.data += size;
        sealed.size -= size;
    }
    sodium_memzero(plain, sizeof plain);
    return status ? status : rt_buf_ok(out);
}

enum rt_status rt_age_encrypt(const struct rt_age_recipient *recipients, size_t count,
                              struct rt_bytes plain, struct rt_buf *out)
{
    uint8_t file_key[FILE_KEY_BYTES], key[32], mac[32], nonce[NONCE_BYTES];
    size_t start = out->size;
    enum rt_status status = RT_OK;
    if (count == 0 || count > RT_AGE_RECIPIENTS_MOST)
        return RT_OUT_OF_RANGE;
    if (plain.size > RT_AGE_PLAIN_MOST)
        return RT_TOO_LARGE;
    randombytes_buf(file_key, sizeof file_key);
    rt_buf_add_str(out, first_line);
    for (size_t i = 0; i < count && !status; i++)
        status = add_stanza(&recipients[i], file_key, out);
    rt_buf_add_str(out, "---");
    if (!status)
        status = rt_buf_ok(out);
    if (!status) {
        header_mac(file_key, rt_bytes(out->data + start, out->size - start), mac);
        rt_buf_add_u8(out, ' ');
        add_base64(out, mac, sizeof mac);
        rt_buf_add_u8(out, '\n');
        randombytes_buf(nonce, sizeof nonce);
        hkdf(file_key, sizeof file_key, nonce, sizeof nonce, "payload", key);
        rt_buf_add(out, nonce, sizeof nonce);
        add_payload(key, plain, out);
        status = rt_buf_ok(out);
    }
    if (status && !out->failed)
        out->size = start;
    sodium_memzero(file_key, sizeof file_key);
    sodium_memzero(key, sizeof key);
    return status;
}

// ---- opening

struct header {
    struct rt_bytes bytes; // from the first line through "---"
    struct rt_bytes rest;  // not yet read
    uint8_t mac[32];
    size_t stanzas;
};

// The next line without its LF; lines end in LF alone and have only printable characters.
static enum rt_status next_line(struct rt_bytes *rest, struct rt_bytes *ret_line)
{
    size_t most = rest->size < RT_AGE_HEADER_MOST ? rest->size : RT_AGE_HEADER_MOST;
    const uint8_t *end = most ? memchr(rest->data, '\n', most) : NULL;
    if (!end)
        return RT_MALFORMED;
    *ret_line = rt_bytes(rest->data, (size_t)(end - rest->data));
    for (size_t i = 0; i < ret_line->size; i++)
        if (ret_line->data[i] < 0x20 || ret_line->data[i] > 0x7e)
            return RT_MALFORMED;
    rest->data += ret_line->size + 1;
    rest->size -= ret_line->size + 1;
    return RT_OK;
}

static bool starts(struct rt_bytes line, const char *word)
{
    size_t size = strlen(word);
    return line.size >= size && memcmp(line.data, word, size) == 0;
}

// Arguments are separated by one space each and none is empty.
static bool arguments_hold(struct rt_bytes line)
{
    if (line.size < 4 || line.data[3] == ' ' || line.data[line.size - 1] == ' ')
        return false;
    for (size_t i = 4; i < line.size; i++)
        if (line.data[i] == ' ' && line.data[i - 1] == ' ')
            return false;
    return true;
}

// The body of a stanza: full lines and a shorter last one. The first line is all that an X25519
// stanza has.
static enum rt_status read_body(struct header *header, struct rt_bytes *ret_first,
                                size_t *ret_lines)
{
    struct rt_bytes line;
    *ret_lines = 0;
    do {
        uint8_t part[COLUMNS];
        enum rt_status status = next_line(&header->rest, &line);
        if (status || line.size > COLUMNS)
            return RT_MALFORMED;
        if ((*ret_lines)++ == 0)
            *ret_first = line;
        size_t bytes = line.size / 4 * 3 + (line.size % 4 ? line.size % 4 - 1 : 0);
        if (line.size % 4 == 1 || base64(line, part, bytes))
            return RT_MALFORMED;
    } while (line.size == COLUMNS);
    return RT_OK;
}

// Opens the file key where the stanza is for this identity (RT_NOT_PERMITTED: it is not).
static enum rt_status try_stanza(const struct rt_age_identity *identity, struct rt_bytes line,
                                 struct rt_bytes body, size_t lines,
                                 uint8_t ret_file_key[FILE_KEY_BYTES])
{
    static const uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
    uint8_t share[32], wrapped[WRAPPED_BYTES], key[32];
    struct rt_bytes argument = rt_bytes(line.data + 10, line.size - 10);
    if (lines != 1 || base64(argument, share, sizeof share) ||
        base64(body, wrapped, sizeof wrapped))
        return RT_MALFORMED;
    enum rt_status status =
        wrap_key(identity->secret, share, share, identity->recipient.bytes, key);
    if (!status && crypto_aead_chacha20poly1305_ietf_decrypt(ret_file_key, NULL, NULL, wrapped,
                                                             sizeof wrapped, NULL, 0, nonce, key))
        status = RT_NOT_PERMITTED;
    sodium_memzero(key, sizeof key);
    return status;
}

// All stanzas are read, whichever opens; the first that opens counts.
static enum rt_status read_header(const struct rt_age_identity *identity, struct rt_bytes file,
                                  struct header *header, uint8_t ret_file_key[FILE_KEY_BYTES])
{
    enum rt_status opened = RT_NOT_PERMITTED;
    struct rt_bytes line, body;
    *header = (struct header){.rest = file};
    if (!starts(file, first_line))
        return RT_MALFORMED;
    header->rest.data += sizeof first_line - 1;
    header->rest.size -= sizeof first_line - 1;
    for (;;) {
        const uint8_t *start = header->rest.data;
        size_t lines;
        if (next_line(&header->rest, &line) ||
            (size_t)(header->rest.data - file.data) > RT_AGE_HEADER_MOST)
            return RT_MALFORMED;
        if (starts(line, "--- ")) {
            header->bytes = rt_bytes(file.data, (size_t)(start - file.data) + 3);
            break;
        }
        if (!starts(line, "-> ") || !arguments_hold(line) || ++header->stanzas > STANZAS_MOST ||
            read_body(header, &body, &lines))
            return RT_MALFORMED;
        if (!starts(line, "-> X25519 ") || opened == RT_OK)
            continue;
        enum rt_status status = try_stanza(identity, line, body, lines, ret_file_key);
        if (status == RT_MALFORMED)
            return status;
        opened = status;
    }
    if (!header->stanzas ||
        base64(rt_bytes(line.data + 4, line.size - 4), header->mac, sizeof header->mac))
        return RT_MALFORMED;
    return opened;
}

enum rt_status rt_age_decrypt(const struct rt_age_identity *identity, struct rt_bytes file,
                              struct rt_buf *out)
{
    uint8_t file_key[FILE_KEY_BYTES] = {0}, key[32], mac[32];
    struct header header;
    size_t start = out->size;
    enum rt_status status = read_header(identity, file, &header, file_key);
    if (!status) {
        header_mac(file_key, header.bytes, mac);
        if (sodium_memcmp(mac, header.mac, sizeof mac) || header.rest.size < NONCE_BYTES)
            status = RT_CORRUPT;
    }
    if (!status) {
        hkdf(file_key, sizeof file_key, header.rest.data, NONCE_BYTES, "payload", key);
        status = open_payload(
            key, rt_bytes(header.rest.data + NONCE_BYTES, header.rest.size - NONCE_BYTES), out);
        if (status && out->size > start) {
            sodium_memzero(out->data + start, out->size - start);
            out->size = start;
        }
    }
    sodium_memzero(file_key, sizeof file_key);
    sodium_memzero(key, sizeof key);
    return status;
}
