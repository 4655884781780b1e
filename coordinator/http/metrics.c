// SPDX-License-Identifier: Apache-2.0
// /metrics: one table of metrics over the status JSON, in the text form of OpenMetrics 1.0.
// Counts and progress alone: nothing here says what came of a trial.
#include <stdio.h>

#include "common/base/json.h"
#include "coordinator/http/answer.h"
#include "coordinator/hub/frame.h"

// Of the coordinator: the JSON's place, as "object.key" or "key".
//  X(name, type, object, key, scale, help)
#define METRIC_TABLE(X)                                                                            \
    X("ringtrial_log_leaves", "gauge", "log", "size", 1, "Leaves in the log.")                     \
    X("ringtrial_epoch", "gauge", NULL, "epoch", 1, "Raised at every start of the coordinator.")   \
    X("ringtrial_uptime_seconds", "gauge", NULL, "uptime_ms", 1000, "Since the start.")            \
    X("ringtrial_roster_version", "gauge", "roster", "version", 1, "Of the roster in force.")      \
    X("ringtrial_roster_labs", "gauge", "roster", "labs", 1, "Labs in the roster in force.")       \
    X("ringtrial_disk_full", "gauge", NULL, "disk_full", 1, "1 while intake waits for room.")

// Of each lab in each campaign.
//  X(name, key, help)
#define LAB_TABLE(X)                                                                               \
    X("ringtrial_trials_planned", "planned", "Trials the lab is to run.")                          \
    X("ringtrial_trials_final", "final", "Trials with a final result.")                            \
    X("ringtrial_units", "units", "Units dealt to the lab.")

static void head(struct rt_buf *out, const char *name, const char *type, const char *help)
{
    rt_buf_printf(out, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

static double number(const json_t *value)
{
    return json_is_true(value) ? 1 : json_is_number(value) ? json_number_value(value) : 0;
}

static void add_number(struct rt_buf *out, double value)
{
    char text[32];
    rt_json_number(value, text);
    rt_buf_printf(out, " %s\n", text);
}

// A label's value; ids have no character that needs escaping, but nothing here relies on it.
static void add_label(struct rt_buf *out, const char *name, const char *value)
{
    rt_buf_printf(out, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\n')
            rt_buf_add_str(out, "\\n");
        else if (*value == '"' || *value == '\\')
            rt_buf_printf(out, "\\%c", *value);
        else
            rt_buf_add_u8(out, (uint8_t)*value);
    }
    rt_buf_add_str(out, "\"");
}

static void add_own(const json_t *status, struct rt_buf *out)
{
    static const struct {
        const char *name, *type, *object, *key;
        double scale;
        const char *help;
    } table[] = {
#define X(name, type, object, key, scale, help) {name, type, object, key, scale, help},
        METRIC_TABLE(X)
#undef X
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const json_t *from =
            table[i].object ? json_object_get(status, table[i].object) : status;
        head(out, table[i].name, table[i].type, table[i].help);
        rt_buf_add_str(out, table[i].name);
        add_number(out, number(json_object_get(from, table[i].key)) / table[i].scale);
    }
}

static void add_counter(struct rt_buf *out, const char *prefix, const char *name, const char *help,
                        double value)
{
    char full[96];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    head(out, full, "counter", help);
    rt_buf_printf(out, "%s_total", full);
    add_number(out, value);
}

static void add_counters(const json_t *status, struct rt_http_counters *own, struct rt_buf *out)
{
    const json_t *hub = json_object_get(status, "counters");
#define X(name, doc)                                                                               \
    add_counter(out, "ringtrial_hub_", #name, doc, number(json_object_get(hub, #name)));
    RT_HUB_COUNTER_TABLE(X)
#undef X
#define X(name, doc)                                                                               \
    add_counter(out, "ringtrial_http_", #name, doc, (double)atomic_load(&own->name));
    RT_HTTP_COUNTER_TABLE(X)
#undef X
}

static void add_lab(const json_t *campaign, const json_t *lab, const char *name, const char *key,
                    struct rt_buf *out)
{
    const char *id = json_string_value(json_object_get(campaign, "campaign"));
    const char *of = json_string_value(json_object_get(lab, "lab"));
    const char *digest = json_string_value(json_object_get(campaign, "digest"));
    rt_buf_printf(out, "%s{", name);
    add_label(out, "campaign", id ? id : "");
    rt_buf_add_u8(out, ',');
    add_label(out, "digest", digest ? digest : "");
    rt_buf_add_u8(out, ',');
    add_label(out, "lab", of ? of : "");
    rt_buf_add_u8(out, '}');
    add_number(out, number(json_object_get(lab, key)));
}

static void add_labs(json_t *status, const char *name, const char *key, const char *help,
                     struct rt_buf *out)
{
    size_t c, l;
    json_t *campaign, *lab;
    head(out, name, "gauge", help);
    json_array_foreach(json_object_get(status, "campaigns"), c, campaign)
        json_array_foreach(json_object_get(campaign, "labs"), l, lab)
            add_lab(campaign, lab, name, key, out);
}

enum rt_status rt_http_metrics(struct rt_bytes status_json, struct rt_http_counters *counters,
                               struct rt_buf *out)
{
    json_t *status_of = NULL;
    enum rt_status status = rt_json_parse(status_json, &status_of, NULL);
    if (status)
        return status;
    add_own(status_of, out);
    add_counters(status_of, counters, out);
#define X(name, key, help) add_labs(status_of, name, key, help, out);
    LAB_TABLE(X)
#undef X
    rt_buf_add_str(out, "# EOF\n");
    json_decref(status_of);
    return rt_buf_ok(out);
}
