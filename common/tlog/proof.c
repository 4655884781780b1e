// SPDX-License-Identifier: Apache-2.0
#include "common/tlog/proof.h"

#include <inttypes.h>

#include "common/base/text.h"

#define HEADER         "c2sp.org/tlog-proof@v1"
#define EXTRA          "extra "
#define INDEX          "index "
#define INDEX_DIGITS   20
#define HASH_TEXT_SIZE RT_BASE64_SIZE(RT_DIGEST_BYTES)

void rt_tlog_proof_format(uint64_t index, const struct rt_proof *proof, struct rt_bytes note,
                          struct rt_buf *out)
{
    rt_buf_printf(out, HEADER "\n" INDEX "%" PRIu64 "\n", index);
    for (size_t i = 0; i < proof->count; i++) {
        rt_base64_add(out, proof->hashes[i].bytes, sizeof proof->hashes[i].bytes);
        rt_buf_add_str(out, "\n");
    }
    rt_buf_add_str(out, "\n");
    rt_buf_add_bytes(out, note);
}

// Take a line off *text, without its LF.
static bool next_line(struct rt_bytes *text, struct rt_bytes *ret_line)
{
    const uint8_t *end = text->size ? memchr(text->data, '\n', text->size) : NULL;
    if (!end)
        return false;
    size_t size = (size_t)(end - text->data);
    *ret_line = rt_bytes(text->data, size);
    *text = rt_bytes(end + 1, text->size - size - 1);
    return true;
}

// What follows prefix in line.
static bool after(struct rt_bytes line, const char *prefix, struct rt_bytes *ret_rest)
{
    size_t size = strlen(prefix);
    if (line.size < size || memcmp(line.data, prefix, size) != 0)
        return false;
    *ret_rest = rt_bytes(line.data + size, line.size - size);
    return true;
}

static bool parse_index(struct rt_bytes text, uint64_t *ret_index)
{
    char digits[INDEX_DIGITS + 1];
    if (text.size > INDEX_DIGITS || (text.size && memchr(text.data, 0, text.size)))
        return false;
    if (text.size)
        memcpy(digits, text.data, text.size);
    digits[text.size] = 0;
    return rt_parse_u64(digits, ret_index) == RT_OK;
}

// The extra data is nobody's to trust, but its line must still have one spelling.
static enum rt_status check_extra(struct rt_bytes base64)
{
    uint8_t decoded[RT_TLOG_PROOF_MOST / 4 * 3];
    size_t size = 0;
    return rt_base64_decode((const char *)base64.data, base64.size, decoded, sizeof decoded, &size);
}

static enum rt_status parse_file(struct rt_bytes text, struct rt_tlog_proof *ret_proof)
{
    struct rt_bytes line, value;
    if (!next_line(&text, &line) || !rt_bytes_equal_str(line, HEADER) || !next_line(&text, &line))
        return RT_MALFORMED;
    ret_proof->has_extra = after(line, EXTRA, &value);
    ret_proof->extra_base64 = rt_bytes(NULL, 0);
    if (ret_proof->has_extra) {
        ret_proof->extra_base64 = value;
        if (check_extra(value) || !next_line(&text, &line))
            return RT_MALFORMED;
    }
    if (!after(line, INDEX, &value) || !parse_index(value, &ret_proof->index))
        return RT_MALFORMED;
    struct rt_proof *proof = &ret_proof->proof;
    proof->count = 0;
    for (;;) {
        if (!next_line(&text, &line))
            return RT_MALFORMED;
        if (line.size == 0)
            break;
        size_t size = 0;
        if (proof->count == RT_PROOF_MOST || line.size != HASH_TEXT_SIZE ||
            rt_base64_decode((const char *)line.data, line.size, proof->hashes[proof->count].bytes,
                             RT_DIGEST_BYTES, &size) ||
            size != RT_DIGEST_BYTES)
            return RT_MALFORMED;
        proof->count++;
    }
    ret_proof->checkpoint = text;
    struct rt_note note;
    struct rt_checkpoint checkpoint;
    enum rt_status status = rt_note_parse(text, &note);
    return status ? status : rt_checkpoint_parse(note.text, &checkpoint);
}

enum rt_status rt_tlog_proof_parse(struct rt_bytes text, struct rt_tlog_proof *ret_proof)
{
    if (text.size > RT_TLOG_PROOF_MOST)
        return RT_TOO_LARGE;
    struct rt_tlog_proof proof;
    enum rt_status status = parse_file(text, &proof);
    if (!status)
        *ret_proof = proof;
    return status;
}

static enum rt_status verify_in(const struct rt_tlog_proof *proof,
                                const struct rt_digest *leaf_hash,
                                const struct rt_checkpoint *checkpoint,
                                struct rt_checkpoint *ret_checkpoint)
{
    enum rt_status status =
        rt_tree_verify_inclusion(leaf_hash, proof->index, checkpoint->size, proof->proof.hashes,
                                 proof->proof.count, &checkpoint->root);
    if (!status && ret_checkpoint)
        *ret_checkpoint = *checkpoint;
    return status;
}

enum rt_status rt_tlog_proof_verify(const struct rt_tlog_proof *proof,
                                    const struct rt_digest *leaf_hash,
                                    const struct rt_policy *policy,
                                    struct rt_checkpoint *ret_checkpoint)
{
    struct rt_checkpoint checkpoint;
    enum rt_status status = rt_policy_check(policy, proof->checkpoint, &checkpoint);
    return status ? status : verify_in(proof, leaf_hash, &checkpoint, ret_checkpoint);
}

enum rt_status rt_tlog_proof_verify_log(const struct rt_tlog_proof *proof,
                                        const struct rt_digest *leaf_hash,
                                        const struct rt_vkey *log,
                                        struct rt_checkpoint *ret_checkpoint)
{
    struct rt_checkpoint checkpoint;
    enum rt_status status = rt_checkpoint_open(proof->checkpoint, log, &checkpoint);
    return status ? status : verify_in(proof, leaf_hash, &checkpoint, ret_checkpoint);
}
