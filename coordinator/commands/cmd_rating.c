// SPDX-License-Identifier: Apache-2.0
// `rating sign` and `rating submit`: an organisation with the role `rater` vouches for labels it
// gave, offline and with its own key; an operator hands them in.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "coordinator/commands/client.h"
#include "coordinator/commands/commands.h"
#include "proto/object_rating.h"

#define LABELS_MOST ((size_t)16 << 20)

struct settings {
    const char *state, *key, *labels;
};

static enum rt_status read_object(const char *path, struct rt_buf *bytes, struct rt_arena *arena,
                                  struct rt_object_rating *ret_rating, struct rt_error *err)
{
    enum rt_status status = rt_file_read(path, bytes, err);
    const char *field = "";
    if (status)
        return status;
    status = rt_object_rating_decode(rt_buf_bytes(bytes), arena, ret_rating, &field);
    return status ? rt_error_set(err, status, "%s is no rating: %s: %s", path, field,
                                 rt_status_text(status))
                  : RT_OK;
}

static enum rt_status statement_path(const char *path, char out[RT_STATE_PATH_BYTES],
                                     struct rt_error *err)
{
    int size = snprintf(out, RT_STATE_PATH_BYTES, "%s.statement", path);
    return size < RT_STATE_PATH_BYTES ? RT_OK
                                      : rt_error_set(err, RT_TOO_LARGE, "%s: path too long", path);
}

// ---- sign

// The trial of the rating, or NULL.
static const struct rt_rated_trial *find(const struct rt_object_rating *rating, json_int_t number)
{
    for (size_t i = 0; i < rating->trials_count; i++)
        if (number >= 0 && rating->trials[i].number == (uint64_t)number)
            return &rating->trials[i];
    return NULL;
}

// Whoever prepared the rating is not the one who signs: it says what the labels' file says, of the
// same campaign and person, and nothing else.
static enum rt_status compare(const struct rt_object_rating *rating, const json_t *json,
                              const char *path, struct rt_error *err)
{
    const json_t *labels = json_object_get(json, "labels"), *row;
    const char *format = json_string_value(json_object_get(json, "format"));
    const char *campaign = json_string_value(json_object_get(json, "campaign"));
    const char *person = json_string_value(json_object_get(json, "person"));
    char digest[RT_DIGEST_TEXT_BYTES];
    size_t at;
    rt_digest_format(&rating->campaign, digest);
    if (!format || strcmp(format, "ringtrial/labels/v1") || !campaign || !person)
        return rt_error_set(err, RT_MALFORMED, "%s: no labels saved by the page", path);
    if (strcmp(campaign, digest) || !rt_bytes_equal_str(rating->rater, person) ||
        rating->kind != RT_RATER_KIND_HUMAN)
        return rt_error_set(err, RT_CONFLICT, "the rating is of another campaign or rater than %s",
                            path);
    json_array_foreach(labels, at, row)
    {
        const struct rt_rated_trial *trial =
            find(rating, json_is_integer(json_object_get(row, "trial"))
                             ? json_integer_value(json_object_get(row, "trial"))
                             : -1);
        const json_t *label = json_object_get(row, "label");
        if (!trial || trial->status != RT_TRIAL_OK || !json_is_integer(label) ||
            (json_int_t)trial->outcome != json_integer_value(label))
            return rt_error_set(err, RT_CONFLICT, "%s: label %zu is not what the rating says",
                                path, at + 1);
    }
    return json_array_size(labels) == rating->trials_count
               ? RT_OK
               : rt_error_set(err, RT_CONFLICT, "%s has %zu labels, the rating %zu", path,
                              json_array_size(labels), rating->trials_count);
}

static enum rt_status check_labels(const struct rt_object_rating *rating, const char *path,
                                   struct rt_error *err)
{
    struct rt_buf text;
    json_t *json = NULL;
    rt_buf_init(&text, LABELS_MOST);
    enum rt_status status = rt_file_read(path, &text, err);
    if (!status)
        status = rt_json_parse(rt_buf_bytes(&text), &json, err);
    if (!status)
        status = compare(rating, json, path, err);
    json_decref(json);
    rt_buf_release(&text);
    return status;
}

static enum rt_status sign(const void *place, const struct rt_text_list *operands,
                           struct rt_error *err)
{
    static struct rt_statement statement;
    const struct settings *settings = place;
    struct rt_object_rating rating;
    struct rt_arena arena;
    struct rt_buf bytes, text;
    struct rt_secret_key *key = NULL;
    char out[RT_STATE_PATH_BYTES];
    rt_arena_init(&arena, (size_t)16 << 20);
    rt_buf_init(&bytes, RT_RATING_MOST);
    rt_buf_init(&text, RT_STATEMENT_MOST);
    enum rt_status status = statement_path(operands->items[0], out, err);
    if (!status)
        status = read_object(operands->items[0], &bytes, &arena, &rating, err);
    if (!status)
        status = check_labels(&rating, settings->labels, err);
    if (!status)
        status = rt_state_key_at(settings->key, &key, err);
    if (!status) {
        statement = (struct rt_statement){
            .kind = RT_STATEMENT_RATING, .campaign = rating.campaign, .lab = rating.lab};
        rt_sha256(rt_buf_bytes(&bytes), &statement.rating);
        status = rt_statement_make(&statement, key, &text);
        if (status)
            rt_error_set(err, status, "signing the rating: %s", rt_status_text(status));
    }
    if (!status)
        status = rt_file_write(out, rt_buf_bytes(&text), 0644, err);
    if (!status)
        printf("%s: %zu labels of %.*s signed\n", out, rating.trials_count,
               (int)rating.rater.size, (const char *)rating.rater.data);
    rt_secret_key_free(key);
    rt_buf_release(&text);
    rt_buf_release(&bytes);
    rt_arena_release(&arena);
    return status;
}

// ---- submit

static enum rt_status submit(const void *place, const struct rt_text_list *operands,
                             struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_object_rating rating;
    struct rt_arena arena;
    struct rt_state state;
    struct rt_client client;
    struct rt_buf bytes, text;
    char path[RT_STATE_PATH_BYTES];
    uint64_t index = 0;
    rt_arena_init(&arena, (size_t)16 << 20);
    rt_buf_init(&bytes, RT_RATING_MOST);
    rt_buf_init(&text, RT_STATEMENT_MOST);
    enum rt_status status = statement_path(operands->items[0], path, err);
    if (!status)
        status = read_object(operands->items[0], &bytes, &arena, &rating, err);
    if (!status)
        status = rt_file_read(path, &text, err);
    if (!status)
        status = rt_state_open(settings->state, true, &state, err);
    if (!status)
        status = rt_client_open(&state, &client, err);
    if (!status) {
        struct rt_bytes object = rt_buf_bytes(&bytes);
        status = rt_client_submit(&client, rt_buf_bytes(&text), &object, 1, &index, err);
        rt_client_close(&client);
    }
    if (!status)
        printf("%zu labels of %.*s (log index %" PRIu64 ")\n", rating.trials_count,
               (int)rating.rater.size, (const char *)rating.rater.data, index);
    rt_buf_release(&text);
    rt_buf_release(&bytes);
    rt_arena_release(&arena);
    return status;
}

static const struct rt_option sign_options[] = {
    {.name = "key",
     .letter = 'k',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, key),
     .value_name = "FILE",
     .help = "The rater's secret key.",
     .required = true},
    {.name = "labels",
     .letter = 'l',
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct settings, labels),
     .value_name = "FILE",
     .help = "What the rater saved from the page: the rating must say the same.",
     .required = true},
    {0}};
static const struct rt_option submit_options[] = {RT_STATE_OPTION(struct settings), {0}};

const struct rt_command rt_command_rating_sign = {
    .name = "rating sign",
    .summary = "Sign labels given for another organisation's trials, offline.",
    .operands = "FILE",
    .operands_least = 1,
    .operands_most = 1,
    .options = sign_options,
    .settings_size = sizeof(struct settings),
    .run = sign,
    .example = "ringtrial-coordinator rating sign ethics.rating --labels labels-ethics.json "
               "--key ethics.key",
    .about = "FILE is what the lab made with `ringtrial-worker rate --outside --load --out`. It is "
             "held against the labels the rater saved, label by label, before FILE.statement is "
             "written.",
};

const struct rt_command rt_command_rating_submit = {
    .name = "rating submit",
    .summary = "Hand in a rating that an organisation with the role `rater` has signed.",
    .operands = "FILE",
    .operands_least = 1,
    .operands_most = 1,
    .options = submit_options,
    .settings_size = sizeof(struct settings),
    .run = submit,
    .example = "ringtrial-coordinator rating submit ethics.rating",
};
