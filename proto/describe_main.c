// SPDX-License-Identifier: Apache-2.0
// proto-describe: prints docs/PROTOCOL.md or tests/fuzz/proto.dict from the tables, or writes the
// fuzzers' first inputs. For developers; not installed.
#include <stdio.h>
#include <string.h>

#include "common/base/file.h"
#include "proto/describe.h"
#include "proto/message.h"
#include "proto/object.h"
#include "proto/object_incident.h"
#include "proto/object_rating.h"
#include "proto/schema_random.h"
#include "proto/statement.h"

#define SEED_BULK 40

static enum rt_status save(const char *folder, const char *name, struct rt_bytes bytes,
                           struct rt_error *err)
{
    char path[1024];
    enum rt_status status = rt_file_mkdir(folder, 0777, err);
    if (!status)
        status = rt_path_join(path, sizeof path, folder, name);
    return status ? status : rt_file_write(path, bytes, 0666, err);
}

// A random record behind the byte that tells fuzz_message which decoder it is for.
static enum rt_status save_record(const char *root, const struct rt_schema *schema, uint8_t which,
                                  struct rt_error *err)
{
    char name[64];
    snprintf(name, sizeof name, "%s-%s", which ? "object" : "message", schema->name);
    union {
        struct rt_message message;
        struct rt_object_unit unit;
        struct rt_object_result result;
        struct rt_object_fingerprint fingerprint;
        struct rt_object_rating rating;
        struct rt_object_incident incident;
    } record;
    struct rt_random random = {.state = (uint64_t)schema->lead * 4 + which};
    struct rt_arena arena;
    struct rt_buf out;
    char folder[900];
    rt_arena_init(&arena, 1 << 20);
    rt_buf_init(&out, RT_PAYLOAD_MOST + 1);
    rt_buf_add_u8(&out, which);
    enum rt_status status = rt_path_join(folder, sizeof folder, root, "proto_message");
    if (!status)
        status = rt_schema_random(schema, &random, SEED_BULK, &arena, &record);
    if (!status)
        status = rt_schema_encode(schema, &record, RT_PAYLOAD_MOST, &out, NULL);
    if (!status)
        status = save(folder, name, rt_buf_bytes(&out), err);
    // The encoding alone is an input for the reader.
    if (!status)
        status = rt_path_join(folder, sizeof folder, root, "proto_msgpack");
    if (!status)
        status = save(folder, name, rt_bytes(out.data + 1, out.size - 1), err);
    rt_buf_release(&out);
    rt_arena_release(&arena);
    return status;
}

static enum rt_status save_statement(const char *root, enum rt_statement_kind kind,
                                     struct rt_error *err)
{
    static const uint8_t seed[RT_KEY_SEED_BYTES] = "a key that signs nothing real";
    struct rt_statement statement = {.kind = kind,
                                     .consortium = rt_bytes_str("ring"),
                                     .name = rt_bytes_str("demo"),
                                     .lab = rt_bytes_str("uni-a"),
                                     .incident = rt_bytes_str("leak-1"),
                                     .step = rt_bytes_str("opened"),
                                     .grant = rt_bytes_str("press"),
                                     .what = rt_bytes_str("results"),
                                     .to = rt_bytes_str("everyone"),
                                     .reason = rt_bytes_str("because"),
                                     .version = 2,
                                     .seen = {.origin = rt_bytes_str("ring.example/log")},
                                     .pair_count = 2};
    struct rt_statement parsed;
    struct rt_secret_key *key = NULL;
    struct rt_buf text, leaf;
    char folder[900];
    rt_buf_init(&text, RT_STATEMENT_MOST);
    rt_buf_init(&leaf, RT_STATEMENT_MOST);
    enum rt_status status = rt_path_join(folder, sizeof folder, root, "proto_statement");
    if (!status)
        status = rt_secret_key_from_seed(seed, &key);
    if (!status)
        status = rt_statement_make(&statement, key, &text);
    if (!status)
        status = rt_statement_parse(rt_buf_bytes(&text), &parsed, NULL);
    if (!status)
        status = rt_statement_leaf(&parsed, 1, &leaf);
    if (!status)
        status = save(folder, rt_statement_kind_word(kind), rt_buf_bytes(&leaf), err);
    rt_buf_release(&text);
    rt_buf_release(&leaf);
    rt_secret_key_free(key);
    return status;
}

static enum rt_status save_seeds(const char *root, struct rt_error *err)
{
    enum rt_status status = rt_crypto_init();
    for (int type = 1; !status && type <= RT_MESSAGE_TYPE_MOST; type++)
        status = save_record(root, rt_message_schema((enum rt_message_type)type), 0, err);
    if (!status)
        status = save_record(root, rt_object_unit_schema(), 1, err);
    if (!status)
        status = save_record(root, rt_object_result_schema(), 2, err);
    if (!status)
        status = save_record(root, rt_object_fingerprint_schema(), 3, err);
    if (!status)
        status = save_record(root, rt_object_rating_schema(), 4, err);
    if (!status)
        status = save_record(root, rt_object_incident_schema(), 5, err);
    for (int kind = 0; !status && kind < RT_STATEMENT_KIND_COUNT; kind++)
        status = save_statement(root, (enum rt_statement_kind)kind, err);
    return status;
}

static enum rt_status print(void (*describe)(struct rt_buf *))
{
    struct rt_buf out;
    rt_buf_init(&out, 1 << 20);
    describe(&out);
    enum rt_status status = rt_buf_ok(&out);
    if (!status && (fwrite(out.data, 1, out.size, stdout) != out.size || fflush(stdout) != 0))
        status = RT_IO;
    rt_buf_release(&out);
    return status;
}

int main(int argc, char **argv)
{
    struct rt_error err = {RT_OK, ""};
    enum rt_status status;
    if (argc == 2 && strcmp(argv[1], "protocol") == 0) {
        status = print(rt_describe_protocol);
    } else if (argc == 2 && strcmp(argv[1], "dictionary") == 0) {
        status = print(rt_describe_dictionary);
    } else if (argc == 3 && strcmp(argv[1], "seeds") == 0) {
        status = save_seeds(argv[2], &err);
    } else {
        fputs("usage: proto-describe protocol | dictionary | seeds FOLDER\n", stderr);
        return RT_EXIT_USAGE;
    }
    if (status)
        fprintf(stderr, "proto-describe: %s %s\n", rt_status_text(status), err.text);
    return rt_status_exit(status);
}
