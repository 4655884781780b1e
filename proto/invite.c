// SPDX-License-Identifier: Apache-2.0
#include "proto/invite.h"

#include <string.h>

#include "proto/doc/table.h"

// ---- the invitation

static const struct rt_doc_field invite_fields[] = {
    RT_DOC_FORMAT_FIELD,
    {"invite", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_invite, lab), .least = 1,
     .help = "the lab it is for"},
    {"consortium", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_invite, consortium),
     .least = 1},
    {"address", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_invite, address),
     .least = 7, .most = 256, .help = "tcp://host:port"},
    {"curve", RT_DOC_CURVE, RT_DOC_REQUIRED, RT_AT(rt_invite, curve)},
    {"log", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_invite, log), .least = 1,
     .most = RT_VKEY_TEXT_BYTES - 1},
    {"roster", RT_DOC_DIGEST, RT_DOC_REQUIRED, RT_AT(rt_invite, roster),
     .help = "digest of the first roster, where trust starts"},
    {"expires", RT_DOC_DATE, RT_DOC_REQUIRED, RT_AT(rt_invite, expires_ms)},
};
static const struct rt_doc_table invite_table = {.name = "the invitation",
                                                 .version = 1,
                                                 .size = sizeof(struct rt_invite),
                                                 RT_DOC_FIELDS(invite_fields)};

enum rt_status rt_invite_read(struct rt_bytes text, const char *name, struct rt_arena *arena,
                              struct rt_invite **ret_invite, struct rt_error *err)
{
    struct rt_doc_reader reader = {name, arena, NULL, err};
    struct rt_invite *invite = rt_arena_alloc(arena, sizeof *invite);
    if (!invite)
        return rt_doc_no_memory(&reader);
    enum rt_status status = rt_doc_read(&reader, &invite_table, text, invite);
    if (status)
        return status;
    if (rt_vkey_parse(rt_bytes_str(invite->log), &invite->log_key) ||
        invite->log_key.type != RT_NOTE_ED25519)
        return rt_doc_fail(&reader, RT_MALFORMED, 0, "`log` must be a log's verifier key");
    if (strncmp(invite->address, "tcp://", 6) != 0 || !strrchr(invite->address + 6, ':'))
        return rt_doc_fail(&reader, RT_MALFORMED, 0, "`address` must be tcp://host:port");
    *ret_invite = invite;
    return RT_OK;
}

enum rt_status rt_invite_write(const struct rt_invite *invite, struct rt_buf *out)
{
    rt_buf_add_str(out, "ringtrial: 1\n");
    rt_doc_write(&invite_table, invite, out);
    return rt_buf_ok(out);
}

enum rt_status rt_invite_words(const struct rt_invite *invite, char *ret_words)
{
    struct rt_buf object;
    struct rt_digest digest;
    rt_buf_init(&object, 8192);
    enum rt_status status = rt_doc_encode(&invite_table, invite, &object);
    if (!status) {
        rt_sha256(rt_buf_bytes(&object), &digest);
        rt_digest_words(&digest, ret_words);
    }
    rt_buf_release(&object);
    return status;
}

// ---- the enrolment

static const struct rt_doc_field enrolment_fields[] = {
    RT_DOC_FORMAT_FIELD,
    {"enrolment", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_enrolment, lab), .least = 1,
     .help = "the lab that asks to be admitted"},
    {"consortium", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_enrolment, consortium),
     .least = 1},
    {"sign", RT_DOC_KEY, RT_DOC_REQUIRED, RT_AT(rt_enrolment, sign)},
    {"curve", RT_DOC_CURVE, RT_DOC_REQUIRED, RT_AT(rt_enrolment, curve)},
    {"cosign", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_enrolment, cosign),
     .most = RT_VKEY_TEXT_BYTES - 1},
    {"classes", RT_DOC_TEXTS, RT_DOC_IS_ID, RT_COUNTED(rt_enrolment, classes, class_count),
     .most = 64},
    {"serves", RT_DOC_TEXTS, RT_DOC_IS_ID, RT_COUNTED(rt_enrolment, serves, serve_count),
     .most = 256},
    {"contact", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_enrolment, contact), .most = 256},
    {"made", RT_DOC_DATE, RT_DOC_REQUIRED, RT_AT(rt_enrolment, made_ms)},
    {"invite", RT_DOC_DIGEST, RT_DOC_REQUIRED, RT_AT(rt_enrolment, invite),
     .help = "SHA-256 of the invitation file it answers"},
};
static const struct rt_doc_table enrolment_table = {
    .name = "the enrolment", .size = sizeof(struct rt_enrolment), RT_DOC_FIELDS(enrolment_fields)};

static const char signature_key[] = "\nsignature: "; // begins the last line; all before is signed

enum rt_status rt_enrolment_write(const struct rt_enrolment *enrolment,
                                  const struct rt_secret_key *key, struct rt_buf *out)
{
    if (!rt_public_key_equal(rt_secret_key_public(key), &enrolment->sign))
        return RT_CONFLICT;
    size_t start = out->size;
    uint8_t signature[RT_SIGNATURE_BYTES];
    rt_buf_add_str(out, "ringtrial: 1\n");
    rt_doc_write(&enrolment_table, enrolment, out);
    enum rt_status status = rt_buf_ok(out);
    if (!status)
        status = rt_sign(key, RT_TYPE("enrolment"), rt_bytes(out->data + start, out->size - start),
                         signature);
    if (status)
        return status;
    rt_buf_add_str(out, signature_key + 1);
    rt_base64_add(out, signature, sizeof signature);
    rt_buf_add_u8(out, '\n');
    return rt_buf_ok(out);
}

// Split text before its last line, which must be the signature.
static enum rt_status split(struct rt_bytes text, struct rt_bytes *ret_body,
                            uint8_t ret_signature[RT_SIGNATURE_BYTES])
{
    const size_t tail = sizeof signature_key - 1 + RT_BASE64_SIZE(RT_SIGNATURE_BYTES) + 1;
    if (text.size <= tail || text.size > RT_DOC_FILE_MOST || text.data[text.size - 1] != '\n')
        return RT_MALFORMED;
    const uint8_t *line = text.data + text.size - tail;
    size_t size;
    if (memcmp(line, signature_key, sizeof signature_key - 1) != 0 ||
        rt_base64_decode((const char *)line + sizeof signature_key - 1,
                         RT_BASE64_SIZE(RT_SIGNATURE_BYTES), ret_signature, RT_SIGNATURE_BYTES,
                         &size) ||
        size != RT_SIGNATURE_BYTES)
        return RT_MALFORMED;
    *ret_body = rt_bytes(text.data, text.size - tail + 1);
    return RT_OK;
}

enum rt_status rt_enrolment_read(struct rt_bytes text, const char *name, struct rt_arena *arena,
                                 struct rt_enrolment **ret_enrolment, struct rt_error *err)
{
    struct rt_doc_reader reader = {name, arena, NULL, err};
    struct rt_bytes body;
    uint8_t signature[RT_SIGNATURE_BYTES];
    struct rt_enrolment *enrolment = rt_arena_alloc(arena, sizeof *enrolment);
    if (!enrolment)
        return rt_doc_no_memory(&reader);
    if (split(text, &body, signature))
        return rt_doc_fail(&reader, RT_MALFORMED, 0,
                           "the last line must be `signature:` and 88 base64 characters; send the "
                           "file as `ringtrial-worker join` wrote it");
    enum rt_status status = rt_doc_read(&reader, &enrolment_table, body, enrolment);
    if (status)
        return status;
    if (rt_verify(&enrolment->sign, RT_TYPE("enrolment"), body, signature))
        return rt_doc_fail(&reader, RT_BAD_SIGNATURE, 0,
                           "the signature does not verify; the file was changed after it was made");
    struct rt_vkey vkey;
    if (*enrolment->cosign &&
        (rt_vkey_parse(rt_bytes_str(enrolment->cosign), &vkey) || vkey.type != RT_NOTE_COSIGNATURE))
        return rt_doc_fail(&reader, RT_MALFORMED, 0, "`cosign` must be a cosigner's verifier key");
    *ret_enrolment = enrolment;
    return RT_OK;
}
