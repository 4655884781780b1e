// SPDX-License-Identifier: Apache-2.0
#include "worker/commands/policy_words.h"

#include <stdio.h>

#include "common/base/time.h"

json_t *rt_policy_hours_json(const struct rt_lab_policy *policy)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    json_t *list = json_array();
    for (size_t h = 0; h < policy->hour_count; h++) {
        const struct rt_hours *hours = &policy->hours[h];
        char text[64];
        size_t used = 0;
        for (unsigned d = 0; d < 7; d++)
            if (hours->days >> d & 1)
                used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? "," : "",
                                         days[d]);
        snprintf(text + used, sizeof text - used, " %02d:%02d-%02d:%02d", hours->from_min / 60,
                 hours->from_min % 60, hours->until_min / 60, hours->until_min % 60);
        json_array_append_new(list, json_string(text));
    }
    return list;
}

static json_t *texts_json(const char *const *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(texts[i]));
    return list;
}

json_t *rt_policy_json(const struct rt_labconfig *config)
{
    const struct rt_lab_policy *policy = &config->policy;
    json_t *json = json_pack(
        "{s:o, s:s, s:b, s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "classes",
        texts_json(policy->classes, policy->class_count), "approve",
        policy->approve == RT_APPROVE_AUTOMATIC ? "automatic" : "by-hand", "trust_board",
        (int)policy->trust_board, "roles", texts_json(policy->roles, policy->role_count), "hours",
        rt_policy_hours_json(policy), "timezone", config->timezone, "trials_per_day",
        (json_int_t)policy->trials_per_day, "tokens_per_day", (json_int_t)policy->tokens_per_day,
        "requests_per_day", (json_int_t)policy->requests_per_day, "gpu_hours_per_day",
        (json_int_t)policy->gpu_hours_per_day, "trials_total", (json_int_t)policy->trials_total,
        "tokens_total", (json_int_t)policy->tokens_total, "gpu_hours_total",
        (json_int_t)policy->gpu_hours_total, "concurrency", (json_int_t)policy->concurrency,
        "hold_when", policy->hold_when);
    json_object_set_new(json, "transcripts",
                        json_pack("{s:I, s:b, s:s}", "keep_ms", (json_int_t)policy->keep_ms,
                                  "encrypt", (int)policy->encrypt, "release", policy->release));
    json_object_set_new(json, "on_call", json_string(config->on_call));
    json_object_set_new(json, "run_on_event", json_string(config->run_on_event));
    return json;
}

// ---- budgets

#define BUDGETS 7
struct budget {
    const char *word;
    double used;
    uint64_t limit;
    int digits;
};

static void list_budgets(const struct rt_lab_policy *policy, const struct rt_usage *usage,
                         struct budget list[BUDGETS])
{
    const struct budget budgets[BUDGETS] = {
        {"trials today", (double)usage->trials_today, policy->trials_per_day, 0},
        {"tokens today", (double)usage->tokens_today, policy->tokens_per_day, 0},
        {"requests today", (double)usage->requests_today, policy->requests_per_day, 0},
        {"GPU hours today", (double)usage->gpu_today_ms / RT_GPU_HOUR_MS,
         policy->gpu_hours_per_day, 2},
        {"trials in all", (double)usage->trials_total, policy->trials_total, 0},
        {"tokens in all", (double)usage->tokens_total, policy->tokens_total, 0},
        {"GPU hours in all", (double)usage->gpu_total_ms / RT_GPU_HOUR_MS,
         policy->gpu_hours_total, 2},
    };
    memcpy(list, budgets, sizeof budgets);
}

static double left_of(const struct budget *budget)
{
    double left = (double)budget->limit - budget->used;
    return left > 0 ? left : 0;
}

json_t *rt_policy_budgets_json(const struct rt_lab_policy *policy, const struct rt_usage *usage)
{
    struct budget budgets[BUDGETS];
    json_t *list = json_array();
    list_budgets(policy, usage, budgets);
    for (size_t b = 0; b < BUDGETS; b++)
        json_array_append_new(
            list, json_pack("{s:s, s:f, s:I, s:o}", "budget", budgets[b].word, "used",
                            budgets[b].used, "limit", (json_int_t)budgets[b].limit, "left",
                            budgets[b].limit ? json_real(left_of(&budgets[b])) : json_null()));
    return list;
}

void rt_policy_print_budgets(const struct rt_lab_policy *policy, const struct rt_usage *usage,
                             const char *indent)
{
    struct budget budgets[BUDGETS];
    list_budgets(policy, usage, budgets);
    for (size_t b = 0; b < BUDGETS; b++) {
        const struct budget *budget = &budgets[b];
        printf("%s%-17s %14.*f used", indent, budget->word, budget->digits, budget->used);
        if (budget->limit)
            printf(" of %llu, %.*f left\n", (unsigned long long)budget->limit, budget->digits,
                   left_of(budget));
        else
            printf(", no limit\n");
    }
}

// ---- the whole

static void print_list(const char *word, const char *const *texts, size_t count)
{
    printf("%-13s", word);
    for (size_t i = 0; i < count; i++)
        printf("%s%s", i ? ", " : "", texts[i]);
    printf("%s\n", count ? "" : "-");
}

void rt_policy_print(const struct rt_labconfig *config, const struct rt_usage *usage)
{
    const struct rt_lab_policy *policy = &config->policy;
    char keep[32] = "for ever";
    if (policy->keep_ms)
        rt_duration_format(policy->keep_ms, keep);
    print_list("classes", policy->classes, policy->class_count);
    printf("campaigns    %s%s\n",
           policy->approve == RT_APPROVE_AUTOMATIC ? "taken without a person's word"
                                                   : "wait for `accept` or `decline`",
           policy->trust_board ? "; those signed by the board are taken" : "");
    print_list("roles", policy->roles, policy->role_count);
    json_t *hours = rt_policy_hours_json(policy), *item;
    size_t i;
    printf("hours        %s", policy->hour_count ? "" : "always");
    json_array_foreach(hours, i, item) printf("%s%s", i ? "; " : "", json_string_value(item));
    printf("%s%s\n", *config->timezone ? ", time of " : "", config->timezone);
    json_decref(hours);
    printf("at once      %u trials\n", policy->concurrency);
    printf("hold when    %s\n", *policy->hold_when ? policy->hold_when : "-");
    printf("on event     %s\n", *config->run_on_event ? config->run_on_event : "-");
    printf("transcripts  kept %s, %s\n", keep,
           policy->encrypt ? "encrypted at rest" : "not encrypted at rest");
    printf("budgets\n");
    rt_policy_print_budgets(policy, usage, "  ");
}
