// SPDX-License-Identifier: Apache-2.0
#include "common/base/option.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/base/time.h"

#define HELP_COLUMNS 80

struct rt_globals rt_globals;

struct globals {
    bool help, json, quiet, verbose, version;
    const char *log_format;
};

static const struct rt_option global_options[] = {
    {.name = "help",
     .letter = 'h',
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct globals, help),
     .help = "Show help for the program or the command."},
    {.name = "version",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct globals, version),
     .help = "Show the version."},
    {.name = "json",
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct globals, json),
     .help = "Print JSON on standard output."},
    {.name = "quiet",
     .letter = 'q',
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct globals, quiet),
     .help = "No progress, warnings and errors only."},
    {.name = "verbose",
     .letter = 'v',
     .kind = RT_OPTION_FLAG,
     .offset = offsetof(struct globals, verbose),
     .help = "Log debug messages."},
    {.name = "log-format",
     .kind = RT_OPTION_TEXT,
     .offset = offsetof(struct globals, log_format),
     .value_name = "FORM",
     .help = "text or json."},
    {0}};

static const struct rt_option *find_option(const struct rt_option *options, const char *name,
                                           size_t size, char letter)
{
    for (; options && options->name; options++) {
        if (letter ? options->letter == letter
                   : strlen(options->name) == size && !memcmp(options->name, name, size))
            return options;
    }
    return NULL;
}

static enum rt_status set_value(const struct rt_option *option, const char *text, void *settings,
                                struct rt_error *err)
{
    void *place = (char *)settings + option->offset;
    switch (option->kind) {
    case RT_OPTION_FLAG:
        *(bool *)place = true;
        return RT_OK;
    case RT_OPTION_TEXT:
        *(const char **)place = text;
        return RT_OK;
    case RT_OPTION_LIST: {
        struct rt_text_list *list = place;
        if (list->count == RT_TEXT_LIST_MOST)
            return rt_error_set(err, RT_USAGE, "--%s is given more than %d times", option->name,
                                RT_TEXT_LIST_MOST);
        list->items[list->count++] = text;
        return RT_OK;
    }
    case RT_OPTION_COUNT: {
        uint64_t value;
        if (rt_parse_u64(text, &value))
            return rt_error_set(err, RT_USAGE, "--%s wants a whole number, not '%s'", option->name,
                                text);
        if (value < option->least || (option->most && value > option->most))
            return rt_error_set(err, RT_USAGE, "--%s %s is outside %" PRIu64 " to %" PRIu64,
                                option->name, text, option->least,
                                option->most ? option->most : UINT64_MAX);
        *(uint64_t *)place = value;
        return RT_OK;
    }
    case RT_OPTION_NUMBER:
        if (rt_parse_double(text, place))
            return rt_error_set(err, RT_USAGE, "--%s wants a number, not '%s'", option->name, text);
        return RT_OK;
    case RT_OPTION_DURATION:
        if (rt_duration_parse(text, place))
            return rt_error_set(err, RT_USAGE,
                                "--%s wants a duration such as 30s, 10m or 7d, not '%s'",
                                option->name, text);
        return RT_OK;
    }
    RT_ASSERT(!"option kind");
    return RT_USAGE;
}

static enum rt_status unknown_option(const struct rt_option *options, const char *argument,
                                     struct rt_error *err)
{
    const char *names[128];
    size_t count = 0;
    for (; options && options->name && count < 100; options++)
        names[count++] = options->name;
    for (const struct rt_option *o = global_options; o->name; o++)
        names[count++] = o->name;
    names[count] = NULL;
    const char *closest = argument[1] == '-' ? rt_did_you_mean(argument + 2, names) : NULL;
    if (closest)
        return rt_error_set(err, RT_USAGE, "unknown option %s; did you mean --%s?", argument,
                            closest);
    return rt_error_set(err, RT_USAGE, "unknown option %s; --help lists them", argument);
}

// One option at argv[*index]; moves *index past its value.
static enum rt_status take_option(const struct rt_option *options, void *settings,
                                  struct globals *globals, int argc, char **argv, int *index,
                                  struct rt_error *err)
{
    const char *argument = argv[*index];
    bool is_long = argument[1] == '-';
    const char *name = argument + 1 + is_long;
    const char *equals = is_long ? strchr(name, '=') : NULL;
    size_t size = equals ? (size_t)(equals - name) : strlen(name);
    char letter = is_long ? 0 : *name;
    if (!is_long && name[1])
        return rt_error_set(err, RT_USAGE, "%s: give short options one by one", argument);
    void *target = settings;
    const struct rt_option *option = find_option(options, name, size, letter);
    if (!option) {
        option = find_option(global_options, name, size, letter);
        target = globals;
    }
    if (!option)
        return unknown_option(options, argument, err);
    const char *value = equals ? equals + 1 : NULL;
    if (option->kind == RT_OPTION_FLAG) {
        if (value)
            return rt_error_set(err, RT_USAGE, "--%s takes no value", option->name);
    } else if (!value) {
        if (*index + 1 >= argc)
            return rt_error_set(err, RT_USAGE, "--%s wants a %s", option->name, option->value_name);
        value = argv[++*index];
    }
    return set_value(option, value, target, err);
}

// The command whose words stand at argv[1…]; longest name wins. Returns how many words it used.
static int match_command(const struct rt_program *program, int argc, char **argv,
                         const struct rt_command **ret_command)
{
    int best = 0;
    for (const struct rt_command *command = program->commands; command->name; command++) {
        const char *p = command->name;
        int words = 0;
        while (*p && words + 1 < argc) {
            size_t size = strcspn(p, " ");
            if (strlen(argv[words + 1]) != size || memcmp(argv[words + 1], p, size) != 0)
                break;
            words++;
            p += size;
            p += *p == ' ';
        }
        if (!*p && words > best) {
            best = words;
            *ret_command = command;
        }
    }
    return best;
}

static enum rt_status no_command(const struct rt_program *program, const char *word,
                                 struct rt_error *err)
{
    const char *names[128];
    size_t count = 0;
    for (const struct rt_command *c = program->commands; c->name && count < 127; c++)
        names[count++] = c->name;
    names[count] = NULL;
    const char *closest = rt_did_you_mean(word, names);
    if (closest)
        return rt_error_set(err, RT_USAGE, "unknown command '%s'; did you mean '%s'?", word,
                            closest);
    return rt_error_set(err, RT_USAGE, "unknown command '%s'; %s --help lists them", word,
                        program->name);
}

static enum rt_status check_required(const struct rt_command *command, const void *settings,
                                     const struct rt_text_list *operands, struct rt_error *err)
{
    for (const struct rt_option *o = command->options; o && o->name; o++) {
        const void *place = (const char *)settings + o->offset;
        if (!o->required) // flags never are, and lie at any address
            continue;
        bool given = o->kind == RT_OPTION_LIST ? ((const struct rt_text_list *)place)->count > 0
                                               : *(const char *const *)place != NULL;
        if (!given)
            return rt_error_set(err, RT_USAGE, "--%s %s is required; see '%s --help'", o->name,
                                o->value_name, command->name);
    }
    if (operands->count < command->operands_least || operands->count > command->operands_most)
        return rt_error_set(err, RT_USAGE, "%s takes %s; see '%s --help'", command->name,
                            command->operands_most ? command->operands : "no operands",
                            command->name);
    return RT_OK;
}

static enum rt_status parse(const struct rt_program *program, int argc, char **argv,
                            const struct rt_command **ret_command, void *settings,
                            size_t settings_capacity, struct rt_text_list *ret_operands,
                            struct globals *globals, struct rt_error *err)
{
    *ret_command = NULL;
    ret_operands->count = 0;
    int used = match_command(program, argc, argv, ret_command);
    const struct rt_command *command = *ret_command;
    if (command) {
        RT_ASSERT(command->settings_size <= settings_capacity);
        memset(settings, 0, command->settings_size);
        if (command->defaults)
            command->defaults(settings);
    }
    bool only_operands = false;
    for (int i = 1 + used; i < argc; i++) {
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else if (!only_operands && argv[i][0] == '-' && argv[i][1]) {
            enum rt_status status = take_option(command ? command->options : NULL, settings,
                                                globals, argc, argv, &i, err);
            if (status)
                return status;
        } else if (!command) {
            return no_command(program, argv[i], err);
        } else {
            if (ret_operands->count == RT_TEXT_LIST_MOST)
                return rt_error_set(err, RT_USAGE, "more than %d operands", RT_TEXT_LIST_MOST);
            ret_operands->items[ret_operands->count++] = argv[i];
        }
    }
    if (globals->help || globals->version)
        return RT_OK;
    if (!command)
        return rt_error_set(err, RT_USAGE, "a command is missing; %s --help lists them",
                            program->name);
    return check_required(command, settings, ret_operands, err);
}

enum rt_status rt_cli_parse(const struct rt_program *program, int argc, char **argv,
                            const struct rt_command **ret_command, void *settings,
                            size_t settings_capacity, struct rt_text_list *ret_operands,
                            bool *ret_help, struct rt_error *err)
{
    struct globals globals = {0};
    enum rt_status status = parse(program, argc, argv, ret_command, settings, settings_capacity,
                                  ret_operands, &globals, err);
    *ret_help = globals.help;
    return status;
}

static void add_options(struct rt_buf *out, const struct rt_option *options)
{
    for (; options && options->name; options++) {
        char left[80];
        snprintf(left, sizeof left, "%s%c%s--%s%s%s", options->letter ? "-" : "  ",
                 options->letter ? options->letter : ' ', options->letter ? ", " : " ",
                 options->name, options->value_name ? " " : "",
                 options->value_name ? options->value_name : "");
        rt_buf_printf(out, "  %-30s %s%s\n", left, options->help,
                      options->required ? " Required." : "");
    }
}

// Summaries are written as sentences here and as phrases there; a list shows them alike.
static void add_summary(const struct rt_command *command, struct rt_buf *out)
{
    const char *text = command->summary;
    size_t size = strlen(text);
    bool small = *text >= 'a' && *text <= 'z';
    if (size && text[size - 1] == '.')
        size--;
    rt_buf_printf(out, "  %-22s ", command->name);
    if (small)
        rt_buf_add_u8(out, (uint8_t)(*text - 'a' + 'A'));
    rt_buf_add_bytes(out, rt_bytes(text + small, size - small));
    rt_buf_add_u8(out, '\n');
}

// Words of a paragraph in lines of at most HELP_COLUMNS characters; a line break stays one.
static void add_wrapped(const char *text, struct rt_buf *out)
{
    size_t column = 0;
    while (*text) {
        size_t size = strcspn(text, " \n"), width = 0;
        for (size_t i = 0; i < size; i++)
            width += ((unsigned char)text[i] & 0xc0) != 0x80;
        if (column && column + 1 + width > HELP_COLUMNS) {
            rt_buf_add_u8(out, '\n');
            column = 0;
        }
        if (column)
            rt_buf_add_u8(out, ' ');
        rt_buf_add_bytes(out, rt_bytes(text, size));
        column += width + (column > 0);
        text += size;
        if (*text == '\n') {
            rt_buf_add_u8(out, '\n');
            column = 0;
        }
        text += *text != 0;
    }
    rt_buf_add_u8(out, '\n');
}

static void add_example(const char *text, struct rt_buf *out)
{
    rt_buf_add_str(out, "\nexample:\n");
    for (;;) {
        size_t size = strcspn(text, "\n");
        rt_buf_add_str(out, "  ");
        rt_buf_add_bytes(out, rt_bytes(text, size));
        rt_buf_add_u8(out, '\n');
        if (!text[size])
            return;
        text += size + 1;
    }
}

void rt_cli_help(const struct rt_program *program, const struct rt_command *command,
                 struct rt_buf *out)
{
    if (!command) {
        rt_buf_printf(out, "%s %s: %s\n\nusage: %s COMMAND [OPTION…] [OPERAND…]\n\ncommands:\n",
                      program->name, RT_VERSION, program->summary, program->name);
        for (const struct rt_command *c = program->commands; c->name; c++)
            if (c->summary)
                add_summary(c, out);
        rt_buf_add_str(out, "\noptions of every command:\n");
        add_options(out, global_options);
        rt_buf_add_str(out, "\nexit codes: 0 ok, 1 the check said no, 2 usage, 3 input/output or "
                            "network, 4 bad data,\n"
                            "            5 authentic but incomplete, 6 policy unmet\n");
        return;
    }
    rt_buf_printf(out, "usage: %s %s%s%s%s\n\n", program->name, command->name,
                  command->options ? " [OPTION…]" : "", command->operands_most ? " " : "",
                  command->operands_most ? command->operands : "");
    add_wrapped(command->about ? command->about : command->summary, out);
    if (command->options) {
        rt_buf_add_str(out, "\noptions:\n");
        add_options(out, command->options);
    }
    rt_buf_add_str(out, "\noptions of every command:\n");
    add_options(out, global_options);
    if (command->example)
        add_example(command->example, out);
}

static void roff(struct rt_buf *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p == '-' || *p == '\\')
            rt_buf_add_u8(out, '\\');
        if (*p == '\n' && (p[1] == '.' || p[1] == '\''))
            rt_buf_add_str(out, "\n\\&");
        else
            rt_buf_add_u8(out, (uint8_t)*p);
    }
}

void rt_cli_man(const struct rt_program *program, struct rt_buf *out)
{
    rt_buf_printf(out, ".TH %s 1 \"\" \"ringtrial %s\" \"User Commands\"\n.SH NAME\n",
                  program->name, RT_VERSION);
    roff(out, program->name);
    rt_buf_add_str(out, " \\- ");
    roff(out, program->summary);
    rt_buf_add_str(out, "\n.SH COMMANDS\n");
    for (const struct rt_command *c = program->commands; c->name; c++) {
        if (!c->summary)
            continue;
        rt_buf_printf(out, ".SS \"%s%s%s\"\n", c->name, c->operands_most ? " " : "",
                      c->operands_most ? c->operands : "");
        roff(out, c->about ? c->about : c->summary);
        rt_buf_add_str(out, "\n");
        for (const struct rt_option *o = c->options; o && o->name; o++) {
            rt_buf_printf(out, ".TP\n\\fB\\-\\-%s\\fR%s%s\n", o->name, o->value_name ? " " : "",
                          o->value_name ? o->value_name : "");
            roff(out, o->help);
            rt_buf_add_str(out, "\n");
        }
        if (c->example) {
            rt_buf_add_str(out, ".PP\n.EX\n");
            roff(out, c->example);
            rt_buf_add_str(out, "\n.EE\n");
        }
    }
    rt_buf_add_str(out, ".SH \"EXIT STATUS\"\n0 ok, 1 the check said no, 2 usage, 3 input/output "
                        "or network, 4 bad data, "
                        "5 authentic but incomplete, 6 policy unmet.\n");
}

void rt_cli_completion(const struct rt_program *program, struct rt_buf *out)
{
    rt_buf_printf(out, "complete -W \"");
    for (const struct rt_command *c = program->commands; c->name; c++) {
        if (!c->summary)
            continue;
        rt_buf_printf(out, "%s ", c->name);
        for (const struct rt_option *o = c->options; o && o->name; o++)
            rt_buf_printf(out, "--%s ", o->name);
    }
    rt_buf_printf(out, "--help --json --quiet --verbose\" %s\n", program->name);
}

static int print_and_release(struct rt_buf *out)
{
    fputs(rt_buf_str(out), stdout);
    rt_buf_release(out);
    return fflush(stdout) ? RT_EXIT_IO : RT_EXIT_OK;
}

// Hidden words that the build uses to make the man page and the completion from the same table.
static bool documentation(const struct rt_program *program, int argc, char **argv,
                          struct rt_buf *out)
{
    if (argc != 2)
        return false;
    if (strcmp(argv[1], "--man") == 0)
        rt_cli_man(program, out);
    else if (strcmp(argv[1], "--completion") == 0)
        rt_cli_completion(program, out);
    else
        return false;
    return true;
}

// "campaign" alone, or "campaign --help": the first word of several commands lists them.
static bool group(const struct rt_program *program, int argc, char **argv, struct rt_buf *out)
{
    if (argc < 2 || (argc > 2 && argv[2][0] != '-'))
        return false;
    size_t size = strlen(argv[1]), found = 0;
    for (const struct rt_command *c = program->commands; c->name; c++) {
        if (strcmp(c->name, argv[1]) == 0)
            return false;
        if (strncmp(c->name, argv[1], size) != 0 || c->name[size] != ' ' || !c->summary)
            continue;
        if (!found++)
            rt_buf_printf(out, "usage: %s %s COMMAND [OPTION…] [OPERAND…]\n\ncommands:\n",
                          program->name, argv[1]);
        add_summary(c, out);
    }
    return found > 0;
}

int rt_cli_main(const struct rt_program *program, int argc, char **argv)
{
    struct rt_buf out;
    rt_buf_init(&out, 1 << 20);
    if (documentation(program, argc, argv, &out))
        return print_and_release(&out);
    if (group(program, argc, argv, &out)) {
        int printed = print_and_release(&out);
        return argc == 2 ? RT_EXIT_USAGE : printed;
    }
    static _Alignas(16) char settings[65536];
    struct globals globals = {0};
    struct rt_error err = {RT_OK, ""};
    const struct rt_command *command;
    struct rt_text_list operands;
    enum rt_status status =
        parse(program, argc, argv, &command, settings, sizeof settings, &operands, &globals, &err);
    if (!status && globals.log_format && strcmp(globals.log_format, "text") &&
        strcmp(globals.log_format, "json"))
        status = rt_error_set(&err, RT_USAGE, "--log-format is text or json, not '%s'",
                              globals.log_format);
    if (!status && globals.json && command && command->no_json && !globals.help)
        status = rt_error_set(&err, RT_USAGE, "%s prints no JSON; leave --json out", command->name);
    if (!status && globals.version) {
        rt_buf_printf(&out, "%s %s\n", program->name, RT_VERSION);
        return print_and_release(&out);
    }
    if (!status && globals.help) {
        rt_cli_help(program, command, &out);
        return print_and_release(&out);
    }
    if (!status) {
        rt_globals = (struct rt_globals){.json = globals.json, .quiet = globals.quiet};
        rt_log_setup(program->name,
                     globals.verbose ? RT_LOG_DEBUG
                     : globals.quiet ? RT_LOG_WARN
                                     : RT_LOG_INFO,
                     globals.log_format && strcmp(globals.log_format, "json") == 0);
        status = command->run(settings, &operands, &err);
    }
    if (fflush(stdout) && !status)
        status = rt_error_set(&err, RT_IO, "cannot write to standard output");
    // A check that said no has already printed its findings; everything else ends with one line.
    if (status && err.text[0])
        fprintf(stderr, "%s: %s\n", program->name, err.text);
    else if (status && status != RT_CHECK_FAILED && status != RT_INCOMPLETE)
        fprintf(stderr, "%s: %s\n", program->name, rt_status_text(status));
    return rt_status_exit(status);
}
