/*
 * The command line, the listening socket and the life of the process.
 *
 * Everything is set up before a thread exists; SIGTERM and SIGINT are taken
 * by sigwait() in the main thread, which then wakes all sleepers and stops.
 */

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox.h"


#define SB_LISTEN  "127.0.0.1:8081"


static void
sb_usage(void)
{
    printf("Usage: atelier-sandbox [--listen ADDRESS:PORT] "
           "[--public-url URL] "
           "[--quick]\n"
           "\n"
           "Stand-ins for AI image services and image sources, for development "
           "and\ntests.\n"
           "\n"
           "  --listen ADDRESS:PORT  where to listen; default " SB_LISTEN ",\n"
           "                         [::1]:8081 for IPv6; port 0 takes a "
           "free one\n"
           "  --public-url URL       base of the pictures' URLs; default: "
           "made of --listen\n"
           "  --quick                draw a size once and vary it by a "
           "comment\n"
           "  --help                 this text\n"
           "\n"
           "Keys are sk-sandbox-ANYTHING, where each service wants them.\n"
           "Settings and counters: GET, PUT, DELETE /_control/PROVIDER.\n");
}


/* Splits "host:port" or "[host]:port" in place. */

static int
sb_split(char *listen, char **host, char **port)
{
    char  *colon;

    colon = strrchr(listen, ':');
    if (colon == NULL || colon == listen || colon[1] == '\0') {
        return SB_ERROR;
    }

    *colon = '\0';
    *port = colon + 1;
    *host = listen;

    if (**port == '\0' || strlen(*port) > 5
        || strspn(*port, "0123456789") != strlen(*port)
        || atol(*port) > 65535)
    {
        return SB_ERROR;
    }

    if (listen[0] == '[') {
        if (colon[-1] != ']') {
            return SB_ERROR;
        }

        colon[-1] = '\0';
        *host = listen + 1;

    } else if (strchr(listen, ':')) {
        return SB_ERROR;
    }

    return SB_OK;
}


/* A listening socket; or -1 after saying why. */

static int
sb_socket(const char *arg, const char *host, const char *port)
{
    int               fd, rc, on;
    struct addrinfo   hints, *ai;

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;

    rc = getaddrinfo(host, port, &hints, &ai);
    if (rc != 0) {
        fprintf(stderr, "atelier-sandbox: --listen \"%.200s\": %s\n", arg,
                gai_strerror(rc));
        return -1;
    }

    fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    on = 1;

    if (fd == -1
        || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1
        || bind(fd, ai->ai_addr, ai->ai_addrlen) == -1
        || listen(fd, 1024) == -1)
    {
        fprintf(stderr, "atelier-sandbox: cannot listen on %.200s: %s%s\n",
                arg, strerror(errno),
                errno == EADDRINUSE ? "; stop the other program or give "
                                      "another port with --listen" : "");

        if (fd != -1) {
            close(fd);
        }

        fd = -1;
    }

    freeaddrinfo(ai);

    return fd;
}


/* The same, and the URL it answers to. */

static int
sb_listen(const char *arg, char *url, size_t size)
{
    int                      fd;
    char                     copy[256], *host, *port, name[64];
    socklen_t                len;
    struct sockaddr_storage  ss;

    snprintf(copy, sizeof(copy), "%s", arg);

    if (strlen(arg) >= sizeof(copy) || sb_split(copy, &host, &port) != SB_OK) {
        fprintf(stderr, "atelier-sandbox: --listen \"%.200s\" is not an "
                "address and a port, such as " SB_LISTEN "\n", arg);
        return -1;
    }

    fd = sb_socket(arg, host, port);
    if (fd == -1) {
        return -1;
    }

    len = sizeof(ss);
    memset(&ss, 0, sizeof(ss));

    if (getsockname(fd, (struct sockaddr *) &ss, &len) == -1
        || getnameinfo((struct sockaddr *) &ss, len, NULL, 0, name,
                       sizeof(name), NI_NUMERICSERV) != 0)
    {
        fprintf(stderr, "atelier-sandbox: cannot learn the port of %.200s\n",
                arg);
        close(fd);
        return -1;
    }

    snprintf(url, size, strchr(host, ':') ? "http://[%s]:%s" : "http://%s:%s",
             host, name);

    return fd;
}


/* A plain http(s) base without a slash at its end. */

static int
sb_public_url_check(char *url)
{
    size_t  i, len;

    len = strlen(url);

    while (len && url[len - 1] == '/') {
        url[--len] = '\0';
    }

    if (len > 256
        || (strncmp(url, "http://", 7) != 0
            && strncmp(url, "https://", 8) != 0))
    {
        return SB_ERROR;
    }

    for (i = 0; i < len; i++) {
        if (url[i] <= ' ' || url[i] > '~' || strchr("\"\\<>?#", url[i])) {
            return SB_ERROR;
        }
    }

    return SB_OK;
}


static int
sb_options(int argc, char **argv, const char **listen, char **url)
{
    int  o;

    static const struct option  options[] = {
        { "listen", required_argument, NULL, 'l' },
        { "public-url", required_argument, NULL, 'u' },
        { "quick", no_argument, NULL, 'q' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 }
    };

    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (o) {

        case 'l':
            *listen = optarg;
            break;

        case 'u':
            *url = optarg;

            if (sb_public_url_check(*url) != SB_OK) {
                fprintf(stderr, "atelier-sandbox: --public-url \"%.200s\" is "
                        "not an http:// or https:// base\n", *url);
                return 1;
            }

            break;

        case 'q':
            sb_quick_init();
            break;

        case 'h':
            sb_usage();
            exit(0);

        default:
            fprintf(stderr, "atelier-sandbox: see --help\n");
            return 1;
        }
    }

    if (optind < argc) {
        fprintf(stderr, "atelier-sandbox: unexpected \"%.200s\"; see "
                "--help\n", argv[optind]);
        return 1;
    }

    return 0;
}


static void
sb_raise_files(void)
{
    struct rlimit  lim;

    if (getrlimit(RLIMIT_NOFILE, &lim) == 0
        && lim.rlim_cur < SB_CONNECTIONS * 2)
    {
        lim.rlim_cur = lim.rlim_max < SB_CONNECTIONS * 2
                       ? lim.rlim_max : SB_CONNECTIONS * 2;
        (void) setrlimit(RLIMIT_NOFILE, &lim);
    }
}


int
main(int argc, char **argv)
{
    int                 fd, sig;
    char                own[300], *url;
    sigset_t            set;
    const char         *listen;
    struct MHD_Daemon  *daemon;

    listen = SB_LISTEN;
    url = NULL;

    if (sb_options(argc, argv, &listen, &url) != 0) {
        return 1;
    }

    signal(SIGPIPE, SIG_IGN);

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);

    sb_raise_files();

    fd = sb_listen(listen, own, sizeof(own));
    if (fd == -1) {
        return 1;
    }

    if (sb_state_init(url ? url : own) != SB_OK
        || sb_drawing_init() != SB_OK)
    {
        fprintf(stderr, "atelier-sandbox: cannot start: %s\n",
                strerror(errno));
        return 1;
    }

    daemon = sb_server_start(fd);
    if (daemon == NULL) {
        fprintf(stderr, "atelier-sandbox: the HTTP server does not start\n");
        return 1;
    }

    printf("sandbox ready on %s\n", own);
    fflush(stdout);

    sigwait(&set, &sig);

    sb_state_stop();
    MHD_stop_daemon(daemon);
    sb_drawing_free();
    sb_files_free();
    sb_cdn_free();
    sb_quick_free();
    sb_predictions_free();
    sb_state_free();

    return 0;
}
