// SPDX-License-Identifier: Apache-2.0
// The coordinator of the simulated consortium: what the hub does, without its threads, with the
// rules it is held to, and its deaths.
#ifndef RT_TESTS_SIM_SHELL_H
#define RT_TESTS_SIM_SHELL_H

#include "tests/sim/store/world.h"

static void queue_out(struct world *world, struct parcel parcel)
{
    RULE(world, world->outgoing_count < sizeof world->outgoing / sizeof *world->outgoing);
    world->outgoing[world->outgoing_count++] = parcel;
}

static void check_issue(struct world *world, uint32_t instance, struct sim_unit *unit)
{
    struct instance *to = &world->instances[instance];
    RULE(world, world->started && !world->paused && !world->closing);
    RULE(world, world->accepted[unit->lab] && !world->ended[unit->lab]);
    RULE(world, to->credit-- > 0);
    for (size_t r = 0; r < unit->unit.unit.runs_count; r++) {
        for (uint64_t i = 0; i < unit->unit.runs[r].count; i++) {
            uint64_t position = unit->unit.runs[r].first + i;
            struct sim_unit **holder = &world->holder[unit->lab][position];
            RULE(world, !world->final[unit->lab][position]);
            RULE(world, !*holder || !(*holder)->live ||
                            (*holder)->unit.unit.reissue_at_ms <= world->now_ms);
            *holder = unit;
        }
    }
}

static void issue_unit(struct world *world, const struct rt_core_effect *effect)
{
    struct rt_error err;
    struct sim_unit *unit = calloc(1, sizeof *unit);
    uint32_t instance = (uint32_t)effect->unit.peer & 0xff;
    fixture_encode_unit(world->campaign, effect, &unit->unit);
    unit->lab = effect->lab;
    unit->instance = instance;
    unit->live = true;
    if (world->unit_count == world->unit_room) {
        world->unit_room = world->unit_room ? world->unit_room * 2 : 64;
        world->units = realloc(world->units, world->unit_room * sizeof *world->units);
    }
    world->units[world->unit_count++] = unit;
    check_issue(world, instance, unit);
    rt_core_bind(world->core, effect->unit.serial, &unit->unit.digest);
    struct rt_statement statement = {.kind = RT_STATEMENT_UNIT,
                                     .campaign = world->campaign->digest,
                                     .lab = rt_bytes_str(unit->unit.lab),
                                     .unit = unit->unit.digest};
    struct rt_buf text;
    sign_statement(&statement, &text);
    must(world,
         rt_store_put_unit(world->store, &unit->unit.digest, rt_buf_bytes(&text),
                           rt_bytes(unit->unit.bytes, unit->unit.size), &err),
         &err);
    rt_buf_release(&text);
    if (effect->unit.peer >> 8 == world->instances[instance].connection)
        queue_out(world, (struct parcel){.kind = DOWN_UNIT, .instance = instance, .unit = unit});
}

static void no_response(struct world *world, const struct rt_core_effect *effect)
{
    struct rt_error err;
    struct rt_buf text;
    struct rt_statement statement = {.kind = RT_STATEMENT_NO_RESPONSE,
                                     .campaign = world->campaign->digest,
                                     .lab = rt_bytes_str(world->campaign->labs[effect->lab].id),
                                     .reason = rt_bytes_str("no close by the deadline")};
    struct rt_digest digest = sign_statement(&statement, &text);
    struct rt_store_leaf leaf = {.statement = rt_buf_bytes(&text), .digest = digest};
    must(world, rt_store_append(world->store, &leaf, world->now_ms, NULL, NULL, &err), &err);
    rt_buf_release(&text);
    world->ended[effect->lab] = true;
}

static void carry_out(struct world *world, uint64_t leaf_index)
{
    struct rt_error err;
    const struct rt_core_effects *effects = &world->effects;
    RULE(world, effects->count <= RT_CORE_EFFECTS_MOST);
    must(world, rt_store_apply(world->store, effects, leaf_index, &err), &err);
    for (size_t i = 0; i < effects->count; i++) {
        const struct rt_core_effect *effect = &effects->list[i];
        if (effect->kind == RT_DO_UNIT)
            issue_unit(world, effect);
        else if (effect->kind == RT_DO_NO_RESPONSE)
            no_response(world, effect);
        else if (effect->kind == RT_DO_CAMPAIGN && effect->campaign_row.state == RT_OFFER_CLOSED)
            world->closed = true;
    }
    for (uint32_t i = 0; i < world->instance_count && world->closing; i++)
        queue_out(world, (struct parcel){.kind = DOWN_CLOSING, .instance = i});
    if (effects->wake_ms < world->wake_ms)
        world->wake_ms = effects->wake_ms;
}

static enum rt_status step(struct world *world, struct rt_core_event *event)
{
    event->time_ms = world->now_ms;
    RULE(world, rt_core_step(world->core, event, &world->effects) == RT_OK);
    return world->effects.verdict;
}

// A statement from step to leaf; true when it is in the log now.
static bool take_statement(struct world *world, struct rt_core_event *event,
                           const struct rt_statement *statement, uint64_t *ret_index)
{
    struct rt_error err;
    struct rt_buf text;
    struct rt_digest digest = sign_statement(statement, &text);
    uint64_t index = 0;
    event->digest = digest;
    event->campaign = world->campaign->digest;
    event->logged = rt_view_statement(rt_store_batch_view(world->store), &digest, &index) == RT_OK;
    enum rt_status verdict = step(world, event);
    if (verdict == RT_OK) {
        RULE(world, world->effects.log);
        struct rt_store_leaf leaf = {.statement = rt_buf_bytes(&text),
                                     .digest = digest,
                                     .is_result = world->effects.is_result,
                                     .campaign = world->effects.campaign,
                                     .lab = world->effects.lab};
        must(world, rt_store_append(world->store, &leaf, world->now_ms, &index, NULL, &err), &err);
    }
    rt_buf_release(&text);
    carry_out(world, index);
    *ret_index = index;
    return verdict == RT_OK || verdict == RT_DUPLICATE;
}

static struct rt_core_event event_of(struct world *world, enum rt_core_event_kind kind,
                                     uint32_t instance)
{
    struct instance *from = &world->instances[instance];
    const char *lab = world->campaign->labs[from->lab].id;
    return (struct rt_core_event){.kind = kind,
                                  .peer = instance | (uint64_t)from->connection << 8,
                                  .lab = rt_bytes_str(lab),
                                  .instance = from->id,
                                  .campaign = world->campaign->digest,
                                  .signer = rt_bytes_str(lab)};
}

// ---- what arrives

static struct sim_unit *unit_by_digest(struct world *world, const struct rt_digest *digest)
{
    for (size_t i = 0; i < world->unit_count; i++) {
        if (rt_digest_equal(&world->units[i]->unit.digest, digest))
            return world->units[i];
    }
    return NULL;
}

static void on_hello(struct world *world, const struct parcel *parcel)
{
    struct rt_core_event event = event_of(world, RT_CORE_HELLO, parcel->instance);
    struct rt_core_held held[HAND_MOST];
    for (uint32_t i = 0; i < parcel->unit_count; i++) {
        struct sim_unit *unit = world->units[parcel->units[i]];
        fixture_aim_unit(&unit->unit);
        held[i] = (struct rt_core_held){.digest = unit->unit.digest, .unit = &unit->unit.unit};
    }
    for (size_t i = 0; i < world->unit_count; i++) {
        bool has = false;
        for (uint32_t h = 0; h < parcel->unit_count; h++)
            has |= parcel->units[h] == i;
        if (world->units[i]->instance == parcel->instance && !has)
            world->units[i]->live = false;
    }
    event.hello.held = held;
    event.hello.held_count = parcel->unit_count;
    world->instances[parcel->instance].credit = 0;
    RULE(world, step(world, &event) == RT_OK);
    carry_out(world, 0);
}

static void on_result(struct world *world, const struct parcel *parcel)
{
    struct rt_error err;
    struct sim_unit *unit = parcel->unit;
    fixture_aim_unit(&unit->unit);
    RULE(world, unit_by_digest(world, &unit->unit.digest) == unit); // our signature verifies
    struct rt_core_pair pair = {.unit_digest = unit->unit.digest,
                                .unit = &unit->unit.unit,
                                .result = &unit->result,
                                .unit_verified = true,
                                .fingerprint_given = true};
    struct rt_core_event event = event_of(world, RT_CORE_RESULT, parcel->instance);
    event.result.pairs = &pair;
    event.result.pair_count = 1;
    struct rt_statement statement = {.kind = RT_STATEMENT_RESULT,
                                     .campaign = world->campaign->digest,
                                     .lab = event.lab,
                                     .pair_count = 1};
    statement.pairs[0] = (struct rt_statement_pair){unit->unit.digest, unit->digest};
    uint64_t index;
    must(world, rt_store_put_object(world->store, &unit->digest, rt_buf_bytes(&unit->object), &err),
         &err);
    unit->live = false;
    if (take_statement(world, &event, &statement, &index))
        queue_out(world, (struct parcel){.kind = DOWN_RECEIPT,
                                         .instance = parcel->instance,
                                         .unit = unit,
                                         .index = index});
}

static void on_accept(struct world *world, const struct parcel *parcel)
{
    uint32_t lab = world->instances[parcel->instance].lab;
    struct rt_core_event event = event_of(world, RT_CORE_ACCEPT, parcel->instance);
    struct rt_store_head head;
    uint64_t index;
    rt_store_head(world->store, &head);
    struct rt_statement statement = {.kind = RT_STATEMENT_ACCEPT,
                                     .campaign = world->campaign->digest,
                                     .lab = event.lab,
                                     .seen = {rt_bytes_str("sim"), head.size, head.root},
                                     .nonce = fixture_digest(world->campaign->labs[lab].id)};
    event.accept.seen_size = head.size;
    world->accepted[lab] = true; // its wishes may be served within this very step
    if (!take_statement(world, &event, &statement, &index))
        world->accepted[lab] = world->effects.verdict == RT_EXISTS;
}

static void on_end(struct world *world, const struct parcel *parcel)
{
    uint32_t lab = world->instances[parcel->instance].lab;
    bool close = parcel->kind == UP_CLOSE;
    struct rt_core_event event =
        event_of(world, close ? RT_CORE_CLOSE : RT_CORE_WITHDRAW, parcel->instance);
    uint64_t index;
    must(world,
         rt_store_lab_results(world->store, 0, lab, &event.end.log_results, &event.end.log_root),
         NULL);
    event.end.results = event.end.log_results;
    event.end.root = event.end.log_root;
    struct rt_statement statement = {.kind = close ? RT_STATEMENT_CLOSE : RT_STATEMENT_WITHDRAW,
                                     .campaign = world->campaign->digest,
                                     .lab = event.lab,
                                     .results = event.end.results,
                                     .root = event.end.root,
                                     .reason = rt_bytes_str("power bill")};
    if (take_statement(world, &event, &statement, &index))
        world->ended[lab] = true;
}

static void act(struct world *world, enum rt_statement_action action)
{
    struct rt_core_event event = {.kind = RT_CORE_STATE};
    struct rt_statement statement = {.kind = RT_STATEMENT_STATE,
                                     .campaign = world->campaign->digest,
                                     .action = action,
                                     .seq = ++world->seq,
                                     .reason = rt_bytes_str("as planned")};
    uint64_t index;
    event.state.action = action;
    event.state.seq = statement.seq;
    if (action == RT_STATEMENT_ACTION_START)
        must(world, rt_store_draw(world->store, 0, &event.state.draw), NULL);
    struct rt_digest draw = event.state.draw;
    // What the action allows is allowed from within its own step.
    bool started = world->started, paused = world->paused, closing = world->closing;
    world->started |= action == RT_STATEMENT_ACTION_START;
    world->paused = action == RT_STATEMENT_ACTION_PAUSE;
    world->closing |= action == RT_STATEMENT_ACTION_CLOSE;
    if (!take_statement(world, &event, &statement, &index)) {
        world->started = started;
        world->paused = paused;
        world->closing = closing;
    } else if (action == RT_STATEMENT_ACTION_START) {
        world->draw = draw;
    }
}

static void on_want(struct world *world, const struct parcel *parcel)
{
    struct rt_core_event event = event_of(world, RT_CORE_WANT, parcel->instance);
    event.want.units = parcel->credit;
    uint32_t before = world->instances[parcel->instance].credit;
    world->instances[parcel->instance].credit = parcel->credit;
    if (step(world, &event) != RT_OK) { // it is asked for a HELLO
        world->instances[parcel->instance].credit = before;
        world->instances[parcel->instance].connected = false;
    }
    carry_out(world, 0);
}

static void on_return(struct world *world, const struct parcel *parcel)
{
    struct rt_core_event event = event_of(world, RT_CORE_RETURN, parcel->instance);
    event.give_back.unit = parcel->unit->unit.digest;
    parcel->unit->live = false;
    step(world, &event);
    carry_out(world, 0);
}

static void on_gone(struct world *world, const struct parcel *parcel)
{
    struct rt_core_event event = event_of(world, RT_CORE_DISCONNECT, parcel->instance);
    event.peer = parcel->instance | (uint64_t)parcel->connection << 8;
    step(world, &event);
    carry_out(world, 0);
}

static void arrive(struct world *world, const struct parcel *parcel)
{
    switch (parcel->kind) {
    case UP_GONE:
        on_gone(world, parcel);
        break;
    case UP_HELLO:
        on_hello(world, parcel);
        break;
    case UP_WANT:
        on_want(world, parcel);
        break;
    case UP_RESULT:
        on_result(world, parcel);
        break;
    case UP_RETURN:
        on_return(world, parcel);
        break;
    case UP_ACCEPT:
        on_accept(world, parcel);
        break;
    default:
        on_end(world, parcel);
    }
}

// ---- starting and dying

static enum rt_status find_campaign(void *ctx, const struct rt_digest *digest,
                                    const struct rt_campaign **ret_campaign)
{
    struct world *world = ctx;
    *ret_campaign = world->campaign;
    return rt_digest_equal(digest, &world->campaign->digest) ? RT_OK : RT_NOT_FOUND;
}

// What the world believes of decisions whose transaction was lost comes from the store again.
static void believe_the_store(struct world *world)
{
    struct rt_core_campaign_row row;
    world->started = world->paused = world->closing = world->closed = false;
    if (rt_core_campaign_view(world->core, 0, &row, NULL) != RT_OK)
        return;
    world->started = row.drawn;
    world->draw = row.draw;
    world->paused = row.state == RT_OFFER_PAUSED;
    world->closing = row.state >= RT_OFFER_CLOSING;
    world->closed = row.state == RT_OFFER_CLOSED;
    for (uint32_t l = 0; l < world->campaign->lab_count; l++) {
        struct rt_core_lab_view view;
        must(world, rt_core_lab_view(world->core, 0, l, &view), NULL);
        world->accepted[l] = view.row.state != RT_LAB_INVITED;
        world->ended[l] = view.row.state > RT_LAB_ACCEPTED;
    }
}

static void begin_epoch(struct world *world, bool reopen)
{
    struct rt_error err;
    rt_core_free(world->core);
    if (reopen) {
        rt_store_close(world->store);
        must(world, rt_store_open(world->folder, RT_STORE_WRITE, "sim", &world->store, &err), &err);
    }
    must(world, rt_store_raise_epoch(world->store, &world->epoch, &err), &err);
    struct rt_core_limits limits;
    rt_core_limits_default(&limits);
    limits.gather_ms = 300;
    limits.silent_ms = 3000;
    world->core = rt_core_new(&limits, world->epoch, world->now_ms);
    must(world, rt_store_load(world->store, world->core, find_campaign, world, &err), &err);
    believe_the_store(world);
    for (uint32_t i = 0; i < world->instance_count; i++) {
        world->instances[i].connected = false;
        world->instances[i].connection++;
        world->instances[i].credit = 0;
    }
    for (size_t i = 0; i < world->unit_count; i++)
        world->units[i]->live = false;
    world->outgoing_count = 0;
    world->wake_ms = world->now_ms + limits.gather_ms;
    world->restarts++;
}

static void note_finals(struct world *world, const struct parcel *receipt)
{
    const struct sim_unit *unit = receipt->unit;
    size_t t = 0;
    for (size_t r = 0; r < unit->unit.unit.runs_count; r++) {
        for (uint64_t i = 0; i < unit->unit.runs[r].count; i++, t++) {
            if (rt_trial_status_flags(unit->trials[t].status).final &&
                world->now_ms <= unit->unit.unit.accept_until_ms)
                world->final[unit->lab][unit->unit.runs[r].first + i] = true;
        }
    }
}

static void commit(struct world *world)
{
    struct rt_error err;
    if (chance(world, world->faults.coordinator_crash)) { // dies before the commit
        rt_store_abort(world->store);
        begin_epoch(world, chance(world, 500));
        return;
    }
    must(world, rt_store_commit(world->store, &err), &err);
    for (size_t i = 0; i < world->outgoing_count; i++) {
        if (world->outgoing[i].kind == DOWN_RECEIPT)
            note_finals(world, &world->outgoing[i]);
    }
    if (chance(world, world->faults.coordinator_crash)) { // dies before it sends
        begin_epoch(world, chance(world, 500));
        return;
    }
    for (size_t i = 0; i < world->outgoing_count; i++)
        send_parcel(world, world->outgoing[i]);
    world->outgoing_count = 0;
}

#endif
