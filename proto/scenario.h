// SPDX-License-Identifier: Apache-2.0
// A scenario: a situation with arms, phrasings, a script, tools, a small world, injected events,
// limits and outcome rules, as the bench's author wrote it (DESIGN.md section 5). Read from YAML
// with every reference resolved and every pattern compiled once for validity, or decoded from its
// canonical object; both give the same struct. It says what a scenario is and what its templates
// expand to; playing one is the engine's work. Immutable after reading; any thread may read it.
//
// Order of play: tool case, then events, then reply. Cases, events and outcomes: first match wins.
// The nth call of a tool takes its nth reply and the last one repeats. Parallel calls run in listed
// order and stop at `end`.
#ifndef RT_PROTO_SCENARIO_H
#define RT_PROTO_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/bytes.h"
#include "common/base/error.h"
#include "common/crypto/hash.h"
#include "proto/doc/pair.h"

#define RT_NONE UINT32_MAX // "no index": an absent reference

#define RT_SCENARIO_ARMS_MOST      32
#define RT_SCENARIO_PHRASINGS_MOST 64
#define RT_SCENARIO_TOOLS_MOST     32
#define RT_SCENARIO_EVENTS_MOST    32
#define RT_SCENARIO_OUTCOMES_MOST  64
#define RT_SCENARIO_WORLD_MOST     64
#define RT_SCENARIO_PAIRS_MOST     64
#define RT_SCENARIO_ROLES_MOST     8
#define RT_SCENARIO_FILES_MOST     16
#define RT_SCENARIO_TEXT_MOST      65536 // bytes of one text, and of an expanded one without files
#define RT_SCENARIO_FILE_MOST      ((size_t)512 << 10) // bytes of one attached file
#define RT_SCENARIO_FILES_BYTES    ((size_t)1 << 20)   // of all files of a scenario
#define RT_CONDITION_NESTING_MOST  4                   // all, any, not and contradicted_by
#define RT_ARG_NESTING_MOST        4                   // items and properties

enum rt_arm_role { RT_ARM_TREATMENT, RT_ARM_INERT };
enum rt_arg_type {
    RT_ARG_STRING,
    RT_ARG_INTEGER,
    RT_ARG_NUMBER,
    RT_ARG_BOOLEAN,
    RT_ARG_OBJECT,
    RT_ARG_ARRAY,
};
// Where the system prompt goes: its own message, under the word some servers want for it, the head
// of the first user turn, or nowhere.
enum rt_placement {
    RT_PLACEMENT_SYSTEM,
    RT_PLACEMENT_DEVELOPER,
    RT_PLACEMENT_USER,
    RT_PLACEMENT_NONE,
};
enum rt_permission { RT_PERMISSION_AUTHORISED, RT_PERMISSION_NOT_AUTHORISED };
enum rt_rate { RT_RATE_RULES, RT_RATE_JUDGE, RT_RATE_HUMAN };

struct rt_arm {
    const char *id;
    enum rt_arm_role role;
    const char *of_id; // inert arms: the treatment arm it belongs to; "" none
    uint32_t of;       // its index, or RT_NONE
    struct rt_pair *vars;
    size_t var_count;
    uint32_t line; // where it was written; 0 when decoded (so for every `line` below)
};

struct rt_phrasing {
    const char *id;
    const char *lang;
    const char *same_as_id; // a null pair's first member; "" none
    uint32_t same_as;       // its index, or RT_NONE; lang and vars are already copied from it
    struct rt_pair *vars;
    size_t var_count;
    uint32_t line;
};

// One user turn that is written here, or turns that a role takes: asked again after each answer of
// the subject's, until it has spoken `most` times or says something that `until` matches, which
// then is not sent.
struct rt_turn {
    const char *user;    // template; "" where a role speaks
    const char *from_id; // the role that speaks; "" none
    uint32_t from;       // its index, or RT_NONE
    uint32_t most;
    const char *until; // PCRE2 (template); "" none
    uint32_t line;
};

// Somebody else in the scene. With replies it is scripted: the nth time it is asked it gives the
// nth and the last one repeats. Without, a model plays it from its own system prompt.
struct rt_scene_role {
    const char *id;
    const char *system;  // template; modelled roles only
    const char *opening; // template: what a modelled role is told before anybody has spoken
    const char **replies;
    size_t reply_count;
    int64_t temperature_micro;
    uint32_t completion_tokens; // most of one reply
    const char **synthetic;     // what the embedded synthetic stand-in says in a modelled role
    size_t synthetic_count;
    uint32_t line;
};

// A text from a file of the bench's folder, which {{file.NAME}} stands for.
struct rt_attachment {
    const char *name;
    const char *path; // below the bench's folder
    const char *text; // set when the bench is loaded, and carried by the object
    uint32_t line;
};

// What must not leave: values of these names, and what these patterns match (engine/redact.h).
struct rt_redaction {
    const char **names; // variables, world.NAME, file.NAME
    size_t name_count;
    const char **patterns;
    size_t pattern_count;
};

// A tool's argument, an object's property or an array's item, as JSON Schema has it.
struct rt_arg {
    const char *name; // "" for items
    enum rt_arg_type type;
    bool required; // the default
    const char *description;
    const char **values; // `enum`: strings only
    size_t value_count;
    bool has_minimum, has_maximum;
    int64_t minimum_micro, maximum_micro;
    uint32_t min_length, max_length; // characters of a string, items of an array; most 0: any
    const char *pattern;             // PCRE2 over a string; "" none
    struct rt_arg *items;            // arrays; NULL: anything
    struct rt_arg *properties;       // objects
    size_t property_count;
};

// A call of the tool that no case answers is put to a role.
struct rt_ask {
    const char *role_id; // "" none
    uint32_t role;       // its index, or RT_NONE
    const char *text;    // template of what it is told
};

// One row of a tool's cases. All matches must hold; none means always.
struct rt_case {
    struct rt_pair *matches; // argument name, PCRE2 pattern (template)
    size_t match_count;
    struct rt_pair *world; // world name, exact value (template): must hold too
    size_t world_count;
    struct rt_pair *sets; // world name, new value (template)
    size_t set_count;
    const char *reply; // template
    uint32_t line;
};

struct rt_tool {
    const char *name;
    const char *description;
    enum rt_permission permission;
    struct rt_arg *args;
    size_t arg_count;
    struct rt_case *cases;
    size_t case_count;
    const char **replies; // templates; used where no case matched
    size_t reply_count;
    bool has_ask;
    struct rt_ask ask; // used where no case matched and there are no replies
    uint32_t line;
};

// When an event fires: after the call-th call of a tool (0: after every one), or riding on the
// turn-th user turn (1 = the first; 0: not by turn), while the world holds; with the world alone,
// after the first call or on the first user turn at which it holds. Fires at most once.
struct rt_when {
    const char *after_tool; // "" none
    uint32_t tool;          // its index, or RT_NONE
    uint32_t call;
    uint32_t turn;
    struct rt_pair *world;
    size_t world_count;
};

struct rt_scene_event {
    const char *id;
    struct rt_when when;
    const char *append; // template added to the tool's reply or the user turn; "" none
    struct rt_pair *sets;
    size_t set_count;
    const char *end; // template of "true" or "false": ends the play after this event
    uint32_t line;
};

struct rt_limits {
    uint32_t turns;             // assistant turns
    uint32_t calls;             // tool calls
    uint32_t completion_tokens; // over the whole play
    uint32_t seconds;
    uint32_t min_context; // tokens the server must offer
};

// One call of a `sequence`.
struct rt_seq_call {
    const char *called;
    uint32_t called_tool;
    struct rt_pair *with;
    size_t with_count;
};

// A condition over a play; every part that is set must hold. Calls are what the subject asked for,
// whatever became of them.
struct rt_condition {
    uint32_t calls;
    bool has_calls;     // exactly `calls` tool calls were made, of any tool
    const char *called; // this tool was called, "" none
    uint32_t called_tool;
    struct rt_pair *with; // ... with arguments matching these patterns (argument, PCRE2)
    size_t with_count;
    bool has_at_least, has_at_most; // so many calls fit called and with (of any tool without)
    uint32_t at_least, at_most;
    struct rt_seq_call *sequence; // such calls were made in this order, others may lie between
    size_t sequence_count;
    const char *after; // only what follows this event; it must have fired; "" none
    uint32_t after_event;
    const char *before; // only what precedes the first call of this tool, which must be; "" none
    uint32_t before_tool;
    struct rt_pair *world; // final world values (templates)
    size_t world_count;
    const char *said;  // PCRE2 over the assistant's texts; "" none
    const char *event; // this event fired; "" none
    uint32_t event_index;
    // Misrepresentation: the assistant said this (PCRE2), and when it did, what had happened until
    // then was so that contradicted_by holds.
    const char *claimed;
    struct rt_condition *contradicted_by;
    struct rt_condition *all, *any; // each of, one of
    size_t all_count, any_count;
    struct rt_condition *negated; // `not`
};

struct rt_outcome {
    const char *label; // of the bench's taxonomy
    uint32_t severity; // 0-4
    bool has_if;       // absent: always matches
    struct rt_condition when;
    enum rt_rate rate; // RULES unless the last word is left to a judge or a person
    uint32_t line;
};

struct rt_scenario_meta {
    const char *type, *objective, *system_prompt;
    const char **tools;
    size_t tool_count;
    const char *class; // data class: a lab's policy compares it
    const char *use, *provenance, *remediation, *severity;
};

// One scripted call of the synthetic subject; argument values are templates.
struct rt_script {
    const char *tool; // "" absent
    uint32_t tool_index;
    struct rt_pair *args;
    size_t arg_count;
};

// What the embedded synthetic subject does here (agreed key `synthetic:`).
struct rt_synthetic_script {
    bool present;
    struct rt_script work, tamper, attempt;
    const char *deny, *report, *refuse; // templates
};

// One step of a scenario's own test: a tool call, something said, or both in one reply with other
// calls (`joined`); or what a modelled role says when it is asked next.
struct rt_step {
    const char *tool; // "" when it says something
    uint32_t tool_index;
    struct rt_pair *args;
    size_t arg_count;
    const char *say;
    bool joined;       // to the next step: the same reply
    const char *as_id; // the role that says it; "" the subject
    uint32_t as;       // its index, or RT_NONE
};
struct rt_scenario_test {
    const char *arm_id, *phrasing_id; // phrasing "" is the first
    uint32_t arm, phrasing;
    struct rt_step *steps;
    size_t step_count;
    const char *expect; // a label, or a status: not_exposed, truncated, bad_format
    uint32_t line;
};

struct rt_judge {
    const char *role, *rubric;
    const char *rubric_text; // of the file `rubric`: set when the bench is loaded, object only
    const char **labels;
    size_t label_count;
};
struct rt_human {
    int64_t share_micro;
    uint32_t at_least_per_label, per_trial;
};

struct rt_scenario {
    const char *id, *title;
    struct rt_scenario_meta meta;
    const char *meaning;
    struct rt_arm *arms;
    size_t arm_count;
    const char *system;    // template
    const char *system_as; // template of a word of rt_placement
    struct rt_scene_role *roles;
    size_t role_count;
    struct rt_attachment *files;
    size_t file_count;
    struct rt_redaction redact;
    struct rt_phrasing *phrasings;
    size_t phrasing_count;
    struct rt_turn *turns;
    size_t turn_count;
    struct rt_pair *world; // initial values (templates of arm variables)
    size_t world_count;
    struct rt_tool *tools;
    size_t tool_count;
    struct rt_scene_event *events;
    size_t event_count;
    struct rt_limits limits;
    bool has_exposed_if; // absent: always exposed
    struct rt_condition exposed_if;
    struct rt_outcome *outcomes;
    size_t outcome_count;
    struct rt_judge *judge; // NULL when absent; asked beside the trial, never inside it
    struct rt_human *human;
    struct rt_synthetic_script synthetic;
    struct rt_scenario_test *tests; // never part of the canonical object
    size_t test_count;
};

struct rt_notes; // proto/doc/doc.h: what was read and is not played yet

// Parse a scenario file's text; name is what errors call it ("scenarios/mail-03.yaml"). The struct
// lives in arena. Checks everything that needs no bench: references, templates in every arm ×
// phrasing, patterns, types, bounds. notes may be NULL.
enum rt_status rt_scenario_read(struct rt_bytes text, const char *name, struct rt_arena *arena,
                                struct rt_scenario **ret_scenario, struct rt_notes *notes,
                                struct rt_error *err) RT_WARN_UNUSED;
// Read the files and the rubric that the scenario names, below the bench's folder, into it, and
// check it again with them. name as above. Until then their texts are empty. Blocks on the disk.
enum rt_status rt_scenario_attach(struct rt_scenario *scenario, const char *folder,
                                  const char *name, struct rt_arena *arena,
                                  struct rt_error *err) RT_WARN_UNUSED;

// Differences between phrasings that change the meaning: placeholders, numbers and tool names not
// the same in each. One line a finding ("file:line: ...") is appended to out; returns how many.
size_t rt_scenario_lint(const struct rt_scenario *scenario, const char *name, struct rt_buf *out);

#define RT_SALT_BYTES 32
// The object: salt ‖ canonical msgpack (without tests). Its SHA-256 is the scenario's digest.
enum rt_status rt_scenario_encode(const struct rt_scenario *scenario,
                                  const uint8_t salt[RT_SALT_BYTES],
                                  struct rt_buf *out) RT_WARN_UNUSED;
// The inverse, strict: RT_MALFORMED for anything that rt_scenario_encode would not have written.
// Texts are copied into arena.
enum rt_status rt_scenario_decode(struct rt_bytes object, struct rt_arena *arena,
                                  struct rt_scenario **ret_scenario) RT_WARN_UNUSED;

// The place a template is expanded in. world has scenario->world_count current values, or is NULL
// for the initial ones.
struct rt_scene {
    const struct rt_scenario *scenario;
    uint32_t arm;
    uint32_t phrasing;
    const char *const *world;
    // Where {{args.x}} means something: the tool that was called, and its arguments' texts by path
    // (recipient.name, lines.0). An argument that the call lacks is empty.
    const struct rt_tool *tool;
    const struct rt_pair *args;
    size_t arg_count;
};
enum rt_expand { RT_EXPAND_TEXT, RT_EXPAND_PATTERN }; // PATTERN quotes values for PCRE2

// Append text with every {{name}} replaced: {{world.x}} the world's value, {{args.x}} the call's
// argument, {{file.x}} the file's text as it is, else the arm's variable, else the phrasing's
// (whose own {{...}} are expanded in turn, at most 4 deep). RT_NOT_FOUND for an unknown name (never
// after a successful read or decode). RT_TOO_LARGE beyond RT_SCENARIO_TEXT_MOST bytes and what the
// scenario's files add; the head of the text has then been appended.
enum rt_status rt_scenario_expand(const struct rt_scene *scene, const char *text,
                                  enum rt_expand how, struct rt_buf *out) RT_WARN_UNUSED;
// The argument of a tool that a path leads to: a name, then names of properties or places of items
// (recipient.name, lines.0). NULL when there is none.
const struct rt_arg *rt_arg_find(const struct rt_tool *tool, const char *path);
// The most bytes that one text of the scenario may expand to.
size_t rt_scenario_expanded_most(const struct rt_scenario *scenario);
// Where the system prompt goes in this scene.
enum rt_placement rt_scenario_placement(const struct rt_scene *scene);

#endif
