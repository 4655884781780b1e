// SPDX-License-Identifier: Apache-2.0
// Identities and recipients of age as text.
#include <sodium.h>

#include "common/crypto/age.h"
#include "common/crypto/age_internal.h"

// ---- Bech32

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

// BIP 173: 52 characters of data for 32 bytes, and 6 of checksum.
#define DATA_CHARS     52
#define CHECKSUM_CHARS 6

static uint32_t polymod_step(uint32_t sum, uint8_t value)
{
    static const uint32_t generators[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                          0x2a1462b3};
    uint8_t top = (uint8_t)(sum >> 25);
    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        if (top >> i & 1)
            sum ^= generators[i];
    return sum;
}

static uint32_t polymod_prefix(const char *prefix)
{
    uint32_t sum = 1;
    for (const char *at = prefix; *at; at++)
        sum = polymod_step(sum, (uint8_t)*at >> 5);
    sum = polymod_step(sum, 0);
    for (const char *at = prefix; *at; at++)
        sum = polymod_step(sum, *at & 31);
    return sum;
}

static void to_groups(const uint8_t bytes[32], uint8_t ret_groups[DATA_CHARS])
{
    for (size_t i = 0; i < DATA_CHARS; i++) {
        size_t bit = 5 * i;
        unsigned pair = (unsigned)bytes[bit / 8] << 8;
        if (bit / 8 + 1 < 32)
            pair |= bytes[bit / 8 + 1];
        ret_groups[i] = pair >> (11 - bit % 8) & 31;
    }
}

// prefix in lower case; ret_text has room for it, "1", data, checksum and NUL.
static void bech32_format(const char *prefix, const uint8_t bytes[32], char *ret_text)
{
    uint8_t groups[DATA_CHARS];
    uint32_t sum = polymod_prefix(prefix);
    char *at = ret_text;
    to_groups(bytes, groups);
    for (const char *from = prefix; *from; from++)
        *at++ = *from;
    *at++ = '1';
    for (size_t i = 0; i < DATA_CHARS; i++) {
        sum = polymod_step(sum, groups[i]);
        *at++ = alphabet[groups[i]];
    }
    for (int i = 0; i < CHECKSUM_CHARS; i++)
        sum = polymod_step(sum, 0);
    sum ^= 1;
    for (int i = 0; i < CHECKSUM_CHARS; i++)
        *at++ = alphabet[sum >> 5 * (5 - i) & 31];
    *at = 0;
    sodium_memzero(groups, sizeof groups);
}

// text in lower case and without NUL.
static enum rt_status bech32_parse(const char *prefix, const char *text, uint8_t ret_bytes[32])
{
    size_t skip = strlen(prefix);
    uint32_t sum = polymod_prefix(prefix);
    unsigned held = 0, bits = 0;
    size_t made = 0;
    if (strlen(text) != skip + 1 + DATA_CHARS + CHECKSUM_CHARS ||
        strncmp(text, prefix, skip) != 0 || text[skip] != '1')
        return RT_MALFORMED;
    text += skip + 1;
    for (size_t i = 0; i < DATA_CHARS + CHECKSUM_CHARS; i++) {
        const char *found = strchr(alphabet, text[i]);
        if (!found)
            return RT_MALFORMED;
        unsigned value = (unsigned)(found - alphabet);
        sum = polymod_step(sum, (uint8_t)value);
        if (i >= DATA_CHARS)
            continue;
        held = (held << 5 | value) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            ret_bytes[made++] = (uint8_t)(held >> bits);
        }
    }
    bool padded = (held & ((1u << bits) - 1)) == 0;
    return sum == 1 && made == 32 && padded ? RT_OK : RT_MALFORMED;
}

// Copies into NUL-terminated lower case; RT_MALFORMED unless every letter has the wanted case.
static enum rt_status one_case(struct rt_bytes text, bool upper, char *ret_text, size_t capacity)
{
    if (text.size >= capacity)
        return RT_MALFORMED;
    for (size_t i = 0; i < text.size; i++) {
        char c = (char)text.data[i];
        bool is_upper = c >= 'A' && c <= 'Z', is_lower = c >= 'a' && c <= 'z';
        if (!c || (upper ? is_lower : is_upper))
            return RT_MALFORMED;
        ret_text[i] = is_upper ? (char)(c + ('a' - 'A')) : c;
    }
    ret_text[text.size] = 0;
    return RT_OK;
}

// ---- recipients

bool rt_age_small_order(const uint8_t key[RT_AGE_KEY_BYTES])
{
    static const uint8_t any[RT_AGE_KEY_BYTES] = {9};
    uint8_t shared[RT_AGE_KEY_BYTES];
    return crypto_scalarmult(shared, any, key) != 0;
}

void rt_age_recipient_format(const struct rt_age_recipient *recipient,
                             char ret_text[RT_AGE_RECIPIENT_BYTES])
{
    bech32_format("age", recipient->bytes, ret_text);
}

enum rt_status rt_age_recipient_parse(struct rt_bytes text, struct rt_age_recipient *ret_recipient)
{
    char lower[RT_AGE_RECIPIENT_BYTES];
    struct rt_age_recipient recipient;
    enum rt_status status = one_case(text, false, lower, sizeof lower);
    if (!status)
        status = bech32_parse("age", lower, recipient.bytes);
    if (!status && rt_age_small_order(recipient.bytes))
        status = RT_MALFORMED;
    if (!status)
        *ret_recipient = recipient;
    return status;
}

// ---- identities

enum rt_status rt_age_from_bytes(const uint8_t bytes[RT_AGE_KEY_BYTES],
                                 struct rt_age_identity **ret_identity)
{
    struct rt_age_identity *identity = sodium_malloc(sizeof *identity);
    if (!identity)
        return RT_NO_MEMORY;
    memcpy(identity->secret, bytes, RT_AGE_KEY_BYTES);
    if (crypto_scalarmult_base(identity->recipient.bytes, identity->secret)) {
        sodium_free(identity);
        return RT_MALFORMED;
    }
    *ret_identity = identity;
    return RT_OK;
}

enum rt_status rt_age_generate(struct rt_age_identity **ret_identity)
{
    uint8_t bytes[RT_AGE_KEY_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    enum rt_status status = rt_age_from_bytes(bytes, ret_identity);
    sodium_memzero(bytes, sizeof bytes);
    return status;
}

const uint8_t *rt_age_secret(const struct rt_age_identity *identity)
{
    return identity->secret;
}

const struct rt_age_recipient *rt_age_recipient_of(const struct rt_age_identity *identity)
{
    return &identity->recipient;
}

void rt_age_free(struct rt_age_identity *identity)
{
    if (identity)
        sodium_free(identity);
}

void rt_age_identity_format(const struct rt_age_identity *identity,
                            char ret_text[RT_AGE_IDENTITY_BYTES])
{
    bech32_format("age-secret-key-", identity->secret, ret_text);
    for (char *at = ret_text; *at; at++)
        if (*at >= 'a' && *at <= 'z')
            *at = (char)(*at - ('a' - 'A'));
}

enum rt_status rt_age_identity_parse(struct rt_bytes text, struct rt_age_identity **ret_identity)
{
    char lower[RT_AGE_IDENTITY_BYTES];
    uint8_t bytes[RT_AGE_KEY_BYTES];
    enum rt_status status = one_case(text, true, lower, sizeof lower);
    if (!status)
        status = bech32_parse("age-secret-key-", lower, bytes);
    if (!status)
        status = rt_age_from_bytes(bytes, ret_identity);
    sodium_memzero(lower, sizeof lower);
    sodium_memzero(bytes, sizeof bytes);
    return status;
}

enum rt_status rt_age_identity_file_parse(struct rt_bytes file,
                                          struct rt_age_identity **ret_identity)
{
    while (file.size) {
        const uint8_t *end = memchr(file.data, '\n', file.size);
        struct rt_bytes line = rt_bytes(file.data, end ? (size_t)(end - file.data) : file.size);
        file.data += line.size + (end != NULL);
        file.size -= line.size + (end != NULL);
        if (line.size && line.data[line.size - 1] == '\r')
            line.size--;
        if (line.size && line.data[0] != '#')
            return rt_age_identity_parse(line, ret_identity);
    }
    return RT_MALFORMED;
}
