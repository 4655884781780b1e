// SPDX-License-Identifier: Apache-2.0
// A few hundred campaigns under faults, each from one seed. After each: the campaign is closed,
// every receipt names its leaf, nothing was issued that should not have been, and fsck's recount of
// the log equals bitmaps and cells. RT_SIM_SEED=n plays one seed; RT_SIM_SEEDS=n plays that many.
#include <stdlib.h>

#include "tests/sim/store/labs.h"
#include "tests/sim/store/shell.h"

// ---- the operator

static bool everything_done(const struct world *world)
{
    for (uint32_t l = 0; l < world->campaign->lab_count; l++) {
        struct rt_core_lab_view view;
        must(world, rt_core_lab_view(world->core, 0, l, &view), NULL);
        if (!world->ended[l] && view.final + view.exhausted < view.total)
            return false;
    }
    return true;
}

static void operator_turn(struct world *world)
{
    int64_t elapsed = world->now_ms - START_MS;
    world->operator_ms = world->now_ms + 100;
    if (rt_core_campaign_count(world->core) == 0) {
        struct rt_core_event event = {.kind = RT_CORE_CAMPAIGN};
        struct rt_statement statement = {.kind = RT_STATEMENT_CAMPAIGN,
                                         .campaign = world->campaign->digest,
                                         .name = rt_bytes_str("sim"),
                                         .bench = world->campaign->digest,
                                         .roster = world->campaign->digest};
        uint64_t index;
        event.campaign_new.campaign = world->campaign;
        RULE(world, take_statement(world, &event, &statement, &index));
    } else if (!world->started && elapsed > 500) {
        act(world, RT_STATEMENT_ACTION_START); // refused until a lab has accepted
    } else if (world->paused) {
        act(world, RT_STATEMENT_ACTION_RESUME);
    } else if (world->started && !world->closing && world->faults.pause && chance(world, 30)) {
        act(world, RT_STATEMENT_ACTION_PAUSE);
    } else if (world->started && !world->closing && everything_done(world)) {
        act(world, RT_STATEMENT_ACTION_CLOSE);
    }
}

// ---- one campaign

static void shape_world(struct world *world)
{
    struct fixture_shape shape = {.labs = 3 + draw_below(world, LABS_MOST - 2),
                                  .prompts = 1 + draw_below(world, 6),
                                  .configurations = 1 + draw_below(world, 3),
                                  .replicates = 2 + draw_below(world, 5),
                                  .at_zero = 1 + draw_below(world, 2),
                                  .trials = 1 + draw_below(world, 8),
                                  .attempts = 1 + draw_below(world, 3),
                                  .reissue_after_ms = 1000,
                                  .accept_until_ms = 2500,
                                  .close_within_ms = 20000};
    if (world->seed % 4) { // every fourth world is a calm one
        world->faults = (struct faults){.drop = draw_below(world, 100),
                                        .twice = draw_below(world, 100),
                                        .delay_most_ms = draw_below(world, 200),
                                        .coordinator_crash = draw_below(world, 12),
                                        .worker_crash = draw_below(world, 20),
                                        .reconnect = draw_below(world, 20),
                                        .trial_error = draw_below(world, 300),
                                        .slow = draw_below(world, 60),
                                        .pause = chance(world, 500),
                                        .withdraw = chance(world, 300),
                                        .late_lab = chance(world, 300),
                                        .silent_lab = chance(world, 200)};
    }
    world->campaign = fixture_campaign(&world->arena, "sim", &shape);
    for (uint32_t l = 0; l < shape.labs; l++) {
        world->final[l] = calloc(10000, sizeof *world->final[l]);
        world->holder[l] = calloc(10000, sizeof *world->holder[l]);
        uint32_t count = 1 + draw_below(world, 2);
        for (uint32_t i = 0; i < count && world->instance_count < INSTANCES_MOST; i++) {
            struct instance *instance = &world->instances[world->instance_count++];
            instance->lab = l;
            instance->id = fixture_instance((uint8_t)world->instance_count);
            instance->wake_ms = world->now_ms + 50 + draw_below(world, 300);
        }
    }
}

static struct world *new_world(uint64_t seed)
{
    struct world *world = calloc(1, sizeof *world);
    struct rt_error err;
    world->seed = seed;
    world->rng = seed * 0x9e3779b97f4a7c15u + 1;
    for (int i = 0; i < 8; i++)
        draw_u64(world);
    world->now_ms = START_MS;
    world->operator_ms = START_MS;
    rt_arena_init(&world->arena, 1 << 20);
    rt_core_effects_init(&world->effects);
    shape_world(world);
    snprintf(world->folder, sizeof world->folder, "%s/rt-sim-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    RULE(world, mkdtemp(world->folder) != NULL);
    must(world, rt_store_open(world->folder, RT_STORE_CREATE, "sim", &world->store, &err), &err);
    begin_epoch(world, false);
    return world;
}

static int64_t next_time(const struct world *world)
{
    int64_t at = world->operator_ms < world->wake_ms ? world->operator_ms : world->wake_ms;
    if (world->queue_count && world->queue[0].at_ms < at)
        at = world->queue[0].at_ms;
    for (uint32_t i = 0; i < world->instance_count; i++) {
        if (world->instances[i].wake_ms < at)
            at = world->instances[i].wake_ms;
    }
    return at > world->now_ms ? at : world->now_ms;
}

static void turn(struct world *world)
{
    struct rt_error err;
    world->now_ms = next_time(world);
    must(world, rt_store_begin(world->store, &err), &err);
    if (world->wake_ms <= world->now_ms) {
        struct rt_core_event tick = {.kind = RT_CORE_TICK};
        world->wake_ms = INT64_MAX;
        RULE(world, step(world, &tick) == RT_OK);
        carry_out(world, 0);
    }
    if (world->operator_ms <= world->now_ms)
        operator_turn(world);
    struct parcel down[64];
    size_t down_count = 0;
    for (int n = 0; n < BATCH_MOST && world->queue_count && down_count < 64 &&
                    world->queue[0].at_ms <= world->now_ms;
         n++) {
        struct parcel parcel = pop(world);
        if (parcel.connection != world->instances[parcel.instance].connection &&
            parcel.kind != UP_GONE)
            continue; // the connection is gone, and with it what was under way
        if (parcel.kind >= DOWN_UNIT)
            down[down_count++] = parcel;
        else
            arrive(world, &parcel);
    }
    commit(world);
    for (size_t i = 0; i < down_count; i++) {
        if (down[i].connection == world->instances[down[i].instance].connection)
            worker_receives(world, &down[i]);
    }
    for (uint32_t i = 0; i < world->instance_count; i++) {
        if (world->instances[i].wake_ms <= world->now_ms)
            worker_turn(world, i);
    }
}

static void say_finding(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "fsck: %s\n", text);
}

static void judge(struct world *world)
{
    struct rt_error err;
    struct rt_fsck fsck = {.find = find_campaign, .finding = say_finding, .ctx = world};
    struct rt_fsck_report report;
    must(world, rt_store_fsck(world->store, &fsck, &report, &err), &err);
    struct rt_store_head head;
    rt_store_head(world->store, &head);
    for (size_t i = 0; i < world->unit_count; i++) {
        const struct sim_unit *unit = world->units[i];
        if (!unit->receipted)
            continue;
        struct rt_view *view;
        struct rt_proof proof;
        struct rt_digest hash;
        RULE(world, unit->index < head.size);
        must(world, rt_view_begin(world->store, &view, &err), &err);
        must(world, rt_view_node(view, 0, unit->index, &hash), NULL);
        rt_view_end(view);
        must(world, rt_store_prove(world->store, unit->index, &proof), NULL);
        must(world,
             rt_tree_verify_inclusion(&hash, unit->index, head.size, proof.hashes, proof.count,
                                      &head.root),
             NULL);
    }
    uint64_t planned = 0, counted = 0, lost = 0;
    for (uint32_t l = 0; l < world->campaign->lab_count; l++) {
        struct rt_core_lab_view view;
        must(world, rt_core_lab_view(world->core, 0, l, &view), NULL);
        RULE(world, view.outstanding == 0 && view.units == 0);
        RULE(world, view.exhausted <= view.tentative);
        planned += view.total;
        counted += view.final + view.tentative;
        lost += view.row.state == RT_LAB_CLOSED && view.final + view.exhausted < view.total;
    }
    RULE(world, report.counted == counted);
    if (world->seed % 4 == 0) { // no faults: everything is run once, and all of it counts
        RULE(world, counted == planned && lost == 0);
        RULE(world, world->trials_run == planned);
    }
}

static void free_world(struct world *world)
{
    char path[200];
    rt_core_free(world->core);
    rt_store_close(world->store);
    for (size_t i = 0; i < world->unit_count; i++) {
        if (world->units[i]->made)
            rt_buf_release(&world->units[i]->object);
        free(world->units[i]);
    }
    for (uint32_t l = 0; l < LABS_MOST; l++) {
        free(world->final[l]);
        free(world->holder[l]);
    }
    static const char *const files[] = {"store.mdb", "store.mdb-lock", "store.lock"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", world->folder, files[i]);
        unlink(path);
    }
    rmdir(world->folder);
    rt_core_effects_release(&world->effects);
    rt_arena_release(&world->arena);
    free(world->units);
    free(world->queue);
    free(world);
}

static void play(uint64_t seed, uint64_t *total)
{
    struct world *world = new_world(seed);
    while (!world->closed) {
        RULE(world, world->events++ < EVENTS_MOST);
        turn(world);
    }
    judge(world);
    total[0] += world->unit_count;
    total[1] += world->restarts - 1;
    total[2] += world->crashes;
    total[3] += world->trials_run;
    free_world(world);
}

int main(void)
{
    const char *one = getenv("RT_SIM_SEED"), *many = getenv("RT_SIM_SEEDS");
#ifdef RT_SANITIZED
    uint64_t count = 40;
#else
    uint64_t count = 400;
#endif
    uint64_t total[4] = {0};
    if (one && rt_parse_u64(one, &count) == RT_OK) {
        play(count, total);
    } else {
        if (many && rt_parse_u64(many, &count) != RT_OK)
            return 2;
        for (uint64_t seed = 1; seed <= count; seed++)
            play(seed, total);
    }
    printf("%" PRIu64 " units, %" PRIu64 " coordinator restarts, %" PRIu64
           " worker crashes, %" PRIu64 " trials run: every rule held\n",
           total[0], total[1], total[2], total[3]);
    return 0;
}
