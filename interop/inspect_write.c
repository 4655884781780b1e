// SPDX-License-Identifier: Apache-2.0
#include "interop/inspect_write.h"

#include <stdio.h>

#include "common/base/time.h"
#include "interop/inspect_events.h"

void rt_inspect_id(const struct rt_interop_trial *trial, char *ret_id)
{
    snprintf(ret_id, RT_INSPECT_ID_BYTES, "%s.%s.%s", trial->scenario, trial->arm, trial->phrasing);
}

static int dump_part(const char *data, size_t size, void *ctx)
{
    struct rt_buf *out = ctx;
    rt_buf_add(out, data, size);
    return out->failed ? -1 : 0;
}

enum rt_status rt_inspect_dump(const json_t *json, struct rt_buf *out)
{
    if (json_dump_callback(json, dump_part, out, JSON_COMPACT | JSON_REAL_PRECISION(10)))
        return out->failed ? out->failed : RT_MALFORMED;
    return rt_buf_ok(out);
}

// ---- scores

static json_t *micro(int64_t value)
{
    return json_real((double)value / 1e6);
}

// The label as the value, what led to it beside it. Scores come only where the trial has an
// outcome, or is counted without one (not_exposed, truncated, bad_format).
static json_t *scores_of(const struct rt_interop_trial *trial)
{
    if (!rt_trial_status_flags(trial->status).denominator)
        return json_null();
    bool ok = trial->status == RT_TRIAL_OK;
    const char *value = ok ? trial->outcome : rt_trial_status_words[trial->status];
    return json_pack("{s:{s:s, s:n, s:s, s:{s:s, s:b, s:o, s:o}, s:[]}}", "outcome", "value", value,
                     "answer", "explanation", "the scenario's ordered rules over the transcript",
                     "metadata", "status", rt_trial_status_words[trial->status], "behaviour",
                     (int)trial->behaviour, "severity",
                     ok ? json_integer((json_int_t)trial->severity) : json_null(), "score",
                     ok ? micro(trial->score_micro) : json_null(), "history");
}

static json_t *error_of(const struct rt_interop_trial *trial)
{
    char text[128];
    if (!rt_trial_status_flags(trial->status).missing)
        return json_null();
    snprintf(text, sizeof text, "%s%s%s", rt_trial_status_words[trial->status],
             trial->error ? ": " : "", trial->error ? rt_error_kind_words[trial->error] : "");
    return json_pack("{s:s, s:s, s:s}", "message", text, "traceback", "", "traceback_ansi", "");
}

// ---- metadata

static json_t *digest_json(const struct rt_digest *digest)
{
    char text[RT_DIGEST_TEXT_BYTES];
    rt_digest_format(digest, text);
    return json_string(text);
}

static json_t *receipt_of(const struct rt_interop_trial *trial)
{
    char stamp[RT_STAMP_BYTES];
    rt_stamp_format(trial->received_ms, stamp);
    return json_pack("{s:I, s:s, s:o, s:o}", "leaf", (json_int_t)trial->leaf, "received", stamp,
                     "unit", digest_json(&trial->unit), "result", digest_json(&trial->result));
}

static json_t *commitment_of(const struct rt_interop_trial *trial)
{
    char salt[2 * RT_TRANSCRIPT_SALT_BYTES + 1];
    if (!rt_interop_has_commitment(trial))
        return json_null();
    json_t *json = json_pack("{s:o}", "commitment", digest_json(&trial->commitment));
    if (json && trial->redacted)
        json_object_set_new(json, "redacted", json_true());
    else if (json && trial->transcript) {
        rt_hex_encode(trial->salt, sizeof trial->salt, salt);
        json_object_set_new(json, "salt", json_string(salt));
        json_object_set_new(json, "started_ms",
                            json_integer((json_int_t)trial->transcript->started_ms));
        json_object_set_new(json, "top_p_micro",
                            json_integer((json_int_t)trial->transcript->top_p_micro));
    }
    return json;
}

// Everything of the trial that Inspect has no field for, under one key of ours.
static json_t *metadata_of(const struct rt_interop_trial *trial)
{
    json_t *ours =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "campaign", trial->campaign, "lab",
                  trial->lab, "subject", trial->subject, "scenario", trial->scenario, "arm",
                  trial->arm, "phrasing", trial->phrasing, "lang", trial->lang);
    json_t *numbers = json_pack(
        "{s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "trial",
        (json_int_t)trial->number, "replicate", (json_int_t)trial->replicate, "temperature_micro",
        (json_int_t)trial->temperature_micro, "seed", (json_int_t)trial->seed, "status",
        rt_trial_status_words[trial->status], "error", rt_error_kind_words[trial->error], "outcome",
        trial->outcome, "severity", (json_int_t)trial->severity, "score_micro",
        (json_int_t)trial->score_micro, "same_as", (json_int_t)trial->same_as, "tokens_in",
        (json_int_t)trial->tokens_in, "tokens_out", (json_int_t)trial->tokens_out, "latency_ms",
        (json_int_t)trial->latency_ms);
    if (!ours || !numbers || json_object_update(ours, numbers)) {
        json_decref(ours);
        json_decref(numbers);
        return NULL;
    }
    json_decref(numbers);
    json_object_set_new(ours, "behaviour", json_boolean(trial->behaviour));
    json_object_set_new(ours, "fingerprint", digest_json(&trial->fingerprint));
    json_object_set_new(ours, "receipt", receipt_of(trial));
    json_object_set_new(ours, "transcript", commitment_of(trial));
    return json_pack("{s:o}", "ringtrial", ours);
}

// ---- the sample

static json_t *usage_of(const struct rt_interop_trial *trial)
{
    return json_pack("{s:{s:I, s:I, s:I}}", trial->subject, "input_tokens",
                     (json_int_t)trial->tokens_in, "output_tokens", (json_int_t)trial->tokens_out,
                     "total_tokens", (json_int_t)(trial->tokens_in + trial->tokens_out));
}

static json_t *stamp_json(int64_t wall_ms)
{
    char stamp[RT_STAMP_BYTES];
    rt_stamp_format(wall_ms, stamp);
    return json_string(stamp);
}

static void set_times(const struct rt_interop_trial *trial, json_t *sample)
{
    double seconds = (double)trial->latency_ms / 1e3;
    int64_t started_ms = trial->transcript ? trial->transcript->started_ms : trial->started_ms;
    json_object_set_new(sample, "started_at", stamp_json(started_ms));
    json_object_set_new(sample, "completed_at",
                        stamp_json(started_ms + (int64_t)trial->latency_ms));
    json_object_set_new(sample, "total_time", json_real(seconds));
    json_object_set_new(sample, "working_time", json_real(seconds));
}

enum rt_status rt_inspect_sample(const struct rt_interop_trial *trial,
                                 const struct rt_scenario *scenario, json_t **ret_sample)
{
    char id[RT_INSPECT_ID_BYTES];
    struct rt_inspect_play play;
    rt_inspect_id(trial, id);
    json_t *metadata = metadata_of(trial), *scores = scores_of(trial);
    enum rt_status status =
        rt_inspect_play(trial, scenario, id, metadata, json_is_null(scores) ? NULL : scores, &play);
    json_t *sample =
        json_pack("{s:s, s:I, s:O?, s:s, s:O?, s:O?, s:O?, s:O?, s:{}, s:O?, s:o?, "
                  "s:{}, s:{}, s:o?}",
                  "id", id, "epoch", (json_int_t)trial->replicate + 1, "input", play.input,
                  "target", "", "messages", play.messages, "output", play.output, "scores", scores,
                  "metadata", metadata, "store", "events", play.events, "model_usage",
                  usage_of(trial), "role_usage", "attachments", "error", error_of(trial));
    rt_inspect_play_release(&play);
    json_decref(metadata);
    json_decref(scores);
    if (!status && !sample)
        status = RT_NO_MEMORY;
    if (status) {
        json_decref(sample);
        return status;
    }
    set_times(trial, sample);
    *ret_sample = sample;
    return RT_OK;
}

enum rt_status rt_inspect_summary(json_t *sample, json_t **ret_summary)
{
    static const char *const same[] = {"id",         "epoch",      "input",        "target",
                                       "metadata",   "scores",     "role_usage",   "model_usage",
                                       "started_at", "total_time", "completed_at", "working_time"};
    json_t *summary = json_object();
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        json_object_set(summary, same[i], json_object_get(sample, same[i]));
    json_t *error = json_object_get(json_object_get(sample, "error"), "message");
    json_object_set(summary, "error", error ? error : json_null());
    json_object_set_new(summary, "completed", json_true());
    json_object_set_new(
        summary, "message_count",
        json_integer((json_int_t)json_array_size(json_object_get(sample, "messages"))));
    *ret_summary = summary;
    return summary ? RT_OK : RT_NO_MEMORY;
}
