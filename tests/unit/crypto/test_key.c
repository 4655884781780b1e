// SPDX-License-Identifier: Apache-2.0
// Keys and their files: round trips, refusals, and the real minisign program on both sides.
#include "common/crypto/key.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/crypto/minisig.h"
#include "tests/unit/crypto/vectors.h"

static char folder[] = "/tmp/rt-key-XXXXXX";

static int start(void **state)
{
    (void)state;
    return rt_crypto_init() || !mkdtemp(folder);
}

static int end(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    assert_int_equal(rt_path_join(path, sizeof paths[0], folder, name), RT_OK);
    return path;
}

// RFC 8032 section 7.1, test 1.
static void test_from_seed(void **state)
{
    (void)state;
    uint8_t seed[RT_KEY_SEED_BYTES];
    static const char hex[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    assert_int_equal(rt_hex_decode(hex, 64, seed, sizeof seed), RT_OK);
    struct rt_secret_key *key = NULL;
    assert_int_equal(rt_secret_key_from_seed(seed, &key), RT_OK);
    char text[65];
    rt_hex_encode(rt_secret_key_public(key)->bytes, 32, text);
    assert_string_equal(text, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    char id[RT_KEY_ID_BYTES], words[RT_DIGEST_WORDS_BYTES], want[RT_DIGEST_WORDS_BYTES];
    rt_key_id(rt_secret_key_public(key), id);
    struct rt_digest digest;
    rt_sha256(rt_bytes(rt_secret_key_public(key)->bytes, 32), &digest);
    char full[65];
    rt_hex_encode(digest.bytes, 32, full);
    assert_int_equal(strlen(id), 16);
    assert_memory_equal(id, full, 16);
    assert_memory_equal(rt_secret_key_number(key)->bytes, digest.bytes, 8);
    rt_key_words(rt_secret_key_public(key), words);
    rt_digest_words(&digest, want);
    assert_string_equal(words, want);
    rt_secret_key_free(key);
    rt_secret_key_free(NULL);
}

// The eight points of small order, the identity among them, two encodings that are not canonical,
// and one off the curve.
static void test_bad_points(void **state)
{
    (void)state;
    static const char *const points[] = {
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0200000000000000000000000000000000000000000000000000000000000000",
    };
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        struct rt_public_key key, parsed;
        assert_int_equal(rt_hex_decode(points[i], 64, key.bytes, 32), RT_OK);
        assert_int_equal(rt_public_key_check(&key), RT_MALFORMED);
        char text[RT_PUBLIC_KEY_TEXT_BYTES];
        rt_public_key_format(&key, NULL, text);
        assert_int_equal(rt_public_key_parse(rt_bytes_str(text), &parsed, NULL), RT_MALFORMED);
    }
}

static void test_public_text(void **state)
{
    (void)state;
    struct rt_buf file = vector_file("minisign/lab.pub");
    struct rt_public_key key, again;
    struct rt_key_number number, number_again;
    assert_int_equal(rt_public_key_file_parse(rt_buf_bytes(&file), &key, &number), RT_OK);
    char text[RT_PUBLIC_KEY_TEXT_BYTES + 1];
    rt_public_key_format(&key, &number, text);
    assert_string_equal(text, "minisign:RWTkoX5rr8i+6+7nr2GFKgX1TXk2tyGkEI20hacdmiGTPJc5PP/amxih");
    assert_int_equal(strlen(text) + 1, RT_PUBLIC_KEY_TEXT_BYTES);
    assert_int_equal(rt_public_key_parse(rt_bytes_str(text), &again, &number_again), RT_OK);
    assert_true(rt_public_key_equal(&key, &again));
    assert_memory_equal(&number, &number_again, sizeof number);
    // The file form is byte for byte minisign's.
    struct rt_buf out;
    rt_buf_init(&out, 1024);
    rt_public_key_file_format(&key, &number, &out);
    assert_true(rt_bytes_equal(rt_buf_bytes(&out), rt_buf_bytes(&file)));
    rt_buf_release(&out);

    static const char *const wrong[] = {
        "",
        "RWTkoX5rr8i+6+7nr2GFKgX1TXk2tyGkEI20hacdmiGTPJc5PP/amxih",
        "minisign:RWTkoX5rr8i+6+7nr2GFKgX1TXk2tyGkEI20hacdmiGTPJc5PP/amxi",
        "minisign:RWTkoX5rr8i+6+7nr2GFKgX1TXk2tyGkEI20hacdmiGTPJc5PP/amxih=",
        "minisign:RUTkoX5rr8i+6+7nr2GFKgX1TXk2tyGkEI20hacdmiGTPJc5PP/amxih",
        "minisign:RWTkoX5rr8i+6+7nr2GFKgX1TXk2tyGkEI20hacdmiGTPJc5PP_amxih",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(rt_public_key_parse(rt_bytes_str(wrong[i]), &again, NULL), RT_MALFORMED);
    rt_buf_release(&file);
}

static struct rt_secret_key *vector_key(const char *name)
{
    struct rt_buf file = vector_file(name);
    struct rt_secret_key *key = NULL;
    assert_false(rt_secret_key_file_encrypted(rt_buf_bytes(&file)));
    assert_int_equal(rt_secret_key_file_parse(rt_buf_bytes(&file), NULL, &key), RT_OK);
    rt_buf_release(&file);
    return key;
}

static void test_vector_keys(void **state)
{
    (void)state;
    static const char *const names[] = {"minisign/lab", "minisign/other"};
    for (size_t i = 0; i < 2; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s.key", names[i]);
        struct rt_secret_key *key = vector_key(path);
        snprintf(path, sizeof path, "%s.pub", names[i]);
        struct rt_buf file = vector_file(path);
        struct rt_public_key public_key;
        struct rt_key_number number;
        assert_int_equal(rt_public_key_file_parse(rt_buf_bytes(&file), &public_key, &number),
                         RT_OK);
        assert_true(rt_public_key_equal(&public_key, rt_secret_key_public(key)));
        assert_memory_equal(&number, rt_secret_key_number(key), sizeof number);
        rt_buf_release(&file);
        rt_secret_key_free(key);
    }
}

// Every byte of the blob, changed, is either refused or harmless: the key that comes back is the
// same one (its number may differ; nothing protects it in an unencrypted file).
static void test_tampered_key(void **state)
{
    (void)state;
    struct rt_secret_key *key = vector_key("minisign/lab.key");
    struct rt_buf file = vector_file("minisign/lab.key");
    const char *line = strchr((const char *)file.data, '\n') + 1;
    uint8_t blob[158];
    size_t size = 0;
    assert_int_equal(rt_base64_decode(line, strlen(line) - 1, blob, sizeof blob, &size), RT_OK);
    assert_int_equal(size, sizeof blob);
    size_t refused = 0;
    for (size_t i = 0; i < sizeof blob; i++) {
        blob[i] ^= 0x10;
        struct rt_buf changed;
        rt_buf_init(&changed, 1024);
        rt_buf_add_str(&changed, "untrusted comment: x\n");
        rt_base64_add(&changed, blob, sizeof blob);
        rt_buf_add_str(&changed, "\n");
        struct rt_secret_key *other = NULL;
        if (rt_secret_key_file_parse(rt_buf_bytes(&changed), NULL, &other)) {
            refused++;
            assert_null(other);
        } else {
            assert_true(
                rt_public_key_equal(rt_secret_key_public(key), rt_secret_key_public(other)));
        }
        rt_secret_key_free(other);
        rt_buf_release(&changed);
        blob[i] ^= 0x10;
    }
    assert_int_equal(refused, 6 + 64 + 32); // algorithms, both halves, checksum
    rt_buf_release(&file);
    rt_secret_key_free(key);
}

static void test_save_load(void **state)
{
    (void)state;
    struct rt_error err = {RT_OK, ""};
    struct rt_secret_key *key = NULL, *again = NULL;
    assert_int_equal(rt_secret_key_generate(&key), RT_OK);
    const char *path = in_folder("plain.key");
    assert_int_equal(rt_secret_key_save(path, key, NULL, &err), RT_OK);
    assert_int_equal(rt_secret_key_save(path, key, NULL, &err), RT_EXISTS);
    assert_int_equal(rt_secret_key_load(path, NULL, &again, &err), RT_OK);
    assert_true(rt_public_key_equal(rt_secret_key_public(key), rt_secret_key_public(again)));
    rt_secret_key_free(again);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    again = NULL;
    assert_int_equal(rt_secret_key_load(path, NULL, &again, &err), RT_NOT_PERMITTED);
    assert_null(again);

    const char *pub = in_folder("plain.pub");
    struct rt_public_key loaded;
    struct rt_key_number number;
    assert_int_equal(rt_public_key_save(pub, rt_secret_key_public(key), NULL, &err), RT_OK);
    assert_int_equal(rt_public_key_load(pub, &loaded, &number, &err), RT_OK);
    assert_true(rt_public_key_equal(&loaded, rt_secret_key_public(key)));
    assert_memory_equal(&number, rt_secret_key_number(key), sizeof number);
    assert_int_equal(rt_public_key_load(in_folder("none"), &loaded, &number, &err), RT_NOT_FOUND);
    rt_secret_key_free(key);
}

static void test_passphrase(void **state)
{
    (void)state;
    struct rt_error err = {RT_OK, ""};
    struct rt_secret_key *key = NULL, *again = NULL;
    assert_int_equal(rt_secret_key_generate(&key), RT_OK);
    const char *path = in_folder("sealed.key");
    assert_int_equal(rt_secret_key_save(path, key, "correct horse", &err), RT_OK);
    struct rt_buf file = vector_file_at(folder, "sealed.key");
    assert_true(rt_secret_key_file_encrypted(rt_buf_bytes(&file)));
    rt_buf_release(&file);
    assert_int_equal(rt_secret_key_load(path, NULL, &again, &err), RT_NOT_PERMITTED);
    assert_non_null(strstr(err.text, "no passphrase was given"));
    assert_int_equal(rt_secret_key_load(path, "wrong horse", &again, &err), RT_NOT_PERMITTED);
    assert_non_null(strstr(err.text, "passphrase is wrong"));
    assert_null(again);
    assert_int_equal(rt_secret_key_load(path, "correct horse", &again, &err), RT_OK);
    assert_true(rt_public_key_equal(rt_secret_key_public(key), rt_secret_key_public(again)));
    rt_secret_key_free(key);
    rt_secret_key_free(again);
}

static bool have_minisign(void)
{
    return system("command -v minisign >/dev/null 2>&1") == 0;
}

static int run(const char *format, ...) RT_PRINTF(1, 2);
static int run(const char *format, ...)
{
    char command[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    return system(command);
}

// Our keys, sealed and plain, in minisign's hands; its signature is then checked by us.
static void test_minisign_uses_ours(void **state)
{
    (void)state;
    if (!have_minisign())
        skip();
    struct rt_error err = {RT_OK, ""};
    struct rt_secret_key *key = NULL;
    assert_int_equal(rt_secret_key_generate(&key), RT_OK);
    assert_int_equal(rt_secret_key_save(in_folder("m.key"), key, NULL, &err), RT_OK);
    assert_int_equal(rt_secret_key_save(in_folder("ms.key"), key, "horse", &err), RT_OK);
    assert_int_equal(rt_public_key_save(in_folder("m.pub"), rt_secret_key_public(key), NULL, &err),
                     RT_OK);
    assert_int_equal(run("cd %s && echo hello > f && echo world > g", folder), 0);
    assert_int_equal(run("cd %s && minisign -S -s m.key -m f >/dev/null 2>&1 </dev/null", folder),
                     0);
    assert_int_equal(
        run("cd %s && echo horse | minisign -S -s ms.key -m g >/dev/null 2>&1", folder), 0);
    assert_int_equal(run("cd %s && minisign -V -p m.pub -m f >/dev/null", folder), 0);
    static const char *const files[] = {"f", "g"};
    for (size_t i = 0; i < 2; i++) {
        char name[16];
        snprintf(name, sizeof name, "%s.minisig", files[i]);
        struct rt_buf file = vector_file_at(folder, files[i]);
        struct rt_buf text = vector_file_at(folder, name);
        struct rt_minisig minisig;
        assert_int_equal(rt_minisig_parse(rt_buf_bytes(&text), &minisig), RT_OK);
        assert_int_equal(rt_minisig_verify(&minisig, rt_buf_bytes(&file), rt_secret_key_public(key),
                                           rt_secret_key_number(key)),
                         RT_OK);
        rt_buf_release(&file);
        rt_buf_release(&text);
    }
    rt_secret_key_free(key);
}

// A key pair that minisign made, in ours; our signature is then checked by minisign.
static void test_we_use_minisigns(void **state)
{
    (void)state;
    if (!have_minisign())
        skip();
    assert_int_equal(run("cd %s && minisign -G -W -p t.pub -s t.key >/dev/null", folder), 0);
    struct rt_error err = {RT_OK, ""};
    struct rt_secret_key *key = NULL;
    struct rt_public_key public_key;
    assert_int_equal(rt_secret_key_load(in_folder("t.key"), NULL, &key, &err), RT_OK);
    assert_int_equal(rt_public_key_load(in_folder("t.pub"), &public_key, NULL, &err), RT_OK);
    assert_true(rt_public_key_equal(&public_key, rt_secret_key_public(key)));
    struct rt_buf out;
    rt_buf_init(&out, RT_MINISIG_MOST);
    struct rt_bytes file = rt_bytes_str("what we sign\n");
    assert_int_equal(rt_file_write(in_folder("h"), file, 0644, &err), RT_OK);
    assert_int_equal(rt_minisig_sign(key, file, "timestamp:1 file:h", &out), RT_OK);
    assert_int_equal(rt_file_write(in_folder("h.minisig"), rt_buf_bytes(&out), 0644, &err), RT_OK);
    assert_int_equal(run("cd %s && minisign -V -H -p t.pub -m h >/dev/null", folder), 0);
    assert_int_equal(
        run("cd %s && echo x >> h && ! minisign -V -p t.pub -m h >/dev/null 2>&1", folder), 0);
    rt_buf_release(&out);
    rt_secret_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_from_seed),        cmocka_unit_test(test_bad_points),
        cmocka_unit_test(test_public_text),      cmocka_unit_test(test_vector_keys),
        cmocka_unit_test(test_tampered_key),     cmocka_unit_test(test_save_load),
        cmocka_unit_test(test_passphrase),       cmocka_unit_test(test_minisign_uses_ours),
        cmocka_unit_test(test_we_use_minisigns),
    };
    return cmocka_run_group_tests_name("key", tests, start, end);
}
