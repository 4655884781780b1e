// SPDX-License-Identifier: Apache-2.0
// `incident open|triage|notify|reply|remedy|dispute`: a step in the life of an incident, signed by
// an operator and true once it is in the log.
#include <inttypes.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "coordinator/commands/client.h"
#include "coordinator/commands/commands.h"
#include "proto/incident.h"

struct settings {
    const char *state, *key, *reason, *text, *at;
    const char *subject, *scenario, *category, *outcome, *lab, *vendor, *trial;
    struct rt_text_list evidence;
    uint64_t severity;
};

struct making {
    const struct settings *settings;
    struct rt_client *client;
    const json_t *row; // of the status answer
    struct rt_arena arena;
    struct rt_campaign *campaign;
    struct rt_roster *roster;
    struct rt_statement statement;
    struct rt_object_incident record;
    struct rt_digest evidence[RT_INCIDENT_EVIDENCE_MOST];
    struct rt_bytes objects[RT_INCIDENT_EVIDENCE_MOST + 1]; // the record first
    size_t object_count;
    struct rt_error *err;
};

// ---- what goes into the record

static enum rt_status read_file(struct making *making, const char *path, struct rt_bytes *ret)
{
    struct rt_buf file;
    rt_buf_init(&file, (size_t)900 << 10);
    enum rt_status status = rt_file_read(path, &file, making->err);
    if (!status) {
        *ret = rt_arena_bytes(&making->arena, rt_buf_bytes(&file));
        if (!ret->data)
            status = rt_error_set(making->err, RT_NO_MEMORY, "%s", path);
    }
    rt_buf_release(&file);
    return status;
}

// A digest is taken as it is; a file goes into the log's objects and is named by its own.
static enum rt_status add_evidence(struct making *making)
{
    const struct rt_text_list *list = &making->settings->evidence;
    if (list->count > RT_INCIDENT_EVIDENCE_MOST)
        return rt_error_set(making->err, RT_TOO_LARGE, "at most %d pieces of evidence a step",
                            RT_INCIDENT_EVIDENCE_MOST);
    for (size_t i = 0; i < list->count; i++) {
        if (rt_digest_parse(rt_bytes_str(list->items[i]), &making->evidence[i]) == RT_OK)
            continue;
        struct rt_bytes *object = &making->objects[1 + making->object_count];
        enum rt_status status = read_file(making, list->items[i], object);
        if (status)
            return status;
        rt_sha256(*object, &making->evidence[i]);
        making->object_count++;
    }
    making->record.evidence = making->evidence;
    making->record.evidence_count = list->count;
    return RT_OK;
}

static enum rt_status check_ids(struct making *making)
{
    const struct settings *settings = making->settings;
    const struct rt_campaign *campaign = making->campaign;
    bool category = false;
    if (settings->subject && rt_campaign_subject(campaign, settings->subject) == RT_NONE)
        return rt_error_set(making->err, RT_NOT_FOUND, "the campaign has no subject %s",
                            settings->subject);
    if (settings->lab && rt_campaign_lab(campaign, settings->lab) == RT_NONE)
        return rt_error_set(making->err, RT_NOT_FOUND, "the campaign has no lab %s", settings->lab);
    if (settings->outcome && rt_campaign_label(campaign, settings->outcome) == RT_NONE)
        return rt_error_set(making->err, RT_NOT_FOUND, "the taxonomy has no label %s",
                            settings->outcome);
    for (size_t s = 0; settings->scenario && s < campaign->scenario_count; s++)
        if (strcmp(campaign->scenarios[s].id, settings->scenario) == 0) {
            making->record.category = rt_bytes_str(campaign->scenarios[s].class);
            category = true;
        }
    if (settings->scenario && !category)
        return rt_error_set(making->err, RT_NOT_FOUND, "the campaign has no scenario %s",
                            settings->scenario);
    if (settings->category)
        making->record.category = rt_bytes_str(settings->category);
    return RT_OK;
}

static struct rt_bytes text_of(const char *text)
{
    return rt_bytes_str(text ? text : "");
}

// Whose model it is, and how long that vendor has: as the roster says, where it says so.
static void find_window(struct making *making)
{
    for (size_t i = 0; i < making->roster->vendor_count; i++)
        if (rt_bytes_equal_str(making->record.vendor, making->roster->vendors[i].id) &&
            making->roster->vendors[i].window_ms > 0)
            making->record.window_ms = (uint64_t)making->roster->vendors[i].window_ms;
}

static enum rt_status fill_times(struct making *making)
{
    making->record.at_ms = rt_time_wall_ms();
    if (making->settings->at && rt_date_parse(making->settings->at, &making->record.at_ms))
        return rt_error_set(making->err, RT_USAGE,
                            "--at is a date or a time such as 2026-11-20T17:35:28Z");
    return RT_OK;
}

static enum rt_status fill_record(struct making *making, const char *id,
                                  enum rt_incident_step step)
{
    const struct settings *settings = making->settings;
    struct rt_object_incident *record = &making->record;
    record->campaign = making->statement.campaign;
    record->incident = rt_bytes_str(id);
    record->step = step;
    record->severity = settings->severity;
    record->subject = text_of(settings->subject);
    record->scenario = text_of(settings->scenario);
    record->outcome = text_of(settings->outcome);
    record->lab = text_of(settings->lab);
    record->vendor = text_of(settings->vendor);
    uint64_t trial = 0;
    if (settings->trial && rt_parse_u64(settings->trial, &trial))
        return rt_error_set(making->err, RT_USAGE, "--trial is a trial's number");
    record->trial = settings->trial ? trial + 1 : 0;
    enum rt_status status = fill_times(making);
    if (!status)
        status = check_ids(making);
    if (!status && step == RT_INCIDENT_VENDOR_NOTIFIED)
        find_window(making);
    if (!status && settings->text)
        status = read_file(making, settings->text, &record->text);
    return status ? status : add_evidence(making);
}

// ---- the documents

static enum rt_status fetch_campaign(struct making *making)
{
    const char *text = json_string_value(json_object_get(making->row, "digest"));
    struct rt_buf object;
    rt_buf_init(&object, RT_CAMPAIGN_OBJECT_MOST);
    enum rt_status status =
        rt_digest_parse(rt_bytes_str(text ? text : ""), &making->statement.campaign);
    if (!status)
        status = rt_client_fetch(making->client, &making->statement.campaign, &object, making->err);
    struct rt_bytes copy = rt_arena_bytes(&making->arena, rt_buf_bytes(&object));
    if (!status)
        status = copy.data ? rt_campaign_decode(copy, &making->arena, &making->campaign)
                           : RT_NO_MEMORY;
    rt_buf_release(&object);
    if (!status)
        status = rt_client_roster(making->client, &making->arena, &making->roster, making->err);
    return status;
}

static enum rt_status submit(struct making *making, const char *id, enum rt_incident_step step,
                             const struct rt_secret_key *key)
{
    struct rt_statement *statement = &making->statement;
    struct rt_buf text, record;
    const char *field = "";
    uint64_t index = 0;
    rt_buf_init(&text, RT_STATEMENT_MOST);
    rt_buf_init(&record, RT_INCIDENT_MOST);
    enum rt_status status = rt_object_incident_encode(&making->record, &record, &field);
    if (status)
        rt_error_set(making->err, status, "the incident's %s: %s", field, rt_status_text(status));
    making->objects[0] = rt_buf_bytes(&record);
    rt_sha256(making->objects[0], &statement->record);
    statement->kind = RT_STATEMENT_INCIDENT;
    statement->incident = rt_bytes_str(id);
    statement->step = rt_bytes_str(rt_incident_step_words[step]);
    statement->severity = making->settings->severity;
    statement->seq = (uint64_t)json_integer_value(json_object_get(making->row, "seq")) + 1;
    statement->reason = rt_bytes_str(making->settings->reason);
    if (!status && (status = rt_statement_make(statement, key, &text)))
        rt_error_set(making->err, status,
                     "an incident's id is small letters, digits, '.', '_', '-'; the reason is one "
                     "line of 1 to %d printable bytes",
                     RT_STATEMENT_REASON_MOST);
    if (!status)
        status = rt_client_submit(making->client, rt_buf_bytes(&text), making->objects,
                                  1 + making->object_count, &index, making->err);
    if (!status)
        printf("%s: %s (log index %" PRIu64 ")\n", id, rt_incident_step_words[step], index);
    rt_buf_release(&text);
    rt_buf_release(&record);
    return status;
}

static enum rt_status act(const void *place, const struct rt_text_list *operands,
                          enum rt_incident_step step, struct rt_error *err)
{
    static struct making making;
    struct rt_state state;
    struct rt_client client;
    struct rt_secret_key *key = NULL;
    json_t *answer = NULL, *row = NULL;
    making = (struct making){.settings = place, .client = &client, .err = err};
    enum rt_status status = rt_state_open(making.settings->state, true, &state, err);
    if (!status)
        status = making.settings->key ? rt_state_key_at(making.settings->key, &key, err)
                                      : rt_state_key(&state, "operator", &key, err);
    if (!status)
        status = rt_client_open(&state, &client, err);
    if (!status) {
        rt_arena_init(&making.arena, (size_t)512 << 20);
        status = rt_client_campaign(&client, operands->items[0], &answer, &row, err);
        making.row = row;
        if (!status)
            status = fetch_campaign(&making);
        if (!status)
            status = fill_record(&making, operands->items[1], step);
        if (!status)
            status = submit(&making, operands->items[1], step, key);
        if (status && !err->text[0])
            rt_error_set(err, status, "incident: %s", rt_status_text(status));
        json_decref(answer);
        rt_client_close(&client);
        rt_arena_release(&making.arena);
    }
    rt_secret_key_free(key);
    return status;
}

// ---- the table

#define TEXT_OPTION(word, member_, value, what)                                                    \
    {.name = word,                                                                                 \
     .kind = RT_OPTION_TEXT,                                                                       \
     .offset = offsetof(struct settings, member_),                                                 \
     .value_name = value,                                                                          \
     .help = what}
#define STEP_OPTIONS                                                                               \
    RT_STATE_OPTION(struct settings),                                                              \
        {.name = "reason",                                                                         \
         .letter = 'r',                                                                            \
         .kind = RT_OPTION_TEXT,                                                                   \
         .offset = offsetof(struct settings, reason),                                              \
         .value_name = "TEXT",                                                                     \
         .help = "In a line; it is in the log for ever, and public with it.",                      \
         .required = true},                                                                        \
        {.name = "severity",                                                                       \
         .kind = RT_OPTION_COUNT,                                                                  \
         .offset = offsetof(struct settings, severity),                                            \
         .value_name = "0-4",                                                                      \
         .help = "How grave it is, as judged now.",                                                \
         .most = 4,                                                                                \
         .required = true},                                                                        \
        TEXT_OPTION("text", text, "FILE", "What was found or answered, word for word."),           \
        TEXT_OPTION("at", at, "TIME", "When it happened (default now), 2026-11-20T17:35:28Z."),    \
        {.name = "evidence",                                                                       \
         .kind = RT_OPTION_LIST,                                                                   \
         .offset = offsetof(struct settings, evidence),                                            \
         .value_name = "DIGEST|FILE",                                                              \
         .help = "What shows it; may be given up to 16 times."},                                   \
        TEXT_OPTION("key", key, "FILE",                                                            \
                    "The operator key to sign with (default STATE/keys/operator.key).")

static const struct rt_option open_options[] = {
    STEP_OPTIONS,
    TEXT_OPTION("subject", subject, "ID", "The subject that showed it."),
    TEXT_OPTION("scenario", scenario, "ID", "The scenario in which."),
    TEXT_OPTION("category", category, "WORD", "What may be told to others about the scenario "
                                              "(default its data class)."),
    TEXT_OPTION("outcome", outcome, "LABEL", "The label of the taxonomy."),
    TEXT_OPTION("lab", lab, "ID", "The lab at which it was found."),
    TEXT_OPTION("trial", trial, "N", "The trial's number."),
    {0}};
static const struct rt_option step_options[] = {STEP_OPTIONS, {0}};
static const struct rt_option vendor_options[] = {
    STEP_OPTIONS,
    {.name = "vendor",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, vendor),
     .value_name = "ID",
     .help = "The vendor's id, as the roster has it.",
     .required = true},
    {0}};
static const struct rt_option dispute_options[] = {
    STEP_OPTIONS, TEXT_OPTION("vendor", vendor, "ID", "The vendor that disputes it."), {0}};

#define INCIDENT_COMMAND(word, WORD, list, what, rest, about_)                                     \
    static enum rt_status run_##word(const void *settings, const struct rt_text_list *operands,    \
                                     struct rt_error *err)                                         \
    {                                                                                              \
        return act(settings, operands, RT_INCIDENT_##WORD, err);                                   \
    }                                                                                              \
    const struct rt_command rt_command_incident_##word = {                                         \
        .name = "incident " #word,                                                                 \
        .summary = what,                                                                           \
        .operands = "CAMPAIGN INCIDENT",                                                           \
        .operands_least = 2,                                                                       \
        .operands_most = 2,                                                                        \
        .options = list,                                                                           \
        .settings_size = sizeof(struct settings),                                                  \
        .run = run_##word,                                                                         \
        .example = "ringtrial-coordinator incident " #word " shutdown-2026q4 leak-1 --severity 3 " \
                   rest " --reason \"agent wrote to a third party\"",                              \
        .about = about_,                                                                           \
    }

INCIDENT_COMMAND(open, OPENED, open_options, "Open an incident: something was found.",
                 "--subject llama-8b --text found.txt",
                 "From here the campaign's remediation window runs, until a vendor is notified and "
                 "its own window takes over.");
INCIDENT_COMMAND(triage, TRIAGED, step_options, "Say how grave an incident is, after a look.", "",
                 "The first triage ends the triage latency that reports show.");
INCIDENT_COMMAND(notify, VENDOR_NOTIFIED, vendor_options, "A vendor has been told.",
                 "--vendor vendor-x",
                 "Starts the vendor's remediation window: the roster's for that vendor, else the "
                 "campaign's. When it is over the embargo ends, whoever agrees.");
INCIDENT_COMMAND(reply, VENDOR_REPLY, vendor_options, "A vendor has answered; printed as it is.",
                 "--vendor vendor-x --text answer.txt",
                 "The report prints the text word for word.");
INCIDENT_COMMAND(remedy, REMEDIATED, step_options, "The cause is remedied.", "",
                 "Ends the remediation latency that reports show, and the embargo.");
INCIDENT_COMMAND(dispute, DISPUTED, dispute_options, "Somebody disputes the incident.",
                 "--text letter.txt", "A dispute is printed and changes no figure.");
