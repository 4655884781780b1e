// SPDX-License-Identifier: Apache-2.0
// What one unit costs the coordinator's one writer, without sockets and signatures: the scheduler's
// steps, the puts, and its share of a durable commit. Prints microseconds a unit; asserts nothing.
// Usage: store_bench [UNITS [UNITS_A_BATCH [FOLDER]]]
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/time.h"
#include "coordinator/store/store.h"
#include "proto/statement.h"
#include "tests/unit/core/fixture.h"

#define TRIALS 32

struct bench {
    struct rt_arena arena;
    struct rt_campaign *campaign;
    struct rt_store *store;
    struct rt_core *core;
    struct rt_core_effects effects;
    struct rt_digest draw;
    struct rt_buf unit_statement, statement, object;
    int64_t now;
    int64_t want_us, result_us, append_us, put_us, apply_us, prove_us, commit_us;
};

static struct rt_error err;

static void must(enum rt_status status)
{
    if (status == RT_OK)
        return;
    fprintf(stderr, "store_bench: %s: %s\n", rt_status_text(status), err.text);
    exit(1);
}

static struct rt_digest sign_statement(const struct rt_statement *statement, struct rt_buf *out)
{
    struct rt_digest digest;
    uint8_t signature[RT_SIGNATURE_BYTES] = {1};
    rt_buf_clear(out);
    must(rt_statement_build(statement, out));
    rt_sha256(rt_buf_bytes(out), &digest);
    rt_buf_add_str(out, "signed 0123456789abcdef ");
    rt_base64_add(out, signature, sizeof signature);
    rt_buf_add_str(out, "\n");
    return digest;
}

static void step(struct bench *bench, struct rt_core_event *event)
{
    event->time_ms = bench->now;
    event->campaign = bench->campaign->digest;
    must(rt_core_step(bench->core, event, &bench->effects));
    must(bench->effects.verdict);
}

static void log_statement(struct bench *bench, struct rt_core_event *event,
                          const struct rt_statement *statement)
{
    uint64_t index;
    struct rt_store_leaf leaf = {.digest = sign_statement(statement, &bench->statement)};
    leaf.statement = rt_buf_bytes(&bench->statement);
    event->digest = leaf.digest;
    step(bench, event);
    must(rt_store_append(bench->store, &leaf, bench->now, &index, NULL, &err));
    must(rt_store_apply(bench->store, &bench->effects, index, &err));
}

static struct rt_core_event from(const struct bench *bench, enum rt_core_event_kind kind,
                                 uint32_t lab)
{
    struct rt_bytes id = rt_bytes_str(bench->campaign->labs[lab].id);
    return (struct rt_core_event){
        .kind = kind, .peer = lab + 1, .lab = id, .instance = fixture_instance(1), .signer = id};
}

static void set_up(struct bench *bench)
{
    struct rt_core_event event = {.kind = RT_CORE_CAMPAIGN};
    struct rt_statement statement = {.campaign = bench->campaign->digest,
                                     .kind = RT_STATEMENT_CAMPAIGN,
                                     .name = rt_bytes_str("bench"),
                                     .bench = bench->campaign->digest,
                                     .roster = bench->campaign->digest};
    must(rt_store_begin(bench->store, &err));
    event.campaign_new.campaign = bench->campaign;
    log_statement(bench, &event, &statement);
    for (uint32_t l = 0; l < bench->campaign->lab_count; l++) {
        struct rt_store_head head;
        rt_store_head(bench->store, &head);
        event = from(bench, RT_CORE_ACCEPT, l);
        event.accept.seen_size = head.size;
        statement.kind = RT_STATEMENT_ACCEPT;
        statement.lab = event.lab;
        statement.seen = (struct rt_statement_seen){rt_bytes_str("bench"), head.size, head.root};
        log_statement(bench, &event, &statement);
        event = from(bench, RT_CORE_HELLO, l);
        step(bench, &event);
        must(rt_store_apply(bench->store, &bench->effects, 0, &err));
    }
    event = (struct rt_core_event){.kind = RT_CORE_STATE};
    event.state.action = statement.action = RT_STATEMENT_ACTION_START;
    event.state.seq = statement.seq = 1;
    must(rt_store_draw(bench->store, 0, &event.state.draw));
    bench->draw = event.state.draw;
    statement.kind = RT_STATEMENT_STATE;
    statement.reason = rt_bytes_str("bench");
    log_statement(bench, &event, &statement);
    must(rt_store_commit(bench->store, &err));
}

static int64_t lap(int64_t *clock)
{
    int64_t now = rt_time_mono_us(), passed = now - *clock;
    *clock = now;
    return passed;
}

struct job {
    struct fixture_unit unit;
    struct rt_trial_result trials[TRIALS];
    struct rt_object_result result;
    uint32_t lab;
    uint64_t index;
};

// One unit of work for each lab in turn: issued in one batch, answered in the next.
static void issue(struct bench *bench, struct job *jobs, size_t count)
{
    must(rt_store_begin(bench->store, &err));
    for (size_t i = 0; i < count; i++) {
        struct job *job = &jobs[i];
        job->lab = (uint32_t)(i % bench->campaign->lab_count);
        struct rt_core_event event = from(bench, RT_CORE_WANT, job->lab);
        event.want.units = 1;
        int64_t clock = rt_time_mono_us();
        step(bench, &event);
        bench->want_us += lap(&clock);
        const struct rt_core_effect *effect = &bench->effects.list[0];
        if (bench->effects.count != 1 || effect->kind != RT_DO_UNIT)
            exit(3);
        fixture_encode_unit(bench->campaign, effect, &job->unit);
        rt_core_bind(bench->core, effect->unit.serial, &job->unit.digest);
        struct rt_statement statement = {.kind = RT_STATEMENT_UNIT,
                                         .campaign = bench->campaign->digest,
                                         .lab = rt_bytes_str(job->unit.lab),
                                         .unit = job->unit.digest};
        sign_statement(&statement, &bench->unit_statement);
        (void)lap(&clock);
        must(rt_store_put_unit(bench->store, &job->unit.digest,
                               rt_buf_bytes(&bench->unit_statement),
                               rt_bytes(job->unit.bytes, job->unit.size), &err));
        bench->put_us += lap(&clock);
    }
    int64_t clock = rt_time_mono_us();
    must(rt_store_commit(bench->store, &err));
    bench->commit_us += lap(&clock);
}

static void answer_one(struct bench *bench, struct job *job)
{
    fixture_aim_unit(&job->unit);
    job->result = (struct rt_object_result){.unit = job->unit.digest,
                                            .software = rt_bytes_str("bench"),
                                            .fingerprint = fixture_digest("bench"),
                                            .trials = job->trials};
    job->result.trials_count = fixture_trials(bench->campaign, job->lab, &bench->draw,
                                              &job->unit.unit, RT_TRIAL_OK, job->trials);
    for (size_t t = 0; t < job->result.trials_count; t++)
        job->trials[t].transcript = job->unit.digest;
    rt_buf_clear(&bench->object);
    struct rt_digest digest = fixture_encode_result(&job->result, &bench->object);
    struct rt_core_pair pair = {.unit_digest = job->unit.digest,
                                .unit = &job->unit.unit,
                                .result = &job->result,
                                .fingerprint_given = true};
    struct rt_core_event event = from(bench, RT_CORE_RESULT, job->lab);
    struct rt_statement statement = {.kind = RT_STATEMENT_RESULT,
                                     .campaign = bench->campaign->digest,
                                     .lab = event.lab,
                                     .pair_count = 1};
    statement.pairs[0] = (struct rt_statement_pair){job->unit.digest, digest};
    struct rt_store_leaf leaf = {.digest = sign_statement(&statement, &bench->statement),
                                 .is_result = true,
                                 .lab = job->lab};
    leaf.statement = rt_buf_bytes(&bench->statement);
    event.digest = leaf.digest;
    event.result.pairs = &pair;
    event.result.pair_count = 1;
    int64_t clock = rt_time_mono_us();
    step(bench, &event);
    bench->result_us += lap(&clock);
    must(rt_store_put_object(bench->store, &digest, rt_buf_bytes(&bench->object), &err));
    bench->put_us += lap(&clock);
    must(rt_store_append(bench->store, &leaf, bench->now, &job->index, NULL, &err));
    bench->append_us += lap(&clock);
    must(rt_store_apply(bench->store, &bench->effects, job->index, &err));
    bench->apply_us += lap(&clock);
}

static void answer(struct bench *bench, struct job *jobs, size_t count)
{
    must(rt_store_begin(bench->store, &err));
    for (size_t i = 0; i < count; i++)
        answer_one(bench, &jobs[i]);
    int64_t clock = rt_time_mono_us();
    must(rt_store_commit(bench->store, &err));
    bench->commit_us += lap(&clock);
    for (size_t i = 0; i < count; i++) {
        struct rt_proof proof;
        must(rt_store_prove(bench->store, jobs[i].index, &proof));
    }
    bench->prove_us += lap(&clock);
}

static void print(const struct bench *bench, uint64_t units, size_t batch)
{
    const struct {
        const char *name;
        int64_t us;
    } rows[] = {{"core: WANT", bench->want_us},        {"core: RESULT", bench->result_us},
                {"store: objects", bench->put_us},     {"store: leaf", bench->append_us},
                {"store: decisions", bench->apply_us}, {"store: commits", bench->commit_us},
                {"store: proofs", bench->prove_us}};
    int64_t total = 0;
    printf("%" PRIu64 " units of %d trials, %zu a batch, result object %zu bytes, leaf %zu bytes\n",
           units, TRIALS, batch, bench->object.size, bench->statement.size);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        printf("%-18s %8.2f us/unit\n", rows[i].name, (double)rows[i].us / (double)units);
        total += rows[i].us;
    }
    printf("%-18s %8.2f us/unit, %.0f units/s\n", "together", (double)total / (double)units,
           1e6 * (double)units / (double)total);
}

int main(int argc, char **argv)
{
    struct bench *bench = calloc(1, sizeof *bench);
    uint64_t units = 20000, batch = 256;
    char folder[256] = "/tmp/rt-store-bench-XXXXXX";
    if ((argc > 1 && rt_parse_u64(argv[1], &units) != RT_OK) ||
        (argc > 2 && (rt_parse_u64(argv[2], &batch) != RT_OK || !batch)))
        return 2;
    if (argc > 3)
        snprintf(folder, sizeof folder, "%s/rt-store-bench-XXXXXX", argv[3]);
    if (!mkdtemp(folder))
        return 3;
    struct fixture_shape shape = {.labs = 5,
                                  .prompts = 96,
                                  .configurations = 4,
                                  .replicates = 100000,
                                  .at_zero = 100000,
                                  .trials = TRIALS,
                                  .attempts = 3,
                                  .reissue_after_ms = 1800000,
                                  .accept_until_ms = 604800000,
                                  .close_within_ms = 1000};
    rt_arena_init(&bench->arena, 1 << 20);
    rt_buf_init(&bench->unit_statement, 1 << 16);
    rt_buf_init(&bench->statement, 1 << 16);
    rt_buf_init(&bench->object, 1 << 20);
    rt_core_effects_init(&bench->effects);
    bench->now = rt_time_wall_ms();
    bench->campaign = fixture_campaign(&bench->arena, "bench", &shape);
    must(rt_store_open(folder, RT_STORE_CREATE, "bench", &bench->store, &err));
    bench->core = rt_core_new(NULL, 1, bench->now);
    set_up(bench);
    struct job *jobs = calloc(batch, sizeof *jobs);
    for (uint64_t done = 0; done < units; done += batch) {
        issue(bench, jobs, batch);
        answer(bench, jobs, batch);
    }
    print(bench, (units + batch - 1) / batch * batch, batch);
    rt_core_free(bench->core);
    rt_store_close(bench->store);
    char path[400];
    static const char *const files[] = {"store.mdb", "store.mdb-lock", "store.lock"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
    rt_core_effects_release(&bench->effects);
    rt_arena_release(&bench->arena);
    free(jobs);
    free(bench);
    return 0;
}
