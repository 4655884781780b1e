// SPDX-License-Identifier: Apache-2.0
#include "proto/object.h"

#include <string.h>

#include "proto/schema_define.h"

const char *const rt_error_kind_words[RT_ERROR_KIND_COUNT + 1] = {
#define X(name, word) word,
    RT_ERROR_KIND_TABLE(X)
#undef X
        NULL,
};

const char *const rt_identity_words[RT_IDENTITY_COUNT + 1] = {
#define X(name, word) word,
    RT_IDENTITY_TABLE(X)
#undef X
        NULL,
};

RT_RECORD_DEFINE(rt_unit_run, "run", RT_SCHEMA_NO_LEAD, RT_UNIT_RUN_FIELDS, NULL, NULL,
                 "Consecutive positions of a lab's run order.")

uint64_t rt_object_unit_positions(const struct rt_object_unit *unit)
{
    uint64_t positions = 0;
    for (size_t i = 0; i < unit->runs_count; i++)
        positions += unit->runs[i].count;
    return positions;
}

static enum rt_status check_unit(const void *record)
{
    const struct rt_object_unit *unit = record;
    if (unit->issued_ms > unit->reissue_at_ms || unit->reissue_at_ms > unit->accept_until_ms)
        return RT_MALFORMED;
    uint64_t end = 0; // first position behind the run before
    for (size_t i = 0; i < unit->runs_count; i++) {
        const struct rt_unit_run *run = &unit->runs[i];
        // Two runs that touch are one run: a set of positions has one encoding.
        if (i && run->first <= end)
            return RT_MALFORMED;
        end = run->first + run->count; // both below 2^63
    }
    return rt_object_unit_positions(unit) > RT_TRIALS_MOST ? RT_OUT_OF_RANGE : RT_OK;
}

static void repair_unit(void *record)
{
    struct rt_object_unit *unit = record;
    if (unit->reissue_at_ms < unit->issued_ms)
        unit->reissue_at_ms = unit->issued_ms;
    if (unit->accept_until_ms < unit->reissue_at_ms)
        unit->accept_until_ms = unit->reissue_at_ms;
    struct rt_unit_run *runs = (struct rt_unit_run *)(uintptr_t)unit->runs;
    uint64_t end = 0;
    for (size_t i = 0; i < unit->runs_count; i++) {
        runs[i].count = runs[i].count % (RT_TRIALS_MOST / unit->runs_count) + 1;
        runs[i].first = i ? end + 1 + runs[i].first % 1000 : runs[i].first >> 2;
        end = runs[i].first + runs[i].count;
    }
}

RT_RECORD_DEFINE(rt_object_unit, "unit", RT_OBJECT_VERSION, RT_UNIT_FIELDS, check_unit, repair_unit,
                 "A batch of trials dealt to one lab. issued_ms <= reissue_at_ms <= "
                 "accept_until_ms; runs are ascending and never touch; together they have at "
                 "most 4096 positions.")

static enum rt_status check_trial(const void *record)
{
    const struct rt_trial_result *trial = record;
    if ((trial->status == RT_TRIAL_ERROR) != (trial->error != RT_ERROR_KIND_NONE))
        return RT_MALFORMED;
    if (trial->status != RT_TRIAL_OK && (trial->outcome || trial->severity || trial->score_micro))
        return RT_MALFORMED;
    return RT_OK;
}

static void repair_trial(void *record)
{
    struct rt_trial_result *trial = record;
    if (trial->status != RT_TRIAL_ERROR)
        trial->error = RT_ERROR_KIND_NONE;
    else if (trial->error == RT_ERROR_KIND_NONE)
        trial->error = RT_ERROR_KIND_HTTP;
    if (trial->status != RT_TRIAL_OK) {
        trial->outcome = trial->severity = 0;
        trial->score_micro = 0;
    }
}

RT_RECORD_DEFINE(rt_trial_result, "trial", RT_SCHEMA_NO_LEAD, RT_TRIAL_RESULT_FIELDS, check_trial,
                 repair_trial,
                 "How one trial ended. error is none unless status is error; outcome, severity and "
                 "score_micro are 0 unless status is ok.")

static enum rt_status check_result(const void *record)
{
    const struct rt_object_result *result = record;
    return result->started_ms > result->finished_ms ? RT_MALFORMED : RT_OK;
}

static void repair_result(void *record)
{
    struct rt_object_result *result = record;
    if (result->finished_ms < result->started_ms)
        result->finished_ms = result->started_ms;
}

RT_RECORD_DEFINE(rt_object_result, "result", RT_OBJECT_VERSION, RT_RESULT_FIELDS, check_result,
                 repair_result, "What a lab measured for one unit. started_ms <= finished_ms.")

RT_RECORD_DEFINE(rt_named_value, "named value", RT_SCHEMA_NO_LEAD, RT_NAMED_VALUE_FIELDS, NULL,
                 NULL, "One setting or one canary.")

RT_RECORD_DEFINE(rt_object_identity, "identity", RT_SCHEMA_NO_LEAD, RT_IDENTITY_FIELDS, NULL, NULL,
                 "The first fields of a fingerprint: which model answers and how it is asked. Its "
                 "digest is SHA-256(\"ringtrial/identity/v1\" ‖ 0x00 ‖ its bytes); a lab whose "
                 "identity digest for a subject changes while a campaign runs is held.")

RT_RECORD_DEFINE(rt_fingerprint_part, "fingerprint part", RT_SCHEMA_NO_LEAD,
                 RT_FINGERPRINT_PART_FIELDS, NULL, NULL, "One thing that served.")

static enum rt_status check_fingerprint(const void *record)
{
    const struct rt_object_fingerprint *fingerprint = record;
    for (size_t i = 1; i < fingerprint->parts_count; i++) {
        const struct rt_fingerprint_part *a = &fingerprint->parts[i - 1], *b = a + 1;
        int order = rt_bytes_compare(a->subject, b->subject);
        if (order > 0 || (order == 0 && rt_digest_compare(&a->identity, &b->identity) >= 0))
            return RT_MALFORMED;
    }
    return RT_OK;
}

static void repair_fingerprint(void *record)
{
    struct rt_object_fingerprint *fingerprint = record;
    fingerprint->parts_count = fingerprint->parts_count > 1 ? 1 : fingerprint->parts_count;
}

RT_RECORD_DEFINE(rt_object_fingerprint, "fingerprint", RT_OBJECT_VERSION, RT_FINGERPRINT_FIELDS,
                 check_fingerprint, repair_fingerprint,
                 "What served the model: a cell is counted apart for each. The fields through "
                 "`roles` are its *identity*; parts ascend by subject, then by digest.")

enum rt_status rt_fingerprint_identity(const struct rt_object_fingerprint *fingerprint,
                                       struct rt_digest *ret_digest)
{
    static const char domain[] = "ringtrial/identity/v1"; // with its final 0x00
    struct rt_object_identity identity = {0};
#define F(kind, name, type, least, most, doc) F_##kind(name)
#define F_STR(name)                           identity.name = fingerprint->name;
#define F_SORTED(name)                                                                             \
    identity.name = fingerprint->name;                                                             \
    identity.name##_count = fingerprint->name##_count;
    RT_IDENTITY_FIELDS(F)
#undef F_SORTED
#undef F_STR
#undef F
    struct rt_buf bytes;
    rt_buf_init(&bytes, RT_FINGERPRINT_MOST);
    enum rt_status status = rt_schema_encode(rt_object_identity_schema(), &identity,
                                             RT_FINGERPRINT_MOST - sizeof domain, &bytes, NULL);
    if (!status) {
        struct rt_sha256_state state;
        rt_sha256_init(&state);
        rt_sha256_update(&state, domain, sizeof domain);
        rt_sha256_update(&state, bytes.data, bytes.size);
        rt_sha256_final(&state, ret_digest);
    }
    rt_buf_release(&bytes);
    return status;
}

enum rt_status rt_fingerprint_parts(const struct rt_object_fingerprint *fingerprint,
                                    struct rt_fingerprint_part ret_parts[RT_PARTS_MOST],
                                    size_t *ret_count)
{
    if (fingerprint->parts_count) {
        memcpy(ret_parts, fingerprint->parts, fingerprint->parts_count * sizeof *ret_parts);
        *ret_count = fingerprint->parts_count;
        return RT_OK;
    }
    ret_parts[0].subject = fingerprint->subject;
    *ret_count = 1;
    return rt_fingerprint_identity(fingerprint, &ret_parts[0].identity);
}
