// SPDX-License-Identifier: Apache-2.0
// Command lines declared once: one table of commands, each with one table of options, drives
// parsing, --help with an example, the man page and shell completion. Never exits and never prints
// by itself except in rt_cli_main. Single-threaded, at program start.
#ifndef RT_BASE_OPTION_H
#define RT_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/bytes.h"
#include "common/base/error.h"

enum rt_option_kind {
    RT_OPTION_FLAG,     // bool
    RT_OPTION_TEXT,     // const char *
    RT_OPTION_LIST,     // struct rt_text_list: may be given again
    RT_OPTION_COUNT,    // uint64_t, whole number within [least, most]
    RT_OPTION_NUMBER,   // double
    RT_OPTION_DURATION, // int64_t milliseconds
};

#define RT_TEXT_LIST_MOST 64
struct rt_text_list {
    const char *items[RT_TEXT_LIST_MOST];
    size_t count;
};

// One option. offset is the place of its value inside the command's own settings struct.
struct rt_option {
    const char *name; // without "--"
    char letter;      // 0: no short form
    enum rt_option_kind kind;
    size_t offset;
    const char *value_name; // "FILE", "N"; NULL for flags
    const char *help;       // one sentence
    uint64_t least, most;   // COUNT only; most 0: no bound
    bool required;
};

struct rt_command {
    const char *name;     // "campaign check" (words separated by one space)
    const char *summary;  // one line for the list of commands; NULL: not listed anywhere
    const char *operands; // "BUNDLE", "CAMPAIGN [LAB…]", "" for none
    size_t operands_least, operands_most;
    const struct rt_option *options;  // ends with a row whose name is NULL; may be NULL
    size_t settings_size;             // zeroed before `defaults` runs
    void (*defaults)(void *settings); // may be NULL
    // operands are settings-independent; returns a status whose exit code the program ends with.
    enum rt_status (*run)(const void *settings, const struct rt_text_list *operands,
                          struct rt_error *err);
    const char *example; // one or more lines as typed
    const char *about;   // a paragraph for --help and the man page; may be NULL
    bool no_json;        // --json has no meaning here: refused as wrong usage
};

struct rt_program {
    const char *name;
    const char *summary;
    const struct rt_command *commands; // ends with a row whose name is NULL
};

// Options every command has: --help, --json, --verbose/-v (repeatable), --quiet/-q, --log-format
// text|json.
struct rt_globals {
    bool json;
    bool quiet;
};
extern struct rt_globals rt_globals;

// Parse and run. Prints help or the error ("program: text") and returns the exit code.
int rt_cli_main(const struct rt_program *program, int argc, char **argv);

// The pieces, for tests and documentation.
enum rt_status rt_cli_parse(const struct rt_program *program, int argc, char **argv,
                            const struct rt_command **ret_command, void *settings,
                            size_t settings_capacity, struct rt_text_list *ret_operands,
                            bool *ret_help, struct rt_error *err) RT_WARN_UNUSED;
void rt_cli_help(const struct rt_program *program, const struct rt_command *command,
                 struct rt_buf *out);
void rt_cli_man(const struct rt_program *program, struct rt_buf *out); // roff man page, section 1
void rt_cli_completion(const struct rt_program *program,
                       struct rt_buf *out); // bash completion script

#endif
