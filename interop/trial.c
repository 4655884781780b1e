// SPDX-License-Identifier: Apache-2.0
#include "interop/trial.h"

#include "engine/redact.h"

bool rt_interop_has_commitment(const struct rt_interop_trial *trial)
{
    static const struct rt_digest none;
    return !rt_digest_equal(&trial->commitment, &none);
}

enum rt_status rt_interop_check_commitment(const struct rt_interop_trial *trial)
{
    struct rt_buf plain;
    struct rt_digest digest;
    rt_buf_init(&plain, RT_TRANSCRIPT_MOST);
    enum rt_status status = rt_transcript_encode(trial->transcript, &plain);
    if (!status) {
        rt_transcript_commit(trial->salt, rt_buf_bytes(&plain), &digest);
        status = rt_digest_equal(&digest, &trial->commitment) ? RT_OK : RT_CONFLICT;
    }
    rt_buf_release(&plain);
    return status;
}

enum rt_status rt_interop_open_transcript(struct rt_bytes object, struct rt_arena *arena,
                                          struct rt_interop_trial *trial)
{
    struct rt_transcript *transcript = rt_arena_alloc(arena, sizeof *transcript);
    if (!transcript)
        return RT_NO_MEMORY;
    if (object.size <= RT_TRANSCRIPT_SALT_BYTES)
        return RT_CORRUPT;
    memcpy(trial->salt, object.data, sizeof trial->salt);
    struct rt_bytes plain = rt_arena_bytes(
        arena, rt_bytes(object.data + sizeof trial->salt, object.size - sizeof trial->salt));
    enum rt_status status =
        plain.data ? rt_transcript_decode(plain, arena, transcript, NULL) : RT_NO_MEMORY;
    if (!status)
        trial->transcript = transcript;
    return status;
}

enum rt_status rt_interop_redact(struct rt_interop_trial *trial, const struct rt_scenario *scenario,
                                 struct rt_arena *arena)
{
    if (!trial->transcript)
        return RT_OK;
    if (!scenario) {
        trial->transcript = NULL;
        return RT_OK;
    }
    if (!rt_redact_needed(scenario))
        return RT_OK;
    struct rt_transcript *redacted = rt_arena_alloc(arena, sizeof *redacted);
    enum rt_status status = redacted
                                ? rt_redact_transcript(scenario, trial->transcript, arena, redacted)
                                : RT_NO_MEMORY;
    if (!status) {
        trial->transcript = redacted;
        trial->redacted = true;
    }
    return status;
}
