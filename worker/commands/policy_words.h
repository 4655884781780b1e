// SPDX-License-Identifier: Apache-2.0
// Policies and their answers as tables for people and JSON for scripts: what `policy show` and
// `policy test` print. Decides nothing. One thread.
#ifndef RT_WORKER_COMMANDS_POLICY_WORDS_H
#define RT_WORKER_COMMANDS_POLICY_WORDS_H

#include "common/base/json.h"
#include "proto/labconfig.h"
#include "worker/policy.h"

// "mon,tue 19:00-07:00" for each window; a new array.
json_t *rt_policy_hours_json(const struct rt_lab_policy *policy);
// The whole policy with its defaults; a new object.
json_t *rt_policy_json(const struct rt_labconfig *config);
void rt_policy_print(const struct rt_labconfig *config, const struct rt_usage *usage);
// The budgets with what is used of them: [{budget, used, limit, left}]; limit 0 is none, left then
// null. A new array.
json_t *rt_policy_budgets_json(const struct rt_lab_policy *policy, const struct rt_usage *usage);
// As a table, each line behind indent.
void rt_policy_print_budgets(const struct rt_lab_policy *policy, const struct rt_usage *usage,
                             const char *indent);

#endif
