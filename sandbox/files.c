/*
 * Pictures behind URLs, in memory.
 *
 * A ring of SB_FILES pictures, also bounded in bytes: a new one drops the
 * oldest.  Pictures are copied in and out under the lock, so that a picture
 * being sent may be dropped meanwhile.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox.h"


#define SB_FILES        256
#define SB_FILES_BYTES  ((size_t) 128 * 1024 * 1024)


typedef struct {
    char         provider[SB_NAME_MAX + 1];
    char         name[48];              /* id.ext */
    const char  *type;
    char        *data;                  /* NULL: no picture */
    size_t       len;
} sb_file_t;


static pthread_mutex_t  sb_files_lock = PTHREAD_MUTEX_INITIALIZER;
static sb_file_t        sb_files[SB_FILES];
static size_t           sb_files_next;
static size_t           sb_files_bytes;


static void
sb_file_drop(sb_file_t *f)
{
    if (f->data) {
        sb_files_bytes -= f->len;
        free(f->data);
        f->data = NULL;
    }
}


int
sb_file_store(const char *provider, const sb_picture_t *p, char *url,
    size_t size)
{
    char        *data;
    char         id[33];
    size_t       i, len;
    sb_file_t   *f;

    len = p->data.len;

    if (len == 0 || len > SB_FILES_BYTES) {
        return SB_ERROR;
    }

    data = malloc(len);
    if (data == NULL) {
        return SB_ERROR;
    }

    memcpy(data, p->data.data, len);
    sb_hex_id(id, 16);

    pthread_mutex_lock(&sb_files_lock);

    /* The slot to be used next holds the oldest. */

    for (i = 0; i < SB_FILES && sb_files_bytes > SB_FILES_BYTES - len; i++) {
        sb_file_drop(&sb_files[(sb_files_next + i) % SB_FILES]);
    }

    f = &sb_files[sb_files_next];
    sb_files_next = (sb_files_next + 1) % SB_FILES;

    sb_file_drop(f);

    snprintf(f->provider, sizeof(f->provider), "%s", provider);
    snprintf(f->name, sizeof(f->name), "%s.%s", id, p->ext);
    f->type = p->type;
    f->data = data;
    f->len = len;
    sb_files_bytes += len;

    snprintf(url, size, "%s/%s/files/%s", sb_public_url(), provider, f->name);

    pthread_mutex_unlock(&sb_files_lock);

    return SB_OK;
}


int
sb_file_load(const char *provider, const char *name, sb_buf_t *data,
    const char **type)
{
    int         rc;
    size_t      i;
    sb_file_t  *f;

    rc = SB_ERROR;

    pthread_mutex_lock(&sb_files_lock);

    for (i = 0; i < SB_FILES; i++) {
        f = &sb_files[i];

        if (f->data && strcmp(f->name, name) == 0
            && strcmp(f->provider, provider) == 0)
        {
            rc = sb_buf_add(data, f->data, f->len);
            *type = f->type;
            break;
        }
    }

    pthread_mutex_unlock(&sb_files_lock);

    return rc;
}


void
sb_files_free(void)
{
    size_t  i;

    for (i = 0; i < SB_FILES; i++) {
        sb_file_drop(&sb_files[i]);
    }
}
