// SPDX-License-Identifier: Apache-2.0
// A pack file with any bytes in it: opening cuts it at its last whole record, reading gives a
// record whose digest is right or nothing, and what is appended then can be read.
#include <stdlib.h>
#include <unistd.h>

#include <fcntl.h>
#include <stdio.h>

#include "common/base/file.h"
#include "common/crypto/key.h"
#include "worker/vault.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64];

static void remove_folder(void)
{
    char path[96];
    snprintf(path, sizeof path, "%s/pack-00000001", folder);
    unlink(path);
    rmdir(folder);
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[96];
    struct rt_error err;
    struct rt_vault *vault = NULL;
    if (!folder[0]) {
        must(rt_crypto_init() == RT_OK);
        snprintf(folder, sizeof folder, "/tmp/rt-fuzz-vault-XXXXXX");
        must(mkdtemp(folder) != NULL);
        atexit(remove_folder);
    }
    snprintf(path, sizeof path, "%s/pack-00000001", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    must(rt_vault_open(folder, false, &vault, &err) == RT_OK);
    struct rt_vault_key key = {{1}, {0}};
    rt_vault_key_id(&key);
    // What is found may be sealed; what is appended is when the first byte says so.
    must(rt_vault_seal(vault, &key, size && (data[0] & 1)) == RT_OK);

    struct rt_buf out, record;
    struct rt_digest digest = {{0}};
    rt_buf_init(&out, RT_VAULT_OBJECT_MOST);
    rt_buf_init(&record, RT_VAULT_OBJECT_MOST);
    if (size >= 44)
        memcpy(digest.bytes, data + 12, sizeof digest.bytes);
    for (uint64_t length = 44; length <= size; length += 1 + length / 4) {
        struct rt_vault_place place = {1, 0, length};
        rt_buf_clear(&out);
        if (rt_vault_read(vault, &place, &digest, &out, &err) == RT_OK) {
            struct rt_digest found;
            rt_sha256(rt_buf_bytes(&out), &found);
            must(rt_digest_equal(&found, &digest));
        }
    }
    struct rt_vault_place place;
    must(rt_vault_pack(vault, rt_bytes(data, size), &digest, &record) == RT_OK);
    must(rt_vault_append(vault, rt_buf_bytes(&record), &place, &err) == RT_OK);
    rt_buf_clear(&out);
    must(rt_vault_read(vault, &place, &digest, &out, &err) == RT_OK);
    must(rt_bytes_equal(rt_buf_bytes(&out), rt_bytes(data, size)));
    rt_buf_release(&out);
    rt_buf_release(&record);
    rt_vault_free(vault);
    return 0;
}
