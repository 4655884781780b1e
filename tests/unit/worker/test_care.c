// SPDX-License-Identifier: Apache-2.0
// Children that are never waited for, the event program's queue and bounds, sealed vault records,
// whole packs, and unit files.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/service.h"
#include "common/base/time.h"
#include "worker/care/child.h"
#include "worker/care/hook.h"
#include "worker/vault.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rt-care-XXXXXX");
    return sodium_init() < 0 || !mkdtemp(folder) ? -1 : 0;
}

static int remove_folder(void **state)
{
    char command[96];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void in_folder(char path[128], const char *name)
{
    snprintf(path, 128, "%s/%s", folder, name);
}

static void pause_ms(int64_t ms)
{
    nanosleep(&(struct timespec){ms / 1000, (ms % 1000) * 1000000}, NULL);
}

static struct rt_child_end end_of(struct rt_child *child)
{
    struct rt_child_end end = {false, -1};
    for (int i = 0; i < 2000 && !rt_child_ended(child, &end); i++)
        pause_ms(5);
    assert_int_equal(child->pid, 0);
    return end;
}

static void shell(struct rt_child *child, const char *text, char *const *env, const char *input,
                  int64_t timeout_ms)
{
    struct rt_error err;
    char *const argv[] = {(char[]){"/bin/sh"}, (char[]){"-c"}, (char *)(uintptr_t)text, NULL};
    assert_int_equal(rt_child_start(child, argv, env, rt_bytes_str(input), timeout_ms, &err),
                     RT_OK);
}

static void test_child(void **state)
{
    (void)state;
    struct rt_child child = {0};
    struct rt_error err;
    shell(&child, "exit 7", NULL, "", 5000);
    assert_int_equal(end_of(&child).code, 7);
    shell(&child, "read x; test \"$x\" = hello && test \"$RT_X\" = y",
          (char *[]){(char[]){"RT_X=y"}, NULL}, "hello\n", 5000);
    assert_int_equal(end_of(&child).code, 0);
    // One that does not end is killed with what it started, and says so.
    char path[128];
    char text[256];
    in_folder(path, "alive");
    snprintf(text, sizeof text, "trap '' TERM; (sleep 2; touch %s) & sleep 100", path);
    int64_t start_ms = rt_time_mono_ms();
    shell(&child, text, NULL, "", 200);
    struct rt_child_end end = end_of(&child);
    assert_true(end.timed_out);
    assert_true(rt_time_mono_ms() - start_ms < 1500);
    pause_ms(2100);
    assert_false(rt_file_exists(path));
    char *const missing[] = {(char[]){"/nonexistent/program"}, NULL};
    enum rt_status status = rt_child_start(&child, missing, NULL, rt_bytes(NULL, 0), 100, &err);
    assert_int_not_equal(status, RT_OK);
    assert_int_equal(child.pid, 0);
}

// ---- the hook

static void write_program(char path[128], const char *text)
{
    struct rt_error err;
    in_folder(path, "program");
    assert_int_equal(rt_file_write(path, rt_bytes_str(text), 0700, &err), RT_OK);
}

static void finish(struct rt_hook *hook)
{
    rt_hook_finish(hook, 10000);
    assert_true(rt_hook_idle(hook));
}

static void test_hook_tells(void **state)
{
    (void)state;
    char program[128], out[128], text[400];
    struct rt_hook *hook = NULL;
    struct rt_error err;
    struct rt_buf got;
    json_t *json = NULL;
    in_folder(out, "event.json");
    snprintf(text, sizeof text,
             "#!/bin/sh\ncat > %s\necho \"$RINGTRIAL_EVENT|$RINGTRIAL_TEXT\" > %s.env\n", out, out);
    write_program(program, text);
    assert_int_equal(rt_hook_new(program, "uni-a", folder, &hook, &err), RT_OK);
    // What others wrote is text, whatever is in it.
    struct rt_care_news news = {.event = RT_CARE_PARKED,
                                .time_ms = 1700000000000,
                                .campaign = "trial",
                                .digest = "",
                                .subject = "",
                                .text = "\"; touch /tmp/x\n$(id)\x01"};
    assert_true(rt_hook_tell(hook, &news));
    finish(hook);
    rt_buf_init(&got, 1 << 16);
    assert_int_equal(rt_file_read(out, &got, &err), RT_OK);
    assert_int_equal(rt_json_parse(rt_buf_bytes(&got), &json, NULL), RT_OK);
    assert_string_equal(json_string_value(json_object_get(json, "event")), "parked");
    assert_string_equal(json_string_value(json_object_get(json, "lab")), "uni-a");
    assert_string_equal(json_string_value(json_object_get(json, "time")),
                        "2023-11-14T22:13:20.000Z");
    assert_string_equal(json_string_value(json_object_get(json, "text")), news.text);
    json_decref(json);
    rt_buf_clear(&got);
    in_folder(out, "event.json.env");
    assert_int_equal(rt_file_read(out, &got, &err), RT_OK);
    assert_string_equal(rt_buf_str(&got), "parked|\"; touch /tmp/x $(id) \n");
    rt_buf_release(&got);
    rt_hook_free(hook);
}

static void test_hook_is_bounded(void **state)
{
    (void)state;
    char program[128];
    struct rt_hook *hook = NULL;
    struct rt_error err;
    struct rt_care_news news = {RT_CARE_HELD, 0, "", "", "", "x"};
    write_program(program, "#!/bin/sh\nsleep 100\n");
    assert_int_equal(rt_hook_new(program, "uni-a", folder, &hook, &err), RT_OK);
    int told = 0;
    int64_t start_ms = rt_time_mono_ms();
    for (int i = 0; i < 1000; i++) {
        told += rt_hook_tell(hook, &news);
        rt_hook_turn(hook);
    }
    assert_int_equal(told, 60);
    assert_true(rt_time_mono_ms() - start_ms < 2000);
    assert_false(rt_hook_idle(hook));
    rt_hook_free(hook); // kills it
    assert_int_equal(rt_hook_new("", "uni-a", folder, &hook, &err), RT_OK);
    assert_false(rt_hook_tell(hook, &news));
    rt_hook_free(hook);
}

// ---- the vault

static struct rt_vault *open_vault(const struct rt_vault_key *key, bool seal)
{
    char path[128];
    struct rt_vault *vault = NULL;
    struct rt_error err;
    in_folder(path, "vault");
    assert_int_equal(rt_vault_open(path, false, &vault, &err), RT_OK);
    if (key)
        assert_int_equal(rt_vault_seal(vault, key, seal), RT_OK);
    return vault;
}

static void put(struct rt_vault *vault, const char *text, struct rt_vault_place *ret_place,
                struct rt_digest *ret_digest)
{
    struct rt_buf record;
    struct rt_error err;
    rt_buf_init(&record, 1 << 20);
    assert_int_equal(rt_vault_pack(vault, rt_bytes_str(text), ret_digest, &record), RT_OK);
    assert_int_equal(rt_vault_append(vault, rt_buf_bytes(&record), ret_place, &err), RT_OK);
    assert_int_equal(rt_vault_sync(vault, &err), RT_OK);
    rt_vault_keep(vault);
    rt_buf_release(&record);
}

static enum rt_status get(struct rt_vault *vault, const struct rt_vault_place *place,
                          const struct rt_digest *digest, const char *expected)
{
    struct rt_buf out;
    struct rt_error err;
    rt_buf_init(&out, 1 << 20);
    enum rt_status status = rt_vault_read(vault, place, digest, &out, &err);
    if (!status)
        assert_string_equal(rt_buf_str(&out), expected);
    rt_buf_release(&out);
    return status;
}

// Flip one bit of the pack at an offset.
static void flip(uint64_t offset)
{
    char path[128];
    in_folder(path, "vault/pack-00000001");
    FILE *file = fopen(path, "r+e");
    assert_non_null(file);
    fseek(file, (long)offset, SEEK_SET);
    int byte = fgetc(file);
    fseek(file, (long)offset, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
}

static void test_sealed_records(void **state)
{
    (void)state;
    static const char secret[] = "a transcript that is nobody's business, nobody's business";
    struct rt_vault_key key = {{1}, {0}}, other = {{2}, {0}};
    struct rt_vault_place plain_place, place;
    struct rt_digest plain, sealed, expected;
    rt_vault_key_id(&key);
    rt_vault_key_id(&other);
    struct rt_vault *vault = open_vault(NULL, false);
    put(vault, "old and in the open", &plain_place, &plain);
    rt_vault_free(vault);
    vault = open_vault(&key, true);
    put(vault, secret, &place, &sealed);
    rt_sha256(rt_bytes_str(secret), &expected);
    assert_true(rt_digest_equal(&sealed, &expected)); // the name is the plaintext's
    assert_int_equal(get(vault, &place, &sealed, secret), RT_OK);
    assert_int_equal(get(vault, &plain_place, &plain, "old and in the open"), RT_OK);
    assert_int_equal(get(vault, &place, &plain, ""), RT_CORRUPT);
    rt_vault_free(vault);

    vault = open_vault(&other, true);
    assert_int_equal(get(vault, &place, &sealed, ""), RT_UNKNOWN_KEY);
    rt_vault_free(vault);
    vault = open_vault(NULL, false);
    assert_int_equal(get(vault, &place, &sealed, ""), RT_UNKNOWN_KEY);
    rt_vault_free(vault);

    // Every bit counts: head, key id, nonce, text and tag.
    for (uint64_t at = place.offset; at < place.offset + place.size; at++) {
        flip(at);
        vault = open_vault(&key, false);
        assert_int_not_equal(get(vault, &place, &sealed, ""), RT_OK);
        rt_vault_free(vault);
        if (at < place.offset + 12) { // opening may have cut the record off: sizes and magic
            char path[128];
            struct stat info;
            in_folder(path, "vault/pack-00000001");
            assert_int_equal(stat(path, &info), 0);
            if ((uint64_t)info.st_size < place.offset + place.size) {
                vault = open_vault(&key, true);
                put(vault, secret, &place, &sealed);
                rt_vault_free(vault);
                continue;
            }
        }
        flip(at);
    }
    vault = open_vault(&key, false);
    assert_int_equal(get(vault, &place, &sealed, secret), RT_OK);
    rt_vault_free(vault);
}

static void test_packs_come_and_go(void **state)
{
    (void)state;
    struct rt_vault_key key = {{3}, {0}};
    struct rt_vault_place first, second, third;
    struct rt_digest a, b, c;
    struct rt_vault_pack_info *infos = NULL;
    size_t count = 0;
    struct rt_error err;
    rt_vault_key_id(&key);
    struct rt_vault *vault = open_vault(&key, true);
    rt_vault_rotate(vault);
    put(vault, "first", &first, &a);
    assert_int_equal(rt_vault_delete(vault, first.pack, &err), RT_BUSY);
    rt_vault_rotate(vault);
    put(vault, "second", &second, &b);
    assert_int_equal(second.pack, first.pack + 1);
    assert_int_equal(rt_vault_packs(vault, &infos, &count, &err), RT_OK);
    assert_true(count >= 2 && infos[count - 1].newest && !infos[count - 2].newest);
    assert_int_equal(infos[count - 1].records, 1);
    assert_int_equal(infos[count - 1].sealed, 1);
    assert_int_equal(infos[count - 1].object_bytes, 6);
    free(infos);
    assert_int_equal(rt_vault_delete(vault, first.pack, &err), RT_OK);
    assert_int_equal(get(vault, &first, &a, ""), RT_NOT_FOUND);
    assert_int_equal(get(vault, &second, &b, "second"), RT_OK);
    // The newest, once nothing is to be added to it; its number is not used again.
    rt_vault_rotate(vault);
    assert_int_equal(rt_vault_delete(vault, second.pack, &err), RT_OK);
    put(vault, "third", &third, &c);
    assert_int_equal(third.pack, second.pack + 1);
    rt_vault_free(vault);
    vault = open_vault(&key, true);
    assert_int_equal(get(vault, &third, &c, "third"), RT_OK);
    rt_vault_free(vault);
}

// ---- units

static void test_unit_texts(void **state)
{
    (void)state;
    struct rt_buf text;
    struct rt_error err;
    struct rt_service service = {.name = "x", .description = "d", .user = "u", .program = "/a b/%c",
                                 .arguments = {"run", "$HOME"}, .folder = "/f", .passphrase = "",
                                 .memory_most = "", .writes = {"/f g%h"}, .tasks_most = 1};
    rt_buf_init(&text, 1 << 16);
    assert_int_equal(rt_service_unit(&service, &text, &err), RT_OK);
    assert_non_null(strstr(rt_buf_str(&text), "ExecStart=\"/a b/%%c\" \"run\" \"$$HOME\"\n"));
    assert_non_null(strstr(rt_buf_str(&text), "ReadWritePaths=\"/f g%%h\"\n"));
    assert_non_null(strstr(rt_buf_str(&text), "Type=exec\n"));
    service.program = "/a\nExecStartPre=/bin/sh";
    assert_int_equal(rt_service_unit(&service, &text, &err), RT_MALFORMED);
    service.program = "/a\"b";
    assert_int_equal(rt_service_unit(&service, &text, &err), RT_MALFORMED);
    service.program = "/a";
    service.user = "u\nUser=root";
    assert_int_equal(rt_service_unit(&service, &text, &err), RT_MALFORMED);
    rt_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_child),
        cmocka_unit_test(test_hook_tells),
        cmocka_unit_test(test_hook_is_bounded),
        cmocka_unit_test(test_sealed_records),
        cmocka_unit_test(test_packs_come_and_go),
        cmocka_unit_test(test_unit_texts),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
