// SPDX-License-Identifier: Apache-2.0
// minisign's key files. A public key is "Ed", number, key. A secret key is "Ed", "Sc" or two zeros,
// "B2", salt, u64le operations, u64le memory, and then, under scrypt's key stream where encrypted:
// number, seed, public key, BLAKE2b-256 of "Ed" and those three.
#include <sodium.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/crypto/key_internal.h"

#define PUBLIC_BLOB_BYTES 42
#define SALT_BYTES        32
#define CHECK_BYTES       32
#define SEALED_BYTES      (8 + RT_SECRET_BYTES + CHECK_BYTES)
#define SECRET_BLOB_BYTES (2 + 2 + 2 + SALT_BYTES + 8 + 8 + SEALED_BYTES)
#define FILE_MOST         4096
#define COMMENT_MOST      1024
#define COMMENT_PREFIX    "untrusted comment: "
#define TEXT_PREFIX       "minisign:"

// What new files cost: libsodium turns these into N 2^17, r 8, p 1.
#define OPERATIONS     (UINT64_C(1) << 22)
#define MEMORY_BYTES   (UINT64_C(1) << 27)
#define OPERATIONS_TOP (UINT64_C(1) << 26)
#define MEMORY_TOP     (UINT64_C(1) << 31)

_Static_assert(SALT_BYTES == crypto_pwhash_scryptsalsa208sha256_SALTBYTES, "scrypt's salt");

// Where the parts of a secret blob are.
enum {
    AT_KDF = 2,
    AT_CHECKSUM = 4,
    AT_SALT = 6,
    AT_OPERATIONS = AT_SALT + SALT_BYTES,
    AT_MEMORY = AT_OPERATIONS + 8,
    AT_SEALED = AT_MEMORY + 8,
    AT_SECRET = AT_SEALED + 8,
    AT_CHECK = AT_SECRET + RT_SECRET_BYTES,
};

static void put_u64le(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_u64le(const uint8_t *in)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | in[i];
    return value;
}

// ---- lines

enum rt_status rt_minisign_line(struct rt_bytes *rest, struct rt_bytes *ret_line)
{
    const uint8_t *end = rest->size ? memchr(rest->data, '\n', rest->size) : NULL;
    if (!end)
        return RT_MALFORMED;
    size_t size = (size_t)(end - rest->data);
    *ret_line = rt_bytes(rest->data, size);
    *rest = rt_bytes(end + 1, rest->size - size - 1);
    return RT_OK;
}

bool rt_minisign_comment_valid(struct rt_bytes comment)
{
    for (size_t i = 0; i < comment.size; i++) // minisign separates a comment's parts by tabs
        if ((comment.data[i] < 0x20 && comment.data[i] != '\t') || comment.data[i] == 0x7f)
            return false;
    return comment.size <= COMMENT_MOST && rt_utf8_valid(comment);
}

enum rt_status rt_minisign_block(struct rt_bytes *rest, uint8_t *ret_data, size_t size)
{
    struct rt_bytes comment, line;
    if (rt_minisign_line(rest, &comment) || rt_minisign_line(rest, &line))
        return RT_MALFORMED;
    size_t prefix = sizeof COMMENT_PREFIX - 1;
    if (comment.size < prefix || memcmp(comment.data, COMMENT_PREFIX, prefix) != 0 ||
        !rt_minisign_comment_valid(rt_bytes(comment.data + prefix, comment.size - prefix)))
        return RT_MALFORMED;
    size_t decoded = 0;
    if (line.size != RT_BASE64_SIZE(size) ||
        rt_base64_decode((const char *)line.data, line.size, ret_data, size, &decoded) ||
        decoded != size)
        return RT_MALFORMED;
    return RT_OK;
}

// minisign prints a number as the hex of a little-endian integer.
static void number_hex(const struct rt_key_number *number, char ret_text[17])
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < 8; i++) {
        ret_text[2 * i] = digits[number->bytes[7 - i] >> 4];
        ret_text[2 * i + 1] = digits[number->bytes[7 - i] & 15];
    }
    ret_text[16] = 0;
}

// ---- public keys

static void public_blob(const struct rt_public_key *key, const struct rt_key_number *number,
                        uint8_t ret_blob[PUBLIC_BLOB_BYTES])
{
    struct rt_key_number derived;
    if (!number) {
        rt_key_number_derive(key, &derived);
        number = &derived;
    }
    memcpy(ret_blob, "Ed", 2);
    memcpy(ret_blob + 2, number->bytes, sizeof number->bytes);
    memcpy(ret_blob + 10, key->bytes, sizeof key->bytes);
}

static enum rt_status public_from_blob(const uint8_t blob[PUBLIC_BLOB_BYTES],
                                       struct rt_public_key *ret_key,
                                       struct rt_key_number *ret_number)
{
    if (memcmp(blob, "Ed", 2) != 0)
        return RT_MALFORMED;
    struct rt_public_key key;
    memcpy(key.bytes, blob + 10, sizeof key.bytes);
    if (rt_public_key_check(&key))
        return RT_MALFORMED;
    if (ret_number)
        memcpy(ret_number->bytes, blob + 2, sizeof ret_number->bytes);
    *ret_key = key;
    return RT_OK;
}

void rt_public_key_format(const struct rt_public_key *key, const struct rt_key_number *number,
                          char *ret_text)
{
    uint8_t blob[PUBLIC_BLOB_BYTES];
    public_blob(key, number, blob);
    memcpy(ret_text, TEXT_PREFIX, sizeof TEXT_PREFIX - 1);
    rt_base64_encode(blob, sizeof blob, ret_text + sizeof TEXT_PREFIX - 1);
}

enum rt_status rt_public_key_parse(struct rt_bytes text, struct rt_public_key *ret_key,
                                   struct rt_key_number *ret_number)
{
    size_t prefix = sizeof TEXT_PREFIX - 1;
    if (text.size != RT_PUBLIC_KEY_TEXT_BYTES - 1 || memcmp(text.data, TEXT_PREFIX, prefix) != 0)
        return RT_MALFORMED;
    uint8_t blob[PUBLIC_BLOB_BYTES];
    size_t decoded = 0;
    if (rt_base64_decode((const char *)text.data + prefix, text.size - prefix, blob, sizeof blob,
                         &decoded) ||
        decoded != sizeof blob)
        return RT_MALFORMED;
    return public_from_blob(blob, ret_key, ret_number);
}

void rt_public_key_file_format(const struct rt_public_key *key, const struct rt_key_number *number,
                               struct rt_buf *out)
{
    uint8_t blob[PUBLIC_BLOB_BYTES];
    public_blob(key, number, blob);
    struct rt_key_number shown;
    memcpy(shown.bytes, blob + 2, sizeof shown.bytes);
    char hex[17];
    number_hex(&shown, hex);
    rt_buf_printf(out, COMMENT_PREFIX "minisign public key %s\n", hex);
    rt_base64_add(out, blob, sizeof blob);
    rt_buf_add_str(out, "\n");
}

enum rt_status rt_public_key_file_parse(struct rt_bytes file, struct rt_public_key *ret_key,
                                        struct rt_key_number *ret_number)
{
    uint8_t blob[PUBLIC_BLOB_BYTES];
    if (file.size > FILE_MOST || rt_minisign_block(&file, blob, sizeof blob) || file.size)
        return RT_MALFORMED;
    return public_from_blob(blob, ret_key, ret_number);
}

enum rt_status rt_public_key_load(const char *path, struct rt_public_key *ret_key,
                                  struct rt_key_number *ret_number, struct rt_error *err)
{
    struct rt_buf file;
    rt_buf_init(&file, FILE_MOST);
    enum rt_status status = rt_file_read(path, &file, err);
    if (!status) {
        status = rt_public_key_file_parse(rt_buf_bytes(&file), ret_key, ret_number);
        if (status)
            rt_error_set(err, status, "%s: not a minisign public key file with a sound key", path);
    }
    rt_buf_release(&file);
    return status;
}

enum rt_status rt_public_key_save(const char *path, const struct rt_public_key *key,
                                  const struct rt_key_number *number, struct rt_error *err)
{
    struct rt_buf file;
    rt_buf_init(&file, FILE_MOST);
    rt_public_key_file_format(key, number, &file);
    enum rt_status status = rt_buf_ok(&file);
    if (status)
        rt_error_set(err, status, "%s: no memory for the public key", path);
    else
        status = rt_file_write(path, rt_buf_bytes(&file), 0644, err);
    rt_buf_release(&file);
    return status;
}

// ---- secret keys

static void checksum(const uint8_t blob[SECRET_BLOB_BYTES], uint8_t ret_check[CHECK_BYTES])
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, CHECK_BYTES);
    crypto_generichash_update(&state, blob, 2);
    crypto_generichash_update(&state, blob + AT_SEALED, SEALED_BYTES - CHECK_BYTES);
    crypto_generichash_final(&state, ret_check, CHECK_BYTES);
    sodium_memzero(&state, sizeof state);
}

// Add or take off the key stream, by the costs and the salt that the blob states.
static enum rt_status apply_stream(uint8_t blob[SECRET_BLOB_BYTES], const char *passphrase)
{
    uint64_t operations = get_u64le(blob + AT_OPERATIONS);
    uint64_t memory = get_u64le(blob + AT_MEMORY);
    if (operations > OPERATIONS_TOP || memory > MEMORY_TOP)
        return RT_MALFORMED;
    uint8_t stream[SEALED_BYTES];
    if (crypto_pwhash_scryptsalsa208sha256(stream, sizeof stream, passphrase, strlen(passphrase),
                                           blob + AT_SALT, operations, (size_t)memory))
        return RT_NO_MEMORY;
    for (size_t i = 0; i < sizeof stream; i++)
        blob[AT_SEALED + i] ^= stream[i];
    sodium_memzero(stream, sizeof stream);
    return RT_OK;
}

enum rt_status rt_secret_key_file_format(const struct rt_secret_key *key, const char *passphrase,
                                         struct rt_buf *out)
{
    uint8_t blob[SECRET_BLOB_BYTES] = {0};
    memcpy(blob, "Ed", 2);
    memcpy(blob + AT_CHECKSUM, "B2", 2);
    memcpy(blob + AT_SEALED, key->number.bytes, sizeof key->number.bytes);
    memcpy(blob + AT_SECRET, key->secret, sizeof key->secret);
    enum rt_status status = RT_OK;
    if (passphrase) {
        memcpy(blob + AT_KDF, "Sc", 2);
        randombytes_buf(blob + AT_SALT, SALT_BYTES);
        put_u64le(blob + AT_OPERATIONS, OPERATIONS);
        put_u64le(blob + AT_MEMORY, MEMORY_BYTES);
        checksum(blob, blob + AT_CHECK);
        status = apply_stream(blob, passphrase);
    }
    if (!status) {
        char line[RT_BASE64_SIZE(SECRET_BLOB_BYTES) + 1];
        rt_base64_encode(blob, sizeof blob, line);
        rt_buf_printf(out, COMMENT_PREFIX "ringtrial %s secret key\n%s\n",
                      passphrase ? "encrypted" : "unencrypted", line);
        sodium_memzero(line, sizeof line);
        status = rt_buf_ok(out);
    }
    sodium_memzero(blob, sizeof blob);
    return status;
}

static enum rt_status secret_blob(struct rt_bytes file, uint8_t ret_blob[SECRET_BLOB_BYTES])
{
    if (file.size > FILE_MOST || rt_minisign_block(&file, ret_blob, SECRET_BLOB_BYTES) ||
        file.size || memcmp(ret_blob, "Ed", 2) != 0 || memcmp(ret_blob + AT_CHECKSUM, "B2", 2) != 0)
        return RT_MALFORMED;
    static const uint8_t none[2];
    bool known = memcmp(ret_blob + AT_KDF, "Sc", 2) == 0 || memcmp(ret_blob + AT_KDF, none, 2) == 0;
    return known ? RT_OK : RT_MALFORMED;
}

bool rt_secret_key_file_encrypted(struct rt_bytes file)
{
    uint8_t blob[SECRET_BLOB_BYTES];
    bool encrypted = !secret_blob(file, blob) && blob[AT_KDF] != 0;
    sodium_memzero(blob, sizeof blob);
    return encrypted;
}

// The checksum, which unencrypted files leave zero; the seed decides, and the stored public half
// must be its own, or the file would sign with one key and show another.
static enum rt_status secret_from_blob(const uint8_t blob[SECRET_BLOB_BYTES],
                                       struct rt_secret_key **ret_key)
{
    bool encrypted = blob[AT_KDF] != 0;
    uint8_t check[CHECK_BYTES];
    checksum(blob, check);
    if (sodium_memcmp(check, blob + AT_CHECK, sizeof check) != 0) {
        if (encrypted)
            return RT_NOT_PERMITTED;
        if (!sodium_is_zero(blob + AT_CHECK, CHECK_BYTES))
            return RT_MALFORMED;
    }
    struct rt_key_number number;
    memcpy(number.bytes, blob + AT_SEALED, sizeof number.bytes);
    struct rt_secret_key *key = NULL;
    enum rt_status status = rt_secret_key_make(blob + AT_SECRET, &number, &key);
    if (status)
        return status;
    if (sodium_memcmp(key->public_key.bytes, blob + AT_SECRET + RT_KEY_SEED_BYTES,
                      sizeof key->public_key.bytes) != 0) {
        rt_secret_key_free(key);
        return RT_MALFORMED;
    }
    *ret_key = key;
    return RT_OK;
}

enum rt_status rt_secret_key_file_parse(struct rt_bytes file, const char *passphrase,
                                        struct rt_secret_key **ret_key)
{
    uint8_t blob[SECRET_BLOB_BYTES];
    enum rt_status status = secret_blob(file, blob);
    if (!status && blob[AT_KDF] != 0)
        status = passphrase ? apply_stream(blob, passphrase) : RT_NOT_PERMITTED;
    if (!status)
        status = secret_from_blob(blob, ret_key);
    sodium_memzero(blob, sizeof blob);
    return status;
}

enum rt_status rt_secret_key_load(const char *path, const char *passphrase,
                                  struct rt_secret_key **ret_key, struct rt_error *err)
{
    struct rt_buf file;
    rt_buf_init(&file, FILE_MOST);
    enum rt_status status = rt_file_check_private(path, err);
    if (!status)
        status = rt_file_read(path, &file, err);
    if (!status) {
        status = rt_secret_key_file_parse(rt_buf_bytes(&file), passphrase, ret_key);
        if (status == RT_NOT_PERMITTED)
            rt_error_set(err, status, "%s: the key is encrypted and %s", path,
                         passphrase ? "the passphrase is wrong" : "no passphrase was given");
        else if (status)
            rt_error_set(err, status, "%s: not a usable minisign secret key file (%s)", path,
                         rt_status_text(status));
    }
    if (file.data)
        sodium_memzero(file.data, file.capacity);
    rt_buf_release(&file);
    return status;
}

enum rt_status rt_secret_key_save(const char *path, const struct rt_secret_key *key,
                                  const char *passphrase, struct rt_error *err)
{
    // Room from the start, so that growing leaves no copy of the secret behind in freed memory.
    struct rt_buf file;
    rt_buf_init(&file, FILE_MOST);
    enum rt_status status = rt_buf_extend(&file, FILE_MOST) ? RT_OK : RT_NO_MEMORY;
    if (!status) {
        rt_buf_clear(&file);
        status = rt_secret_key_file_format(key, passphrase, &file);
    }
    if (status)
        rt_error_set(err, status, "%s: cannot make the key file: %s", path, rt_status_text(status));
    else
        status = rt_file_create(path, rt_buf_bytes(&file), 0600, err);
    if (file.data)
        sodium_memzero(file.data, file.capacity);
    rt_buf_release(&file);
    return status;
}
