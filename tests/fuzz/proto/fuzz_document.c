// SPDX-License-Identifier: Apache-2.0
// The other files that people write. The first byte chooses: campaign.yaml, bench.yaml, salts.yaml,
// worker.yaml, an invitation, an enrolment. Each is read or refused with words.
#include "proto/doc/bench_doc.h"
#include "proto/doc/campaign_doc.h"
#include "proto/invite.h"
#include "proto/labconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rt_status read_table(const struct rt_doc_table *table, struct rt_bytes text,
                                 struct rt_arena *arena, struct rt_error *err)
{
    struct rt_doc_reader reader = {.name = "fuzz", .arena = arena, .err = err};
    void *record = rt_arena_alloc(arena, table->size);
    RT_ASSERT(record);
    return rt_doc_read(&reader, table, text, record);
}

static enum rt_status read_one(uint8_t which, struct rt_bytes text, struct rt_arena *arena,
                               struct rt_error *err)
{
    struct rt_labconfig *config;
    struct rt_invite *invite;
    struct rt_enrolment *enrolment;
    enum rt_status status;
    switch (which % 6) {
    case 0:
        return read_table(&rt_plan_table, text, arena, err);
    case 1:
        return read_table(&rt_bench_table, text, arena, err);
    case 2:
        return read_table(&rt_salts_table, text, arena, err);
    case 3:
        status = rt_labconfig_read(text, "fuzz", arena, &config, NULL, err);
        for (unsigned minute = 0; !status && minute < 7 * 1440; minute += 7)
            rt_labconfig_open(&config->policy, minute / 1440, minute % 1440);
        return status;
    case 4:
        return rt_invite_read(text, "fuzz", arena, &invite, err);
    default:
        return rt_enrolment_read(text, "fuzz", arena, &enrolment, err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rt_arena arena;
    struct rt_error err = {0};
    RT_ASSERT(rt_crypto_init() == RT_OK);
    rt_arena_init(&arena, (size_t)64 << 20);
    if (size > 0 && read_one(data[0], rt_bytes(data + 1, size - 1), &arena, &err))
        RT_ASSERT(err.status != RT_OK && err.text[0]);
    rt_arena_release(&arena);
    return 0;
}
