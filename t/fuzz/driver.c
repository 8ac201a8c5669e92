/*
 * Runs a fuzz target without libFuzzer: the seeds as they are, then mutations
 * of them until the time is up.  Knows nothing of coverage, so it finds less;
 * scripts/fuzz takes it where clang's libFuzzer cannot be had.
 *
 *     target [-seed=N] [-max_total_time=S] [-timeout=S] [-max_len=N]
 *            [-artifact_prefix=P] file-or-folder ...
 *
 * The options mean what libFuzzer's of these names mean; others are refused.
 * A child process runs the inputs out of memory that the parent shares, so
 * the parent can write down the one that ended the child.  Without a time the
 * files are run and that is all, as for a reproducer.
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"


#define DRIVER_LEN_MAX  (1024 * 1024)
#define DRIVER_SEEDS    4096


typedef struct {
    size_t    len;
    uint64_t  runs;
    uint8_t   data[DRIVER_LEN_MAX];
} driver_input_t;


typedef struct {
    uint8_t  *data;
    size_t    len;
} driver_seed_t;


static driver_seed_t    driver_seeds[DRIVER_SEEDS];
static size_t           driver_nseeds;
static driver_input_t  *driver_input;
static uint64_t         driver_random_state;

static unsigned long    driver_seed = 1;
static unsigned long    driver_seconds;
static unsigned long    driver_timeout = 10;
static unsigned long    driver_max_len = 4096;
static const char      *driver_prefix = "./";


static void driver_die(const char *what, const char *name)
    __attribute__((noreturn));


static void
driver_die(const char *what, const char *name)
{
    fprintf(stderr, "driver: %s: %s\n", what, name);
    exit(2);
}


/* Below n. */

static size_t
driver_random(size_t n)
{
    driver_random_state ^= driver_random_state << 13;
    driver_random_state ^= driver_random_state >> 7;
    driver_random_state ^= driver_random_state << 17;

    return (size_t) ((driver_random_state >> 11) % n);
}


static void
driver_read_file(const char *name)
{
    FILE           *f;
    driver_seed_t  *s;

    if (driver_nseeds == DRIVER_SEEDS) {
        return;
    }

    s = &driver_seeds[driver_nseeds];
    f = fopen(name, "rb");
    s->data = malloc(DRIVER_LEN_MAX);

    if (f == NULL || s->data == NULL) {
        driver_die("cannot be read", name);
    }

    s->len = fread(s->data, 1, DRIVER_LEN_MAX, f);
    fclose(f);

    s->data = realloc(s->data, s->len ? s->len : 1);
    driver_nseeds++;
}


static void
driver_read(const char *name)
{
    int              i, n;
    char             path[4096];
    struct stat      st;
    struct dirent  **list;

    if (stat(name, &st) != 0) {
        driver_die("does not exist", name);
    }

    if (!S_ISDIR(st.st_mode)) {
        driver_read_file(name);
        return;
    }

    n = scandir(name, &list, NULL, alphasort);

    for (i = 0; i < n; i++) {
        if (list[i]->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", name, list[i]->d_name);
            driver_read_file(path);
        }

        free(list[i]);
    }

    if (n >= 0) {
        free(list);
    }
}


/* Puts len bytes of p, or of nothing in particular, into the input at at. */

static void
driver_insert(size_t at, const uint8_t *p, size_t len)
{
    size_t           i;
    driver_input_t  *in;

    in = driver_input;

    if (in->len + len > driver_max_len) {
        return;
    }

    memmove(in->data + at + len, in->data + at, in->len - at);
    in->len += len;

    for (i = 0; i < len; i++) {
        in->data[at + i] = p ? p[i] : (uint8_t) driver_random(256);
    }
}


static void
driver_mutate(void)
{
    size_t           at, from, len;
    driver_seed_t   *s;
    driver_input_t  *in;

    static const uint8_t  bytes[] = "\"\\{}[],:.-+eEu0/@;\n\r\t \0\x7f\x80\xff";

    in = driver_input;
    at = in->len ? driver_random(in->len) : 0;

    switch (driver_random(in->len ? 7 : 1)) {

    case 0:
        driver_insert(at, NULL, 1 + driver_random(8));
        return;

    case 1:
        in->data[at] ^= (uint8_t) (1u << driver_random(8));
        return;

    case 2:
        in->data[at] = (uint8_t) driver_random(256);
        return;

    case 3:
        in->data[at] = bytes[driver_random(sizeof(bytes))];
        return;

    case 4:
        len = 1 + driver_random(in->len - at);
        memmove(in->data + at, in->data + at + len, in->len - at - len);
        in->len -= len;
        return;

    case 5:
        in->len = at;
        return;

    default:
        s = &driver_seeds[driver_random(driver_nseeds)];

        if (s->len) {
            from = driver_random(s->len);
            driver_insert(at, s->data + from,
                          1 + driver_random(s->len - from));
        }
    }
}


/* A copy, so that ASan sees a read behind its end. */

static void
driver_run(void)
{
    uint8_t  *copy;

    copy = malloc(driver_input->len ? driver_input->len : 1);
    if (copy == NULL) {
        driver_die("no memory", "for an input");
    }

    memcpy(copy, driver_input->data, driver_input->len);

    alarm((unsigned) driver_timeout);
    (void) LLVMFuzzerTestOneInput(copy, driver_input->len);
    alarm(0);

    free(copy);
    driver_input->runs++;
}


static void
driver_take(const driver_seed_t *s)
{
    memcpy(driver_input->data, s->data, s->len);
    driver_input->len = s->len;
}


static void
driver_child(void)
{
    size_t  i, n;
    time_t  end;

    for (i = 0; i < driver_nseeds; i++) {
        driver_take(&driver_seeds[i]);
        driver_run();
    }

    end = time(NULL) + (time_t) driver_seconds;

    while (driver_seconds && time(NULL) < end) {
        driver_take(&driver_seeds[driver_random(driver_nseeds)]);

        for (n = 1 + driver_random(6); n; n--) {
            driver_mutate();
        }

        driver_run();
    }

    for (i = 0; i < driver_nseeds; i++) {
        free(driver_seeds[i].data);
        driver_seeds[i].data = NULL;
    }
}


static void
driver_write_artifact(void)
{
    int    fd;
    char   path[4096];

    snprintf(path, sizeof(path), "%scrash-%016llx", driver_prefix,
             (unsigned long long) fuzz_hash(14695981039346656037u,
                                            driver_input->data,
                                            driver_input->len));

    fd = open(path, O_WRONLY|O_CREAT|O_TRUNC, 0644);

    if (fd == -1
        || write(fd, driver_input->data, driver_input->len)
           != (ssize_t) driver_input->len)
    {
        driver_die("cannot be written", path);
    }

    close(fd);
    fprintf(stderr, "Test unit written to %s\n", path);
}


static void
driver_option(const char *arg)
{
    char  *end;

    static const struct {
        const char     *name;
        unsigned long  *value;
    } numbers[] = {
        { "-seed=", &driver_seed },
        { "-max_total_time=", &driver_seconds },
        { "-timeout=", &driver_timeout },
        { "-max_len=", &driver_max_len }
    };

    size_t  i, len;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        len = strlen(numbers[i].name);

        if (strncmp(arg, numbers[i].name, len) == 0) {
            *numbers[i].value = strtoul(arg + len, &end, 10);

            if (end == arg + len || *end != '\0') {
                driver_die("is no number", arg);
            }

            return;
        }
    }

    if (strncmp(arg, "-artifact_prefix=", 17) != 0) {
        driver_die("is not known", arg);
    }

    driver_prefix = arg + 17;
}


int
main(int argc, char **argv)
{
    int    i, status;
    pid_t  pid;

    for (i = 1; i < argc; i++) {
        if (argv[i][0] == '-') {
            driver_option(argv[i]);
        } else {
            driver_read(argv[i]);
        }
    }

    if (driver_nseeds == 0) {
        driver_die("holds no seed", argc > 1 ? argv[argc - 1] : "no argument");
    }

    if (driver_max_len > DRIVER_LEN_MAX) {
        driver_max_len = DRIVER_LEN_MAX;
    }

    driver_random_state = (driver_seed + 1) * 0x9e3779b97f4a7c15u;
    driver_input = mmap(NULL, sizeof(driver_input_t), PROT_READ|PROT_WRITE,
                        MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    if (driver_input == MAP_FAILED) {
        driver_die("no memory", "for the input");
    }

    pid = fork();

    if (pid == 0) {
        driver_child();
        return 0;
    }

    if (pid == -1 || waitpid(pid, &status, 0) != pid) {
        driver_die("no child", "fork failed");
    }

    if (status != 0) {
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
            fprintf(stderr, "driver: an input took more than %lu s\n",
                    driver_timeout);
        }

        if (driver_seconds) {
            driver_write_artifact();
        }

        return 77;
    }

    printf("%llu inputs\n", (unsigned long long) driver_input->runs);

    return 0;
}
