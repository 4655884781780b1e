// SPDX-License-Identifier: Apache-2.0
// `subject truth`: what a builtin subject is planted to do, condition by condition, so that a
// report on a campaign with known effects can be held against the truth.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/json.h"
#include "engine/synthetic.h"
#include "worker/commands/commands.h"
#include "worker/local.h"

struct settings {
    const char *state;
};

struct row {
    const char *subject, *scenario, *arm, *phrasing;
    double temperature, rate;
};

static enum rt_status print_row(const struct row *row, json_t *list)
{
    if (!rt_globals.json) {
        printf("%s,%s,%s,%s,%g,%.6f\n", row->subject, row->scenario, row->arm, row->phrasing,
               row->temperature, row->rate);
        return RT_OK;
    }
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:f, s:f}", "subject", row->subject, "scenario",
                             row->scenario, "arm", row->arm, "phrasing", row->phrasing,
                             "temperature", row->temperature, "rate", row->rate);
    return json && !json_array_append_new(list, json) ? RT_OK : RT_NO_MEMORY;
}

// One configuration's rows: every prompt of the campaign.
static enum rt_status print_configuration(const struct rt_local *local,
                                          const struct rt_synthetic *synthetic,
                                          const struct rt_configuration *configuration,
                                          json_t *list)
{
    const struct rt_campaign *campaign = local->campaign;
    enum rt_status status = RT_OK;
    for (uint32_t p = 0; p < campaign->prompt_count && !status; p++) {
        uint32_t scenario = campaign->prompts[p].scenario, arm, phrasing;
        status = rt_prompt_in_scenario(campaign, p, local->scenarios[scenario], &arm, &phrasing);
        if (status)
            break;
        struct row row = {
            .subject = campaign->subjects[configuration->subject].id,
            .scenario = campaign->scenarios[scenario].id,
            .arm = local->scenarios[scenario]->arms[arm].id,
            .phrasing = local->scenarios[scenario]->phrasings[phrasing].id,
            .temperature = (double)configuration->temperature_micro / 1000000,
            .rate = rt_synthetic_truth(synthetic, scenario, arm, phrasing,
                                       configuration->temperature_micro),
        };
        status = print_row(&row, list);
    }
    return status;
}

static enum rt_status print_subject(const struct rt_local *local, uint32_t subject, json_t *list,
                                    struct rt_error *err)
{
    const struct rt_campaign *campaign = local->campaign;
    const struct rt_lab_subject *served =
        rt_labconfig_subject(local->home->config, campaign->subjects[subject].id);
    struct rt_synthetic_effects effects;
    struct rt_synthetic *synthetic = NULL;
    if (!served || served->executor != RT_EXECUTOR_BUILTIN)
        return rt_error_set(err, RT_NOT_FOUND,
                            "%s is not served by the builtin executor here; nothing was planted",
                            campaign->subjects[subject].id);
    rt_synthetic_effects_init(&effects);
    enum rt_status status =
        rt_synthetic_effects_read(served->effects, served->effect_count, &effects, err);
    if (status)
        return status;
    status = rt_synthetic_new(&effects, local->scenarios, campaign->scenario_count, &synthetic);
    for (size_t c = 0; c < campaign->configuration_count && !status; c++)
        if (campaign->configurations[c].subject == subject)
            status = print_configuration(local, synthetic, &campaign->configurations[c], list);
    rt_synthetic_free(synthetic);
    return status ? rt_error_set(err, status, "listing what was planted") : RT_OK;
}

static enum rt_status run(const void *place, const struct rt_text_list *operands,
                          struct rt_error *err)
{
    const struct settings *settings = place;
    struct rt_local *local = NULL;
    char config[PATH_MAX];
    enum rt_status status = rt_lab_config_path(settings->state, config, err);
    if (!status)
        status = rt_local_open(config, operands->items[0], RT_LOCAL_DOCUMENTS, &local, err);
    if (status)
        return status;
    json_t *list = json_array();
    if (!rt_globals.json)
        printf("subject,scenario,arm,phrasing,temperature,rate\n");
    for (uint32_t s = 0; s < local->campaign->subject_count && !status; s++)
        if (local->campaign->labs[local->lab].runs >> s & 1)
            status = print_subject(local, s, list, err);
    if (!status && rt_globals.json)
        status = rt_print_json(list, err);
    json_decref(list);
    rt_local_free(local);
    return status;
}

static const struct rt_option options[] = {
    RT_LAB_OPTION(struct settings),
    {.name = NULL},
};

const struct rt_command rt_command_subject_truth = {
    .name = "subject truth",
    .summary = "what the builtin subject is planted to do in a campaign",
    .operands = "CAMPAIGN",
    .operands_least = 1,
    .operands_most = 1,
    .options = options,
    .settings_size = sizeof(struct settings),
    .run = run,
    .example = "ringtrial-worker subject truth demo-shutdown",
    .about = "Prints, as CSV, the probability of the behaviour in each condition under the effects "
             "that worker.yaml plants in this lab. It is computed from the model and not from any "
             "trial, so it is the truth that a report's estimates can be held against. It exists "
             "for the synthetic subject alone.",
};
