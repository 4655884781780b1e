// SPDX-License-Identifier: Apache-2.0
// The scenario document, field by field.
#include "proto/doc/scenario_doc.h"

static const char *const role_words[] = {"treatment", "inert", NULL};
static const char *const arg_words[] = {"string", "integer", "number", "boolean",
                                        "object", "array",   NULL};
static const char *const permission_words[] = {"authorised", "not_authorised", NULL};
static const char *const rate_words[] = {"rules", "judge", "human", NULL};

#define PAIRS_MOST .most = RT_SCENARIO_PAIRS_MOST

static const struct rt_doc_field meta_fields[] = {
    {"type", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_scenario_meta, type), .most = 128,
     .help = "what kind of situation this is"},
    {"objective", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_scenario_meta, objective), .most = 128,
     .help = "attack objective, or none"},
    {"system_prompt", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_scenario_meta, system_prompt),
     .most = 128, .help = "category of the system prompt"},
    {"tools", RT_DOC_TEXTS, RT_DOC_ONE_LINE, RT_COUNTED(rt_scenario_meta, tools, tool_count),
     .most = 32, .help = "kinds of tool permission"},
    {"class", RT_DOC_TEXT, RT_DOC_IS_ID | RT_DOC_REQUIRED, RT_AT(rt_scenario_meta, class),
     .least = 1, .most = 64, .help = "data class, which a lab's policy compares"},
    {"use", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_scenario_meta, use), .most = 128,
     .help = "permitted use"},
    {"provenance", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_scenario_meta, provenance), .most = 256,
     .help = "where it comes from"},
    {"remediation", RT_DOC_TEXT, 0, RT_AT(rt_scenario_meta, remediation), .most = 1024,
     .help = "what would help"},
    {"severity", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_scenario_meta, severity), .most = 64},
};
static const struct rt_doc_table meta_table = {
    .name = "meta", .size = sizeof(struct rt_scenario_meta), RT_DOC_FIELDS(meta_fields)};

static const struct rt_doc_field arm_fields[] = {
    {"arm", RT_DOC_TEXT, RT_DOC_KEYED | RT_DOC_IS_ID, RT_AT(rt_arm, id)},
    {"role", RT_DOC_ENUM, RT_DOC_REQUIRED, RT_AT(rt_arm, role), .words = role_words},
    {"of", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_arm, of_id),
     .help = "the treatment arm that an inert one belongs to"},
    {"variable", RT_DOC_PAIRS, RT_DOC_REST, RT_COUNTED(rt_arm, vars, var_count), PAIRS_MOST,
     .help = "what {{variable}} stands for in this arm"},
};
static const struct rt_doc_table arm_table = {.name = "an arm",
                                              .size = sizeof(struct rt_arm),
                                              .line_offset = offsetof(struct rt_arm, line),
                                              RT_DOC_FIELDS(arm_fields)};

static const struct rt_doc_field phrasing_fields[] = {
    {"phrasing", RT_DOC_TEXT, RT_DOC_KEYED | RT_DOC_IS_ID, RT_AT(rt_phrasing, id)},
    {"lang", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_phrasing, lang), .most = 35,
     .help = "BCP 47 tag: en, es, de"},
    {"same_as", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_phrasing, same_as_id),
     .help = "a null pair: takes every text of that phrasing"},
    {"variable", RT_DOC_PAIRS, RT_DOC_REST, RT_COUNTED(rt_phrasing, vars, var_count), PAIRS_MOST,
     .help = "what {{variable}} stands for in this phrasing"},
};
static const struct rt_doc_table phrasing_table = {.name = "a phrasing",
                                                   .size = sizeof(struct rt_phrasing),
                                                   .line_offset =
                                                       offsetof(struct rt_phrasing, line),
                                                   RT_DOC_FIELDS(phrasing_fields)};

static const struct rt_doc_field turn_fields[] = {
    {"user", RT_DOC_TEXT, 0, RT_AT(rt_turn, user), .help = "what the user says; a template"},
    {"from", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_turn, from_id),
     .help = "the role that speaks here, in place of `user`"},
    {"most", RT_DOC_U32, 0, RT_AT(rt_turn, most), .least = 1, .most = 64, .preset = "1",
     .help = "how often the role speaks at most"},
    {"until", RT_DOC_TEXT, 0, RT_AT(rt_turn, until),
     .help = "pattern over what the role says: the turn ends there and that is not sent"},
};
static const struct rt_doc_table turn_table = {.name = "a turn",
                                               .size = sizeof(struct rt_turn),
                                               .line_offset = offsetof(struct rt_turn, line),
                                               RT_DOC_FIELDS(turn_fields)};

static const struct rt_doc_field role_fields[] = {
    {"role", RT_DOC_TEXT, RT_DOC_KEYED | RT_DOC_IS_ID, RT_AT(rt_scene_role, id)},
    {"system", RT_DOC_TEXT, 0, RT_AT(rt_scene_role, system),
     .help = "system prompt of the model that plays this role; a template"},
    {"opening", RT_DOC_TEXT, 0, RT_AT(rt_scene_role, opening), .preset = "Please begin.",
     .help = "what the model is told where nobody has spoken yet"},
    {"replies", RT_DOC_TEXTS, 0, RT_COUNTED(rt_scene_role, replies, reply_count), .most = 256,
     .help = "a scripted role: the nth time takes the nth; the last one repeats"},
    {"temperature", RT_DOC_MICRO, 0, RT_AT(rt_scene_role, temperature_micro), .item_least = 0,
     .item_most = 2000000, .help = "of the model that plays this role"},
    {"completion_tokens", RT_DOC_U32, 0, RT_AT(rt_scene_role, completion_tokens), .least = 1,
     .most = 100000, .preset = "512", .help = "most tokens of one of its replies"},
    {"synthetic", RT_DOC_TEXTS, 0, RT_COUNTED(rt_scene_role, synthetic, synthetic_count),
     .most = 64, .help = "what the embedded synthetic stand-in says in this role"},
};
static const struct rt_doc_table role_table = {.name = "a role",
                                               .size = sizeof(struct rt_scene_role),
                                               .line_offset = offsetof(struct rt_scene_role, line),
                                               RT_DOC_FIELDS(role_fields)};

static const struct rt_doc_field file_fields[] = {
    {"name", RT_DOC_TEXT, RT_DOC_KEYED | RT_DOC_IS_ID, RT_AT(rt_attachment, name)},
    {"file", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_attachment, path), .least = 1,
     .most = 256, .help = "a text file below the bench's folder: attachments/x.txt"},
    {"text", RT_DOC_TEXT, RT_DOC_OBJECT_ONLY, RT_AT(rt_attachment, text),
     .most = RT_SCENARIO_FILE_MOST},
};
static const struct rt_doc_table file_table = {.name = "a file",
                                               .size = sizeof(struct rt_attachment),
                                               .line_offset = offsetof(struct rt_attachment, line),
                                               RT_DOC_FIELDS(file_fields)};

static const struct rt_doc_field redact_fields[] = {
    {"names", RT_DOC_TEXTS, RT_DOC_IS_NAME, RT_COUNTED(rt_redaction, names, name_count), .most = 64,
     .help = "variables, world.NAME or file.NAME whose values must not leave"},
    {"patterns", RT_DOC_TEXTS, 0, RT_COUNTED(rt_redaction, patterns, pattern_count), .most = 32,
     .help = "what they match must not leave"},
};
static const struct rt_doc_table redact_table = {
    .name = "redact", .size = sizeof(struct rt_redaction), RT_DOC_FIELDS(redact_fields)};

static const struct rt_doc_table item_table, arg_table;
#define ARG_FIELDS                                                                                 \
    {"type", RT_DOC_ENUM, RT_DOC_REQUIRED, RT_AT(rt_arg, type), .words = arg_words},               \
        {"required", RT_DOC_BOOL, 0, RT_AT(rt_arg, required), .preset = "true"},                   \
        {"description", RT_DOC_TEXT, 0, RT_AT(rt_arg, description), .most = 1024},                 \
        {"enum",      RT_DOC_TEXTS,                                                                \
         0,           RT_COUNTED(rt_arg, values, value_count),                                     \
         .most = 128, .help = "the strings that are allowed"},                                     \
        {"minimum", RT_DOC_MICRO, 0, RT_AT(rt_arg, minimum_micro), RT_HAS(rt_arg, has_minimum)},   \
        {"maximum", RT_DOC_MICRO, 0, RT_AT(rt_arg, maximum_micro), RT_HAS(rt_arg, has_maximum)},   \
        {"min_length",                                                                             \
         RT_DOC_U32,                                                                               \
         0,                                                                                        \
         RT_AT(rt_arg, min_length),                                                                \
         .most = 1000000,                                                                          \
         .help = "characters of a string, items of an array"},                                     \
        {"max_length",                                                                             \
         RT_DOC_U32,                                                                               \
         0,                                                                                        \
         RT_AT(rt_arg, max_length),                                                                \
         .most = 1000000,                                                                          \
         .help = "the same; 0 is any"},                                                            \
        {"pattern",                                                                                \
         RT_DOC_TEXT,                                                                              \
         0,                                                                                        \
         RT_AT(rt_arg, pattern),                                                                   \
         .most = 1024,                                                                             \
         .help = "that a string must match"},                                                      \
        {"items",                                                                                  \
         RT_DOC_MAYBE,                                                                             \
         0,                                                                                        \
         RT_AT(rt_arg, items),                                                                     \
         .item = &item_table,                                                                      \
         .help = "what an array holds"},                                                           \
    {                                                                                              \
        "properties", RT_DOC_MAP, 0, RT_COUNTED(rt_arg, properties, property_count),               \
            .item = &arg_table, .most = 32, .help = "what an object holds"                         \
    }
static const struct rt_doc_field arg_fields[] = {
    {"argument", RT_DOC_TEXT, RT_DOC_KEYED | RT_DOC_IS_NAME, RT_AT(rt_arg, name)},
    ARG_FIELDS,
};
static const struct rt_doc_table arg_table = {
    .name = "an argument", .size = sizeof(struct rt_arg), RT_DOC_FIELDS(arg_fields)};
static const struct rt_doc_field item_fields[] = {ARG_FIELDS};
static const struct rt_doc_table item_table = {
    .name = "items", .size = sizeof(struct rt_arg), RT_DOC_FIELDS(item_fields)};
#undef ARG_FIELDS

static const struct rt_doc_field case_fields[] = {
    {"if", RT_DOC_PAIRS, 0, RT_COUNTED(rt_case, matches, match_count), PAIRS_MOST,
     .help = "argument: pattern; all must match"},
    {"world", RT_DOC_PAIRS, 0, RT_COUNTED(rt_case, world, world_count), PAIRS_MOST,
     .help = "name: value that must hold too"},
    {"set", RT_DOC_PAIRS, 0, RT_COUNTED(rt_case, sets, set_count), PAIRS_MOST,
     .help = "name: new value in the world"},
    {"reply", RT_DOC_TEXT, RT_DOC_REQUIRED, RT_AT(rt_case, reply)},
};
static const struct rt_doc_table case_table = {.name = "a case",
                                               .size = sizeof(struct rt_case),
                                               .line_offset = offsetof(struct rt_case, line),
                                               RT_DOC_FIELDS(case_fields)};

static const struct rt_doc_field ask_fields[] = {
    {"role", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_ask, role_id), .least = 1},
    {"text", RT_DOC_TEXT, RT_DOC_REQUIRED, RT_AT(rt_ask, text), .least = 1,
     .help = "what the role is told: a template such as {{args.text}}"},
};
static const struct rt_doc_table ask_table = {
    .name = "ask", .size = sizeof(struct rt_ask), RT_DOC_FIELDS(ask_fields)};

static const struct rt_doc_field tool_fields[] = {
    {"tool", RT_DOC_TEXT, RT_DOC_KEYED | RT_DOC_IS_NAME, RT_AT(rt_tool, name)},
    {"description", RT_DOC_TEXT, 0, RT_AT(rt_tool, description), .most = 4096},
    {"permission", RT_DOC_ENUM, 0, RT_AT(rt_tool, permission), .words = permission_words,
     .help = "not_authorised works, but nobody allowed it"},
    {"args", RT_DOC_MAP, 0, RT_COUNTED(rt_tool, args, arg_count), .item = &arg_table, .most = 32},
    {"cases", RT_DOC_LIST, 0, RT_COUNTED(rt_tool, cases, case_count), .item = &case_table,
     .most = 256, .help = "first match wins"},
    {"replies", RT_DOC_TEXTS, 0, RT_COUNTED(rt_tool, replies, reply_count), .most = 256,
     .help = "the nth call takes the nth; the last one repeats"},
    {"ask", RT_DOC_STRUCT, 0, RT_AT(rt_tool, ask), RT_HAS(rt_tool, has_ask), .item = &ask_table,
     .help = "a role answers where no case does"},
};
static const struct rt_doc_table tool_table = {.name = "a tool",
                                               .size = sizeof(struct rt_tool),
                                               .line_offset = offsetof(struct rt_tool, line),
                                               RT_DOC_FIELDS(tool_fields)};

static const struct rt_doc_field when_fields[] = {
    {"after_tool", RT_DOC_TEXT, RT_DOC_IS_NAME, RT_AT(rt_when, after_tool)},
    {"call", RT_DOC_U32, 0, RT_AT(rt_when, call), .most = 10000,
     .help = "after this call of the tool; 0 is any"},
    {"turn", RT_DOC_U32, 0, RT_AT(rt_when, turn), .most = 10000,
     .help = "rides on this user turn; 1 is the first"},
    {"world", RT_DOC_PAIRS, 0, RT_COUNTED(rt_when, world, world_count), PAIRS_MOST},
};
static const struct rt_doc_table when_table = {
    .name = "when", .size = sizeof(struct rt_when), RT_DOC_FIELDS(when_fields)};

static const struct rt_doc_field event_fields[] = {
    {"id", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_scene_event, id), .least = 1},
    {"when", RT_DOC_STRUCT, RT_DOC_REQUIRED, RT_AT(rt_scene_event, when), .item = &when_table},
    {"append", RT_DOC_TEXT, 0, RT_AT(rt_scene_event, append),
     .help = "added to the tool's reply or the user's turn"},
    {"set", RT_DOC_PAIRS, 0, RT_COUNTED(rt_scene_event, sets, set_count), PAIRS_MOST},
    {"end", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_scene_event, end), .preset = "false", .least = 1,
     .most = 256, .help = "true, false, or a template of one: the play ends here"},
};
static const struct rt_doc_table event_table = {.name = "an event",
                                                .size = sizeof(struct rt_scene_event),
                                                .line_offset =
                                                    offsetof(struct rt_scene_event, line),
                                                RT_DOC_FIELDS(event_fields)};

static const struct rt_doc_field limit_fields[] = {
    {"turns", RT_DOC_U32, 0, RT_AT(rt_limits, turns), .least = 1, .most = 1000, .preset = "32",
     .help = "assistant turns"},
    {"calls", RT_DOC_U32, 0, RT_AT(rt_limits, calls), .most = 10000, .preset = "64",
     .help = "tool calls"},
    {"completion_tokens", RT_DOC_U32, 0, RT_AT(rt_limits, completion_tokens), .least = 1,
     .most = 10000000, .preset = "8192"},
    {"seconds", RT_DOC_U32, 0, RT_AT(rt_limits, seconds), .least = 1, .most = 86400,
     .preset = "600"},
    {"min_context", RT_DOC_U32, 0, RT_AT(rt_limits, min_context), .most = 100000000, .preset = "0",
     .help = "tokens the server must offer"},
};
static const struct rt_doc_table limit_table = {
    .name = "limits", .size = sizeof(struct rt_limits), RT_DOC_FIELDS(limit_fields)};

static const struct rt_doc_field seq_fields[] = {
    {"called", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_NAME, RT_AT(rt_seq_call, called),
     .least = 1},
    {"with", RT_DOC_PAIRS, 0, RT_COUNTED(rt_seq_call, with, with_count), PAIRS_MOST},
};
static const struct rt_doc_table seq_table = {
    .name = "a call of a sequence", .size = sizeof(struct rt_seq_call), RT_DOC_FIELDS(seq_fields)};

static const struct rt_doc_table condition_table;
static const struct rt_doc_field condition_fields[] = {
    {"calls", RT_DOC_U32, 0, RT_AT(rt_condition, calls), RT_HAS(rt_condition, has_calls),
     .most = 10000, .help = "exactly so many tool calls, of any tool"},
    {"called", RT_DOC_TEXT, RT_DOC_IS_NAME, RT_AT(rt_condition, called),
     .help = "this tool was called"},
    {"with", RT_DOC_PAIRS, 0, RT_COUNTED(rt_condition, with, with_count), PAIRS_MOST,
     .help = "... with arguments that match these patterns"},
    {"at_least", RT_DOC_U32, 0, RT_AT(rt_condition, at_least), RT_HAS(rt_condition, has_at_least),
     .most = 10000, .help = "so many calls that fit `called` and `with`"},
    {"at_most", RT_DOC_U32, 0, RT_AT(rt_condition, at_most), RT_HAS(rt_condition, has_at_most),
     .most = 10000, .help = "the same; 0 is never"},
    {"sequence", RT_DOC_LIST, 0, RT_COUNTED(rt_condition, sequence, sequence_count),
     .item = &seq_table, .most = 16, .help = "calls made in this order; others may lie between"},
    {"after", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_condition, after),
     .help = "only what follows this event, which must have fired"},
    {"before", RT_DOC_TEXT, RT_DOC_IS_NAME, RT_AT(rt_condition, before),
     .help = "only what precedes the first call of this tool, which must have been called"},
    {"world", RT_DOC_PAIRS, 0, RT_COUNTED(rt_condition, world, world_count), PAIRS_MOST,
     .help = "values at the end"},
    {"said", RT_DOC_TEXT, 0, RT_AT(rt_condition, said),
     .help = "pattern over what the assistant said"},
    {"event", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_condition, event), .help = "this event fired"},
    {"claimed", RT_DOC_TEXT, 0, RT_AT(rt_condition, claimed),
     .help = "misrepresentation: a pattern over what the assistant said, when ..."},
    {"contradicted_by", RT_DOC_MAYBE, 0, RT_AT(rt_condition, contradicted_by),
     .item = &condition_table, .help = "... this was already so"},
    {"all", RT_DOC_LIST, 0, RT_COUNTED(rt_condition, all, all_count), .item = &condition_table,
     .most = 16, .help = "each of these holds"},
    {"any", RT_DOC_LIST, 0, RT_COUNTED(rt_condition, any, any_count), .item = &condition_table,
     .most = 16, .help = "one of these holds"},
    {"not", RT_DOC_MAYBE, 0, RT_AT(rt_condition, negated), .item = &condition_table,
     .help = "this does not hold"},
};
static const struct rt_doc_table condition_table = {
    .name = "a condition", .size = sizeof(struct rt_condition), RT_DOC_FIELDS(condition_fields)};

static const struct rt_doc_field outcome_fields[] = {
    {"label", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_outcome, label), .least = 1},
    {"severity", RT_DOC_U32, RT_DOC_REQUIRED, RT_AT(rt_outcome, severity), .most = 4},
    {"if", RT_DOC_STRUCT, 0, RT_AT(rt_outcome, when), RT_HAS(rt_outcome, has_if),
     .item = &condition_table, .help = "absent: always"},
    {"rate", RT_DOC_ENUM, 0, RT_AT(rt_outcome, rate), .words = rate_words,
     .help = "who has the last word on trials that end here"},
};
static const struct rt_doc_table outcome_table = {.name = "an outcome",
                                                  .size = sizeof(struct rt_outcome),
                                                  .line_offset = offsetof(struct rt_outcome, line),
                                                  RT_DOC_FIELDS(outcome_fields)};

static const struct rt_doc_field judge_fields[] = {
    {"role", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_judge, role)},
    {"rubric", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_judge, rubric), .most = 256,
     .help = "a text file below the bench's folder: rubrics/x.md"},
    {"rubric_text", RT_DOC_TEXT, RT_DOC_OBJECT_ONLY, RT_AT(rt_judge, rubric_text)},
    {"labels", RT_DOC_TEXTS, RT_DOC_IS_ID, RT_COUNTED(rt_judge, labels, label_count), .most = 64},
};
static const struct rt_doc_table judge_table = {
    .name = "judge", .size = sizeof(struct rt_judge), RT_DOC_FIELDS(judge_fields)};
static const struct rt_doc_field human_fields[] = {
    {"share", RT_DOC_MICRO, 0, RT_AT(rt_human, share_micro), .item_least = 0, .item_most = 1000000},
    {"at_least_per_label", RT_DOC_U32, 0, RT_AT(rt_human, at_least_per_label)},
    {"per_trial", RT_DOC_U32, 0, RT_AT(rt_human, per_trial), .preset = "1"},
};
static const struct rt_doc_table human_table = {
    .name = "human", .size = sizeof(struct rt_human), RT_DOC_FIELDS(human_fields)};
static const struct rt_doc_field rater_fields[] = {
    {"judge", RT_DOC_MAYBE, 0, RT_AT(rt_scenario, judge), .item = &judge_table},
    {"human", RT_DOC_MAYBE, 0, RT_AT(rt_scenario, human), .item = &human_table},
};
static const struct rt_doc_table rater_table = {
    .name = "raters", .size = sizeof(struct rt_scenario), RT_DOC_FIELDS(rater_fields)};

static const struct rt_doc_field script_fields[] = {
    {"tool", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_NAME, RT_AT(rt_script, tool)},
    {"args", RT_DOC_PAIRS, 0, RT_COUNTED(rt_script, args, arg_count), PAIRS_MOST},
};
static const struct rt_doc_table script_table = {
    .name = "a scripted call", .size = sizeof(struct rt_script), RT_DOC_FIELDS(script_fields)};
static const struct rt_doc_field synthetic_fields[] = {
    {"work", RT_DOC_STRUCT, RT_DOC_REQUIRED, RT_AT(rt_synthetic_script, work),
     .item = &script_table, .help = "the call that does the work"},
    {"tamper", RT_DOC_STRUCT, 0, RT_AT(rt_synthetic_script, tamper), .item = &script_table,
     .help = "the call that shows the behaviour"},
    {"attempt", RT_DOC_STRUCT, 0, RT_AT(rt_synthetic_script, attempt), .item = &script_table,
     .help = "a call that tries and fails"},
    {"deny", RT_DOC_TEXT, 0, RT_AT(rt_synthetic_script, deny)},
    {"report", RT_DOC_TEXT, RT_DOC_REQUIRED, RT_AT(rt_synthetic_script, report)},
    {"refuse", RT_DOC_TEXT, 0, RT_AT(rt_synthetic_script, refuse)},
};
static const struct rt_doc_table synthetic_table = {.name = "synthetic",
                                                    .size = sizeof(struct rt_synthetic_script),
                                                    RT_DOC_FIELDS(synthetic_fields)};

static const struct rt_doc_field test_fields[] = {
    {"arm", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_scenario_test, arm_id)},
    {"phrasing", RT_DOC_TEXT, RT_DOC_IS_ID, RT_AT(rt_scenario_test, phrasing_id)},
    {"do", RT_DOC_LIST, RT_DOC_REQUIRED, .read = rt_scenario_read_steps,
     .schema = "{\"type\":\"array\",\"maxItems\":1000,\"items\":{\"anyOf\":[{\"type\":\"string\"},"
               "{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":2},{\"type\":\"array\","
               "\"items\":{\"type\":[\"string\",\"object\"]}}]}}",
     .help = "tool, {tool: {argument: value}} or {say: text}"},
    {"expect", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_NAME, RT_AT(rt_scenario_test, expect)},
};
static const struct rt_doc_table test_table = {.name = "a test",
                                               .size = sizeof(struct rt_scenario_test),
                                               .line_offset =
                                                   offsetof(struct rt_scenario_test, line),
                                               RT_DOC_FIELDS(test_fields)};

static const struct rt_doc_field scenario_fields[] = {
    {"scenario", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_IS_ID, RT_AT(rt_scenario, id), .least = 1},
    {"title", RT_DOC_TEXT, RT_DOC_REQUIRED | RT_DOC_ONE_LINE, RT_AT(rt_scenario, title), .least = 1,
     .most = 256},
    {"meta", RT_DOC_STRUCT, RT_DOC_REQUIRED, RT_AT(rt_scenario, meta), .item = &meta_table},
    {"meaning", RT_DOC_TEXT, 0, RT_AT(rt_scenario, meaning), .most = 4096,
     .help = "what every phrasing says"},
    {"arms", RT_DOC_MAP, RT_DOC_REQUIRED, RT_COUNTED(rt_scenario, arms, arm_count),
     .item = &arm_table, .least = 1, .most = RT_SCENARIO_ARMS_MOST},
    {"system", RT_DOC_TEXT, 0, RT_AT(rt_scenario, system), .help = "system prompt; a template"},
    {"system_as", RT_DOC_TEXT, RT_DOC_ONE_LINE, RT_AT(rt_scenario, system_as), .preset = "system",
     .least = 1, .most = 256,
     .help = "system, developer, user (head of the first turn), none; or a template of one"},
    {"roles", RT_DOC_MAP, 0, RT_COUNTED(rt_scenario, roles, role_count), .item = &role_table,
     .most = RT_SCENARIO_ROLES_MOST, .help = "who else speaks: scripted, or played by a model"},
    {"files", RT_DOC_MAP, 0, RT_COUNTED(rt_scenario, files, file_count), .item = &file_table,
     .most = RT_SCENARIO_FILES_MOST, .help = "texts that {{file.NAME}} stands for"},
    {"redact", RT_DOC_STRUCT, 0, RT_AT(rt_scenario, redact), .item = &redact_table,
     .help = "what must not leave in printed and exported transcripts"},
    {"phrasings", RT_DOC_MAP, RT_DOC_REQUIRED, RT_COUNTED(rt_scenario, phrasings, phrasing_count),
     .item = &phrasing_table, .least = 1, .most = RT_SCENARIO_PHRASINGS_MOST},
    {"turns", RT_DOC_LIST, RT_DOC_REQUIRED, RT_COUNTED(rt_scenario, turns, turn_count),
     .item = &turn_table, .least = 1, .most = 64},
    {"world", RT_DOC_PAIRS, 0, RT_COUNTED(rt_scenario, world, world_count),
     .most = RT_SCENARIO_WORLD_MOST, .help = "names and their values at the start"},
    {"tools", RT_DOC_MAP, 0, RT_COUNTED(rt_scenario, tools, tool_count), .item = &tool_table,
     .most = RT_SCENARIO_TOOLS_MOST},
    {"events", RT_DOC_LIST, 0, RT_COUNTED(rt_scenario, events, event_count), .item = &event_table,
     .most = RT_SCENARIO_EVENTS_MOST},
    {"limits", RT_DOC_STRUCT, 0, RT_AT(rt_scenario, limits), .item = &limit_table},
    {"exposed_if", RT_DOC_STRUCT, 0, RT_AT(rt_scenario, exposed_if),
     RT_HAS(rt_scenario, has_exposed_if), .item = &condition_table,
     .help = "otherwise the trial's status is not_exposed"},
    {"outcomes", RT_DOC_LIST, RT_DOC_REQUIRED, RT_COUNTED(rt_scenario, outcomes, outcome_count),
     .item = &outcome_table, .least = 1, .most = RT_SCENARIO_OUTCOMES_MOST,
     .help = "first match wins"},
    {"raters", RT_DOC_STRUCT, 0, .offset = 0, .item = &rater_table},
    {"synthetic", RT_DOC_STRUCT, 0, RT_AT(rt_scenario, synthetic),
     RT_HAS(rt_scenario, synthetic.present), .item = &synthetic_table,
     .help = "script of the embedded synthetic subject"},
    {"tests", RT_DOC_LIST, RT_DOC_NOT_OBJECT, RT_COUNTED(rt_scenario, tests, test_count),
     .item = &test_table, .most = 256},
};
const struct rt_doc_table rt_scenario_table = {.name = "the scenario",
                                               .version = 1,
                                               .size = sizeof(struct rt_scenario),
                                               RT_DOC_FIELDS(scenario_fields)};
