// SPDX-License-Identifier: Apache-2.0
// A few hundred campaigns under faults, each from one seed. After each: the campaign is closed,
// every receipt names its leaf, nothing was issued that should not have been, and fsck's recount of
// the log equals bitmaps and cells. RT_SIM_SEED=n plays one seed; RT_SIM_SEEDS=n plays that many.
#include <stdlib.h>

#include "tests/sim/store/world.h"

// ---- the coordinator's shell: what the hub does, without its threads

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
    if (step(world, &event) != RT_OK)
        world->instances[parcel->instance].credit = before;
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

// ---- workers

static void connect_instance(struct world *world, uint32_t index)
{
    struct instance *instance = &world->instances[index];
    struct parcel gone = {.kind = UP_GONE,
                          .instance = index,
                          .at_ms = world->now_ms + draw_below(world, 2000),
                          .connection = instance->connection};
    if (chance(world, 700))
        push(world, gone);
    instance->connected = true;
    instance->connection++;
    struct parcel hello = {.kind = UP_HELLO, .instance = index};
    for (uint32_t h = 0; h < instance->hand_count; h++) {
        size_t number = 0;
        while (world->units[number] != instance->hand[h])
            number++;
        hello.units[hello.unit_count++] = (uint32_t)number;
    }
    send_parcel(world, hello);
}

static void make_result(struct world *world, struct sim_unit *unit)
{
    unit->made = true;
    fixture_aim_unit(&unit->unit);
    size_t count = fixture_trials(world->campaign, unit->lab, &world->draw, &unit->unit.unit,
                                  RT_TRIAL_OK, unit->trials);
    for (size_t t = 0; t < count; t++) {
        struct rt_trial_result *trial = &unit->trials[t];
        world->trials_run++;
        if (chance(world, world->faults.trial_error)) {
            trial->status = chance(world, 500) ? RT_TRIAL_TIMEOUT : RT_TRIAL_ERROR;
            trial->error =
                trial->status == RT_TRIAL_ERROR ? RT_ERROR_KIND_HTTP : RT_ERROR_KIND_NONE;
            trial->outcome = trial->severity = 0;
            trial->score_micro = 0;
        } else if (chance(world, 50)) {
            trial->status = chance(world, 500) ? RT_TRIAL_WITHHELD : RT_TRIAL_TRUNCATED;
            trial->outcome = trial->severity = 0;
            trial->score_micro = 0;
        }
    }
    unit->result = (struct rt_object_result){
        .unit = unit->unit.digest,
        .software = rt_bytes_str("sim"),
        .started_ms = world->now_ms,
        .finished_ms = world->now_ms,
        .fingerprint = fixture_digest(draw_below(world, 5) ? "server" : "another server"),
        .trials = unit->trials,
        .trials_count = count};
    rt_buf_init(&unit->object, RT_RESULT_MOST);
    unit->digest = fixture_encode_result(&unit->result, &unit->object);
}

static void drop_from_hand(struct instance *instance, uint32_t h)
{
    instance->hand_count--;
    instance->hand[h] = instance->hand[instance->hand_count];
    instance->busy_until_ms[h] = instance->busy_until_ms[instance->hand_count];
}

static void worker_receives(struct world *world, const struct parcel *parcel)
{
    struct instance *instance = &world->instances[parcel->instance];
    if (parcel->kind == DOWN_CLOSING) {
        instance->closing = true;
        return;
    }
    uint32_t h = 0;
    while (h < instance->hand_count && instance->hand[h] != parcel->unit)
        h++;
    if (parcel->kind == DOWN_RECEIPT) {
        parcel->unit->receipted = true;
        parcel->unit->index = parcel->index;
        if (h < instance->hand_count)
            drop_from_hand(instance, h);
        return;
    }
    if (h < instance->hand_count || parcel->unit->receipted || parcel->unit->made)
        return; // seen before
    if (instance->hand_count == HAND_MOST || chance(world, 20)) {
        send_parcel(
            world,
            (struct parcel){.kind = UP_RETURN, .instance = parcel->instance, .unit = parcel->unit});
        return;
    }
    uint32_t run_ms = 5 + draw_below(world, 40);
    if (chance(world, world->faults.slow))
        run_ms += draw_below(world, 2) ? 1500 : 4000;
    instance->busy_until_ms[instance->hand_count] = world->now_ms + run_ms;
    instance->hand[instance->hand_count++] = parcel->unit;
}

static bool lab_settled(const struct world *world, uint32_t lab)
{
    for (uint32_t i = 0; i < world->instance_count; i++) {
        if (world->instances[i].lab == lab && world->instances[i].hand_count)
            return false;
    }
    return true;
}

static void worker_works(struct world *world, uint32_t index)
{
    struct instance *instance = &world->instances[index];
    for (uint32_t h = 0; h < instance->hand_count; h++) {
        struct sim_unit *unit = instance->hand[h];
        if (instance->closing && !unit->made) {
            send_parcel(world, (struct parcel){.kind = UP_RETURN, .instance = index, .unit = unit});
            drop_from_hand(instance, h--);
        } else if (instance->busy_until_ms[h] <= world->now_ms) {
            if (!unit->made)
                make_result(world, unit);
            send_parcel(world, (struct parcel){.kind = UP_RESULT, .instance = index, .unit = unit});
        }
    }
}

static void worker_turn(struct world *world, uint32_t index)
{
    struct instance *instance = &world->instances[index];
    uint32_t lab = instance->lab;
    instance->wake_ms = world->now_ms + 20 + draw_below(world, 60);
    if (world->faults.silent_lab && lab == 0 && world->closing)
        return;
    if (chance(world, world->faults.worker_crash)) { // what it ran is lost, what it stored is not
        world->crashes++;
        instance->connected = instance->closing = false;
        instance->wake_ms += 100;
        return;
    }
    if (!instance->connected || chance(world, world->faults.reconnect)) {
        connect_instance(world, index);
        return;
    }
    if (world->ended[lab] && instance->hand_count) { // results after its own end are refused
        instance->hand_count = 0;
        return;
    }
    worker_works(world, index);
    bool late = world->faults.late_lab && lab == 1 && world->now_ms < START_MS + 1500;
    if (!world->accepted[lab] && !late)
        send_parcel(world, (struct parcel){.kind = UP_ACCEPT, .instance = index});
    else if (world->faults.withdraw && lab == 2 && world->now_ms > START_MS + 2000 &&
             !world->ended[lab])
        send_parcel(world, (struct parcel){.kind = UP_WITHDRAW, .instance = index});
    else if (instance->closing && lab_settled(world, lab) && !world->ended[lab])
        send_parcel(world, (struct parcel){.kind = UP_CLOSE, .instance = index});
    else if (!instance->closing && instance->hand_count < HAND_MOST / 2)
        send_parcel(world, (struct parcel){.kind = UP_WANT,
                                           .instance = index,
                                           .credit = 1 + draw_below(world, 3)});
}

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
