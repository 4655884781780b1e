// SPDX-License-Identifier: Apache-2.0
// A consortium in one process and in virtual time: the real core on the real store, labs with
// worker instances that lose power, and a network that loses, repeats, delays and reorders.
// Everything follows from one seed. Included by the simulator's one program; not a library.
#ifndef RT_TESTS_SIM_WORLD_H
#define RT_TESTS_SIM_WORLD_H

#include <inttypes.h>
#include <stdbool.h>
#include <unistd.h>

#include "common/base/file.h"
#include "coordinator/store/fsck.h"
#include "proto/statement.h"
#include "tests/unit/core/fixture.h"

#define LABS_MOST      6
#define INSTANCES_MOST 12
#define HAND_MOST      8  // units an instance works on
#define BATCH_MOST     16 // messages in one transaction
#define EVENTS_MOST    400000
#define START_MS       INT64_C(1789000000000)

struct faults {
    uint32_t drop, twice;       // per thousand messages
    uint32_t delay_most_ms;     // beside the least delay
    uint32_t coordinator_crash; // per thousand batches
    uint32_t worker_crash;      // per thousand worker turns
    uint32_t reconnect;         // per thousand worker turns
    uint32_t trial_error;       // per thousand trials
    uint32_t slow;              // per thousand units: overdue, now and then for ever
    bool pause, withdraw, late_lab, silent_lab;
};

// A unit as it left the coordinator, with the result the lab makes of it. Never freed before the
// end.
struct sim_unit {
    struct fixture_unit unit;
    uint32_t lab, instance;
    bool live; // the coordinator counts on it
    bool made; // there is a result
    struct rt_trial_result trials[RT_UNIT_TRIALS_MOST];
    struct rt_object_result result;
    struct rt_buf object;    // the result object
    struct rt_digest digest; // of the result object
    struct rt_buf statement;
    struct rt_digest statement_digest;
    bool receipted;
    uint64_t index; // by the receipt
};

enum kind {
    UP_HELLO,
    UP_WANT,
    UP_RESULT,
    UP_RETURN,
    UP_ACCEPT,
    UP_CLOSE,
    UP_WITHDRAW,
    UP_GONE,
    DOWN_UNIT,
    DOWN_RECEIPT,
    DOWN_CLOSING
};

struct parcel {
    int64_t at_ms;
    uint64_t order;
    enum kind kind;
    uint32_t instance;
    uint32_t connection; // of the instance when it was sent
    struct sim_unit *unit;
    uint32_t units[HAND_MOST]; // HELLO: numbers of units in hand
    uint32_t unit_count;
    uint32_t credit;
    uint64_t index; // RECEIPT
};

struct instance {
    uint32_t lab;
    struct rt_instance id;
    // On its disk.
    struct sim_unit *hand[HAND_MOST];
    uint32_t hand_count;
    // In its memory.
    bool connected;
    uint32_t connection;
    int64_t busy_until_ms[HAND_MOST];
    int64_t wake_ms;
    bool closing;
    // What the coordinator owes it: units since its last WANT was processed.
    uint32_t credit;
};

struct world {
    uint64_t seed, rng;
    int64_t now_ms;
    struct faults faults;
    struct rt_arena arena;
    struct rt_campaign *campaign;
    struct rt_digest draw;
    char folder[128];
    struct rt_store *store;
    struct rt_core *core;
    struct rt_core_effects effects;
    uint64_t epoch;
    uint64_t order, events;
    struct parcel *queue; // a heap by (at_ms, order)
    size_t queue_count, queue_room;
    struct instance instances[INSTANCES_MOST];
    uint32_t instance_count;
    struct sim_unit **units;
    size_t unit_count, unit_room;
    bool *final[LABS_MOST];              // committed, by position
    struct sim_unit **holder[LABS_MOST]; // who was last given the position
    bool accepted[LABS_MOST], ended[LABS_MOST];
    bool started, paused, closing, closed;
    uint64_t seq;
    int64_t wake_ms, operator_ms;
    // Sends that wait for the commit.
    struct parcel outgoing[RT_CORE_EFFECTS_MOST / 64];
    size_t outgoing_count;
    uint64_t trials_run, crashes, restarts;
};

static uint64_t draw_u64(struct world *world)
{
    world->rng ^= world->rng << 13;
    world->rng ^= world->rng >> 7;
    world->rng ^= world->rng << 17;
    return world->rng * 0x2545f4914f6cdd1du;
}

static uint32_t draw_below(struct world *world, uint32_t bound)
{
    return (uint32_t)((draw_u64(world) >> 32) * bound >> 32);
}

static bool chance(struct world *world, uint32_t per_thousand)
{
    return draw_below(world, 1000) < per_thousand;
}

// A broken rule: say which seed, so that it can be played again.
#define RULE(world, condition) ((condition) ? (void)0 : broken((world), #condition, __LINE__))
_Noreturn static void broken(const struct world *world, const char *rule, int line)
{
    fprintf(stderr,
            "line %d: %s\nreplay: RT_SIM_SEED=%" PRIu64 " at %" PRId64 " ms, event %" PRIu64 "\n",
            line, rule, world->seed, world->now_ms - START_MS, world->events);
    abort();
}

static void must(const struct world *world, enum rt_status status, const struct rt_error *err)
{
    if (status != RT_OK) {
        fprintf(stderr, "%s: %s\n", rt_status_text(status), err ? err->text : "");
        broken(world, "status == RT_OK", __LINE__);
    }
}

// ---- the queue

static bool before(const struct parcel *a, const struct parcel *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void push(struct world *world, struct parcel parcel)
{
    if (world->queue_count == world->queue_room) {
        world->queue_room = world->queue_room ? world->queue_room * 2 : 256;
        world->queue = realloc(world->queue, world->queue_room * sizeof *world->queue);
    }
    parcel.order = world->order++;
    size_t at = world->queue_count++;
    world->queue[at] = parcel;
    for (; at && before(&world->queue[at], &world->queue[(at - 1) / 2]); at = (at - 1) / 2) {
        struct parcel other = world->queue[(at - 1) / 2];
        world->queue[(at - 1) / 2] = world->queue[at];
        world->queue[at] = other;
    }
}

static struct parcel pop(struct world *world)
{
    struct parcel top = world->queue[0];
    world->queue[0] = world->queue[--world->queue_count];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < world->queue_count; child++)
            least = before(&world->queue[child], &world->queue[least]) ? child : least;
        if (least == at)
            return top;
        struct parcel other = world->queue[at];
        world->queue[at] = world->queue[least];
        world->queue[least] = other;
        at = least;
    }
}

// Over the network: lost, once or twice, each time after a delay of its own.
static void send_parcel(struct world *world, struct parcel parcel)
{
    parcel.connection = world->instances[parcel.instance].connection;
    for (int copy = 0; copy < 2; copy++) {
        if (copy == 0 ? chance(world, world->faults.drop) : !chance(world, world->faults.twice))
            continue;
        parcel.at_ms = world->now_ms + 2 + draw_below(world, world->faults.delay_most_ms + 1);
        push(world, parcel);
    }
}

// ---- statements with a made-up signature: the store looks at their form alone

static struct rt_digest sign_statement(const struct rt_statement *statement, struct rt_buf *out)
{
    struct rt_digest digest;
    rt_buf_init(out, RT_STATEMENT_MOST);
    if (rt_statement_build(statement, out) != RT_OK)
        abort();
    rt_sha256(rt_buf_bytes(out), &digest);
    rt_buf_add_str(out, "signed 0123456789abcdef ");
    uint8_t signature[RT_SIGNATURE_BYTES] = {1};
    rt_base64_add(out, signature, sizeof signature);
    rt_buf_add_str(out, "\n");
    return digest;
}

#endif
