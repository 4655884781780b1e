// SPDX-License-Identifier: Apache-2.0
#include "worker/local.h"

#include <stdio.h>
#include <stdlib.h>

#include "worker/care/vault_key.h"

#define ARENA_MOST ((size_t)256 << 20)

enum rt_status rt_prompt_in_scenario(const struct rt_campaign *campaign, uint32_t prompt,
                                     const struct rt_scenario *scenario, uint32_t *ret_arm,
                                     uint32_t *ret_phrasing)
{
    const struct rt_prompt *place = &campaign->prompts[prompt];
    const struct rt_campaign_scenario *document = &campaign->scenarios[place->scenario];
    uint32_t arm = 0, phrasing = 0;
    while (arm < scenario->arm_count &&
           strcmp(scenario->arms[arm].id, document->arms[place->arm].id))
        arm++;
    while (phrasing < scenario->phrasing_count &&
           strcmp(scenario->phrasings[phrasing].id, document->phrasings[place->phrasing].id))
        phrasing++;
    if (arm == scenario->arm_count || phrasing == scenario->phrasing_count)
        return RT_CONFLICT;
    *ret_arm = arm;
    *ret_phrasing = phrasing;
    return RT_OK;
}

// ---- which campaign

struct search {
    struct rt_local *local;
    const char *wanted;
    size_t found, known;
    char names[512];
};

static enum rt_status look(void *ctx, struct rt_bytes key, struct rt_bytes value)
{
    struct search *search = ctx;
    struct rt_local *local = search->local;
    struct rt_row_campaign row;
    struct rt_digest digest;
    char name[RT_ID_BYTES + 1], text[RT_DIGEST_TEXT_BYTES];
    struct rt_bytes copy = rt_arena_bytes(&local->arena, value);
    if (key.size != RT_DIGEST_BYTES || !copy.data)
        return RT_CORRUPT;
    enum rt_status status =
        rt_outbox_read(rt_row_campaign_schema(), copy, &local->arena, &row);
    if (status)
        return status;
    memcpy(digest.bytes, key.data, key.size);
    rt_digest_format(&digest, text);
    snprintf(name, sizeof name, "%.*s", (int)row.name.size, (const char *)row.name.data);
    search->known++;
    size_t used = strlen(search->names);
    snprintf(search->names + used, sizeof search->names - used, "%s%s", used ? ", " : "",
             *name ? name : text);
    if (*search->wanted && strcmp(search->wanted, name) && strcmp(search->wanted, text))
        return RT_OK;
    search->found++;
    local->row = row;
    local->digest = digest;
    memcpy(local->name, name, sizeof name);
    return RT_OK;
}

static enum rt_status find(struct rt_local *local, const char *wanted, struct rt_error *err)
{
    struct search search = {local, wanted ? wanted : "", 0, 0, ""};
    enum rt_status status = rt_ledger_each(local->outbox->ledger, RT_TABLE_CAMPAIGN,
                                           rt_bytes(NULL, 0), look, &search);
    if (status)
        return rt_error_set(err, status, "%s/outbox.mdb: %s", local->home->state,
                            rt_status_text(status));
    if (search.found == 1)
        return RT_OK;
    if (!search.known)
        return rt_error_set(err, RT_NOT_FOUND, "no campaign has been offered to this lab yet; "
                            "`ringtrial-worker run` fetches what there is");
    return rt_error_set(err, search.found ? RT_CONFLICT : RT_NOT_FOUND,
                        search.found ? "more than one campaign is meant by '%s'; known: %s"
                                     : "no campaign '%s'; known: %s",
                        wanted ? wanted : "", search.names);
}

// ---- its documents

static enum rt_status read_documents(struct rt_local *local, struct rt_error *err)
{
    struct rt_bytes object = {NULL, 0};
    enum rt_status status =
        rt_outbox_object(local->outbox, &local->digest, &local->arena, &object);
    if (!status)
        status = rt_campaign_decode(object, &local->arena, &local->campaign);
    size_t count = status ? 0 : local->campaign->scenario_count;
    local->scenarios = rt_arena_array(&local->arena, count + 1, sizeof *local->scenarios);
    if (!status && !local->scenarios)
        status = RT_NO_MEMORY;
    for (size_t i = 0; i < count && !status; i++) {
        struct rt_scenario *scenario = NULL;
        status = rt_outbox_object(local->outbox, &local->campaign->scenarios[i].digest,
                                  &local->arena, &object);
        if (!status)
            status = rt_scenario_decode(object, &local->arena, &scenario);
        local->scenarios[i] = scenario;
    }
    if (status)
        return rt_error_set(err, status, "the documents of campaign %s are not all here; let "
                            "`ringtrial-worker run` fetch them first", local->name);
    local->lab = rt_campaign_lab(local->campaign, local->home->config->lab);
    if (local->lab == RT_NONE)
        return rt_error_set(err, RT_NOT_PERMITTED, "lab %s is not part of campaign %s",
                            local->home->config->lab, local->name);
    local->drawn = local->row.draw.size;
    if (local->drawn)
        memcpy(local->draw.bytes, local->row.draw.data, RT_DIGEST_BYTES);
    rt_lab_plan_init(&local->plan, local->campaign, local->lab, &local->draw);
    return RT_OK;
}

enum rt_status rt_local_open(const char *config, const char *campaign, enum rt_local_part part,
                             struct rt_local **ret_local, struct rt_error *err)
{
    struct rt_local *local = calloc(1, sizeof *local);
    if (!local)
        return rt_error_set(err, RT_NO_MEMORY, "out of memory");
    rt_arena_init(&local->arena, ARENA_MOST);
    enum rt_status status = rt_home_open(config, RT_HOME_DOCUMENTS, NULL, &local->home, err);
    if (!status)
        status = rt_outbox_open(local->home->state, true, &local->outbox, err);
    if (!status)
        status = rt_vault_key_use(local->home, local->outbox, false, err);
    if (!status)
        status = find(local, campaign, err);
    if (!status && part == RT_LOCAL_DOCUMENTS)
        status = read_documents(local, err);
    if (status) {
        rt_local_free(local);
        return status;
    }
    *ret_local = local;
    return RT_OK;
}

void rt_local_free(struct rt_local *local)
{
    if (!local)
        return;
    rt_outbox_free(local->outbox);
    rt_home_free(local->home);
    rt_arena_release(&local->arena);
    free(local);
}

enum rt_status rt_local_trial(const struct rt_local *local, uint64_t number,
                              struct rt_local_trial *ret_trial)
{
    const struct rt_campaign *campaign = local->campaign;
    struct rt_local_trial trial = {0};
    enum rt_status status = rt_trial_of(campaign, number, &trial.place);
    if (status)
        return status;
    const struct rt_prompt *prompt = &campaign->prompts[trial.place.prompt];
    const struct rt_configuration *configuration =
        &campaign->configurations[trial.place.configuration];
    trial.scenario_index = prompt->scenario;
    trial.scenario = local->scenarios[prompt->scenario];
    trial.subject_index = configuration->subject;
    trial.subject = campaign->subjects[configuration->subject].id;
    trial.temperature_micro = configuration->temperature_micro;
    status = rt_prompt_in_scenario(campaign, trial.place.prompt, trial.scenario, &trial.arm,
                                   &trial.phrasing);
    if (status)
        return status;
    trial.arm_id = trial.scenario->arms[trial.arm].id;
    trial.phrasing_id = trial.scenario->phrasings[trial.phrasing].id;
    trial.seed = rt_trial_seed(campaign->design.seeds, &local->draw, number,
                               local->home->config->lab);
    *ret_trial = trial;
    return RT_OK;
}
