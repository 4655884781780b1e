// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/auditor/sample/parts.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "coordinator/bundle.h"
#include "proto/doc/doc.h"
#include "proto/object.h"
#include "proto/trial.h"

#define START_MS INT64_C(1796000000000)

void sample_die(const char *what, int line, const char *text)
{
    fprintf(stderr, "sample, line %d: %s %s\n", line, what, text);
    abort();
}

uint64_t sample_random(struct sample *sample, uint64_t bound)
{
    sample->random ^= sample->random << 13;
    sample->random ^= sample->random >> 7;
    sample->random ^= sample->random << 17;
    return (sample->random * 0x2545f4914f6cdd1du >> 11) % bound;
}

// ---- the coordinator's shell

static void issue(struct sample *sample, const struct rt_core_effect *effect)
{
    static struct rt_statement statement;
    struct sample_unit *unit = &sample->units[effect->lab][sample->unit_count[effect->lab]++];
    MUST(sample->unit_count[effect->lab] <= 64);
    struct rt_object_unit object = {
        .campaign = sample->campaign->digest,
        .lab = rt_bytes_str(sample_names[effect->lab]),
        .epoch = effect->unit.epoch,
        .serial = effect->unit.serial,
        .issued_ms = effect->unit.issued_ms,
        .reissue_at_ms = effect->unit.reissue_at_ms,
        .accept_until_ms = effect->unit.accept_until_ms,
        .accept = effect->unit.accept,
        .runs = effect->unit.runs,
        .runs_count = effect->unit.run_count,
    };
    rt_buf_init(&unit->object, RT_UNIT_MOST);
    rt_buf_init(&unit->statement, RT_STATEMENT_MOST);
    OK(rt_object_unit_encode(&object, &unit->object, NULL));
    rt_sha256(rt_buf_bytes(&unit->object), &unit->digest);
    statement.kind = RT_STATEMENT_UNIT;
    statement.campaign = sample->campaign->digest;
    statement.lab = object.lab;
    statement.unit = unit->digest;
    OK(rt_statement_make(&statement, sample->log, &unit->statement));
    OK(rt_store_put_unit(sample->store, &unit->digest, rt_buf_bytes(&unit->statement),
                         rt_buf_bytes(&unit->object), NULL));
    rt_core_bind(sample->core, effect->unit.serial, &unit->digest);
}

static void append(struct sample *sample, struct rt_bytes text, struct rt_store_leaf leaf,
                   uint64_t *ret_index)
{
    static struct rt_statement parsed;
    struct rt_error err = {.text = ""};
    OK(rt_statement_parse(text, &parsed, NULL));
    leaf.statement = parsed.unstamped;
    rt_statement_digest(&parsed, &leaf.digest);
    FINE(rt_store_append(sample->store, &leaf, sample->now_ms, ret_index, NULL, &err), &err);
}

static void no_response(struct sample *sample, const struct rt_core_effect *effect)
{
    static struct rt_statement statement;
    struct rt_buf text;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    statement.kind = RT_STATEMENT_NO_RESPONSE;
    statement.campaign = sample->campaign->digest;
    statement.lab = rt_bytes_str(sample_names[effect->lab]);
    statement.reason = rt_bytes_str("did not close by the deadline");
    OK(rt_statement_make(&statement, sample->log, &text));
    append(sample, rt_buf_bytes(&text), (struct rt_store_leaf){.lab = effect->lab}, NULL);
    rt_buf_release(&text);
}

// One event to its end: stepped, its leaf appended, its effects applied; in a batch already begun.
static void finish(struct sample *sample, const struct rt_core_event *event, struct rt_bytes text)
{
    struct rt_error err = {.text = ""};
    uint64_t index = 0;
    OK(rt_core_step(sample->core, event, &sample->effects));
    if (sample->effects.verdict)
        sample_die("refused", (int)event->kind, rt_status_text(sample->effects.verdict));
    if (sample->effects.log)
        append(sample, text,
               (struct rt_store_leaf){.is_result = sample->effects.is_result,
                                      .campaign = sample->effects.campaign,
                                      .lab = sample->effects.lab},
               &index);
    FINE(rt_store_apply(sample->store, &sample->effects, index, &err), &err);
    for (size_t i = 0; i < sample->effects.count; i++) {
        const struct rt_core_effect *effect = &sample->effects.list[i];
        if (effect->kind == RT_DO_UNIT)
            issue(sample, effect);
        else if (effect->kind == RT_DO_NO_RESPONSE)
            no_response(sample, effect);
    }
    FINE(rt_store_commit(sample->store, &err), &err);
}

static void begin(struct sample *sample, int64_t later_ms)
{
    struct rt_error err = {.text = ""};
    sample->now_ms += later_ms;
    FINE(rt_store_begin(sample->store, &err), &err);
}

static struct rt_core_event event_of(const struct sample *sample, enum rt_core_event_kind kind,
                                     uint32_t lab)
{
    struct rt_core_event event = {.kind = kind, .time_ms = sample->now_ms};
    if (lab < SAMPLE_LABS) {
        event.peer = lab + 1;
        event.lab = event.signer = rt_bytes_str(sample_names[lab]);
        memset(event.instance.bytes, (int)lab + 1, sizeof event.instance.bytes);
    }
    if (sample->campaign)
        event.campaign = sample->campaign->digest;
    return event;
}

static void put(struct sample *sample, struct rt_bytes object)
{
    struct rt_digest digest;
    rt_sha256(object, &digest);
    OK(rt_store_put_object(sample->store, &digest, object, NULL));
}

// Sign a statement and set what an event says of it.
static void sign(struct rt_statement *statement, const struct rt_secret_key *key,
                 struct rt_buf *text, struct rt_core_event *event)
{
    static struct rt_statement parsed;
    rt_buf_init(text, RT_STATEMENT_MOST);
    OK(rt_statement_make(statement, key, text));
    OK(rt_statement_parse(rt_buf_bytes(text), &parsed, NULL));
    rt_statement_digest(&parsed, &event->digest);
}

// ---- statements

static void log_roster(struct sample *sample, struct rt_roster *roster)
{
    static struct rt_statement statement;
    struct rt_buf text, object;
    begin(sample, 1000);
    struct rt_core_event event = event_of(sample, RT_CORE_ROSTER, SAMPLE_LABS);
    statement = (struct rt_statement){.kind = RT_STATEMENT_ROSTER,
                                      .roster = roster->digest,
                                      .consortium = rt_bytes_str(roster->id),
                                      .version = roster->version,
                                      .has_previous = roster->has_previous,
                                      .previous = roster->previous};
    sign(&statement, sample->root, &text, &event);
    event.roster.version = roster->version;
    event.roster.roster = roster->digest;
    event.roster.has_previous = roster->has_previous;
    event.roster.previous = roster->previous;
    rt_buf_init(&object, (size_t)1 << 20);
    OK(rt_roster_encode(roster, &object));
    put(sample, rt_buf_bytes(&object));
    finish(sample, &event, rt_buf_bytes(&text));
    rt_buf_release(&text);
    rt_buf_release(&object);
    sample->roster = roster;
}

static void log_campaign(struct sample *sample, const struct rt_bench *bench)
{
    static struct rt_statement statement;
    struct rt_buf text, object;
    begin(sample, 1000);
    struct rt_core_event event = event_of(sample, RT_CORE_CAMPAIGN, SAMPLE_LABS);
    statement = (struct rt_statement){.kind = RT_STATEMENT_CAMPAIGN,
                                      .campaign = sample->campaign->digest,
                                      .name = rt_bytes_str(sample->campaign->id),
                                      .bench = sample->campaign->bench_digest,
                                      .roster = sample->campaign->roster_digest};
    sign(&statement, sample->board, &text, &event);
    event.campaign_new.campaign = sample->campaign;
    rt_buf_init(&object, RT_CAMPAIGN_OBJECT_MOST);
    OK(rt_campaign_encode(sample->campaign, &object));
    put(sample, rt_buf_bytes(&object));
    rt_buf_clear(&object);
    OK(rt_bench_encode(bench, &object));
    put(sample, rt_buf_bytes(&object));
    for (size_t i = 0; i < bench->scenario_count; i++) {
        rt_buf_clear(&object);
        OK(rt_scenario_encode(bench->scenarios[i], bench->entries[i].salt, &object));
        put(sample, rt_buf_bytes(&object));
    }
    finish(sample, &event, rt_buf_bytes(&text));
    rt_buf_release(&text);
    rt_buf_release(&object);
}

static void hello(struct sample *sample, uint32_t lab)
{
    begin(sample, 10);
    struct rt_core_event event = event_of(sample, RT_CORE_HELLO, lab);
    finish(sample, &event, rt_bytes(NULL, 0));
}

static void accept_campaign(struct sample *sample, uint32_t lab)
{
    static struct rt_statement statement;
    struct rt_buf text;
    struct rt_store_head head;
    hello(sample, lab);
    begin(sample, 50);
    rt_store_head(sample->store, &head);
    struct rt_core_event event = event_of(sample, RT_CORE_ACCEPT, lab);
    statement =
        (struct rt_statement){.kind = RT_STATEMENT_ACCEPT,
                              .campaign = sample->campaign->digest,
                              .lab = event.lab,
                              .seen = {rt_bytes_str("sample.example/log"), head.size, head.root}};
    memset(statement.nonce.bytes, (int)lab + 7, sizeof statement.nonce.bytes);
    sign(&statement, sample->lab[lab], &text, &event);
    event.accept.seen_size = head.size;
    sample->accept[lab] = event.digest;
    finish(sample, &event, rt_buf_bytes(&text));
    rt_buf_release(&text);
}

static void act(struct sample *sample, enum rt_statement_action action)
{
    static struct rt_statement statement;
    struct rt_buf text;
    begin(sample, 1000);
    struct rt_core_event event = event_of(sample, RT_CORE_STATE, SAMPLE_LABS);
    statement = (struct rt_statement){.kind = RT_STATEMENT_STATE,
                                      .campaign = sample->campaign->digest,
                                      .action = action,
                                      .seq = ++sample->seq,
                                      .reason = rt_bytes_str("as agreed")};
    sign(&statement, sample->operator_key, &text, &event);
    event.state.action = action;
    event.state.seq = sample->seq;
    if (action == RT_STATEMENT_ACTION_START) {
        OK(rt_store_draw(sample->store, 0, &sample->draw));
        event.state.draw = sample->draw;
    }
    finish(sample, &event, rt_buf_bytes(&text));
    rt_buf_release(&text);
}

static void end_lab(struct sample *sample, uint32_t lab, bool close)
{
    static struct rt_statement statement;
    struct rt_buf text;
    uint64_t results;
    struct rt_digest root;
    begin(sample, 100);
    OK(rt_store_lab_results(sample->store, 0, lab, &results, &root));
    struct rt_core_event event = event_of(sample, close ? RT_CORE_CLOSE : RT_CORE_WITHDRAW, lab);
    statement = (struct rt_statement){.kind = close ? RT_STATEMENT_CLOSE : RT_STATEMENT_WITHDRAW,
                                      .campaign = sample->campaign->digest,
                                      .lab = event.lab,
                                      .results = results,
                                      .root = root,
                                      .reason = rt_bytes_str("the machine was needed elsewhere")};
    sign(&statement, sample->lab[lab], &text, &event);
    event.end.results = event.end.log_results = results;
    event.end.root = event.end.log_root = root;
    finish(sample, &event, rt_buf_bytes(&text));
    rt_buf_release(&text);
}

// ---- results

static void want(struct sample *sample, uint32_t lab, uint32_t units)
{
    begin(sample, 10);
    struct rt_core_event event = event_of(sample, RT_CORE_WANT, lab);
    event.want.units = units;
    finish(sample, &event, rt_bytes(NULL, 0));
}

static size_t make_trials(struct sample *sample, uint32_t lab, const struct rt_object_unit *unit,
                          enum rt_trial_status status, struct rt_trial_result *trials)
{
    static struct rt_lab_plan plan;
    struct rt_lab_order order = {0};
    size_t count = 0;
    rt_lab_plan_init(&plan, sample->campaign, lab, &sample->draw);
    for (size_t r = 0; r < unit->runs_count; r++) {
        for (uint64_t i = 0; i < unit->runs[r].count; i++) {
            struct rt_trial_result *trial = &trials[count++];
            *trial = (struct rt_trial_result){.status = status, .tokens_in = 10, .latency_ms = 3};
            OK(rt_lab_trial(&plan, &order, unit->runs[r].first + i, &trial->number));
            if (status == RT_TRIAL_ERROR)
                trial->error = RT_ERROR_KIND_NETWORK;
            if (status == RT_TRIAL_OK) {
                trial->outcome = sample_random(sample, sample->campaign->label_count);
                trial->severity = trial->outcome % 5;
                trial->score_micro = (int64_t)trial->outcome * 1000 - 2500;
                trial->same_as = sample_random(sample, 5) ? 0 : trial->number + 1;
            }
            memset(trial->transcript.bytes, (int)(trial->number % 251), RT_DIGEST_BYTES);
        }
    }
    return count;
}

static void hand_in(struct sample *sample, uint32_t lab, const struct sample_unit *unit,
                    enum rt_trial_status status)
{
    static struct rt_trial_result trials[RT_UNIT_TRIALS_MOST];
    static struct rt_statement statement;
    struct rt_arena arena;
    struct rt_buf text, object;
    struct rt_object_unit decoded;
    rt_arena_init(&arena, (size_t)1 << 20);
    rt_buf_init(&object, RT_RESULT_MOST);
    OK(rt_object_unit_decode(rt_buf_bytes(&unit->object), &arena, &decoded, NULL));
    struct rt_object_result result = {.unit = unit->digest,
                                      .software = rt_bytes_str("sample 1"),
                                      .started_ms = sample->now_ms,
                                      .finished_ms = sample->now_ms,
                                      .trials = trials};
    result.trials_count = make_trials(sample, lab, &decoded, status, trials);
    memset(result.instance.bytes, (int)lab + 1, sizeof result.instance.bytes);
    rt_sha256(rt_buf_bytes(&sample->fingerprint[lab]), &result.fingerprint);
    OK(rt_object_result_encode(&result, &object, NULL));
    begin(sample, 200);
    struct rt_core_event event = event_of(sample, RT_CORE_RESULT, lab);
    statement = (struct rt_statement){.kind = RT_STATEMENT_RESULT,
                                      .campaign = sample->campaign->digest,
                                      .lab = event.lab,
                                      .pair_count = 1};
    statement.pairs[0].unit = unit->digest;
    rt_sha256(rt_buf_bytes(&object), &statement.pairs[0].result);
    sign(&statement, sample->lab[lab], &text, &event);
    struct rt_core_pair pair = {.unit_digest = unit->digest,
                                .unit = &decoded,
                                .result = &result,
                                .unit_verified = true,
                                .fingerprint_given = true};
    event.result.pairs = &pair;
    event.result.pair_count = 1;
    put(sample, rt_buf_bytes(&object));
    put(sample, rt_buf_bytes(&sample->fingerprint[lab]));
    finish(sample, &event, rt_buf_bytes(&text));
    rt_buf_release(&text);
    rt_buf_release(&object);
    rt_arena_release(&arena);
}

// The oldest unit in hand; the caller releases it.
static struct sample_unit take(struct sample *sample, uint32_t lab)
{
    MUST(sample->unit_count[lab]);
    struct sample_unit unit = sample->units[lab][0];
    memmove(sample->units[lab], sample->units[lab] + 1,
            --sample->unit_count[lab] * sizeof *sample->units[lab]);
    return unit;
}

static void drop(struct sample_unit *unit)
{
    rt_buf_release(&unit->object);
    rt_buf_release(&unit->statement);
}

static void answer(struct sample *sample, uint32_t lab, enum rt_trial_status status)
{
    struct sample_unit unit = take(sample, lab);
    hand_in(sample, lab, &unit, status);
    drop(&unit);
}

static void work(struct sample *sample, uint32_t lab)
{
    static const enum rt_trial_status ends[] = {RT_TRIAL_OK,       RT_TRIAL_OK,
                                                RT_TRIAL_OK,       RT_TRIAL_NOT_EXPOSED,
                                                RT_TRIAL_WITHHELD, RT_TRIAL_TRUNCATED};
    for (size_t turn = 0;; turn++) {
        want(sample, lab, 2);
        if (!sample->unit_count[lab])
            return;
        while (sample->unit_count[lab])
            answer(sample, lab, ends[turn % 6]);
    }
}

// Errors that are made good, one that is not, the same unit twice, and one after its time.
static void work_badly(struct sample *sample, uint32_t lab)
{
    want(sample, lab, 3);
    answer(sample, lab, RT_TRIAL_ERROR);
    struct sample_unit twice = take(sample, lab);
    hand_in(sample, lab, &twice, RT_TRIAL_OK);
    hand_in(sample, lab, &twice, RT_TRIAL_BAD_FORMAT);
    drop(&twice);
    struct sample_unit late = take(sample, lab);
    sample->now_ms += 2 * 3600 * 1000;
    hand_in(sample, lab, &late, RT_TRIAL_OK);
    drop(&late);
    work(sample, lab);
}

static void make_fingerprints(struct sample *sample)
{
    for (size_t l = 0; l < SAMPLE_LABS; l++) {
        const struct rt_named_value canary = {rt_bytes_str("sum"), rt_bytes_str(l ? "4" : "5")};
        struct rt_object_fingerprint object = {
            .subject = rt_bytes_str(SUBJECT),
            .executor = rt_bytes_str("builtin"),
            .server = rt_bytes_str("sample"),
            .model = rt_bytes_str(l == LAB_B ? "other" : "synthetic"),
            .canaries = &canary,
            .canaries_count = 1,
            .identity = RT_IDENTITY_DECLARED,
        };
        rt_buf_init(&sample->fingerprint[l], RT_FINGERPRINT_MOST);
        OK(rt_object_fingerprint_encode(&object, &sample->fingerprint[l], NULL));
    }
}

// ---- the whole

static void make_keys(struct sample *sample)
{
    struct rt_secret_key **keys[] = {&sample->log,    &sample->root,   &sample->operator_key,
                                     &sample->board,  &sample->lab[0], &sample->lab[1],
                                     &sample->lab[2], &sample->lab[3], &sample->lab[4]};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        uint8_t seed[RT_KEY_SEED_BYTES];
        memset(seed, (int)i + 1, sizeof seed);
        OK(rt_secret_key_from_seed(seed, keys[i]));
    }
}

static void run_campaign(struct sample *sample, bool closed)
{
    accept_campaign(sample, LAB_A);
    accept_campaign(sample, LAB_B);
    accept_campaign(sample, LAB_C);
    act(sample, RT_STATEMENT_ACTION_START);
    log_roster(sample, sample_roster(sample, 2));
    accept_campaign(sample, LAB_D);
    want(sample, LAB_C, 1);
    answer(sample, LAB_C, RT_TRIAL_OK);
    end_lab(sample, LAB_C, false);
    work(sample, LAB_A);
    work_badly(sample, LAB_B);
    act(sample, RT_STATEMENT_ACTION_PAUSE);
    act(sample, RT_STATEMENT_ACTION_RESUME);
    work(sample, LAB_D);
    if (!closed)
        return;
    act(sample, RT_STATEMENT_ACTION_CLOSE);
    end_lab(sample, LAB_A, true);
    end_lab(sample, LAB_B, true);
    end_lab(sample, LAB_D, true);
    begin(sample, INT64_C(25) * 3600 * 1000);
    struct rt_core_event tick = event_of(sample, RT_CORE_TICK, SAMPLE_LABS);
    finish(sample, &tick, rt_bytes(NULL, 0));
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

// What bundle writes, once; it ends with a sync of the whole file system.
static void write_bundle(struct sample *sample)
{
    struct rt_campaign_report report;
    struct rt_bundle_sums sums;
    struct rt_error err = {.text = ""};
    struct rt_bundle_keys keys = {.log = sample->log, .signer = sample->operator_key};
    char pristine[100];
    snprintf(pristine, sizeof pristine, "%s/pristine", sample->folder);
    FINE(rt_campaign_report_make(sample->store, "sample", &report, &err), &err);
    struct rt_bundle_redaction whole = {.scenarios = false};
    FINE(rt_campaign_bundle_write(sample->store, &report, &keys, &whole, pristine, &sums, &err),
         &err);
    rt_campaign_report_release(&report);
}

static void copy_folder(const char *from, const char *to)
{
    char source[600], target[600];
    struct stat info;
    DIR *dir = opendir(from);
    MUST(dir && mkdir(to, 0755) == 0);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(source, sizeof source, "%s/%s", from, entry->d_name);
        snprintf(target, sizeof target, "%s/%s", to, entry->d_name);
        MUST(stat(source, &info) == 0);
        if (S_ISDIR(info.st_mode)) {
            copy_folder(source, target);
        } else {
            struct rt_buf file;
            sample_read(source, &file);
            sample_write(target, rt_buf_bytes(&file));
            rt_buf_release(&file);
        }
    }
    closedir(dir);
}

void sample_bundle(struct sample *sample)
{
    char pristine[100];
    snprintf(pristine, sizeof pristine, "%s/pristine", sample->folder);
    nftw(sample->bundle, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    copy_folder(pristine, sample->bundle);
}

void sample_make(struct sample *sample, bool closed)
{
    struct rt_error err = {.text = ""};
    char store[100];
    MUST(rt_crypto_init() == RT_OK);
    *sample = (struct sample){.now_ms = START_MS, .random = 0x9e3779b97f4a7c15u};
    snprintf(sample->folder, sizeof sample->folder, "/tmp/ringtrial-sample-XXXXXX");
    MUST(mkdtemp(sample->folder));
    snprintf(sample->bundle, sizeof sample->bundle, "%s/bundle", sample->folder);
    rt_arena_init(&sample->arena, (size_t)256 << 20);
    rt_core_effects_init(&sample->effects);
    make_keys(sample);
    make_fingerprints(sample);
    snprintf(store, sizeof store, "%s/store", sample->folder);
    FINE(rt_store_open(store, RT_STORE_CREATE, "sample.example/log", &sample->store, &err), &err);
    sample->core = rt_core_new(NULL, 1, sample->now_ms);
    MUST(sample->core);
    log_roster(sample, sample_roster(sample, 1));
    log_campaign(sample, sample_campaign(sample));
    run_campaign(sample, closed);
    write_bundle(sample);
    sample_bundle(sample);
}

void sample_release(struct sample *sample)
{
    rt_core_free(sample->core);
    rt_core_effects_release(&sample->effects);
    rt_store_close(sample->store);
    rt_secret_key_free(sample->log);
    rt_secret_key_free(sample->root);
    rt_secret_key_free(sample->operator_key);
    rt_secret_key_free(sample->board);
    for (size_t l = 0; l < SAMPLE_LABS; l++) {
        rt_secret_key_free(sample->lab[l]);
        rt_buf_release(&sample->fingerprint[l]);
        while (sample->unit_count[l]) {
            struct sample_unit unit = take(sample, (uint32_t)l);
            drop(&unit);
        }
    }
    rt_arena_release(&sample->arena);
    if (!getenv("RINGTRIAL_KEEP"))
        nftw(sample->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
