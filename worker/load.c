// SPDX-License-Identifier: Apache-2.0
#include "worker/load.h"

#include <signal.h>
#include <sodium.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/time.h"
#include "proto/message.h"
#include "proto/statement.h"
#include "proto/trial.h"
#include "worker/evidence.h"
#include "worker/home.h"
#include "worker/link.h"

#define SOFTWARE     "ringtrial-worker " RT_VERSION
#define BROKEN_MOST  64
#define BACKLOG_MOST 4096

// A frame that waits: for room in the queue, or for the refusal of its broken twin.
struct held {
    struct rt_digest digest;
    struct rt_bytes frame; // owned
};

struct load {
    const struct rt_load_settings *settings;
    struct rt_load_result *result;
    struct rt_home *home;
    struct rt_link *link;
    struct rt_log_reader log;
    struct rt_instance instance;
    struct rt_arena arena, frame_arena;
    struct rt_digest digest, draw, accept; // campaign, its draw, our accept's statement
    struct rt_buf object; // the campaign, part by part
    struct rt_campaign *campaign;
    bool welcomed, known, fetching, has_draw, accepting, accepted, planned, started, fingerprinted;
    struct rt_checkpoint seen;
    struct rt_lab_plan plan;
    struct rt_lab_order order;
    struct rt_buf fingerprint;
    struct rt_digest fingerprint_digest;
    struct rt_buf result_object, statement, frame;
    struct rt_trial_result *trials;
    struct held broken[BROKEN_MOST];
    size_t broken_count;
    struct held *backlog;
    size_t backlog_count;
    uint64_t signed_results, outstanding, credit;
    int64_t start_us;
    enum rt_status failed;
    struct rt_error *err;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    stopped = number;
}

static void fail(struct load *load, enum rt_status status, const char *what)
{
    if (!load->failed)
        load->failed =
            rt_error_set(load->err, status, "%s: %s", what, rt_status_text(status));
}

// ---- sending

static void hold(struct held *list, size_t *count, size_t most, const struct rt_digest *digest,
                 struct rt_bytes frame)
{
    uint8_t *copy = *count < most ? malloc(frame.size) : NULL;
    if (!copy)
        return;
    memcpy(copy, frame.data, frame.size);
    list[(*count)++] = (struct held){*digest, {copy, frame.size}};
}

static void send_frame(struct load *load, struct rt_bytes frame)
{
    if (!load->backlog_count && !rt_link_send(load->link, frame))
        return;
    if (load->backlog_count == BACKLOG_MOST)
        fail(load, RT_TOO_LARGE, "the coordinator does not read");
    hold(load->backlog, &load->backlog_count, BACKLOG_MOST, &load->digest, frame);
}

static void send_backlog(struct load *load)
{
    size_t sent = 0;
    while (sent < load->backlog_count && !rt_link_send(load->link, load->backlog[sent].frame))
        free((void *)(uintptr_t)load->backlog[sent++].frame.data);
    load->backlog_count -= sent;
    memmove(load->backlog, load->backlog + sent, load->backlog_count * sizeof *load->backlog);
}

static void say_hello(struct load *load)
{
    struct rt_message_hello hello = {.version_least = RT_PROTOCOL_VERSION,
                                     .version_most = RT_PROTOCOL_VERSION,
                                     .instance = load->instance,
                                     .software = rt_bytes_str(SOFTWARE),
                                     .time_ms = rt_time_wall_ms()};
    rt_buf_clear(&load->frame);
    if (rt_message_hello_encode(&hello, &load->frame, NULL))
        fail(load, RT_NO_MEMORY, "HELLO");
    send_frame(load, rt_buf_bytes(&load->frame));
}

static void fetch(struct load *load)
{
    struct rt_message_fetch message = {load->digest, load->object.size};
    rt_buf_clear(&load->frame);
    if (!rt_message_fetch_encode(&message, &load->frame, NULL))
        send_frame(load, rt_buf_bytes(&load->frame));
}

static void want(struct load *load)
{
    uint64_t left = load->settings->units - load->signed_results;
    uint64_t window = load->settings->window;
    uint64_t room = window > load->outstanding ? window - load->outstanding : 0;
    uint64_t units = room < left ? room : left;
    // Every WANT is a message the coordinator has to handle: speak when half the window is free.
    if (!load->started || load->credit > window / 2 || units <= load->credit ||
        (units < window / 2 && units < left))
        return;
    struct rt_message_want message = {load->digest, units, 0};
    rt_buf_clear(&load->frame);
    if (rt_message_want_encode(&message, &load->frame, NULL))
        return;
    send_frame(load, rt_buf_bytes(&load->frame));
    load->credit = units;
}

// ---- becoming part of the campaign

static void accept_campaign(struct load *load)
{
    struct rt_statement statement = {
        .kind = RT_STATEMENT_ACCEPT,
        .campaign = load->digest,
        .lab = rt_bytes_str(load->home->config->lab),
        .seen = {rt_bytes_str(load->seen.origin), load->seen.size, load->seen.root},
    };
    randombytes_buf(statement.nonce.bytes, sizeof statement.nonce.bytes);
    rt_buf_clear(&load->statement);
    enum rt_status status = rt_statement_make(&statement, load->home->sign, &load->statement);
    struct rt_message_submit message = {.statement = rt_buf_bytes(&load->statement)};
    rt_buf_clear(&load->frame);
    struct rt_statement parsed;
    if (!status)
        status = rt_statement_parse(message.statement, &parsed, NULL);
    if (!status)
        status = rt_message_submit_encode(&message, &load->frame, NULL);
    if (status) {
        fail(load, status, "accept");
        return;
    }
    rt_statement_digest(&parsed, &load->accept);
    send_frame(load, rt_buf_bytes(&load->frame));
    load->accepting = true;
}

static void go_on(struct load *load)
{
    if (load->campaign && !load->accepting && !load->accepted)
        accept_campaign(load);
    if (load->campaign && load->has_draw && !load->planned) {
        rt_lab_plan_init(&load->plan, load->campaign,
                         rt_campaign_lab(load->campaign, load->home->config->lab), &load->draw);
        load->planned = true;
    }
    want(load);
}

static void on_offer(struct load *load, const struct rt_message_offer *offer)
{
    struct rt_digest leaf_hash;
    if (load->known && !rt_digest_equal(&load->digest, &offer->campaign))
        return; // one campaign is enough
    enum rt_status status = rt_evidence_leaf(offer->leaf, offer->index, offer->proof, &load->log,
                                             &leaf_hash, &load->seen);
    if (status) {
        fail(load, status, "the campaign's leaf");
        return;
    }
    load->digest = offer->campaign;
    load->known = true;
    load->accepted = offer->accepted;
    load->started = offer->accepted && offer->state == RT_OFFER_STARTED;
    if (offer->draw.size) {
        memcpy(load->draw.bytes, offer->draw.data, RT_DIGEST_BYTES);
        load->has_draw = true;
    }
    if (!load->campaign && !load->fetching) {
        load->fetching = true;
        fetch(load);
    }
    go_on(load);
}

static void on_part(struct load *load, const struct rt_message_part *part)
{
    struct rt_digest digest;
    if (load->campaign || part->offset != load->object.size)
        return;
    rt_buf_add_bytes(&load->object, part->data);
    if (load->object.size < part->total && part->data.size) {
        fetch(load);
        return;
    }
    rt_sha256(rt_buf_bytes(&load->object), &digest);
    enum rt_status status = rt_digest_equal(&digest, &load->digest) ? RT_OK : RT_CONFLICT;
    if (!status)
        status = rt_campaign_decode(rt_buf_bytes(&load->object), &load->arena, &load->campaign);
    if (!status && rt_campaign_lab(load->campaign, load->home->config->lab) == RT_NONE)
        status = RT_NOT_PERMITTED;
    if (status) {
        load->campaign = NULL;
        fail(load, status, "the campaign");
        return;
    }
    go_on(load);
}

// ---- results

static enum rt_status make_fingerprint(struct load *load)
{
    struct rt_object_fingerprint object = {
        .subject = rt_bytes_str("nothing"),
        .executor = rt_bytes_str("load"),
        .model = rt_bytes_str("none: made-up outcomes"),
        .identity = RT_IDENTITY_DECLARED,
    };
    enum rt_status status = rt_object_fingerprint_encode(&object, &load->fingerprint, NULL);
    rt_sha256(rt_buf_bytes(&load->fingerprint), &load->fingerprint_digest);
    return status;
}

static enum rt_status make_result(struct load *load, const struct rt_digest *unit_digest,
                                  const struct rt_object_unit *unit)
{
    struct rt_object_result object = {
        .unit = *unit_digest,
        .software = rt_bytes_str(SOFTWARE),
        .instance = load->instance,
        .started_ms = unit->issued_ms,
        .finished_ms = unit->issued_ms,
        .fingerprint = load->fingerprint_digest,
        .trials = load->trials,
    };
    for (size_t r = 0; r < unit->runs_count; r++)
        for (uint64_t i = 0; i < unit->runs[r].count; i++) {
            uint64_t number = 0;
            enum rt_status status = rt_lab_trial(&load->plan, &load->order,
                                                 unit->runs[r].first + i, &number);
            if (status)
                return status;
            load->trials[object.trials_count++] = (struct rt_trial_result){
                .number = number,
                .outcome = number % load->campaign->label_count,
                .tokens_in = 100 + number % 400,
                .tokens_out = 20 + number % 100,
                .latency_ms = 1000 + number % 1000,
            };
        }
    rt_buf_clear(&load->result_object);
    return rt_object_result_encode(&object, &load->result_object, NULL);
}

static void make_frame(struct load *load, const struct rt_message_unit *unit,
                       struct rt_bytes statement)
{
    struct rt_result_pair pair = {unit->statement, unit->object,
                                  rt_buf_bytes(&load->result_object)};
    struct rt_bytes none = {NULL, 0};
    struct rt_message_result message = {
        statement, &pair, 1, load->fingerprinted ? none : rt_buf_bytes(&load->fingerprint)};
    rt_buf_clear(&load->frame);
    enum rt_status status = rt_message_result_encode(&message, &load->frame, NULL);
    if (status)
        fail(load, status, "RESULT");
}

// Another letter in the middle of the signature: still base64, no longer this key's.
static void break_signature(struct rt_buf *statement)
{
    uint8_t *at = statement->data + statement->size - 40;
    *at = *at == 'A' ? 'B' : 'A';
}

static void on_unit(struct load *load, const struct rt_message_unit *message)
{
    struct rt_object_unit unit;
    struct rt_statement statement = {.kind = RT_STATEMENT_RESULT,
                                     .lab = rt_bytes_str(load->home->config->lab),
                                     .pair_count = 1};
    if (!load->start_us)
        load->start_us = rt_time_mono_us();
    load->credit -= load->credit > 0;
    enum rt_status status = load->planned ? rt_object_unit_decode(message->object,
                                                                  &load->frame_arena, &unit, NULL)
                                          : RT_CONFLICT;
    rt_sha256(message->object, &statement.pairs[0].unit);
    if (!status)
        status = make_result(load, &statement.pairs[0].unit, &unit);
    rt_sha256(rt_buf_bytes(&load->result_object), &statement.pairs[0].result);
    statement.campaign = load->digest;
    rt_buf_clear(&load->statement);
    if (!status)
        status = rt_statement_make(&statement, load->home->sign, &load->statement);
    if (status) {
        fail(load, status, "a unit");
        return;
    }
    make_frame(load, message, rt_buf_bytes(&load->statement));
    load->signed_results++;
    load->outstanding++;
    uint64_t every = load->settings->corrupt;
    if (every && load->signed_results % every == 0 && load->broken_count < BROKEN_MOST) {
        struct rt_statement parsed;
        struct rt_digest digest;
        if (rt_statement_parse(rt_buf_bytes(&load->statement), &parsed, NULL))
            return;
        rt_statement_digest(&parsed, &digest);
        hold(load->broken, &load->broken_count, BROKEN_MOST, &digest,
             rt_buf_bytes(&load->frame));
        break_signature(&load->statement);
        make_frame(load, message, rt_buf_bytes(&load->statement));
    }
    send_frame(load, rt_buf_bytes(&load->frame));
}

static struct held *broken_of(struct load *load, const uint8_t *digest)
{
    for (size_t i = 0; i < load->broken_count; i++)
        if (!memcmp(load->broken[i].digest.bytes, digest, RT_DIGEST_BYTES))
            return &load->broken[i];
    return NULL;
}

static void on_receipt(struct load *load, const struct rt_message_receipt *receipt)
{
    if (rt_digest_equal(&receipt->statement, &load->accept)) {
        load->accepted = true;
        return;
    }
    if (broken_of(load, receipt->statement.bytes)) {
        fail(load, RT_CHECK_FAILED, "a result with a broken signature was taken");
        return;
    }
    load->fingerprinted = true;
    load->outstanding -= load->outstanding > 0;
    load->result->receipted++;
    load->result->elapsed_us = rt_time_mono_us() - load->start_us;
}

static void on_error(struct load *load, const struct rt_message_error *error)
{
    struct held *broken = error->about.size ? broken_of(load, error->about.data) : NULL;
    if (!broken) {
        rt_log_warn("the coordinator says", "code=%llu text=%.*s",
                    (unsigned long long)error->code, (int)error->text.size,
                    (const char *)error->text.data);
        if (error->about.size)
            fail(load, rt_status_of_wire(error->code), "a right result was refused");
        return;
    }
    // Refused, as it should be: now the one with the right signature.
    load->result->refused++;
    send_frame(load, broken->frame);
    free((void *)(uintptr_t)broken->frame.data);
    *broken = load->broken[--load->broken_count];
}

// ---- the loop

static void on_frame(struct load *load, struct rt_bytes frame)
{
    struct rt_message message;
    rt_arena_clear(&load->frame_arena);
    enum rt_status status = rt_message_decode(frame, &load->frame_arena, &message, NULL);
    if (status) {
        fail(load, status, "a frame");
        return;
    }
    switch (message.type) {
    case RT_MESSAGE_WELCOME:
        load->welcomed = true;
        break;
    case RT_MESSAGE_OFFER:
        on_offer(load, &message.body.offer);
        break;
    case RT_MESSAGE_PART:
        on_part(load, &message.body.part);
        break;
    case RT_MESSAGE_UNIT:
        on_unit(load, &message.body.unit);
        break;
    case RT_MESSAGE_RECEIPT:
        on_receipt(load, &message.body.receipt);
        break;
    case RT_MESSAGE_ERROR:
        on_error(load, &message.body.error);
        break;
    default:
        break;
    }
}

static void run(struct load *load)
{
    while (!load->failed && !stopped && load->result->receipted < load->settings->units) {
        struct rt_bytes frame;
        switch (rt_link_wait(load->link, 100, &frame)) {
        case RT_LINK_OPENED:
            say_hello(load);
            break;
        case RT_LINK_FRAME:
            on_frame(load, frame);
            break;
        case RT_LINK_CLOSED:
            if (load->welcomed)
                fail(load, RT_NETWORK, "the connection was lost while measuring");
            break;
        default:
            break;
        }
        send_backlog(load);
        want(load);
    }
}

static enum rt_status begin(struct load *load, struct rt_error *err)
{
    struct rt_link_settings settings;
    enum rt_status status =
        rt_home_open(load->settings->config, RT_HOME_KEYS, NULL, &load->home, err);
    if (status)
        return status;
    rt_link_settings_init(&settings);
    settings.address = load->home->invite->address;
    settings.server = load->home->invite->curve;
    settings.own = load->home->curve;
    load->log.key = load->home->invite->log_key;
    randombytes_buf(load->instance.bytes, sizeof load->instance.bytes);
    load->trials = calloc(RT_TRIALS_MOST, sizeof *load->trials);
    load->backlog = calloc(BACKLOG_MOST, sizeof *load->backlog);
    if (!load->trials || !load->backlog || make_fingerprint(load))
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    return rt_link_new(&settings, &load->link, err);
}

static void end(struct load *load)
{
    for (size_t i = 0; i < load->broken_count; i++)
        free((void *)(uintptr_t)load->broken[i].frame.data);
    for (size_t i = 0; i < load->backlog_count; i++)
        free((void *)(uintptr_t)load->backlog[i].frame.data);
    free(load->backlog);
    free(load->trials);
    rt_link_free(load->link);
    rt_home_free(load->home);
    rt_arena_release(&load->arena);
    rt_arena_release(&load->frame_arena);
    rt_buf_release(&load->object);
    rt_buf_release(&load->fingerprint);
    rt_buf_release(&load->result_object);
    rt_buf_release(&load->statement);
    rt_buf_release(&load->frame);
}

enum rt_status rt_load(const struct rt_load_settings *settings, struct rt_load_result *ret_result,
                       struct rt_error *err)
{
    struct load *load = calloc(1, sizeof *load);
    struct rt_error local;
    if (!load)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    *ret_result = (struct rt_load_result){0};
    load->settings = settings;
    load->result = ret_result;
    load->err = err ? err : &local;
    rt_arena_init(&load->arena, (size_t)256 << 20);
    rt_arena_init(&load->frame_arena, (size_t)32 << 20);
    rt_buf_init(&load->object, RT_CAMPAIGN_OBJECT_MOST);
    rt_buf_init(&load->fingerprint, RT_FINGERPRINT_MOST);
    rt_buf_init(&load->result_object, RT_RESULT_MOST);
    rt_buf_init(&load->statement, RT_STATEMENT_MOST);
    rt_buf_init(&load->frame, RT_PAYLOAD_MOST);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    enum rt_status status = begin(load, load->err);
    if (!status) {
        run(load);
        status = load->failed;
    }
    end(load);
    free(load);
    return status;
}
